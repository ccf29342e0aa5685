"""Encoding of messages that are only a text: most messages are, so they have a shorter way."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import orjson

from chatd.core import snowflake
from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.core.json import JsonObject
from chatd.core.models import Message, MessageType, StoredText, User
from chatd.wire.payloads._encoding import encode, timestamp
from chatd.wire.payloads._messages import encoded_user, message, reaction

_START_FIELDS = 5
"""The fields that differ between two texts: all up to the timestamp."""

_NOT_EDITED = b'"edited_timestamp":null'
"""The first field after the timestamp, of a text that was not edited."""

_AFTER_REACTIONS = ("referenced_message",)
"""The fields of a text that come after its reactions: of a reply to a message that is unknown."""


class TextKind(NamedTuple):
    """The fields of a text that are the same in many texts."""

    type: MessageType
    flags: int
    tts: bool


def encoded_text(
    message_id: MessageId,
    channel_id: ChannelId,
    author: User,
    content: str,
    *,
    nonce: str | int | None,
    kind: TextKind,
) -> bytes:
    """A message that is only a text, with its nonce, as its author receives it, encoded.

    The bytes are those of `encoded_message`, which takes five times as long.
    """
    return b'{"id":"%d","channel_id":"%d","author":%b,"content":%b,"timestamp":"%b",%b%b}' % (
        message_id,
        channel_id,
        encoded_user(author),
        orjson.dumps(content),
        snowflake.created_at_text(message_id).encode(),
        _encoded_end(kind),
        b"" if nonce is None else b',"nonce":%b' % orjson.dumps(nonce),
    )


def encoded_stored_text(text: StoredText) -> bytes:
    """A stored message that is only a text, encoded.

    The bytes are those of `message`, which takes ten times as long with encoding.
    """
    message_id, channel_id, content, kind, author, edited_at, reactions = text
    rest, last = _encoded_end_of(*kind)
    if edited_at is not None:
        edited = b'"edited_timestamp":"%b"' % timestamp(edited_at).encode()
        rest = edited + rest.removeprefix(_NOT_EDITED)
    if reactions:
        rest += b',"reactions":' + orjson.dumps([*map(reaction, reactions)])
    return b'{"id":"%d","channel_id":"%d","author":%b,"content":%b,"timestamp":"%b",%b%b}' % (
        message_id,
        channel_id,
        encoded_user(author),
        orjson.dumps(content),
        snowflake.created_at_text(message_id).encode(),
        rest,
        last,
    )


@lru_cache(64)
def _encoded_end_of(kind: int, flags: int, tts: bool) -> tuple[bytes, bytes]:
    """Return the fields after the timestamp: those before the reactions, and those after them."""
    fields = _fields_at_end(TextKind(MessageType(kind), flags, tts))
    last = {name: fields.pop(name) for name in _AFTER_REACTIONS if name in fields}
    return encode(fields)[1:-1], b"," + encode(last)[1:-1] if last else b""


@lru_cache(64)
def _encoded_end(kind: TextKind) -> bytes:
    """Return the fields after the timestamp, without the braces."""
    return encode(_fields_at_end(kind))[1:-1]


def _fields_at_end(kind: TextKind) -> JsonObject:
    """Return the fields after the timestamp."""
    text = Message(
        id=MessageId(0),
        channel_id=ChannelId(0),
        guild_id=None,
        author=User(UserId(0), "", None, None, bot=False),
        type=kind.type,
        content="",
        flags=kind.flags,
        tts=kind.tts,
        edited_at=None,
        reference_id=None,
        reference=None,
    )
    return dict(list(message(text).items())[_START_FIELDS:])
