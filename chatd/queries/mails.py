"""The mail queue: mails that wait to be sent."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chatd.core.ids import MailId, UserId
from chatd.core.mail import LANGUAGES, MailKind
from chatd.db.cursor import Cursor, many, one


@dataclass(frozen=True, slots=True)
class NewMail:
    """A mail to an account."""

    id: MailId
    kind: MailKind
    user_id: UserId
    recipient: str = field(repr=False)
    token_id: bytes | None = field(default=None, repr=False)
    detail: str = field(default="", repr=False)
    """What the text contains beside the name: an address, or the program of a login."""


@dataclass(frozen=True, slots=True)
class WaitingMail:
    """A mail whose sending an instance has leased."""

    id: MailId
    kind: str
    user_id: UserId | None
    """None for a password reset whose account was not looked up yet."""
    recipient: str = field(repr=False)
    language: str
    token_id: bytes | None = field(repr=False)
    detail: str = field(repr=False)
    tries: int
    """How often sending it was tried, this time included."""
    created_at: datetime


@dataclass(frozen=True, slots=True)
class DroppedMail:
    """A mail that waited for too long."""

    id: MailId
    kind: str
    tries: int


def _waiting(*row: Any) -> WaitingMail:
    mail_id, kind, user_id, recipient, language, token_id, *rest = row
    token = None if token_id is None else bytes(token_id)
    return WaitingMail(mail_id, kind, user_id, recipient, language, token, *rest)


async def insert(cur: Cursor, mail: NewMail) -> None:
    """Add a mail, in the language of its account."""
    await cur.execute(
        f"""
        INSERT INTO mails (id, kind, user_id, recipient, language, token_id, detail)
        SELECT %(id)s, %(kind)s, id, %(recipient)s, coalesce(language, '{LANGUAGES[0]}'),
               %(token_id)s, %(detail)s
          FROM users WHERE id = %(user_id)s
        """,
        {
            "id": mail.id,
            "kind": mail.kind.value,
            "user_id": mail.user_id,
            "recipient": mail.recipient,
            "token_id": mail.token_id,
            "detail": mail.detail,
        },
    )


async def insert_reset(
    cur: Cursor, mail_id: MailId, address: str, language: str, *, max_waiting: int
) -> bool:
    """Add a password reset for an address that may have an account or not.

    Returns False if `max_waiting` mails wait already.
    """
    await cur.execute(
        """
        INSERT INTO mails (id, kind, recipient, language)
        SELECT %(id)s, %(kind)s, %(address)s, %(language)s
         WHERE (SELECT count(*) FROM (SELECT FROM mails LIMIT %(max)s) AS waiting) < %(max)s
        """,
        {
            "id": mail_id,
            "kind": MailKind.RESET.value,
            "address": address,
            "language": language,
            "max": max_waiting,
        },
    )
    return cur.rowcount == 1


async def take(
    cur: Cursor, kinds: Collection[MailKind], *, lease_s: float, max_age_s: float
) -> WaitingMail | None:
    """Lease the mail of these kinds that is due longest, for `lease_s`; None when none is due.

    Instances of a newer version send the others.
    """
    await cur.execute(
        """
        UPDATE mails SET due_at = now() + make_interval(secs => %(lease_s)s), tries = tries + 1
         WHERE id = (SELECT id FROM mails
                      WHERE due_at <= now() AND kind = ANY(%(kinds)s)
                        AND created_at > now() - make_interval(secs => %(max_age_s)s)
                   ORDER BY due_at, id
                      LIMIT 1
                        FOR UPDATE SKIP LOCKED)
        RETURNING id, kind, user_id, recipient, language, token_id, detail, tries, created_at
        """,
        {
            "kinds": [each.value for each in kinds],
            "lease_s": lease_s,
            "max_age_s": max_age_s,
        },
    )
    return await one(cur, _waiting)


async def assign(
    cur: Cursor, mail_id: MailId, user_id: UserId, recipient: str, token_id: bytes
) -> None:
    """Record the account of a password reset, and the token of its link."""
    await cur.execute(
        """
        UPDATE mails
           SET user_id = %(user_id)s, recipient = %(recipient)s, token_id = %(token_id)s
         WHERE id = %(id)s
        """,
        {"id": mail_id, "user_id": user_id, "recipient": recipient, "token_id": token_id},
    )


async def postpone(cur: Cursor, mail_id: MailId, *, wait_s: float) -> None:
    """Let a mail be due in `wait_s` seconds, and end its lease."""
    await cur.execute(
        "UPDATE mails SET due_at = now() + make_interval(secs => %(wait_s)s) WHERE id = %(id)s",
        {"id": mail_id, "wait_s": wait_s},
    )


async def delete(cur: Cursor, mail_id: MailId) -> None:
    """Delete a mail that was sent, or can never be."""
    await cur.execute("DELETE FROM mails WHERE id = %(id)s", {"id": mail_id})


async def delete_old(cur: Cursor, *, max_age_s: float, limit: int) -> list[DroppedMail]:
    """Delete some mails that have waited for longer than `max_age_s`. Return them."""
    await cur.execute(
        """
        DELETE FROM mails
         WHERE id = ANY (ARRAY (SELECT id FROM mails
                                 WHERE created_at <= now() - make_interval(secs => %(max_age_s)s)
                                 LIMIT %(limit)s
                                   FOR UPDATE SKIP LOCKED))
        RETURNING id, kind, tries
        """,
        {"max_age_s": max_age_s, "limit": limit},
    )
    return await many(cur, DroppedMail)


async def delete_abandoned(cur: Cursor, *, limit: int) -> int:
    """Delete some mails of two days ago, which no instance sends any more. Return their number."""
    return len(await delete_old(cur, max_age_s=2 * 86_400, limit=limit))
