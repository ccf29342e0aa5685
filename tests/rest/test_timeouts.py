"""Timeouts: they last until they expire or are lifted, and the member cannot act visibly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from urllib.parse import quote

import pytest

from chatd.core.permissions import EVERYONE, Permissions
from chatd.db.pool import Database
from chatd.queries import members
from tests.helpers.roles import assign_roles, create_role
from tests.world import Guild, Person, World, like

Act = Callable[[World, Guild, Person], Awaitable[None]]


async def silence(guild: Guild, person: Person, seconds: float = 3600) -> str:
    """Time a member out. Returns the end of the timeout."""
    until = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    path = f"/guilds/{guild.id}/members/{person.id}"
    body = {"communication_disabled_until": until}
    return str((await guild.owner.rest.patch(path, body))["communication_disabled_until"])


async def leave(_: World, guild: Guild, person: Person) -> None:
    await person.rest.delete(f"/users/@me/guilds/{guild.id}")


async def kick(_: World, guild: Guild, person: Person) -> None:
    await guild.owner.rest.delete(f"/guilds/{guild.id}/members/{person.id}")


async def ban_and_unban(_: World, guild: Guild, person: Person) -> None:
    path = f"/guilds/{guild.id}/bans/{person.id}"
    await guild.owner.rest.put(path, {})
    await guild.owner.rest.delete(path)


async def ban_with_others(_: World, guild: Guild, person: Person) -> None:
    await guild.owner.rest.post(f"/guilds/{guild.id}/bulk-ban", {"user_ids": [person.id]})
    await guild.owner.rest.delete(f"/guilds/{guild.id}/bans/{person.id}")


async def leave_twice(world: World, guild: Guild, person: Person) -> None:
    await leave(world, guild, person)
    await guild.admit(person)
    await leave(world, guild, person)


@pytest.mark.parametrize("act", [leave, kick, ban_and_unban, ban_with_others, leave_twice])
async def test_timeout_survives_leaving_and_rejoining(world: World, act: Act) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    elsewhere = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    until = await silence(guild, bob)
    await act(world, guild, bob)
    [client] = await world.online("alice")
    await guild.admit(bob)
    added = (await client.next("GUILD_MEMBER_ADD")).d
    assert added["communication_disabled_until"] == until
    own = await bob.rest.get(f"/guilds/{guild.id}/members/@me")
    assert own["communication_disabled_until"] == until
    path = f"/channels/{guild.general.id}/messages"
    answer = await bob.rest.call("POST", path, {"content": "x"})
    assert (answer.status, answer.code) == (403, 50013)
    # A timeout applies to one guild.
    await act(world, elsewhere, bob)
    await elsewhere.admit(bob)
    await bob.rest.post(f"/channels/{elsewhere.general.id}/messages", {"content": "x"})
    # A lifted timeout does not come back.
    member = f"/guilds/{guild.id}/members/{bob.id}"
    await guild.owner.rest.patch(member, {"communication_disabled_until": None})
    await act(world, guild, bob)
    await guild.admit(bob)
    await bob.rest.post(path, {"content": "x"})


async def test_timeout_with_the_text_of_a_javascript_date(world: World) -> None:
    """The web client Fermi sends it. The names of zones in it depend on the locale."""
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    path = f"/guilds/{guild.id}/members/{bob.id}"
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    local = end.astimezone(timezone(timedelta(hours=5, minutes=30)))
    text = f"{local:%a %b %d %Y %H:%M:%S} GMT+0530"
    for zone in ("", " (India Standard Time)", " (भारतीय मानक समय)"):
        body = {"communication_disabled_until": text + zone}
        changed = await guild.owner.rest.patch(path, body)
        assert datetime.fromisoformat(changed["communication_disabled_until"]) == end
        await guild.owner.rest.patch(path, {"communication_disabled_until": None})
    for wrong in (
        "Sun Feb 31 2027 10:00:00 GMT+0000",
        "Sun Abc 01 2027 10:00:00 GMT+0000",
        "Sun Jan 01 2027 25:00:00 GMT+0000",
        "Sun Jan 01 2027 10:00:00 GMT+9900",
        "Sun Jan 01 2027 10:00:00",
        f"{text} ({'x' * 100})",
    ):
        answer = await guild.owner.rest.call("PATCH", path, {"communication_disabled_until": wrong})
        assert (answer.status, answer.code) == (400, 50035), wrong
        assert answer.json["errors"].keys() == {"communication_disabled_until"}


async def test_bot_timeout_survives_a_kick(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "alice", guild)
    until = await silence(guild, bot)
    await kick(world, guild, bot)
    member = await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}")
    assert member["communication_disabled_until"] == until


async def test_expired_timeout_is_deleted(world: World, database: Database) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    bob, carol = await world.people("bob", "carol")
    for person in (bob, carol):
        await silence(guild, person)
        await leave(world, guild, person)
    async with database.cursor() as cur:
        await cur.execute(
            "UPDATE kept_timeouts SET until = now() - interval '1 s' WHERE user_id = %(id)s",
            {"id": int(bob.id)},
        )
        assert await members.delete_ended_timeouts(cur, limit=10) == 1
        await cur.execute(
            "SELECT user_id FROM kept_timeouts WHERE guild_id = %(id)s", {"id": int(guild.id)}
        )
        assert [row[0] for row in await cur.fetchall()] == [int(carol.id)]
    await guild.admit(bob)
    await bob.rest.post(f"/channels/{guild.general.id}/messages", {"content": "x"})


NO_SENDING = EVERYONE & ~Permissions.SEND_MESSAGES


async def time_out(_: World, guild: Guild, person: Person) -> None:
    await silence(guild, person)


async def deny_sending(_: World, guild: Guild, person: Person) -> None:
    await guild.owner.rest.put(
        f"/channels/{guild.general.id}/permissions/{person.id}",
        {"type": 1, "deny": str(int(Permissions.SEND_MESSAGES))},
    )


async def take_sending(_: World, guild: Guild, __: Person) -> None:
    await guild.owner.rest.patch(
        f"/guilds/{guild.id}/roles/{guild.id}", {"permissions": str(int(NO_SENDING))}
    )


async def hide(_: World, guild: Guild, person: Person) -> None:
    await guild.owner.rest.put(
        f"/channels/{guild.general.id}/permissions/{person.id}",
        {"type": 1, "deny": str(int(Permissions.VIEW_CHANNEL))},
    )


@pytest.mark.parametrize("act", [time_out, deny_sending, take_sending, hide, leave])
async def test_member_without_send_messages_cannot_edit(world: World, act: Act) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    path = f"/channels/{guild.general.id}/messages"
    body = {"content": "before", "embeds": [{"title": "before"}]}
    sent = await bob.rest.post(path, body)
    [client] = await world.online("alice")
    await act(world, guild, bob)
    changes: list[dict[str, Any]] = [
        {"content": "after"},
        {"embeds": [{"title": "after"}]},
        {"embeds": []},
        {"attachments": []},
        {"flags": 4},
    ]
    for change in changes:
        answer = await bob.rest.call("PATCH", f"{path}/{sent['id']}", change)
        assert answer.status == 403, (change, answer.raw)
    assert [each for each in await client.received_before_fence() if "MESSAGE" in each.t] == []
    shown = await guild.owner.rest.get(f"{path}/{sent['id']}")
    assert shown == like(content="before", edited_timestamp=None, flags=0)


async def test_edit_needs_permissions_for_added_content(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    path = f"/channels/{guild.general.id}/messages"
    sent = await bob.rest.post(path, {"content": "before"})
    bits = EVERYONE & ~Permissions.EMBED_LINKS
    everyone = f"/guilds/{guild.id}/roles/{guild.id}"
    await guild.owner.rest.patch(everyone, {"permissions": str(int(bits))})
    own = f"{path}/{sent['id']}"
    assert (await bob.rest.call("PATCH", own, {"embeds": [{"title": "x"}]})).code == 50013
    assert await bob.rest.patch(own, {"content": "after"}) == like(content="after", embeds=[])


async def test_moderator_without_send_messages_can_suppress_own_embeds(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bob = await world.person("bob")
    path = f"/channels/{guild.general.id}/messages"
    sent = await bob.rest.post(path, {"content": "before", "embeds": [{"title": "x"}]})
    manage = int(Permissions.MANAGE_MESSAGES)
    await assign_roles(world, guild, "bob", await create_role(guild, "moderator", manage))
    await deny_sending(world, guild, bob)
    assert (await bob.rest.patch(f"{path}/{sent['id']}", {"flags": 4}))["embeds"] == []
    assert (await bob.rest.call("PATCH", f"{path}/{sent['id']}", {"content": "x"})).code == 50013


SHOWN: dict[str, tuple[str, str, Any]] = {
    "a message": ("POST", "{channel}/messages", {"content": "x"}),
    "an answer": ("POST", "{channel}/messages", {"embeds": [{"title": "x"}]}),
    "typing": ("POST", "{channel}/typing", None),
    "an edit": ("PATCH", "{channel}/messages/{own}", {"content": "x"}),
    "a new reaction": ("PUT", "{channel}/messages/{theirs}/reactions/🎉/@me", None),
    "a reaction that is there": ("PUT", "{channel}/messages/{theirs}/reactions/👍/@me", None),
    "a pin": ("PUT", "{channel}/messages/pins/{theirs}", None),
    "a pin by the old path": ("PUT", "{channel}/pins/{theirs}", None),
    "a pin that is taken away": ("DELETE", "{channel}/messages/pins/{pinned}", None),
    "a topic": ("PATCH", "{channel}", {"topic": "x"}),
    "the name of a channel": ("POST", "{guild}/channels", {"name": "x"}),
    "the name of a guild": ("PATCH", "{guild}", {"name": "theirs"}),
    "the name of a role": ("POST", "{guild}/roles", {"name": "x"}),
    "its nickname": ("PATCH", "{guild}/members/@me", {"nick": "x"}),
    "its nickname by its id": ("PATCH", "{guild}/members/{self}", {"nick": "x"}),
    "an invite": ("POST", "{channel}/invites", {}),
}


@pytest.mark.parametrize("name", SHOWN)
async def test_timed_out_member_cannot_act_visibly(world: World, name: str) -> None:
    guild = await world.guild(owner="alice", members=["bob", "carol"])
    rest, bob = guild.owner.rest, await world.person("bob")
    bits = Permissions(sum(Permissions)) & ~Permissions.ADMINISTRATOR
    await assign_roles(world, guild, "bob", await create_role(guild, "all", int(bits), position=1))
    path = f"/channels/{guild.general.id}"
    own = await bob.rest.post(f"{path}/messages", {"content": "own"})
    theirs, pinned = [await rest.post(f"{path}/messages", {"content": text}) for text in "12"]
    thumb = quote("👍")
    await rest.put(f"{path}/messages/{theirs['id']}/reactions/{thumb}/@me")
    await rest.put(f"{path}/messages/pins/{pinned['id']}")
    await silence(guild, bob)
    [client] = await world.online("carol")
    method, where, body = SHOWN[name]
    target = where.format(
        channel=path,
        guild=f"/guilds/{guild.id}",
        own=own["id"],
        theirs=theirs["id"],
        pinned=pinned["id"],
        self=bob.id,
    )
    answer = await bob.rest.call(method, quote(target), body)
    assert (answer.status, answer.code) == (403, 50013), (name, answer.raw)
    assert await client.received_before_fence() == []
