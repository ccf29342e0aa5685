"""Schemas of gateway commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import marshmallow as ma
from marshmallow import validate

from chatd.core.ids import MAX_ID, ChannelId, GuildId, UserId
from chatd.core.presence import Status
from chatd.wire.base_schema import NULL_IS_ABSENT, MappingSchema, Schema
from chatd.wire.fields import Bool, Int, List, Nested, Several, Snowflake, Value, whole
from chatd.wire.text_fields import Text
from chatd.wire.unsupported import Derived, Unsupported, WithoutEffect
from chatd.wire.validators import FieldError, length, within


@dataclass(frozen=True, slots=True)
class IdentifyPayload:
    token: str
    intents: int | None = None
    large_threshold: int = 50
    shard: list[int] | None = None
    presence: PresenceInput | None = None
    properties: Mapping[str, str] | None = None
    compress: bool = False
    capabilities: int | None = None


@dataclass(frozen=True, slots=True)
class PresenceInput:
    """The presence that a client sets."""

    status: str | None = None
    activities: Sequence[Mapping[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class MemberRequest:
    """A request for members of guilds (op 8)."""

    guild_ids: Sequence[GuildId]
    query: str | None = None
    limit: int = 0
    user_ids: Sequence[UserId] | None = None
    presences: bool = False
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class RecentMembers:
    """A request for the members of a guild that joined last (op 35)."""

    guild_id: GuildId
    query: str = ""
    continuation_token: UserId | None = None
    """The last member of the page before."""
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class LastMessagesRequest:
    """A request for the last messages of channels (op 34)."""

    guild_id: GuildId
    channel_ids: Sequence[ChannelId]


@dataclass(frozen=True, slots=True)
class GuildRequest:
    """A request about the voice channels of a guild (op 36 and 43)."""

    guild_id: GuildId


@dataclass(frozen=True, slots=True)
class SoundsRequest:
    """A request for the soundboards of guilds (op 31)."""

    guild_ids: Sequence[GuildId] | None = None


@dataclass(frozen=True, slots=True)
class ResumePayload:
    token: str
    session_id: str
    seq: int


MAX_USER_IDS = 250
"""Maximum user ids in a request; the service answers for the first 100."""

MAX_REQUESTED_GUILDS = 200
"""Maximum guilds in a request for members: a person can be in no more."""

MAX_LIST_CHANNELS = 5
"""Channels of a guild whose member lists a client can have."""

WINDOW_SIZE = 100
"""Items of a member list that are sent together. Rule: Discord's clients request this number."""

MAX_WINDOWS = 15
"""Windows of one member list that a client can have; discord.py-self requests up to 12."""

UNKNOWN_STATUS = "unknown"
"""The status that Discord's clients send while they do not know their own. It is never shown."""

_MAX_TOKEN = 4096  # characters; the maximum of `auth.tokens`
_MAX_NONCE = 32  # bytes
_MAX_PROPERTY = 256  # characters
_PROPERTIES = ("os", "browser", "device")


class ChunkNonce(Value[str | None]):
    """The client's id of the request; ignored above 32 bytes (Discord docs, op 8, `nonce`)."""

    max_length = _MAX_NONCE

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | None:
        if not isinstance(value, str):
            raise self.make_error("invalid")
        is_short = len(value) <= _MAX_NONCE and len(value.encode()) <= _MAX_NONCE
        return value if is_short and "\0" not in value else None


class Properties(Value[Mapping[str, str]]):
    """The properties of a client: the documented keys, if their values are short strings."""

    max_length = len(_PROPERTIES)

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> Mapping[str, str]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        properties = {name: value.get(name) for name in _PROPERTIES}
        return {
            name: each
            for name, each in properties.items()
            if isinstance(each, str) and len(each) <= _MAX_PROPERTY
        }


class IsTrue(Value[bool]):
    """True if the value is true; oceanic.js sends the name of its transport in this field."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        return value is True


def _with_text_id(data: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the keys that are not empty, with the id as a string."""
    shown = {key: each for key, each in data.items() if each not in (None, {}, [])}
    if name in shown:
        shown[name] = str(shown[name])
    return shown


