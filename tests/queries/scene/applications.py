"""Commands of applications, integrations, interactions and webhooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.queries.scene.values import (
    BOTS,
    CHANNELS,
    GUILDS,
    PAST,
    TIMELESS,
    Row,
    rows_of,
)


def rows() -> Iterable[tuple[str, Sequence[Row]]]:
    """Yield tables and their rows, in an order that foreign keys permit."""
    yield "application_commands", _commands()
    yield (
        "application_command_scopes",
        [
            {**row, "version": 1, "created": 1, "created_since": PAST}
            for row in rows_of(application_id=BOTS, guild_id=(None, *GUILDS))
        ],
    )
    yield (
        "application_command_permissions",
        rows_of(
            guild_id=GUILDS, application_id=BOTS, command_id=(5080, 5081, 5082), permissions="[]"
        ),
    )
    yield "user_integrations", rows_of(user_id=(1, 2), application_id=BOTS)
    yield (
        "webhooks",
        [
            {
                "id": channel * 10 + n,
                "type": 1,
                "guild_id": channel // 100 * 100,
                "channel_id": channel,
                "creator_id": 1,
                "application_id": 7 + n,
                "name": "hook",
            }
            for channel in CHANNELS
            for n in (1, 2)
        ],
    )
    yield (
        "webhook_avatars",
        [
            {**row, "guild_id": 100 if row["webhook_id"] == 1101 else 200, "url": "https://a"}
            for row in rows_of(webhook_id=(1101, 2101), hash=("first", "second"))
        ],
    )
    yield (
        "interactions",
        [
            {
                "id": n if n < 7003 else TIMELESS + n,
                "token_hash": b"%d" % n,
                "application_id": 8,
                "channel_id": 110,
                "origin": "{}",
                "message_is_ephemeral": False,
                "state": state,
            }
            for n, state in ((7001, 0), (7002, 0), (7003, 0), (7004, 2))
        ],
    )


def _commands() -> list[Row]:
    """Return two commands of each bot in each scope. The first global ones are 5080 and 5081."""
    return [
        {
            "id": 5000 + place * 100 + bot * 10 + n,
            "application_id": bot,
            "guild_id": guild,
            "type": 1,
            "version": 1,
            "name": f"command{n}",
            "description": "",
            "options": "[]",
            "nsfw": False,
            "integration_types": [0],
        }
        for place, guild in enumerate((None, *GUILDS))
        for bot in BOTS
        for n in (0, 1)
    ]
