"""Tokens of OpenID providers: which signatures and claims are accepted."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, OKPKey, RSAKey

from chatd.auth.oidc import tokens
from chatd.auth.oidc.tokens import InvalidIdToken, UnknownKey
from chatd.oidc_settings import ALGORITHMS
from tests.helpers.hostile_provider import at_hash, sign

RSA = RSAKey.generate_key(2048, {"kid": "rsa"}, private=True)
EC = ECKey.generate_key("P-256", {"kid": "ec"}, private=True)
ED = OKPKey.generate_key("Ed25519", {"kid": "ed"}, private=True)
OTHER = ECKey.generate_key("P-256", {"kid": "ec"}, private=True)
KEYS = tokens.usable_keys({"keys": [each.as_dict(private=False) for each in (RSA, EC, ED)]})
NOW = 1_800_000_000
CLAIMS = {
    "iss": "https://op.example",
    "aud": "chatd",
    "sub": "someone",
    "nonce": "n",
    "iat": NOW,
    "exp": NOW + 300,
}


def encoded(document: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(document).encode()).decode().rstrip("=")


def check(token: str, **changes: Any) -> None:
    header, claims = tokens.verify(token, KEYS, ALGORITHMS)
    expected: dict[str, Any] = {
        "issuer": "https://op.example",
        "client_id": "chatd",
        "nonce": "n",
        "access_token": "access",
        "now": NOW,
        **changes,
    }
    tokens.check_id_token(header, claims, **expected)


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm(algorithm: str) -> None:
    curves = {"ES384": "P-384", "ES512": "P-521"}
    key: Any = RSA if algorithm[1] == "S" and algorithm[0] in "RP" else ED
    if algorithm.startswith("ES"):
        key = ECKey.generate_key(curves.get(algorithm, "P-256"), private=True)
    token = jws.serialize_compact({"alg": algorithm}, b'{"a": 1}', key, algorithms=[algorithm])
    keys = tokens.usable_keys({"keys": [key.as_dict(private=False)]})
    assert tokens.verify(token, keys, ALGORITHMS)[1] == {"a": 1}
    with pytest.raises(InvalidIdToken, match="not allowed"):
        tokens.verify(token, keys, set(ALGORITHMS) - {algorithm})


def _hmac(secret: bytes, head: dict[str, Any]) -> str:
    signed = f"{encoded(head)}.{encoded(CLAIMS)}"
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _altered() -> str:
    head, _, signature = sign(CLAIMS, EC).split(".")
    return f"{head}.{encoded({**CLAIMS, 'sub': 'admin'})}.{signature}"


FORGED: dict[str, str] = {
    "without a signature": f"{encoded({'alg': 'none'})}.{encoded(CLAIMS)}.",
    "none in capitals": f"{encoded({'alg': 'NONE'})}.{encoded(CLAIMS)}.",
    "HMAC by the public key": _hmac(RSA.as_pem(private=False), {"alg": "HS256", "kid": "rsa"}),
    "HMAC by nothing": _hmac(b"", {"alg": "HS256"}),
    "by another key of this name": sign(CLAIMS, OTHER),
    "by a key in its header": sign(CLAIMS, OTHER, jwk=OTHER.as_dict(private=False)),
    "by a key at an address": sign(CLAIMS, OTHER, jku="https://evil.example/keys"),
    "by a key of another type": jws.serialize_compact({"alg": "RS256", "kid": "ec"}, b"{}", RSA),
    "altered": _altered(),
    "critical extension": f"{encoded({'alg': 'ES256', 'crit': ['x'], 'x': 1})}.e30.AA",
    "no object as payload": jws.serialize_compact({"alg": "ES256"}, b"[1]", EC),
    "NaN in the payload": jws.serialize_compact({"alg": "ES256"}, b'{"exp": NaN}', EC),
    "deep header": f"{base64.urlsafe_b64encode(b'[' * 5000).decode()}.e30.AA",
    "deep payload": jws.serialize_compact({"alg": "ES256"}, b"[" * 5000, EC),
    "list as algorithm": f"{encoded({'alg': ['ES256']})}.{encoded(CLAIMS)}.AA",
    "list as key id": f"{encoded({'alg': 'ES256', 'kid': ['ec']})}.{encoded(CLAIMS)}.AA",
    "two parts": "a.b",
    "encrypted": "a.b.c.d.e",
    "empty": "",
    "no text": "é.ü.ß",
    "too long": sign({**CLAIMS, "x": "x" * tokens.MAX_TOKEN}, EC),
}


@pytest.mark.parametrize("name", FORGED)
def test_forged_token_is_refused(name: str) -> None:
    with pytest.raises(InvalidIdToken):
        check(FORGED[name])


@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_no_text_raises_another_error(text: str) -> None:
    for token in (text, f"{encoded({'alg': 'ES256'})}.{text}.x"):
        with pytest.raises(InvalidIdToken):
            check(token)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
        max_leaves=8,
    ),
    st.sampled_from(["iss", "aud", "sub", "nonce", "iat", "exp", "azp", "at_hash", "nbf"]),
)
def test_no_claim_raises_another_error(value: Any, name: str) -> None:
    try:
        tokens.check_id_token(
            {"alg": "ES256"},
            {**CLAIMS, name: value},
            issuer="https://op.example",
            client_id="chatd",
            nonce="n",
            access_token="access",
            now=NOW,
        )
    except InvalidIdToken:
        return
    assert name in ("sub", "iat", "exp", "nbf", "aud") or value == CLAIMS.get(name)


def test_clocks_may_differ_by_a_minute() -> None:
    token = sign(CLAIMS, EC)
    for now in (NOW - 60, NOW, NOW + 300 + 59):
        check(token, now=now)
    for now in (NOW - 61, NOW + 300 + 60):
        with pytest.raises(InvalidIdToken):
            check(token, now=now)


def test_hash_of_the_access_token() -> None:
    check(sign({**CLAIMS, "at_hash": at_hash("access")}, EC))
    with pytest.raises(InvalidIdToken, match="another access token"):
        check(sign({**CLAIMS, "at_hash": at_hash("other")}, EC))


def test_key_without_a_name_is_tried() -> None:
    plain = ECKey.generate_key("P-256", private=True)
    keys = tokens.usable_keys({"keys": [EC.as_dict(private=False), plain.as_dict(private=False)]})
    token = jws.serialize_compact({"alg": "ES256"}, b'{"a": 1}', plain)
    assert tokens.verify(token, keys, ALGORITHMS)[1] == {"a": 1}
    with pytest.raises(UnknownKey):
        tokens.verify(sign({}, EC, kid="new"), keys, ALGORITHMS)


def _key(**changes: Any) -> dict[str, Any]:
    return {**RSA.as_dict(private=False), **changes}


@pytest.mark.parametrize(
    "key",
    [
        _key(use="enc"),
        _key(n="AQAB"),
        _key(n="A" * 3000),
        _key(e="A" * 300),
        _key(n=5),
        _key(kid=5),
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"},
        {"kty": "OKP", "crv": "X25519", "x": "AA"},
        {},
        "text",
    ],
)
def test_unusable_key_is_left_out(key: Any) -> None:
    assert tokens.usable_keys({"keys": [key]}) == []


def test_broken_key_is_an_invalid_token() -> None:
    broken = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "ec"}
    keys = tokens.usable_keys({"keys": [broken, *KEYS]})
    assert tokens.verify(sign(CLAIMS, EC), keys, ALGORITHMS)[1] == CLAIMS
    with pytest.raises(InvalidIdToken):
        tokens.verify(sign(CLAIMS, EC), [broken], ALGORITHMS)


def test_many_keys_are_bounded() -> None:
    keys = tokens.usable_keys({"keys": [{**KEYS[1], "kid": None}] * 5000})
    assert keys == []
    many = [{name: value for name, value in KEYS[1].items() if name != "kid"}] * 5000
    assert len(tokens.usable_keys({"keys": many})) == tokens.MAX_KEYS
    assert tokens.usable_keys({"keys": {}}) == tokens.usable_keys({}) == []


def test_logout_token_is_no_id_token() -> None:
    now = int(time.time())
    claims = {**CLAIMS, "iat": now, "exp": now + 60, "jti": "x"}
    with pytest.raises(InvalidIdToken, match="nothing about a logout"):
        tokens.check_logout_token(
            {"alg": "ES256"}, claims, issuer="https://op.example", client_id="chatd", now=now
        )
