"""The response to a message and its event are encoded together, as if each were encoded alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.core.ids import ChannelId, GuildId, MessageId, RoleId, UserId, WebhookId
from chatd.core.models import Member, MessageLocation, MessageOrigin, MessageType, User
from chatd.services.messages.drafts import Draft
from chatd.services.messages.mentions import Mentions
from chatd.wire import payloads
from tests.helpers.examples import examples
from tests.helpers.walk import walk

_ID = MessageId(1234567890123456789)
_GUILD = GuildId(2**62)
_ALICE = User(UserId(7), "alice", 'Al"ice\u2028', "a_hash", bot=False)
_BOB = User(UserId(8), "bob", None, None, bot=True)
_JOINED = datetime(2026, 1, 2, 3, 4, 5, 678, timezone(timedelta(hours=2)))
_MEMBER = Member(_GUILD, _ALICE, "Ali", _JOINED, None, (RoleId(5), RoleId(6)))
_TIMED_OUT = Member(
    _GUILD, _BOB, None, datetime(2026, 1, 2, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), ()
)
_DRAFT = Draft(_ALICE, _MEMBER, MessageLocation(ChannelId(3), _GUILD), MessageType.DEFAULT, "hi")
_REPLIED = _DRAFT.message(MessageId(77))

_SHARED = {
    "a text": _DRAFT,
    "a text without mentions that were looked for": replace(_DRAFT, mentions=Mentions()),
    "without text": replace(_DRAFT, content="", embeds=[{"title": "t", "type": "rich"}]),
    "quotation marks": replace(_DRAFT, content='"}, {"\u2028\U0001f600\\'),
    "nonce": replace(_DRAFT, nonce='n"1'),
    "empty nonce": replace(_DRAFT, nonce=""),
    "number as nonce": replace(_DRAFT, nonce=0, flags=4, tts=True),
    "another author": replace(_DRAFT, author=_BOB, member=_TIMED_OUT),
    "roles mentioned": replace(_DRAFT, mentions=Mentions(roles=[RoleId(5)], everyone=True)),
    "mentioned without being a member": replace(_DRAFT, mentions=Mentions(users=[_BOB])),
}
_ALONE = {
    "a member mentioned": replace(_DRAFT, mentions=Mentions([_BOB], {_BOB.id: _TIMED_OUT})),
    "reply": replace(_DRAFT, type=MessageType.REPLY, reference=_REPLIED),
    "webhook": replace(_DRAFT, member=None, origin=MessageOrigin(WebhookId(9), name="hook")),
}


def _response(draft: Draft) -> dict[str, Any]:
    """Return the response as a message that is encoded alone has it."""
    payload = payloads.message(draft.message(_ID))
    return payload if draft.nonce is None else {**payload, "nonce": draft.nonce}


@walk("name", _SHARED)
def test_response_and_event_have_the_same_bytes_as_alone(name: str) -> None:
    draft = _SHARED[name]
    for _ in range(2):  # parts of the second are cached
        sent, event = draft.created(_ID)
        assert sent == payloads.encode(_response(draft))
        assert [event] == draft.created_events(draft.message(_ID))


@walk("name", _ALONE)
def test_what_response_and_event_show_differently_is_not_shared(name: str) -> None:
    draft = _ALONE[name]
    sent, event = draft.created(_ID)
    assert sent == draft.message(_ID)
    assert [event] == draft.created_events(draft.message(_ID))


@settings(max_examples=examples(200))
@given(
    st.builds(
        partial(replace, _DRAFT),
        author=st.sampled_from([_ALICE, _BOB]),
        content=st.text(),
        nonce=st.none() | st.text(max_size=25) | st.integers(-(2**63), 2**63 - 1),
        flags=st.integers(0, 2**31 - 1),
        tts=st.booleans(),
        type=st.sampled_from(MessageType),
    ),
    st.integers(1, 2**63 - 1).map(MessageId),
)
def test_text_has_the_same_bytes_as_any_message(draft: Draft, message_id: MessageId) -> None:
    sent, event = draft.created(message_id)
    message = draft.message(message_id)
    assert sent == payloads.encoded_message(message, draft.nonce)
    assert [event] == draft.created_events(message)


def test_a_changed_member_is_encoded_anew() -> None:
    _DRAFT.created(_ID)
    renamed = Member(_GUILD, _ALICE, "Alice B.", _JOINED, None, ())
    _, event = replace(_DRAFT, member=renamed).created(_ID)
    assert orjson.loads(event.body)["member"]["nick"] == "Alice B."


def test_an_event_is_logged_without_its_content() -> None:
    _, event = replace(_DRAFT, content="a secret").created(_ID)
    assert "secret" not in repr(event)
