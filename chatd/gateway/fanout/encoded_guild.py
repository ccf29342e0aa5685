"""An encoded guild: the part of GUILD_CREATE that is not its roles and channels.

The first session that starts reads it from Postgres. Then the guild's events keep it current, so
that later sessions read only their own memberships.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from chatd.core.ids import UserId
from chatd.core.json import JsonObject
from chatd.core.models import Guild, Member
from chatd.events.event import Event
from chatd.wire import payloads
from chatd.wire.payloads import client_ready

MAX_LISTED = 250
"""The size of the largest guild whose GUILD_CREATE can list all members: the maximum of
`large_threshold`."""

MAX_KEPT = 100_000
"""The maximum of members that all guilds of an instance keep encoded: 60 MB. The members of further
guilds are read from Postgres for each session."""


class MemberBudget:
    """Counts the members that the guilds of an instance keep encoded."""

    def __init__(self) -> None:
        self.used = 0

    @property
    def is_exceeded(self) -> bool:
        """Whether the guilds keep too many members."""
        return self.used > MAX_KEPT


class EncodedGuild:
    """The settings of a guild, the number of its members, and the members of a small guild."""

    def __init__(
        self, guild: Guild, members: Iterable[Member], member_count: int, budget: MemberBudget
    ) -> None:
        """Encode a guild. If `members` are not all members, it keeps none of them."""
        self._split_settings: tuple[bytes, bytes] | None = None
        self._set_settings(payloads.guild(guild, ()))
        self.member_count = member_count
        self._budget = budget
        self._members: dict[UserId, bytes] | None = None
        """All members by id, in ascending order; None if they are not kept."""
        self._counted = 0  # members of this guild in the budget
        encoded = {each.user.id: payloads.encode(payloads.member(each)) for each in members}
        if len(encoded) == member_count:
            self._keep(dict(sorted(encoded.items())))

    def __del__(self) -> None:
        # Its feed drops or replaces it without knowledge of the budget.
        self._budget.used -= self._counted

    @property
    def split_settings(self) -> tuple[bytes, bytes]:
        """The same as `settings` in two parts; see `client_ready.split_settings`."""
        if self._split_settings is None:
            self._split_settings = client_ready.split_settings(self.settings)
        return self._split_settings

    def _set_settings(self, guild: JsonObject) -> None:
        self.settings = payloads.guild_settings(guild)
        """The encoded keys of the guild, without its roles."""
        self._split_settings = None

    def keep_within_budget(self) -> None:
        """Drop the members if they are too many. The first GUILD_CREATE still lists them."""
        if self._members is not None and (
            self.member_count > MAX_LISTED or self._budget.is_exceeded
        ):
            self._keep(None)

    def can_list(self, large_threshold: int) -> bool:
        """Return whether the guild has what GUILD_CREATE lists at this threshold."""
        return self._members is not None or self.member_count > large_threshold

    def listed(self, large_threshold: int) -> Mapping[UserId, bytes]:
        """Return all members if they are at most `large_threshold`, else none.

        `can_list` must be true.
        """
        if self._members is None or self.member_count > large_threshold:
            return {}
        return self._members

    def apply(self, event: Event) -> None:
        """Apply an event of the guild."""
        match event.name:
            case "GUILD_UPDATE":
                self._set_settings(orjson.loads(event.body))
            case "GUILD_MEMBER_ADD":
                self.member_count += 1
                self._set_member(event)
            case "GUILD_MEMBER_UPDATE":
                self._set_member(event)
            case "GUILD_MEMBER_REMOVE":
                self.member_count -= 1
                self._remove_member(event)
            case "GUILD_ROLE_DELETE":
                self._remove_role(orjson.loads(event.body)["role_id"])

    def _keep(self, members: dict[UserId, bytes] | None) -> None:
        """Replace the members, and count them in the budget."""
        self._members = members
        count = 0 if members is None else len(members)
        self._budget.used += count - self._counted
        self._counted = count

    def _set_member(self, event: Event) -> None:
        if self._members is None:
            return
        member: JsonObject = orjson.loads(event.body)
        del member["guild_id"]
        user_id = UserId(int(member["user"]["id"]))
        is_new = user_id not in self._members
        self._members[user_id] = payloads.encode(member)
        if is_new:
            self._keep(dict(sorted(self._members.items())))
            self.keep_within_budget()

    def _remove_member(self, event: Event) -> None:
        if self._members is not None:
            self._members.pop(UserId(int(orjson.loads(event.body)["user"]["id"])), None)
            self._keep(self._members)

    def _remove_role(self, role_id: str) -> None:
        """Remove a deleted role from its members."""
        quoted = b'"%b"' % role_id.encode()
        for user_id, body in (self._members or {}).items():
            if quoted in body:
                member = orjson.loads(body)
                member["roles"] = [each for each in member["roles"] if each != role_id]
                assert self._members is not None
                self._members[user_id] = payloads.encode(member)
