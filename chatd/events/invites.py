"""Dispatches about invites, to members that can manage the channel of the invite."""

from __future__ import annotations

from chatd.core.ids import StreamId
from chatd.core.intents import Intents
from chatd.core.json import JsonObject
from chatd.core.models import Invite
from chatd.core.permissions import Permissions
from chatd.events.event import Event, to_channel
from chatd.wire import payloads

_NEEDED = Permissions.VIEW_CHANNEL | Permissions.MANAGE_CHANNELS


def invite_created(invite: Invite) -> Event:
    """INVITE_CREATE."""
    full = payloads.invite_with_uses(invite)
    kept = ("code", "guild_id", "inviter", "created_at", "expires_at", "max_age", "max_uses")
    payload = {name: full[name] for name in (*kept, "temporary", "uses")}
    return _about("INVITE_CREATE", invite, payload)


def invite_deleted(invite: Invite) -> Event:
    """INVITE_DELETE."""
    payload = {"code": invite.code, "guild_id": str(invite.guild.id)}
    return _about("INVITE_DELETE", invite, payload)


def _about(name: str, invite: Invite, payload: JsonObject) -> Event:
    body = payloads.encode({"channel_id": str(invite.channel_id), **payload})
    audience = to_channel(invite.channel_id, _NEEDED)
    return Event(name, StreamId(invite.guild.id), audience, body, Intents.GUILD_INVITES)
