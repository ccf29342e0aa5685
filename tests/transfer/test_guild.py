"""Moving a guild between servers: its archive has everything, and imports as often as one likes."""

from __future__ import annotations

import io
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from chatd.backup.tar import TarWriter
from chatd.core.errors import UnknownUser
from chatd.core.ids import GuildId, UserId
from chatd.core.permissions import Permissions
from chatd.services.accounts import claims
from chatd.transfer.errors import TransferError
from chatd.transfer.findings import Findings
from chatd.transfer.guild.export import export
from chatd.transfer.guild.run import Request, run
from chatd.transfer.session import Imported
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.attachments import message_form, png_bytes, send_form
from tests.rest.searching import texts
from tests.transfer.conftest import Silent
from tests.world import PASSWORD, Guild, Person, Rest, World, like

HIDDEN = str(Permissions.VIEW_CHANNEL.value)


class Mover:
    """Exports guilds of the shared server, and imports them into it under other ids."""

    def __init__(self, server: Server, path: Path) -> None:
        self.server = server
        self.path = path
        self.lines: list[str] = []

    async def export(self, guild: Guild) -> None:
        with self.path.open("wb") as file:
            await export(self.server.config, GuildId(int(guild.id)), file, Silent())

    def read(self) -> list[Any]:
        with tarfile.open(self.path) as archive:
            parts = [m for m in archive.getmembers() if m.name.startswith("lines/")]
            found = b"".join(archive.extractfile(each).read() for each in parts)  # type: ignore[union-attr]
        return [orjson.loads(line) for line in found.splitlines()]

    def write(self, lines: list[Any]) -> None:
        with self.path.open("wb") as file:
            writer = TarWriter(file, mtime=0)
            text = b"".join(orjson.dumps(line) + b"\n" for line in lines)
            writer.add("lines/00000001.jsonl", text)
            writer.close()

    async def run(self, owner: Person | None = None) -> Imported:
        self.lines.clear()
        self.findings = Findings(self.lines.append)
        owner_id = None if owner is None else UserId(int(owner.id))
        deps = self.server.runner.app[DEPENDENCIES]
        request = Request(self.path, owner_id)
        return await run(deps, self.server.config, request, self.findings, Silent())


@pytest.fixture
async def mover(server: Server, tmp_path: Path) -> AsyncIterator[Mover]:
    yield Mover(server, tmp_path / "guild.tar")


async def scene(world: World) -> Guild:
    """A guild with a role, a hidden channel, and messages with everything."""
    guild = await world.guild(owner="ada", members=["bob", "carol"])
    ada, bob = world.rest("ada"), world.rest("bob")
    bob_id = (await world.person("bob")).id
    role = await ada.post(f"/guilds/{guild.id}/roles", {"name": "Staff", "color": 0x123456})
    await ada.put(f"/guilds/{guild.id}/members/{bob_id}/roles/{role['id']}")
    await guild.channel(
        "staff",
        permission_overwrites=[
            {"id": guild.id, "type": 0, "deny": HIDDEN},
            {"id": role["id"], "type": 0, "allow": HIDDEN},
            {"id": bob_id, "type": 1, "deny": str(Permissions.SEND_MESSAGES.value)},
        ],
    )
    path = f"/channels/{guild.general.id}/messages"
    first = await ada.post(path, {"content": "The engine weaves", "embeds": [{"title": "T"}]})
    form = message_form(
        {"content": f"yes <@{bob_id}>", "message_reference": {"message_id": first["id"]}},
        ("a.png", png_bytes()),
    )
    await send_form(bob, path, form)
    await bob.put(f"{path}/{first['id']}/reactions/👍/@me")
    await ada.put(f"/channels/{guild.general.id}/pins/{first['id']}")
    return guild


