"""Exports in the schema of DiscordChatExporter's JSON files."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chatd.core.snowflake import at, created_at

Json = dict[str, Any]

START = datetime(2021, 3, 4, 5, 6, 7, tzinfo=UTC)
_guilds = itertools.count(1)


def user(number: int, name: str, *, roles: Iterable[Json] = (), **more: Any) -> Json:
    """An author."""
    return {
        "id": str(number),
        "name": name,
        "discriminator": "0000",
        "nickname": name.title(),
        "color": None,
        "isBot": False,
        "roles": list(roles),
        "avatarUrl": "https://cdn.discordapp.com/embed/avatars/0.png",
        **more,
    }


def role(number: int, name: str) -> Json:
    return {"id": str(number), "name": name, "color": "#3498DB", "position": 3}


def emoji(name: str, emoji_id: str = "") -> Json:
    return {"id": emoji_id, "name": name, "code": "x", "isAnimated": False, "imageUrl": "https://e"}


def reaction(name: str, users: list[Json], count: int | None = None) -> Json:
    count = len(users) if count is None else count
    return {"emoji": emoji(name), "count": count, "users": users}


def attachment(number: int, path: str, name: str, size: int) -> Json:
    return {"id": str(at(START) + number), "url": path, "fileName": name, "fileSizeBytes": size}


@dataclass
class Export:
    """A channel's file."""

    guild_id: int
    channel_id: int
    name: str = "general"
    type: str = "GuildTextChat"
    parent: tuple[int, str] | None = None
    messages: list[Json] = field(default_factory=list)

    def message_id(self, minute: int) -> str:
        return str(at(START) + (minute * 60_000 << 22) + (self.channel_id >> 30) % 4096)

    def add(self, author: Json, content: str, **more: Any) -> Json:
        """Add a message, a minute after the one before."""
        message_id = self.message_id(len(self.messages))
        message = {
            "id": message_id,
            "type": "Default",
            "timestamp": created_at(int(message_id)).isoformat(),
            "timestampEdited": None,
            "callEndedTimestamp": None,
            "isPinned": False,
            "content": content,
            "author": author,
            "attachments": [],
            "embeds": [],
            "stickers": [],
            "reactions": [],
            "mentions": [],
            "inlineEmojis": [],
            **more,
        }
        self.messages.append(message)
        return message

    def pieces(self, messages: Iterable[Json] | None = None) -> Iterator[str]:
        """The text of the file, in pieces."""
        parent_id, parent_name = self.parent or (None, None)
        head = {
            "guild": {"id": str(self.guild_id), "name": "Engines", "iconUrl": "https://i"},
            "channel": {
                "id": str(self.channel_id),
                "type": self.type,
                "categoryId": None if parent_id is None else str(parent_id),
                "category": parent_name,
                "name": self.name,
                "topic": None,
            },
            "dateRange": {"after": None, "before": None},
            "exportedAt": START.isoformat(),
        }
        yield json.dumps(head, ensure_ascii=False, indent=2)[:-2] + ',\n  "messages": ['
        count = 0
        for message in self.messages if messages is None else messages:
            yield (",\n" if count else "\n") + json.dumps(message, ensure_ascii=False, indent=2)
            count += 1
        yield f'\n  ],\n  "messageCount": {count}\n}}\n'

    def write(self, folder: Path, name: str = "") -> Path:
        """Write the file."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / (name or f"Engines - {self.name} [{self.channel_id}].json")
        path.write_text("".join(self.pieces()))
        return path


def new_guild_id() -> int:
    """An id that no other test has."""
    return at(START) + (next(_guilds) << 12)
