"""Products of two limits: each is bounded, and requests over the bound get Discord's error code."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from chatd.services import guild_snapshot
from chatd.services.access import overwrites
from chatd.services.accounts import accounts, applications
from chatd.services.guilds import channels, guilds, invites, roles
from chatd.services.messages import pins, reactions
from tests.helpers.roles import create_role
from tests.world import PASSWORD, Answer, Guild, World

Way = Callable[[Guild], Awaitable[Answer]]


def post(path: str, body: Any = None, method: str = "POST") -> Way:
    """Send a request of the owner; the path is completed with the ids of its guild."""

    async def way(guild: Guild) -> Answer:
        ids = {"guild": guild.id, "channel": guild.general.id}
        return await guild.owner.rest.call(method, path.format(**ids), body)

    return way


async def react(guild: Guild) -> Answer:
    path = f"/channels/{guild.general.id}/messages"
    sent = await guild.owner.rest.post(path, {"content": "hi"})
    where = f"{path}/{sent['id']}/reactions"
    await guild.owner.rest.put(f"{where}/%F0%9F%91%8D/@me")
    return await guild.owner.rest.call("PUT", f"{where}/%F0%9F%94%A5/@me")


async def pin(guild: Guild) -> Answer:
    path = f"/channels/{guild.general.id}"
    answer = Answer(0, {}, b"")
    for _ in range(2):
        sent = await guild.owner.rest.post(f"{path}/messages", {"content": "hi"})
        answer = await guild.owner.rest.call("PUT", f"{path}/pins/{sent['id']}")
    return answer


async def overwrite(guild: Guild) -> Answer:
    path = f"/channels/{guild.general.id}/permissions"
    await guild.owner.rest.put(f"{path}/{guild.id}", {"type": 0})
    return await guild.owner.rest.call("PUT", f"{path}/{guild.owner.id}", {"type": 1})


async def invite(guild: Guild) -> Answer:
    await guild.invite()
    path = f"/channels/{guild.general.id}/invites"
    return await guild.owner.rest.call("POST", path, {"unique": True})


async def application(guild: Guild) -> Answer:
    await guild.owner.rest.post("/applications", {"name": f"first {guild.id}"[:32]})
    return await guild.owner.rest.call("POST", "/applications", {"name": "second one"})


@pytest.mark.parametrize(
    ("bound", "way", "code"),
    [
        ((guilds, "MAX_GUILDS"), post("/guilds", {"name": "another"}), 30001),
        ((channels, "MAX_CHANNELS"), post("/guilds/{guild}/channels", {"name": "another"}), 30013),
        ((roles, "MAX_ROLES"), post("/guilds/{guild}/roles", {"name": "another"}), 30005),
        ((overwrites, "MAX_OVERWRITES"), overwrite, 30060),
        ((overwrites, "MAX_IN_GUILD"), overwrite, 30060),
        ((invites, "MAX_INVITES"), invite, 30016),
        ((pins, "MAX_PINS"), pin, 30003),
        ((reactions, "MAX_EMOJIS"), react, 30010),
        ((applications, "MAX_APPLICATIONS"), application, 0),
    ],
)
async def test_one_object_over_the_limit_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, bound: tuple[Any, str], way: Way, code: int
) -> None:
    guild = await world.guild(owner="alice")
    monkeypatch.setattr(*bound, 1)
    answer = await way(guild)
    assert (answer.status, answer.code) == (400, code)
    assert re.search("[Mm]aximum", answer.json["message"])


async def test_lists_in_one_request_are_bounded(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    ids = [str(number) for number in range(1001)]
    places = [{"id": each, "position": 1} for each in ids]
    wanted = [{"id": each, "type": 0} for each in ids]
    for method, path, body in (
        ("PATCH", f"/guilds/{guild.id}/roles", places),
        ("PATCH", f"/guilds/{guild.id}/channels", places),
        ("POST", f"/guilds/{guild.id}/channels", {"name": "x", "permission_overwrites": wanted}),
        ("PATCH", f"/channels/{guild.general.id}", {"permission_overwrites": wanted}),
        ("POST", f"/channels/{guild.general.id}/messages/bulk-delete", {"messages": ids}),
        ("POST", f"/guilds/{guild.id}/bulk-ban", {"user_ids": ids}),
    ):
        answer = await guild.owner.rest.call(method, path, body)
        assert answer.status == 400, (method, path)
        assert len(answer.raw) < 16_384


async def test_new_login_over_the_limit_ends_the_least_recently_used(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "MAX_LOGINS", 3)
    bob = await world.person("bob")
    bystander = await world.person("carol")
    body = {"email": bob.email, "password": PASSWORD}
    tokens = [bob.token]
    for _ in range(3):
        tokens.append((await world.anonymous.post("/auth/login", body))["access_token"])
    answers = []
    for each in tokens:
        headers = {"Authorization": f"Bearer {each}"}
        answers.append((await world.anonymous.call("GET", "/users/@me", headers=headers)).status)
    assert answers == [401, 200, 200, 200]
    await bystander.rest.get("/users/@me")


async def test_reordering_all_roles_writes_each_role_once(world: World) -> None:
    guild = await world.guild(owner="alice")
    other = await world.guild(owner="alice")
    ids = [await create_role(guild, f"role {number}") for number in range(5)]
    theirs = await create_role(other, "role")
    [client] = await world.online("alice")
    moves = [{"id": each, "position": 5 - place} for place, each in enumerate(ids)]
    listed = await guild.owner.rest.patch(f"/guilds/{guild.id}/roles", moves)
    assert [each["id"] for each in listed[1:]] == ids[::-1]
    received = await client.received_before_fence()
    updates = [each.d["role"] for each in received if each.t == "GUILD_ROLE_UPDATE"]
    entries = [each.d for each in received if each.t == "GUILD_AUDIT_LOG_ENTRY_CREATE"]
    places = {move["id"]: move["position"] for move in moves}
    changed = {each: place for each, place in places.items() if place != 1}
    assert {each["id"]: each["position"] for each in updates} == changed
    assert {each["target_id"]: each["changes"] for each in entries} == {
        each: [{"key": "position", "old_value": 1, "new_value": place}]
        for each, place in changed.items()
    }
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?action_type=31")
    assert len(log["audit_log_entries"]) == len(changed)
    [_, untouched] = await other.owner.rest.get(f"/guilds/{other.id}/roles")
    assert (untouched["id"], untouched["position"]) == (theirs, 1)


async def test_read_states_are_read_in_batches(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guild_snapshot, "MAX_PART_SIZE", 1)
    found = [await world.guild(owner="alice", members=["bob"]) for _ in range(3)]
    hidden = [{"id": found[0].id, "type": 0, "deny": "1024"}]
    await found[0].channel("staff", permission_overwrites=hidden)
    await found[1].channel("category", type=4)
    bob = await world.person("bob")
    for guild in found:
        path = f"/channels/{guild.general.id}/messages"
        await guild.owner.rest.post(path, {"content": f"<@{bob.id}>"})
    states = await bob.rest.get("/users/@me/read-states")
    assert {each["id"] for each in states} == {guild.general.id for guild in found}
    assert {(each["unread_count"], each["mention_count"]) for each in states} == {(1, 1)}
    newcomer = await world.person("dave")
    assert await newcomer.rest.get("/users/@me/read-states") == []
