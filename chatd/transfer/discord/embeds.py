"""Embeds of an export, in the form that clients get. No input or output."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from chatd.core.models import Embed
from chatd.wire.payloads import timestamp

_COLOR = re.compile(r"#?([0-9a-fA-F]{6})")
_URL = re.compile(r"https?://[^\s\x00-\x1f\x7f]{1,2000}")
_TITLE, _DESCRIPTION, _FOOTER, _AUTHOR = 256, 4096, 2048, 256
_FIELD_NAME, _FIELD_VALUE, _FIELDS = 256, 1024, 25
_VISIBLE = frozenset({"title", "description", "author", "fields", "footer", "image", "thumbnail"})


def embed_of(raw: dict[str, Any]) -> Embed | None:
    """Return an embed without the parts that are invalid; None if it shows nothing."""
    images = raw.get("images")
    first = images[0] if isinstance(images, list) and images else None
    found: dict[str, Any] = {
        "title": _text(raw.get("title"), _TITLE),
        "description": _text(raw.get("description"), _DESCRIPTION),
        "url": _url(raw.get("url")),
        "timestamp": _time(raw.get("timestamp")),
        "color": color_of(raw.get("color")),
        "author": _named(raw.get("author"), "name", _AUTHOR),
        "footer": _named(raw.get("footer"), "text", _FOOTER),
        "thumbnail": _image(raw.get("thumbnail")),
        "image": _image(raw.get("image")) or _image(first),
        "fields": _fields(raw.get("fields")),
    }
    found = {name: value for name, value in found.items() if value not in (None, "", [])}
    return {"type": "rich", **found} if found.keys() & _VISIBLE else None


def color_of(value: object) -> int | None:
    """Return the number of a color like #3498DB; None for anything else."""
    match = _COLOR.fullmatch(value) if isinstance(value, str) else None
    return int(match[1], 16) if match else None


def _text(value: object, limit: int) -> str:
    return value.replace("\0", "").strip()[:limit] if isinstance(value, str) else ""


def _url(value: object) -> str | None:
    return value if isinstance(value, str) and _URL.fullmatch(value) else None


def _time(value: object) -> str | None:
    if not isinstance(value, str) or len(value) > 40:
        return None
    try:
        found = datetime.fromisoformat(value)
        return timestamp(found.replace(tzinfo=found.tzinfo or UTC).astimezone(UTC))
    except (ValueError, OverflowError):
        return None


def _named(raw: object, name: str, limit: int) -> dict[str, Any] | None:
    """Return an author or a footer: a text, which may have a link and an icon."""
    if not isinstance(raw, dict) or not (text := _text(raw.get(name), limit)):
        return None
    icon = _url(raw.get("iconCanonicalUrl")) or _url(raw.get("iconUrl"))
    found = {name: text, "url": _url(raw.get("url")), "icon_url": icon}
    return {key: value for key, value in found.items() if value is not None}


def _image(raw: object) -> dict[str, Any] | None:
    """Return an image by its address on the web: paths of the export mean nothing to clients."""
    if not isinstance(raw, dict):
        return None
    url = _url(raw.get("canonicalUrl")) or _url(raw.get("url"))
    return None if url is None else {"url": url}


def _fields(raw: object) -> list[dict[str, Any]]:
    found = []
    for each in raw[:_FIELDS] if isinstance(raw, list) else []:
        if isinstance(each, dict):
            name, value = (
                _text(each.get("name"), _FIELD_NAME),
                _text(each.get("value"), _FIELD_VALUE),
            )
            if name and value:
                found.append({"name": name, "value": value, "inline": each.get("isInline") is True})
    return found
