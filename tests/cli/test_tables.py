"""Tables on a terminal of 80 columns: all lines fit, and no word is broken."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from rich.cells import cell_len

from tests.cli.conftest import Chatd
from tests.conftest import repository
from tests.world import PASSWORD, World

WIDTH = 80
LONGEST = 60  # a word that fits beside the name of its column; a path of the test may be longer
LISTS = [
    "user list",
    "guild list",
    "user invitations",
    "migrate status",
    "check",
    "report list",
    "registration waiting",
    "registration blocked",
]
RECORDS = ["user show", "guild show", "stats", "report show"]
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def test_every_command_with_a_table_is_tested() -> None:
    source = "".join(path.read_text() for path in (repository() / "chatd/cli").glob("*.py"))
    assert source.count("output.records(") == len(LISTS)
    assert source.count("output.record(") == len(RECORDS)


def texts(value: Any) -> Iterator[str]:
    """Yield every text in JSON output."""
    if isinstance(value, dict):
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)
    elif isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\dT", value):
        yield value


@pytest.mark.parametrize("words", [*LISTS, *RECORDS])
async def test_tables_fit_on_80_columns(world: World, chatd: Chatd, words: str) -> None:
    name = "w" * 31
    email = f"{'long.' * 5}address@{'mail.' * 3}example.org"
    body = {"username": f"{name}1", "email": email, "password": PASSWORD}
    if (await world.anonymous.call("POST", "/auth/register", body)).status == 201:
        login = {"email": email, "password": PASSWORD}
        token = (await world.anonymous.post("/auth/login", login))["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        made = {"name": f"{'g' * 48} {'h' * 48}"}
        await world.anonymous.call("POST", "/guilds", made, headers=headers)
        await chatd.well("user", "invite")
        report = {"type": "user", "category": "spam", "user_id": (await world.person("bob")).id}
        await world.anonymous.call("POST", "/reports", report, headers=headers)
        await chatd.well("registration", "block", f"{'mail.' * 9}example", "--note", "n" * 40)
    chatd.environment["CHATD_DATA_DIR"] = str(chatd.folder / "a" / ("deep" * 9) / ("er" * 9))
    command = words.split()
    if words == "user show":
        command.append(f"{name}1")
    elif words == "guild show":
        command.append((await chatd.json("guild", "list", "gggg"))[0]["id"])
    elif words == "report show":
        command.append((await chatd.json("report", "list"))[0]["id"])
    shown = await asyncio.to_thread(chatd.on_terminal, *command, width=WIDTH)
    lines = _ESCAPES.sub("", shown).splitlines()
    assert max(cell_len(line) for line in lines) <= WIDTH
    ran = await asyncio.to_thread(chatd.run, *command, "--json")
    found = {word for line in lines for word in line.split()}
    words_shown = {word for text in texts(json.loads(ran.output)) for word in text.split()}
    hidden = (
        words_shown - found
        if words.startswith(("user show", "guild show", "stats", "report show"))
        else set()
    )
    if not hidden and words in LISTS:
        columns = await asyncio.to_thread(chatd.run, *command)
        words_shown = {word for line in columns.output.splitlines() for word in line.split()}
        hidden = {
            word for word in words_shown - found if not re.match(r"\d{4}-\d\d-\d\dT|-$", word)
        }
    changing = re.compile(r"[0-9.]+$")  # such as free space
    broken = [word for word in hidden if not changing.match(word)]
    assert [word for word in broken if len(word) <= LONGEST] == []
