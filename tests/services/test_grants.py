"""What is remembered of rights on one instance, when they are lost through another.

The second one does not hear the first: there is no Redis for it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from chatd.context import Context
from chatd.core.ids import ChannelId, GuildId, LoginId, UserId
from chatd.core.models import (
    Caller,
    Channel,
    ChannelType,
    Guild,
    Member,
    Overwrite,
    OverwriteType,
    User,
)
from chatd.core.permissions import EVERYONE, Permissions
from chatd.services.access import ChannelAccess, Rank
from chatd.services.grants import Grants
from tests.conftest import ServeMore, Server
from tests.rest.test_roles import give, made
from tests.world import PASSWORD, Person, Rest, World, world_on
from tests.world import Guild as Place

VIEW = str(int(Permissions.VIEW_CHANNEL))
HISTORY = str(int(Permissions.READ_MESSAGE_HISTORY))
WITHOUT_VIEW = str(int(EVERYONE & ~Permissions.VIEW_CHANNEL))


@pytest.fixture(scope="module")
async def deaf(serve_more: ServeMore) -> AsyncIterator[Server]:
    """An instance that hears nothing of the others."""
    async with serve_more(worker_id=9, redis_url="redis://127.0.0.1:1/0") as server:
        yield server


@dataclass
class Stage:
    """Bob, who reads and writes in the channel of a guild; alice, who owns it, takes that away."""

    world: World
    guild: Place
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

    async def let_in_by_role(self) -> str:
        """Close the channel for all but those with a role, which bob gets."""
        role = await made(self.guild, "staff")
        await give(self.world, self.guild, "bob", role)
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
    role = await stage.let_in_by_role()
    return lambda: stage.alice.delete(f"{stage.of_bob}/roles/{role}")


async def roles_replaced(stage: Stage) -> Act:
    await stage.let_in_by_role()
    return lambda: stage.alice.patch(stage.of_bob, {"roles": []})


async def role_deleted(stage: Stage) -> Act:
    role = await stage.let_in_by_role()
    return lambda: stage.alice.delete(f"{stage.of_guild}/roles/{role}")


async def role_edited(stage: Stage) -> Act:
    role = await made(stage.guild, "staff", int(Permissions.VIEW_CHANNEL))
    await give(stage.world, stage.guild, "bob", role)
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
    role = await stage.let_in_by_role()
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
    """Bob owns it, and sees all; then it is another's, and he sees what members do."""
    deny = {"type": 0, "deny": VIEW}
    await stage.alice.put(f"{stage.of_channel}/permissions/{stage.guild.id}", deny)
    await stage.alice.patch(stage.of_guild, {"owner_id": stage.bob.id})
    body = {"owner_id": stage.guild.owner.id}
    return lambda: stage.bob.rest.patch(stage.of_guild, body)


async def account_deleted(stage: Stage) -> Act:
    return lambda: stage.bob.rest.call("DELETE", "/users/@me", {"password": PASSWORD})


async def timed_out(stage: Stage) -> Act:
    """Who is timed out reads on."""
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


@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
async def test_what_is_lost_here_is_lost_there(
    world: World, deaf: Server, act: Callable[[Stage], Awaitable[Act]]
) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    [bob] = await world.people("bob")
    stage = Stage(world, guild, bob, guild.general.id, world.rest("alice"))
    lose = await act(stage)
    path = f"{stage.of_channel}/messages"
    async with world_on(deaf.url, deaf.gateway_url) as there:
        there.meet(world)
        rest = there.rest("bob")
        sent = await rest.post(path, {"content": "remembered"})
        newest, around = f"{path}?limit=5", f"{path}?around={sent['id']}"
        assert [each["id"] for each in await rest.get(newest)] == [sent["id"]]
        await lose()
        answer = await rest.call("GET", newest)
        if act is timed_out:
            assert [each["id"] for each in answer.json] == [sent["id"]]
        else:
            assert answer.status in (401, 403, 404) or answer.json == []
            answer = await rest.call("GET", around)
            assert answer.status in (401, 403, 404) or answer.json == []
        for _ in range(2):
            answer = await rest.call("POST", path, {"content": "not any more"})
            assert answer.status in (401, 403, 404)


def remembered(grants: Grants, user: User, channels: range) -> int:
    """In how many of these channels it is known what a user may do."""
    ctx = Context(None, Caller(user, LoginId(1)))  # type: ignore[arg-type]
    return sum(grants.known(ctx, ChannelId(each)) is not None for each in channels)


def test_what_is_remembered_is_bounded_by_its_size() -> None:
    user = User(UserId(1), "alice", None, None, False)
    guild = Guild(GuildId(2), "guild", None, None, user.id, None)
    member = Member(guild.id, user, None, datetime.now(UTC), None, ())
    overwrites = tuple(Overwrite(each, OverwriteType.MEMBER, 0, 0) for each in range(1000))

    def granted(channel_id: int) -> ChannelAccess:
        channel = Channel(
            id=ChannelId(channel_id),
            guild_id=guild.id,
            type=ChannelType.TEXT,
            name="general",
            topic=None,
            position=0,
            parent_id=None,
            nsfw=False,
            rate_limit_per_user=0,
            overwrites=overwrites,
            last_message_id=None,
        )
        return ChannelAccess(guild, member, EVERYONE, Rank(False, 0, 0), 1, channel)

    grants, channels = Grants(), range(1000)
    for _ in range(2):
        for channel_id in channels:
            grants.remember(user.id, granted(channel_id))
        assert 100 <= remembered(grants, user, channels) <= 200
    for _ in range(1000):
        grants.remember(user.id, granted(999))
    assert remembered(grants, user, channels) >= 100
