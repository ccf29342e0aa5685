"""Invites: creating, showing, accepting and deleting them."""

from __future__ import annotations

import asyncio

import pytest

from tests.world import World, like


async def test_invite_is_public(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    made = await world.rest("bob").post(
        f"/channels/{guild.general.id}/invites", {"max_age": 60, "max_uses": 5}
    )
    assert made == like(max_age=60, max_uses=5, uses=0, temporary=False)
    assert made["inviter"]["id"] == (await world.person("bob")).id
    shown = await world.anonymous.get(f"/invites/{made['code']}?with_counts=1")
    assert shown == like(code=made["code"], approximate_member_count=2, type=0)
    assert shown["guild"] == like(id=guild.id, name="alice's guild")
    assert shown["channel"] == {"id": guild.general.id, "name": "general", "type": 0}
    assert "uses" not in shown


@pytest.mark.parametrize(
    ("max_age", "max_uses"), [("1800", "5"), ("0", 0), ("5184000", "100"), (5184000, "0")]
)
async def test_numbers_of_an_invite_may_be_digits(
    world: World, max_age: int | str, max_uses: int | str
) -> None:
    guild = await world.guild(owner="alice")
    made = await guild.owner.rest.post(
        f"/channels/{guild.general.id}/invites", {"max_age": max_age, "max_uses": max_uses}
    )
    assert made == like(max_age=int(max_age), max_uses=int(max_uses))


@pytest.mark.parametrize(
    "max_age", ["", "5184001", 5184001, "-1", "1.0", "１", "1_0", " 1", "9" * 30]
)
async def test_other_numbers_of_an_invite_are_refused(world: World, max_age: int | str) -> None:
    guild = await world.guild(owner="alice")
    answer = await guild.owner.rest.call(
        "POST", f"/channels/{guild.general.id}/invites", {"max_age": max_age}
    )
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {"max_age"}


async def test_invite_is_accepted(world: World) -> None:
    guild = await world.guild(owner="alice")
    carol = await world.person("carol")
    alice_client, carol_client = await world.online("alice", "carol")
    code = await guild.invite()
    joined = await carol.rest.post(f"/invites/{code}")
    assert joined["guild"]["id"] == guild.id
    added = (await alice_client.next("GUILD_MEMBER_ADD")).d
    assert added == like(guild_id=guild.id, roles=[])
    assert added["user"]["id"] == carol.id
    created = (await carol_client.next("GUILD_CREATE")).d
    assert created == like(id=guild.id, member_count=2)
    assert "unavailable" not in created
    await world.rest("alice").post(f"/channels/{guild.general.id}/messages", {"content": "hi"})
    assert (await carol_client.next("MESSAGE_CREATE")).d["content"] == "hi"


async def test_accepting_as_a_member_consumes_no_use(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    code = await guild.invite(max_uses=1)
    [client] = await world.online("alice")
    await world.rest("bob").post(f"/invites/{code}")
    assert await client.received_before_fence() == []
    carol = await world.person("carol")
    await carol.rest.post(f"/invites/{code}")


async def test_concurrent_joins_do_not_exceed_the_uses(world: World) -> None:
    guild = await world.guild(owner="alice")
    people = await world.people("bob", "carol", "dave", "erin", "frank")
    code = await guild.invite(max_uses=2)
    answers = await asyncio.gather(
        *(person.rest.call("POST", f"/invites/{code}") for person in people)
    )
    assert sorted(answer.status for answer in answers) == [200, 200, 404, 404, 404]
    assert {answer.code for answer in answers if answer.status == 404} == {10006}
    members = await world.rest("alice").get(f"/guilds/{guild.id}/members?limit=10")
    assert len(members) == 3


async def test_invite_expires(world: World) -> None:
    guild = await world.guild(owner="alice")
    code = await guild.invite(max_age=1)
    async with asyncio.timeout(60):
        while (await world.anonymous.call("GET", f"/invites/{code}")).status == 200:
            await asyncio.sleep(0.1)
    bob = await world.person("bob")
    answer = await bob.rest.call("POST", f"/invites/{code}")
    assert (answer.status, answer.code) == (404, 10006)


async def test_same_options_return_the_same_invite_unless_unique(world: World) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/invites"
    rest = world.rest("alice")
    first = await rest.post(path, {"max_age": 600})
    assert (await rest.post(path, {"max_age": 600}))["code"] == first["code"]
    assert (await rest.post(path, {"max_age": 601}))["code"] != first["code"]
    assert (await rest.post(path, {"max_age": 600, "unique": True}))["code"] != first["code"]


async def test_managers_list_the_active_invites(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    codes = {await guild.invite(), await guild.invite(max_uses=3)}
    listed = await world.rest("alice").get(f"/channels/{guild.general.id}/invites")
    assert codes <= {invite["code"] for invite in listed}
    assert all("uses" in invite for invite in listed)
    refused = await world.rest("bob").call("GET", f"/channels/{guild.general.id}/invites")
    assert (refused.status, refused.code) == (403, 50013)


async def test_managers_list_the_invites_to_all_channels(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    side = await guild.channel("side")
    code = await guild.invite()
    elsewhere = await guild.owner.rest.post(f"/channels/{side.id}/invites", {})
    expired = await guild.invite(max_uses=1)
    await (await world.person("carol")).rest.post(f"/invites/{expired}")
    listed = await guild.owner.rest.get(f"/guilds/{guild.id}/invites")
    assert listed[:2] == [elsewhere, like(code=code, uses=0)]
    assert expired not in {invite["code"] for invite in listed}


async def test_invite_events_are_sent_to_managers_only(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice_client, bob_client = await world.online("alice", "bob")
    code = await guild.invite()
    made = (await alice_client.next("INVITE_CREATE")).d
    assert made == like(code=code, channel_id=guild.general.id, guild_id=guild.id, uses=0)
    await world.rest("alice").delete(f"/invites/{code}")
    gone = (await alice_client.next("INVITE_DELETE")).d
    assert gone == {"code": code, "channel_id": guild.general.id, "guild_id": guild.id}
    assert await bob_client.received_before_fence() == []


async def test_invite_is_deleted(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    path = f"/channels/{guild.general.id}/invites"
    code = (await world.rest("bob").post(path, {}))["code"]
    refused = await world.rest("carol").call("DELETE", f"/invites/{code}")
    assert (refused.status, refused.code) == (403, 50013)
    assert (await world.rest("bob").delete(f"/invites/{code}"))["code"] == code
    answer = await world.anonymous.call("GET", f"/invites/{code}")
    assert (answer.status, answer.code) == (404, 10006)


async def test_invite_is_deleted_with_its_channel(world: World) -> None:
    guild = await world.guild(owner="alice")
    channel = await guild.channel("door")
    code = (await world.rest("alice").post(f"/channels/{channel.id}/invites", {}))["code"]
    await world.rest("alice").delete(f"/channels/{channel.id}")
    assert (await world.anonymous.call("GET", f"/invites/{code}")).code == 10006


async def test_outsider_cannot_invite(world: World) -> None:
    guild = await world.guild(owner="alice")
    carol = await world.person("carol")
    answer = await carol.rest.call("POST", f"/channels/{guild.general.id}/invites", {})
    assert (answer.status, answer.code) == (403, 50001)


@pytest.mark.parametrize(
    ("field", "value"),
    [("max_age", -1), ("max_age", 5184001), ("max_uses", 101), ("unique", 1), ("temporary", "no")],
)
async def test_invalid_options_are_named(world: World, field: str, value: object) -> None:
    guild = await world.guild(owner="alice")
    path = f"/channels/{guild.general.id}/invites"
    answer = await world.rest("alice").call("POST", path, {field: value})
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.json["errors"].keys() == {field}


@pytest.mark.parametrize("code", ["nope", "a%00b", "x" * 100, "ä", "a%2Fb"])
async def test_unknown_code_is_refused(world: World, code: str) -> None:
    answer = await world.anonymous.call("GET", f"/invites/{code}")
    assert answer.status == 404
