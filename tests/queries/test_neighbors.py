"""Statements that change or delete rows touch exactly those rows, and none of their neighbors.

The table below has an entry for each such function of `chatd.queries`: how it is called, and which
rows of the scene it may touch. Each call runs in a transaction that is rolled back.
"""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import psycopg2
import pytest

from chatd import queries
from chatd.core.commands import CommandPermissions
from chatd.core.ids import (
    AttachmentId,
    ChannelId,
    CommandId,
    GuildId,
    InteractionId,
    LoginId,
    MessageId,
    RoleId,
    StreamId,
    UploadId,
    UserId,
    WebhookId,
)
from chatd.core.interactions import InteractionState
from chatd.core.models import Attachment, MessageType
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import (
    administration,
    application_commands,
    applications,
    attachments,
    bans,
    channels,
    command_permissions,
    crossposts,
    ephemeral_messages,
    files,
    guilds,
    integrations,
    interactions,
    invitations,
    invites,
    logins,
    members,
    mentions,
    message_inserts,
    messages,
    notes,
    notifications,
    pending_deletions,
    pins,
    private_channels,
    reactions,
    relationships,
    reserved_uploads,
    roles,
    search_index,
    search_upkeep,
    temporary_members,
    user_settings,
    users,
    webhooks,
    workers,
)
from chatd.queries.crossposts import Crosspost
from chatd.queries.message_inserts import NewRow
from chatd.queries.messages import MessageEdit
from chatd.queries.pending_deletions import PendingDeletion
from tests.helpers.databases import NewDatabase
from tests.queries import scene

Touched: TypeAlias = dict[str, list[dict[str, Any]]]
"""Patterns of rows by table. A row may be touched when it has all values of one pattern."""

GUILD, CHANNEL, MESSAGE = GuildId(100), ChannelId(110), MessageId(1001)
BOT = UserId(8)
WEBHOOK = WebhookId(1101)
WHISPER, INTERACTION = MessageId(8001), InteractionId(7001)
USER, ROLE, GROUP = UserId(2), RoleId(101), ChannelId(320)
GUILDS = [GUILD, GuildId(200)]
CROSSPOST = Crosspost(CHANNEL, MESSAGE, 0, 1, 0)
FIRST = {"channel_id": 110, "message_id": 1001}


@dataclass(frozen=True)
class Act:
    """A call of a function of `chatd.queries`, and the rows that it touches."""

    covers: Callable[..., Any]
    call: Callable[[Cursor], Awaitable[object]]
    touches: Touched


def act(
    covers: Callable[..., Any], call: Callable[[Cursor], Awaitable[object]], **touches: Any
) -> Act:
    """Return an act. The patterns of a table may be a single dict."""
    patterns = {
        table: each if isinstance(each, list) else [each] for table, each in touches.items()
    }
    return Act(covers, call, patterns)


async def _trimmed_mentions(cur: Cursor) -> None:
    await mentions.trim_removed(cur, USER, most=2)


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


async def _changed_application(cur: Cursor) -> None:
    application = await applications.get(cur, UserId(8))
    assert application is not None
    await applications.update(cur, replace(application, name="changed"))


async def _renamed_commands(cur: Cursor) -> None:
    """Exchange the names of two global commands; those of the other bot have the same ones."""
    first, second = await application_commands.by_ids(cur, [5080, 5081])
    exchanged = [replace(first, name=second.name), replace(second, name=first.name)]
    await application_commands.save(cur, exchanged, renamed=[first.id, second.id])


async def _changed_webhook(cur: Cursor) -> None:
    webhook = await webhooks.get(cur, WEBHOOK)
    assert webhook is not None
    await webhooks.update(cur, replace(webhook, name="changed", channel_id=ChannelId(111)))


async def _changed_webhook_of_another_guild(cur: Cursor) -> None:
    webhook = await webhooks.get(cur, WEBHOOK)
    assert webhook is not None
    await webhooks.update(cur, replace(webhook, name="changed", guild_id=GuildId(200)))


async def _renamed_group(cur: Cursor) -> None:
    group = await private_channels.get(cur, GROUP)
    assert group is not None
    await private_channels.update(cur, replace(group, name="changed"))


def _edit() -> MessageEdit:
    return MessageEdit("changed", 0, (), (), (), False, 0)


