"""Guilds that sessions follow, compared with the memberships of their users."""

from __future__ import annotations

from collections.abc import Sequence

from chatd.core.ids import GuildId, UserId
from chatd.core.records import record
from chatd.db.cursor import Cursor, PreparedStatement, many


@record(frozen=True, slots=True)
class FollowedGuilds:
    """The guilds that a session follows, as a number and a sum: it may have thousands."""

    user_id: UserId
    shard: tuple[int, int]
    """Its number, and the number of shards."""
    count: int
    id_sum: int


@record(frozen=True, slots=True)
class Difference:
    """The guilds of a user and a shard, where a session follows others."""

    number: int
    """The index in the sessions that were compared."""
    guild_ids: list[GuildId]


_DIFFERENT = PreparedStatement(
    """
    SELECT followed.number - 1, member.guild_ids
      FROM unnest(%(user_ids)s, %(shards)s, %(shard_counts)s, %(counts)s, %(id_sums)s)
           WITH ORDINALITY AS followed (user_id, shard, shards, count, id_sum, number)
           CROSS JOIN LATERAL (
                SELECT coalesce(array_agg(guild_id), '{}') AS guild_ids,
                       coalesce(sum(guild_id), 0) AS id_sum
                  FROM guild_members JOIN guilds ON guilds.id = guild_id
                 WHERE guild_members.user_id = followed.user_id
                   AND (guild_id >> 22) %% followed.shards = followed.shard) AS member
     WHERE (cardinality(member.guild_ids), member.id_sum) <> (followed.count, followed.id_sum)
    """,  # the members of a deleted guild are deleted later
    user_ids="bigint[]",
    shards="integer[]",
    shard_counts="integer[]",
    counts="integer[]",
    id_sums="numeric[]",
)


async def different(cur: Cursor, followed: Sequence[FollowedGuilds]) -> list[Difference]:
    """Return the sessions that follow other guilds than their users are members of."""
    await cur.run(
        _DIFFERENT,
        {
            "user_ids": [each.user_id for each in followed],
            "shards": [each.shard[0] for each in followed],
            "shard_counts": [each.shard[1] for each in followed],
            "counts": [each.count for each in followed],
            "id_sums": [each.id_sum for each in followed],
        },
    )
    return await many(cur, Difference)
