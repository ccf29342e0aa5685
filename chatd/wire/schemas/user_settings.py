"""Schemas of the settings of accounts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import RAISE, post_load, validate

from chatd.core.ids import MAX_ID, GuildId
from chatd.core.json import JsonObject
from chatd.core.relationships import DirectMessages
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import MappingSchema, Schema
from chatd.wire.fields import Bool, Int, JsonObjectField, List, Nested, Snowflake, Timestamp, Value
from chatd.wire.protobuf.encoding import MalformedMessage
from chatd.wire.protobuf.kinds import read_base64
from chatd.wire.protobuf.legacy import NAMES, THEMES
from chatd.wire.protobuf.settings import MAX_BYTES
from chatd.wire.text_fields import Name, Text
from chatd.wire.unsupported import Unsupported
from chatd.wire.validators import ERRORS, FieldError, at_most, choice, length, within

_MAX_BASE64 = (MAX_BYTES + 2) // 3 * 4
_MAX_INT = 2**31 - 1


@dataclass(frozen=True, slots=True)
class FriendSourceFlags:
    all: Maybe[bool] = UNSET
    mutual_friends: Maybe[bool] = UNSET
    mutual_guilds: Maybe[bool] = UNSET


@dataclass(frozen=True, slots=True)
class SettingsChange:
    """Settings to change. `others` are those without an effect on the server, by name."""

    direct_messages: Maybe[str] = UNSET
    default_guilds_restricted: Maybe[bool] = UNSET
    restricted_guilds: Maybe[Sequence[GuildId]] = UNSET
    friend_source_flags: Maybe[FriendSourceFlags] = UNSET
    others: Mapping[str, Any] = ()  # type: ignore[assignment]  # never left out by the schema


@dataclass(frozen=True, slots=True)
class SettingsProtoChange:
    settings: bytes
    required_data_version: int | None = None


@dataclass(frozen=True, slots=True)
class SettingsJsonChange:
    settings: JsonObject
    required_data_version: int | None = None


def _words(*words: str) -> list[Any]:
    text = f"Value must be one of {', '.join(words)}."
    error = FieldError("BASE_TYPE_CHOICES", text)
    return [at_most(max(map(len, words))), validate.OneOf(words, error=error)]


class _OnlyKnown(Schema[Any]):
    """A schema that refuses unknown fields: Discord has settings that chatd does not have."""

    error_messages = {  # noqa: RUF012
        **Schema.error_messages,
        "unknown": FieldError("SETTING_NOT_SUPPORTED", "This server does not have this setting."),
    }

    class Meta:
        unknown = RAISE


class FriendSourceFlagsSchema(_OnlyKnown):
    into = FriendSourceFlags
    all = Bool()
    mutual_friends = Bool()
    mutual_guilds = Bool()


class CustomStatusSchema(MappingSchema):
    text = Text(allow_none=True, validate=at_most(128))
    emoji_id = Snowflake(allow_none=True)
    emoji_name = Text(allow_none=True, validate=at_most(64))
    expires_at = Timestamp(allow_none=True)


class GuildFolderSchema(MappingSchema):
    # The smallest number of 64 bits is left out: smaller numbers are read as floats that equal it.
    id = Int(allow_none=True, validate=within(-MAX_ID, MAX_ID))
    name = Name(allow_none=True, validate=at_most(100))
    color = Int(allow_none=True, validate=within(0, 0xFFFFFF))
    guild_ids = List(Snowflake(), required=True, validate=length(0, 200))


class SettingsChangeSchema(_OnlyKnown):
    into = SettingsChange
    direct_messages = Text(validate=_words(*(each.name.lower() for each in DirectMessages)))
    default_guilds_restricted = Bool()
    restricted_guilds = List(Snowflake(), validate=length(0, 200))
    friend_source_flags = Nested(FriendSourceFlagsSchema)
    afk_timeout = Int(validate=within(0, _MAX_INT))
    allow_accessibility_detection = Bool()
    animate_emoji = Bool()
    animate_stickers = Int(validate=choice(0, 1, 2))
    convert_emoticons = Bool()
    custom_status = Nested(CustomStatusSchema, allow_none=True)
    detect_platform_accounts = Bool()
    developer_mode = Bool()
    disable_games_tab = Bool()
    enable_tts_command = Bool()
    gif_auto_play = Bool()
    guild_folders = List(Nested(GuildFolderSchema), validate=length(0, 200))
    guild_positions = List(Snowflake(), validate=length(0, 200))
    inline_attachment_media = Bool()
    inline_embed_media = Bool()
    locale = Text(validate=length(2, 10))
    message_display_compact = Bool()
    native_phone_integration_enabled = Bool()
    render_embeds = Bool()
    render_reactions = Bool()
    show_current_game = Bool()
    status = Text(validate=_words("online", "idle", "dnd", "invisible"))
    stream_notifications_enabled = Bool()
    theme = Text(validate=_words(*THEMES))
    timezone_offset = Int(validate=within(-1440, 1440))
    view_nsfw_commands = Bool()
    view_nsfw_guilds = Bool()
    activity_joining_restricted_guild_ids = Unsupported("activities to join")
    activity_restricted_guild_ids = Unsupported("hiding activities from guilds")
    contact_sync_enabled = Unsupported("friends by contacts")
    explicit_content_filter = Unsupported("a filter of contents")
    friend_discovery_flags = Unsupported("friends by address or number")
    passwordless = Unsupported("a login without a password")
    slayer_sdk_receive_dms_in_game = Unsupported("direct messages in games")

    @post_load
    def _into(self, data: dict[str, Any], **_: Any) -> SettingsChange:
        others = {name: data.pop(name) for name in NAMES if name in data}
        return SettingsChange(**data, others=others)


class ProtoMessage(Value[bytes]):
    """A message of Protocol Buffers, in Base64."""

    default_error_messages = {  # noqa: RUF012
        **ERRORS,
        "invalid": FieldError("BASE_TYPE_BAD_TYPE", "Could not interpret this value as string."),
        "long": FieldError("BASE_TYPE_MAX_LENGTH", f"Must be {_MAX_BASE64} or fewer in length."),
        "proto": FieldError("PROTO_TYPE_INVALID", "Not a Protocol Buffers message: {why}."),
    }
    json: ClassVar[JsonObject] = {
        "type": "string",
        "maxLength": _MAX_BASE64,
        "pattern": "^[A-Za-z0-9+/]*={0,2}$",
        "contentEncoding": "base64",
    }

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bytes:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        if len(value) > _MAX_BASE64:
            raise self.make_error("long")
        try:
            return read_base64(value)
        except MalformedMessage as malformed:
            raise self.make_error("proto", why=malformed) from None


class SettingsProtoChangeSchema(Schema[SettingsProtoChange]):
    into = SettingsProtoChange
    settings = ProtoMessage(required=True)
    required_data_version = Int(allow_none=True, validate=within(0, 2**32 - 1))


class SettingsJsonChangeSchema(Schema[SettingsJsonChange]):
    into = SettingsJsonChange
    settings = JsonObjectField(required=True)
    required_data_version = Int(allow_none=True, validate=within(0, 2**32 - 1))
