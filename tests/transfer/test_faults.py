"""Faulty exports: each fault has a line with its place, and the next run completes what it can."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from chatd.core.ids import ChannelId
from chatd.queries import bulk_messages
from chatd.transfer.errors import TransferError
from tests.conftest import Server
from tests.rest.searching import texts
from tests.transfer.conftest import Importer
from tests.transfer.exports import attachment, reaction, role
from tests.world import Guild, World


async def contents(world: World, channel_id: int | str) -> list[str]:
    found = await world.rest("owner").get(f"/channels/{channel_id}/messages?limit=100")
    return [each["content"] for each in reversed(found)]


async def test_broken_file_is_completed_by_the_next_run(world: World, importer: Importer) -> None:
    ada, general = importer.user(1, "ada"), importer.channel(1)
    for number in range(5):
        general.add(ada, f"message {number}")
    path = general.write(importer.folder)
    whole = path.read_text()
    at = whole.index("message 3")
    path.write_text(whole[:at].replace('"message 2"', '"message 2" ]]'))
    owner = await world.person("owner")

    await importer.run(owner)
    [line] = importer.lines
    broken = whole[:at].index('"message 2"') + len('"message 2" ')
    number = whole[:broken].count("\n") + 1
    assert line.startswith(f"{path.name}: line {number}, byte {broken}: parse error")
    assert importer.findings.problems == 1
    assert await contents(world, general.channel_id) == ["message 0", "message 1"]

    path.write_text(whole)
    done = await importer.run()
    assert (done.totals.messages, done.totals.existing, importer.lines) == (3, 2, [])
    assert await contents(world, general.channel_id) == [f"message {n}" for n in range(5)]


async def test_missing_files_are_added_by_the_next_run(world: World, importer: Importer) -> None:
    ada, general = importer.user(1, "ada"), importer.channel(1)
    outside = importer.folder.parent / "secret.txt"
    outside.write_text("secret")
    paths = [
        "media/late.txt",
        "../secret.txt",
        str(outside),
        "media/link.txt",
        "media",
        "media/pipe",
    ]
    files = [attachment(n, path, f"{n}.txt", 4) for n, path in enumerate(paths)]
    files.append(attachment(6, "media/other.txt", "6.txt", 4))
    general.add(ada, "files", attachments=files)
    general.write(importer.folder)
    media = importer.folder / "media"
    media.mkdir()
    (media / "link.txt").symlink_to(outside)
    os.mkfifo(media / "pipe")
    (media / "other.txt").write_text("of another message")
    owner = await world.person("owner")

    await importer.run(owner)
    assert [line.partition(": ")[2] for line in sorted(importer.lines)] == sorted(
        [
            f"message 1 ({general.message_id(0)}): the attachment 'media/late.txt' cannot be read:"
            " No such file or directory",
            f"message 1 ({general.message_id(0)}): the file of '6.txt' has 18 bytes, not 4;"
            " it is left out",
            *(
                f"message 1 ({general.message_id(0)}): the path {path!r} is not that of a file in"
                " the folder; it is left out"
                for path in (*paths[1:],)
            ),
        ]
    )
    (media / "late.txt").write_text("late")
    assert (await importer.run()).totals.files == 1
    assert (await importer.run()).totals.files == 0
    [message] = await world.rest("owner").get(f"/channels/{general.channel_id}/messages")
    assert [each["filename"] for each in message["attachments"]] == ["0.txt"]


async def test_faulty_messages_are_left_out_with_a_line(world: World, importer: Importer) -> None:
    ada, general = importer.user(1, "ada"), importer.channel(1)
    general.add(ada, "good")
    general.add(ada, "future")["id"] = str(2**62)
    general.add(ada, "no id")["id"] = "１２"
    general.add(ada, "no author")["author"] = None
    general.messages.append("text")  # type: ignore[arg-type]
    general.add(ada, "times", timestamp="9999-99-99", timestampEdited="0001-01-01T00:00:00+00:00")
    general.add(ada, "new", poll={"question": "?"})
    general.add(ada, "NUL \0 and half \ud83d".encode("utf-8", "replace").decode())
    general.add(ada, "x" * 3000)
    path = general.write(importer.folder)
    path.write_text(path.read_text().replace("half ?", "half \\ud83d"))
    owner = await world.person("owner")
    await importer.run(owner)
    name = path.name
    assert importer.lines[:4] == [
        f"{name}: message 2: its id is of the future (2049-11-03); it is left out",
        f"{name}: message 3: its id is not a snowflake; it is left out",
        f"{name}: message 4: it has no author with an id; it is left out",
        f"{name}: message 5: it is not an object; it is left out",
    ]
    assert [line.rpartition("): ")[2] for line in importer.lines[4:]] == [
        "its time '9999-99-99' is not that of its id; the id counts",
        "the time of its edit '0001-01-01T00:00:00+00:00' is left out",
        "the field 'poll' is not known, and is left out",
        "what is above 2000 characters is now in an embed",
    ]
    assert importer.findings.problems == 4
    shown = await contents(world, general.channel_id)
    assert shown == ["good", "times", "new", "NUL  and half ?", "x" * 2000]


async def test_reactions_beyond_the_bound_are_left_out_with_a_line(
    world: World, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatd.transfer.json_array._ELEMENT_BYTES", 128 * 1024)
    monkeypatch.setattr("chatd.transfer.json_array._MIN_BUDGET_BYTES", 64 * 1024)
    ada, general = importer.user(1, "ada"), importer.channel(1)
    crowd = [importer.user(2 + n % 20, f"user {n % 20}") for n in range(2000)]
    general.add(ada, "crowded", reactions=[reaction("👍", crowd)], mentions=[ada])
    general.add(ada, "next")
    general.write(importer.folder)
    owner = await world.person("owner")
    done = await importer.run(owner)
    assert "its field 'reactions' is too long; the rest of it is left out" in importer.lines[0]
    assert done.totals.reactions == 20
    crowded, following = reversed(
        await world.rest("owner").get(f"/channels/{general.channel_id}/messages")
    )
    assert crowded["reactions"][0]["count"] == 20
    assert [each["username"] for each in crowded["mentions"]] == [crowded["author"]["username"]]
    assert following["content"] == "next"


async def test_id_that_another_message_has_becomes_one_of_the_same_millisecond(
    world: World, importer: Importer, server: Server
) -> None:
    ada, bob, general = importer.user(1, "ada"), importer.user(2, "bob"), importer.channel(1)
    general.add(ada, "first")
    path = general.write(importer.folder)
    owner = await world.person("owner")
    await importer.run(owner)
    general.messages[0] |= {"author": bob, "content": "another"}
    path.write_text("".join(general.pieces()))
    for expected in (1, 0):
        assert (await importer.run()).totals.messages == expected
        path.touch()
    found = await world.rest("owner").get(f"/channels/{general.channel_id}/messages")
    assert sorted(each["content"] for each in found) == ["another", "first"]
    assert len({int(each["id"]) >> 22 for each in found}) == 1


async def test_run_that_is_broken_off_continues(
    world: World, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatd.transfer.discord.messages._BATCH", 10)
    ada, general = importer.user(1, "ada"), importer.channel(1)
    for number in range(50):
        general.add(ada, f"message {number}")
    general.write(importer.folder)
    owner = await world.person("owner")
    loads = 0
    load = bulk_messages.load

    def failing(*arguments: object) -> None:
        nonlocal loads
        loads += 1
        if loads == 3:
            raise ConnectionAbortedError
        load(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(bulk_messages, "load", failing)
        await importer.run(owner)
    assert importer.findings.problems == 1
    done = await importer.run()
    assert (done.totals.messages, done.totals.existing) == (30, 20)
    assert len(await contents(world, general.channel_id)) == 50
    guild = Guild(str(done.guild_id), owner)
    assert await texts(owner.rest, guild, content="message 49") == ["message 49"]


async def test_messages_older_than_the_index_are_found(
    world: World, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("chatd.queries.search_index.SEGMENT_MESSAGES", 4)
    monkeypatch.setattr(
        "chatd.queries.search_index.extend.__kwdefaults__", {"size": 4, "unindexed": False}
    )
    ada, general, more = importer.user(1, "ada"), importer.channel(1), importer.channel(2, "more")
    for number in range(9):
        general.add(ada, f"weaving {number}")
        more.add(ada, f"weaving later {number}")
    general.write(importer.folder)
    owner = await world.person("owner")
    done = await importer.run(owner)
    guild = Guild(str(done.guild_id), owner)
    assert len(await texts(owner.rest, guild, content="weaving")) == 9
    more.write(importer.folder)
    assert (await importer.run()).channels == 1
    assert len(await texts(owner.rest, guild, content="weaving")) == 18


async def test_deleted_channel_stays_deleted_and_deleted_guild_is_imported_anew(
    world: World, importer: Importer
) -> None:
    ada, general = importer.user(1, "ada"), importer.channel(1)
    general.add(ada, "first")
    path = general.write(importer.folder)
    owner = await world.person("owner")
    first = await importer.run(owner)
    await owner.rest.delete(f"/channels/{general.channel_id}")
    path.touch()
    again = await importer.run()
    assert (again.totals.messages, again.channels) == (0, 0)
    assert importer.lines[0].endswith("its channel was deleted since it was imported; left out")

    await owner.rest.delete(f"/guilds/{first.guild_id}")
    later = await importer.run(owner)
    assert (later.totals.messages, later.channels, later.authors) == (1, 1, 0)
    assert later.guild_id != first.guild_id
    [channel] = await owner.rest.get(f"/guilds/{later.guild_id}/channels")
    assert int(channel["id"]) != general.channel_id


async def test_private_threads_are_hidden_from_members(world: World, importer: Importer) -> None:
    ada, general = importer.user(1, "ada"), importer.channel(1)
    general.add(ada, "first")
    general.write(importer.folder)
    private = importer.channel(
        2, "private", type="GuildPrivateThread", parent=(general.channel_id, "general")
    )
    private.add(ada, "secret")
    private.write(importer.folder)
    owner, bob = await world.person("owner"), await world.person("bob")
    await importer.run(owner)
    invite = await owner.rest.post(f"/channels/{general.channel_id}/invites", {})
    await bob.rest.post(f"/invites/{invite['code']}", {})
    assert (await bob.rest.call("GET", f"/channels/{general.channel_id}/messages")).status == 200
    assert (await bob.rest.call("GET", f"/channels/{private.channel_id}/messages")).status == 403


async def test_two_imports_at_once_are_refused(world: World, importer: Importer) -> None:
    ada, general = importer.user(1, "ada"), importer.channel(1)
    general.add(ada, "first")
    general.write(importer.folder)
    owner = await world.person("owner")
    both = await asyncio.gather(importer.run(owner), importer.run(owner), return_exceptions=True)
    refused = [each for each in both if isinstance(each, TransferError)]
    assert len(refused) <= 1
    assert len(await owner.rest.get("/users/@me/guilds")) == 1
    assert await contents(world, general.channel_id) == ["first"]


@pytest.mark.parametrize(
    ("write", "line"),
    [
        (lambda folder: None, "there is no export of a guild in the folder"),
        (lambda folder: (folder / "a.json").write_text("[]"), "there is no export of a guild"),
    ],
    ids=["empty", "other"],
)
async def test_folder_without_an_export_is_refused(
    importer: Importer, write: object, line: str
) -> None:
    importer.folder.mkdir()
    assert callable(write)
    write(importer.folder)
    with pytest.raises(TransferError, match=line):
        await importer.run()


def test_missing_folder_is_named(tmp_path: Path) -> None:
    from chatd.transfer.discord.files import find_exports
    from chatd.transfer.findings import Findings

    with pytest.raises(TransferError, match="is not a folder"):
        find_exports(tmp_path / "none", Findings(print))


async def test_batch_is_bounded_by_bytes(
    world: World, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each message may have megabytes of reactions: a batch of many does not fit into memory."""
    monkeypatch.setattr("chatd.transfer.discord.messages._BATCH_BYTES", 64 * 1024)
    ada, general = importer.user(1, "ada"), importer.channel(1)
    for number in range(300):
        general.add(ada, f"message {number}", inlineEmojis=["x" * 1000])
    general.write(importer.folder)
    sizes = []
    load = bulk_messages.load

    def counted(*arguments: Any) -> None:
        sizes.append(len(arguments[3]))
        load(*arguments)

    monkeypatch.setattr(bulk_messages, "load", counted)
    assert (await importer.run(await world.person("owner"))).totals.messages == 300
    assert len(sizes) > 2
    assert max(sizes) < 200


