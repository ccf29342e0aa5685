"""The access cache: permissions that are lost on one instance, and its entries on another.

The second instance has no Redis, so it receives no events of the first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chatd.context.context import Context
from chatd.core.ids import ChannelId, GuildId, LoginId, RoleId, UserId
from chatd.core.models import (
    BareChannel,
    Caller,
    ChannelType,
    Guild,
    Member,
    User,
)
from chatd.core.permissions import EVERYONE, Permissions
from chatd.services.access.access import ChannelAccess, Rank
from chatd.services.access.access_cache import AccessCache
from chatd.services.accounts import authentication
from chatd.web.keys import MESSAGE_READER
from tests.conftest import ServeMore, Server
from tests.helpers.roles import assign_roles, create_role
from tests.world import PASSWORD, Person, Rest, World, world_on
from tests.world import Guild as WorldGuild

VIEW = str(int(Permissions.VIEW_CHANNEL))
HISTORY = str(int(Permissions.READ_MESSAGE_HISTORY))
WITHOUT_VIEW = str(int(EVERYONE & ~Permissions.VIEW_CHANNEL))


@pytest.fixture(scope="module")
async def isolated(serve_more: ServeMore) -> AsyncIterator[Server]:
    """An instance that receives no events of others."""
    async with serve_more(worker_id=9, redis_url="redis://127.0.0.1:1/0") as server:
        yield server


@dataclass
class Stage:
    """Bob reads and writes in a channel of a guild; alice, its owner, revokes that."""

    world: World
    guild: WorldGuild
    bob: Person
    channel: str
    alice: Rest

    @property
    def of_guild(self) -> str:
        return f"/guilds/{self.guild.id}"

    @property
    def of_bob(self) -> str:
        return f"/guilds/{self.guild.id}/members/{self.bob.id}"

    @property
    def of_channel(self) -> str:
        return f"/channels/{self.channel}"

    async def allow_by_role(self) -> str:
        """Hide the channel from all members but those with a role, and assign that to bob."""
        role = await create_role(self.guild, "staff")
        await assign_roles(self.world, self.guild, "bob", role)
        await self.alice.put(f"{self.of_channel}/permissions/{role}", {"type": 0, "allow": VIEW})
        deny = {"type": 0, "deny": VIEW}
        await self.alice.put(f"{self.of_channel}/permissions/{self.guild.id}", deny)
        return role

    async def closed_category(self) -> str:
        deny = [{"id": self.guild.id, "type": 0, "deny": VIEW}]
        body = {"name": "closed", "type": 4, "permission_overwrites": deny}
        return str((await self.alice.post(f"{self.of_guild}/channels", body))["id"])


Act = Callable[[], Awaitable[object]]


async def kicked(stage: Stage) -> Act:
    return lambda: stage.alice.delete(stage.of_bob)


async def banned(stage: Stage) -> Act:
    return lambda: stage.alice.put(f"{stage.of_guild}/bans/{stage.bob.id}")


async def banned_with_others(stage: Stage) -> Act:
    body = {"user_ids": [stage.bob.id]}
    return lambda: stage.alice.post(f"{stage.of_guild}/bulk-ban", body)


async def left(stage: Stage) -> Act:
    return lambda: stage.bob.rest.delete(f"/users/@me/guilds/{stage.guild.id}")


async def role_taken(stage: Stage) -> Act:
    role = await stage.allow_by_role()
    return lambda: stage.alice.delete(f"{stage.of_bob}/roles/{role}")


async def roles_replaced(stage: Stage) -> Act:
    await stage.allow_by_role()
    return lambda: stage.alice.patch(stage.of_bob, {"roles": []})


async def role_deleted(stage: Stage) -> Act:
    role = await stage.allow_by_role()
    return lambda: stage.alice.delete(f"{stage.of_guild}/roles/{role}")


async def role_edited(stage: Stage) -> Act:
    role = await create_role(stage.guild, "staff", int(Permissions.VIEW_CHANNEL))
    await assign_roles(stage.world, stage.guild, "bob", role)
    everyone = f"{stage.of_guild}/roles/{stage.guild.id}"
    await stage.alice.patch(everyone, {"permissions": WITHOUT_VIEW})
    path = f"{stage.of_guild}/roles/{role}"
    return lambda: stage.alice.patch(path, {"permissions": "0"})


async def everyone_edited(stage: Stage) -> Act:
    path = f"{stage.of_guild}/roles/{stage.guild.id}"
    return lambda: stage.alice.patch(path, {"permissions": WITHOUT_VIEW})


async def overwrite_put(stage: Stage) -> Act:
    path = f"{stage.of_channel}/permissions/{stage.bob.id}"
    return lambda: stage.alice.put(path, {"type": 1, "deny": VIEW})


async def history_denied(stage: Stage) -> Act:
    deny = {
        "type": 1,
        "deny": str(int(Permissions.READ_MESSAGE_HISTORY | Permissions.SEND_MESSAGES)),
    }
    return lambda: stage.alice.put(f"{stage.of_channel}/permissions/{stage.bob.id}", deny)


async def overwrite_deleted(stage: Stage) -> Act:
    role = await stage.allow_by_role()
    return lambda: stage.alice.delete(f"{stage.of_channel}/permissions/{role}")


async def overwrites_replaced(stage: Stage) -> Act:
    body = {"permission_overwrites": [{"id": stage.guild.id, "type": 0, "deny": VIEW}]}
    return lambda: stage.alice.patch(stage.of_channel, body)


async def moved_and_locked(stage: Stage) -> Act:
    move = {
        "id": stage.channel,
        "parent_id": await stage.closed_category(),
        "lock_permissions": True,
    }
    return lambda: stage.alice.patch(f"{stage.of_guild}/channels", [move])


async def channel_deleted(stage: Stage) -> Act:
    return lambda: stage.alice.delete(stage.of_channel)


async def guild_deleted(stage: Stage) -> Act:
    return lambda: stage.alice.delete(stage.of_guild)


async def guild_handed_on(stage: Stage) -> Act:
    """Transfer the guild from bob to another member: bob keeps the access of a member."""
    deny = {"type": 0, "deny": VIEW}
    await stage.alice.put(f"{stage.of_channel}/permissions/{stage.guild.id}", deny)
    await stage.alice.patch(stage.of_guild, {"owner_id": stage.bob.id})
    body = {"owner_id": stage.guild.owner.id}
    return lambda: stage.bob.rest.patch(stage.of_guild, body)


async def account_deleted(stage: Stage) -> Act:
    return lambda: stage.bob.rest.call("DELETE", "/users/@me", {"password": PASSWORD})


async def timed_out(stage: Stage) -> Act:
    """A timed-out member may still read."""
    until = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    return lambda: stage.alice.patch(stage.of_bob, {"communication_disabled_until": until})


ACTS = (
    kicked,
    banned,
    banned_with_others,
    left,
    role_taken,
    roles_replaced,
    role_deleted,
    role_edited,
    everyone_edited,
    overwrite_put,
    history_denied,
    overwrite_deleted,
    overwrites_replaced,
    moved_and_locked,
    channel_deleted,
    guild_deleted,
    guild_handed_on,
    account_deleted,
    timed_out,
)


MISSING_ACCESS, UNKNOWN_CHANNEL, MISSING_PERMISSIONS = (403, 50001), (404, 10003), (403, 50013)
LOST: dict[Callable[[Stage], Awaitable[Act]], tuple[tuple[int, Any], tuple[int, int]]] = {
    history_denied: ((200, []), MISSING_PERMISSIONS),
    channel_deleted: (UNKNOWN_CHANNEL, UNKNOWN_CHANNEL),
    guild_deleted: (UNKNOWN_CHANNEL, UNKNOWN_CHANNEL),
    timed_out: ((200, []), MISSING_PERMISSIONS),
}
"""The responses to reading and writing after an act, if they are not MissingAccess."""


@pytest.fixture
def lasting_logins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let an instance that receives no events know the login of a deleted account all the time."""
    monkeypatch.setattr(authentication, "_CACHE_TTL_S", 3600.0)


