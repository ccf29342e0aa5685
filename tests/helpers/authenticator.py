"""A software authenticator for passkeys, with faults that tests ask for (WebAuthn, Level 2)."""

from __future__ import annotations

import hashlib
import json
import secrets
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256

ORIGIN = "http://chatd.test"
"""The origin of PUBLIC_URL in the settings of the tests."""

_PRESENT, _VERIFIED, _ATTESTED = 1, 4, 64


def base64url(data: bytes) -> str:
    """Encode bytes as browsers do."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


@dataclass
class Authenticator:
    """One credential of one user, and its signature counter."""

    origin: str = ORIGIN
    rp_id: str = "chatd.test"
    credential_id: bytes = field(default_factory=lambda: secrets.token_bytes(32))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    count: int = 0
    counts: bool = True
    """Whether it counts; many authenticators always say 0."""
    verifies_user: bool = True

    def create(self, options: str, *, is_self_attested: bool = False, **faults: Any) -> str:
        """Answer options to create a credential, as JSON."""
        wanted = json.loads(options)["publicKey"]
        data = self._data(_ATTESTED) + bytes(16) + len(self.credential_id).to_bytes(2, "big")
        data += self.credential_id + self._public_key()
        client_data = self._client_data("webauthn.create", wanted["challenge"])
        attestation: dict[str, Any] = {"fmt": "none", "attStmt": {}, "authData": data, **faults}
        if is_self_attested:
            signature = self._sign(data, client_data)
            attestation |= {"fmt": "packed", "attStmt": {"alg": -7, "sig": signature}}
        return self._answer(
            {
                "clientDataJSON": base64url(client_data),
                "attestationObject": base64url(cbor2.dumps(attestation)),
            }
        )

    def get(self, options: str, *, kind: str = "webauthn.get") -> str:
        """Answer options to use the credential, as JSON."""
        wanted = json.loads(options)["publicKey"]
        if self.counts:
            self.count += 1
        data = self._data()
        client_data = self._client_data(kind, wanted["challenge"])
        return self._answer(
            {
                "clientDataJSON": base64url(client_data),
                "authenticatorData": base64url(data),
                "signature": base64url(self._sign(data, client_data)),
            }
        )

    def _sign(self, data: bytes, client_data: bytes) -> bytes:
        return self.key.sign(data + hashlib.sha256(client_data).digest(), ec.ECDSA(SHA256()))

    def _answer(self, response: dict[str, str]) -> str:
        raw = base64url(self.credential_id)
        answer = {"id": raw, "rawId": raw, "type": "public-key", "response": response}
        return json.dumps(answer)

    def _data(self, flags: int = 0) -> bytes:
        flags |= _PRESENT | (_VERIFIED if self.verifies_user else 0)
        host = hashlib.sha256(self.rp_id.encode()).digest()
        return host + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client_data(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(data).encode()

    def _public_key(self) -> bytes:
        numbers = self.key.public_key().public_numbers()
        x, y = numbers.x.to_bytes(32, "big"), numbers.y.to_bytes(32, "big")
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})


def as_fermi_sends_it(answer: str) -> str:
    """Rewrite an answer with the members and the Base64 of Fermi, a client of Spacebar."""
    parsed = json.loads(answer)

    def padded(text: str) -> str:
        return b64encode(urlsafe_b64decode(text + "=" * (-len(text) % 4))).decode()

    response = {name: padded(value) for name, value in parsed["response"].items()}
    return json.dumps({"rawId": padded(parsed["rawId"]), "response": response})
