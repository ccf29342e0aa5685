"""Guilds that sessions follow, compared with the memberships of their users in Postgres."""

from __future__ import annotations

from collections.abc import Sequence

from chatd.db.pool import Database
from chatd.queries import followed_guilds
from chatd.queries.followed_guilds import Difference, FollowedGuilds

__all__ = ["Difference", "FollowedGuilds", "different"]


async def different(database: Database, followed: Sequence[FollowedGuilds]) -> list[Difference]:
    """Return the sessions that follow other guilds than their users are members of.

    Raises ServiceUnavailable, DatabaseUnavailable.
    """
    async with database.cursor() as cur:
        return await followed_guilds.different(cur, followed)
