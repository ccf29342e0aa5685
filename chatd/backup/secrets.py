"""Encryption of secrets by a passphrase: scrypt (RFC 7914), then ChaCha20-Poly1305 (RFC 8439)."""

from __future__ import annotations

import os

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from chatd.backup.errors import InvalidArchive, WrongPassphrase

PASSPHRASE_MIN_LENGTH = 12
"""An archive may be copied and attacked offline, without limits on the attempts."""

MAX_BYTES = 64 * 1024
"""Size of encrypted secrets, at most. A secret has some dozen characters."""

_MAGIC = b"chatd secrets 1\n"
_SALT_BYTES = 16
_NONCE_BYTES = 12
_HEAD_BYTES = len(_MAGIC) + _SALT_BYTES + _NONCE_BYTES


def encrypt(secrets: dict[str, str], passphrase: str, archive_id: str) -> bytes:
    """Encrypt secrets, by name, for one archive."""
    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(_NONCE_BYTES)
    cipher = ChaCha20Poly1305(_key(passphrase, salt))
    sealed = cipher.encrypt(nonce, orjson.dumps(secrets), archive_id.encode())
    return _MAGIC + salt + nonce + sealed


def decrypt(data: bytes, passphrase: str, archive_id: str) -> dict[str, str]:
    """Decrypt the secrets of an archive. Raises WrongPassphrase, InvalidArchive."""
    if not data.startswith(_MAGIC) or len(data) <= _HEAD_BYTES:
        raise InvalidArchive("the secrets of the archive are damaged, or of a newer chatd")
    salt = data[len(_MAGIC) : len(_MAGIC) + _SALT_BYTES]
    nonce = data[len(_MAGIC) + _SALT_BYTES : _HEAD_BYTES]
    cipher = ChaCha20Poly1305(_key(passphrase, salt))
    try:
        found = orjson.loads(cipher.decrypt(nonce, data[_HEAD_BYTES:], archive_id.encode()))
    except InvalidTag:
        raise WrongPassphrase("the passphrase is wrong, or the secrets were altered") from None
    return {str(name): str(value) for name, value in found.items()}


def _key(passphrase: str, salt: bytes) -> bytes:
    # OWASP, "Password Storage Cheat Sheet": 2^17 with r=8. It takes 128 MiB and about 0.3 s.
    return Scrypt(salt=salt, length=32, n=2**17, r=8, p=1).derive(passphrase.encode())
