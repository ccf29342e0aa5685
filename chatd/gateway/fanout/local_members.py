"""The local members of a guild: those with sessions on this instance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Any

from chatd.core.ids import RoleId, UserId
from chatd.core.json import JsonObject

Roles = tuple[RoleId, ...]


class LocalMembers:
    """The roles and timeouts of local members, and the groups of those with the same roles.

    Members of a group see the same channels, unless they have overwrites of their own. So a change
    of a role or a channel is computed for each group, not for each member.
    """

    def __init__(self) -> None:
        self.roles: dict[UserId, Roles] = {}
        """The roles of each member. Change them by `set` only."""
        self._groups: dict[Roles, set[UserId]] = {}
        self._timeouts: dict[UserId, float] = {}
        """When timeouts end, in seconds since 1970."""

    @property
    def groups(self) -> Mapping[Roles, Set[UserId]]:
        """The members by their roles."""
        return self._groups

    def timeout_end_of(self, user_id: UserId) -> float:
        """Return when the timeout of a member ends, in seconds since 1970, or 0."""
        return self._timeouts.get(user_id, 0.0)

    def with_role(self, role_id: RoleId) -> list[UserId]:
        """Return the members that have a role."""
        return [
            user_id
            for roles, users in self._groups.items()
            if role_id in roles
            for user_id in users
        ]

    def set(self, user_id: UserId, roles: Roles, timeout_end: float) -> bool:
        """Add or change a member; return whether its roles differ.

        `timeout_end` is when its timeout ends or ended, in seconds since 1970; 0 without one.
        """
        if timeout_end:
            self._timeouts[user_id] = timeout_end
        else:
            self._timeouts.pop(user_id, None)
        before = self.roles.get(user_id)
        if before == roles:
            return False
        if before is not None:
            self._leave_group(user_id, before)
        self.roles[user_id] = roles
        self._groups.setdefault(roles, set()).add(user_id)
        return True

    def remove(self, user_id: UserId) -> None:
        """Remove a user that has left the guild, or has no session here any more."""
        roles = self.roles.pop(user_id, None)
        self._timeouts.pop(user_id, None)
        if roles is not None:
            self._leave_group(user_id, roles)

    def retain_only(self, user_id: UserId) -> None:
        """Remove all members but this one."""
        roles, timeout_end = self.roles.get(user_id), self.timeout_end_of(user_id)
        self.roles, self._groups, self._timeouts = {}, {}, {}
        if roles is not None:
            self.set(user_id, roles, timeout_end)

    def restore(self, members: Iterable[Any], timeouts: Iterable[Any]) -> None:
        """Add the members of a `state()`."""
        ends = {UserId(user_id): end for user_id, end in timeouts}
        for user_id, roles in members:
            end = ends.get(UserId(user_id), 0.0)
            self.set(UserId(user_id), tuple(RoleId(role) for role in roles), end)

    def state(self) -> JsonObject:
        """Return the part of `Visibility.state` that is about members."""
        return {
            "members": [[user_id, roles] for user_id, roles in self.roles.items()],
            "timeouts": [[user_id, end] for user_id, end in self._timeouts.items()],
        }

    def _leave_group(self, user_id: UserId, roles: Roles) -> None:
        group = self._groups[roles]
        group.discard(user_id)
        if not group:
            del self._groups[roles]
