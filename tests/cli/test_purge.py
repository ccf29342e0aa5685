"""chatd purge: what it counts and deletes, and what it refuses."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Chatd
from tests.helpers.attachments import message_form, send_form
from tests.rest.searching import say
from tests.world import World


async def test_purge_of_a_guild_deletes_what_it_counted(world: World, chatd: Chatd) -> None:
    guild = await world.guild(owner="ada", members=["bob"])
    path = f"/channels/{guild.general.id}"
    sent = await say(guild.owner.rest, guild.general, "one", "two", "pinned")
    form = message_form({"content": "file"}, ("a", b"12345"))
    sent.append((await send_form(guild.owner.rest, f"{path}/messages", form)).json["id"])
    pinned = sent.pop(2)
    await guild.owner.rest.put(f"{path}/pins/{pinned}")
    [bob] = await world.online("bob")
    existing = len(await guild.owner.rest.get(f"{path}/messages?limit=100"))
    of_guild = ("purge", "--guild", guild.id)
    expected = {
        "channels": 1,
        "messages": existing - 1,
        "files": 1,
        "file_bytes": 5,
        "audit_log_entries": 1,  # of the pin
    }
    found = await chatd.json(*of_guild, "--dry-run")
    expected["audit_log_entries"] = found["audit_log_entries"]
    assert found == {"dry_run": True, **expected}
    assert "--yes" in await chatd.refused(*of_guild, code=2)
    assert await chatd.json(*of_guild, "--yes") == {"dry_run": False, **expected}
    assert {*sent} <= {*(await bob.next("MESSAGE_DELETE_BULK")).d["ids"]}
    left = await guild.owner.rest.get(f"{path}/messages")
    assert [each["id"] for each in left] == [pinned]
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs")
    assert log["audit_log_entries"] == []
    said = await chatd.well(
        "purge", "--channel", guild.general.id, "--include-pins", "--yes", "--vacuum", "full"
    )
    assert said.output == ("Deleted 1 messages with 0 files (0.0 MiB) and 0 audit log entries.\n")
    assert await guild.owner.rest.get(f"{path}/messages") == []


@pytest.mark.parametrize(
    ("words", "code", "line"),
    [
        ([], 2, "--older-than is needed, or --guild, or --channel"),
        (["--older-than", "never"], 2, "--older-than needs a time"),
        (["--guild", "1", "--channel", "2"], 2, "give --guild or --channel, not both"),
        (["--guild", "1"], 1, "There is no guild '1'."),
        (["--channel", "x"], 1, "There is no channel 'x'."),
    ],
)
def test_purge_without_a_clear_place_is_refused(
    chatd: Chatd, words: list[str], code: int, line: str
) -> None:
    said = chatd.run("purge", *words)
    assert (said.code, said.output, said.complaints) == (code, "", f"chatd: {line}\n")
