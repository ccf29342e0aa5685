"""The state of a session: what IDENTIFY creates, and what an instance hands off to the next one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from chatd.core.capabilities import Capabilities, UserClient
from chatd.core.ids import ChannelId, GuildId, LoginId, UserId
from chatd.core.intents import Intents
from chatd.core.presence import ONLINE, Presence, Status

MemberListWindows: TypeAlias = Mapping[GuildId, Mapping[ChannelId, Sequence[tuple[int, int]]]]
"""Windows of member lists, by guild and channel."""


@dataclass(frozen=True, slots=True)
class SessionState:
    """The state of a session without its replay buffer and feeds."""

    id: str
    user_id: UserId
    login_id: LoginId
    intents: Intents
    shard: tuple[int, int] = (0, 1)
    presence: Presence = ONLINE
    device: str = "desktop"
    is_bot: bool = False
    seq: int = 0
    user_client: UserClient | None = None
    member_lists: MemberListWindows = field(default_factory=dict)

    def to_record(self) -> list[Any]:
        """Return the state without id and login, as JSON for Redis. Its layout must not change."""
        presence = [self.presence.status, self.presence.activities]
        rest = [self.device, self.is_bot, self.seq]
        return [self.user_id, int(self.intents), self.shard, presence, *rest]

    def client_record(self) -> list[Any] | None:
        """Return the client and its member lists as JSON for Redis; None without either.

        `to_record` does not contain them, because the version before this one does not know them.
        """
        client = self.user_client
        if client is None and not self.member_lists:
            return None
        lists = [[guild_id, list(each.items())] for guild_id, each in self.member_lists.items()]
        return [None if client is None else [int(client.capabilities), client.os], lists]

    @classmethod
    def from_record(
        cls, session_id: str, login_id: int, record: list[Any], client_record: list[Any] | None
    ) -> SessionState:
        """Return the state from the results of `to_record` and `client_record`."""
        client, lists = client_record or (None, ())
        user_client = None if client is None else UserClient(Capabilities(client[0]), client[1])
        user_id, intents, shard, (status, activities), device, is_bot, seq = record
        presence = Presence(Status(status), tuple(activities))
        return cls(
            session_id,
            UserId(user_id),
            LoginId(login_id),
            Intents(intents),
            (shard[0], shard[1]),
            presence,
            device,
            is_bot,
            seq,
            user_client,
            {GuildId(guild_id): _windows_of(channels) for guild_id, channels in lists},
        )


def _windows_of(channels: list[Any]) -> Mapping[ChannelId, Sequence[tuple[int, int]]]:
    return {
        ChannelId(channel_id): [(first, last) for first, last in windows]
        for channel_id, windows in channels
    }
