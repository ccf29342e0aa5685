"""A database in which every row has neighbors: rows that differ from it in only one column.

A statement that lacks one of its conditions touches a neighbor. The rows are written with SQL and
small ids, because the API cannot create most of these neighbors.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import psycopg2
from psycopg2 import sql

Row: TypeAlias = Mapping[str, Any]

_PAST = "2026-01-01T00:00:00+00:00"
_FUTURE = "2126-01-01T00:00:00+00:00"

PEOPLE = (1, 2, 3, 4)
BOTS = (8, 9)
GUILDS = (100, 200)
CHANNELS = (110, 111, 210)
"""Text channels: two of the first guild, one of the second."""
DMS = (310, 311, 312)
"""Of 1 and 2, of 1 and 3, and of 2 and 3. The last two are closed."""
GROUPS = (320, 321)
GONE = (400, 401)
"""Deleted channels whose messages are still there."""
TIMELESS = 10**15
"""An id: rows with lower ids are old."""


def fill(connection: psycopg2.extensions.connection) -> None:
    """Fill a migrated, empty database, and record the rows that later statements touch."""
    with connection.cursor() as cur:
        for table, rows in _rows():
            for row in rows:
                _insert(cur, table, row)
        _record(cur)
    connection.commit()


def snapshot(connection: psycopg2.extensions.connection) -> dict[str, list[Row]]:
    """Return every row of every table."""
    with connection.cursor() as cur:
        found = {}
        for table in _tables(cur):
            cur.execute(sql.SQL("SELECT to_jsonb(t) FROM {} AS t").format(sql.Identifier(table)))
            found[table] = [row for (row,) in cur.fetchall()]
    connection.commit()
    return found


def _insert(cur: psycopg2.extensions.cursor, table: str, row: Row) -> None:
    cur.execute(
        sql.SQL("INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(map(sql.Placeholder, row)),
        ),
        row,
    )


def _tables(cur: psycopg2.extensions.cursor) -> list[str]:
    cur.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        " AND tablename NOT IN ('touched') AND tablename NOT LIKE '%yoyo%'"
    )
    return [name for (name,) in cur.fetchall()]


def _record(cur: psycopg2.extensions.cursor) -> None:
    """Record the old state of every row that is updated or deleted from now on, in `touched`."""
    tables = _tables(cur)
    cur.execute("CREATE TABLE touched (tbl text NOT NULL, old jsonb NOT NULL)")
    cur.execute(
        """
        CREATE FUNCTION record_touched() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO touched VALUES (TG_TABLE_NAME, to_jsonb(OLD));
            RETURN NULL;
        END $$
        """
    )
    for table in tables:
        cur.execute(
            sql.SQL(
                "CREATE TRIGGER touched AFTER UPDATE OR DELETE ON {}"
                " FOR EACH ROW EXECUTE FUNCTION record_touched()"
            ).format(sql.Identifier(table))
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


def _each(**columns: Any) -> list[Row]:
    """Return a row for every combination of the values of columns that are tuples."""
    values = [each if isinstance(each, tuple) else (each,) for each in columns.values()]
    return [dict(zip(columns, chosen, strict=True)) for chosen in itertools.product(*values)]


def _rows() -> Iterable[tuple[str, Sequence[Row]]]:
    yield "workers", [{"id": n, "holder": "holder", "reserved_ms": 0} for n in (0, 1)]
    yield (
        "users",
        [
            dict(id=n, username=f"user{n}", username_key=f"user{n}", **_credentials(n))
            for n in PEOPLE + BOTS
        ],
    )
    yield "streams", [{"id": n} for n in PEOPLE + BOTS + GUILDS + DMS + GROUPS]
    yield "logins", _logins()
    yield "refresh_tokens", _refresh_tokens()
    yield (
        "applications",
        [
            {"id": n, "owner_id": 1, "name": "app", "description": "", "public": True, "flags": 0}
            for n in BOTS
        ],
    )
    yield "guilds", [{"id": n, "name": "guild", "owner_id": 1} for n in GUILDS]
    yield (
        "roles",
        [
            {"id": guild + n, "guild_id": guild, "name": "role", "permissions": 0}
            for guild in GUILDS
            for n in (0, 1, 2)
        ],
    )
    yield "guild_members", _each(guild_id=GUILDS, user_id=(1, 2, 3, *BOTS))
    yield "application_commands", _commands()
    yield (
        "application_command_scopes",
        [
            {**row, "version": 1, "created": 1, "created_since": _PAST}
            for row in _each(application_id=BOTS, guild_id=(None, *GUILDS))
        ],
    )
    yield (
        "application_command_permissions",
        _each(guild_id=GUILDS, application_id=BOTS, command_id=(5080, 5081), permissions="[]"),
    )
    yield (
        "member_roles",
        [
            {"guild_id": guild, "user_id": user, "role_id": guild + n}
            for guild in GUILDS
            for user in (1, 2)
            for n in (1, 2)
        ],
    )
    yield "user_integrations", _each(user_id=(1, 2), application_id=BOTS)
    yield "channels", _channels()
    yield "temporary_members", _each(guild_id=GUILDS, user_id=(2, 3))
    yield (
        "kept_timeouts",
        [
            {**row, "until": _PAST if row["user_id"] == 3 else _FUTURE}
            for row in _each(guild_id=GUILDS, user_id=(3, 4))
        ],
    )
    yield "audit_logs", _each(guild_id=GUILDS, id=(1, 2), action_type=1)
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
    yield "read_states", _each(user_id=(1, 2), channel_id=CHANNELS + GROUPS, message_id=1001)
    yield "bans", _each(guild_id=GUILDS, user_id=(3, 4))
    yield "invites", _invites()
    yield "registration_invitations", _registration_invitations()
    yield (
        "messages",
        [
            *_each(
                channel_id=CHANNELS + DMS[:1] + GONE, id=(1001, 1003), author_id=1, content="text"
            ),
            *_each(
                channel_id=CHANNELS + DMS[:1] + GONE, id=(1002, 1004), author_id=2, content="text"
            ),
        ],
    )
    yield (
        "attachments",
        [
            {
                "channel_id": channel,
                "message_id": message,
                "id": message * 10 + n,
                "filename": "a",
                "content_type": "b",
                "size": 1,
            }
            for channel in CHANNELS
            for message in (1001, 1002)
            for n in (1, 2)
        ],
    )
    yield (
        "reactions",
        _each(channel_id=CHANNELS, message_id=(1001, 1002), emoji=("+", "-"), user_id=(1, 2)),
    )
    yield "purges", _each(channel_id=GONE)
    yield (
        "nonces",
        [
            {**row, "message_id": TIMELESS + n if row["nonce"] == "new" else n}
            for n, row in enumerate(
                _each(channel_id=CHANNELS, author_id=(1, 2), nonce=("old", "new")), 1
            )
        ],
    )
    yield (
        "slow_modes",
        [
            {**row, "message_id": TIMELESS + n if row["user_id"] == 2 else n, "gap": 1}
            for n, row in enumerate(_each(channel_id=CHANNELS, user_id=(1, 2)), 1)
        ],
    )
    yield (
        "relationships",
        [
            {**row, "type": 2 if 4 in row.values() else 1}  # 4 and the others block each other
            for row in _each(user_id=PEOPLE, other_id=PEOPLE)
            if row["user_id"] != row["other_id"]
        ],
    )
    yield "user_settings", _each(user_id=PEOPLE)
    yield (
        "user_notes",
        [{**row, "note": "x"} for row in _each(user_id=PEOPLE, target_id=PEOPLE)],
    )
    yield "removed_mentions", _each(user_id=PEOPLE, message_id=(1, 2, 3))
    protos = _each(user_id=PEOPLE, type=(1, 2))
    yield "user_settings_protos", [{**each, "data_version": 1, "settings": b""} for each in protos]
    yield (
        "user_guild_settings",
        [{**_NOTIFICATIONS, **each} for each in _each(user_id=(1, 2, 3), guild_id=(*GUILDS, None))],
    )
    yield (
        "pending_deletions",
        [
            {"id": number, "kind": kind, "details": "{}", "due_at": _PAST}
            for number, kind in enumerate(("bans", "bans", "members", "members"), -4)
        ],
    )
    yield "uploads", [{"id": n, "created_at": _PAST if n < 3 else _FUTURE} for n in (1, 2, 3, 4)]
    yield (
        "reserved_uploads",
        [
            {"id": n, "owner_id": owner, "channel_id": channel, "filename": "x", **rest}
            for n, owner, channel, rest in (
                (1, 2, CHANNELS[0], {"file_id": 3, "created_at": _PAST}),
                (2, 2, CHANNELS[0], {"created_at": _FUTURE}),
                (3, 2, CHANNELS[1], {"file_id": 4, "created_at": _FUTURE}),
                (4, 1, CHANNELS[0], {"created_at": _FUTURE}),
            )
        ],
    )
    yield "doomed_files", _each(key=("first", "second", "third"))
    yield "search_streams", _each(stream_id=GUILDS + DMS[:1])
    yield (
        "search_segments",
        [
            {"stream_id": stream, "segment": n, "first_id": 1, "last_id": 2}
            for stream in (100, *_DELETED_STREAMS)
            for n in (0, 1)
        ],
    )
    yield (
        "search_documents",
        [
            {
                "stream_id": stream,
                "segment": n,
                "position": 0,
                "channel_id": 110,
                "message_id": 1001,
            }
            for stream in (100, *_DELETED_STREAMS)
            for n in (0, 1)
        ],
    )
    yield (
        "search_postings",
        [
            {"stream_id": stream, "segment": n, "key": "tex", "positions": [0]}
            for stream in (100, *_DELETED_STREAMS)
            for n in (0, 1)
        ],
    )
    yield "search_unindexed", _each(channel_id=CHANNELS, message_id=(9, 1001))
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
            for row in _each(webhook_id=(1101, 2101), hash=("first", "second"))
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
    yield (
        "ephemeral_messages",
        [
            {
                "id": n if n < 8003 else TIMELESS + n,
                "user_id": 2 if n % 2 else 3,
                "channel_id": 110,
                "author_id": 8,
                "type": 0,
                "content": "text",
                "flags": 64,
                "tts": False,
                "mention_everyone": False,
                "attachment_count": 2,
                "origin": "{}",
            }
            for n in (8001, 8002, 8003, 8004)
        ],
    )
    yield (
        "ephemeral_attachments",
        [
            {
                **row,
                "id": n if n < 3 else TIMELESS + n,
                "filename": "a",
                "content_type": "b",
                "size": 1,
            }
            for n, row in enumerate(_each(channel_id=(110, 111), message_id=(8001, 8002)), 1)
        ],
    )
    yield (
        "crossposts",
        [
            {
                **row,
                "last_id": 0,
                "due_at": _PAST if row["message_id"] == 1001 else _FUTURE,
            }
            for row in _each(channel_id=CHANNELS, message_id=(1001, 1002))
        ],
    )
    yield (
        "crosspost_copies",
        [
            {**row, "channel_id": 210, "message_id": 1003, "revision": row["webhook_id"] - 1101}
            for row in _each(
                source_channel_id=CHANNELS,
                source_message_id=(1001, 1002),
                webhook_id=(1101, 1102),
            )
        ],
    )
    yield "search_edits", _each(channel_id=CHANNELS, message_id=(1001, 1002))


_PAIRS = ((1, 2), (1, 3), (2, 3))
_DELETED_STREAMS = (900, 901)


def _credentials(user: int) -> Row:
    if user in BOTS:
        return {"bot": True}
    return {"email": f"{user}@example.org", "email_key": f"{user}@example.org", "password_hash": ""}


def _logins() -> list[Row]:
    """Return logins: 13 has an expired client token, 14 a valid one, the others have none."""
    tokens = {13: _PAST, 14: _FUTURE}
    return [
        {
            "id": login,
            "user_id": login // 10,
            "user_agent": "agent",
            "last_used_at": _PAST,
            "token_expires_at": tokens.get(login),
        }
        for login in (11, 12, 13, 14, 21, 22)
    ]


def token(login: int, *, expired: bool) -> bytes:
    """Return the hash of a refresh token of a login."""
    return bytes([login, expired]) + bytes(30)


def _refresh_tokens() -> list[Row]:
    """Return tokens: an expired one for logins 11 and 14, one of each kind for 12, none for 13,
    else a valid one."""
    has = [(11, True), (12, True), (12, False), (14, True), (21, False), (22, False)]
    return [
        {
            "token_hash": token(login, expired=expired),
            "login_id": login,
            "expires_at": _PAST if expired else _FUTURE,
        }
        for login, expired in has
    ]


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
        dict(code="expired", guild_id=100, channel_id=110, expires_at=_PAST, **terms),
        dict(code="used up", guild_id=100, channel_id=110, **{**terms, "max_uses": 1}, uses=1),
    ]


def _registration_invitations() -> list[Row]:
    return [
        {"code": "first", "max_uses": 0},
        {"code": "second", "max_uses": 2, "uses": 1},
        {"code": "expired", "max_uses": 0, "expires_at": _PAST},
        {"code": "used up", "max_uses": 1, "uses": 1},
    ]


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
