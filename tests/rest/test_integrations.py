"""Integrations: applications in guilds, their bots, and the managed roles of the bots."""

from __future__ import annotations

from chatd.core.intents import ALL_INTENTS, Intents
from chatd.core.permissions import Permissions
from tests.helpers.roles import assign_roles, create_role
from tests.world import World, like


async def test_added_bot_is_an_integration(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", owner="carol")
    [watching, client] = await world.online("bob", "bot")
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}")
    created = (await watching.next("INTEGRATION_CREATE")).d
    assert created == like(id=bot.id, guild_id=guild.id, type="discord", name=bot.name)
    assert created["application"] == like(id=bot.id, bot=like(id=bot.id, bot=True))
    assert "user" not in created
    assert (await watching.next("GUILD_INTEGRATIONS_UPDATE")).d == {"guild_id": guild.id}
    assert (await client.next("GUILD_CREATE")).d == like(id=guild.id)
    [listed] = await guild.owner.rest.get(f"/guilds/{guild.id}/integrations")
    assert listed == like(
        id=bot.id,
        enabled=True,
        account={"id": bot.id, "name": bot.name},
        scopes=["bot", "applications.commands"],
        user=like(id=guild.owner.id),
    )
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?limit=2")
    assert [entry["action_type"] for entry in log["audit_log_entries"]] == [80, 28]
    assert log["integrations"] == [like(id=bot.id, application_id=bot.id, type="discord")]


async def test_integration_ends_with_the_membership_of_its_bot(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "carol", guild)
    [watching] = await world.online("bob")
    path = f"/guilds/{guild.id}"

    async def ended() -> None:
        gone = {"id": bot.id, "application_id": bot.id, "guild_id": guild.id}
        assert (await watching.next("INTEGRATION_DELETE")).d == gone
        assert (await watching.next("GUILD_INTEGRATIONS_UPDATE")).d == {"guild_id": guild.id}
        assert await guild.owner.rest.get(f"{path}/integrations") == []

    await guild.owner.rest.delete(f"{path}/members/{bot.id}")
    await ended()
    await guild.owner.rest.put(f"{path}/members/{bot.id}")
    await bot.rest.delete(f"/users/@me/guilds/{guild.id}")
    await ended()
    await guild.owner.rest.put(f"{path}/members/{bot.id}")
    await guild.owner.rest.put(f"{path}/bans/{bot.id}", {})
    await ended()
    await guild.owner.rest.delete(f"{path}/bans/{bot.id}")
    await guild.owner.rest.put(f"{path}/members/{bot.id}")
    await world.rest("carol").delete(f"/applications/{bot.id}")
    await ended()


async def test_removed_integration_takes_its_bot_along(world: World) -> None:
    guild = await world.guild(owner="alice")
    bot = await world.bot("bot", "carol", guild)
    [watching, client] = await world.online("alice", "bot")
    path = f"/guilds/{guild.id}/integrations/{bot.id}"
    await guild.owner.rest.delete(path)
    assert (await client.next("GUILD_DELETE")).d == {"id": guild.id}
    assert (await watching.next("GUILD_MEMBER_REMOVE")).d["user"]["id"] == bot.id
    assert (await watching.next("INTEGRATION_DELETE")).d["id"] == bot.id
    log = await guild.owner.rest.get(f"/guilds/{guild.id}/audit-logs?limit=2")
    removed, kicked = log["audit_log_entries"]
    assert removed == like(action_type=82, target_id=bot.id, user_id=guild.owner.id)
    assert kicked == like(action_type=20, target_id=bot.id, options={"integration_type": "discord"})
    assert log["integrations"] == []
    gone = await guild.owner.rest.call("DELETE", path)
    assert (gone.status, gone.code) == (404, 10005)


async def test_webhooks_of_a_bot_end_with_its_integration(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "carol", guild)
    manager = await create_role(guild, "webhooks", int(Permissions.MANAGE_WEBHOOKS))
    await assign_roles(world, guild, "bot", manager)
    path = f"/channels/{guild.general.id}/webhooks"
    own = await bot.rest.post(path, {"name": "own"})
    other = await guild.owner.rest.post(path, {"name": "other"})
    [watching] = await world.online("bob")
    await guild.owner.rest.delete(f"/guilds/{guild.id}/integrations/{bot.id}")
    changed = {"guild_id": guild.id, "channel_id": guild.general.id}
    assert (await watching.next("WEBHOOKS_UPDATE")).d == changed
    assert [each["id"] for each in await guild.owner.rest.get(path)] == [other["id"]]
    gone = await guild.owner.rest.call("GET", f"/webhooks/{own['id']}")
    assert (gone.status, gone.code) == (404, 10015)


async def test_manager_below_a_bot_cannot_remove_it(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", "carol", guild)
    manager = await create_role(guild, "manager", int(Permissions.MANAGE_GUILD), position=1)
    higher = await create_role(guild, "higher", position=2)
    await assign_roles(world, guild, "bob", manager)
    await assign_roles(world, guild, "bot", higher)
    refused = await world.rest("bob").call("DELETE", f"/guilds/{guild.id}/integrations/{bot.id}")
    assert (refused.status, refused.code) == (403, 50013)
    assert await guild.owner.rest.get(f"/guilds/{guild.id}/members/{bot.id}")


async def test_integrations_with_commands_are_listed_alone(world: World) -> None:
    guild = await world.guild(owner="alice")
    idle = await world.bot("idle", "carol", guild)
    path = f"/guilds/{guild.id}/integrations"
    command = {"name": "ping", "description": "Ping."}
    of_guild, everywhere = [await world.bot(name, "carol", guild) for name in ("one", "two")]
    url = f"/applications/{of_guild.id}/guilds/{guild.id}/commands"
    await of_guild.rest.post(url, command)
    await everywhere.rest.post(f"/applications/{everywhere.id}/commands", command)
    found = await guild.owner.rest.get(f"{path}?has_commands=true&include_applications=true")
    assert [each["id"] for each in found] == [of_guild.id, everywhere.id]
    assert idle.id in {each["id"] for each in await guild.owner.rest.get(path)}


async def test_events_of_integrations_need_their_intent(world: World) -> None:
    guild = await world.guild(owner="alice", members=["bob"])
    bot = await world.bot("bot", owner="carol")
    await world.person("bob")
    [bob] = await world.online("bob", intents=int(ALL_INTENTS & ~Intents.GUILD_INTEGRATIONS))
    await guild.owner.rest.put(f"/guilds/{guild.id}/members/{bot.id}")
    await bob.next("GUILD_MEMBER_ADD")
    await guild.owner.rest.delete(f"/guilds/{guild.id}/integrations/{bot.id}")
    names = {each.t for each in await bob.received_before_fence()}
    assert "GUILD_MEMBER_REMOVE" in names
    assert not {each for each in names if "INTEGRATION" in each}
