"""Messages of an export, checked and in the form of chatd. No input or output.

An export is a file that a person may have changed: each field may be missing or of any type.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta

from chatd.core.emojis import is_emoji
from chatd.core.models import Embed, MessageType
from chatd.core.snowflake import created_at
from chatd.transfer.discord.embeds import embed_of
from chatd.transfer.source import (
    Json,
    SourceFile,
    SourceMessage,
    objects,
    source_id_of,
    text_of,
)
from chatd.transfer.times import time_of

MAX_CONTENT = 2000
"""Characters of a message. Discord permits some accounts twice as many."""

_MAX_OVERFLOW = 4096
"""Characters of the embed that shows the rest of a long message."""

_MAX_EMBEDS = 10
_MAX_FILES = 100
_MAX_MENTIONS = 1000
_MAX_EMOJIS = 20
"""Different emojis among the reactions to a message, as in the API."""

_CLOCK_SKEW = timedelta(hours=1)
"""How much the time of a message may differ from that of its id."""

_TYPES = {
    "Default": MessageType.DEFAULT,
    "Reply": MessageType.REPLY,
    "ChannelPinnedMessage": MessageType.CHANNEL_PINNED_MESSAGE,
    "GuildMemberJoin": MessageType.USER_JOIN,
}
"""Other types become ordinary messages with the text that the export has for them."""

_WITHOUT_TEXT = (MessageType.CHANNEL_PINNED_MESSAGE, MessageType.USER_JOIN)
"""Clients write the text of these types."""

KNOWN_FIELDS = frozenset(
    {
        *("id", "type", "timestamp", "timestampEdited", "callEndedTimestamp", "isPinned"),
        *("content", "author", "attachments", "embeds", "stickers", "reactions", "mentions"),
        *("reference", "forwardedMessage", "interaction", "inlineEmojis"),
    }
)


class InvalidMessage(Exception):
    """A message that cannot be imported. The text says why."""


def parse_message(raw: object, number: int, channel_id: int, now: datetime) -> SourceMessage:
    """Return a message of an export. Raises InvalidMessage."""
    if not isinstance(raw, dict):
        raise InvalidMessage("it is not an object")
    source_id = source_id_of(raw.get("id"))
    if source_id is None:
        raise InvalidMessage("its id is not a snowflake")
    written_at = created_at(source_id)
    if written_at > now:
        raise InvalidMessage(f"its id is of the future ({written_at:%Y-%m-%d})")
    author = raw.get("author")
    if not isinstance(author, dict) or source_id_of(author.get("id")) is None:
        raise InvalidMessage("it has no author with an id")
    kind = _TYPES.get(str(raw.get("type")), MessageType.DEFAULT)
    found = SourceMessage(number, source_id, kind, "", author["id"], users=[author])
    found.is_pinned = raw.get("isPinned") is True
    _add_times(found, raw, written_at, now)
    _add_texts(found, raw)
    _add_reference(found, raw, channel_id)
    if raw.get("reactions"):
        _add_reactions(found, raw["reactions"])
    if raw.get("mentions"):
        _add_mentions(found, raw["mentions"])
    _fit_content(found)
    return found


def _add_times(found: SourceMessage, raw: Json, written_at: datetime, now: datetime) -> None:
    given = time_of(raw.get("timestamp"))
    if given is None or abs(given - written_at) > _CLOCK_SKEW:
        text = f"its time {str(raw.get('timestamp'))[:40]!r} is not that of its id; the id counts"
        found.notes.append(("time", text))
    if raw.get("timestampEdited") is not None:
        edited_at = time_of(raw["timestampEdited"])
        if edited_at is None or not written_at - _CLOCK_SKEW <= edited_at <= now + _CLOCK_SKEW:
            text = f"the time of its edit {str(raw['timestampEdited'])[:40]!r} is left out"
            found.notes.append(("time of edit", text))
        else:
            found.edited_at = edited_at


def _add_texts(found: SourceMessage, raw: Json) -> None:
    """Add content, embeds and files, also those of a forwarded message."""
    if found.type not in _WITHOUT_TEXT:
        found.content = text_of(raw.get("content"))
    _add_parts(found, raw)
    forwarded = raw.get("forwardedMessage")
    if isinstance(forwarded, dict):
        if text := text_of(forwarded.get("content")):
            found.embeds.append(_quote(text, "Forwarded message"))
        _add_parts(found, forwarded)
    del found.embeds[_MAX_EMBEDS:]


def _add_parts(found: SourceMessage, raw: Json) -> None:
    for each in objects(raw.get("embeds"), _MAX_EMBEDS):
        if (embed := embed_of(each)) is not None:
            found.embeds.append(embed)
    for each in objects(raw.get("stickers"), 10):
        name = text_of(each.get("name"))[:100]
        found.content = f"{found.content}\n(Sticker: {name})".strip()
        found.notes.append(("sticker", f"its sticker {name!r} is now a text"))
    for each in objects(raw.get("attachments"), _MAX_FILES):
        source_id = source_id_of(each.get("id"))
        address, name = text_of(each.get("url")), text_of(each.get("fileName"))
        if source_id is None or not address:
            found.problems.append(("attachment", "an attachment has no id or no address"))
            continue
        size = each.get("fileSizeBytes")
        size = size if isinstance(size, int) else None
        found.files.append(SourceFile(source_id, address, name or "unknown", size))


def _quote(text: str, footer: str) -> Embed:
    return {"type": "rich", "description": text[:_MAX_OVERFLOW], "footer": {"text": footer}}


def _add_reference(found: SourceMessage, raw: Json, channel_id: int) -> None:
    reference = raw.get("reference")
    if not isinstance(reference, dict) or reference.get("type") == "Forward":
        return
    if source_id_of(reference.get("channelId")) in (channel_id, None):
        found.reference_id = source_id_of(reference.get("messageId"))


def _add_reactions(found: SourceMessage, raw: object) -> None:
    for each in objects(raw, 1000):
        emoji = each.get("emoji")
        name = text_of(emoji.get("name")) if isinstance(emoji, dict) else ""
        if not name or (isinstance(emoji, dict) and emoji.get("id")) or not is_emoji(name):
            found.notes.append(("emoji", f"reactions with {name[:40]!r}, which only Discord has"))
            continue
        if len(found.reactions) >= _MAX_EMOJIS:
            found.notes.append(("emojis", f"reactions with more than {_MAX_EMOJIS} emojis"))
            break
        users = [user for user in objects(each.get("users")) if source_id_of(user.get("id"))]
        found.users += users
        found.reactions.append((name, list(dict.fromkeys(user["id"] for user in users))))
        count = each.get("count")
        if isinstance(count, int) and count > len(users):
            text = f"{count - len(users)} of {count} reactions {name} have no users in the export"
            found.notes.append(("reactions", text))


def _add_mentions(found: SourceMessage, raw: object) -> None:
    users = [user for user in objects(raw, _MAX_MENTIONS) if source_id_of(user.get("id"))]
    found.users += users
    found.mentions = list(dict.fromkeys(user["id"] for user in users))
    if "@" in found.content and users:
        _restore_mentions(found, users)


def _restore_mentions(found: SourceMessage, users: Iterable[Json]) -> None:
    """Replace the names of mentioned users by mentions. Exports have names by default."""
    by_name = {text_of(user.get("nickname")): user["id"] for user in users}
    names = sorted(filter(None, by_name), key=len, reverse=True)
    if names:
        pattern = re.compile("@(" + "|".join(map(re.escape, names)) + ")")
        found.content = pattern.sub(lambda match: f"<@{by_name[match[1]]}>", found.content)


def _fit_content(found: SourceMessage) -> None:
    """Move what is too long for a message into an embed."""
    rest = found.content[MAX_CONTENT:]
    if not rest:
        return
    found.content = found.content[:MAX_CONTENT]
    del found.embeds[_MAX_EMBEDS - 1 :]
    found.embeds.insert(0, _quote(rest, "Continued"))
    found.notes.append(("long text", f"what is above {MAX_CONTENT} characters is now in an embed"))
    if len(rest) > _MAX_OVERFLOW:
        found.problems.append(("too long text", "its text is cut off"))
