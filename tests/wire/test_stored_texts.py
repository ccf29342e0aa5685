"""A stored message that is only a text is encoded as every other message is, in less time."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatd.core.ids import MAX_ID, ChannelId, MessageId, UserId
from chatd.core.models import Message, MessageType, Reaction, StoredText, User
from chatd.wire import payloads
from chatd.wire.schemas.query_strings import MessagePage, MessagePageSchema
from tests.helpers.examples import examples

_IDS = st.integers(0, MAX_ID)
_TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
_USERS = st.builds(
    User, _IDS.map(UserId), _TEXTS, st.none() | _TEXTS, st.none() | _TEXTS, st.booleans()
)
_SCHEMA = MessagePageSchema()


_STORED = st.builds(
    StoredText,
    _IDS.map(MessageId),
    _IDS.map(ChannelId),
    _TEXTS,
    st.tuples(st.sampled_from(MessageType).map(int), st.integers(0, 2**31 - 1), st.booleans()),
    _USERS,
    st.none() | st.datetimes(timezones=st.just(UTC)),
    st.lists(st.builds(Reaction, _TEXTS, st.integers(1, 2**62), st.booleans()), max_size=3),
)


@settings(max_examples=examples(100))
@given(_STORED)
def test_stored_text_has_the_bytes_of_a_message(text: StoredText) -> None:
    kind, flags, tts = text.kind
    message = Message(
        id=text.id,
        channel_id=text.channel_id,
        guild_id=None,
        author=text.author,
        type=MessageType(kind),
        content=text.content,
        flags=flags,
        tts=tts,
        edited_at=text.edited_at,
        reference_id=None,
        reference=None,
        reactions=tuple(text.reactions),
    )
    assert payloads.encoded_stored_text(text) == payloads.encode(payloads.message(message))


_NUMBERS = st.sampled_from(
    [
        "",
        "0",
        "1",
        "50",
        "100",
        "101",
        "007",
        "0000000050",
        "-1",
        "1_0",
        " 7 ",
        "1e2",
        "5.0",
        "１２",
        "²",
    ]
)
_VALUES = _NUMBERS | _IDS.map(str) | st.integers().map(str) | st.text(max_size=3)


@settings(max_examples=examples(300))
@given(st.dictionaries(st.sampled_from(["limit", "before", "after", "around", "other"]), _VALUES))
@example({"limit": "50", "before": str(MAX_ID)})
@example({"before": str(MAX_ID + 1)})
@example({"before": "1", "after": "1"})
@example({"limit": "0"})
def test_plain_query_is_what_the_schema_reads(query: dict[str, Any]) -> None:
    plain = _SCHEMA.read_plain(query)
    if plain is not None:
        assert plain == _SCHEMA.read(query)


def test_what_clients_request_is_plain() -> None:
    assert _SCHEMA.read_plain({}) == MessagePage()
    assert _SCHEMA.read_plain({"limit": "50"}) == MessagePage(50)
    query = {"limit": "100", "before": "1577000000000000000"}
    assert _SCHEMA.read_plain(query) == MessagePage(100, before=1577000000000000000)
