"""People, bots and their applications, logins, settings and relationships."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tests.queries.scene.values import (
    BOTS,
    DMS,
    FUTURE,
    GROUPS,
    GUILDS,
    PAST,
    PEOPLE,
    Row,
    rows_of,
)


def rows() -> Iterable[tuple[str, Sequence[Row]]]:
    """Yield tables and their rows, in an order that foreign keys permit."""
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
    yield "registration_invitations", _registration_invitations()
    yield (
        "relationships",
        [
            {**row, "type": 2 if 4 in row.values() else 1}  # 4 and the others block each other
            for row in rows_of(user_id=PEOPLE, other_id=PEOPLE)
            if row["user_id"] != row["other_id"]
        ],
    )
    yield "user_settings", rows_of(user_id=PEOPLE)
    yield (
        "user_notes",
        [{**row, "note": "x"} for row in rows_of(user_id=PEOPLE, target_id=PEOPLE)],
    )
    yield "removed_mentions", rows_of(user_id=PEOPLE, message_id=(1, 2, 3))
    protos = rows_of(user_id=PEOPLE, type=(1, 2))
    yield "user_settings_protos", [{**each, "data_version": 1, "settings": b""} for each in protos]


def _credentials(user: int) -> Row:
    if user in BOTS:
        return {"bot": True}
    return {"email": f"{user}@example.org", "email_key": f"{user}@example.org", "password_hash": ""}


def _logins() -> list[Row]:
    """Return logins: 13 has an expired client token, 14 a valid one, the others have none."""
    tokens = {13: PAST, 14: FUTURE}
    return [
        {
            "id": login,
            "user_id": login // 10,
            "user_agent": "agent",
            "last_used_at": PAST,
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
            "expires_at": PAST if expired else FUTURE,
        }
        for login, expired in has
    ]


def _registration_invitations() -> list[Row]:
    return [
        {"code": "first", "max_uses": 0},
        {"code": "second", "max_uses": 2, "uses": 1},
        {"code": "expired", "max_uses": 0, "expires_at": PAST},
        {"code": "used up", "max_uses": 1, "uses": 1},
    ]
