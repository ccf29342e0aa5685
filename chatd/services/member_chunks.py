"""Members as the gateway gives them to a client that has asked for some, or for all.

Rule: Discord docs, Gateway Events, "Request Guild Members".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from chatd.core.ids import UserId
from chatd.core.models import MemberChunk
from chatd.db import Cursor, Database
from chatd.queries import members
from chatd.services import access
from chatd.wire.schemas.gateway import MemberRequest

CHUNK = 1000
"""How many members come at once."""

_MOST_NAMED = 100
_NONCE_BYTES = 32  # a longer one is not echoed


async def asked_for(
    database: Database, user_id: UserId, wanted: MemberRequest, *, may_list: bool
) -> AsyncIterator[MemberChunk]:
    """The members that a user has asked for; at least one chunk, though it be empty.

    All members are given only to those who `may_list` them, for as long as they are members
    themselves. Raises UnknownGuild, MissingAccess.
    """
    nonce = wanted.nonce
    if nonce is not None and len(nonce.encode()) > _NONCE_BYTES:
        nonce = None
    async with database.cursor() as cur:
        await access.guild(cur, user_id, wanted.guild_id)
        ids = await _ids(cur, wanted, may_list=may_list)
    parts = list(_parts(ids)) or [()]
    for index, part in enumerate(parts):
        async with database.cursor() as cur:
            if index:
                await access.guild(cur, user_id, wanted.guild_id)  # it takes time to read them
            found = await members.by_ids(cur, wanted.guild_id, part)
        there = {member.user.id for member in found}
        missing = [each for each in part if each not in there] if wanted.user_ids else []
        yield MemberChunk(wanted.guild_id, found, index, len(parts), missing, nonce)


async def _ids(cur: Cursor, wanted: MemberRequest, *, may_list: bool) -> Sequence[UserId]:
    """Whom the request means."""
    if wanted.user_ids is not None:
        return list(dict.fromkeys(wanted.user_ids))[:_MOST_NAMED]
    if wanted.query:
        limit = min(wanted.limit or _MOST_NAMED, _MOST_NAMED)
        found = await members.search(cur, wanted.guild_id, wanted.query, limit=limit)
        return [member.user.id for member in found]
    ids = await members.ids_of_guild(cur, wanted.guild_id) if may_list else []
    return ids[: wanted.limit] if wanted.limit else ids


def _parts(ids: Sequence[UserId]) -> Iterator[Sequence[UserId]]:
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]
