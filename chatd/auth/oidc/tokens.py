"""Verifying the tokens of OpenID providers: their signature first, then their claims.

python-jose, which signs chatd's own tokens, is not used here: it ignores `crit`, knows neither
RSA-PSS nor EdDSA, and its parser fails on nested headers. The formats are parsed by orjson, which
has no such limits, and the signature is verified by joserfc.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import warnings
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import orjson
from joserfc import jwk, jws
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwt import ClaimsOption, JWTClaimsRegistry

MAX_TOKEN: Final = 64 * 1024
"""Characters of a token. One with a thousand groups has about 40,000."""

CLOCK_SKEW_S: Final = 60
"""How much the clocks of the server and of a provider may differ."""

LOGOUT_LIFETIME_S: Final = 600
"""How old a logout token may be. Its id is remembered for longer, so that it works once."""

MAX_KEYS: Final = 100
"""Keys of a provider that are considered."""

_MAX_SUBJECT = 255  # characters. Rule: OpenID Connect Core, 2
_MAX_ID = 1024  # characters of the id of a session or of a token; some are encrypted states

_MAX_TRIED_KEYS = 8  # keys that are tried for a token that names none
_RSA_MODULUS = range(342, 1400)  # characters in base64url: 2048 to 8192 bits
_RSA_EXPONENT = 6  # characters: 4 bytes. Verification takes longer with each bit.
_LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
_LOGOUT_TYPES = (None, "jwt", "logout+jwt", "application/logout+jwt")
_HASHES = {"256": hashlib.sha256, "384": hashlib.sha384, "512": hashlib.sha512}
_KEY_TYPES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}


class InvalidIdToken(Exception):
    """The token is not acceptable; the message says why, and quotes nothing of it."""


class UnknownKey(InvalidIdToken):
    """None of the keys verifies the token: the provider may have a new one."""


class _Registry(jws.JWSRegistry):
    max_header_length = 8 * 1024
    max_payload_length = MAX_TOKEN
    max_signature_length = 2 * 1024


def usable_keys(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the public keys of a JWKS document (RFC 7517) with which signatures can be verified.

    Keys of other kinds and weak or slow ones are left out.
    """
    keys = document.get("keys")
    if not isinstance(keys, list):
        return []
    return [each for each in keys[:MAX_KEYS] if isinstance(each, dict) and _is_usable(each)]


def _is_usable(key: Mapping[str, Any]) -> bool:
    if key.get("use") not in (None, "sig") or not isinstance(key.get("kid", ""), str):
        return False
    if key.get("kty") == "RSA":
        modulus, exponent = key.get("n"), key.get("e")
        if not isinstance(modulus, str) or not isinstance(exponent, str):
            return False
        return len(modulus) in _RSA_MODULUS and len(exponent) <= _RSA_EXPONENT
    return (key.get("kty"), key.get("crv")) in {
        ("EC", "P-256"),
        ("EC", "P-384"),
        ("EC", "P-521"),
        ("OKP", "Ed25519"),
    }


