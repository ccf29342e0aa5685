"""Commands at all their bounds at once: no request holds the loop for long."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import orjson
import psycopg2
import pytest

from chatd.core.commands import LOCALES
from chatd.rest.application_commands import MAX_COMMANDS_BODY
from tests.conftest import Server
from tests.helpers import loop_time
from tests.helpers.commands import Commands
from tests.world import Guild, Person, World


def most_choices() -> list[dict[str, Any]]:
    """Return a hundred commands with 25 options of 25 choices: 62,500 choices."""
    choices = [{"name": f"{n}", "value": f"{n}"} for n in range(25)]
    options = [
        {"type": 3, "name": f"o{n}", "description": "x", "choices": choices} for n in range(25)
    ]
    return [{"name": f"c{n}", "description": "x", "options": options} for n in range(100)]


def most_translations() -> list[dict[str, Any]]:
    """Return commands whose texts are translated into all locales, as many as a body contains."""
    options = [
        {
            "type": 5,
            "name": f"o{n}",
            "description": "x",
            "name_localizations": dict.fromkeys(LOCALES, f"o{n}"),
            "description_localizations": dict.fromkeys(LOCALES, "x"),
        }
        for n in range(25)
    ]
    return [{"name": f"c{n}", "description": "x", "options": options} for n in range(80)]


LARGEST = {"choices": most_choices(), "translations": most_translations()}


async def call(world: World, person: Person, method: str, path: str, body: Any = None) -> bytes:
    """Send a request and return the body of the response, unread: reading takes time, too."""
    headers = {
        "Authorization": f"{person.rest.scheme} {person.token}",
        "Content-Type": "application/json",
        "X-Discord-Locale": "de",
    }
    async with world.http.request(
        method, world.url + path, data=None if body is None else io.BytesIO(body), headers=headers
    ) as response:
        received = await response.read()
        assert response.status == 200, received[:200]
        return received


async def hold_nothing(
    world: World, person: Person, method: str, path: str, body: Any = None
) -> Any:
    """Send a request, up to three times, until it blocks the loop for a short time only."""
    with loop_time.no_collection():
        for _ in range(loop_time.TRIES):
            with loop_time.turns() as measured:
                received = await call(world, person, method, path, body)
            if measured.longest_s < loop_time.MOST_S:
                return orjson.loads(received)
    raise AssertionError(f"{method} {path} held the loop for {measured.longest_s:.3f} s")


@pytest.mark.parametrize("kind", LARGEST)
async def test_largest_lists_of_commands(world: World, kind: str) -> None:
    guild = await world.guild(owner="alice")
    commands = Commands(await world.bot("bot", "alice", guild))
    body = orjson.dumps(LARGEST[kind])
    assert 2**20 < len(body) < MAX_COMMANDS_BODY
    made = await hold_nothing(world, commands.bot, "PUT", commands.path, body)
    assert len(made) == len(LARGEST[kind])
    changed = body.replace(b'"description":"x"', b'"description":"y"')
    await hold_nothing(world, commands.bot, "PUT", commands.path, changed)
    for query in ("", "?with_localizations=true"):
        listed = await hold_nothing(world, commands.bot, "GET", commands.path + query)
        assert len(listed) == len(made)
    path = f"/guilds/{guild.id}/application-command-index"
    index = await hold_nothing(world, guild.owner, "GET", path)
    assert len(index["application_commands"]) == len(made)


@pytest.fixture
async def crowded(world: World, server: Server) -> AsyncIterator[Guild]:
    """A guild with 50 applications, which have 130 commands each, and 5,000 overwrites."""
    guild = await world.guild(owner="alice", members=["bob"])
    connection = psycopg2.connect(server.config.database_url)
    connection.autocommit = True
    bots = []
    for number in range(50):
        bot = await world.bot(f"bot{number}", f"owner{number // 25}")
        await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}")
        bots.append(int(bot.id))
    with connection.cursor() as cur:
        cur.execute(
            """
            INSERT INTO application_commands (id, application_id, type, version, name, description,
                                              options, nsfw, integration_types)
            SELECT bot + n, bot, 1, 1, 'c' || n, 'x',
                   '[{"type":3,"name":"x","description":"x"}]', false, '{0}'
              FROM unnest(%s::bigint[]) AS bot, generate_series(1, 130) AS n
            """,
            (bots,),
        )
        cur.execute(
            """
            INSERT INTO application_command_permissions
            SELECT %s, bot, bot + 1, jsonb_agg(jsonb_build_array(n, 2, true))
              FROM unnest(%s::bigint[]) AS bot, generate_series(1, 100) AS n
          GROUP BY bot
            """,
            (guild.id, bots),
        )
    yield guild
    connection.close()


async def test_index_of_a_crowded_guild(world: World, crowded: Guild) -> None:
    bob = await world.person("bob")
    for path in (
        f"/guilds/{crowded.id}/application-command-index",
        f"/channels/{crowded.general.id}/application-command-index",
        f"/channels/{crowded.general.id}/application-commands/search?limit=100",
    ):
        index = await hold_nothing(world, bob, "GET", path)
        assert len(index["application_commands"]) >= 100
