"""Keys that sign the requests to the interactions endpoints of applications (Ed25519, RFC 8032).

The key of an application is derived from the secret of the server and the id (HKDF, RFC 5869). So
the database contains no private key. A new JWT_SECRET changes all keys.
"""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from chatd.core.ids import UserId

_PURPOSE = b"chatd interaction keys "
_SEED_BYTES = 32


class InteractionKeys:
    """Signs with the key of each application."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def verify_key(self, application_id: UserId) -> str:
        """Return the public key of an application, in hexadecimal form."""
        return self._key(application_id).public_key().public_bytes_raw().hex()

    def sign(self, application_id: UserId, timestamp: str, body: bytes) -> str:
        """Return the signature of a request, in hexadecimal form.

        Rule: Discord docs, "Setting Up an Endpoint": the timestamp and the body are signed.
        """
        return self._key(application_id).sign(timestamp.encode() + body).hex()

    def _key(self, application_id: UserId) -> Ed25519PrivateKey:
        info = _PURPOSE + str(application_id).encode()
        derived = HKDF(algorithm=SHA256(), length=_SEED_BYTES, salt=None, info=info)
        return Ed25519PrivateKey.from_private_bytes(derived.derive(self._secret))
