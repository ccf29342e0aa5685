"""chatd export: the command, its output and its exit codes."""

from __future__ import annotations

import json
import zipfile

from tests.cli.conftest import Chatd
from tests.world import World, like


async def test_export_of_an_account_by_command(world: World, chatd: Chatd) -> None:
    guild = await world.guild(owner="ada")
    await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", {"content": "hello"})
    done = await chatd.json("export", "user", guild.owner.name, "ada.zip")
    assert done == like(file="ada.zip", files=0, rows=like(users=1, messages=1))
    with zipfile.ZipFile(chatd.folder / "ada.zip") as archive:
        [line] = archive.read("data/messages.jsonl").splitlines()
        assert json.loads(line)["content"] == "hello"
    again = await chatd.refused("export", "user", guild.owner.name, "ada.zip")
    assert again == "chatd: ada.zip exists: choose another name, or delete it first"
    unknown = await chatd.refused("export", "user", "nobody there", "x.zip")
    assert unknown == "chatd: There is no account 'nobody there'."
    assert not (chatd.folder / "x.zip").exists()


async def test_guild_moves_by_commands(world: World, chatd: Chatd) -> None:
    guild = await world.guild(owner="ada", members=["bob"])
    await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", {"content": "hello"})
    done = await chatd.json("export", "guild", guild.id, "guild.tar")
    assert done == like(file="guild.tar", messages=1, files=0, missing_files=0)
    words = ("import", "guild", "guild.tar", "--owner", guild.owner.name)
    moved = await chatd.json(*words)
    assert moved == like(messages=1, authors=2, channels=1, problems=0)
    assert moved["guild_id"] != guild.id
    said = await chatd.well("import", "guild", "guild.tar")
    assert said.output.startswith("Imported 0 messages, 0 files, 0 reactions, 0 authors and 0 ")
    (chatd.folder / "text.tar").write_text("text")
    refused = await chatd.refused("import", "guild", "text.tar", "--owner", guild.owner.name)
    assert refused == "chatd: text.tar: the archive is cut short"
    missing = await chatd.refused("import", "guild", "none.tar", "--owner", guild.owner.name)
    assert missing == "chatd: cannot use none.tar: No such file or directory"
    unknown = await chatd.refused("export", "guild", "7", "x.tar")
    assert unknown == "chatd: There is no guild '7'."
    assert not (chatd.folder / "x.tar").exists()
