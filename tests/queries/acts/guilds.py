"""Guilds, channels, roles and members, and private channels."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from chatd.core.ids import (
    AutoModRuleId,
    ChannelId,
    GuildId,
    UserId,
)
from chatd.db.cursor import Cursor
from chatd.queries import (
    auto_moderation,
    bans,
    channels,
    guild_joins,
    guilds,
    invites,
    members,
    private_channels,
    roles,
    temporary_members,
)
from tests.queries.acts.act import (
    CHANNEL,
    GROUP,
    GUILD,
    ROLE,
    USER,
    act,
)

RULE = AutoModRuleId(101)


async def _changed_rule(cur: Cursor) -> None:
    rule = await auto_moderation.get(cur, GUILD, RULE)
    assert rule is not None
    await auto_moderation.update(cur, replace(rule, name="changed"))


async def _changed_rule_of_another_guild(cur: Cursor) -> None:
    rule = await auto_moderation.get(cur, GUILD, RULE)
    assert rule is not None
    await auto_moderation.update(cur, replace(rule, name="changed", guild_id=GuildId(200)))


async def _changed_channel(cur: Cursor) -> None:
    [channel] = [each for each in await channels.list_for_guild(cur, GUILD) if each.id == CHANNEL]
    await channels.update(cur, replace(channel, name="changed"))


async def _moved_channel(cur: Cursor) -> None:
    [channel] = [each for each in await channels.list_for_guild(cur, GUILD) if each.id == CHANNEL]
    await channels.move(cur, GUILD, [replace(channel, position=7)])


async def _replaced_overwrites(cur: Cursor) -> None:
    [channel] = [each for each in await channels.list_for_guild(cur, GUILD) if each.id == CHANNEL]
    kept = tuple(each for each in channel.overwrites if each.target_id != USER)
    await channels.replace_overwrites(cur, channel, replace(channel, overwrites=kept))


async def _changed_channel_of_another_guild(cur: Cursor) -> None:
    [channel] = [each for each in await channels.list_for_guild(cur, GUILD) if each.id == CHANNEL]
    foreign = replace(channel, guild_id=GuildId(200), name="changed", position=7, parent_id=None)
    await channels.update(cur, foreign)
    await channels.move(cur, foreign.guild_id, [foreign])
    await channels.delete(cur, foreign.guild_id, foreign.id)


async def _changed_guild(cur: Cursor) -> None:
    [guild] = await guilds.by_ids(cur, [GUILD])
    await guilds.update(cur, replace(guild, name="changed"))


async def _changed_role(cur: Cursor) -> None:
    role = await roles.get(cur, GUILD, ROLE)
    assert role is not None
    await roles.update(cur, replace(role, name="changed"))


async def _moved_role(cur: Cursor) -> None:
    role = await roles.get(cur, GUILD, ROLE)
    assert role is not None
    await roles.move(cur, GUILD, [replace(role, position=7)])


async def _renamed_group(cur: Cursor) -> None:
    group = await private_channels.get(cur, GROUP)
    assert group is not None
    await private_channels.update(cur, replace(group, name="changed"))


ACTS = [
    act(
        bans.delete,
        lambda cur: bans.delete(cur, GUILD, UserId(3)),
        bans={"guild_id": GUILD, "user_id": 3},
    ),
    act(channels.update, _changed_channel, channels={"id": CHANNEL}),
    act(channels.move, _moved_channel, channels={"id": CHANNEL}),
    act(channels.delete, _changed_channel_of_another_guild),
    act(
        channels.delete,
        lambda cur: channels.delete(cur, GUILD, CHANNEL),
        channels={"id": CHANNEL},
        invites={"channel_id": CHANNEL},
        overwrites={"channel_id": CHANNEL},
        webhooks={"channel_id": CHANNEL},
    ),
    act(
        channels.copy_overwrites,
        _replaced_overwrites,
        overwrites={"channel_id": CHANNEL, "target_id": USER},
    ),
    act(
        channels.delete_overwrite,
        lambda cur: channels.delete_overwrite(cur, CHANNEL, USER),
        overwrites={"channel_id": CHANNEL, "target_id": USER},
    ),
    act(
        channels.delete_overwrites_for,
        lambda cur: channels.delete_overwrites_for(cur, GUILD, USER),
        overwrites={"guild_id": GUILD, "target_id": USER},
    ),
    act(guilds.update, _changed_guild, guilds={"id": GUILD}),
    act(
        guilds.delete,
        lambda cur: guilds.delete(cur, GUILD),
        guilds={"id": GUILD},
        guild_retentions={"guild_id": GUILD},
        guild_joins={"guild_id": GUILD},
        guild_integrations={"guild_id": GUILD},
        roles={"guild_id": GUILD},
        channels={"guild_id": GUILD},
        overwrites={"guild_id": GUILD},
        invites={"guild_id": GUILD},
        webhooks={"guild_id": GUILD},
        auto_moderation_rules={"guild_id": GUILD},
    ),
    act(auto_moderation.update, _changed_rule, auto_moderation_rules={"id": RULE}),
    act(auto_moderation.update, _changed_rule_of_another_guild),
    act(
        auto_moderation.delete,
        lambda cur: auto_moderation.delete(cur, GUILD, RULE),
        auto_moderation_rules={"id": RULE},
    ),
    act(auto_moderation.delete, lambda cur: auto_moderation.delete(cur, GuildId(200), RULE)),
    act(
        auto_moderation.raise_revision,
        lambda cur: auto_moderation.raise_revision(cur, GUILD),
        guilds={"id": GUILD},
    ),
    act(
        guild_joins.reset,
        lambda cur: guild_joins.reset(cur, GUILD),
        guild_joins={"guild_id": GUILD},
    ),
    act(invites.consume, lambda cur: invites.consume(cur, "first"), invites={"code": "first"}),
    act(invites.consume, lambda cur: invites.consume(cur, "used up")),
    act(invites.consume, lambda cur: invites.consume(cur, "expired")),
    act(invites.delete, lambda cur: invites.delete(cur, "first"), invites={"code": "first"}),
    act(
        invites.delete_expired,
        lambda cur: invites.delete_expired(cur, limit=9),
        invites=[{"code": "expired"}, {"code": "used up"}],
    ),
    act(
        members.delete,
        lambda cur: members.delete(cur, GUILD, USER),
        guild_members={"guild_id": GUILD, "user_id": USER},
        member_roles={"guild_id": GUILD, "user_id": USER},
        temporary_members={"guild_id": GUILD, "user_id": USER},
        user_guild_settings={"guild_id": GUILD, "user_id": USER},
    ),
    act(
        members.update,
        lambda cur: members.update(
            cur, GUILD, USER, nick="changed", communication_disabled_until=datetime.now(UTC)
        ),
        guild_members={"guild_id": GUILD, "user_id": USER},
    ),
    act(private_channels.update, _renamed_group, channels={"id": GROUP}),
    act(
        private_channels.remove_recipient,
        lambda cur: private_channels.remove_recipient(cur, GROUP, USER),
        dm_recipients={"channel_id": GROUP, "user_id": USER},
        read_states={"channel_id": GROUP, "user_id": USER},
    ),
    act(
        private_channels.close,
        lambda cur: private_channels.close(cur, GROUP, USER),
        dm_recipients={"channel_id": GROUP, "user_id": USER},
    ),
    act(
        private_channels.reopen,
        lambda cur: private_channels.reopen(cur, ChannelId(312)),
        dm_recipients={"channel_id": 312},
    ),
    act(
        private_channels.reopen,
        lambda cur: private_channels.reopen(cur, ChannelId(312), USER),
        dm_recipients={"channel_id": 312, "user_id": USER},
    ),
    act(
        private_channels.delete,
        lambda cur: private_channels.delete(cur, GROUP),
        channels={"id": GROUP},
        dm_recipients={"channel_id": GROUP},
    ),
    act(roles.update, _changed_role, roles={"id": ROLE}),
    act(
        roles.delete,
        lambda cur: roles.delete(cur, GUILD, ROLE),
        roles={"id": ROLE},
    ),
    act(
        roles.unassign,
        lambda cur: roles.unassign(cur, GUILD, USER, ROLE),
        member_roles={"guild_id": GUILD, "user_id": USER, "role_id": ROLE},
    ),
    act(
        members.delete_ended_timeouts,
        lambda cur: members.delete_ended_timeouts(cur, limit=9),
        kept_timeouts={"user_id": 3},
    ),
    act(
        roles.move,
        _moved_role,
        roles={"id": ROLE},
    ),
    act(
        temporary_members.record_connected,
        lambda cur: temporary_members.record_connected(cur, [USER]),
        temporary_members={"user_id": USER},
    ),
    act(
        temporary_members.make_permanent,
        lambda cur: temporary_members.make_permanent(cur, GUILD),
        temporary_members={"user_id": USER, "guild_id": GUILD},
    ),
    act(
        temporary_members.make_permanent,
        temporary_members.make_permanent,
        temporary_members={"user_id": USER},  # it has roles, and the other one has none
    ),
]
