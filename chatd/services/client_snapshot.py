"""What READY adds for a user client: its settings, and what it has read."""

from __future__ import annotations

from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from chatd.core import snowflake
from chatd.core.ids import ChannelId, GuildId, LoginId, UserId
from chatd.core.models import ReadState
from chatd.core.notifications import GuildNotifications, suppressed_mentions, unread_rule
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
    """Also of channels without messages since the person joined: the function that renders leaves
    them out."""
    guild_of: Mapping[ChannelId, GuildId]
    """The guild of each channel in a guild."""


async def read(
    cur: Cursor,
    ready: ReadySnapshot,
    login_id: LoginId,
    channels: Mapping[GuildId, Collection[ChannelId]],
    *,
    with_notes: bool,
) -> ClientSnapshot:
    """Read the state that belongs to a snapshot. `cur` reads from the same one.

    `channels` are those whose read states are wanted, of each guild.
    """
    user_id = ready.account.user.id
    chosen = await notifications.list_for_user(cur, user_id)
    private = [each.id for each in ready.private_channels if each.last_message_id is not None]
    own = next((each for each in chosen if each.guild_id is None), None)
    suppressed = suppressed_mentions(chosen)
    memberships = ready.guilds.memberships
    joined = {each.guild_id: snowflake.at(each.own.joined_at) for each in memberships}
    since = {
        channel_id: joined[guild_id] for guild_id, ids in channels.items() for channel_id in ids
    }
    return ClientSnapshot(
        logins.hash_of(login_id),
        await user_settings.get(cur, user_id),
        chosen,
        await notes.list_for_user(cur, user_id) if with_notes else {},
        await read_states.for_ready(
            cur,
            user_id,
            {**dict.fromkeys(private, 0), **since},
            private=_unmuted(private, own),
            roles=[role_id for each in memberships for role_id in each.own.roles],
            without_everyone=_channels_in(channels, suppressed.everyone),
            without_roles=_channels_in(channels, suppressed.roles),
        ),
        {channel_id: guild_id for guild_id, ids in channels.items() for channel_id in ids},
    )


def _unmuted(channel_ids: Iterable[ChannelId], own: GuildNotifications | None) -> set[ChannelId]:
    """Return the private channels that are not muted; `own` are the settings for them."""
    now = datetime.now(UTC)
    return {
        each
        for each in channel_ids
        if not unread_rule(own, each, None, default_level=0, now=now).is_muted
    }


def _channels_in(
    channels: Mapping[GuildId, Collection[ChannelId]], guild_ids: Container[GuildId | None]
) -> set[ChannelId]:
    found: set[ChannelId] = set()
    for guild_id, ids in channels.items():
        if guild_id in guild_ids:
            found.update(ids)
    return found
