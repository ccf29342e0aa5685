"""Accounts that wait for approval, and blocked mail domains and networks."""

from __future__ import annotations

from collections.abc import Collection

from chatd.core.ids import UserId
from chatd.core.registration import RegistrationBlock, WaitingAccount
from chatd.db.cursor import Cursor, many

_WAITING = "disabled_at IS NOT NULL AND deleted_at IS NULL"
"""An account that the operator has enabled, or deleted, does not wait any longer."""


async def insert(cur: Cursor, user_id: UserId) -> None:
    """Disable a new account until it is approved."""
    await cur.execute(
        """
        WITH held AS (UPDATE users SET disabled_at = now() WHERE id = %(id)s)
        INSERT INTO registration_requests (user_id) VALUES (%(id)s)
        """,
        {"id": user_id},
    )


async def count(cur: Cursor) -> int:
    """Return how many accounts wait."""
    await cur.execute(
        f"""
        SELECT count(*) FROM registration_requests JOIN users ON users.id = user_id
         WHERE {_WAITING}
        """
    )
    row = await cur.fetchone()
    assert row is not None
    return int(row[0])


async def is_waiting(cur: Cursor, user_id: UserId) -> bool:
    """Return whether an account waits for approval."""
    await cur.execute(
        f"""
        SELECT FROM registration_requests JOIN users ON users.id = user_id
         WHERE user_id = %(id)s AND {_WAITING}
        """,
        {"id": user_id},
    )
    return await cur.fetchone() is not None


async def page(cur: Cursor, *, after: int, limit: int) -> list[WaitingAccount]:
    """Return waiting accounts above an id, the oldest first."""
    await cur.execute(
        f"""
        SELECT users.id, username, email, requested_at
          FROM registration_requests JOIN users ON users.id = user_id
         WHERE user_id > %(after)s AND {_WAITING}
      ORDER BY user_id
         LIMIT %(limit)s
        """,
        {"after": after, "limit": limit},
    )
    return await many(cur, WaitingAccount)


async def delete(cur: Cursor, user_id: UserId) -> bool:
    """End the waiting of an account. False if it does not wait."""
    await cur.execute("DELETE FROM registration_requests WHERE user_id = %(id)s", {"id": user_id})
    return cur.rowcount == 1


async def is_blocked(
    cur: Cursor, *, domains: Collection[str], network: str | None
) -> tuple[bool, bool]:
    """Return whether one of the domains is blocked, and whether the network overlaps a block."""
    await cur.execute(
        """
        SELECT EXISTS (SELECT FROM registration_blocks WHERE domain = ANY(%(domains)s::text[])),
               EXISTS (SELECT FROM registration_blocks WHERE network && %(network)s::inet)
        """,
        {"domains": list(domains), "network": network},
    )
    row = await cur.fetchone()
    assert row is not None
    return bool(row[0]), bool(row[1])


async def insert_blocks(
    cur: Cursor, *, domains: Collection[str], networks: Collection[str], note: str | None
) -> int:
    """Add blocks. Return how many are new."""
    await cur.execute(
        """
        INSERT INTO registration_blocks (domain, network, note)
        SELECT domain, NULL::cidr, %(note)s FROM unnest(%(domains)s::text[]) AS domain
        UNION ALL
        SELECT NULL, network, %(note)s FROM unnest(%(networks)s::cidr[]) AS network
        ON CONFLICT DO NOTHING
        """,
        {"domains": list(domains), "networks": list(networks), "note": note},
    )
    return cur.rowcount


async def list_blocks(cur: Cursor, *, limit: int) -> list[RegistrationBlock]:
    """Return blocks: domains in the order of the alphabet, then networks."""
    await cur.execute(
        """
        SELECT domain, network::text, note, created_at FROM registration_blocks
      ORDER BY domain NULLS LAST, registration_blocks.network
         LIMIT %(limit)s
        """,
        {"limit": limit},
    )
    return await many(cur, RegistrationBlock)


async def delete_block(cur: Cursor, *, domain: str | None, network: str | None) -> bool:
    """Delete a block. False if there is none."""
    await cur.execute(
        """
        DELETE FROM registration_blocks
         WHERE domain = %(domain)s OR network = %(network)s::cidr
        """,
        {"domain": domain, "network": network},
    )
    return cur.rowcount == 1