def verify(
    token: str, keys: Iterable[Mapping[str, Any]], algorithms: Collection[str]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Verify the signature of a token; return its header and its claims, which are not checked.

    Raises UnknownKey if none of the keys verifies it, InvalidIdToken.
    """
    header = _header(token)
    algorithm, kid = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in algorithms:
        raise InvalidIdToken("its signature algorithm is not allowed")
    if "crit" in header:
        raise InvalidIdToken("it has critical extensions")
    candidates = [each for each in keys if _fits(each, algorithm, kid)]
    if not candidates:
        raise UnknownKey("it is signed with an unknown key")
    registry = _Registry(algorithms=[algorithm], strict_check_header=False)
    for key in candidates[:_MAX_TRIED_KEYS]:
        if (payload := _payload(token, key, registry)) is not None:
            return header, _object(payload, "its payload is no object")
    # A provider may give a new key the name of an old one, or name no key in its tokens.
    raise UnknownKey("its signature is wrong")


def _payload(token: str, key: Mapping[str, Any], registry: _Registry) -> bytes | None:
    """Return the payload of a token that a key verifies; otherwise None."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of the name EdDSA, see RFC 9864
        try:
            return jws.deserialize_compact(
                token, jwk.import_key(dict(key)), registry=registry
            ).payload
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            return None


def _header(token: str) -> dict[str, Any]:
    if len(token) > MAX_TOKEN or not token.isascii() or token.count(".") != 2:
        raise InvalidIdToken("it is no signed token")
    encoded = token.partition(".")[0]
    try:
        data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
    except (binascii.Error, ValueError) as error:
        raise InvalidIdToken("its header is malformed") from error
    return _object(data, "its header is no object")


def _object(data: bytes, problem: str) -> dict[str, Any]:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidIdToken(problem) from error
    if not isinstance(found, dict):
        raise InvalidIdToken(problem)
    return found


def _fits(key: Mapping[str, Any], algorithm: str, kid: object) -> bool:
    if key.get("kty") != _KEY_TYPES[algorithm[:2]] or key.get("alg") not in (None, algorithm):
        return False
    return kid is None or key.get("kid") == kid


def check_id_token(
    header: Mapping[str, Any],
    claims: dict[str, Any],
    *,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str,
    now: float,
) -> None:
    """Check the claims of an ID token of the code flow. Raises InvalidIdToken.

    Rule: OpenID Connect Core, 3.1.3.7 and 3.1.3.8.
    """
    _check_registered(claims, issuer, client_id, now, required=("sub", "exp", "iat"))
    text_claim(claims, "sub")
    _check_authorized_party(claims, client_id)
    given = claims.get("nonce")
    if not isinstance(given, str) or not hmac.compare_digest(given.encode(), nonce.encode()):
        raise InvalidIdToken("its nonce is wrong")
    if "at_hash" in claims and claims["at_hash"] != _half_hash(access_token, header["alg"]):
        raise InvalidIdToken("it belongs to another access token")


def check_logout_token(
    header: Mapping[str, Any],
    claims: dict[str, Any],
    *,
    issuer: str,
    client_id: str,
    now: float,
) -> None:
    """Check the claims of a logout token. Raises InvalidIdToken.

    An ID token is none: it has a nonce, and no `events`. Rule: Back-Channel Logout, 2.6.
    """
    kind = header.get("typ")
    if (kind.lower() if isinstance(kind, str) else kind) not in _LOGOUT_TYPES:
        raise InvalidIdToken("it is of another type")
    _check_registered(claims, issuer, client_id, now, required=("iat", "jti"))
    if now - claims["iat"] > LOGOUT_LIFETIME_S:
        raise InvalidIdToken("it is too old")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(_LOGOUT_EVENT), dict):
        raise InvalidIdToken("it says nothing about a logout")
    if "nonce" in claims:
        raise InvalidIdToken("it has a nonce, so it is no logout token")
    text_claim(claims, "jti")
    if "sub" not in claims and "sid" not in claims:
        raise InvalidIdToken("it names neither a subject nor a session")


def text_claim(claims: Mapping[str, Any], name: str) -> str:
    """Return a claim that identifies something. Raises InvalidIdToken for what is no such text."""
    value = claims.get(name)
    longest = _MAX_SUBJECT if name == "sub" else _MAX_ID
    if not isinstance(value, str) or not 0 < len(value) <= longest or not value.isprintable():
        raise InvalidIdToken(f"its {name} is malformed")
    return value


def _check_registered(
    claims: dict[str, Any], issuer: str, client_id: str, now: float, *, required: Sequence[str]
) -> None:
    options: dict[str, ClaimsOption] = {name: {"essential": True} for name in required}
    options["iss"] = {"essential": True, "value": issuer}
    options["aud"] = {"essential": True, "value": client_id}
    registry = JWTClaimsRegistry(now=int(now), leeway=CLOCK_SKEW_S, **options)
    try:
        registry.validate(claims)
    except JoseError as error:
        raise InvalidIdToken(f"a claim is wrong: {str(error)[:100]}") from error


def _check_authorized_party(claims: Mapping[str, Any], client_id: str) -> None:
    is_shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if is_shared and "azp" not in claims:
        raise InvalidIdToken("it has several audiences and no authorized party")
    if "azp" in claims and claims["azp"] != client_id:
        raise InvalidIdToken("it was issued to another client")


def _half_hash(text: str, algorithm: str) -> str:
    # Ed25519 hashes with SHA-512, and so does the claim.
    hashed = _HASHES.get(algorithm[-3:], hashlib.sha512)(text.encode()).digest()
    return base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).decode().rstrip("=")
