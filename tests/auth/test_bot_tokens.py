"""The tokens of bots: what is issued is read, and nothing else is."""

from __future__ import annotations

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.bot_tokens import BotTokens, is_bot_token
from chatd.auth.tokens import AccessTokens, InvalidToken
from chatd.core.ids import MAX_ID, LoginId, UserId

SECRET = "a secret that is long enough for this"
TOKENS = BotTokens(SECRET)
IDS = st.integers(0, MAX_ID)


@given(IDS, IDS)
def test_what_is_issued_is_read(user_id: int, login_id: int) -> None:
    token = TOKENS.issue(UserId(user_id), LoginId(login_id))
    claims = TOKENS.read(token)
    assert (claims.user_id, claims.login_id) == (user_id, login_id)
    first, middle, last = token.split(".")
    assert b64decode(first + "==") == str(user_id).encode()  # as hikari does
    assert middle and last
    assert is_bot_token(token)


@given(IDS, IDS, st.data())
def test_an_altered_token_is_refused(user_id: int, login_id: int, data: st.DataObject) -> None:
    token = TOKENS.issue(UserId(user_id), LoginId(login_id))
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_.").filter(lambda each: each != token[place]))
    with pytest.raises(InvalidToken):
        TOKENS.read(token[:place] + other + token[place + 1 :])


@given(st.text(max_size=200))
def test_nonsense_is_refused(text: str) -> None:
    with pytest.raises(InvalidToken):
        TOKENS.read(text)


def test_another_secret_is_another_server() -> None:
    token = BotTokens("another secret that is long enough").issue(UserId(1), LoginId(2))
    with pytest.raises(InvalidToken):
        TOKENS.read(token)


def test_an_access_token_is_none_of_a_bot() -> None:
    token = AccessTokens(SECRET, lifetime_s=60).issue(UserId(1), LoginId(2))
    assert not is_bot_token(token)
    with pytest.raises(InvalidToken):
        TOKENS.read(token)
