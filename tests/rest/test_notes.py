"""Notes about other users, which only their author ever sees."""

from __future__ import annotations

import psycopg2
import pytest

from chatd.services.accounts import notes
from tests.conftest import Server
from tests.helpers.user_clients import DISCORD_PY_SELF, SELFBOT, connect
from tests.world import PASSWORD, World

PATH = "/users/@me/notes"


async def test_note_is_set_changed_and_deleted(world: World) -> None:
    alice, bob, carol = await world.people("alice", "bob", "carol")
    assert await alice.rest.get(PATH) == {}
    assert (await alice.rest.call("GET", f"{PATH}/{bob.id}")).code == 10013
    for text in ("owes me a coffee", "x" * 256):
        await alice.rest.put(f"{PATH}/{bob.id}", {"note": text})
        assert await alice.rest.get(f"{PATH}/{bob.id}") == {
            "note": text,
            "note_user_id": bob.id,
            "user_id": alice.id,
        }
    await alice.rest.put(f"{PATH}/{carol.id}", {"note": "second"})
    assert await alice.rest.get(PATH) == {bob.id: "x" * 256, carol.id: "second"}
    await alice.rest.put(f"{PATH}/{bob.id}", {"note": ""})
    await alice.rest.put(f"{PATH}/{carol.id}", {"note": None})
    assert await alice.rest.get(PATH) == {}


async def test_only_sessions_of_the_author_get_the_note(world: World) -> None:
    await world.guild("alice", ["bob"])
    alice, bob = await world.people("alice", "bob")
    phone, laptop, other = await world.online("alice", "alice", "bob")
    for text in ("first", ""):
        await alice.rest.put(f"{PATH}/{bob.id}", {"note": text})
        for client in (phone, laptop):
            assert (await client.next("USER_NOTE_UPDATE")).d == {"id": bob.id, "note": text}
    await alice.rest.put(f"{PATH}/{bob.id}", {"note": ""})  # there is none
    assert await phone.received_before_fence() == []
    assert await other.received_before_fence() == []
    await alice.rest.put(f"{PATH}/{bob.id}", {"note": "secret"})
    assert await bob.rest.get(PATH) == {}
    assert "secret" not in str(await bob.rest.get(f"/users/{bob.id}/profile"))


async def test_note_needs_a_user_and_a_bound(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    assert (await alice.rest.call("PUT", f"{PATH}/1", {"note": "x"})).code == 10013
    for note in ("x" * 257, 5, "a\0b"):
        answer = await alice.rest.call("PUT", f"{PATH}/{bob.id}", {"note": note})
        assert (answer.status, answer.code) == (400, 50035)


async def test_number_of_notes_is_bounded(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "MAX_NOTES", 1)
    alice, bob, carol = await world.people("alice", "bob", "carol")
    await alice.rest.put(f"{PATH}/{bob.id}", {"note": "x"})
    answer = await alice.rest.call("PUT", f"{PATH}/{carol.id}", {"note": "x"})
    assert (answer.status, answer.code) == (400, 50035)
    await alice.rest.put(f"{PATH}/{bob.id}", {"note": "changed"})
    await alice.rest.put(f"{PATH}/{bob.id}", {"note": ""})
    await alice.rest.put(f"{PATH}/{carol.id}", {"note": "x"})


async def test_notes_of_a_deleted_account_are_deleted(world: World, server: Server) -> None:
    alice, bob = await world.people("alice", "bob")
    await alice.rest.put(f"{PATH}/{bob.id}", {"note": "x"})
    await bob.rest.put(f"{PATH}/{alice.id}", {"note": "y"})
    await alice.rest.call("DELETE", "/users/@me", {"password": PASSWORD})
    with psycopg2.connect(server.config.database_url) as database, database.cursor() as cur:
        cur.execute("SELECT FROM user_notes WHERE user_id = %s", [alice.id])
        assert cur.fetchall() == []
    database.close()
    assert await bob.rest.get(PATH) == {alice.id: "y"}


async def test_ready_contains_notes_for_clients_that_do_not_load_them(world: World) -> None:
    alice, bob = await world.people("alice", "bob")
    await alice.rest.put(f"{PATH}/{bob.id}", {"note": "x"})
    client = await connect(world, "alice", SELFBOT)
    assert client.ready["notes"] == {bob.id: "x"}
    assert "notes" not in (await connect(world, "alice", DISCORD_PY_SELF)).ready
    assert (await connect(world, "bob", SELFBOT)).ready["notes"] == {}
