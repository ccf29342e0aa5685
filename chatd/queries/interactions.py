"""Interactions. Their rows live for as long as their modals can be submitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from chatd.core.ids import InteractionId, MessageId
from chatd.core.interactions import Interaction, InteractionOrigin, InteractionState
from chatd.db.cursor import Cursor, PreparedStatement, many, one

_COLUMNS = """
    id, application_id, channel_id, origin, session, nonce, message_is_ephemeral, state,
    response_id, response_is_ephemeral, modal
"""
"""In the order of Interaction."""


def _make(*row: Any) -> Interaction:
    (
        interaction_id, application_id, channel_id, origin, session, nonce, message_is_ephemeral,
        state, response_id, response_is_ephemeral, modal,
    ) = row  # fmt: skip
    return Interaction(
        interaction_id,
        application_id,
        channel_id,
        InteractionOrigin.stored(origin),
        session,
        nonce,
        message_is_ephemeral,
        InteractionState(state),
        response_id,
        response_is_ephemeral,
        modal,
    )


async def insert(cur: Cursor, interaction: Interaction, token_hash: bytes) -> None:
    """Add an interaction that its application has not acknowledged yet."""
    await cur.execute(
        """
        INSERT INTO interactions (id, token_hash, application_id, channel_id, origin, session,
                                  nonce, message_is_ephemeral)
        VALUES (%(id)s, %(token_hash)s, %(application_id)s, %(channel_id)s, %(origin)s,
                %(session)s, %(nonce)s, %(message_is_ephemeral)s)
        """,
        {
            "id": interaction.id,
            "token_hash": token_hash,
            "application_id": interaction.application_id,
            "channel_id": interaction.channel_id,
            "origin": orjson.dumps(interaction.origin).decode(),
            "session": interaction.session,
            "nonce": interaction.nonce,
            "message_is_ephemeral": interaction.message_is_ephemeral,
        },
    )


_BY_TOKEN = PreparedStatement(
    f"SELECT {_COLUMNS} FROM interactions WHERE token_hash = %(digest)s", digest="bytea"
)


async def by_token(cur: Cursor, token_hash: bytes) -> Interaction | None:
    """Return the interaction of a token."""
    await cur.run(_BY_TOKEN, {"digest": token_hash})
    return await one(cur, _make)


async def get(cur: Cursor, interaction_id: InteractionId) -> Interaction | None:
    """Return one interaction."""
    await cur.execute(
        f"SELECT {_COLUMNS} FROM interactions WHERE id = %(id)s", {"id": interaction_id}
    )
    return await one(cur, _make)


async def lock(cur: Cursor, interaction_id: InteractionId) -> Interaction | None:
    """Return one interaction, and lock it until the commit."""
    await cur.execute(
        f"SELECT {_COLUMNS} FROM interactions WHERE id = %(id)s FOR UPDATE",
        {"id": interaction_id},
    )
    return await one(cur, _make)


async def set_state(
    cur: Cursor,
    interaction_id: InteractionId,
    state: InteractionState,
    *,
    modal: Mapping[str, Any] | None = None,
) -> None:
    """Record what has become of an interaction, and the modal that was the response."""
    await cur.execute(
        "UPDATE interactions SET state = %(state)s, modal = %(modal)s WHERE id = %(id)s",
        {
            "id": interaction_id,
            "state": int(state),
            "modal": None if modal is None else orjson.dumps(modal).decode(),
        },
    )


async def set_response(
    cur: Cursor,
    interaction_id: InteractionId,
    state: InteractionState,
    message_id: MessageId,
    *,
    is_ephemeral: bool,
) -> None:
    """Record the first response of an interaction, and what has become of the interaction."""
    await cur.execute(
        """
        UPDATE interactions
           SET state = %(state)s, response_id = %(response_id)s,
               response_is_ephemeral = %(is_ephemeral)s
         WHERE id = %(id)s
        """,
        {
            "id": interaction_id,
            "state": int(state),
            "response_id": message_id,
            "is_ephemeral": is_ephemeral,
        },
    )


async def list_overdue(cur: Cursor, *, before: int, limit: int) -> list[Interaction]:
    """Return some interactions below an id that were not acknowledged."""
    await cur.execute(
        f"""
        SELECT {_COLUMNS} FROM interactions
         WHERE state = {InteractionState.PENDING:d} AND id < %(before)s
      ORDER BY id
         LIMIT %(limit)s
        """,
        {"before": before, "limit": limit},
    )
    return await many(cur, _make)


async def fail(cur: Cursor, interaction_id: InteractionId) -> bool:
    """Mark an interaction as failed. False if it is not pending."""
    await cur.execute(
        f"""
        UPDATE interactions SET state = {InteractionState.FAILED:d}
         WHERE id = %(id)s AND state = {InteractionState.PENDING:d}
        """,
        {"id": interaction_id},
    )
    return cur.rowcount == 1


async def delete_old(cur: Cursor, *, before: int, limit: int) -> int:
    """Delete some interactions below an id. Return their number."""
    await cur.execute(
        """
        DELETE FROM interactions
         WHERE id = ANY (ARRAY (SELECT id FROM interactions WHERE id < %(before)s
                              ORDER BY id LIMIT %(limit)s))
        """,
        {"before": before, "limit": limit},
    )
    return cur.rowcount
