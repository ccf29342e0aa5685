"""chatd migrate: up, up to a version, and status."""

from __future__ import annotations

import asyncio
import json

import pytest

from chatd.db import migrations
from tests.cli.conftest import Chatd
from tests.helpers.databases import NewDatabase


@pytest.fixture
def fresh(chatd: Chatd, new_database: NewDatabase, request: pytest.FixtureRequest) -> Chatd:
    """Commands on an empty database, without Redis and without a secret."""
    url = new_database(request.node.name)
    chatd.environment |= {"DATABASE_URL": url, "REDIS_URL": "redis://127.0.0.1:1"}
    return chatd


async def test_migrate_up_to_a_version(fresh: Chatd) -> None:
    before = await fresh.json_of(1, "migrate", "status")
    assert {each["state"] for each in before} == {"waiting"}
    said = await fresh.well("migrate", "up", "--to", "0002")
    assert said.output.splitlines()[:2] == ["applied 0001_accounts", "applied 0002_guilds"]
    assert "are pending" in said.output.splitlines()[2]
    assert await fresh.json("migrate", "up", "--to", "2") == {
        "applied": [],
        "waiting": migrations.pending(fresh.environment["DATABASE_URL"]),
    }
    status = await fresh.json_of(1, "migrate", "status")
    assert [each["state"] for each in status][:3] == ["applied", "applied", "waiting"]
    assert status[0]["applied_at"] is not None

    rest = await fresh.well("migrate")
    assert rest.output.splitlines()[0] == "applied 0003_messages"
    assert rest.output.splitlines()[-1] == "The schema is up to date."
    assert {row[1] for row in (await fresh.well("migrate", "status")).rows} == {"applied"}


@pytest.mark.parametrize("wrong", ["99", "000", "nothing", ""])
async def test_unknown_version_is_a_usage_error(fresh: Chatd, wrong: str) -> None:
    line = await fresh.refused("migrate", "up", "--to", wrong, code=2)
    assert "there is no migration" in line
    assert len(migrations.pending(fresh.environment["DATABASE_URL"])) == len(
        migrations.status(fresh.environment["DATABASE_URL"])
    )


async def test_other_commands_need_the_current_schema(fresh: Chatd) -> None:
    for words in (["user", "list"], ["guild", "list"], ["stats"], ["user", "invite"]):
        line = await fresh.refused(*words)
        assert line == (
            "chatd: the schema is not up to date (0001_accounts); run `chatd migrate` first"
        )


async def test_json_is_the_only_output(fresh: Chatd) -> None:
    said = await fresh.well("migrate", "up", "--json")
    assert json.loads(said.output)["waiting"] == []


async def test_terminal_shows_a_progress_bar(fresh: Chatd) -> None:
    text = await asyncio.to_thread(fresh.on_terminal, "migrate")
    count = len(migrations.status(fresh.environment["DATABASE_URL"]))
    assert "migrating" in text
    assert "━" in text
    assert f"{count}/{count}" in text
    assert text.count("applied ") == count
    assert "The schema is up to date." in text
