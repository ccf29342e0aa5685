"""The presences in a guild that clients have received, as a handoff saves them."""

from __future__ import annotations

from zlib import crc32

import orjson

from chatd.core.ids import GuildId, UserId
from chatd.core.presence import OFFLINE, Presence
from chatd.core.presence_table import PresenceTable
from chatd.wire import payloads

UNSENT = -1
"""The digest of a user whose newest presence clients have not received."""


class KnownPresences:
    """The presences in a guild that clients have received. Sessions of a handoff share them."""

    __slots__ = ("__weakref__", "_digests", "guild_id")

    def __init__(self, guild_id: GuildId, digests: dict[UserId, int]) -> None:
        self.guild_id = guild_id
        self._digests = digests

    @classmethod
    def decode(cls, guild_id: GuildId, data: bytes) -> KnownPresences:
        """Return what `encode` has encoded."""
        return cls(guild_id, dict(orjson.loads(data)))

    def encode(self) -> bytes:
        """Return the digests as JSON. Other versions read it, so its form must not change."""
        return orjson.dumps(list(self._digests.items()))

    def forget(self, user_id: UserId) -> None:
        """Note that clients remove this user from the guild, with its presence."""
        self._digests.pop(user_id, None)

    def changed(self, table: PresenceTable) -> list[UserId]:
        """Return the users whose presence in a table differs from the known one."""
        offline = digest(OFFLINE)
        return [
            user_id
            for user_id in {**self._digests, **dict.fromkeys(table.users_in(self.guild_id))}
            if self._digests.get(user_id, offline) != digest(table.get_in(self.guild_id, user_id))
        ]


def digest(presence: Presence) -> int:
    """Return a checksum of a presence. Other versions compare it, so it must not change."""
    return crc32(payloads.encode(payloads.presence(UserId(0), presence)))
