"""Members in chunks, as the gateway sends them to a client that requested some or all.

Rule: Discord docs, Gateway Events, "Request Guild Members".
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from chatd.core.ids import GuildId, UserId
from chatd.core.models import Member, MemberChunk
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import members, users
from chatd.services.access import access
from chatd.services.guilds.members import READ_BATCH
from chatd.wire.schemas.gateway import MemberRequest, RecentMembers

CHUNK_SIZE = 1000
"""The members of one chunk. Rule: Discord's limit."""

_MAX_NAMED = 100  # ids or search results of one request. Rule: Discord's limit
_MAX_SEARCHED = 1  # recent members of one search by name. Rule: Discord's limit
_NONCE_BYTES = 32  # longer ones are not echoed


async def read_requested(
    database: Database,
    user_id: UserId,
    guild_id: GuildId,
    wanted: MemberRequest,
    *,
    may_list: bool,
    with_bios: bool,
) -> AsyncIterator[MemberChunk]:
    """Yield the members of a guild that a user requested, in at least one chunk.

    With `with_bios`, members that were requested by their ids come with their bios. Listing all
    members needs `may_list`. Membership of the user is checked before each chunk.
    Raises UnknownGuild, MissingAccess.
    """
    async with database.cursor() as cur:
        await access.guild(cur, user_id, guild_id)
        ids = await _ids(cur, guild_id, wanted, may_list=may_list)
    parts = list(_parts(ids)) or [()]
    for index, part in enumerate(parts):
        async with database.cursor() as cur:
            if index:  # the user may have left since the last chunk
                await access.guild(cur, user_id, guild_id)
            found = await _read_in_batches(cur, guild_id, part)
            bios = None
            if with_bios and wanted.user_ids:
                bios = await users.bios(cur, [each.user.id for each in found])
        missing = _missing(part, found) if wanted.user_ids else []
        nonce = _echoed(wanted.nonce)
        yield MemberChunk(guild_id, found, index, len(parts), missing, nonce, bios)


async def _read_in_batches(
    cur: Cursor, guild_id: GuildId, user_ids: Sequence[UserId]
) -> list[Member]:
    found: list[Member] = []
    for start in range(0, len(user_ids), READ_BATCH):
        found += await members.by_ids(cur, guild_id, user_ids[start : start + READ_BATCH])
    return found


def _missing(user_ids: Sequence[UserId], found: Sequence[Member]) -> list[UserId]:
    there = {member.user.id for member in found}
    return [each for each in user_ids if each not in there]


def _echoed(nonce: str | None) -> str | None:
    """Return the nonce that the chunks repeat: that of the request, if it is short enough."""
    return None if nonce is None or len(nonce.encode()) > _NONCE_BYTES else nonce


async def read_recent(
    database: Database, user_id: UserId, wanted: RecentMembers, *, may_list: bool
) -> MemberChunk:
    """Return the members that joined last, in that order; one of them if a name is searched.

    Needs `may_list`, as listing all members does. Raises UnknownGuild, MissingAccess.
    """
    limit = _MAX_SEARCHED if wanted.query else CHUNK_SIZE
    found: list[Member] = []
    async with database.cursor() as cur:
        await access.guild(cur, user_id, wanted.guild_id)
        ids: Sequence[UserId] = ()
        if may_list:
            ids = await members.recent_ids(
                cur, wanted.guild_id, wanted.query, after=wanted.continuation_token, limit=limit
            )
        for start in range(0, len(ids), READ_BATCH):
            found += await members.by_ids(cur, wanted.guild_id, ids[start : start + READ_BATCH])
    order = {each: number for number, each in enumerate(ids)}
    found.sort(key=lambda member: order[member.user.id])
    return MemberChunk(wanted.guild_id, found, nonce=wanted.nonce)


async def _ids(
    cur: Cursor, guild_id: GuildId, wanted: MemberRequest, *, may_list: bool
) -> Sequence[UserId]:
    """Return the ids of the requested members."""
    if wanted.user_ids is not None:
        return list(dict.fromkeys(wanted.user_ids))[:_MAX_NAMED]
    if wanted.query:
        limit = min(wanted.limit or _MAX_NAMED, _MAX_NAMED)
        found = await members.search(cur, guild_id, wanted.query, limit=limit)
        return [member.user.id for member in found]
    ids = await members.ids_for_guild(cur, guild_id) if may_list else []
    return ids[: wanted.limit] if wanted.limit else ids


def _parts(ids: Sequence[UserId]) -> Iterator[Sequence[UserId]]:
    for start in range(0, len(ids), CHUNK_SIZE):
        yield ids[start : start + CHUNK_SIZE]
