"""Guilds with roles, members and channels; private channels."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.queries.scene.values import (
    BOTS,
    CHANNELS,
    DMS,
    FUTURE,
    GROUPS,
    GUILDS,
    PAST,
    Row,
    rows_of,
)

_NOTIFICATIONS = {
    "version": 1,
    "muted": True,
    "mute_config": None,
    "message_notifications": 3,
    "suppress_everyone": False,
    "suppress_roles": False,
    "mobile_push": True,
    "mute_scheduled_events": False,
    "hide_muted_channels": False,
    "notify_highlights": 0,
    "flags": 0,
    "channel_overrides": "[]",
}


_PAIRS = ((1, 2), (1, 3), (2, 3))


def rows() -> Iterable[tuple[str, Sequence[Row]]]:
    """Yield tables and their rows, in an order that foreign keys permit."""
    yield "guilds", [{"id": n, "name": "guild", "owner_id": 1} for n in GUILDS]
    yield (
        "roles",
        [
            {"id": guild + n, "guild_id": guild, "name": "role", "permissions": 0}
            for guild in GUILDS
            for n in (0, 1, 2)
        ],
    )
    yield "guild_members", rows_of(guild_id=GUILDS, user_id=(1, 2, 3, *BOTS))
    yield (
        "member_roles",
        [
            {"guild_id": guild, "user_id": user, "role_id": guild + n}
            for guild in GUILDS
            for user in (1, 2)
            for n in (1, 2)
        ],
    )
    yield "channels", _channels()
    yield "temporary_members", rows_of(guild_id=GUILDS, user_id=(2, 3))
    yield (
        "kept_timeouts",
        [
            {**row, "until": PAST if row["user_id"] == 3 else FUTURE}
            for row in rows_of(guild_id=GUILDS, user_id=(3, 4))
        ],
    )
    yield (
        "auto_moderation_rules",
        [
            {
                "id": guild + n,
                "guild_id": guild,
                "creator_id": 1,
                "name": "rule",
                "event_type": 1,
                "trigger_type": 1,
                "trigger_metadata": "{}",
                "actions": "[]",
                "enabled": True,
                "exempt_roles": "{}",
                "exempt_channels": "{}",
            }
            for guild in GUILDS
            for n in (1, 2)
        ],
    )
    yield "audit_logs", rows_of(guild_id=GUILDS, id=(1, 2), action_type=1)
    yield (
        "overwrites",
        [
            {
                "guild_id": channel // 100 * 100,
                "channel_id": channel,
                "target_id": target,
                "type": 1,
            }
            for channel in CHANNELS
            for target in (2, 3)
        ],
    )
    yield (
        "dm_pairs",
        [
            {"low": low, "high": high, "channel_id": channel}
            for channel, (low, high) in zip(DMS, _PAIRS, strict=True)
        ],
    )
    yield (
        "dm_recipients",
        [
            {"channel_id": channel, "user_id": user, "closed": channel in DMS[1:]}
            for channel, users in [
                *zip(DMS, _PAIRS, strict=True),
                *((n, (1, 2, 3)) for n in GROUPS),
            ]
            for user in users
        ],
    )
    yield "read_states", rows_of(user_id=(1, 2), channel_id=CHANNELS + GROUPS, message_id=1001)
    yield "bans", rows_of(guild_id=GUILDS, user_id=(3, 4))
    yield "invites", _invites()
    yield (
        "user_guild_settings",
        [
            {**_NOTIFICATIONS, **each}
            for each in rows_of(user_id=(1, 2, 3), guild_id=(*GUILDS, None))
        ],
    )


def _channels() -> list[Row]:
    return [
        *({"id": guild + 19, "guild_id": guild, "type": 4, "name": "category"} for guild in GUILDS),
        *(
            {
                "id": n,
                "guild_id": n // 100 * 100,
                "type": 0,
                "name": "text",
                "parent_id": n // 100 * 100 + 19,
            }
            for n in CHANNELS
        ),
        *({"id": n, "type": 1} for n in DMS),
        *({"id": n, "type": 3, "name": "group", "owner_id": 1} for n in GROUPS),
    ]


def _invites() -> list[Row]:
    terms = {"inviter_id": 1, "max_age": 0, "max_uses": 0}
    return [
        dict(code="first", guild_id=100, channel_id=110, **terms),
        dict(code="second", guild_id=100, channel_id=110, **terms),
        dict(code="other channel", guild_id=100, channel_id=111, **terms),
        dict(code="other guild", guild_id=200, channel_id=210, **terms),
        dict(code="expired", guild_id=100, channel_id=110, expires_at=PAST, **terms),
        dict(code="used up", guild_id=100, channel_id=110, **{**terms, "max_uses": 1}, uses=1),
    ]
