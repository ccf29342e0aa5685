"""The settings of an account as Discord's older API has them: one JSON object without nesting.

They are another view of the preloaded settings. The server stores only the message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from chatd.core.ids import MAX_ID
from chatd.core.json import JsonObject
from chatd.wire.protobuf.encoding import LEN, Budget, encode, field, read_fields
from chatd.wire.protobuf.messages import json_name
from chatd.wire.protobuf.preloaded import PRELOADED_SETTINGS
from chatd.wire.protobuf.settings import MAX_VALUES, SHOWN_PARTS

THEMES = ("dark", "light", "darker", "midnight")


def _same(value: Any) -> Any:
    return value


@dataclass(frozen=True, slots=True)
class _Setting:
    """Where a setting is, its default, and how its two forms of JSON are converted."""

    part: str
    name: str
    default: Any
    show: Callable[[Any], Any] = _same
    store: Callable[[Any], Any] = _same


def _show_theme(name: Any) -> str:
    shown = str(name).removeprefix("THEME_").lower()
    return shown if shown in THEMES else THEMES[0]


def _store_theme(name: str) -> str:
    return f"THEME_{name.upper()}"


def _show_custom_status(status: JsonObject) -> JsonObject | None:
    expires_ms = int(status["expiresAtMs"])
    emoji_id = status["emojiId"]
    try:
        expires = datetime.fromtimestamp(expires_ms / 1000, UTC).isoformat() if expires_ms else None
    except (OverflowError, ValueError, OSError):  # after the year 9999
        expires = None
    return {
        "text": status["text"] or None,
        "emoji_id": None if emoji_id == "0" else emoji_id,
        "emoji_name": status["emojiName"] or None,
        "expires_at": expires,
    }


def _store_custom_status(status: JsonObject | None) -> JsonObject | None:
    if status is None:
        return None
    expires: datetime | None = status.get("expires_at")
    emoji_id: int | None = status.get("emoji_id")
    return {
        "text": status.get("text") or "",
        "emoji_id": str(emoji_id or 0),
        "emoji_name": status.get("emoji_name") or "",
        "expires_at_ms": str(max(int(expires.timestamp() * 1000), 0) if expires else 0),
    }


def _show_folders(folders: list[JsonObject]) -> list[JsonObject]:
    return [
        {
            "guild_ids": _show_ids(each["guildIds"]),
            "id": int(each["id"]) if "id" in each else None,
            "name": each.get("name"),
            "color": int(each["color"]) if "color" in each else None,
        }
        for each in folders
    ]


def _store_folders(folders: list[JsonObject]) -> list[JsonObject]:
    return [
        {
            "guild_ids": [str(guild_id) for guild_id in each["guild_ids"]],
            "id": each.get("id"),
            "name": each.get("name"),
            "color": each.get("color"),
        }
        for each in folders
    ]


def _show_ids(values: list[str]) -> list[str]:
    """Leave out numbers that are no ids: those of the message have 64 bits, ids have 63."""
    return [each for each in values if int(each) <= MAX_ID]


def _ids(values: list[int]) -> list[str]:
    return [str(each) for each in values]


_SETTINGS: Mapping[str, _Setting] = {
    "afk_timeout": _Setting("voice_and_video", "afk_timeout", 600),
    "allow_accessibility_detection": _Setting("privacy", "allow_accessibility_detection", False),
    "animate_emoji": _Setting("text_and_images", "animate_emoji", True),
    "animate_stickers": _Setting("text_and_images", "animate_stickers", 0),
    "convert_emoticons": _Setting("text_and_images", "convert_emoticons", True),
    "custom_status": _Setting(
        "status", "custom_status", None, _show_custom_status, _store_custom_status
    ),
    "detect_platform_accounts": _Setting("privacy", "detect_platform_accounts", False),
    "developer_mode": _Setting("appearance", "developer_mode", False),
    "disable_games_tab": _Setting("game_library", "disable_games_tab", False),
    "enable_tts_command": _Setting("text_and_images", "enable_tts_command", True),
    "gif_auto_play": _Setting("text_and_images", "gif_auto_play", True),
    "guild_folders": _Setting("guild_folders", "folders", [], _show_folders, _store_folders),
    "guild_positions": _Setting("guild_folders", "guild_positions", [], _show_ids, _ids),
    "inline_attachment_media": _Setting("text_and_images", "inline_attachment_media", True),
    "inline_embed_media": _Setting("text_and_images", "inline_embed_media", True),
    "locale": _Setting("localization", "locale", "en-US"),
    "message_display_compact": _Setting("text_and_images", "message_display_compact", False),
    "native_phone_integration_enabled": _Setting(
        "voice_and_video", "native_phone_integration_enabled", True
    ),
    "render_embeds": _Setting("text_and_images", "render_embeds", True),
    "render_reactions": _Setting("text_and_images", "render_reactions", True),
    "show_current_game": _Setting("status", "show_current_game", True),
    "status": _Setting("status", "status", "online"),
    "stream_notifications_enabled": _Setting(
        "voice_and_video", "stream_notifications_enabled", True
    ),
    "theme": _Setting("appearance", "theme", THEMES[0], _show_theme, _store_theme),
    "timezone_offset": _Setting("localization", "timezone_offset", 0),
    "view_nsfw_commands": _Setting("text_and_images", "view_nsfw_commands", False),
    "view_nsfw_guilds": _Setting("text_and_images", "view_nsfw_guilds", False),
}

NAMES = tuple(_SETTINGS)
"""The names of all settings that are views of the preloaded settings."""


def show(data: bytes) -> JsonObject:
    """Return the settings in a message of preloaded settings. Raises MalformedMessage."""
    parts = _parts(data)
    decoded = {name: SHOWN_PARTS[name].decode(each) for name, each in parts.items()}
    shown = {}
    for name, setting in _SETTINGS.items():
        value = decoded.get(setting.part, {}).get(json_name(setting.name))
        shown[name] = setting.default if value is None else setting.show(value)
    return shown


def change(data: bytes, wanted: Mapping[str, Any]) -> bytes:
    """Return the top-level fields of a message after these settings are changed.

    Fields that the server does not know stay. Raises MalformedMessage.
    """
    parts = _parts(data)
    encoded = b""
    for part in dict.fromkeys(_SETTINGS[name].part for name in wanted):
        values = {
            _SETTINGS[name].name: _SETTINGS[name].store(value)
            for name, value in wanted.items()
            if _SETTINGS[name].part == part
        }
        message = SHOWN_PARTS[part]
        replaced = {message.numbers[name] for name in values}
        fields = read_fields(parts.get(part, b""), Budget(MAX_VALUES))
        kept = encode([each for each in fields if each[0] not in replaced])
        changed = kept + message.encode(values, Budget(MAX_VALUES))
        encoded += field(PRELOADED_SETTINGS.numbers[part], LEN, changed)
    return encoded


def _parts(data: bytes) -> dict[str, bytes]:
    """Return the encoded parts that contain settings; those sent in several parts are joined."""
    names = {PRELOADED_SETTINGS.numbers[name]: name for name in SHOWN_PARTS}
    parts: dict[str, list[bytes]] = {}
    for number, wire_type, value in read_fields(data, Budget(MAX_VALUES)):
        if wire_type == LEN and number in names and isinstance(value, bytes):
            parts.setdefault(names[number], []).append(value)
    return {name: b"".join(each) for name, each in parts.items()}
