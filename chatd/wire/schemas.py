"""What clients may send: one schema a request, each loading into a value of its own.

Unknown keys are ignored, as by Discord. All text refuses NUL, which Postgres cannot store;
lone surrogates never get here, since orjson refuses them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, ClassVar, Final, Generic, TypeAlias, TypeVar

import marshmallow as ma
from marshmallow import EXCLUDE, ValidationError, fields, validate

from chatd.core import names
from chatd.core.errors import FieldErrors, InvalidForm
from chatd.core.ids import MAX_ID, ChannelId, GuildId, MessageId, RoleId, UserId, parse_id
from chatd.core.models import ChannelType, OverwriteType
from chatd.core.permissions import ALL


class Unset(Enum):
    """Tells a key that was left out from one that was sent as null."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
T = TypeVar("T")
Maybe: TypeAlias = T | Unset


class Problem(str):
    """The text of a field error, with Discord's code for it."""

    __slots__ = ("code",)
    code: str

    def __new__(cls, code: str, text: str) -> Problem:
        self = super().__new__(cls, text)
        self.code = code
        return self

    def format(self, *args: object, **kwargs: object) -> str:
        """Filled in, and still with its code."""
        return Problem(self.code, super().format(*args, **kwargs))


_ERRORS: dict[str, Any] = {
    "required": Problem("BASE_TYPE_REQUIRED", "This field is required"),
    "null": Problem("BASE_TYPE_REQUIRED", "This field is required"),
    "invalid": Problem("BASE_TYPE_INVALID", "This value has the wrong type"),
}


def _length(low: int, high: int) -> validate.Length:
    text = f"Must be between {low} and {high} in length."
    return validate.Length(low, high, error=Problem("BASE_TYPE_BAD_LENGTH", text))


def _range(low: int, high: int) -> validate.Range:
    text = f"int value should be between {low} and {high}."
    return validate.Range(low, high, error=Problem("NUMBER_TYPE_RANGE", text))


class Text(fields.String):
    """A string without NUL; `trimmed` takes off the white space around it first."""

    default_error_messages = {  # noqa: RUF012
        **_ERRORS,
        "invalid": Problem("BASE_TYPE_BAD_TYPE", "Could not interpret this value as string."),
        "nul": Problem("BASE_TYPE_INVALID", "Must not contain NUL."),
    }

    def __init__(self, *, trimmed: bool = False, **kwargs: Any) -> None:
        self._trimmed = trimmed
        super().__init__(**kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **kwargs)
        if "\0" in text:
            raise self.make_error("nul")
        return text.strip() if self._trimmed else text


