"""What clients may send: one schema a request, each loading into a value of its own.

Unknown keys are ignored, as by Discord.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError, fields, validate

from chatd.core import names
from chatd.core.ids import MAX_ID, ChannelId, GuildId, MessageId, RoleId, UserId
from chatd.core.models import ChannelType, OverwriteType
from chatd.wire.fields import (
    ERRORS,
    UNSET,
    Bool,
    Int,
    Maybe,
    Moment,
    Nested,
    Nonce,
    PermissionBits,
    Problem,
    Schema,
    Snowflake,
    T,
    Text,
    length,
    within,
)

# --- accounts ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewAccount:
    username: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class Credentials:
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class RefreshToken:
    refresh_token: str


@dataclass(frozen=True, slots=True)
class Logout:
    refresh_token: str | None = None


@dataclass(frozen=True, slots=True)
class ProfileChange:
    username: Maybe[str] = UNSET
    global_name: Maybe[str | None] = UNSET


def _username(text: str) -> None:
    try:
        names.username(text)
    except ValueError as refused:
        raise ValidationError(Problem("USERNAME_INVALID", str(refused))) from None


_EMAIL = validate.Email(
    error=Problem("EMAIL_TYPE_INVALID_EMAIL", "Not a well formed email address.")
)
_PASSWORD = length(8, 128)  # the upper bound keeps hashing bounded (OWASP, "Password Storage")
_TOKEN = length(1, 512)


class NewAccountSchema(Schema[NewAccount]):
    into = NewAccount
    username = Text(required=True, validate=[validate.Length(max=256), _username])
    email = Text(required=True, trimmed=True, validate=[length(3, 254), _EMAIL])
    password = Text(required=True, validate=_PASSWORD)


class CredentialsSchema(Schema[Credentials]):
    into = Credentials
    email = Text(required=True, trimmed=True, validate=length(1, 254))
    password = Text(required=True, validate=length(1, 128))


class RefreshTokenSchema(Schema[RefreshToken]):
    into = RefreshToken
    refresh_token = Text(required=True, validate=_TOKEN)


class LogoutSchema(Schema[Logout]):
    into = Logout
    refresh_token = Text(allow_none=True, validate=_TOKEN)


class ProfileChangeSchema(Schema[ProfileChange]):
    into = ProfileChange
    username = Text(validate=[validate.Length(max=256), _username])
    global_name = Text(allow_none=True, trimmed=True, validate=length(1, 32))


# --- guilds and channels ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewGuild:
    name: str
    description: str | None = None


@dataclass(frozen=True, slots=True)
class GuildChange:
    name: Maybe[str] = UNSET
    description: Maybe[str | None] = UNSET
    system_channel_id: Maybe[ChannelId | None] = UNSET
    owner_id: Maybe[UserId] = UNSET


@dataclass(frozen=True, slots=True)
class WantedOverwrite:
    """In the body of a channel; the path of a route may give the id instead."""

    id: int
    type: OverwriteType
    allow: int = 0
    deny: int = 0


@dataclass(frozen=True, slots=True)
class OverwriteChange:
    type: OverwriteType
    allow: int = 0
    deny: int = 0


@dataclass(frozen=True, slots=True)
class ChannelMove:
    id: ChannelId
    position: Maybe[int | None] = UNSET
    parent_id: Maybe[ChannelId | None] = UNSET
    lock_permissions: bool | None = None


@dataclass(frozen=True, slots=True)
class NewChannel:
    name: str
    type: ChannelType = ChannelType.TEXT
    topic: str | None = None
    position: int | None = None
    parent_id: ChannelId | None = None
    nsfw: bool = False
    rate_limit_per_user: int = 0
    permission_overwrites: Sequence[WantedOverwrite] = ()


@dataclass(frozen=True, slots=True)
class ChannelChange:
    name: Maybe[str] = UNSET
    topic: Maybe[str | None] = UNSET
    position: Maybe[int] = UNSET
    parent_id: Maybe[ChannelId | None] = UNSET
    nsfw: Maybe[bool] = UNSET
    rate_limit_per_user: Maybe[int] = UNSET
    permission_overwrites: Maybe[Sequence[WantedOverwrite] | None] = UNSET


_GUILD_NAME = length(2, 100)
_NAME = length(1, 100)
_POSITION = within(0, 2**31 - 1)
_SLOWMODE = within(0, 21600)  # seconds


def _channel_type(number: int) -> None:
    if number not in (ChannelType.TEXT, ChannelType.CATEGORY):
        choices = f"Value must be one of {{{ChannelType.TEXT:d}, {ChannelType.CATEGORY:d}}}."
        raise ValidationError(Problem("BASE_TYPE_CHOICES", choices))


class NewGuildSchema(Schema[NewGuild]):
    into = NewGuild
    name = Text(required=True, trimmed=True, validate=_GUILD_NAME)
    description = Text(allow_none=True, validate=length(0, 300))


class GuildChangeSchema(Schema[GuildChange]):
    into = GuildChange
    name = Text(trimmed=True, validate=_GUILD_NAME)
    description = Text(allow_none=True, validate=length(0, 300))
    system_channel_id = Snowflake(allow_none=True)
    owner_id = Snowflake()


def _overwrite_type(number: int) -> None:
    if number not in (OverwriteType.ROLE, OverwriteType.MEMBER):
        text = f"Value must be one of {{{OverwriteType.ROLE:d}, {OverwriteType.MEMBER:d}}}."
        raise ValidationError(Problem("BASE_TYPE_CHOICES", text))


class _OverwriteSchema(Schema[T]):
    type = Int(required=True, validate=_overwrite_type)
    allow = PermissionBits(allow_none=True)
    deny = PermissionBits(allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> Any:
        return self.into(
            **{
                **data,
                "type": OverwriteType(data["type"]),
                "allow": data.get("allow") or 0,
                "deny": data.get("deny") or 0,
            }
        )


class OverwriteChangeSchema(_OverwriteSchema[OverwriteChange]):
    into = OverwriteChange


class WantedOverwriteSchema(_OverwriteSchema[WantedOverwrite]):
    into = WantedOverwrite
    id = Snowflake(required=True)


_OVERWRITES = length(0, 500)


class ChannelMoveSchema(Schema[ChannelMove]):
    into = ChannelMove
    id = Snowflake(required=True)
    position = Int(allow_none=True, validate=_POSITION)
    parent_id = Snowflake(allow_none=True)
    lock_permissions = Bool(allow_none=True)


class NewChannelSchema(Schema[NewChannel]):
    into = NewChannel
    name = Text(required=True, trimmed=True, validate=_NAME)
    type = Int(validate=_channel_type)
    topic = Text(allow_none=True, validate=length(0, 1024))
    position = Int(allow_none=True, validate=_POSITION)
    parent_id = Snowflake(allow_none=True)
    nsfw = Bool()
    rate_limit_per_user = Int(validate=_SLOWMODE)
    permission_overwrites = fields.List(Nested(WantedOverwriteSchema), validate=_OVERWRITES)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> NewChannel:
        kind = ChannelType(data.pop("type", ChannelType.TEXT))
        return NewChannel(type=kind, **data)


class ChannelChangeSchema(Schema[ChannelChange]):
    into = ChannelChange
    name = Text(trimmed=True, validate=_NAME)
    topic = Text(allow_none=True, validate=length(0, 1024))
    position = Int(validate=_POSITION)
    parent_id = Snowflake(allow_none=True)
    nsfw = Bool()
    rate_limit_per_user = Int(validate=_SLOWMODE)
    permission_overwrites = fields.List(
        Nested(WantedOverwriteSchema), allow_none=True, validate=_OVERWRITES
    )


# --- roles, members and bans ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewRole:
    name: str = "new role"
    permissions: int | None = None
    color: int = 0
    hoist: bool = False
    mentionable: bool = False


@dataclass(frozen=True, slots=True)
class RoleChange:
    name: Maybe[str] = UNSET
    permissions: Maybe[int] = UNSET
    color: Maybe[int] = UNSET
    hoist: Maybe[bool] = UNSET
    mentionable: Maybe[bool] = UNSET


@dataclass(frozen=True, slots=True)
class RoleMove:
    id: RoleId
    position: int


@dataclass(frozen=True, slots=True)
class MemberChange:
    nick: Maybe[str | None] = UNSET
    roles: Maybe[Sequence[RoleId]] = UNSET
    communication_disabled_until: Maybe[datetime | None] = UNSET


@dataclass(frozen=True, slots=True)
class OwnMemberChange:
    nick: Maybe[str | None] = UNSET


@dataclass(frozen=True, slots=True)
class NewBan:
    delete_message_seconds: int = 0


@dataclass(frozen=True, slots=True)
class NewBans:
    user_ids: Sequence[UserId]
    delete_message_seconds: int = 0


_COLOR = within(0, 0xFFFFFF)
_NICK = validate.Length(
    max=32, error=Problem("BASE_TYPE_MAX_LENGTH", "Must be 32 or fewer in length.")
)
_WEEK_S = 604800


class NewRoleSchema(Schema[NewRole]):
    into = NewRole
    name = Text(trimmed=True, validate=_NAME)
    permissions = PermissionBits(allow_none=True)
    color = Int(validate=_COLOR)
    hoist = Bool()
    mentionable = Bool()


class RoleChangeSchema(Schema[RoleChange]):
    into = RoleChange
    name = Text(trimmed=True, validate=_NAME)
    permissions = PermissionBits()
    color = Int(validate=_COLOR)
    hoist = Bool()
    mentionable = Bool()


class RoleMoveSchema(Schema[RoleMove]):
    into = RoleMove
    id = Snowflake(required=True)
    position = Int(required=True, validate=_POSITION)


class MemberChangeSchema(Schema[MemberChange]):
    into = MemberChange
    nick = Text(allow_none=True, trimmed=True, validate=_NICK)
    roles = fields.List(Snowflake(), validate=length(0, 250))
    communication_disabled_until = Moment(allow_none=True)


class OwnMemberChangeSchema(Schema[OwnMemberChange]):
    into = OwnMemberChange
    nick = Text(allow_none=True, trimmed=True, validate=_NICK)


class NewBanSchema(Schema[NewBan]):
    into = NewBan
    delete_message_seconds = Int(validate=within(0, _WEEK_S))


class NewBansSchema(Schema[NewBans]):
    into = NewBans
    user_ids = fields.List(Snowflake(), required=True, validate=length(1, 200))
    delete_message_seconds = Int(validate=within(0, _WEEK_S))


# --- messages ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reference:
    message_id: MessageId
    channel_id: ChannelId | None = None
    guild_id: GuildId | None = None
    fail_if_not_exists: bool = True


@dataclass(frozen=True, slots=True)
class NewMessage:
    content: str = ""
    tts: bool = False
    flags: int = 0
    nonce: str | int | None = None
    message_reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class MessageChange:
    content: Maybe[str | None] = UNSET
    flags: Maybe[int | None] = UNSET


MESSAGE_MAX_LENGTH = 2000  # characters

_CONTENT = validate.Length(
    max=MESSAGE_MAX_LENGTH,
    error=Problem("BASE_TYPE_MAX_LENGTH", f"Must be {MESSAGE_MAX_LENGTH} or fewer in length."),
)


class ReferenceSchema(Schema[Reference]):
    into = Reference
    message_id = Snowflake(required=True)
    channel_id = Snowflake(allow_none=True)
    guild_id = Snowflake(allow_none=True)
    fail_if_not_exists = Bool()


class NewMessageSchema(Schema[NewMessage]):
    into = NewMessage
    content = Text(allow_none=True, trimmed=True, validate=_CONTENT)
    tts = Bool()
    flags = Int(validate=within(0, 2**31 - 1))
    nonce = Nonce(allow_none=True)
    message_reference = Nested(ReferenceSchema, allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> NewMessage:
        return NewMessage(**{**data, "content": data.get("content") or ""})


class MessageChangeSchema(Schema[MessageChange]):
    into = MessageChange
    content = Text(allow_none=True, trimmed=True, validate=_CONTENT)
    flags = Int(allow_none=True, validate=within(0, 2**31 - 1))


@dataclass(frozen=True, slots=True)
class BulkDelete:
    messages: Sequence[MessageId]


class BulkDeleteSchema(Schema[BulkDelete]):
    into = BulkDelete
    messages = fields.List(Snowflake(), required=True, error_messages=ERRORS)


# --- invites ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewInvite:
    max_age: int = 86400  # seconds; 0 is for ever
    max_uses: int = 0  # 0 is without end
    temporary: bool = False
    unique: bool = False


class NewInviteSchema(Schema[NewInvite]):
    into = NewInvite
    max_age = Int(validate=within(0, 604800))
    max_uses = Int(validate=within(0, 100))
    temporary = Bool()
    unique = Bool()


# --- gateway ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Identify:
    token: str
    intents: int | None = None
    large_threshold: int = 50
    shard: list[int] | None = None


@dataclass(frozen=True, slots=True)
class Resume:
    token: str
    session_id: str
    seq: int


class IdentifySchema(Schema[Identify]):
    into = Identify
    token = Text(required=True)
    intents = Int(allow_none=True, validate=within(0, 2**53))
    large_threshold = Int(validate=within(50, 250))
    shard = fields.List(Int(validate=within(0, 2**16)), allow_none=True, validate=length(2, 2))


class ResumeSchema(Schema[Resume]):
    into = Resume
    token = Text(required=True)
    session_id = Text(required=True)
    seq = Int(required=True, validate=within(0, MAX_ID))


@dataclass(frozen=True, slots=True)
class Nothing:
    """Of a request that needs no body."""


class NothingSchema(Schema[Nothing]):
    into = Nothing
