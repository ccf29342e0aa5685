"""What READY adds for the client of a person: its settings, and what it has read."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chatd.core import snowflake
from chatd.core.ids import ChannelId, GuildId, LoginId, UserId
from chatd.core.models import ReadState
from chatd.core.notifications import GuildNotifications, suppressed_mentions, unread_rule
from chatd.core.relationships import AccountSettings
from chatd.db.cursor import Cursor
from chatd.queries import logins, notes, notifications, read_states, user_settings
from chatd.services.guild_snapshot import GuildSnapshot
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
    chosen = await notifications.list_for_user(cur, user_id)
    private = [each.id for each in ready.private_channels if each.last_message_id is not None]
    own = next((each for each in chosen if each.guild_id is None), None)
    suppressed = suppressed_mentions(chosen)
    guilds = ready.guilds.loaded.values()
    return ClientSnapshot(
        logins.hash_of(login_id),
        await user_settings.get(cur, user_id),
        chosen,
        await notes.list_for_user(cur, user_id) if with_notes else {},
        await read_states.for_ready(
            cur,
            user_id,
            {**dict.fromkeys(private, 0), **_read_by_joining(guilds)},
            private=_unmuted(private, own),
            roles=[role_id for guild in guilds for role_id in guild.own.roles],
            without_everyone=_channels_in(guilds, suppressed.everyone),
            without_roles=_channels_in(guilds, suppressed.roles),
        ),
    )


def _unmuted(channel_ids: Iterable[ChannelId], own: GuildNotifications | None) -> set[ChannelId]:
    """Return the private channels that are not muted; `own` are the settings for them."""
    now = datetime.now(UTC)
    return {
        each
        for each in channel_ids
        if not unread_rule(own, each, None, default_level=0, now=now).is_muted
    }


def _read_by_joining(guilds: Iterable[GuildSnapshot]) -> dict[ChannelId, int]:
    """Return the channels that have messages from after the user joined, and where these begin.

    Older messages count as read.
    """
    since: dict[ChannelId, int] = {}
    for guild in guilds:
        joined = snowflake.at(guild.own.joined_at)
        for channel in guild.channels:
            if channel.last_message_id is not None and channel.last_message_id > joined:
                since[channel.id] = joined
    return since


def _channels_in(
    guilds: Iterable[GuildSnapshot], guild_ids: Container[GuildId | None]
) -> set[ChannelId]:
    return {
        channel.id for each in guilds if each.guild.id in guild_ids for channel in each.channels
    }