def _row(channel_id: ChannelId, *files: Attachment) -> NewRow:
    stream, channel = StreamId(GUILD), channel_id
    return NewRow(stream, 0, channel, USER, MessageType.DEFAULT, "text", attachments=files)


def _file(file_id: int) -> Attachment:
    return Attachment(AttachmentId(file_id), "name", "text/plain", 1, None, None, None, "")


IN_GUILD, OF_CHANNELS = {"guild_id": GUILD}, {"channel_ids": [str(CHANNEL)]}
SWEPT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "members",
        IN_GUILD,
        {
            "guild_members": IN_GUILD,
            "member_roles": IN_GUILD,
            "temporary_members": IN_GUILD,
            "user_guild_settings": IN_GUILD,
        },
    ),
    ("bans", IN_GUILD, {"bans": IN_GUILD}),
    ("webhook_avatars", IN_GUILD, {"webhook_avatars": IN_GUILD}),
    ("audit_logs", IN_GUILD, {"audit_logs": IN_GUILD}),
    (
        "member_roles",
        {"guild_id": GUILD, "role_ids": [ROLE]},
        {"member_roles": {"guild_id": GUILD, "role_id": ROLE}},
    ),
    ("read_states", OF_CHANNELS, {"read_states": {"channel_id": CHANNEL}}),
    ("read_states_of_user", {"user_id": USER}, {"read_states": {"user_id": USER}}),
    (
        "users_of_application",
        {"application_id": 8},
        {"user_integrations": {"application_id": 8}},
    ),
    ("reactions", FIRST, {"reactions": FIRST}),
    ("reactions", {**FIRST, "emoji": "+"}, {"reactions": {**FIRST, "emoji": "+"}}),
    ("reactions", {**FIRST, "until": "2000-01-01T00:00:00Z"}, {}),
]
"""Kinds of pending deletions, their details, and the rows that they delete."""


def _swept(kind: str, details: dict[str, Any], touches: dict[str, Any]) -> Act:
    deletion = PendingDeletion(-4, kind, details)
    return act(
        pending_deletions.sweep,
        lambda cur: pending_deletions.sweep(cur, deletion, limit=99),
        **touches,
    )


