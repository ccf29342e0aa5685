"""Limits of the number and the size of application commands."""

from __future__ import annotations

import io

import pytest

from chatd.core.commands import LOCALES
from chatd.db.pool import Database
from tests.helpers.commands import PING, Commands, code, menu
from tests.helpers.rest_client import Answer
from tests.world import World


async def test_limits_of_each_type(commands: Commands) -> None:
    chat = [{**PING, "name": f"c{n}"} for n in range(100)]
    menus = [menu(kind, f"m{n}") for kind in (2, 3) for n in range(15)]
    assert len(await commands.rest.put(commands.path, chat + menus)) == 130
    for one in (PING, menu(2, "x"), menu(3, "x")):
        refused = await commands.refused(one)
        assert refused.code == 30032
    assert await commands.rest.post(commands.path, {**chat[0], "description": "still"})
    for several in ([*chat, PING], [menu(2, f"m{n}") for n in range(16)]):
        assert (await commands.refused(several, "PUT")).code == 30032
    refused = await commands.refused([*chat, *menus, PING], "PUT")
    assert code(refused) == "BASE_TYPE_MAX_LENGTH"


async def test_200_creations_a_day(commands: Commands, database: Database) -> None:
    for letter in "ab":
        await commands.rest.put(
            commands.path, [{**PING, "name": f"{letter}{n}"} for n in range(99)]
        )
    await commands.rest.put(commands.path, [PING])
    await commands.rest.put(commands.path, [])
    await commands.rest.post(commands.path, PING)  # the 200th
    refused = await commands.refused({**PING, "name": "one-more"})
    assert refused.code == 30034
    assert (await commands.refused([PING, {**PING, "name": "x"}], "PUT")).code == 30034
    assert await commands.names() == ["ping"]
    await commands.rest.post(commands.path, {**PING, "description": "Changes are no creations"})
    application_id = commands.path.split("/")[2]
    async with database.cursor() as cur:
        await cur.execute(
            "UPDATE application_command_scopes SET created_since = now() - interval '25 hours'"
            " WHERE application_id = %(id)s",
            {"id": application_id},
        )
    await commands.rest.post(commands.path, {**PING, "name": "one-more"})


async def test_all_commands_together_have_a_size(world: World) -> None:
    """A hundred commands, each as large as it can be, do not fit into a scope."""
    commands = Commands(await world.bot("bot", "alice"))
    names = dict.fromkeys(LOCALES, "ü" * 100)
    choices = [{"name": f"{n:02}", "value": "", "name_localizations": names} for n in range(25)]
    options = [{"type": 3, "name": f"o{n}", "description": "x", "choices": choices} for n in (0, 1)]
    large = {**PING, "options": options}  # 350 kB
    stored = 0
    while True:
        answer = await commands.rest.call("POST", commands.path, {**large, "name": f"n{stored}"})
        if answer.status != 201:
            break
        stored += 1
    assert code(answer) == "APPLICATION_COMMAND_TOO_LARGE"
    assert 1 < stored < 10
    assert len(await commands.rest.get(commands.path)) == stored


async def test_body_has_a_size(world: World) -> None:
    commands = Commands(await world.bot("bot", "alice"))
    for method, most in (("PUT", 2**21), ("POST", 2**19)):
        answer = await commands.rest.call(
            method,
            commands.path,
            data=io.BytesIO(b" " * (most + 1)),
            headers={"Content-Type": "application/json"},
        )
        assert (answer.status, answer.code) == (413, 40005)


def _large_command(name: str, size: int) -> bytes:
    """Return a command of `size` bytes, most of them in a key that the server does not know."""
    head = b'{"name":"%s","description":"x","unknown":"' % name.encode()
    return head + b"x" * (size - len(head) - 2) + b'"}'


async def _overwrite(commands: Commands, body: bytes) -> Answer:
    headers = {"Content-Type": "application/json"}
    return await commands.rest.call("PUT", commands.path, data=io.BytesIO(body), headers=headers)


async def test_each_command_of_an_overwrite_has_a_size(world: World) -> None:
    commands = Commands(await world.bot("bot", "alice"))
    most = [_large_command(f"c{number}", 2**19) for number in range(3)]
    answer = await _overwrite(commands, b"[" + b",".join(most) + b"]")
    assert (answer.status, len(answer.json)) == (200, 3)
    beyond = [*most[:2], _large_command("c2", 2**19 + 1)]
    answer = await _overwrite(commands, b"[" + b",".join(beyond) + b"]")
    assert (answer.status, answer.code) == (400, 50035)
    assert len(await commands.rest.get(commands.path)) == 3


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b'[{"name":"a","description":"x"},{"name":]', 50109),
        (b'[{"name":"a","description":"x"},{"name":"\\ud800","description":"x"}]', 50109),
        (b'[{"name":"a","description":"x"},{"name":"\xff","description":"x"}]', 50109),
        (b"[" * 100_000, 50109),
        (b"[1e999]", 50109),
        (b"", 50109),
        (b'{"name":"a"}', 50035),
        (b"null", 50035),
        (b"[null]", 50035),
        (b"[" + b"{}," * 130 + b"{}]", 50035),
    ],
)
async def test_bad_overwrite_changes_nothing(world: World, sent: bytes, expected: int) -> None:
    commands = Commands(await world.bot("bot", "alice"))
    await commands.rest.post(commands.path, PING)
    answer = await _overwrite(commands, sent)
    assert (answer.status, answer.code) == (400, expected)
    assert len(await commands.rest.get(commands.path)) == 1
