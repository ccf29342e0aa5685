"""Messages that are sent as Slack's webhooks accept them. Pure.

Slack's marks for links, mentions and escaped characters become those of Discord's Markdown. Rule:
Slack docs, "Formatting text for app surfaces".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chatd.core.models import Embed
from chatd.services.webhooks.fitting import fitted
from chatd.wire.payloads import timestamp
from chatd.wire.schemas.excerpts import cut
from chatd.wire.schemas.messages import MESSAGE_MAX_LENGTH
from chatd.wire.schemas.slack import SlackMessage
from chatd.wire.schemas.webhooks import NewWebhookMessage

_COLORS = {"good": 0x2EB886, "warning": 0xDAA038, "danger": 0xA30200}
"""Slack's names of colors."""

_BLANK = "\u200b"
"""The name or the value of a field that has only the other one."""

_MARK = re.compile(r"<([^<>|\n]{1,2048})(?:\|([^<>\n]{0,2048}))?>")
_ESCAPED = re.compile("&(lt|gt|amp);")
_CHARACTERS = {"lt": "<", "gt": ">", "amp": "&"}
_EVERYONE = {"!everyone": "@everyone", "!channel": "@everyone", "!here": "@here"}


def message(sent: SlackMessage) -> NewWebhookMessage:
    """Return the message of a webhook for one of Slack's."""
    pretexts = [each["pretext"] for each in sent.attachments if each.get("pretext")]
    content = "\n".join(_converted(text) for text in (sent.text, *pretexts) if text)
    embeds = [embed for each in sent.attachments if (embed := _embed(each)) is not None]
    return NewWebhookMessage(
        content=cut(content, MESSAGE_MAX_LENGTH),
        embeds=fitted(embeds),
        username=sent.username,
        avatar_url=sent.icon_url,
    )


def _embed(attachment: Mapping[str, Any]) -> Embed | None:
    """Return an embed for an attachment; None if it shows nothing beside its pretext."""
    found: dict[str, Any] = {
        "title": _converted(attachment.get("title", "")),
        "url": attachment.get("title_link"),
        "description": _converted(attachment.get("text", "")),
        "author": _part(attachment, name="author_name", url="author_link", icon_url="author_icon"),
        "fields": _fields(attachment),
        "image": _part(attachment, url="image_url"),
        "thumbnail": _part(attachment, url="thumb_url"),
        "footer": _part(attachment, text="footer", icon_url="footer_icon"),
    }
    shown = {key: each for key, each in found.items() if each and key != "url"}
    if not shown:
        if attachment.get("pretext") or not attachment.get("fallback"):
            return None
        shown["description"] = _converted(attachment["fallback"])
    if found["url"]:
        shown["url"] = found["url"]
    if (color := _color(attachment.get("color", ""))) is not None:
        shown["color"] = color
    if (seconds := attachment.get("ts")) is not None:
        shown["timestamp"] = timestamp(datetime.fromtimestamp(seconds, UTC))
    return {"type": "rich", **shown}


def _part(attachment: Mapping[str, Any], **keys: str) -> dict[str, str] | None:
    """Return a part of an embed, by the keys of the attachment; None without the first of them."""
    found = {name: attachment[key] for name, key in keys.items() if attachment.get(key)}
    return found if next(iter(keys)) in found else None


def _fields(attachment: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": cut(_converted(each.get("title") or each.get("name", "")), 256) or _BLANK,
            "value": cut(_converted(each.get("value", "")), 1024) or _BLANK,
            "inline": each.get("short", each.get("inline", False)),
        }
        for each in attachment.get("parts", ())
        if each.get("title") or each.get("name") or each.get("value")
    ]


def _color(text: str) -> int | None:
    """Return the number of a color, which is a name of Slack's, `#rgb` or `#rrggbb`."""
    if text in _COLORS:
        return _COLORS[text]
    digits = text.removeprefix("#")
    if not re.fullmatch("[0-9a-fA-F]{3}|[0-9a-fA-F]{6}", digits):
        return None
    return int(digits if len(digits) == 6 else "".join(each * 2 for each in digits), 16)


def _converted(text: str) -> str:
    return _ESCAPED.sub(lambda found: _CHARACTERS[found[1]], _MARK.sub(_mark, text))


def _mark(found: re.Match[str]) -> str:
    target, label = found[1], found[2]
    if (mention := _EVERYONE.get(target)) is not None:
        return mention
    if target[0] in "#@!":  # a channel, a user or a group of Slack's, which have no meaning here
        return label or target
    return f"[{label}]({target})" if label else target
