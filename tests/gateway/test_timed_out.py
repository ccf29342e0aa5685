"""A timed-out member receives no event that needs a permission it lost by the timeout."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from chatd.core.permissions import Permissions
from tests.helpers.fleet import Fleet
from tests.helpers.roles import assign_roles, create_role
from tests.world import Client, Guild, Person, World

MODERATOR = (
    Permissions.VIEW_AUDIT_LOG
    | Permissions.BAN_MEMBERS
    | Permissions.MANAGE_CHANNELS
    | Permissions.MODERATE_MEMBERS
)
MODERATION_EVENTS = {
    "GUILD_AUDIT_LOG_ENTRY_CREATE",
    "GUILD_BAN_ADD",
    "GUILD_BAN_REMOVE",
    "INVITE_CREATE",
    "INVITE_DELETE",
}


async def moderated(world: World, permissions: Permissions = MODERATOR) -> tuple[Guild, Person]:
    """Return a guild and bob, a moderator of it."""
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob = await world.person("bob")
    await assign_roles(
        world, guild, "bob", await create_role(guild, "moderators", int(permissions))
    )
    return guild, bob


async def time_out(guild: Guild, person: Person, *, hours: int = 1) -> None:
    until = None if not hours else (datetime.now(UTC) + timedelta(hours=hours)).isoformat()
    path = f"/guilds/{guild.id}/members/{person.id}"
    await guild.owner.rest.patch(path, {"communication_disabled_until": until})


async def moderate(world: World, guild: Guild) -> None:
    """Cause each moderation event, then send a message that ends them."""
    rest, mallory = guild.owner.rest, await world.person("mallory")
    await rest.put(f"/guilds/{guild.id}/bans/{mallory.id}", {})
    await rest.delete(f"/guilds/{guild.id}/bans/{mallory.id}")
    await rest.delete(f"/invites/{await guild.invite()}")
    await rest.post(f"/channels/{guild.general.id}/messages", {"content": "done"})


async def moderation_events(world: World, guild: Guild, client: Client) -> set[str]:
    """Return the names of the moderation events that a client receives."""
    await client.received_before_fence()
    await moderate(world, guild)
    names = set()
    while (name := (await client.next_any()).t) != "MESSAGE_CREATE":
        names.add(name)
    return names & MODERATION_EVENTS


async def test_timed_out_moderator_receives_no_moderation_events(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    guild, bob = await moderated(world)
    [connected] = await world.online("bob")
    assert await moderation_events(world, guild, connected) == MODERATION_EVENTS
    await time_out(guild, bob)
    [late] = await world.online("bob")
    for client in (connected, late):
        assert await moderation_events(world, guild, client) == set()
    await time_out(guild, bob, hours=0)
    for client in (connected, late):
        assert await moderation_events(world, guild, client) == MODERATION_EVENTS
    # A timeout ends without an event.
    await time_out(guild, bob)
    assert await moderation_events(world, guild, connected) == set()
    monkeypatch.setattr("chatd.gateway.fanout.visibility._clock", lambda: time.time() + 2 * 3600)
    assert await moderation_events(world, guild, connected) == MODERATION_EVENTS


async def test_timeout_applies_after_leaving_and_joining_again(world: World) -> None:
    guild, bob = await moderated(world)
    everyone = f"/guilds/{guild.id}/roles/{guild.id}"
    await guild.owner.rest.patch(everyone, {"permissions": str(int(MODERATOR | _SEE))})
    await time_out(guild, bob)
    [connected] = await world.online("bob")
    await bob.rest.delete(f"/users/@me/guilds/{guild.id}")
    await guild.admit(bob)
    await connected.next("GUILD_CREATE")
    assert await moderation_events(world, guild, connected) == set()


_SEE = Permissions.VIEW_CHANNEL


async def test_timeout_does_not_apply_to_administrators(world: World) -> None:
    guild, bob = await moderated(world)
    await time_out(guild, bob)
    [connected] = await world.online("bob")
    await assign_roles(
        world, guild, "bob", await create_role(guild, "admins", int(Permissions.ADMINISTRATOR))
    )
    assert await moderation_events(world, guild, connected) == MODERATION_EVENTS


@pytest.mark.parametrize("is_followed", [True, False])
async def test_timeout_applies_to_a_session_restored_on_another_instance(
    world: World, fleet: Fleet, is_followed: bool
) -> None:
    guild, bob = await moderated(world)
    if is_followed:
        await world.online("carol")
    there = await fleet.start(12)
    [before, during] = await there.online("bob", "bob")
    await time_out(guild, bob)
    for client in (before, during):
        await client.next("GUILD_MEMBER_UPDATE")
    await fleet.stop(12, before, during)
    for client in (before, during):
        resumed = await world.resumed("bob", client)
        await resumed.next("RESUMED")
        assert await moderation_events(world, guild, resumed) == set()
