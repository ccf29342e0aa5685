"""Links to files that work without credentials: signed, and valid for a while.

Rule: Discord docs, Reference, "Signed Attachment CDN URLs": `ex` is when the link expires, `is`
when it was made (seconds in hexadecimal), `hm` the signature of both and of the path.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from urllib.parse import quote

from chatd.core.ids import AttachmentId, ChannelId

_LIFE_S = 24 * 3600
_STEP_S = 3600  # links made in one hour are the same, so that clients find what they have


class Links:
    """Makes links to the files of this server, and knows its own again."""

    def __init__(self, secret: str, public_url: str) -> None:
        self._key = hmac.digest(secret.encode(), b"chatd links to files", hashlib.sha256)
        self._public_url = public_url

    def attachment(self, channel_id: ChannelId, file_id: AttachmentId, filename: str) -> str:
        """The link to an attachment, for who may see it now."""
        path = f"/attachments/{channel_id}/{file_id}/{quote(filename)}"
        made = int(time.time()) // _STEP_S * _STEP_S
        expires = made + _STEP_S + _LIFE_S
        signature = self._sign(path, expires, made)
        return f"{self._public_url}{path}?ex={expires:x}&is={made:x}&hm={signature}&"

    def is_valid(self, path: str, expires: str, made: str, signature: str) -> bool:
        """Whether a link to this (decoded) path is ours, unaltered, and has not expired."""
        try:
            until, since = int(expires, 16), int(made, 16)
        except ValueError:
            return False
        known = self._sign(quote(path), until, since)
        return hmac.compare_digest(known.encode(), signature.encode()) and time.time() < until

    def _sign(self, path: str, expires: int, made: int) -> str:
        text = f"{path}?{expires:x}&{made:x}"
        return hmac.digest(self._key, text.encode(), hashlib.sha256).hex()
