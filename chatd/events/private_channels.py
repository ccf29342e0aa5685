"""Dispatches about private channels, to their recipients."""

from __future__ import annotations

from chatd.core.ids import ChannelId, MessageId, StreamId, UserId
from chatd.core.intents import Intents
from chatd.core.models import PrivateChannel, User
from chatd.events.event import Event, to_user
from chatd.wire import payloads


def channel_opened(channel: PrivateChannel, user_id: UserId) -> Event:
    """CHANNEL_CREATE, to one user: the channel is added to its list."""
    return _about("CHANNEL_CREATE", channel, user_id)


def channel_updated(channel: PrivateChannel) -> list[Event]:
    """CHANNEL_UPDATE, to all recipients."""
    return [_about("CHANNEL_UPDATE", channel, user.id) for user in channel.recipients]


def channel_closed(channel: PrivateChannel, user_id: UserId) -> Event:
    """CHANNEL_DELETE, to one user: the channel is removed from its list."""
    return _about("CHANNEL_DELETE", channel, user_id)


def recipient_added(channel: PrivateChannel, added: User) -> list[Event]:
    """CHANNEL_RECIPIENT_ADD, to the other recipients of the group."""
    return _about_recipient("CHANNEL_RECIPIENT_ADD", channel, added)


def recipient_removed(channel: PrivateChannel, removed: User) -> list[Event]:
    """CHANNEL_RECIPIENT_REMOVE, to the remaining recipients of the group."""
    return _about_recipient("CHANNEL_RECIPIENT_REMOVE", channel, removed)


def read_state_changed(user_id: UserId, channel_id: ChannelId, message_id: int) -> Event:
    """MESSAGE_ACK, to the sessions of the user that acknowledged the message."""
    payload = {"channel_id": str(channel_id), "message_id": str(message_id), "version": 0}
    return Event("MESSAGE_ACK", StreamId(user_id), to_user(user_id), payloads.encode(payload))


def mention_removed(user_id: UserId, message_id: MessageId) -> Event:
    """RECENT_MENTION_DELETE, to the user's own sessions."""
    body = payloads.encode({"message_id": str(message_id)})
    return Event("RECENT_MENTION_DELETE", StreamId(user_id), to_user(user_id), body)


def _about(name: str, channel: PrivateChannel, user_id: UserId) -> Event:
    body = payloads.encode(payloads.private_channel(channel, user_id))
    return Event(name, StreamId(user_id), to_user(user_id), body, Intents.DIRECT_MESSAGES)


def _about_recipient(name: str, channel: PrivateChannel, other: User) -> list[Event]:
    body = payloads.encode({"channel_id": str(channel.id), "user": payloads.user(other)})
    return [
        Event(name, StreamId(user.id), to_user(user.id), body, Intents.DIRECT_MESSAGES)
        for user in channel.recipients_except(other.id)
    ]