class _EmojiSchema(MappingSchema):
    name = Text(required=True, validate=length(1, 64))
    id = Snowflake(allow_none=True)
    animated = Bool(allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return _with_text_id(data, "id")


class _TimestampsSchema(MappingSchema):
    """Milliseconds since 1970."""

    start = Int(allow_none=True, validate=within(0, MAX_ID))
    end = Int(allow_none=True, validate=within(0, MAX_ID))


class _PartySchema(MappingSchema):
    id = Text(allow_none=True, validate=length(0, 128))
    size = List(Int(validate=within(0, 2**31 - 1)), allow_none=True, validate=length(2, 2))


class _AssetsSchema(MappingSchema):
    large_image = Text(allow_none=True, validate=length(0, 512))
    large_text = Text(allow_none=True, validate=length(0, 128))
    large_url = Text(allow_none=True, validate=length(0, 512))
    small_image = Text(allow_none=True, validate=length(0, 512))
    small_text = Text(allow_none=True, validate=length(0, 128))
    small_url = Text(allow_none=True, validate=length(0, 512))
    invite_cover_image = Text(allow_none=True, validate=length(0, 512))


class ActivitySchema(MappingSchema):
    """Rule: Discord docs, Gateway Events, "Activity Object"."""

    name = Text(required=True, validate=length(1, 128))
    type = Int(load_default=0, validate=within(0, 5), **NULL_IS_ABSENT)
    state = Text(allow_none=True, validate=length(0, 128))
    state_url = Text(allow_none=True, validate=length(0, 512))
    details = Text(allow_none=True, validate=length(0, 128))
    details_url = Text(allow_none=True, validate=length(0, 512))
    url = Text(allow_none=True, validate=length(0, 512))
    emoji = Nested(_EmojiSchema, allow_none=True)
    created_at = Derived()
    timestamps = Nested(_TimestampsSchema, allow_none=True)
    application_id = Snowflake(allow_none=True)
    status_display_type = Int(allow_none=True, validate=within(0, 2))
    party = Nested(_PartySchema, allow_none=True)
    assets = Nested(_AssetsSchema, allow_none=True)
    buttons = List(Text(validate=length(1, 32)), allow_none=True, validate=length(0, 2))
    instance = Bool(allow_none=True)
    flags = Int(allow_none=True, validate=within(0, 2**31 - 1))
    secrets = Unsupported("joining activities")

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        return _with_text_id(data, "application_id")


@dataclass(frozen=True, slots=True)
class GuildSubscription:
    """What a client subscribes to in one guild (op 14, and for several op 37)."""

    guild_id: GuildId
    channels: Mapping[ChannelId, Sequence[tuple[int, int]]] | None = None
    """The windows of member lists, by channel; None leaves them as they are."""
    typing: bool | None = None
    """Whether the client receives TYPING_START of the guild, as it does at first."""


_SNOWFLAKE: Any = Snowflake()


class Windows(Value[Mapping[ChannelId, Sequence[tuple[int, int]]]]):
    """Ranges of member lists by channel, as windows of 100 items.

    A channel has up to `MAX_WINDOWS`, and a guild up to `MAX_LIST_CHANNELS`; the rest is dropped.
    """

    max_length = MAX_LIST_CHANNELS

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **kwargs: Any
    ) -> Mapping[ChannelId, Sequence[tuple[int, int]]]:
        if not isinstance(value, dict):
            raise self.make_error("invalid")
        found = {}
        for text, ranges in islice(value.items(), MAX_LIST_CHANNELS):
            channel_id = ChannelId(_SNOWFLAKE.deserialize(text))
            found[channel_id] = self._windows(ranges)
        return found

    def _windows(self, ranges: Any) -> Sequence[tuple[int, int]]:
        if not isinstance(ranges, list):
            raise self.make_error("invalid")
        blocks: set[int] = set()
        for each in islice(ranges, MAX_WINDOWS):
            if not (isinstance(each, list) and len(each) == 2):
                raise self.make_error("invalid")
            first, last = map(whole, each)
            if first is None or last is None or not 0 <= first <= last <= MAX_ID:
                raise self.make_error("invalid")
            low, high = first // WINDOW_SIZE, last // WINDOW_SIZE
            blocks.update(range(low, min(high, low + MAX_WINDOWS) + 1))
        starts = [block * WINDOW_SIZE for block in sorted(blocks)[:MAX_WINDOWS]]
        return [(start, start + WINDOW_SIZE - 1) for start in starts]