@pytest.mark.usefixtures("lasting_logins")
@pytest.mark.parametrize("derived", [False, True], ids=["loaded", "derived"])
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
async def test_lost_permission_is_lost_on_other_instances(
    world: World, isolated: Server, act: Callable[[Stage], Awaitable[Act]], *, derived: bool
) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    other = await guild.channel("other")
    bob, carol = await world.people("bob", "carol")
    stage = Stage(world, guild, bob, guild.general.id, world.rest("alice"))
    allow = {"type": 1, "allow": VIEW}
    await stage.alice.put(f"{stage.of_channel}/permissions/{carol.id}", allow)
    lose = await act(stage)
    reads, writes = LOST.get(act, (MISSING_ACCESS, MISSING_ACCESS))
    path = f"{stage.of_channel}/messages"
    async with world_on(isolated.url, isolated.gateway_url) as there:
        there.share_people(world)
        rest = there.rest("bob")
        if derived:  # from the access of bob to another channel, and of another member to this one
            await rest.get(f"/channels/{other.id}/messages")
            await there.rest("carol").get(path)
        sent = await rest.post(path, {"content": "cached"})
        newest, around = f"{path}?limit=5", f"{path}?around={sent['id']}"
        assert [each["id"] for each in await rest.get(newest)] == [sent["id"]]
        await lose()
        answer = await rest.call("GET", newest)
        if act is timed_out:
            assert [each["id"] for each in answer.json] == [sent["id"]]
        else:
            assert (answer.status, answer.json if answer.status == 200 else answer.code) == reads
            answer = await rest.call("GET", around)
            assert (answer.status, answer.json if answer.status == 200 else answer.code) == reads
        for _ in range(2):
            answer = await rest.call("POST", path, {"content": "not any more"})
            assert (answer.status, answer.code) == writes


