"""chatd import: the command, its output and its exit codes."""

from __future__ import annotations

import asyncio

from tests.cli.conftest import Chatd
from tests.transfer.exports import Export, attachment, new_guild_id, user
from tests.world import PASSWORD, World, like


async def test_import_by_command_and_claim(world: World, chatd: Chatd) -> None:
    guild_id = new_guild_id()
    general = Export(guild_id, guild_id + 1)
    general.add(
        user(guild_id + 2, "grace"), "first", attachments=[attachment(1, "late.txt", "late.txt", 4)]
    )
    path = general.write(chatd.folder / "export")
    refused = await chatd.refused("import", "discord", "export")
    assert refused == "chatd: name the owner of the new guild with --owner"

    owner = await world.person("owner")
    words = ("import", "discord", "export", "--owner", owner.name)
    said = await asyncio.to_thread(chatd.run, *words)
    assert said.code == 1
    assert said.complaints == (
        f"chatd: {path.name}: message 1 ({general.message_id(0)}): the attachment 'late.txt' cannot"
        " be read: No such file or directory\n"
    )
    assert said.output == (
        "Imported 1 messages, 0 files, 0 reactions, 1 authors and 1 channels into guild"
        f" {guild_id}."
        " 1 things are missing: see above.\n"
    )
    (path.parent / "late.txt").write_text("late")
    assert await chatd.json(*words) == like(files=1, messages=0, existing_messages=1, problems=0)

    [message] = await owner.rest.get(f"/channels/{general.channel_id}/messages")
    author = message["author"]
    listed = await chatd.json("user", "list", author["username"], "--only", "placeholders")
    assert listed == [like(id=author["id"], state="placeholder", email=None)]
    made = await chatd.json("user", "claim-code", author["username"])
    body = {
        "username": author["username"],
        "email": f"{guild_id}@example.org",
        "password": PASSWORD,
        "invitation": made["code"],
    }
    claimed = await world.anonymous.post("/auth/register", body)
    assert claimed["user"]["id"] == author["id"]
    refused = await chatd.refused("user", "claim-code", author["username"])
    assert refused == "chatd: Only the placeholder of a person can be claimed."
