"""Signed URLs of attachments, which work without credentials until they expire.

Rule: Discord docs, Reference, "Signed Attachment CDN URLs": `ex` is the time of expiry, `is` the
time of issue (both Unix seconds in hexadecimal), `hm` the signature of both and of the path.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import quote

from chatd.core.ids import AttachmentId, ChannelId, UploadId

_LIFETIME_S = 24 * 3600
"""How long the link of an attachment is valid, in seconds, as on Discord. Each payload contains a
fresh link, so only a link that was copied out of a client expires."""

_UPLOAD_LIFETIME_S = 3600
"""How long a client may take to upload a file to a link that it requested, in seconds."""

_EXPORT_LIFETIME_S = 3600
"""How long the link of an archive of an account is valid, in seconds. A download may take longer:
the link is checked at its start."""

_ROUNDING_S = 3600
"""URLs that are issued within one hour are equal, so that clients can use their caches."""


class SignedUrls:
    """Creates and verifies URLs with one secret."""

    def __init__(self, secret: str, public_url: str) -> None:
        self._key = hmac.digest(secret.encode(), b"chatd links to files", hashlib.sha256)
        self._public_url = public_url

    def attachment_url(self, channel_id: ChannelId, file_id: AttachmentId, filename: str) -> str:
        """Return the URL of an attachment. The caller has checked that its reader may see it."""
        path = f"/attachments/{channel_id}/{file_id}/{quote(filename)}"
        made = int(time.time()) // _ROUNDING_S * _ROUNDING_S
        expires = made + _ROUNDING_S + _LIFETIME_S
        signature = self._sign(path, expires, made)
        return f"{self._public_url}{path}?ex={expires:x}&is={made:x}&hm={signature}&"

    def upload_url(self, upload_id: UploadId) -> str:
        """Return the URL to which a file can be uploaded. The caller has authorized its owner."""
        path = f"/uploads/{upload_id}"
        made = int(time.time())
        expires = made + _UPLOAD_LIFETIME_S
        signature = self._sign(path, expires, made)
        query = f"upload_id={upload_id}&ex={expires:x}&is={made:x}&hm={signature}"
        return f"{self._public_url}{path}?{query}"

    def export_url(self, export_id: int) -> tuple[str, int]:
        """Return the URL of an archive, and its expiry in Unix seconds. The caller is its owner."""
        path = f"/exports/{export_id}"
        made = int(time.time())
        expires = made + _EXPORT_LIFETIME_S
        signature = self._sign(path, expires, made)
        return f"{self._public_url}{path}?ex={expires:x}&is={made:x}&hm={signature}", expires

    def is_valid(self, path: str, expires: str, made: str, signature: str) -> bool:
        """Return whether a URL with this (decoded) path was signed here and has not expired."""
        try:
            until, since = int(expires, 16), int(made, 16)
        except ValueError:
            return False
        known = self._sign(quote(path), until, since)
        return hmac.compare_digest(known.encode(), signature.encode()) and time.time() < until

    def _sign(self, path: str, expires: int, made: int) -> str:
        text = f"{path}?{expires:x}&{made:x}"
        return hmac.digest(self._key, text.encode(), hashlib.sha256).hex()
