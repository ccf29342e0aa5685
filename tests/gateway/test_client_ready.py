"""READY of clients of people: in the forms that they request by capabilities."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from chatd.core.permissions import Permissions
from chatd.gateway.lifecycle import client_ready
from chatd.services import guild_snapshot, ready_snapshot
from tests.helpers.accounts import log_in, own_hash
from tests.helpers.fleet import Fleet
from tests.helpers.user_clients import DISCORD_PY_SELF, FERMI, SELFBOT, connect
from tests.world import TIMEOUT_S, Client, Guild, World, like

ORDINARY = {
    *("v", "user", "guilds", "private_channels", "relationships", "session_id", "session_type"),
    *("resume_gateway_url", "shard", "application", "_trace"),
}
"""The keys of READY for a client that sends no capabilities."""


async def hidden_channel(guild: Guild) -> str:
    deny = {"id": guild.id, "type": 0, "deny": str(Permissions.VIEW_CHANNEL.value)}
    return (await guild.channel("hidden", permission_overwrites=[deny])).id


async def test_ready_has_the_guilds_and_refers_to_users_by_id(world: World) -> None:
    guilds = [await world.guild(owner="alice", members=["bob"]) for _ in range(2)]
    alice, bob = await world.friends("alice", "bob")
    hidden = await hidden_channel(guilds[0])
    dm = await bob.rest.post("/users/@me/channels", {"recipient_id": alice.id})
    client = await connect(world, "bob")
    ready = client.ready
    assert [each["id"] for each in ready["guilds"]] == [guild.id for guild in guilds]
    for guild, shown, members in zip(guilds, ready["guilds"], ready["merged_members"], strict=True):
        assert shown["properties"] == like(id=guild.id, owner_id=alice.id, features=["NEWS"])
        assert shown == like(member_count=2, large=False, threads=[], stickers=[], emojis=[])
        assert [each["id"] for each in shown["roles"]] == [guild.id]
        assert [each["id"] for each in shown["channels"]] == [guild.general.id]
        assert not {"members", "presences", "voice_states", "name"} & shown.keys()
        assert members == [like(user_id=bob.id, id=bob.id, guild_id=guild.id, roles=[])]
    assert hidden not in str(ready)
    assert [each["id"] for each in ready["users"]] == [alice.id]
    assert ready["relationships"] == [like(id=alice.id, user_id=alice.id, type=1)]
    assert ready["private_channels"] == [like(id=dm["id"], recipient_ids=[alice.id])]
    assert ready["user_guild_settings"] == like(entries=[], partial=False)
    assert ready["auth_session_id_hash"] == await own_hash(bob)
    assert "notes" not in ready


async def test_supplement_follows_with_an_entry_for_each_guild(world: World) -> None:
    guilds = [await world.guild(owner="alice", members=["bob"]) for _ in range(2)]
    client = await connect(world, "bob")
    supplement = (await client.next_any()).d
    assert [each["id"] for each in supplement["guilds"]] == [guild.id for guild in guilds]
    assert supplement["merged_members"] == [[], []]
    assert supplement["merged_presences"] == {"friends": [], "guilds": [[], []]}
    assert await client.received_before_fence() == []  # no GUILD_CREATE


async def test_events_after_ready_are_those_of_other_clients(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    client = await connect(world, "bob")
    await guild.owner.rest.post(f"/channels/{guild.general.id}/messages", {"content": "hi"})
    message = (await client.next("MESSAGE_CREATE")).d
    assert message == like(content="hi", member=like(id=guild.owner.id, roles=[]))


async def test_online_friends_are_in_the_supplement(world: World) -> None:
    alice, _ = await world.friends("alice", "bob")
    await world.online("alice", presence={"status": "dnd"})
    while True:  # the presence is reported soon
        client = await connect(world, "bob")
        friends = (await client.next("READY_SUPPLEMENTAL")).d["merged_presences"]["friends"]
        if friends:
            break
    assert friends == [like(user_id=alice.id, status="dnd", user={"id": alice.id})]


async def test_without_capabilities_ready_is_flat(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    await world.friends("alice", "bob")
    client = await connect(world, "bob", SELFBOT)
    ready = client.ready
    [shown] = ready["guilds"]
    assert shown == like(id=guild.id, presences=[], voice_states=[], owner_id=guild.owner.id)
    assert {each["user"]["id"] for each in shown["members"]} == {
        guild.owner.id,
        (await world.person("bob")).id,
    }
    assert ready == like(read_state=[], user_guild_settings=[], notes={}, presences=[])
    assert not {"users", "merged_members", "merged_presences"} & ready.keys()
    assert [each["user"]["id"] for each in ready["relationships"]] == [guild.owner.id]
    assert await client.received_before_fence() == []


async def test_client_of_spacebar_finds_what_it_reads(world: World) -> None:
    """Fermi reads the old settings, and the users beside their ids."""
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.friends("alice", "bob")
    await bob.rest.post("/users/@me/channels", {"recipient_id": alice.id})
    client = await connect(world, "bob", FERMI, large_threshold=100_000_000)
    ready = client.ready
    assert ready["user_settings"] == like(guild_folders=[], status="online")
    assert ready["user_guild_settings"]["entries"] == ready["read_state"]["entries"] == []
    assert [each[0]["guild_id"] for each in ready["merged_members"]] == [guild.id]
    assert ready["relationships"][0]["user"]["id"] == alice.id
    assert [each["id"] for each in ready["private_channels"][0]["recipients"]] == [alice.id]
    supplement = (await client.next("READY_SUPPLEMENTAL")).d
    assert supplement["guilds"] == [like(id=guild.id, voice_states=[])]


@pytest.mark.parametrize("is_bot", [True, False])
async def test_ready_of_other_clients_is_unchanged(world: World, is_bot: bool) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    if is_bot:
        await world.bot("robot", "alice", guild)
        client = await connect(world, "robot", DISCORD_PY_SELF, intents=0)
        assert client.ready.keys() == ORDINARY - {"relationships"}
    else:
        [client] = await world.online("bob")
        assert client.ready.keys() == ORDINARY
    assert client.ready["guilds"] == [{"id": guild.id, "unavailable": True}]


async def test_read_states_count_mentions_and_private_messages(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    alice, bob = await world.friends("alice", "bob")
    read, unread, quiet, hidden = [(await guild.channel(name)).id for name in "abcd"]
    dm = (await alice.rest.post("/users/@me/channels", {"recipient_id": bob.id}))["id"]

    async def send(channel: str, content: str = f"<@{bob.id}>") -> str:
        sent = await alice.rest.post(f"/channels/{channel}/messages", {"content": content})
        return str(sent["id"])

    seen = await send(read)
    await bob.rest.post(f"/channels/{read}/messages/{seen}/ack", {})
    for channel in (read, unread, unread, dm, dm, hidden):
        await send(channel)
    await send(quiet, "for nobody")
    deny = {"type": 0, "deny": str(Permissions.VIEW_CHANNEL.value)}
    await alice.rest.put(f"/channels/{hidden}/permissions/{guild.id}", deny)
    client = await connect(world, "bob")
    entries = {each["id"]: each for each in client.ready["read_state"]["entries"]}
    assert entries.keys() == {read, unread, dm}
    assert entries[read] == like(last_message_id=seen, mention_count=1, read_state_type=0)
    assert entries[unread] == like(last_message_id="0", mention_count=2, channel_id=unread)
    assert entries[dm] == like(last_message_id="0", mention_count=2)


async def test_guilds_that_do_not_fit_follow(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ready_snapshot, "_FEW_GUILDS", 0)
    monkeypatch.setattr(client_ready, "MAX_SIZE", 10)
    monkeypatch.setattr(guild_snapshot, "MAX_PART_SIZE", 4)
    guilds = [await world.guild(owner="alice", members=["bob"]) for _ in range(4)]
    client = await connect(world, "bob")
    inside = [each["id"] for each in client.ready["guilds"]]
    assert 0 < len(inside) < 4
    assert len(client.ready["merged_members"]) == len(inside)
    late: list[str] = []
    while len(late) < 4 - len(inside):
        created = (await client.next("GUILD_CREATE")).d
        assert created == like(unavailable=False, properties=like(id=created["id"]), large=False)
        late.append(created["id"])
    assert {*inside, *late} == {guild.id for guild in guilds}


async def test_joined_guild_has_the_form_of_each_client(world: World) -> None:
    await world.person("bob")
    with_properties, flat = await connect(world, "bob"), await connect(world, "bob", SELFBOT)
    [ordinary] = await world.online("bob")
    guild = await world.guild(owner="alice", members=["bob"])
    created = [(await each.next("GUILD_CREATE")).d for each in (with_properties, flat, ordinary)]
    assert created[0]["properties"] == like(id=guild.id, name=created[1]["name"])
    assert "name" not in created[0]
    assert created[1].keys() == created[2].keys()
    assert "properties" not in created[1]
    assert [each["channels"] for each in created[:2]] == [created[2]["channels"]] * 2


async def test_form_is_kept_by_a_session_that_another_instance_restores(
    world: World, fleet: Fleet
) -> None:
    there = await fleet.start(23)
    await world.guild(owner="alice", members=["bob"])
    await there.person("bob")
    client = await connect(there, "bob")
    await client.next("READY_SUPPLEMENTAL")
    await fleet.stop(23, client)
    again = await world.resumed("bob", client)
    await again.next("RESUMED")
    guild = await world.guild(owner="carol", members=["bob"])
    assert (await again.next("GUILD_CREATE")).d["properties"]["id"] == guild.id


async def sessions(client: Client) -> list[dict[str, Any]]:
    return list((await client.next("SESSIONS_REPLACE")).d)


async def test_list_of_sessions_is_replaced_when_it_changes(world: World) -> None:
    bob = await world.person("bob")
    first = await connect(world, "bob")
    own = first.ready["session_id"]
    [listed] = first.ready["sessions"]
    assert listed == like(session_id=own, status="online", activities=[], hidden_activities=[])
    assert listed["client_info"] == {"client": "desktop", "os": "windows", "version": 0}
    second = await world.socket()
    await second.identify((await log_in(world, bob)).token, presence={"status": "idle"})
    other = second.ready["session_id"]
    both = await sessions(first)
    assert [each["session_id"] for each in both] == ["all", other, own]
    assert [each["status"] for each in both] == ["online", "idle", "online"]
    await second.send(3, {"status": "dnd", "since": 0, "activities": [], "afk": False})
    assert [each["status"] for each in await sessions(first)] == ["dnd", "dnd", "online"]
    await second.leave()
    assert [each["session_id"] for each in await sessions(first)] == [own]


async def test_list_of_sessions_covers_all_instances(world: World, fleet: Fleet) -> None:
    there = await fleet.start(23)
    first = await connect(world, "bob")
    own = first.ready["session_id"]
    second = await connect(there, "bob", presence={"status": "idle", "activities": []})
    other = second.ready["session_id"]
    async with asyncio.timeout(TIMEOUT_S):
        while [each["session_id"] for each in await sessions(first)] != ["all", other, own]:
            pass
        await first.send(3, {"status": "dnd", "since": 0, "activities": [], "afk": False})
        while {each["session_id"]: each["status"] for each in await sessions(second)} != {
            "all": "dnd",
            own: "dnd",
            other: "idle",
        }:
            pass
    third = await connect(world, "bob")
    listed = {each["session_id"] for each in third.ready["sessions"]}
    assert listed == {"all", own, other, third.ready["session_id"]}
    await third.leave()
    await second.leave()
    async with asyncio.timeout(TIMEOUT_S):
        while [each["session_id"] for each in await sessions(first)] != [own]:
            pass


async def test_sessions_of_an_instance_that_starts_later_are_listed(
    world: World, fleet: Fleet
) -> None:
    first = await connect(world, "bob")
    own = first.ready["session_id"]
    there = await fleet.start(23)
    second = await connect(there, "bob")
    listed = second.ready["sessions"]
    async with asyncio.timeout(TIMEOUT_S):
        while own not in {each["session_id"] for each in listed}:  # it requests them at its start
            listed = await sessions(second)


async def test_own_presence_is_not_sent_to_clients_of_people(world: World) -> None:
    await world.guild(owner="alice", members=["bob"])
    bob, alice = await connect(world, "bob"), await connect(world, "alice")
    own = alice.ready["user"]["id"]
    await bob.send(3, {"status": "dnd", "since": 0, "activities": [], "afk": False})
    await alice.send(3, {"status": "idle", "since": 0, "activities": [], "afk": False})
    for client, user in ((bob, own), (alice, bob.ready["user"]["id"])):
        seen: set[tuple[str, str]] = set()
        while not any(status in ("dnd", "idle") for _, status in seen):
            update = (await client.next("PRESENCE_UPDATE")).d
            seen.add((update["user"]["id"], update["status"]))
        assert {each for each, _ in seen} == {user}


async def test_own_presence_is_not_sent_to_a_client_that_starts(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may change while READY is read."""
    await world.guild(owner="alice", members=["bob"])
    bob, alice = await connect(world, "bob"), await connect(world, "alice")
    render = client_ready.ClientReady.render

    async def render_later(ready: client_ready.ClientReady) -> None:
        await bob.send(3, {"status": "dnd", "since": 0, "activities": [], "afk": False})
        while (await alice.next("PRESENCE_UPDATE")).d["status"] != "dnd":
            pass
        await render(ready)

    monkeypatch.setattr(client_ready.ClientReady, "render", render_later)
    starting = await connect(world, "bob")
    received = await starting.received_before_fence()
    users = {each.d["user"]["id"] for each in received if each.t == "PRESENCE_UPDATE"}
    assert users <= {alice.ready["user"]["id"]}


async def test_status_of_the_settings_is_shown_by_all_clients_of_a_person(world: World) -> None:
    """A client that does not know its status takes it, and a change in the settings shows."""
    await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    await bob.rest.patch("/users/@me/settings", {"status": "idle"})
    client = await connect(world, "bob")
    assert [each["status"] for each in client.ready["sessions"]] == ["idle"]
    knowing = await connect(world, "bob", presence={"status": "online", "activities": []})
    assert {each["status"] for each in knowing.ready["sessions"]} == {"idle", "online"}
    await bob.rest.patch("/users/@me/settings", {"status": "dnd"})
    while {each["status"] for each in await sessions(client)} != {"dnd"}:
        pass
