"""Second factors: secrets of one-time codes, passkeys, recovery codes and tickets."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from chatd.core.ids import LoginId, PasskeyId, UserId
from chatd.db.cursor import Cursor, many, one


@dataclass(frozen=True, slots=True)
class FactorState:
    """An account's password and which factors it has."""

    password_hash: str = field(repr=False)
    is_disabled: bool
    has_totp: bool
    has_recovery_codes: bool
    credential_ids: tuple[bytes, ...]
    """Those of its passkeys."""

    @property
    def mfa_enabled(self) -> bool:
        """Whether the account has a second factor."""
        return self.has_totp or bool(self.credential_ids)


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey of an account, as its owner sees it."""

    id: PasskeyId
    name: str
    credential_id: bytes
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class PasskeySecret:
    """What an assertion of a passkey is verified with."""

    id: PasskeyId
    public_key: bytes
    sign_count: int


async def state(cur: Cursor, user_id: UserId, *, lock: bool = False) -> FactorState | None:
    """Return the factors of a person; None for a bot, or a deleted or unknown account.

    With `lock`, the password and the factors cannot change until the transaction ends.
    """
    if lock:
        await cur.execute("SELECT FROM users WHERE id = %(id)s FOR SHARE", {"id": user_id})
    await cur.execute(
        """
        SELECT password_hash, disabled_at IS NOT NULL,
               EXISTS (SELECT FROM totp_secrets WHERE user_id = users.id),
               EXISTS (SELECT FROM recovery_codes WHERE user_id = users.id AND used_at IS NULL),
               ARRAY (SELECT credential_id FROM passkeys WHERE user_id = users.id ORDER BY id)
          FROM users
         WHERE id = %(id)s AND password_hash IS NOT NULL
        """,
        {"id": user_id},
    )
    return await one(
        cur,
        lambda password_hash, is_disabled, totp, recovery, ids: FactorState(
            password_hash, is_disabled, totp, recovery, tuple(bytes(each) for each in ids)
        ),
    )


async def lock_account(cur: Cursor, user_id: UserId) -> None:
    """Lock the row of an account: what changes its factors excludes each other, and logins."""
    await cur.execute("SELECT FROM users WHERE id = %(id)s FOR NO KEY UPDATE", {"id": user_id})


async def update_enabled(cur: Cursor, user_id: UserId) -> bool:
    """Write whether the account has a second factor, and return it."""
    await cur.execute(
        """
        UPDATE users
           SET mfa_enabled = EXISTS (SELECT FROM totp_secrets WHERE user_id = %(id)s)
                             OR EXISTS (SELECT FROM passkeys WHERE user_id = %(id)s)
         WHERE id = %(id)s
        RETURNING mfa_enabled
        """,
        {"id": user_id},
    )
    row = await cur.fetchone()
    return row is not None and bool(row[0])


async def is_enabled(cur: Cursor, user_id: UserId) -> bool:
    """Return whether an account has a second factor."""
    await cur.execute("SELECT mfa_enabled FROM users WHERE id = %(id)s", {"id": user_id})
    row = await cur.fetchone()
    return row is not None and bool(row[0])


async def delete_all(cur: Cursor, user_id: UserId) -> None:
    """Delete all factors, recovery codes and tickets of an account."""
    await cur.execute(
        """
        WITH secrets AS (DELETE FROM totp_secrets WHERE user_id = %(id)s),
             codes AS (DELETE FROM recovery_codes WHERE user_id = %(id)s),
             tickets AS (DELETE FROM mfa_tickets WHERE user_id = %(id)s)
        DELETE FROM passkeys WHERE user_id = %(id)s
        """,
        {"id": user_id},
    )


async def insert_totp(cur: Cursor, user_id: UserId, secret: bytes, *, step: int) -> bool:
    """Add an encrypted secret, whose code of this time step is used. False if there is one."""
    await cur.execute(
        """
        INSERT INTO totp_secrets (user_id, secret, last_step)
        VALUES (%(user_id)s, %(secret)s, %(step)s)
        ON CONFLICT DO NOTHING
        """,
        {"user_id": user_id, "secret": secret, "step": step},
    )
    return cur.rowcount == 1


async def totp_secret(cur: Cursor, user_id: UserId) -> bytes | None:
    """Return the encrypted secret of an account."""
    await cur.execute("SELECT secret FROM totp_secrets WHERE user_id = %(id)s", {"id": user_id})
    return await one(cur, bytes)


async def use_step(cur: Cursor, user_id: UserId, step: int) -> bool:
    """Record the use of the code of a time step. False if it, or a later one, was used before."""
    await cur.execute(
        """
        UPDATE totp_secrets SET last_step = %(step)s
         WHERE user_id = %(user_id)s AND last_step < %(step)s
        """,
        {"user_id": user_id, "step": step},
    )
    return cur.rowcount == 1


async def delete_totp(cur: Cursor, user_id: UserId) -> bool:
    """Delete the secret of an account. False if there is none."""
    await cur.execute("DELETE FROM totp_secrets WHERE user_id = %(id)s", {"id": user_id})
    return cur.rowcount == 1


async def insert_passkey(
    cur: Cursor,
    passkey: Passkey,
    user_id: UserId,
    *,
    public_key: bytes,
    sign_count: int,
) -> bool:
    """Add a passkey. False if its credential is known already, of whichever account."""
    await cur.execute(
        """
        INSERT INTO passkeys (id, user_id, credential_id, public_key, sign_count, name)
        VALUES (%(id)s, %(user_id)s, %(credential_id)s, %(key)s, %(count)s, %(name)s)
        ON CONFLICT DO NOTHING
        """,
        {
            "id": passkey.id,
            "user_id": user_id,
            "credential_id": passkey.credential_id,
            "key": public_key,
            "count": sign_count,
            "name": passkey.name,
        },
    )
    return cur.rowcount == 1


_PASSKEY = "id, name, credential_id, last_used_at"  # in the order of Passkey


def _passkey(id_: int, name: str, credential_id: bytes, last_used_at: datetime | None) -> Passkey:
    return Passkey(PasskeyId(id_), name, bytes(credential_id), last_used_at)


async def passkeys(cur: Cursor, user_id: UserId) -> list[Passkey]:
    """Return the passkeys of an account, the oldest first."""
    await cur.execute(
        f"SELECT {_PASSKEY} FROM passkeys WHERE user_id = %(id)s ORDER BY id", {"id": user_id}
    )
    return await many(cur, _passkey)


async def passkey_secret(
    cur: Cursor, user_id: UserId, credential_id: bytes
) -> PasskeySecret | None:
    """Return the passkey of an account with this credential, and lock it."""
    await cur.execute(
        """
        SELECT id, public_key, sign_count FROM passkeys
         WHERE user_id = %(user_id)s AND credential_id = %(credential_id)s
           FOR NO KEY UPDATE
        """,
        {"user_id": user_id, "credential_id": credential_id},
    )
    return await one(
        cur, lambda id_, key, count: PasskeySecret(PasskeyId(id_), bytes(key), int(count))
    )


async def record_passkey_use(cur: Cursor, passkey_id: PasskeyId, *, sign_count: int) -> None:
    """Record the use of a passkey and its new signature counter."""
    await cur.execute(
        "UPDATE passkeys SET sign_count = %(count)s, last_used_at = now() WHERE id = %(id)s",
        {"id": passkey_id, "count": sign_count},
    )


async def rename_passkey(
    cur: Cursor, user_id: UserId, passkey_id: PasskeyId, name: str
) -> Passkey | None:
    """Rename a passkey of an account, and return it; None if there is no such passkey."""
    await cur.execute(
        f"""
        UPDATE passkeys SET name = %(name)s WHERE id = %(id)s AND user_id = %(user_id)s
        RETURNING {_PASSKEY}
        """,
        {"id": passkey_id, "user_id": user_id, "name": name},
    )
    return await one(cur, _passkey)


async def delete_passkey(cur: Cursor, user_id: UserId, passkey_id: PasskeyId) -> bool:
    """Delete a passkey of an account. False if there is no such passkey."""
    await cur.execute(
        "DELETE FROM passkeys WHERE id = %(id)s AND user_id = %(user_id)s",
        {"id": passkey_id, "user_id": user_id},
    )
    return cur.rowcount == 1


async def replace_recovery_codes(cur: Cursor, user_id: UserId, hashes: Iterable[bytes]) -> None:
    """Replace the recovery codes of an account by unused ones with these hashes."""
    await cur.execute("DELETE FROM recovery_codes WHERE user_id = %(id)s", {"id": user_id})
    await cur.execute(
        """
        INSERT INTO recovery_codes (user_id, code_hash)
        SELECT %(id)s, unnest(%(hashes)s::bytea[])
        """,
        {"id": user_id, "hashes": list(hashes)},
    )


async def recovery_codes(cur: Cursor, user_id: UserId) -> list[bool]:
    """Return for each recovery code of an account whether it is used, the unused ones first."""
    await cur.execute(
        """
        SELECT used_at IS NOT NULL FROM recovery_codes
         WHERE user_id = %(id)s
      ORDER BY used_at IS NOT NULL
        """,
        {"id": user_id},
    )
    return await many(cur, bool)


async def use_recovery_code(cur: Cursor, user_id: UserId, code_hash: bytes) -> bool:
    """Use up a recovery code. False if there is no such code, or it is used."""
    await cur.execute(
        """
        UPDATE recovery_codes SET used_at = now()
         WHERE user_id = %(user_id)s AND code_hash = %(hash)s AND used_at IS NULL
        """,
        {"user_id": user_id, "hash": code_hash},
    )
    return cur.rowcount == 1


async def insert_ticket(
    cur: Cursor,
    ticket_id: bytes,
    user_id: UserId,
    challenge: bytes,
    *,
    login_id: LoginId | None,
    lifetime_s: int,
    keep: int,
) -> None:
    """Add a ticket of a login, or with None for a new login of the account.

    Deletes the oldest ones of the same login beyond `keep` others; so None keeps those of logins.
    """
    await cur.execute(
        """
        WITH excess AS (
            DELETE FROM mfa_tickets
             WHERE id = ANY (ARRAY (SELECT id FROM mfa_tickets
                                   WHERE user_id = %(user_id)s
                                     AND login_id IS NOT DISTINCT FROM %(login_id)s::bigint
                                ORDER BY expires_at DESC, id OFFSET %(keep)s))
        )
        INSERT INTO mfa_tickets (id, user_id, login_id, challenge, expires_at)
        VALUES (%(id)s, %(user_id)s, %(login_id)s, %(challenge)s,
                now() + make_interval(secs => %(lifetime)s))
        """,
        {
            "id": ticket_id,
            "user_id": user_id,
            "login_id": login_id,
            "challenge": challenge,
            "lifetime": lifetime_s,
            "keep": keep,
        },
    )


async def count_try(cur: Cursor, ticket_id: bytes, user_id: UserId, *, limit: int) -> bytes | None:
    """Count a try of a ticket, and return its challenge.

    None if the ticket is used up, has expired, or had `limit` tries.
    """
    await cur.execute(
        """
        UPDATE mfa_tickets SET tries = tries + 1
         WHERE id = %(id)s AND user_id = %(user_id)s AND tries < %(limit)s AND expires_at > now()
        RETURNING challenge
        """,
        {"id": ticket_id, "user_id": user_id, "limit": limit},
    )
    return await one(cur, bytes)


async def consume_ticket(cur: Cursor, ticket_id: bytes) -> bool:
    """Delete a ticket that has served its purpose. False if it was used concurrently."""
    await cur.execute("DELETE FROM mfa_tickets WHERE id = %(id)s", {"id": ticket_id})
    return cur.rowcount == 1


async def delete_tickets(cur: Cursor, user_id: UserId) -> None:
    """Delete all tickets of an account."""
    await cur.execute("DELETE FROM mfa_tickets WHERE user_id = %(id)s", {"id": user_id})


async def delete_expired_tickets(cur: Cursor, *, limit: int) -> int:
    """Delete some expired tickets. Return their number."""
    await cur.execute(
        """
        DELETE FROM mfa_tickets
         WHERE id = ANY (ARRAY (SELECT id FROM mfa_tickets WHERE expires_at <= now()
                                 LIMIT %(limit)s))
        """,
        {"limit": limit},
    )
    return cur.rowcount
