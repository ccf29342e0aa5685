"""Tokens of bots and of clients: only issued tokens are accepted, each as its own kind."""

from __future__ import annotations

from base64 import b64decode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.login_tokens import BotTokens, ClientTokens, LoginTokens, is_login_token
from chatd.auth.tokens import AccessTokens, InvalidToken
from chatd.core.ids import MAX_ID, LoginId, UserId

SECRET = "a secret that is long enough for this"
BOTS = BotTokens(SECRET)
CLIENTS = ClientTokens(SECRET, lifetime_s=60)
IDS = st.integers(0, MAX_ID)


KINDS = pytest.mark.parametrize("tokens", [BOTS, CLIENTS], ids=["bots", "clients"])


@KINDS
@given(user_id=IDS, login_id=IDS)
def test_issued_token_is_accepted(tokens: LoginTokens, user_id: int, login_id: int) -> None:
    token = tokens.issue(UserId(user_id), LoginId(login_id))
    claims = tokens.read(token)
    assert (claims.user_id, claims.login_id) == (user_id, login_id)
    first, middle, last = token.split(".")
    assert b64decode(first + "==") == str(user_id).encode()  # as hikari does
    assert middle and last
    assert is_login_token(token)


@KINDS
@given(user_id=IDS, login_id=IDS, data=st.data())
def test_altered_token_is_refused(
    tokens: LoginTokens, user_id: int, login_id: int, data: st.DataObject
) -> None:
    token = tokens.issue(UserId(user_id), LoginId(login_id))
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_.").filter(lambda each: each != token[place]))
    with pytest.raises(InvalidToken):
        tokens.read(token[:place] + other + token[place + 1 :])


@KINDS
@given(text=st.text(max_size=200))
def test_arbitrary_text_is_refused(tokens: LoginTokens, text: str) -> None:
    with pytest.raises(InvalidToken):
        tokens.read(text)


def test_token_of_one_kind_is_refused_as_the_other() -> None:
    for issuer, reader in ((BOTS, CLIENTS), (CLIENTS, BOTS)):
        with pytest.raises(InvalidToken):
            reader.read(issuer.issue(UserId(1), LoginId(2)))


def test_token_of_another_secret_is_refused() -> None:
    token = BotTokens("another secret that is long enough").issue(UserId(1), LoginId(2))
    with pytest.raises(InvalidToken):
        BOTS.read(token)


def test_access_token_is_not_accepted_as_token_of_a_login() -> None:
    token = AccessTokens(SECRET, lifetime_s=60).issue(UserId(1), LoginId(2))
    assert not is_login_token(token)
    with pytest.raises(InvalidToken):
        BOTS.read(token)
