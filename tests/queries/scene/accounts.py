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

MAIL_PURPOSES = ("verify", "reset", "undo")


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
    yield from _second_factors()
    yield "mail_tokens", _mail_tokens()
    yield "mails", _mails()
    yield from _sign_on()
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


def ticket(user: int, *, expired: bool) -> bytes:
    """Return the id of a ticket of a user."""
    return bytes([user, expired]) + bytes(14)


def _second_factors() -> Iterable[tuple[str, Sequence[Row]]]:
    """Yield factors of all people; the first code of each is used."""
    yield "totp_secrets", [{"user_id": n, "secret": b"x", "last_step": 7} for n in PEOPLE]
    yield (
        "passkeys",
        [
            {
                "id": 100 * n + each,
                "user_id": n,
                "credential_id": bytes([n, each]),
                "public_key": b"x",
                "sign_count": 0,
                "name": "key",
            }
            for n in PEOPLE
            for each in (1, 2)
        ],
    )
    yield (
        "recovery_codes",
        [
            {"user_id": n, "code_hash": bytes([each]), "used_at": PAST if each == 1 else None}
            for n in PEOPLE
            for each in (1, 2, 3)
        ],
    )
    yield (
        "mfa_tickets",
        [
            {
                "id": ticket(n, expired=expired),
                "user_id": n,
                "challenge": bytes(32),
                "expires_at": PAST if expired else FUTURE,
            }
            for n in PEOPLE
            for expired in (False, True)
        ],
    )


def mail_token(user: int, purpose: str, *, expired: bool) -> bytes:
    """Return the id of a token in a mail to a user."""
    return bytes([user, MAIL_PURPOSES.index(purpose), expired]) + bytes(13)


def later_mail_token(user: int) -> bytes:
    """Return the id of a user's token that was made after the others, to undo a change."""
    return bytes([user, 99]) + bytes(14)


def _mail_tokens() -> list[Row]:
    found: list[Row] = [
        {
            "id": mail_token(n, purpose, expired=expired),
            "user_id": n,
            "purpose": purpose,
            "email": f"{n}@example.org",
            "email_key": f"{n}@example.org",
            "created_at": PAST,
            "expires_at": PAST if expired else FUTURE,
        }
        for n in PEOPLE
        for purpose in MAIL_PURPOSES
        for expired in (False, True)
    ]
    later = [
        {**each, "id": later_mail_token(int(each["user_id"])), "created_at": FUTURE}
        for each in found
        if each["purpose"] == "undo" and each["expires_at"] == FUTURE
    ]
    return [*found, *later]


def _mails() -> list[Row]:
    """Return mails: 1 of each user is due, 2 later, 3 is old, and 4 is one of a newer version."""
    common = {"kind": "login", "recipient": "a@example.org", "language": "en", "due_at": PAST}
    return [
        {**common, "id": 9000 + 10 * n + number, "user_id": n, **special}
        for n in PEOPLE
        for number, special in (
            (1, {}),
            (2, {"due_at": FUTURE}),
            (3, {"created_at": PAST, "due_at": "2025-01-01T00:00:00+00:00"}),
            (4, {"kind": "newer", "due_at": "2025-01-01T00:00:00+00:00"}),
        )
    ]


ISSUERS = ("https://one.example", "https://two.example")


def sign_on_hash(user: int, *, expired: bool) -> bytes:
    """Return the hash of a state, a code, a browser or a logout token."""
    return bytes([user, expired]) + bytes(30)


def _sign_on() -> Iterable[tuple[str, Sequence[Row]]]:
    """Yield accounts at two providers for all people, and what is in progress at the first one."""
    identities = [
        {"issuer": issuer, "subject": f"sub{n}", "user_id": n} for n in PEOPLE for issuer in ISSUERS
    ]
    yield "oidc_identities", [{**each, "grants_administrator": True} for each in identities]
    ends = [
        (n, sign_on_hash(n, expired=expired), PAST if expired else FUTURE)
        for n in PEOPLE
        for expired in (False, True)
    ]
    common = {"issuer": ISSUERS[0]}
    yield (
        "oidc_attempts",
        [
            {
                **common,
                "state_hash": each,
                "browser_hash": each,
                "nonce": "x",
                "code_verifier": "x",
                "expires_at": end,
            }
            for _, each, end in ends
        ],
    )
    yield (
        "oidc_handoffs",
        [
            {
                **common,
                "code_hash": each,
                "browser_hash": each,
                "user_id": n,
                "subject": f"sub{n}",
                "has_mfa": False,
                "expires_at": end,
            }
            for n, each, end in ends
        ],
    )
    used = [{**common, "token_hash": each, "expires_at": end} for _, each, end in ends]
    yield "oidc_logout_tokens", used
    yield (
        "oidc_logins",
        [
            {"login_id": n, **common, "subject": f"sub{n // 10}", "has_mfa": False}
            for n in (12, 21, 22)
        ],
    )


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
