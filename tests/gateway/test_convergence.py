"""Convergence: READY and all events since equal a fresh READY, after random changes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable
from typing import TypeAlias

import pytest

from chatd.core.intents import Intents
from tests.gateway.mirror import Mirror, agree, mirrored
from tests.helpers.random_acts import PEOPLE, Acts
from tests.world import WITHOUT_PRESENCES, Client, World

Kind: TypeAlias = tuple[int, int | None]
"""The intents and the capabilities of a client."""

BARE = int(Intents.GUILDS | Intents.GUILD_MESSAGES | Intents.DIRECT_MESSAGES)
ORDINARY: Kind = (WITHOUT_PRESENCES, None)
CLIENT: Kind = (BARE, 2**15 - 1)
"""A client of a person, which receives its own member only."""

FLAT: Kind = (BARE, 0)


async def resumed(world: World, name: str, mirror: Mirror, old: Client) -> None:
    """Cut the connection of a mirror, and resume on another one."""
    await old.cut()
    mirror.catch_up()
    mirror.client = await world.resumed(name, old)


@pytest.mark.parametrize("seed", range(4))
async def test_clients_converge_to_the_state_of_a_new_session(
    world: World, other: World, seed: int
) -> None:
    rng = random.Random(seed)
    worlds = (world, other)
    guilds = [await world.guild("alice", ["bob", "carol", "dave"]) for _ in range(2)]
    watched: list[tuple[World, str, Kind, Mirror]] = []

    async def watch(where: World, name: str, kind: Kind) -> None:
        watched.append((where, name, kind, await mirrored(where, name, *kind)))

    for where in worlds:
        for name in PEOPLE:
            await watch(where, name, ORDINARY)
    await watch(other, "bob", (BARE, None))
    await watch(other, "bob", FLAT)
    acts = Acts(rng, worlds, guilds)
    for turn in range(25):
        doing: list[Awaitable[object]] = [acts.one() for _ in range(3)]
        if turn % 5 == 0:  # a client connects between the changes
            kind = rng.choice([ORDINARY, CLIENT])
            doing.append(watch(rng.choice(worlds), rng.choice(PEOPLE), kind))
        if turn % 5 == 2:  # and another one loses its connection
            where, name, _, mirror = rng.choice(watched)
            doing.append(resumed(where, name, mirror, mirror.client))
        await asyncio.gather(*doing)
    for where in worlds:
        fresh = {
            f"{name} {kind}": await mirrored(where, name, *kind)
            for name, kind in {(name, kind) for _, name, kind, _ in watched}
        }
        await agree([(f"{name} {kind}", each) for _, name, kind, each in watched], fresh)
