"""The accounts and guilds of the people that `scripts/bench capacity` simulates."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

import psycopg2

from tests.bench import seeding
from tests.bench.seeding import Account, Filler

BLOCK = 1000
"""People who share their largest guild. All members of their guilds are in the same block."""


@dataclass(frozen=True)
class Kind:
    """A kind of guild, of which each person is in one."""

    members: int
    channels: int


KINDS = (Kind(1000, 10), Kind(200, 5), Kind(50, 3), Kind(50, 3), Kind(10, 2))


@dataclass
class Guild:
    """A guild; `watchers` counts its members whose receipts are measured now."""

    id: int
    members: list[int]
    """Numbers of people."""
    channels: list[int] = field(default_factory=list)
    watchers: int = 0


@dataclass(frozen=True)
class Population:
    """The accounts, in the order in which they connect, and the guilds of each."""

    accounts: list[Account]
    guilds: list[list[Guild]]


def settle(url: str, people: int, *, history: int) -> Population:
    """Create people and guilds whose channels have `history` messages each. Takes seconds."""
    connection = psycopg2.connect(url)
    try:
        with connection, connection.cursor() as cur:
            population = _settle(Filler(cur), people, history)
        seeding.settle(connection)
    finally:
        connection.close()
    return population


def _settle(filler: Filler, people: int, history: int) -> Population:
    accounts = filler.accounts(people)
    guilds_of: list[list[Guild]] = [[] for _ in accounts]
    shuffle = random.Random(1)
    made: list[tuple[Guild, Kind]] = []
    for kind in KINDS:
        for members in _groups(people, kind.members, shuffle):
            guild = Guild(0, members)
            made.append((guild, kind))
            for number in members:
                guilds_of[number].append(guild)
    owners = [accounts[guild.members[0]][0] for guild, _ in made]
    first_guild, first_channel = filler.guilds(owners)
    for number, (guild, kind) in enumerate(made):
        guild.id = first_guild + number * seeding.STEP
        guild.channels = [first_channel + number * seeding.STEP]
        guild.channels += filler.channels(guild.id, kind.channels - 1)
    filler.join_each(
        [(guild.id, accounts[number][0]) for guild, _ in made for number in guild.members[1:]]
    )
    channels = [(channel, guild) for guild, _ in made for channel in guild.channels]
    authors = [accounts[guild.members[-1]][0] for _, guild in channels]
    filler.histories([channel for channel, _ in channels], authors, history)
    filler.look_for_segments([guild.id for guild, _ in made])
    return Population(accounts, guilds_of)


def _groups(people: int, size: int, shuffle: random.Random) -> Sequence[list[int]]:
    """Divide the people of each block at random into groups of a size; return these."""
    groups: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for first in range(0, people, BLOCK):
        block = list(range(first, min(first + BLOCK, people)))
        shuffle.shuffle(block)
        for place, number in enumerate(block):
            groups[first, place // size].append(number)
    return list(groups.values())
