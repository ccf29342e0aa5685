"""chatd report: the operator lists, shows and resolves reports."""

from __future__ import annotations

import asyncio

from tests.cli.conftest import Chatd
from tests.world import World, like


async def test_operator_resolves_a_report(world: World, chatd: Chatd) -> None:
    guild = await world.guild(owner="ada", members=["bob"])
    bob = await world.person("bob")
    path = f"/channels/{guild.general.id}/messages"
    sent = await guild.owner.rest.post(path, {"content": "buy \x1b[31mthis"})
    body = {
        "type": "message",
        "category": "spam",
        "channel_id": guild.general.id,
        "message_id": sent["id"],
    }
    made = (await bob.rest.post("/reports", body))["report_id"]
    rows = (await chatd.well("report", "list")).rows
    [row] = [row for row in rows if row[0] == made]
    assert row[1:6] == ["message", sent["id"], "spam", bob.name, "open"]
    said = await chatd.well("report", "show", made)
    assert said.facts["message.content"] == "buy \N{REPLACEMENT CHARACTER}[31mthis"
    assert said.facts["message.author.username"] == guild.owner.name
    assert [value for value in said.facts.values() if "{" in value] == []
    resolve = ("report", "resolve", made, "--outcome", "message_deleted")
    assert "--yes" in await chatd.refused(*resolve, code=2)
    assert await chatd.json(*resolve, "--note", "advertising", "--yes") == like(
        outcome="message_deleted", note="advertising", resolver_id=None
    )
    assert sent["id"] not in [each["id"] for each in await bob.rest.get(path)]
    assert (await chatd.well("report", "show", made)).facts["resolver"] == "the operator"
    line = await chatd.refused(*resolve, "--yes")
    assert line == "chatd: The report is resolved, or is being resolved"


async def test_operator_is_told_whose_account_is_disabled(world: World, chatd: Chatd) -> None:
    guild = await world.guild(owner="ada", members=["bob"])
    bob = await world.person("bob")
    await chatd.well("user", "promote", guild.owner.name)
    body = {"type": "user", "category": "spam", "user_id": guild.owner.id}
    made = (await bob.rest.post("/reports", body))["report_id"]
    said = await asyncio.to_thread(
        chatd.on_terminal,
        *("report", "resolve", made, "--outcome", "user_disabled"),
        answers=[("user_disabled?", "y")],
    )
    whose = f"{guild.owner.id}, {guild.owner.name}, an administrator of the server"
    assert f"Resolve the report of user {whose}: user_disabled?" in " ".join(said.split())
    assert (await guild.owner.rest.call("GET", "/users/@me")).status == 401
