"""What browsers answer to the options of passkeys, parsed but not verified.

It is apart from `passkeys`, since the library takes a tenth of a second to import: the command line
needs none of it.
"""

from __future__ import annotations

import binascii
import re
import secrets
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import Any

import orjson

_CHALLENGE_BYTES = 32
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}", re.ASCII)


class InvalidPasskey(Exception):
    """The answer of a browser is malformed, or does not prove the possession of the passkey."""


@dataclass(frozen=True, slots=True)
class Assertion:
    """An answer to a challenge: it claims to be signed with a credential."""

    credential_id: bytes
    client_data: bytes = field(repr=False)
    authenticator_data: bytes = field(repr=False)
    signature: bytes = field(repr=False)


def new_challenge() -> bytes:
    """Return a random challenge."""
    return secrets.token_bytes(_CHALLENGE_BYTES)


def parse_assertion(answer: str) -> Assertion:
    """Parse the answer to the request of a passkey. Raises InvalidPasskey."""
    credential_id, response = parse(answer)
    return Assertion(
        credential_id,
        member(response, "clientDataJSON"),
        member(response, "authenticatorData"),
        member(response, "signature"),
    )


def parse(answer: str) -> tuple[bytes, dict[str, Any]]:
    """Return the id of the credential and the `response` of an answer in JSON.

    Raises InvalidPasskey.
    """
    try:
        parsed = orjson.loads(answer)
    except orjson.JSONDecodeError:
        raise InvalidPasskey("no JSON") from None
    if not isinstance(parsed, dict) or not isinstance(parsed.get("response"), dict):
        raise InvalidPasskey("no response")
    return member(parsed, "rawId"), parsed["response"]


def member(data: dict[str, Any], name: str) -> bytes:
    """Return a binary member; some clients encode it as Base64 with padding.

    Raises InvalidPasskey.
    """
    text = data.get(name)
    if not isinstance(text, str) or not _BASE64.fullmatch(text):
        raise InvalidPasskey(f"no {name}")
    text = text.rstrip("=").replace("+", "-").replace("/", "_")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except binascii.Error:
        raise InvalidPasskey(f"no {name}") from None
