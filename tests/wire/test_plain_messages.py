"""A message that is only a text is read without its schema, with the same result."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from chatd.wire.schemas.messages import NewMessage, NewMessageSchema, read_plain
from tests.helpers.examples import examples

_SCHEMA = NewMessageSchema()
_FIELDS = sorted(_SCHEMA.fields)

# Bounds of the fields, what Python takes for equal to them, and what the schema converts.
_NUMBERS = st.sampled_from([0, -0.0, 0.0, 1, 4, 1.0, 2**63, -(2**63), True, False])
_TEXTS = st.sampled_from(
    [
        "",
        " a ",
        "\u2003\x1f",
        "a\0",
        "\0",
        "n" * 25,
        "n" * 26,
        "c" * 2000,
        "c" * 2001,
        " " * 2001,
        "false",
        "\U0001f600" * 2000,
    ]
)
_VALUES: st.SearchStrategy[Any] = (
    st.none() | _NUMBERS | _TEXTS | st.text() | st.just([]) | st.just({})
)
_PLAIN = st.dictionaries(st.sampled_from(["content", "nonce", "tts", "flags"]), _VALUES)
_ANY = st.dictionaries(st.sampled_from([*_FIELDS, "unknown"]), _VALUES)


@settings(max_examples=examples(300))
@given(_PLAIN | _ANY | _VALUES)
@example({"content": "hello", "nonce": "1", "tts": False, "flags": 0})
@example({"content": "hello", "nonce": ""})
@example({"content": "hello", "nonce": "n" * 26})
@example({"content": "hello", "nonce": "\0"})
@example({"content": " hello\u2003"})
@example({"content": "hel\0lo"})
@example({"content": "c" * 2001})
@example({"content": " " * 2001})
@example({"content": "hello", "tts": 0})
@example({"content": "hello", "flags": False})
@example({"content": "hello", "enforce_nonce": True})
def test_a_plain_message_is_what_the_schema_reads(body: Any) -> None:
    plain = read_plain(body)
    if plain is not None:
        read = _SCHEMA.read(body)
        assert plain == read
        assert type(plain.content) is str
        assert type(plain.nonce) is type(read.nonce)


def test_what_clients_send_is_plain() -> None:
    # discord.py, and Discord's own client.
    assert read_plain({"content": "a"}) == NewMessage("a")
    body = {"content": "a", "nonce": "1234567890123456789", "tts": False, "flags": 0}
    assert read_plain(body) == NewMessage("a", nonce="1234567890123456789")