async def test_moved_guild_is_like_the_original(world: World, mover: Mover) -> None:
    guild = await scene(world)
    await mover.export(guild)
    owner = await world.person("owner")
    done = await mover.run(owner)
    assert mover.lines == []
    assert (done.totals.files, done.totals.reactions) == (1, 1)

    channels = {
        each["name"]: each for each in await owner.rest.get(f"/guilds/{done.guild_id}/channels")
    }
    original = await world.rest("ada").get(f"/channels/{guild.general.id}/messages")
    moved = await owner.rest.get(f"/channels/{channels['general']['id']}/messages")
    assert [each["content"].partition(" <@")[0] for each in moved] == [
        each["content"].partition(" <@")[0] for each in original
    ]
    assert [each["id"] for each in moved] == [each["id"] for each in original]
    by_text = {each["content"][:3]: each for each in moved}
    assert by_text["The"] == like(pinned=True, embeds=[like(title="T")])
    assert by_text["The"]["reactions"] == [like(count=1, emoji=like(name="👍"))]
    assert by_text["yes"] == like(type=19, attachments=[like(filename="a.png")])
    assert by_text["yes"]["referenced_message"]["id"] == by_text["The"]["id"]
    assert by_text["yes"]["author"]["id"] not in {(await world.person("bob")).id}

    roles = {each["name"]: each for each in await owner.rest.get(f"/guilds/{done.guild_id}/roles")}
    assert roles["Staff"]["color"] == 0x123456
    overwrites = {each["id"]: each for each in channels["staff"]["permission_overwrites"]}
    assert overwrites[str(done.guild_id)]["deny"] == HIDDEN
    assert overwrites[roles["Staff"]["id"]]["allow"] == HIDDEN
    assert by_text["yes"]["author"]["id"] in overwrites
    assert await texts(owner.rest, Guild(str(done.guild_id), owner), content="weaves") == [
        "The engine weaves"
    ]
    again = await mover.run()
    assert (again.totals.messages, again.authors, again.channels) == (0, 0, 0)
    assert again.totals.existing == done.totals.messages


async def test_archive_has_no_private_data(world: World, mover: Mover) -> None:
    guild = await scene(world)
    await mover.export(guild)
    data = mover.path.read_bytes()
    for person in [await world.person(name) for name in ("ada", "bob", "carol")]:
        assert person.email.encode() not in data
    assert b"password" not in data


async def test_archive_that_is_cut_short_is_refused_before_anything_is_written(
    world: World, mover: Mover
) -> None:
    guild = await scene(world)
    await mover.export(guild)
    whole = mover.path.read_bytes()
    owner = await world.person("owner")
    for size in (0, 700, len(whole) // 2, len(whole) - 1024):
        mover.path.write_bytes(whole[:size])
        with pytest.raises(TransferError):
            await mover.run(owner)
    assert await owner.rest.get("/users/@me/guilds") == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (lambda lines: lines[0].update(version=2), "reads version 1"),
        (lambda lines: lines[0].update(format="x"), "not an archive of `chatd export guild`"),
        (lambda lines: lines.pop(1), "the guild does not come first"),
        (lambda lines: lines[1].update(id="x"), "line 2: it has no id"),
        (lambda lines: lines.pop(), "has no end line"),
    ],
    ids=["version", "format", "no guild", "id", "no end"],
)
async def test_wrong_archives_are_refused(
    world: World, mover: Mover, change: Any, error: str
) -> None:
    await mover.export(await world.guild(owner="ada"))
    lines = mover.read()
    change(lines)
    mover.write(lines)
    with pytest.raises(TransferError, match=error):
        await mover.run(await world.person("owner"))


async def test_faulty_lines_are_left_out_with_a_line(world: World, mover: Mover) -> None:
    guild = await scene(world)
    await mover.export(guild)
    lines = mover.read()
    at = next(n for n, line in enumerate(lines) if line["type"] == "message")
    good = lines[at]
    lines[at:at] = [
        {**good, "id": "0"},
        {**good, "id": str(int(good["id"]) + 1), "author_id": "7"},
        {**good, "id": str(2**62)},
        {**good, "id": str(int(good["id"]) + 2), "channel_id": "7"},
        {**good, "id": str(int(good["id"]) + 3), "content": 5, "embeds": [{"x": 1}], "flags": "y"},
        {"type": "poll"},
    ]
    mover.write(lines)
    done = await mover.run(await world.person("owner"))
    texts_of = [line.partition(": ")[2].partition(": ")[2] for line in mover.lines]
    assert texts_of == [
        "it has no id; it is left out",
        "its author has no line before it; it is left out",
        "its id is of the future; it is left out",
        "its channel is not in the archive, or was deleted here; left out",
        "an embed is not valid, and is left out",
        "the type 'poll' is not known, and is left out",
        "the file of the attachment 'a.png' is not in the archive",
    ]
    assert done.totals.messages == 4


