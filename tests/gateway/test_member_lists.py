"""Member lists: the windows that a client shows beside a channel, kept current by operations."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable
from typing import Any

import psycopg2
import pytest

from chatd.core.ids import GuildId, UserId
from chatd.core.murmur import murmur3
from chatd.core.permissions import Permissions
from chatd.core.presence import Presence, PresenceReport, Status
from chatd.gateway.fanout import guild_lists
from chatd.gateway.fanout.listed_members import ListedMembers
from chatd.gateway.handler import GATEWAY
from chatd.services.guilds import member_lists as reading
from chatd.web.keys import DEPENDENCIES
from chatd.wire.schemas import gateway as commands
from tests.conftest import Server
from tests.helpers import loop_time
from tests.helpers.fleet import Fleet
from tests.helpers.members import crowd, crowd_ids
from tests.helpers.user_clients import connect
from tests.world import TIMEOUT_S, Client, Guild, World, like

Json = dict[str, Any]
VIEW = str(Permissions.VIEW_CHANNEL.value)


class Shown:
    """The rows that a client of Discord shows of one list."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.groups: list[tuple[str, int]] = []

    def apply(self, update: Json) -> None:
        """Apply an update as Discord's client does."""
        self.groups = [(each["id"], each["count"]) for each in update["groups"]]
        for op in update["ops"]:
            last = op["range"][1] if "range" in op else op["index"]
            self.rows += [None] * (last + 1 - len(self.rows))
            match op["op"]:
                case "SYNC":
                    start = op["range"][0]
                    self.rows[start : start + len(op["items"])] = op["items"]
                case "INVALIDATE":
                    start, end = op["range"]
                    self.rows[start : end + 1] = [None] * (end + 1 - start)
                case "INSERT":
                    self.rows.insert(op["index"], op["item"])
                case "DELETE":
                    del self.rows[op["index"]]
                case "UPDATE":
                    self.rows[op["index"]] = op["item"]

    def names(self) -> list[str]:
        """Return the groups, and the members' ids with their statuses, of all rows."""
        return [_text(each) for each in self.rows if each is not None]


def _text(row: Json) -> str:
    if "group" in row:
        return f"# {row['group']['id']}"
    member = row["member"]
    return f"{member['user']['id']} {member['nick']} {member['presence']['status']}"


def subscription(guild: Guild, channel: str, *ranges: tuple[int, int]) -> Json:
    return {"guild_id": guild.id, "typing": True, "channels": {channel: list(map(list, ranges))}}


async def request(client: Client, guild: Guild, *ranges: tuple[int, int]) -> Json:
    """Request windows of the list of the guild's first channel; return the answer."""
    await client.send(14, subscription(guild, guild.general.id, *(ranges or [(0, 99)])))
    return await answer(client)


async def answer(client: Client) -> Json:
    """Return the next update with whole windows; drop those of changes, like a presence."""
    while True:
        update = dict((await client.next("GUILD_MEMBER_LIST_UPDATE")).d)
        if any(op["op"] == "SYNC" for op in update["ops"]):
            return update


async def until(client: Client, shown: Shown, expected: list[str]) -> None:
    """Apply updates until the client shows these rows."""
    try:
        async with asyncio.timeout(TIMEOUT_S):
            while shown.names() != expected:
                shown.apply((await client.next("GUILD_MEMBER_LIST_UPDATE")).d)
    except TimeoutError:
        assert shown.names() == expected


async def role(guild: Guild, name: str, **options: Any) -> str:
    made = await guild.owner.rest.post(f"/guilds/{guild.id}/roles", {"name": name, **options})
    return str(made["id"])


async def ids(world: World, *names: str) -> list[str]:
    return [(await world.person(name)).id for name in names]


