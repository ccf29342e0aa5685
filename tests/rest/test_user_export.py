"""Exports of one's own account: everything of it, nothing of others, and no secret."""

from __future__ import annotations

import asyncio
import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from typing import Any

import psycopg2
import pytest

from chatd.core.ids import UserId
from chatd.core.permissions import Permissions
from chatd.queries import account_rows, user_exports
from chatd.services.accounts.data_export import DataExport
from chatd.services.maintenance import user_exports as maker
from chatd.storage.base import StoredFileMissing
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.attachments import download, message_form, png_bytes, send_form
from tests.helpers.crowded_scene import rows as statement
from tests.world import PASSWORD, Rest, World, like

PATH = "/users/@me/export"


async def finished(rest: Rest, server: Server) -> Any:
    """Return the state of an export when it has ended. The server's own task may make it."""
    deps = server.runner.app[DEPENDENCIES]
    async with asyncio.timeout(120):
        while (state := await rest.get(PATH))["state"] == "pending":
            if not await maker.make_next(deps):
                await asyncio.sleep(0.05)
    return state


def rows(archive: zipfile.ZipFile, table: str) -> list[Any]:
    return [json.loads(line) for line in archive.read(f"data/{table}.jsonl").splitlines()]


async def test_export_has_everything_of_the_account_and_nothing_of_others(
    world: World, server: Server
) -> None:
    guild = await world.guild(owner="ada", members=["bob"])
    ada, bob = world.rest("ada"), world.rest("bob")
    path = f"/channels/{guild.general.id}/messages"
    form = message_form({"content": "of ada"}, ("picture.png", png_bytes()))
    message = (await send_form(ada, path, form)).json
    await bob.post(path, {"content": "of bob"})
    await ada.put(f"{path}/{message['id']}/reactions/👍/@me")
    await ada.put(f"/users/@me/notes/{(await world.person('bob')).id}", {"note": "a note"})

    created = await ada.call("POST", PATH)
    assert (created.status, created.json) == (202, like(state="pending", url=None, size=None))
    ready = await finished(ada, server)
    assert ready == like(id=created.json["id"], state="ready")
    answer = await download(world, ready["url"])
    assert answer.status == 200
    assert len(answer.raw) == ready["size"]
    archive = zipfile.ZipFile(io.BytesIO(answer.raw))
    assert archive.testzip() is None
    own = await world.person("ada")
    assert rows(archive, "users") == [like(id=int(own.id), email=own.email)]
    assert [each["content"] for each in rows(archive, "messages")] == ["of ada"]
    assert [each["emoji"] for each in rows(archive, "reactions")] == ["👍"]
    assert [each["note"] for each in rows(archive, "user_notes")] == ["a note"]
    assert [each["id"] for each in rows(archive, "guilds")] == [int(guild.id)]
    [file] = message["attachments"]
    assert archive.read(f"files/attachments/{file['id']}") == png_bytes()
    everything = b"".join(archive.read(name) for name in archive.namelist())
    for secret in (PASSWORD, "of bob", "password_hash", own.token, own.refresh_token):
        assert secret.encode() not in everything


async def test_export_has_nothing_that_others_wrote_for_moderators(
    world: World, server: Server
) -> None:
    guild = await world.guild(owner="ada", members=["bob"])
    ada, bob, bob_id = world.rest("ada"), world.rest("bob"), (await world.person("bob")).id
    rights = str((Permissions.MANAGE_GUILD | Permissions.MANAGE_WEBHOOKS).value)
    role = await ada.post(f"/guilds/{guild.id}/roles", {"name": "mod", "permissions": rights})
    await ada.put(f"/guilds/{guild.id}/members/{bob_id}/roles/{role['id']}")
    rules = f"/guilds/{guild.id}/auto-moderation/rules"
    rule = {"event_type": 1, "trigger_type": 1, "actions": [{"type": 1}], "name": "rule"}
    made = await bob.post(rules, {**rule, "trigger_metadata": {"keyword_filter": ["old"]}})
    hook = await bob.post(f"/channels/{guild.general.id}/webhooks", {"name": "hook"})
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute("INSERT INTO bans VALUES (%s, %s, 'hidden of reason')", (guild.id, bob_id))
    await ada.patch(
        f"{rules}/{made['id']}", {"trigger_metadata": {"keyword_filter": ["hidden of rule"]}}
    )
    await ada.patch(f"/webhooks/{hook['id']}", {"name": "hidden of hook"})

    await bob.call("POST", PATH)
    ready = await finished(bob, server)
    archive = zipfile.ZipFile(io.BytesIO((await download(world, ready["url"])).raw))
    for table in ("bans", "webhooks", "auto_moderation_rules"):
        assert len(rows(archive, table)) == 1
    everything = b"".join(archive.read(name) for name in archive.namelist())
    assert b"hidden of" not in everything


