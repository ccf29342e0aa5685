"""Tokens of webhooks: the secret in the URL by which programs send messages.

A token is an HMAC of the id of its webhook (RFC 2104). So the database contains no token, managers
of webhooks can read it again, and checking a token needs no query. Its form is that of
Discord's tokens.
"""

from __future__ import annotations

import hashlib
import hmac
from base64 import urlsafe_b64encode

from chatd.core.ids import GuildId, WebhookId
from chatd.core.webhooks import WebhookAddress

_PURPOSE = b"chatd webhook tokens"
"""Separates this key from other keys that are derived from the same secret."""

_BYTES = 51
"""Bytes of the HMAC in a token: 408 bits."""

_LENGTH = 68
"""Characters of a token."""

_NAME_DIGEST, _NAME_MARK = 20, 12
"""Hexadecimal digits of the name of a picture: of the digest of its URL, and of an HMAC of that."""


class WebhookTokens:
    """Issues and verifies the tokens of webhooks with one secret."""

    def __init__(self, secret: str, public_url: str) -> None:
        self._key = hmac.digest(secret.encode(), _PURPOSE, hashlib.sha256)
        self._public_url = public_url

    def address(self, webhook_id: WebhookId) -> WebhookAddress:
        """Return the token of a webhook and its URL."""
        token = self._token(webhook_id)
        return WebhookAddress(token, f"{self._public_url}/api/webhooks/{webhook_id}/{token}")

    def is_valid(self, webhook_id: WebhookId, token: str) -> bool:
        """Return whether this is the token of a webhook. The webhook need not exist."""
        return is_webhook_token(token) and hmac.compare_digest(token, self._token(webhook_id))

    def icon_url(self, guild_id: GuildId, name: str) -> str:
        """Return the URL of the icon of a guild, by its hash."""
        return f"{self._public_url}/icons/{guild_id}/{name}.png"

    def picture_name(self, webhook_id: WebhookId, url: str) -> str:
        """Return the name under which clients request a picture that a message names by its URL.

        It looks like the hash of an avatar.
        """
        digest = hashlib.sha256(url.encode()).hexdigest()[:_NAME_DIGEST]
        return digest + self._mark(webhook_id, digest)

    def is_picture_name(self, webhook_id: int, name: str) -> bool:
        """Return whether `picture_name` has made this name, so that other names need no query."""
        digest, mark = name[:_NAME_DIGEST], name[_NAME_DIGEST:]
        return name.isascii() and hmac.compare_digest(mark, self._mark(webhook_id, digest))

    def _mark(self, webhook_id: int, digest: str) -> str:
        text = f"{webhook_id}/{digest}".encode()
        return hmac.digest(self._key, text, hashlib.sha256).hex()[:_NAME_MARK]

    def _token(self, webhook_id: WebhookId) -> str:
        digest = hmac.digest(self._key, str(webhook_id).encode(), hashlib.sha512)
        return urlsafe_b64encode(digest[:_BYTES]).decode()


def is_webhook_token(text: str) -> bool:
    """Return whether a text has the form of a token of a webhook."""
    return len(text) == _LENGTH and text.isascii()
