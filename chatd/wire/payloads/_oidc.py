"""Payloads of single sign-on."""

from __future__ import annotations

from datetime import datetime

from chatd.core.json import JsonObject
from chatd.wire.payloads._encoding import timestamp


def provider_link(
    name: str, label: str, linked_at: datetime, last_used_at: datetime | None
) -> JsonObject:
    """An account at a provider that is linked with the caller's."""
    return {
        "name": name,
        "label": label,
        "linked_at": timestamp(linked_at),
        "last_used_at": None if last_used_at is None else timestamp(last_used_at),
    }
