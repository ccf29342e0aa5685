"""Tokens and proofs that were changed."""

from __future__ import annotations


def tampered(encoded: str) -> str:
    """Return a text in base64 with one other character.

    It is the third from the end. The last one has bits that do not count, and fixed characters at
    the end would at times be those that are there already.
    """
    return encoded[:-3] + ("B" if encoded[-3] == "A" else "A") + encoded[-2:]
