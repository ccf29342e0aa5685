"""Reports of messages, users and guilds, and what administrators decide about them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.core.errors import UnknownUser
from chatd.core.ids import UserId
from chatd.core.permissions import Permissions
from chatd.queries import account_rows
from chatd.services.accounts import administration
from chatd.services.safety import reports
from chatd.web.keys import DEPENDENCIES
from tests.conftest import Server
from tests.helpers.accounts import administrator
from tests.helpers.attachments import message_form, send_form
from tests.world import Person, World, like

QUEUE = "/administration/reports"


def of_message(message: Any, **more: Any) -> dict[str, Any]:
    """Return the body of a report of a message."""
    place = {"channel_id": message["channel_id"], "message_id": message["id"]}
    return {"type": "message", "category": "spam", **place, **more}


async def report(person: Person, body: dict[str, Any]) -> str:
    """Make a report; return its id."""
    return str((await person.rest.post("/reports", body))["report_id"])


async def test_evidence_outlives_the_message(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["bob", "mallory"])
    bob, mallory = await world.people("bob", "mallory")
    admin = await administrator(server, world, "admin")
    path = f"/channels/{guild.general.id}/messages"
    form = message_form({"content": "buy this"}, ("a.txt", b"x"))
    sent = (await send_form(mallory.rest, path, form)).json
    made = await report(bob, of_message(sent, comment="again"))
    await mallory.rest.patch(f"{path}/{sent['id']}", {"content": "hello"})
    await mallory.rest.delete(f"{path}/{sent['id']}")
    found = await admin.rest.get(f"{QUEUE}/{made}")
    assert found == like(
        type="message",
        subject_id=sent["id"],
        guild_id=guild.id,
        user_id=mallory.id,
        reporter_id=bob.id,
        comment="again",
        resolved_at=None,
    )
    copy = found["evidence"]["message"]
    assert copy == like(content="buy this", author=like(id=mallory.id))
    assert [(each["filename"], "url" in each) for each in copy["attachments"]] == [("a.txt", False)]
    assert found["evidence"]["guild"]["id"] == guild.id


async def test_person_has_one_open_report_of_a_subject(world: World, server: Server) -> None:
    alice, mallory = await world.people("alice", "mallory")
    admin = await administrator(server, world, "admin")
    body = {"type": "user", "category": "other", "user_id": mallory.id}
    answers = await asyncio.gather(*(alice.rest.call("POST", "/reports", body) for _ in range(4)))
    assert sorted(each.status for each in answers) == [200, 200, 200, 201]
    [made] = {each.json["report_id"] for each in answers}
    await admin.rest.post(f"{QUEUE}/{made}/resolve", {"outcome": "no_action"})
    assert await report(alice, body) != made


async def test_only_administrators_see_reports(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    made = await report(bob, {"type": "guild", "category": "illegal", "guild_id": guild.id})
    for person in (guild.owner, bob):
        for method, path, body in (
            ("GET", QUEUE, None),
            ("GET", f"{QUEUE}/{made}", None),
            ("POST", f"{QUEUE}/{made}/resolve", {"outcome": "no_action"}),
        ):
            assert (await person.rest.call(method, path, body)).status == 403


async def test_what_the_caller_cannot_see_cannot_be_reported(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, stranger = await world.people("bob", "stranger")
    hidden = {"id": guild.id, "type": 0, "deny": str(Permissions.VIEW_CHANNEL.value)}
    staff = await guild.channel("staff", permission_overwrites=[hidden])
    sent = await guild.owner.rest.post(f"/channels/{staff.id}/messages", {"content": "secret"})
    elsewhere = {**sent, "channel_id": guild.general.id}
    of_guild = {"type": "guild", "category": "spam", "guild_id": guild.id}
    of_nobody = {"type": "user", "category": "spam", "user_id": "1"}
    for person, body, status in (
        (bob, of_message(sent), 403),
        (bob, of_message(elsewhere), 400),
        (stranger, of_message(sent), 403),
        (stranger, of_guild, 403),
        (stranger, of_nobody, 400),
        (stranger, {**of_nobody, "user_id": stranger.id}, 400),
    ):
        assert (await person.rest.call("POST", "/reports", body)).status == status


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"type": "message"}, "message_id"),
        ({"type": "user"}, "user_id"),
        ({"type": "guild"}, "guild_id"),
        ({"type": "server"}, "type"),
        ({"type": "user", "user_id": "1", "category": "boring"}, "category"),
        ({"type": "user", "user_id": "1", "comment": "x" * 1001}, "comment"),
    ],
)
async def test_invalid_report_is_refused(world: World, wrong: dict[str, Any], field: str) -> None:
    alice = await world.person("alice")
    answer = await alice.rest.call("POST", "/reports", {"category": "spam", **wrong})
    assert (answer.status, [*answer.json["errors"]]) == (400, [field])


async def test_person_has_a_bounded_number_of_open_reports(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "MAX_OPEN", 1)
    alice, bob, carol = await world.people("alice", "bob", "carol")
    body = {"type": "user", "category": "spam", "user_id": bob.id}
    first = await report(alice, body)
    answer = await alice.rest.call("POST", "/reports", {**body, "user_id": carol.id})
    assert (answer.status, answer.json["message"]) == (
        400,
        "Maximum number of open reports reached (100)",
    )
    assert await report(alice, body) == first


async def test_large_message_is_reported_without_its_embeds(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "_MAX_EVIDENCE_BYTES", 1000)
    guild = await world.guild(owner="alice", members=["bob"])
    bob, admin = await world.person("bob"), await administrator(server, world, "admin")
    body = {"content": "x", "embeds": [{"description": "y" * 1000}]}
    sent = await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", body)
    found = await admin.rest.get(f"{QUEUE}/{await report(bob, of_message(sent))}")
    copy = found["evidence"]["message"]
    assert copy == like(content="x", truncated=True)
    assert "embeds" not in copy


async def test_decision_deletes_the_message_for_all_its_reports(
    world: World, server: Server
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol", "mallory"])
    bob, carol, mallory = await world.people("bob", "carol", "mallory")
    admin = await administrator(server, world, "admin")
    path = f"/channels/{guild.general.id}/messages"
    sent = await mallory.rest.post(path, {"content": "buy this"})
    made = await report(bob, of_message(sent))
    other = await report(carol, of_message(sent))
    [client] = await world.online("bob")
    assert (await admin.rest.get(f"{QUEUE}/{made}"))["similar"] == 1
    decision = {"outcome": "message_deleted", "note": "advertising", "similar": True}
    done = await admin.rest.post(f"{QUEUE}/{made}/resolve", decision)
    assert done == like(outcome="message_deleted", note="advertising", resolver_id=admin.id)
    assert (await client.next("MESSAGE_DELETE")).d["id"] == sent["id"]
    assert (await admin.rest.get(f"{QUEUE}/{other}"))["outcome"] == "message_deleted"
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=72")
    assert log["audit_log_entries"][0] == like(target_id=mallory.id, user_id=None)
    again = await admin.rest.call("POST", f"{QUEUE}/{made}/resolve", decision)
    assert again.status == 400


async def test_decision_deletes_a_private_message_and_disables_its_author(
    world: World, server: Server
) -> None:
    await world.guild(owner="alice", members=["mallory"])
    alice, mallory = await world.people("alice", "mallory")
    admin = await administrator(server, world, "admin")
    dm = await mallory.rest.post("/users/@me/channels", {"recipient_id": alice.id})
    path = f"/channels/{dm['id']}/messages"
    first, second = [await mallory.rest.post(path, {"content": each}) for each in "ab"]
    [client] = await world.online("alice")
    for sent, outcome in ((first, "message_deleted"), (second, "user_disabled")):
        made = await report(alice, of_message(sent))
        await admin.rest.post(f"{QUEUE}/{made}/resolve", {"outcome": outcome})
    assert (await client.next("MESSAGE_DELETE")).d["id"] == first["id"]
    assert [each["id"] for each in await alice.rest.get(path)] == [second["id"]]
    assert (await mallory.rest.call("GET", "/users/@me")).status == 401


async def test_decision_deletes_the_guild(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, admin = await world.person("bob"), await administrator(server, world, "admin")
    made = await report(bob, {"type": "guild", "category": "hate", "guild_id": guild.id})
    path = f"{QUEUE}/{made}/resolve"
    wrong = await admin.rest.call("POST", path, {"outcome": "message_deleted"})
    assert [*wrong.json["errors"]] == ["outcome"]
    await admin.rest.post(path, {"outcome": "guild_deleted"})
    assert (await bob.rest.call("GET", f"/guilds/{guild.id}")).status == 404


async def test_report_of_an_administrator_does_not_disable_it(world: World, server: Server) -> None:
    bob, admin = await world.person("bob"), await administrator(server, world, "admin")
    other = await administrator(server, world, "other")
    made = await report(bob, {"type": "user", "category": "other", "user_id": other.id})
    path = f"{QUEUE}/{made}/resolve"
    assert (await admin.rest.call("POST", path, {"outcome": "user_disabled"})).status == 403
    assert (await admin.rest.get(f"{QUEUE}/{made}"))["outcome"] is None


@pytest.mark.expects_error_log
async def test_report_stays_open_if_its_decision_fails(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob, mallory = await world.people("bob", "mallory")
    admin = await administrator(server, world, "admin")
    made = await report(bob, {"type": "user", "category": "other", "user_id": mallory.id})
    real = administration.disable
    began, release = asyncio.Event(), asyncio.Event()

    async def fails(*_: object) -> None:
        began.set()
        await release.wait()
        raise UnknownUser

    monkeypatch.setattr(administration, "disable", fails)
    path, wanted = f"{QUEUE}/{made}/resolve", {"outcome": "user_disabled"}
    failing = asyncio.create_task(admin.rest.call("POST", path, wanted))
    await began.wait()
    assert (await admin.rest.call("POST", path, {"outcome": "no_action"})).status == 400
    release.set()
    assert (await failing).status == 404
    monkeypatch.setattr(administration, "disable", real)
    assert await admin.rest.post(path, wanted) == like(outcome="user_disabled")


async def test_queue_is_read_in_pages(world: World, server: Server) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob, admin = await world.person("bob"), await administrator(server, world, "admin")
    path = f"/channels/{guild.general.id}/messages"
    made = []
    for text in "abc":
        sent = await guild.owner.rest.post(path, {"content": text})
        made.append(await report(bob, of_message(sent)))
    await admin.rest.post(f"{QUEUE}/{made[1]}/resolve", {"outcome": "user_warned"})
    before = int(made[0]) - 1

    async def page(query: str) -> list[str]:
        return [each["id"] for each in await admin.rest.get(f"{QUEUE}?{query}")]

    assert await page(f"after={before}") == [made[0], made[2]]
    assert await page(f"after={before}&limit=2&state=all") == made[:2]
    assert await page(f"after={made[0]}&state=resolved") == [made[1]]


async def test_export_of_the_reporter_lacks_what_administrators_see(
    world: World, server: Server
) -> None:
    """The evidence has the bio of a user, which the reporter may not be allowed to see."""
    bob, mallory = await world.people("bob", "mallory")
    admin = await administrator(server, world, "admin")
    await mallory.rest.patch("/users/@me", {"bio": "only for members of my guilds"})
    made = await report(bob, {"type": "user", "category": "spam", "user_id": mallory.id})
    await admin.rest.post(f"{QUEUE}/{made}/resolve", {"outcome": "other", "note": "secret note"})
    dependencies = server.runner.app[DEPENDENCIES]
    found: list[str] = []
    async with dependencies.database.cursor() as cur:
        for page in range(await account_rows.pages(cur, "reports")):
            own, _ = await account_rows.read(
                cur, "reports", UserId(int(bob.id)), first_page=page, after=None
            )
            found += own
    assert any(made in each for each in found)
    assert not [each for each in found if "only for members" in each or "secret note" in each]