@pytest.mark.usefixtures("lasting_logins")
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
async def test_lost_permission_is_lost_for_requests_that_check_only_its_version(
    world: World, isolated: Server, act: Callable[[Stage], Awaitable[Act]]
) -> None:
    """They answer the same as without a cache; then no entry is left of what was lost."""
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.people("bob")
    stage = Stage(world, guild, bob, guild.general.id, world.rest("alice"))
    path = f"{stage.of_channel}/messages"
    first = await stage.alice.post(path, {"content": "first"})
    second = await stage.alice.post(path, {"content": "second"})
    lose = await act(stage)
    _, writes = LOST.get(act, (MISSING_ACCESS, MISSING_ACCESS))
    access_cache = isolated.runner.app[MESSAGE_READER]._access_cache
    key = UserId(int(bob.id)), ChannelId(int(stage.channel))

    def acknowledgement(message: Any) -> tuple[str, str]:
        return "POST", f"{path}/{message['id']}/ack"

    def reaction(message: Any) -> tuple[str, str]:
        return "PUT", f"{path}/{message['id']}/reactions/%F0%9F%91%8D/@me"

    typing = "POST", f"{stage.of_channel}/typing"
    async with world_on(isolated.url, isolated.gateway_url) as there:
        there.share_people(world)
        rest = there.rest("bob")
        for call in (acknowledgement(first), reaction(first), typing):
            assert (await rest.call(*call)).status < 300
        known = access_cache._entries.get(key)
        assert known is not None
        await lose()
        keeps_view = act in (history_denied, timed_out)
        for call, refusal in (
            (acknowledgement(second), None if keeps_view else writes),
            (reaction(second), writes),
            (typing, writes),
        ):
            access_cache.put(UserId(int(bob.id)), known)
            answer = await rest.call(*call)
            assert (answer.status, answer.code if refusal else None) == (refusal or (200, None))
            assert access_cache._entries.get(key) != known


async def test_cached_access_shows_the_present_member(world: World, isolated: Server) -> None:
    """A change of the account raises no permission version, and a timeout ends without one."""
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.people("bob")
    stage = Stage(world, guild, bob, guild.general.id, world.rest("alice"))
    path = f"{stage.of_channel}/messages"
    sent = await stage.alice.post(path, {"content": "x"})
    async with world_on(isolated.url, isolated.gateway_url) as there:
        there.share_people(world)
        rest = there.rest("bob")
        alice = there.rest("alice")
        [client] = await there.online("alice")

        async def shown(emoji: str) -> tuple[Any, Any]:
            await rest.post(f"{stage.of_channel}/typing")
            typing = (await client.next("TYPING_START")).d["member"]
            await rest.put(f"{path}/{sent['id']}/reactions/{emoji}/@me")
            reacted = (await client.next("MESSAGE_REACTION_ADD")).d["member"]
            assert reacted == typing
            return typing["user"]["global_name"], typing["nick"]

        assert (await shown("👍"))[1] is None
        await rest.patch("/users/@me", {"global_name": "Robert"})
        assert await shown("👎") == ("Robert", None)
        await alice.patch(stage.of_bob, {"nick": "Bobby"})
        assert await shown("🦆") == ("Robert", "Bobby")

        until = datetime.now(UTC) + timedelta(seconds=1)
        timeout = {"communication_disabled_until": until.isoformat()}
        await alice.patch(stage.of_bob, timeout)
        for method, path_of_act in (
            ("POST", f"{stage.of_channel}/typing"),
            ("PUT", f"{path}/{sent['id']}/reactions/🎉/@me"),
        ):
            if datetime.now(UTC) < until:
                refused = await rest.call(method, path_of_act)
                assert refused.status == 204 or refused.code == 50013
        await asyncio.sleep(1.1)
        assert await shown("🎈") == ("Robert", "Bobby")


def cached(access_cache: AccessCache, user: User, channels: range) -> int:
    """Return for how many of these channels the access of a user is cached."""
    ctx = Context(None, Caller(user, LoginId(1)))  # type: ignore[arg-type]
    return sum(access_cache.get(ctx, ChannelId(each)) is not None for each in channels)


def test_cache_size_is_bounded() -> None:
    user = User(UserId(1), "alice", None, None, False)
    guild = Guild(GuildId(2), "guild", None, None, user.id, None)
    roles = tuple(RoleId(each) for each in range(1000))
    member = Member(guild.id, user, None, datetime.now(UTC), None, roles)

    def granted(channel_id: int) -> ChannelAccess:
        channel = BareChannel(
            id=ChannelId(channel_id),
            guild_id=guild.id,
            type=ChannelType.TEXT,
            name="general",
            topic=None,
            position=0,
            parent_id=None,
            nsfw=False,
            rate_limit_per_user=0,
            last_message_id=None,
        )
        return ChannelAccess(
            guild, member, EVERYONE, Rank(False, 0, 0), 1, EVERYONE, False, False, 0, channel
        )

    access_cache, channels = AccessCache(), range(1000)
    for _ in range(2):
        for channel_id in channels:
            access_cache.put(user.id, granted(channel_id))
        assert 100 <= cached(access_cache, user, channels) <= 200
    for _ in range(1000):
        access_cache.put(user.id, granted(999))
    assert cached(access_cache, user, channels) >= 100
