"""The lines of an archive, checked and in the form in which they are loaded. No input or output."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from chatd.core.emojis import is_emoji
from chatd.core.errors import InvalidForm
from chatd.core.ids import MAX_ID
from chatd.core.models import ChannelType, MessageType
from chatd.core.overwrites import OverwriteType
from chatd.core.permissions import ALL
from chatd.core.snowflake import created_at
from chatd.transfer.names import display_name
from chatd.transfer.source import Json, SourceFile, SourceMessage, objects, source_id_of, text_of
from chatd.transfer.structure import MAX_TOPIC, PlannedChannel, PlannedGuild, PlannedRole
from chatd.transfer.times import time_of
from chatd.wire.schemas.embeds import EmbedSchema

_MAX_CONTENT = 2000
_MAX_EMBEDS = 10
_MAX_FILES = 100
_MAX_LIST = 10_000
_MAX_INT = 2**31 - 1
_MAX_SLOWMODE_S = 21_600
_TYPES = (
    *(MessageType.DEFAULT, MessageType.REPLY),
    *(MessageType.USER_JOIN, MessageType.CHANNEL_PINNED_MESSAGE),
)
"""Others become ordinary messages: what they refer to does not move."""

_FLAGS = 1 << 2 | 1 << 12
"""Flags that are kept: embeds are hidden; the message notified no one."""


class InvalidLine(Exception):
    """A line that cannot be imported. The text says why."""


def guild_of(line: Json, roles: list[PlannedRole]) -> PlannedGuild:
    """Return the guild of a line. Raises InvalidLine."""
    return PlannedGuild(
        source_id=_id(line),
        name=text_of(line.get("name")),
        description=text_of(line.get("description"))[:300] or None,
        everyone=_permissions(line.get("everyone")),
        roles=roles,
    )


def role_of(line: Json) -> PlannedRole:
    """Return the role of a line. Raises InvalidLine."""
    return PlannedRole(
        source_id=_id(line),
        name=display_name(text_of(line.get("name")), "role"),
        permissions=_permissions(line.get("permissions")),
        color=_number(line.get("color"), 0xFFFFFF),
        hoist=line.get("hoist") is True,
        mentionable=line.get("mentionable") is True,
        position=max(1, _number(line.get("position"), _MAX_INT)),  # 0 is that of @everyone
    )


def channel_of(line: Json) -> PlannedChannel:
    """Return the channel of a line, without its overwrites. Raises InvalidLine."""
    kind = line.get("channel_type")
    if kind not in (ChannelType.TEXT, ChannelType.CATEGORY, ChannelType.ANNOUNCEMENT):
        raise InvalidLine("its type is not that of a channel of a guild")
    source_id = _id(line)
    is_category = kind == ChannelType.CATEGORY
    return PlannedChannel(
        source_id=source_id,
        type=ChannelType(kind),
        name=display_name(text_of(line.get("name")), f"channel-{source_id}"),
        topic=None if is_category else text_of(line.get("topic"))[:MAX_TOPIC] or None,
        parent_id=None if is_category else source_id_of(line.get("parent_id")),
        nsfw=line.get("nsfw") is True,
        rate_limit_per_user=_number(line.get("rate_limit_per_user"), _MAX_SLOWMODE_S),
    )


def overwrites_of(line: Json) -> list[tuple[int, OverwriteType, int, int]]:
    """Return the overwrites of a channel: target, type, allow and deny."""
    found = []
    for each in objects(line.get("overwrites"), 1000):
        target = source_id_of(each.get("id"))
        if target is not None and each.get("type") in (0, 1):
            kind = OverwriteType(each["type"])
            allow, deny = _permissions(each.get("allow")), _permissions(each.get("deny"))
            found.append((target, kind, allow, deny))
    return found


def user_of(line: Json, *, is_member: bool) -> tuple[Json, datetime]:
    """Return an account in the form that `Authors` takes, and when it joined.

    Raises InvalidLine.
    """
    source_id = _id(line)
    joined_at = time_of(line.get("joined_at"))
    raw = {
        "id": str(source_id),
        "name": text_of(line.get("username")),
        "nickname": text_of(line.get("global_name")),
        "isBot": line.get("bot") is True,
        "isMember": is_member,
        "nick": text_of(line.get("nick")),
        "roles": [{"id": each} for each in _texts(line.get("roles"))],
    }
    return raw, joined_at or created_at(source_id)


def message_of(line: Json, number: int, users: dict[str, Json], now: datetime) -> SourceMessage:
    """Return the message of a line. Raises InvalidLine."""
    source_id = _id(line)
    if created_at(source_id) > now:
        raise InvalidLine("its id is of the future")
    author = text_of(line.get("author_id"))
    if author not in users:
        raise InvalidLine("its author has no line before it")
    try:
        kind = MessageType(line.get("message_type", 0))
    except ValueError:
        kind = MessageType.DEFAULT
    if kind not in _TYPES:
        kind = MessageType.DEFAULT
    found = SourceMessage(number, source_id, kind, text_of(line.get("content")), author)
    found.content = found.content[:_MAX_CONTENT]
    found.edited_at = time_of(line.get("edited_at"))
    found.is_pinned = line.get("is_pinned") is True
    found.reference_id = source_id_of(line.get("reference_id"))
    found.flags = _number(line.get("flags"), _MAX_INT) & _FLAGS
    found.mention_everyone = line.get("mention_everyone") is True
    found.mentions = [each for each in _texts(line.get("mentions")) if each in users]
    roles = map(source_id_of, _texts(line.get("mention_roles")))
    found.mention_roles = [each for each in roles if each is not None]
    _add_files(found, line)
    _add_embeds(found, line)
    _add_reactions(found, line, users)
    named = {author, *found.mentions, *(user for _, each in found.reactions for user in each)}
    found.users = [users[each] for each in named]
    return found


def _add_files(found: SourceMessage, line: Json) -> None:
    for each in objects(line.get("attachments"), _MAX_FILES):
        file_id = source_id_of(each.get("id"))
        if file_id is not None:
            name = text_of(each.get("filename")) or "unknown"
            found.files.append(SourceFile(file_id, f"files/{file_id}", name))


def _add_embeds(found: SourceMessage, line: Json) -> None:
    for each in objects(line.get("embeds"), _MAX_EMBEDS):
        try:
            found.embeds.append(EmbedSchema().read(each))
        except InvalidForm:
            found.notes.append(("embed", "an embed is not valid, and is left out"))


def _add_reactions(found: SourceMessage, line: Json, users: dict[str, Json]) -> None:
    for each in objects(line.get("reactions"), 20):
        emoji = text_of(each.get("emoji"))
        if is_emoji(emoji):
            known = [user for user in _texts(each.get("users")) if user in users]
            found.reactions.append((emoji, list(dict.fromkeys(known))))


def _id(line: Json) -> int:
    found = source_id_of(line.get("id"))
    if found is None:
        raise InvalidLine("it has no id")
    return found


def _permissions(value: object) -> int:
    if not isinstance(value, str) or not value.isascii() or not value.isdigit():
        return 0
    return int(value[:19]) & int(ALL) if int(value[:19]) <= MAX_ID else 0


def _number(value: object, most: int) -> int:
    return min(max(value, 0), most) if type(value) is int else 0


def _texts(value: object) -> list[str]:
    if not isinstance(value, list):
        return []
    return [each for each in value[:_MAX_LIST] if isinstance(each, str)]


def json_line(data: Any) -> Json:
    """Return a parsed line as an object. Raises InvalidLine."""
    if not isinstance(data, dict):
        raise InvalidLine("it is not an object")
    return data