async def test_list_has_groups_of_roles_and_presences(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    alice, bob, carol = await ids(world, "alice", "bob", "carol")
    staff = await role(guild, "staff", hoist=True)
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{carol}/roles/{staff}")
    client = await connect(world, "alice")
    shown = Shown()
    shown.apply(first := await request(client, guild))
    assert first == like(guild_id=guild.id, id="everyone", member_count=3)
    assert first["ops"][0]["range"] == [0, 99]
    rows = ["# online", f"{alice} None online"]
    await until(client, shown, [*rows, "# offline", f"{bob} None offline", f"{carol} None offline"])
    assert shown.groups == [("online", 1), ("offline", 2)]
    await world.online("carol", presence={"status": "dnd"})
    staff_rows = [f"# {staff}", f"{carol} None dnd"]
    await until(client, shown, [*staff_rows, *rows, "# offline", f"{bob} None offline"])
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{carol}")
    await until(client, shown, [*rows, "# offline", f"{bob} None offline"])
    path = f"/guilds/{guild.id}/members/{bob}"
    await guild.owner.rest.patch(path, {"nick": "Zoe"})
    await until(client, shown, [*rows, "# offline", f"{bob} Zoe offline"])


async def test_role_that_becomes_a_group_rebuilds_the_list(world: World) -> None:
    guild = await world.guild(owner="alice")
    [alice] = await ids(world, "alice")
    plain = await role(guild, "plain")
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{alice}/roles/{plain}")
    client = await connect(world, "alice")
    shown = Shown()
    shown.apply(await request(client, guild))
    await until(client, shown, ["# online", f"{alice} None online"])
    await guild.owner.rest.patch(f"/guilds/{guild.id}/roles/{plain}", {"hoist": True})
    await until(client, shown, [f"# {plain}", f"{alice} None online"])
    await guild.owner.rest.delete(f"/guilds/{guild.id}/roles/{plain}")
    await until(client, shown, ["# online", f"{alice} None online"])


async def test_list_of_a_hidden_channel_has_those_who_see_it(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    alice, bob = await ids(world, "alice", "bob")
    overwrites = [
        {"id": guild.id, "type": 0, "deny": VIEW},
        {"id": bob, "type": 1, "allow": VIEW},
    ]
    hidden = await guild.channel("hidden", permission_overwrites=overwrites)
    client, stranger = await connect(world, "bob"), await connect(world, "carol")
    await client.send(14, subscription(guild, hidden.id, (0, 99)))
    await stranger.send(14, subscription(guild, hidden.id, (0, 99)))
    shown = Shown()
    shown.apply(first := (await client.next("GUILD_MEMBER_LIST_UPDATE")).d)
    named = ",".join(sorted([f"deny:{guild.id}", f"allow:{bob}"]))
    assert first["id"] == str(murmur3(named.encode()))
    offline = ["# offline", f"{alice} None offline"]
    await until(client, shown, ["# online", f"{bob} None online", *offline])
    received = await stranger.received_before_fence()
    assert "GUILD_MEMBER_LIST_UPDATE" not in [each.t for each in received]
    await guild.owner.rest.delete(f"/channels/{hidden.id}/permissions/{bob}")
    assert await invalidated(client) == [0, 99]


async def invalidated(client: Client) -> list[int]:
    while True:
        for op in (await client.next("GUILD_MEMBER_LIST_UPDATE")).d["ops"]:
            if op["op"] == "INVALIDATE":
                return list(op["range"])


async def test_windows_are_replaced_and_ended(world: World) -> None:
    guild = await world.guild(owner="alice")
    client = await connect(world, "alice")
    wide = await request(client, guild, (0, 250))
    assert [each["range"] for each in wide["ops"]] == [[0, 99], [100, 199], [200, 299]]
    narrow = await request(client, guild, (0, 99))
    assert [(each["op"], each["range"]) for each in narrow["ops"]] == [
        ("INVALIDATE", [100, 199]),
        ("INVALIDATE", [200, 299]),
        ("SYNC", [0, 99]),
    ]
    await client.send(37, {"subscriptions": {guild.id: {"channels": {}}}})
    assert await invalidated(client) == [0, 99]
    await world.online("alice", presence={"status": "dnd"})
    await asyncio.sleep(0)
    assert client.received("GUILD_MEMBER_LIST_UPDATE") == []


async def test_bulk_subscription_sends_the_list_of_each_guild(world: World) -> None:
    guilds = [await world.guild(owner="alice") for _ in range(2)]
    strange = await world.guild(owner="mallory")
    client = await connect(world, "alice")
    wanted = {each.id: {"channels": {each.general.id: [[0, 99]]}} for each in (*guilds, strange)}
    await client.send(37, {"subscriptions": {**wanted, "1": {"typing": True}}})
    for guild in guilds:
        assert (await answer(client))["guild_id"] == guild.id
    updates = client.received("GUILD_MEMBER_LIST_UPDATE")
    assert strange.id not in [each.d["guild_id"] for each in updates]


async def test_large_guild_lists_only_those_online(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "MAX_WITH_OFFLINE", 2)
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    alice, carol = await ids(world, "alice", "carol")
    client = await connect(world, "alice")
    shown = Shown()
    shown.apply(await request(client, guild))
    rows = ["# online", f"{alice} None online"]
    await until(client, shown, rows)
    [online] = await world.online("carol")
    await until(client, shown, [*rows, f"{carol} None online"])
    await online.send(3, {"status": "invisible", "since": 0, "activities": [], "afk": False})
    await until(client, shown, rows)


@pytest.mark.parametrize(
    "data",
    [
        [],
        {},
        {"guild_id": "1", "channels": []},
        {"guild_id": "1", "channels": {"x": []}},
        {"guild_id": "1", "channels": {"1": [[0]]}},
        {"guild_id": "1", "channels": {"1": [[5, 1]]}},
        {"guild_id": "1", "channels": {"1": [[-1, 5]]}},
        {"guild_id": "1", "channels": {"1": ["ab"]}},
    ],
    ids=repr,
)
async def test_invalid_subscription_closes_with_decode_error(world: World, data: Any) -> None:
    await world.person("alice")
    client = await connect(world, "alice")
    await client.send(14, data)
    assert await client.closed() == 4002


@pytest.mark.parametrize("seed", range(3))
async def test_list_of_a_client_converges_to_the_true_one(world: World, seed: int) -> None:
    """After random joins, departures, presences, names and roles."""
    rng = random.Random(seed)
    names = [f"p{number}" for number in range(6)]
    guild = await world.guild(owner="alice", members=names[:3])
    people = await world.people(*names)
    roles = [await role(guild, name, hoist=True) for name in "xy"]
    client = await connect(world, "alice")
    shown = Shown()
    shown.apply(await request(client, guild, (0, 99)))
    online: dict[str, Client] = {}
    for _ in range(30):
        number = rng.randrange(len(people))
        person, path = people[number], f"/guilds/{guild.id}/members/{people[number].id}"
        match rng.randrange(6):
            case 0:
                await guild.admit(person)
            case 1:
                await guild.owner.rest.call("DELETE", path)
            case 2:
                await guild.owner.rest.call("PATCH", path, {"nick": rng.choice("abc")})
            case 3:
                method = rng.choice(["PUT", "DELETE"])
                await guild.owner.rest.call(method, f"{path}/roles/{rng.choice(roles)}")
            case 4:
                changed = {"hoist": rng.random() < 0.5}
                await guild.owner.rest.patch(f"/guilds/{guild.id}/roles/{roles[0]}", changed)
            case _:
                if (leaving := online.pop(person.id, None)) is not None:
                    await leaving.leave()
                else:
                    [online[person.id]] = await world.online(names[number])
    async with asyncio.timeout(TIMEOUT_S):
        while True:
            fresh, other = Shown(), await connect(world, "alice")
            fresh.apply(await request(other, guild, (0, 99)))
            for each in client.received("GUILD_MEMBER_LIST_UPDATE"):
                shown.apply(each.d)
            if (shown.names(), shown.groups) == (fresh.names(), fresh.groups):
                break
            await other.leave()


async def test_lists_of_a_session_go_on_after_a_resume(world: World, fleet: Fleet) -> None:
    there = await fleet.start(23)
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await ids(world, "bob")
    await there.person("alice")
    client = await connect(there, "alice")
    await request(client, guild)
    await fleet.stop(23, client)
    again, shown = await world.resumed("alice", client), Shown()
    await again.next("RESUMED")
    shown.apply(await answer(again))
    alice = (await world.person("alice")).id
    await until(
        again, shown, ["# online", f"{alice} None online", "# offline", f"{bob} None offline"]
    )
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{bob}")
    await until(again, shown, ["# online", f"{alice} None online"])


async def test_members_of_a_guild_are_not_read_for_each_request(
    world: World, statements: list[str]
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    client = await connect(world, "alice")
    await request(client, guild)
    assert statements != []
    statements.clear()
    for _ in range(3):
        await client.send(14, {"guild_id": guild.id, "channels": {}})
        await invalidated(client)
        await request(client, guild)
    assert statements == []


async def test_typing_is_not_sent_without_a_subscription(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    client, other = await connect(world, "alice"), await connect(world, "alice")
    path = f"/channels/{guild.general.id}/typing"
    await client.send(14, {"guild_id": guild.id, "typing": False, "channels": {}})
    await client.received_before_fence()
    await bob.rest.post(path)
    await other.next("TYPING_START")
    assert [each.t for each in await client.received_before_fence()].count("TYPING_START") == 0
    await client.send(37, {"subscriptions": {guild.id: {"typing": True}}})
    await client.received_before_fence()
    await bob.rest.post(path)
    await client.next("TYPING_START")


async def test_bots_get_no_lists(world: World) -> None:
    """They would learn of members without the privileged intents."""
    guild = await world.guild(owner="alice", members=["bob"])
    await world.bot("robot", "alice", guild)
    [robot] = await world.online("robot", intents=1)
    await robot.send(14, subscription(guild, guild.general.id, (0, 99)))
    await robot.send(35, {"guild_id": guild.id, "query": ""})  # a fence: one queue for both
    while (received := await robot.next_any()).t != "GUILD_MEMBERS_CHUNK":
        assert received.t != "GUILD_MEMBER_LIST_UPDATE"
    assert received.d["members"] == []


async def test_hidden_channel_does_not_have_lists_built_again(
    world: World, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither one that was requested, nor one that is hidden later."""
    guild = await world.guild(owner="alice", members=["bob"])
    deny = {"id": guild.id, "type": 0, "deny": VIEW}
    hidden = await guild.channel("hidden", permission_overwrites=[deny])
    later = await guild.channel("later")
    client = await connect(world, "bob")
    ranges = {each: [[0, 99]] for each in (guild.general.id, hidden.id, later.id)}
    await client.send(14, {"guild_id": guild.id, "channels": ranges})
    await answer(client)
    await guild.owner.rest.put(f"/channels/{later.id}/permissions/{guild.id}", deny)
    await answer(client)  # a channel changed
    assert server.runner.app is not None
    lists = server.runner.app[GATEWAY].member_lists
    await lists.update()

    async def build(*_: object) -> None:
        raise AssertionError("built again")

    monkeypatch.setattr(ListedMembers, "build", build)
    for _ in range(3):
        await lists.update()


async def test_each_update_begins_with_an_operation_that_has_items(world: World) -> None:
    """Fermi reads the items of the first operation, whichever it is."""
    guild = await world.guild(owner="alice", members=["bob"])
    erin = await world.person("erin")
    client, shown = await connect(world, "alice"), Shown()
    shown.apply(await request(client, guild))
    [bob] = await ids(world, "bob")
    everyone = ["# online", f"{guild.owner.id} None online"]
    seen: list[str] = []

    async def until_shown(expected: list[str]) -> None:
        async with asyncio.timeout(TIMEOUT_S):
            while shown.names() != expected:
                update = (await client.next("GUILD_MEMBER_LIST_UPDATE")).d
                shown.apply(update)
                seen.extend(op["op"] for op in update["ops"])
                assert isinstance(update["ops"][0]["items"], list)

    await guild.admit(erin)
    offline = [f"{bob} None offline", f"{erin.id} None offline"]
    await until_shown([*everyone, "# offline", *offline])
    await world.rest("bob").delete(f"/users/@me/guilds/{guild.id}")
    await until_shown([*everyone, "# offline", offline[1]])
    await erin.rest.patch(f"/guilds/{guild.id}/members/@me", {"nick": "Z"})
    await until_shown([*everyone, "# offline", f"{erin.id} Z offline"])
    update = await request(client, guild, (100, 199))
    assert [(op["op"], "items" in op) for op in update["ops"]] == [
        ("INVALIDATE", True),
        ("SYNC", True),
    ]
    assert {"INSERT", "DELETE"} <= set(seen)


async def test_update_of_counts_alone_has_an_operation(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "WINDOW_SIZE", 1)
    guild = await world.guild(owner="alice", members=["bob"])
    client = await connect(world, "alice")
    update = await request(client, guild, (0, 0))
    group = {"id": "online", "count": 1}
    while update["groups"] != [group, {"id": "offline", "count": 1}]:
        update = (await client.next("GUILD_MEMBER_LIST_UPDATE")).d
    await guild.admit(await world.person("erin"))
    update = (await client.next("GUILD_MEMBER_LIST_UPDATE")).d
    assert update["groups"] == [group, {"id": "offline", "count": 2}]
    assert update["ops"] == [like(op="UPDATE", index=0, item={"group": group})]


async def test_list_outlives_the_channel_that_it_was_built_for(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    first, second = await guild.channel("first"), await guild.channel("second")
    alice, bob = await ids(world, "alice", "bob")
    client, other = await connect(world, "alice"), await connect(world, "alice")
    shown = Shown()
    await client.send(14, subscription(guild, first.id, (0, 99)))
    await answer(client)
    await other.send(14, subscription(guild, second.id, (0, 99)))
    shown.apply(await answer(other))
    await client.send(14, {"guild_id": guild.id, "channels": {}})
    await invalidated(client)
    await guild.owner.rest.delete(f"/channels/{first.id}")
    await guild.owner.rest.patch(f"/guilds/{guild.id}/members/{bob}", {"nick": "B"})
    rows = ["# online", f"{alice} None online", "# offline", f"{bob} B offline"]
    await until(other, shown, rows)


def show_online(server: Server, guild: Guild, users: Iterable[UserId], *, online: bool) -> None:
    """Report users of another instance as online, or no longer."""
    assert server.runner.app is not None
    report = PresenceReport(Presence(Status.ONLINE), frozenset({GuildId(int(guild.id))}))
    reports = dict.fromkeys(users, report if online else None)
    server.runner.app[DEPENDENCIES].presences.apply("there", reports)
    lists = server.runner.app[GATEWAY].member_lists
    for each in reports:
        lists.mark([GuildId(int(guild.id))], each)


async def test_storm_of_presences_does_not_hold_the_loop(server: Server, world: World) -> None:
    """900 members come online; a client has windows of five lists of them."""
    guild = await world.guild(owner="alice")
    crowd(server, guild, 900)
    users = [UserId(each) for each in crowd_ids(guild, 900)]
    client = await connect(world, "alice")
    channels = [await guild.channel(f"c{number}") for number in range(5)]
    for user_id, channel in zip(users, channels, strict=False):  # so that each has its own list
        path = f"/channels/{channel.id}/permissions/{user_id}"
        await guild.owner.rest.put(path, {"type": 1, "deny": VIEW})
    ranges = [[start, start + 99] for start in range(0, 900, 200)]
    wanted = {each.id: ranges for each in channels}
    await client.send(14, {"guild_id": guild.id, "channels": wanted})
    for _ in channels:
        await answer(client)
    assert server.runner.app is not None
    lists = server.runner.app[GATEWAY].member_lists
    longest = []
    for online in (True, False) * loop_time.TRIES:
        show_online(server, guild, users, online=online)
        with loop_time.no_collection(), loop_time.turns() as measured:
            await lists.update()
            await asyncio.sleep(0)  # so that the last iteration is measured
        longest.append(measured.longest_s)
    assert min(longest[::2]) < loop_time.MOST_S


async def test_end_of_a_role_of_all_does_not_hold_the_loop(server: Server, world: World) -> None:
    guild = await world.guild(owner="alice")
    role_id = await role(guild, "all")
    crowd(server, guild, 20_000)
    with psycopg2.connect(server.config.database_url) as connection, connection.cursor() as cur:
        cur.execute(
            "INSERT INTO member_roles (guild_id, user_id, role_id)"
            " SELECT guild_id, user_id, %(role_id)s FROM guild_members"
            "  WHERE guild_id = %(guild_id)s; ANALYZE member_roles",
            {"guild_id": int(guild.id), "role_id": int(role_id)},
        )
    connection.close()
    users = [UserId(each) for each in crowd_ids(guild, 20_000)]
    show_online(server, guild, users, online=True)
    client = await connect(world, "alice")
    update = await request(client, guild)
    assert update["groups"][0]["count"] >= 20_000
    assert update["ops"][0]["items"][1]["member"]["roles"] == [role_id]
    with loop_time.no_collection(), loop_time.turns() as measured:
        await guild.owner.rest.delete(f"/guilds/{guild.id}/roles/{role_id}")
        update = await answer(client)
    assert update["ops"][-1]["items"][1]["member"]["roles"] == []
    assert measured.longest_s < loop_time.MOST_S
    show_online(server, guild, users, online=False)


async def test_requests_for_other_lists_in_turns_are_throttled(
    server: Server, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a list of all members built."""
    guild = await world.guild(owner="alice")
    crowd(server, guild, 900)
    first, second = await guild.channel("first"), await guild.channel("second")
    for user_id, channel in zip(crowd_ids(guild, 2), (first, second), strict=True):
        path = f"/channels/{channel.id}/permissions/{user_id}"
        await guild.owner.rest.put(path, {"type": 1, "deny": VIEW})
    client, other = await connect(world, "alice"), await connect(world, "alice")
    await other.send(14, subscription(guild, guild.general.id, (0, 99)))
    await answer(other)
    assert server.runner.app is not None
    throttle, costs = server.runner.app[GATEWAY].member_requests.throttle, []

    async def record(count: int) -> None:
        costs.append(count)

    monkeypatch.setattr(throttle, "throttle", record)
    for channel in (guild.general, first, first, second, first):
        await client.send(14, subscription(guild, channel.id, (0, 99)))
        await client.send(35, {"guild_id": guild.id, "query": ""})  # a fence: one queue for both
        await client.next("GUILD_MEMBERS_CHUNK")
    assert [each - 100 for each in costs[::2]] == [0, 300, 0, 300, 300]


async def test_members_in_all_lists_of_a_guild_are_bounded(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guild_lists, "_MAX_ITEMS", 4)
    guild = await world.guild(owner="alice", members=["bob"])
    deny = {"id": guild.id, "type": 0, "deny": VIEW}
    hidden = await guild.channel("hidden", permission_overwrites=[deny])
    client = await connect(world, "alice")

    async def shown(*channels: str) -> set[str]:
        """Request lists; return the ids of those that the client gets."""
        wanted = {each: [[0, 99]] for each in channels}
        await client.send(14, {"guild_id": guild.id, "channels": wanted})
        await client.send(35, {"guild_id": guild.id, "query": ""})  # a fence: one queue for both
        found = set()
        while (received := await client.next_any()).t != "GUILD_MEMBERS_CHUNK":
            if received.t == "GUILD_MEMBER_LIST_UPDATE":
                found |= {received.d["id"] for op in received.d["ops"] if op["op"] == "SYNC"}
        return found

    assert await shown(guild.general.id, hidden.id) == {"everyone"}
    assert await shown() == set()
    assert len(await shown(hidden.id)) == 1