def test_member_with_another_name_is_refused(tmp_path: Path) -> None:
    from chatd.transfer.guild.archive import GuildArchive

    target = io.BytesIO()
    writer = TarWriter(target, mtime=0)
    writer.add("../../etc/passwd", b"x")
    writer.close()
    path = tmp_path / "x.tar"
    path.write_bytes(target.getvalue())
    with pytest.raises(TransferError, match="unknown member"):
        GuildArchive(path)


@pytest.mark.parametrize("deleted", [False, True], ids=["webhook", "deleted webhook"])
async def test_imported_account_owns_no_messages_of_a_webhook(
    world: World, server: Server, mover: Mover, *, deleted: bool
) -> None:
    guild = await world.guild(owner="ada")
    ada = guild.owner.rest
    path = f"/channels/{guild.general.id}"
    hook = await ada.post(f"{path}/webhooks", {"name": "hook"})
    hook_path = f"/webhooks/{hook['id']}/{hook['token']}"
    sent = await ada.post(f"{hook_path}?wait=true", {"content": "of the webhook"})
    await mover.export(guild)
    mover.write([{**line, "bot": False} for line in mover.read()])
    if deleted:
        await ada.delete(f"/webhooks/{hook['id']}")
    await mover.run(await world.person("owner"))

    deps = server.runner.app[DEPENDENCIES]
    if not deleted:
        with pytest.raises(UnknownUser):
            await claims.create_code(deps, UserId(int(hook["id"])), lifetime_s=60)
        return
    code = (await claims.create_code(deps, UserId(int(hook["id"])), lifetime_s=60)).code
    email = f"{hook['id']}@example.org"
    body = {"username": "mallory", "email": email, "password": PASSWORD, "invitation": code}
    answer = await world.anonymous.call("POST", "/auth/register", body)
    mallory = Rest(world.http, world.url, answer.json["access_token"])
    invite = await ada.post(f"{path}/invites")
    await mallory.post(f"/invites/{invite['code']}")
    message = f"{path}/messages/{sent['id']}"
    assert (await mallory.call("PATCH", message, {"content": "forged"})).status == 403
    assert (await mallory.call("DELETE", message)).status == 403


async def test_lines_that_repeat_an_id_are_left_out(world: World, mover: Mover) -> None:
    guild = await scene(world)
    await mover.export(guild)
    [header, *lines] = mover.read()
    kinds = ("role", "channel", "member", "message")
    twice = [each for line in lines for each in [line] * (1 + (line["type"] in kinds))]
    twice = [{**line, "position": 0} if line["type"] == "role" else line for line in twice]
    mover.write([{**header, "origin": "https://example.org\0"}, *twice])
    owner = await world.person("owner")
    done = await mover.run(owner)
    once = "a line before it has its id; it is left out"
    count = sum(line["type"] in ("role", "channel") for line in lines)
    assert [line.endswith(once) for line in mover.lines if "in the archive" not in line] == [
        True
    ] * count
    roles = await owner.rest.get(f"/guilds/{done.guild_id}/roles")
    assert sorted(each["position"] for each in roles) == [0, 1]


async def test_archive_is_not_added_to_the_guild_of_another_owner(
    world: World, mover: Mover
) -> None:
    guild = await scene(world)
    await mover.export(guild)
    ada, eve = await world.people("ada", "eve")
    await mover.run(ada)
    with pytest.raises(TransferError, match="has another owner"):
        await mover.run(eve)
    assert (await mover.run(ada)).totals.messages == 0