class Int(fields.Integer):
    """A whole number, as a JSON number and nothing else."""

    default_error_messages = {  # noqa: RUF012
        **_ERRORS,
        "invalid": Problem("NUMBER_TYPE_COERCE", "Value is not int."),
        "too_large": Problem("NUMBER_TYPE_RANGE", "Value is out of range."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:  # int() would take true, 1.5 and "１"
            raise self.make_error("invalid")
        return value


class Bool(fields.Boolean):
    """true or false, and nothing else."""

    default_error_messages = {  # noqa: RUF012
        **_ERRORS,
        "invalid": Problem("BASE_TYPE_BAD_TYPE", "Must be either true or false."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid")
        return value


class Snowflake(fields.Field[int]):
    """An id, as a string or as a number."""

    default_error_messages = {  # noqa: RUF012
        **_ERRORS,
        "invalid": Problem("NUMBER_TYPE_COERCE", "Value is not snowflake."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if type(value) is int and 0 <= value <= MAX_ID:
            return value
        if isinstance(value, str):
            try:
                return parse_id(value)
            except ValueError:
                pass
        raise self.make_error("invalid")


class Nested(fields.Nested):
    """An object inside the object."""

    default_error_messages = {  # noqa: RUF012
        **_ERRORS,
        "type": Problem("MODEL_TYPE_CONVERT", "Only dictionaries may be used."),
    }


class Schema(ma.Schema, Generic[T]):
    """A schema that loads into the dataclass of its annotation `into`."""

    into: ClassVar[type[Any]]
    error_messages = {  # noqa: RUF012
        "type": Problem("MODEL_TYPE_CONVERT", "Only dictionaries may be used."),
    }

    class Meta:
        unknown = EXCLUDE

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> Any:
        return self.into(**data)

    def read(self, data: Any) -> T:
        """The value in `data`. Raises InvalidForm with every field at fault."""
        try:
            value: T = self.load(data)
        except ValidationError as refused:
            raise InvalidForm(_field_errors(refused.messages)) from None
        return value

    def read_many(self, data: Any) -> list[T]:
        """The values in an array. Raises InvalidForm with every field at fault, by index."""
        try:
            values: list[T] = self.load(data, many=True)
        except ValidationError as refused:
            raise InvalidForm(_field_errors(refused.messages)) from None
        return values


def _field_errors(messages: Any) -> FieldErrors:
    """marshmallow's messages in Discord's shape."""
    if isinstance(messages, Mapping):
        errors: FieldErrors = {}
        for key, inner in messages.items():
            if key == "_schema":
                errors |= _field_errors(inner)
            else:
                errors[str(key)] = _field_errors(inner)
        return errors
    return {
        "_errors": [
            {"code": getattr(text, "code", "BASE_TYPE_INVALID"), "message": str(text)}
            for text in messages
        ]
    }


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
_PASSWORD = _length(8, 128)  # the upper bound keeps hashing bounded (OWASP, "Password Storage")
_TOKEN = _length(1, 512)


class NewAccountSchema(Schema[NewAccount]):
    into = NewAccount
    username = Text(required=True, validate=[validate.Length(max=256), _username])
    email = Text(required=True, trimmed=True, validate=[_length(3, 254), _EMAIL])
    password = Text(required=True, validate=_PASSWORD)


class CredentialsSchema(Schema[Credentials]):
    into = Credentials
    email = Text(required=True, trimmed=True, validate=_length(1, 254))
    password = Text(required=True, validate=_length(1, 128))


class RefreshTokenSchema(Schema[RefreshToken]):
    into = RefreshToken
    refresh_token = Text(required=True, validate=_TOKEN)


class LogoutSchema(Schema[Logout]):
    into = Logout
    refresh_token = Text(allow_none=True, validate=_TOKEN)


class ProfileChangeSchema(Schema[ProfileChange]):
    into = ProfileChange
    username = Text(validate=[validate.Length(max=256), _username])
    global_name = Text(allow_none=True, trimmed=True, validate=_length(1, 32))


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


_GUILD_NAME = _length(2, 100)
_NAME = _length(1, 100)
_POSITION = _range(0, 2**31 - 1)
_SLOWMODE = _range(0, 21600)  # seconds


def _channel_type(number: int) -> None:
    if number not in (ChannelType.TEXT, ChannelType.CATEGORY):
        choices = f"Value must be one of {{{ChannelType.TEXT:d}, {ChannelType.CATEGORY:d}}}."
        raise ValidationError(Problem("BASE_TYPE_CHOICES", choices))


class NewGuildSchema(Schema[NewGuild]):
    into = NewGuild
    name = Text(required=True, trimmed=True, validate=_GUILD_NAME)
    description = Text(allow_none=True, validate=_length(0, 300))


class GuildChangeSchema(Schema[GuildChange]):
    into = GuildChange
    name = Text(trimmed=True, validate=_GUILD_NAME)
    description = Text(allow_none=True, validate=_length(0, 300))
    system_channel_id = Snowflake(allow_none=True)
    owner_id = Snowflake()


class PermissionBits(fields.Field[int]):
    """A set of permissions, as a string of digits or as a number. Unknown bits are dropped."""

    default_error_messages = {  # noqa: RUF012
        **_ERRORS,
        "invalid": Problem("PERMISSIONS_TYPE_COERCE", "Value is not a set of permissions."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:
            value = int(value)
        if type(value) is not int or value < 0:
            raise self.make_error("invalid")
        return value & ALL


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


_OVERWRITES = _length(0, 500)


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
    topic = Text(allow_none=True, validate=_length(0, 1024))
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
    topic = Text(allow_none=True, validate=_length(0, 1024))
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


class Moment(fields.AwareDateTime):
    """A time in ISO 8601; without an offset it is UTC."""

    default_error_messages = {  # noqa: RUF012
        **_ERRORS,
        "invalid": Problem("DATE_TIME_TYPE_PARSE", "Could not parse as an ISO 8601 timestamp."),
        "format": Problem("DATE_TIME_TYPE_PARSE", "Could not parse as an ISO 8601 timestamp."),
    }

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", default_timezone=UTC, **kwargs)


_COLOR = _range(0, 0xFFFFFF)
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
    roles = fields.List(Snowflake(), validate=_length(0, 250))
    communication_disabled_until = Moment(allow_none=True)


class OwnMemberChangeSchema(Schema[OwnMemberChange]):
    into = OwnMemberChange
    nick = Text(allow_none=True, trimmed=True, validate=_NICK)


class NewBanSchema(Schema[NewBan]):
    into = NewBan
    delete_message_seconds = Int(validate=_range(0, _WEEK_S))


class NewBansSchema(Schema[NewBans]):
    into = NewBans
    user_ids = fields.List(Snowflake(), required=True, validate=_length(1, 200))
    delete_message_seconds = Int(validate=_range(0, _WEEK_S))


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


class Nonce(fields.Field[str | int]):
    """What a client marks its message with, to know it again: up to 25 characters or an int."""

    default_error_messages = {  # noqa: RUF012
        **_ERRORS,
        "invalid": Problem("BASE_TYPE_BAD_TYPE", "Must be a string or an integer."),
        "long": Problem("BASE_TYPE_MAX_LENGTH", "Must be 25 or fewer in length."),
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | int:
        if type(value) is int and -MAX_ID <= value <= MAX_ID:
            return value
        if not isinstance(value, str) or "\0" in value:
            raise self.make_error("invalid")
        if len(value) > 25:
            raise self.make_error("long")
        return value


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
    flags = Int(validate=_range(0, 2**31 - 1))
    nonce = Nonce(allow_none=True)
    message_reference = Nested(ReferenceSchema, allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> NewMessage:
        return NewMessage(**{**data, "content": data.get("content") or ""})


class MessageChangeSchema(Schema[MessageChange]):
    into = MessageChange
    content = Text(allow_none=True, trimmed=True, validate=_CONTENT)
    flags = Int(allow_none=True, validate=_range(0, 2**31 - 1))


@dataclass(frozen=True, slots=True)
class BulkDelete:
    messages: Sequence[MessageId]


class BulkDeleteSchema(Schema[BulkDelete]):
    into = BulkDelete
    messages = fields.List(Snowflake(), required=True, error_messages=_ERRORS)


# --- invites ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class NewInvite:
    max_age: int = 86400  # seconds; 0 is for ever
    max_uses: int = 0  # 0 is without end
    temporary: bool = False
    unique: bool = False


class NewInviteSchema(Schema[NewInvite]):
    into = NewInvite
    max_age = Int(validate=_range(0, 604800))
    max_uses = Int(validate=_range(0, 100))
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
    intents = Int(allow_none=True, validate=_range(0, 2**53))
    large_threshold = Int(validate=_range(50, 250))
    shard = fields.List(Int(validate=_range(0, 2**16)), allow_none=True, validate=_length(2, 2))


class ResumeSchema(Schema[Resume]):
    into = Resume
    token = Text(required=True)
    session_id = Text(required=True)
    seq = Int(required=True, validate=_range(0, MAX_ID))


@dataclass(frozen=True, slots=True)
class Nothing:
    """Of a request that needs no body."""


class NothingSchema(Schema[Nothing]):
    into = Nothing