async def test_file_that_is_deleted_while_it_is_read_ends_early(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild = await world.guild(owner="ada")
    form = message_form({"content": "text"}, ("picture.png", png_bytes()))
    await send_form(guild.owner.rest, f"/channels/{guild.general.id}/messages", form)
    deps = server.runner.app[DEPENDENCIES]
    ticks: list[int] = []

    async def cut_short(*_: object) -> AsyncIterator[bytes]:
        yield b"part"
        ticks.clear()
        yield b"part"
        assert ticks  # so the lease is extended within a file
        raise StoredFileMissing

    async def tick() -> None:
        ticks.append(1)

    monkeypatch.setattr(deps.storage, "read", cut_short)
    export = DataExport(deps.database, deps.storage, deps.media_threads, tick=tick)
    data = b"".join([part async for part in export.chunks(UserId(int(guild.owner.id)))])
    archive = zipfile.ZipFile(io.BytesIO(data))
    assert archive.testzip() is None
    assert (export.done.files, export.done.missing_files) == (0, 1)


async def test_rows_beyond_one_statement_are_exported(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is exported once, also where the place of a row in its page gets one more digit."""
    monkeypatch.setattr(account_rows, "ROWS", 7)
    monkeypatch.setattr(account_rows, "PAGES", 1)
    guild = await world.guild(owner="ada")
    await statement(
        server,
        """
        INSERT INTO messages (channel_id, id, author_id, content)
        SELECT %(channel)s, %(channel)s + n, %(author)s, n::text FROM generate_series(1, 400) AS n
        """,
        channel=int(guild.general.id),
        author=int(guild.owner.id),
    )
    await guild.owner.rest.call("POST", PATH)
    ready = await finished(guild.owner.rest, server)
    archive = zipfile.ZipFile(io.BytesIO((await download(world, ready["url"])).raw))
    exported = sorted(int(each["content"]) for each in rows(archive, "messages"))
    assert exported == list(range(1, 401))


async def test_one_export_a_day(world: World, server: Server) -> None:
    ada = (await world.person("ada")).rest
    assert (await ada.call("GET", PATH)).status == 404
    await ada.call("POST", PATH)
    again = await ada.call("POST", PATH)
    assert again.status == 429
    assert 86_000 < again.json["retry_after"] <= 86_400
    await finished(ada, server)
    assert (await ada.call("POST", PATH)).status == 429
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute("UPDATE user_exports SET requested_at = now() - interval '25 hours'")
    first = await ada.get(PATH)
    second = await ada.call("POST", PATH)
    assert second.status == 202
    assert second.json["id"] != first["id"]
    assert (await download(world, first["url"])).status == 404  # replaced


@pytest.mark.parametrize(
    "change",
    [
        lambda url: re.sub(r"ex=\w+", "ex=7fffffff", url),
        lambda url: re.sub(r"hm=\w+", "hm=00", url),
        lambda url: re.sub(r"exports/\d+", "exports/1", url),
        lambda url: url.partition("?")[0],
    ],
    ids=["time", "signature", "id", "unsigned"],
)
async def test_forged_links_are_refused(world: World, server: Server, change: Any) -> None:
    ada = (await world.person("ada")).rest
    await ada.call("POST", PATH)
    url = (await finished(ada, server))["url"]
    assert (await download(world, change(url))).status in (400, 404)


async def test_export_ends_with_the_account(world: World, server: Server) -> None:
    person = await world.person("mallory")
    await person.rest.call("POST", PATH)
    url = (await finished(person.rest, server))["url"]
    await person.rest.post("/users/@me/delete", {"password": PASSWORD})
    assert (await download(world, url)).status == 404


async def test_bots_have_no_export(world: World) -> None:
    guild = await world.guild(owner="ada")
    bot = await world.bot("helper", "ada", guild)
    assert (await bot.rest.call("POST", PATH)).status == 403


async def test_export_fails_after_some_attempts_and_may_be_repeated(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    deps = server.runner.app[DEPENDENCIES]
    ada = await world.person("ada")

    async def broken(*_: object, **__: object) -> list[str]:
        raise ConnectionError("the test breaks it")

    with monkeypatch.context() as patched:
        patched.setattr(account_rows, "read", broken)
        patched.setattr(deps.exports_due, "set", lambda: None)
        await ada.rest.call("POST", PATH)
        for _ in range(3):
            with pytest.raises(ConnectionError):
                await maker.make_next(deps)
            with psycopg2.connect(server.config.database_url) as db, db.cursor() as cur:
                cur.execute("UPDATE user_exports SET due_at = now() WHERE due_at IS NOT NULL")
        assert not await maker.make_next(deps)
    assert (await ada.rest.get(PATH))["state"] == "failed"
    assert (await ada.rest.call("POST", PATH)).status == 202
    assert (await finished(ada.rest, server))["state"] == "ready"


def test_every_table_with_rows_of_accounts_is_exported_or_left_out(server: Server) -> None:
    """A new table of accounts goes into TABLES or LEFT_OUT of chatd/queries/account_rows.py."""
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(
            r"""
            SELECT DISTINCT table_name::text FROM information_schema.columns
             WHERE table_schema = current_schema()
               AND (column_name ~ '^(user|author|owner|creator|inviter|reporter|actor|member)_id$'
                    OR column_name IN ('created_by', 'added_by', 'low'))
            """
        )
        named = {row[0] for row in cur.fetchall()}
        cur.execute(
            """
            SELECT DISTINCT conrelid::regclass::text FROM pg_constraint
             WHERE contype = 'f' AND confrelid = 'users'::regclass
            """
        )
        named |= {row[0] for row in cur.fetchall()}
    known = account_rows.TABLES.keys() | account_rows.LEFT_OUT.keys()
    assert named <= known
    assert not account_rows.TABLES.keys() & account_rows.LEFT_OUT.keys()


async def test_expired_exports_are_deleted_with_their_files(world: World, server: Server) -> None:
    ada = await world.person("ada")
    await ada.rest.call("POST", PATH)
    ready = await finished(ada.rest, server)
    deps = server.runner.app[DEPENDENCIES]
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(
            "UPDATE user_exports SET requested_at = now() - interval '8 days' WHERE id = %s",
            (ready["id"],),
        )
    async with deps.database.cursor() as own:
        assert await user_exports.delete_expired(own, limit=9) == 1
        await own.execute(
            "SELECT FROM doomed_files WHERE key = %(key)s", {"key": f"exports/{ready['id']}"}
        )
        assert own.rowcount == 1
        assert await user_exports.get(own, UserId(int(ada.id))) is None
