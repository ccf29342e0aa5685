"""Rules for channels of guilds: their category, fields and overwrites. No input or output.

Rule: Discord docs, Channel resource, "Modify Channel"; Permissions, "Permission Overwrites".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields, replace

from chatd.core.errors import InvalidForm
from chatd.core.field_errors import NOT_SUPPORTED
from chatd.core.ids import ChannelId
from chatd.core.models import Channel, ChannelType
from chatd.core.overwrites import Overwrite
from chatd.core.permissions import Permissions
from chatd.core.unset import UNSET, Maybe, given_or
from chatd.services.access.access import GuildAccess
from chatd.wire.schemas.channels import ChannelChange, OverwriteInput

_CONVERTIBLE = (ChannelType.TEXT, ChannelType.ANNOUNCEMENT)

MAX_CHILDREN = 50
"""The channels of one category. Rule: Discord's limit."""


def apply_change(channel: Channel, change: ChannelChange) -> Channel:
    """Return a channel as a request changes it. Raises InvalidForm."""
    check_fields(channel.type, change.topic, change.rate_limit_per_user)
    if change.type is not UNSET and change.type != channel.type:
        channel = replace(channel, type=_converted_type(channel.type, change.type))
    if change.name is None:
        raise InvalidForm.of("name", "BASE_TYPE_REQUIRED", "This field is required")
    if change.permission_overwrites is not UNSET:
        wanted = change.permission_overwrites or ()
        channel = replace(channel, overwrites=stored_overwrites(wanted))
    return replace(
        channel,
        name=given_or(change.name, channel.name),
        topic=given_or(change.topic, channel.topic) or None,
        position=given_or(change.position, channel.position),
        parent_id=given_or(change.parent_id, channel.parent_id),
        nsfw=given_or(change.nsfw, channel.nsfw),
        rate_limit_per_user=given_or(change.rate_limit_per_user, channel.rate_limit_per_user),
    )


def _converted_type(before: ChannelType, after: int) -> ChannelType:
    """Return the new type of a channel. Raises InvalidForm."""
    if before in _CONVERTIBLE and after in _CONVERTIBLE:
        return ChannelType(after)
    text = "Only text channels (0) and announcement channels (5) can become each other."
    raise InvalidForm.of("type", NOT_SUPPORTED, text)


def check_fields(kind: ChannelType, topic: Maybe[str | None], slow_mode_s: Maybe[int]) -> None:
    """Raise InvalidForm for fields that categories do not have."""
    if kind == ChannelType.CATEGORY:
        for field, value in (("topic", topic), ("rate_limit_per_user", slow_mode_s)):
            if value not in (UNSET, None, "", 0):
                raise InvalidForm.of(field, NOT_SUPPORTED, "Only text channels have this.")


def check_private_change(change: ChannelChange) -> None:
    """Raise InvalidForm for fields that private channels do not have: all but the name."""
    for field in fields(change):
        if field.name != "name" and getattr(change, field.name) not in (UNSET, None, False, 0):
            text = "Private channels have names only."
            raise InvalidForm.of(field.name, NOT_SUPPORTED, text)


def check_parent(
    kind: ChannelType, parent_id: ChannelId | None, siblings: Sequence[Channel]
) -> None:
    """Raise InvalidForm unless a channel can be in this category. `siblings` are of the guild."""
    if parent_id is None:
        return
    parent = next((each for each in siblings if each.id == parent_id), None)
    if parent is None or parent.type != ChannelType.CATEGORY:
        raise InvalidForm.of(
            "parent_id", "CHANNEL_PARENT_INVALID_TYPE", "Not a category of this guild."
        )
    if kind == ChannelType.CATEGORY:
        raise InvalidForm.of(
            "parent_id", "CHANNEL_PARENT_INVALID", "Categories cannot have a parent."
        )
    if sum(each.parent_id == parent_id for each in siblings) >= MAX_CHILDREN:
        raise InvalidForm.of(
            "parent_id",
            "CHANNEL_PARENT_MAX_CHANNELS",
            f"Maximum number of channels in a category reached ({MAX_CHILDREN}).",
        )


def require_parent(
    granted: GuildAccess, parent_id: ChannelId | None, siblings: Sequence[Channel]
) -> None:
    """Require MANAGE_CHANNELS in a new category. Raises MissingAccess, MissingPermissions."""
    parent = next((each for each in siblings if each.id == parent_id), None)
    if parent is not None:
        granted.for_channel(parent, parent.overwrites).require(Permissions.MANAGE_CHANNELS)


def require_grantable(
    granted: GuildAccess, before: Sequence[Overwrite], after: Sequence[Overwrite]
) -> None:
    """Require the permissions to change overwrites, if they change.

    That is MANAGE_ROLES, and each bit that changes. Raises MissingPermissions.
    """
    if set(before) == set(after):
        return
    granted.require(Permissions.MANAGE_ROLES)
    old = {each.target_id: each for each in before}
    new = {each.target_id: each for each in after}
    for target_id in old.keys() | new.keys():
        was, will_be = old.get(target_id), new.get(target_id)
        granted.require_grantable(
            (was.allow if was else 0) ^ (will_be.allow if will_be else 0)
            | (was.deny if was else 0) ^ (will_be.deny if will_be else 0)
        )


def stored_overwrites(wanted: Iterable[OverwriteInput]) -> tuple[Overwrite, ...]:
    """Return the overwrites of a request in their stored form: the last one for each target."""
    return sort_overwrites(Overwrite(each.id, each.type, each.allow, each.deny) for each in wanted)


def sort_overwrites(overwrites: Iterable[Overwrite]) -> tuple[Overwrite, ...]:
    """Return the last overwrite for each target, in the order in which queries read them."""
    last = {each.target_id: each for each in overwrites}
    return tuple(last[target_id] for target_id in sorted(last))
