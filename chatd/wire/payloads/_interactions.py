"""Payloads of interactions, for the applications that receive them and for user clients."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chatd.core.ids import InteractionId, UserId
from chatd.core.interactions import Interaction, InteractionType
from chatd.core.json import JsonObject
from chatd.core.models import (
    Application,
    Attachment,
    BareChannel,
    ChannelType,
    Guild,
    Member,
    Message,
    PrivateChannel,
    Role,
    User,
)
from chatd.core.permissions import Permissions
from chatd.wire.payloads._channels import private_channel
from chatd.wire.payloads._encoding import id_or_none
from chatd.wire.payloads._members import member, partial_member, role
from chatd.wire.payloads._messages import attachment, integration_owners, message
from chatd.wire.payloads._users import user

VERSION = 1
"""The version of interactions. Rule: Discord docs, "Interaction Structure"."""

_IN_GUILD, _IN_DM = 0, 1  # Discord docs, "Interaction Context Types"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The objects that the data of an interaction names by their ids."""

    users: Sequence[User] = ()
    members: Mapping[UserId, tuple[Member, Permissions]] = field(default_factory=dict)
    """Those of the users that are members, with their permissions in the channel."""
    roles: Sequence[Role] = ()
    channels: Sequence[tuple[BareChannel, Permissions]] = ()
    """With the permissions of the person that has created the interaction."""
    messages: Sequence[Message] = ()
    attachments: Sequence[Attachment] = ()


def resolved(found: Resolved) -> JsonObject:
    """InteractionDataResolved: the objects by their ids. Kinds without objects are omitted."""
    kinds: JsonObject = {
        "users": {str(each.id): user(each) for each in found.users},
        "members": {
            str(user_id): _resolved_member(*each) for user_id, each in found.members.items()
        },
        "roles": {str(each.id): role(each) for each in found.roles},
        "channels": {str(each.id): partial_channel(each, may) for each, may in found.channels},
        "messages": {str(each.id): message(each) for each in found.messages},
        "attachments": {
            str(each.id): attachment(each, is_ephemeral=True) for each in found.attachments
        },
    }
    return {kind: objects for kind, objects in kinds.items() if objects}


def _resolved_member(found: Member, granted: Permissions) -> JsonObject:
    """A member without its user, which is among the users."""
    payload = partial_member(found)
    del payload["deaf"], payload["mute"]
    return {**payload, "permissions": str(int(granted))}


def partial_channel(channel: BareChannel, granted: Permissions) -> JsonObject:
    """A channel with the permissions of the person that has created the interaction."""
    payload: JsonObject = {
        "id": str(channel.id),
        "guild_id": str(channel.guild_id),
        "type": channel.type,
        "name": channel.name,
        "position": channel.position,
        "parent_id": id_or_none(channel.parent_id),
        "nsfw": channel.nsfw,
        "flags": 0,
        "permissions": str(int(granted)),
    }
    if channel.type != ChannelType.CATEGORY:
        payload |= {
            "topic": channel.topic,
            "rate_limit_per_user": channel.rate_limit_per_user,
            "last_message_id": id_or_none(channel.last_message_id),
        }
    return payload


@dataclass(frozen=True, slots=True)
class InteractionPlace:
    """Where an interaction was created, and by which person with which permissions."""

    user: User
    channel: BareChannel | PrivateChannel
    permissions: Permissions
    app_permissions: Permissions
    guild: Guild | None = None
    member: Member | None = None
    has_bot: bool = True
    """Whether the bot of the application is there."""
    of_user: bool = False
    """Whether the application is there only because the person has added it for itself."""


def interaction(
    interaction: Interaction,
    token: str,
    place: InteractionPlace,
    data: JsonObject,
    *,
    about: Message | None,
    attachment_size_limit: int,
) -> JsonObject:
    """INTERACTION_CREATE for the application. `about` is the message with the component."""
    payload: JsonObject = {
        "id": str(interaction.id),
        "application_id": str(interaction.application_id),
        "type": interaction.type,
        "token": token,
        "version": VERSION,
        "channel_id": str(interaction.channel_id),
        "data": data,
        "app_permissions": str(int(place.app_permissions)),
        "locale": "en-US",  # that of all accounts
        "entitlements": [],
        "authorizing_integration_owners": integration_owners(interaction.origin),
        "context": _IN_DM if interaction.guild_id is None else _IN_GUILD,
        "attachment_size_limit": attachment_size_limit,
    }
    granted = str(int(place.permissions))
    if place.guild is not None and isinstance(place.channel, BareChannel):
        assert place.member is not None
        payload |= {
            "guild_id": str(place.guild.id),
            "guild_locale": place.guild.preferred_locale,
            "guild": {
                "id": str(place.guild.id),
                "locale": place.guild.preferred_locale,
                "features": place.guild.features,
            },
            "channel": partial_channel(place.channel, place.permissions),
            "member": {**member(place.member), "permissions": granted},
        }
    else:
        assert isinstance(place.channel, PrivateChannel)
        channel = private_channel(place.channel, interaction.application_id)
        payload |= {"channel": {**channel, "permissions": granted}, "user": user(place.user)}
    if about is not None:
        payload["message"] = message(about)
        payload["message"].pop("referenced_message", None)
    return payload


def ping(
    interaction_id: InteractionId, application_id: UserId, token: str, caller: User
) -> JsonObject:
    """A PING, by which an endpoint shows that it verifies signatures."""
    return {
        "id": str(interaction_id),
        "application_id": str(application_id),
        "type": InteractionType.PING,
        "token": token,
        "version": VERSION,
        "user": user(caller),
        "entitlements": [],
    }


def modal_opened(
    interaction: Interaction, application: Application, modal: Mapping[str, object]
) -> JsonObject:
    """INTERACTION_MODAL_CREATE, for the client of the person."""
    return {
        "id": str(interaction.id),
        "channel_id": str(interaction.channel_id),
        "application": integration_application(application),
        **modal,
    }


def integration_application(application: Application) -> JsonObject:
    """An application as clients show it beside what it offers (IntegrationApplication)."""
    return {
        "id": str(application.bot.id),
        "name": application.name,
        "description": application.description,
        "icon": None,
        "bot": user(application.bot),
    }