ACTS = [
    act(
        administration.set_administrator,
        lambda cur: administration.set_administrator(cur, USER, True),
        users={"id": USER},
    ),
    act(
        administration.set_disabled,
        lambda cur: administration.set_disabled(cur, USER, True),
        users={"id": USER},
    ),
    act(
        administration.set_password,
        lambda cur: administration.set_password(cur, USER, "other"),
        users={"id": USER},
    ),
    act(applications.update, _changed_application, applications={"id": 8}),
    act(
        applications.delete,
        lambda cur: applications.delete(cur, UserId(8)),
        applications={"id": 8},
        application_commands={"application_id": 8},
        application_command_scopes={"application_id": 8},
        application_command_permissions={"application_id": 8},
        guild_integrations={"application_id": 8},
    ),
    act(
        application_commands.save,
        _renamed_commands,
        application_commands=[{"id": 5080}, {"id": 5081}],
    ),
    act(
        application_commands.delete,
        lambda cur: application_commands.delete(cur, [CommandId(5080)]),
        application_commands={"id": 5080},
    ),
    act(
        application_commands.delete_in_guild,
        lambda cur: application_commands.delete_in_guild(cur, GUILD, BOT),
        application_commands={**IN_GUILD, "application_id": 8},
        application_command_scopes={**IN_GUILD, "application_id": 8},
        application_command_permissions={**IN_GUILD, "application_id": 8},
    ),
    act(
        command_permissions.save,
        lambda cur: command_permissions.save(cur, CommandPermissions(GUILD, BOT, 5080, ())),
        application_command_permissions={**IN_GUILD, "application_id": 8, "command_id": 5080},
    ),
    act(
        command_permissions.delete_for_commands,
        lambda cur: command_permissions.delete_for_commands(cur, BOT, [CommandId(5080)]),
        application_command_permissions={"application_id": 8, "command_id": 5080},
    ),
    act(
        integrations.delete,
        lambda cur: integrations.delete(cur, GUILD, UserId(8)),
        guild_integrations={"guild_id": GUILD, "application_id": 8},
    ),
    act(
        integrations.delete_for_user,
        lambda cur: integrations.delete_for_user(cur, USER, UserId(8)),
        user_integrations={"user_id": USER, "application_id": 8},
    ),
    act(
        integrations.delete_all_for_user,
        lambda cur: integrations.delete_all_for_user(cur, USER),
        user_integrations={"user_id": USER},
    ),
    act(
        attachments.insert,
        lambda cur: attachments.insert(cur, CHANNEL, MESSAGE, [_file(1)]),
        uploads={"id": 1},
    ),
    act(
        attachments.delete,
        lambda cur: attachments.delete(cur, CHANNEL, MESSAGE, [AttachmentId(10011)]),
        attachments={**FIRST, "id": 10011},
    ),
    act(  # of another message
        attachments.delete,
        lambda cur: attachments.delete(cur, CHANNEL, MESSAGE, [AttachmentId(10021)]),
    ),
    act(
        attachments.set_description,
        lambda cur: attachments.set_description(cur, CHANNEL, MESSAGE, _file(10021)),
    ),
    act(
        attachments.set_description,
        lambda cur: attachments.set_description(cur, CHANNEL, MESSAGE, _file(10011)),
        attachments={**FIRST, "id": 10011},
    ),
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
    act(
        attachments.delete,
        lambda cur: attachments.delete(
            cur,
            CHANNEL,
            WHISPER,
            [AttachmentId(1), AttachmentId(2)],
            table=ephemeral_messages.TABLE,
        ),
        ephemeral_attachments={"channel_id": CHANNEL, "message_id": WHISPER},
    ),
    act(
        attachments.set_description,
        lambda cur: attachments.set_description(
            cur, CHANNEL, WHISPER, _file(1), table=ephemeral_messages.TABLE
        ),
        ephemeral_attachments={"channel_id": CHANNEL, "message_id": WHISPER},
    ),
    act(
        ephemeral_messages.update,
        lambda cur: ephemeral_messages.update(cur, USER, WHISPER, _edit(), edited=True),
        ephemeral_messages={"id": WHISPER},
    ),
    act(
        ephemeral_messages.update,
        lambda cur: ephemeral_messages.update(cur, UserId(3), WHISPER, _edit(), edited=True),
    ),
    act(
        ephemeral_messages.delete,
        lambda cur: ephemeral_messages.delete(cur, USER, WHISPER),
        ephemeral_messages={"id": WHISPER},
        ephemeral_attachments={"channel_id": CHANNEL, "message_id": WHISPER},
    ),
    act(
        ephemeral_messages.delete,
        lambda cur: ephemeral_messages.delete(cur, UserId(3), WHISPER),
    ),
    act(
        ephemeral_messages.delete_old,
        lambda cur: ephemeral_messages.delete_old(cur, before=scene.TIMELESS, limit=99),
        ephemeral_messages=[{"id": 8001}, {"id": 8002}],
    ),
    act(
        ephemeral_messages.delete_old_files,
        lambda cur: ephemeral_messages.delete_old_files(cur, before=scene.TIMELESS, limit=99),
        ephemeral_attachments=[{"id": 1}, {"id": 2}],
    ),
    act(
        interactions.set_state,
        lambda cur: interactions.set_state(
            cur, INTERACTION, InteractionState.ACKNOWLEDGED, modal={}
        ),
        interactions={"id": INTERACTION},
    ),
    act(
        interactions.set_response,
        lambda cur: interactions.set_response(
            cur, INTERACTION, InteractionState.RESPONDED, MESSAGE, is_ephemeral=False
        ),
        interactions={"id": INTERACTION},
    ),
    act(
        interactions.fail,
        lambda cur: interactions.fail(cur, INTERACTION),
        interactions={"id": INTERACTION},
    ),
    act(
        interactions.fail,
        lambda cur: interactions.fail(cur, InteractionId(scene.TIMELESS + 7004)),
    ),
    act(
        interactions.delete_old,
        lambda cur: interactions.delete_old(cur, before=scene.TIMELESS, limit=99),
        interactions=[{"id": 7001}, {"id": 7002}],
    ),
    act(
        files.discard_uploads,
        lambda cur: files.discard_uploads(cur, [AttachmentId(1)]),
        uploads={"id": 1},
    ),
    act(
        files.discard_old_uploads,
        lambda cur: files.discard_old_uploads(cur, limit=9),
        uploads=[{"id": 1}, {"id": 2}],
    ),
    act(
        files.finish_upload,
        lambda cur: files.finish_upload(cur, AttachmentId(1), USER, 9),
        uploads={"id": 1},
    ),
    act(
        files.expire_reservation,
        lambda cur: files.expire_reservation(cur, "first"),
        doomed_files={"key": "first"},
    ),
    act(
        files.postpone_deletion,
        lambda cur: files.postpone_deletion(cur, "first"),
        doomed_files={"key": "first"},
    ),
    act(files.claim, lambda cur: files.claim(cur, "first"), doomed_files={"key": "first"}),
    act(
        files.mark_deleted,
        lambda cur: files.mark_deleted(cur, ["first"]),
        doomed_files={"key": "first"},
    ),
    act(guilds.update, _changed_guild, guilds={"id": GUILD}),
    act(
        guilds.delete,
        lambda cur: guilds.delete(cur, GUILD),
        guilds={"id": GUILD},
        guild_integrations={"guild_id": GUILD},
        application_commands=IN_GUILD,
        application_command_scopes=IN_GUILD,
        application_command_permissions=IN_GUILD,
        roles={"guild_id": GUILD},
        channels={"guild_id": GUILD},
        overwrites={"guild_id": GUILD},
        invites={"guild_id": GUILD},
        webhooks={"guild_id": GUILD},
    ),
    act(
        invitations.consume,
        lambda cur: invitations.consume(cur, "first"),
        registration_invitations={"code": "first"},
    ),
    act(
        invitations.delete,
        lambda cur: invitations.delete(cur, "first"),
        registration_invitations={"code": "first"},
    ),
    act(
        invitations.delete_expired,
        lambda cur: invitations.delete_expired(cur, limit=9),
        registration_invitations=[{"code": "expired"}, {"code": "used up"}],
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
        logins.mark_used,
        lambda cur: logins.mark_used(cur, scene.token(12, expired=False)),
        refresh_tokens={"token_hash": "\\x" + scene.token(12, expired=False).hex()},
        logins={"id": 12},
    ),
    act(
        logins.revoke,
        lambda cur: logins.revoke(cur, UserId(1), [LoginId(11), LoginId(21)]),
        logins={"id": 11},
    ),
    act(
        logins.revoke_all,
        lambda cur: logins.revoke_all(cur, UserId(1), except_id=None),
        logins={"user_id": 1},
    ),
    act(
        logins.revoke_all,
        lambda cur: logins.revoke_all(cur, UserId(1), except_id=LoginId(12)),
        logins=[{"id": 11}, {"id": 13}, {"id": 14}],
    ),
    act(
        logins.find_caller_and_record_use,
        lambda cur: logins.find_caller_and_record_use(
            cur, LoginId(11), UserId(1), may_expire=False, lifetime_s=9
        ),
        logins={"id": 11},
    ),
    act(
        logins.find_caller_and_record_use,
        lambda cur: logins.find_caller_and_record_use(
            cur, LoginId(11), UserId(2), may_expire=False, lifetime_s=9
        ),
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
    act(
        message_inserts._insert,
        lambda cur: message_inserts.insert_many(
            cur, [MessageId(2001)], [_row(CHANNEL, _file(1))], wait=True
        ),
        streams={"id": GUILD},
        uploads={"id": 1},
    ),
    act(
        message_inserts.insert_in_transaction,
        lambda cur: message_inserts.insert_in_transaction(
            cur, MessageId(2001), _row(CHANNEL, _file(1))
        ),
        streams={"id": GUILD},
        uploads={"id": 1},
    ),
    act(
        messages.update,
        lambda cur: messages.update(
            cur, CHANNEL, MESSAGE, MessageEdit("changed", 0, (), (), (), False, 0), edited=True
        ),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
    ),
    act(
        messages.delete,
        lambda cur: messages.delete(cur, CHANNEL, MESSAGE),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
        attachments=FIRST,
        reactions=FIRST,
    ),
    act(
        messages.delete_many,
        lambda cur: messages.delete_many(cur, CHANNEL, [MESSAGE, MessageId(9)]),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
        attachments=FIRST,
        reactions=FIRST,
    ),
    act(
        messages.delete_orphaned,
        lambda cur: messages.delete_orphaned(cur, limit=100),
        messages={"channel_id": scene.GONE[0]},
    ),
    act(
        pins.insert,
        lambda cur: pins.insert(cur, CHANNEL, MESSAGE),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
    ),
    act(
        pins.delete,
        lambda cur: pins.delete(cur, CHANNEL, MESSAGE),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
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
    act(
        reactions.delete,
        lambda cur: reactions.delete(cur, CHANNEL, MESSAGE, "+", USER),
        reactions={**FIRST, "emoji": "+", "user_id": USER},
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
        search_index.extend,
        lambda cur: search_index.extend(cur, StreamId(GUILD), size=2),
        search_streams={"stream_id": GUILD},
    ),
    act(
        search_upkeep.apply_edits,
        lambda cur: search_upkeep.apply_edits(cur, limit=100),
        search_edits={},
    ),
    act(
        users.update_credentials,
        lambda cur: users.update_credentials(
            cur, USER, email="a@b", email_key="a@b", password_hash="other"
        ),
        users={"id": USER},
    ),
    act(
        users.update_profile,
        lambda cur: users.update_profile(
            cur,
            USER,
            username="changed",
            username_key="changed",
            global_name=None,
            avatar=None,
            bio="",
        ),
        users={"id": USER},
    ),
    act(
        users.anonymize,
        lambda cur: users.anonymize(cur, USER, username="changed", username_key="changed"),
        users={"id": USER},
    ),
    act(
        logins.delete_expired_tokens,
        lambda cur: logins.delete_expired_tokens(cur, limit=9),
        refresh_tokens=[
            {"token_hash": "\\x" + scene.token(login, expired=True).hex()} for login in (12, 14)
        ],
    ),
    act(
        logins.delete_expired,
        lambda cur: logins.delete_expired(cur, limit=9),
        logins={"id": 13},
    ),
    act(
        logins.record_uses,
        lambda cur: logins.record_uses(cur, [LoginId(11), LoginId(14)], lifetime_s=9),
        logins=[{"id": 11}, {"id": 14}],
    ),
    act(
        logins.delete_expired_without_client_token,
        lambda cur: logins.delete_expired_without_client_token(cur, limit=9),
        logins={"id": 11},
        refresh_tokens={"token_hash": "\\x" + scene.token(11, expired=True).hex()},
    ),
    act(
        members.delete_ended_timeouts,
        lambda cur: members.delete_ended_timeouts(cur, limit=9),
        kept_timeouts={"user_id": 3},
    ),
    act(
        message_inserts.delete_nonces,
        lambda cur: message_inserts.delete_nonces(cur, before=scene.TIMELESS, limit=99),
        nonces={"nonce": "old"},
    ),
    act(
        message_inserts.delete_slow_modes,
        lambda cur: message_inserts.delete_slow_modes(cur, before=scene.TIMELESS, limit=99),
        slow_modes={"user_id": 1},
    ),
    act(
        reactions.delete_batch,
        lambda cur: reactions.delete_batch(cur, CHANNEL, MESSAGE, limit=99),
        reactions=FIRST,
    ),
    act(
        reactions.delete_batch,
        lambda cur: reactions.delete_batch(cur, CHANNEL, MESSAGE, "+", limit=99),
        reactions={**FIRST, "emoji": "+"},
    ),
    act(
        relationships.set_nickname,
        lambda cur: relationships.set_nickname(cur, UserId(1), USER, "changed"),
        relationships={"user_id": 1, "other_id": USER},
    ),
    act(
        relationships.delete,
        lambda cur: relationships.delete(cur, UserId(1), USER),
        relationships={"user_id": 1, "other_id": USER},
    ),
    act(
        relationships.delete_of_deleted,
        lambda cur: relationships.delete_of_deleted(cur, UserId(1)),
        relationships=[{"user_id": 1}, {"other_id": 1, "type": 1}],
    ),
    act(
        roles.move,
        _moved_role,
        roles={"id": ROLE},
    ),
    act(
        search_index._describe,
        lambda cur: search_index.extend(cur, StreamId(200), size=2),
        search_streams={"stream_id": 200},
    ),
    act(
        search_upkeep.delete_orphaned_marks,
        search_upkeep.delete_orphaned_marks,
        search_unindexed={"message_id": 9},
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
    act(
        user_settings.restrict_guilds,
        lambda cur: user_settings.restrict_guilds(cur, USER, [GUILD]),
        guild_members={"guild_id": GUILD, "user_id": USER},
    ),
    act(
        user_settings.restrict_guilds,
        lambda cur: user_settings.restrict_guilds(cur, UserId(3), GUILDS),
        guild_members={"user_id": 3},
    ),
    act(
        crossposts.take,
        lambda cur: crossposts.take(cur, lease_s=9),
        crossposts=FIRST,
    ),
    act(
        crossposts.advance,
        lambda cur: crossposts.advance(cur, CROSSPOST, 9, is_done=True),
        crossposts=FIRST,
    ),
    act(  # of an earlier revision
        crossposts.advance,
        lambda cur: crossposts.advance(cur, replace(CROSSPOST, revision=0), 9, is_done=True),
    ),
    act(
        crossposts.delete,
        lambda cur: crossposts.delete(cur, CHANNEL, MESSAGE),
        crossposts=FIRST,
        crosspost_copies={"source_channel_id": CHANNEL, "source_message_id": MESSAGE},
    ),
    act(
        crossposts.raise_revision,
        lambda cur: crossposts.raise_revision(cur, CROSSPOST, WEBHOOK),
        crosspost_copies={
            "source_channel_id": CHANNEL,
            "source_message_id": MESSAGE,
            "webhook_id": WEBHOOK,
        },
    ),
    act(
        crossposts.raise_revision,  # it has this revision
        lambda cur: crossposts.raise_revision(cur, CROSSPOST, WebhookId(1102)),
    ),
    act(
        messages.set_flags,
        lambda cur: messages.set_flags(cur, CHANNEL, MESSAGE, 1),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
    ),
    act(webhooks.update, _changed_webhook, webhooks={"id": WEBHOOK}),
    act(
        webhooks.delete_for_application,
        lambda cur: webhooks.delete_for_application(cur, GUILD, UserId(8)),
        webhooks={"guild_id": GUILD, "application_id": 8},
    ),
    act(webhooks.update, _changed_webhook_of_another_guild),
    act(
        webhooks.delete,
        lambda cur: webhooks.delete(cur, WEBHOOK),
        webhooks={"id": WEBHOOK},
    ),
    act(
        notes.delete,
        lambda cur: notes.delete(cur, USER, UserId(3)),
        user_notes={"user_id": USER, "target_id": 3},
    ),
    act(
        notes.delete_all,
        lambda cur: notes.delete_all(cur, USER),
        user_notes={"user_id": USER},
    ),
    act(
        reserved_uploads.fill,
        lambda cur: reserved_uploads.fill(cur, UploadId(2), _file(9)),
        reserved_uploads={"id": 2},
    ),
    act(
        reserved_uploads.take,
        lambda cur: reserved_uploads.take(cur, UploadId(1), USER, CHANNEL),
        reserved_uploads={"id": 1},
    ),
    act(
        reserved_uploads.delete,
        lambda cur: reserved_uploads.delete(cur, UploadId(1), USER),
        reserved_uploads={"id": 1},
    ),
    act(
        reserved_uploads.delete_expired,
        lambda cur: reserved_uploads.delete_expired(cur, limit=9),
        reserved_uploads={"id": 1},
    ),
    act(
        mentions.trim_removed,
        _trimmed_mentions,
        removed_mentions={"user_id": USER, "message_id": 1},
    ),
    act(
        mentions.delete_removed,
        lambda cur: mentions.delete_removed(cur, before=2, limit=9),
        removed_mentions={"message_id": 1},
    ),
    act(
        mentions.delete_of_user,
        lambda cur: mentions.delete_of_user(cur, USER),
        removed_mentions={"user_id": USER},
    ),
    act(
        notifications.delete,
        lambda cur: notifications.delete(cur, USER),
        user_guild_settings={"user_id": USER},
    ),
    act(
        user_settings.delete,
        lambda cur: user_settings.delete(cur, USER),
        user_settings={"user_id": USER},
        user_settings_protos={"user_id": USER},
    ),
    act(
        pending_deletions.take,
        lambda cur: pending_deletions.take(cur, ["bans"], lease_s=9),
        pending_deletions={"id": -4},
    ),
    act(
        pending_deletions.advance,
        lambda cur: pending_deletions.advance(cur, -4, {}),
        pending_deletions={"id": -4},
    ),
    act(
        pending_deletions.release,
        lambda cur: pending_deletions.release(cur, -4),
        pending_deletions={"id": -4},
    ),
    act(
        pending_deletions.delete,
        lambda cur: pending_deletions.delete(cur, -4),
        pending_deletions={"id": -4},
    ),
    *(_swept(kind, details, touches) for kind, details, touches in SWEPT),
    act(
        workers.renew,
        lambda cur: workers.renew(cur, 1, "holder", until_ms=5, lease_s=5),
        workers={"id": 1},
    ),
    act(workers.renew, lambda cur: workers.renew(cur, 1, "other", until_ms=5, lease_s=5)),
    act(
        workers.release,
        lambda cur: workers.release(cur, 1, "holder", last_ms=5),
        workers={"id": 1},
    ),
    act(workers.release, lambda cur: workers.release(cur, 1, "other", last_ms=5)),
]

ONE_OF = {search_upkeep.delete_orphans: "stream_id"}
"""Functions that choose the rows themselves, and the column that identifies a choice."""


@pytest.fixture(scope="module")
def connection(
    migrated_database: NewDatabase,
) -> Iterator[psycopg2.extensions.connection]:
    url = migrated_database("neighbors")
    opened = psycopg2.connect(url)
    scene.fill(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def rows(connection: psycopg2.extensions.connection) -> dict[str, list[scene.Row]]:
    return scene.snapshot(connection)


@pytest.fixture(scope="module")
async def database(connection: psycopg2.extensions.connection) -> AsyncIterator[Database]:
    parameters = connection.get_dsn_parameters()
    url = " ".join(f"{key}='{parameters[key]}'" for key in ("host", "port", "dbname", "user"))
    opened = Database(url, size=1)
    await opened.open()
    yield opened
    await opened.close()


async def _touched_by(
    database: Database, call: Callable[[Cursor], Awaitable[object]]
) -> list[tuple[str, scene.Row]]:
    work = await database.begin()
    try:
        await call(work.cur)
        await work.cur.execute("SELECT tbl, old FROM touched")
        return [(table, old) for table, old in await work.cur.fetchall()]
    finally:
        await work.rollback()


def _named(acts: Iterable[Act]) -> list[Any]:
    return [pytest.param(each, id=_name(each.covers)) for each in acts]


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"


@pytest.mark.parametrize("each", _named(ACTS))
async def test_statement_touches_its_own_rows_and_no_neighbors(
    each: Act, database: Database, rows: dict[str, list[scene.Row]]
) -> None:
    own = [
        (table, row)
        for table, patterns in each.touches.items()
        for row in rows[table]
        if any(pattern.items() <= row.items() for pattern in patterns)
    ]
    touched: list[tuple[str, scene.Row]] = []
    for table, old in await _touched_by(database, each.call):
        if old in rows[table] and (table, old) not in touched:  # not a row that it has inserted
            touched.append((table, old))
    assert sorted(touched, key=repr) == sorted(own, key=repr)
    for table, patterns in each.touches.items():
        count = sum(name == table for name, _ in own)
        assert count, f"the scene has no such row in {table}"
        assert count < len(rows[table]) or patterns == [{}], f"no neighbor in {table}"


async def test_deleted_segments_are_of_one_deleted_stream(
    database: Database, rows: dict[str, list[scene.Row]]
) -> None:
    touched = await _touched_by(database, search_upkeep.delete_orphans)
    keys = {(old["stream_id"], old["segment"]) for _, old in touched}
    assert len(keys) == 1
    assert keys <= {(stream, n) for stream in (900, 901) for n in (0, 1)}
    assert sorted(table for table, _ in touched) == [
        "search_documents",
        "search_postings",
        "search_segments",
    ]


_CHANGES = re.compile(r"(?<!DO )(?<!KEY )(?<!FOR )\bUPDATE\s+\w|\bDELETE\s+FROM\b")


def _changing() -> set[str]:
    """Return the functions of `chatd.queries` with a statement that changes or deletes rows."""
    found = set()
    for path in Path(queries.__path__[0]).glob("*.py"):
        tree = ast.parse(path.read_text())
        constants = {
            target.id: _strings(node)
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in tree.body:
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
                used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
                text = _strings(node) + " ".join(constants.get(name, "") for name in used)
                if _CHANGES.search(text):
                    found.add(f"{path.stem}.{node.name}")
    return found


def _strings(node: ast.AST) -> str:
    return " ".join(
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


def test_every_changing_statement_is_in_the_table() -> None:
    covered = {_name(each.covers) for each in ACTS} | {_name(each) for each in ONE_OF}
    assert _changing() == covered
    for name in covered:  # not a function of another module with the same name
        module, _, function = name.partition(".")
        assert hasattr(import_module(f"chatd.queries.{module}"), function)
