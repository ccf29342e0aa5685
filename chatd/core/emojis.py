"""Unicode emojis."""

from __future__ import annotations

import emoji

_MAX_LENGTH = 64  # code points; every emoji is shorter, so this only bounds the check


def is_emoji(text: str) -> bool:
    """Return whether a text is one emoji of Unicode's list."""
    return len(text) <= _MAX_LENGTH and emoji.is_emoji(text)
