"""Passkeys: what browsers answer is hostile until it is verified."""

from __future__ import annotations

import json
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.passkey_answers import InvalidPasskey, new_challenge, parse_assertion
from chatd.auth.passkeys import PasskeyVerifier
from tests.helpers.authenticator import Authenticator, base64url

VERIFIER = PasskeyVerifier("http://chatd.test", user_verification="preferred")
KEY = Authenticator()
CHALLENGE = new_challenge()
CREATION = VERIFIER.creation_options(CHALLENGE, 1, "ada", [b"known"])
REQUEST = VERIFIER.request_options(CHALLENGE, [KEY.credential_id])
CREATED = json.loads(KEY.create(CREATION))
PUBLIC_KEY = VERIFIER.verify_registration(json.dumps(CREATED), CHALLENGE).public_key
USED = json.loads(KEY.get(REQUEST))


def verify(answer: str, sign_count: int = 0) -> int:
    assertion = parse_assertion(answer)
    return VERIFIER.verify(assertion, CHALLENGE, public_key=PUBLIC_KEY, sign_count=sign_count)


def changed(answer: Any, **members: str) -> str:
    return json.dumps({**answer, "response": {**answer["response"], **members}})


def test_options_name_the_server_and_the_known_credentials() -> None:
    creation, request = json.loads(CREATION)["publicKey"], json.loads(REQUEST)["publicKey"]
    assert creation["rp"]["id"] == request["rpId"] == "chatd.test"
    assert creation["attestation"] == "none"
    assert [each["id"] for each in creation["excludeCredentials"]] == [base64url(b"known")]
    assert creation["challenge"] == request["challenge"] == base64url(CHALLENGE)


def test_right_answers_are_accepted() -> None:
    assert verify(json.dumps(USED)) == KEY.count


@given(count=st.integers(0, 2**32))
def test_counter_must_increase(count: int) -> None:
    if count < KEY.count:
        assert verify(json.dumps(USED), count) == KEY.count
    else:
        with pytest.raises(InvalidPasskey):
            verify(json.dumps(USED), count)


@given(name=st.sampled_from(sorted(USED["response"])), data=st.binary(max_size=300))
def test_changed_assertions_are_refused(name: str, data: bytes) -> None:
    if USED["response"][name] != base64url(data):
        with pytest.raises(InvalidPasskey):
            verify(changed(USED, **{name: base64url(data)}))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9) | st.binary(max_size=99),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=9,
)


@given(data=st.binary(max_size=300) | _VALUES.map(cbor2.dumps))
def test_hostile_attestations_are_refused(data: bytes) -> None:
    with pytest.raises(InvalidPasskey):
        VERIFIER.verify_registration(changed(CREATED, attestationObject=base64url(data)), CHALLENGE)


@given(
    statement=_VALUES, data=st.binary(max_size=300) | _VALUES, kind=st.text(max_size=9) | _VALUES
)
def test_hostile_members_are_refused(statement: Any, data: Any, kind: Any) -> None:
    packed = cbor2.dumps({"fmt": kind, "attStmt": statement, "authData": data})
    with pytest.raises(InvalidPasskey):
        VERIFIER.verify_registration(
            changed(CREATED, attestationObject=base64url(packed)), CHALLENGE
        )


@given(text=st.text(max_size=99) | _VALUES.map(repr))
def test_texts_that_are_no_answer_are_refused(text: str) -> None:
    for act in (parse_assertion, lambda each: VERIFIER.verify_registration(each, CHALLENGE)):
        with pytest.raises(InvalidPasskey):
            act(text)


def test_self_attestation_is_accepted_if_it_is_right() -> None:
    """Authenticators send it for `none`, too, where the browser passes it on."""
    made = VERIFIER.verify_registration(KEY.create(CREATION, is_self_attested=True), CHALLENGE)
    assert made.public_key == PUBLIC_KEY
    wrong = {"alg": -7, "sig": b"x"}
    with pytest.raises(InvalidPasskey):
        VERIFIER.verify_registration(KEY.create(CREATION, fmt="packed", attStmt=wrong), CHALLENGE)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://chat.example.org", "https://chat.example.org"),
        ("https://Chat.Example.org:443", "https://chat.example.org"),
        ("http://localhost:8080", "http://localhost:8080"),
    ],
)
def test_origin_is_that_of_browsers(url: str, origin: str) -> None:
    verifier = PasskeyVerifier(url, user_verification="preferred")
    assert verifier.is_available
    host = origin.partition("://")[2].partition(":")[0]
    key = Authenticator(origin=origin, rp_id=host)
    options = verifier.creation_options(CHALLENGE, 1, "ada", [])
    assert verifier.verify_registration(key.create(options), CHALLENGE).id == key.credential_id


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://[::1]:8080", "http://[::1", ""])
def test_addresses_have_no_passkeys(url: str) -> None:
    assert not PasskeyVerifier(url, user_verification="preferred").is_available


class _RsaAuthenticator(Authenticator):
    """Claims to have an RSA key; nothing is signed with it at the creation."""

    exponent = 65537

    def _public_key(self) -> bytes:
        size = (self.exponent.bit_length() + 7) // 8
        modulus = (1 << 3071) + 1
        key = {1: 3, 3: -257, -1: modulus.to_bytes(384, "big")}
        return cbor2.dumps({**key, -2: self.exponent.to_bytes(size, "big")})


def test_rsa_keys_have_the_small_exponents_of_authenticators() -> None:
    key = _RsaAuthenticator()
    assert VERIFIER.verify_registration(key.create(CREATION), CHALLENGE).public_key
    for exponent in (1 << 32 | 1, 1 << 3070 | 1):
        key.exponent = exponent
        with pytest.raises(InvalidPasskey):
            VERIFIER.verify_registration(key.create(CREATION), CHALLENGE)