_ALWAYS_SENT = "the server sends these events without a subscription"


class GuildSubscriptionSchema(Schema[GuildSubscription]):
    """A subscription to a guild, as op 14 has it."""

    into = GuildSubscription
    guild_id = Snowflake(required=True)
    channels = Windows(**NULL_IS_ABSENT)
    typing = Bool(allow_none=True)
    activities = WithoutEffect(_ALWAYS_SENT)
    member_updates = WithoutEffect(_ALWAYS_SENT)
    members = WithoutEffect(_ALWAYS_SENT)
    threads = WithoutEffect("there are no threads")
    thread_member_lists = WithoutEffect("there are no threads")


class PresenceSchema(Schema[PresenceInput]):
    """`game` is a single activity, as discord.py and hikari send it with IDENTIFY.

    `since` and `afk` are accepted without effect: they control push notifications to other
    devices, which chatd does not send.
    """

    into = PresenceInput
    status = Text(
        allow_none=True,
        validate=validate.OneOf(
            [*Status, UNKNOWN_STATUS],
            error=FieldError("BASE_TYPE_CHOICES", "Must be one of {choices}."),
        ),
    )
    activities = List(Nested(ActivitySchema), allow_none=True, validate=length(0, 10))
    game = Nested(ActivitySchema, allow_none=True)
    since = Int(allow_none=True, validate=within(0, MAX_ID))
    afk = Bool(allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> PresenceInput:
        game = data.get("game")
        activities = data.get("activities") or ([] if game is None else [game])
        return PresenceInput(data.get("status"), activities)


class MemberRequestSchema(Schema[MemberRequest]):
    """`guild_id` is one id or several: user clients request members of several guilds."""

    into = MemberRequest
    guild_id = Several(
        Snowflake(),
        required=True,
        attribute="guild_ids",
        validate=length(0, MAX_REQUESTED_GUILDS),
    )
    query = Text(allow_none=True, validate=length(0, 100))
    limit = Int(allow_none=True, validate=within(0, 10_000))
    user_ids = Several(Snowflake(), allow_none=True, validate=length(0, MAX_USER_IDS))
    presences = Bool(allow_none=True)
    nonce = ChunkNonce(allow_none=True)

    @ma.post_load
    def _into(self, data: dict[str, Any], **_: Any) -> MemberRequest:
        return MemberRequest(**{key: value for key, value in data.items() if value is not None})


class RecentMembersSchema(Schema[RecentMembers]):
    into = RecentMembers
    guild_id = Snowflake(required=True)
    query = Text(validate=length(0, 100), **NULL_IS_ABSENT)
    continuation_token = Snowflake(allow_none=True)
    nonce = ChunkNonce(allow_none=True)


class LastMessagesSchema(Schema[LastMessagesRequest]):
    into = LastMessagesRequest
    guild_id = Snowflake(required=True)
    channel_ids = List(Snowflake(), required=True, validate=length(0, 100))


class GuildRequestSchema(Schema[GuildRequest]):
    into = GuildRequest
    guild_id = Snowflake(required=True)
    fields_ = WithoutEffect("there are no voice channels", data_key="fields")


class IdentifySchema(Schema[IdentifyPayload]):
    into = IdentifyPayload
    token = Text(required=True, validate=length(1, _MAX_TOKEN))
    intents = Int(allow_none=True, validate=within(0, 2**53))
    large_threshold = Int(validate=within(-(2**53), 2**53), **NULL_IS_ABSENT)
    presence = Nested(PresenceSchema, allow_none=True)
    properties = Properties(allow_none=True)
    compress = IsTrue(**NULL_IS_ABSENT)
    shard = List(Int(validate=within(0, 2**16)), allow_none=True, validate=length(2, 2))
    capabilities = Int(allow_none=True, validate=within(0, 2**53))
    client_state = WithoutEffect("READY has all guilds in whole")


class SoundsRequestSchema(Schema[SoundsRequest]):
    into = SoundsRequest
    guild_ids = List(Snowflake(), allow_none=True, validate=length(0, 1000))


class ResumeSchema(Schema[ResumePayload]):
    into = ResumePayload
    token = Text(required=True, validate=length(1, _MAX_TOKEN))
    session_id = Text(required=True, validate=length(1, 128))
    seq = Int(required=True, validate=within(0, MAX_ID))