async def test_refused_messages_do_not_stop_other_files(
    world: World, importer: Importer, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, general, more = importer.user(1, "ada"), importer.channel(1), importer.channel(2, "more")
    general.add(ada, "first")
    more.add(ada, "second")
    general.write(importer.folder, "a.json")
    more.write(importer.folder, "b.json")
    load = bulk_messages.load

    def refusing(bulk: Any, job: Any, channel_id: int, messages: Any, late: Any) -> None:
        if channel_id == general.channel_id:
            messages = [messages[0], messages[0]]  # twice the same key
        load(bulk, job, ChannelId(channel_id), messages, late)

    with monkeypatch.context() as patched:
        patched.setattr(bulk_messages, "load", refusing)
        done = await importer.run(await world.person("owner"))
    assert done.totals.messages == 1
    assert importer.lines[0].startswith(
        "a.json: the database refuses messages of it: duplicate key"
    )
    assert (await importer.run()).totals.messages == 1


async def test_mentions_have_the_ids_of_this_server(world: World, importer: Importer) -> None:
    """An export without names has ids, which may be taken here."""
    engineers = role(importer.guild_id + 55, "Engineers")
    ada = importer.user(1, "ada", roles=[engineers])
    general = importer.channel(1)
    text = (
        f"<@{ada['id']}> <@!{ada['id']}> <@&{engineers['id']}> <#{general.channel_id}> <@7> <:x:8>"
    )
    general.add(ada, text, mentions=[ada])
    path = general.write(importer.folder)
    owner = await world.person("owner")
    first = await importer.run(owner)
    assert await contents(world, general.channel_id) == [text]  # all ids were free
    await owner.rest.delete(f"/guilds/{first.guild_id}")
    path.touch()
    again = await importer.run(owner)
    [channel] = await owner.rest.get(f"/guilds/{again.guild_id}/channels")
    roles = await owner.rest.get(f"/guilds/{again.guild_id}/roles")
    [own] = [each["id"] for each in roles if each["name"] == "Engineers"]
    [shown] = await contents(world, channel["id"])
    assert shown == (f"<@{ada['id']}> <@!{ada['id']}> <@&{own}> <#{channel['id']}> <@7> <:x:8>")
    assert channel["id"] != str(general.channel_id)
