"""What READY adds for the client of a person: its settings, and what it has read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chatd.core import snowflake
from chatd.core.ids import ChannelId, LoginId, RoleId, UserId
from chatd.core.models import ReadState
from chatd.core.notifications import GuildNotifications, unread_rule
from chatd.core.relationships import AccountSettings
from chatd.db.cursor import Cursor
from chatd.queries import logins, notes, notifications, read_states, user_settings
from chatd.services.ready_snapshot import ReadySnapshot


@dataclass(frozen=True, slots=True)
class ClientSnapshot:
    """The state of a person's account that only its clients need."""

    login_hash: str
    """The name of the login in the list of logins."""
    settings: AccountSettings
    notifications: Sequence[GuildNotifications]
    notes: Mapping[UserId, str]
    """Empty unless they were requested."""
    read_states: Sequence[ReadState]
    """Also of channels that the person may not see: the function that renders leaves them out."""


async def read(
    cur: Cursor, ready: ReadySnapshot, login_id: LoginId, *, with_notes: bool
) -> ClientSnapshot:
    """Read the state that belongs to a snapshot. `cur` reads from the same one."""
    user_id = ready.account.user.id
    since = {each.id: 0 for each in ready.private_channels if each.last_message_id is not None}
    chosen = await notifications.list_for_user(cur, user_id)
    by_guild = {each.guild_id: each for each in chosen}
    now = datetime.now(UTC)
    private = {
        each
        for each in since
        if not unread_rule(by_guild.get(None), each, None, default_level=0, now=now).is_muted
    }
    without_everyone: set[ChannelId] = set()
    without_roles: set[ChannelId] = set()
    roles: list[RoleId] = []
    for guild in ready.guilds:
        settings = by_guild.get(guild.guild.id, GuildNotifications(guild.guild.id))
        ids = {each.id for each in guild.channels}
        without_everyone |= ids if settings.suppress_everyone else set()
        without_roles |= ids if settings.suppress_roles else set()
        joined = snowflake.at(guild.own.joined_at)
        roles += guild.own.roles
        # Messages from before the user joined count as read.
        for channel in guild.channels:
            if channel.last_message_id is not None and channel.last_message_id > joined:
                since[channel.id] = joined
    return ClientSnapshot(
        logins.hash_of(login_id),
        await user_settings.get(cur, user_id),
        chosen,
        await notes.list_for_user(cur, user_id) if with_notes else {},
        await read_states.for_ready(
            cur,
            user_id,
            since,
            private=private,
            roles=roles,
            without_everyone=without_everyone,
            without_roles=without_roles,
        ),
    )
