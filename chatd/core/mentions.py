"""Whom a text mentions, and which of that its author lets count. Pure.

Rule: Discord docs, Reference, "Message Formatting"; Message resource, "Allowed Mentions Object".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from chatd.core.ids import MAX_ID, RoleId, UserId

MAX_MENTIONS = 100
"""How many users, and how many roles, one message can mention; what comes later does not count."""

_CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`", re.DOTALL)
_USER = re.compile(r"<@!?([0-9]{1,19})>", re.ASCII)
_ROLE = re.compile(r"<@&([0-9]{1,19})>", re.ASCII)
_EVERYONE = re.compile(r"@(?:everyone|here)(?!\w)")


@dataclass(frozen=True, slots=True)
class Mentioned:
    """Whom a text names: users and roles in the order of the text, and whether everyone."""

    users: tuple[UserId, ...] = ()
    roles: tuple[RoleId, ...] = ()
    everyone: bool = False

    @property
    def is_anybody(self) -> bool:
        """Whether it names anybody at all."""
        return bool(self.users or self.roles or self.everyone)

    def with_user(self, user_id: UserId) -> Mentioned:
        """The same, and this user."""
        return replace(self, users=tuple(dict.fromkeys((*self.users, user_id))))


NOBODY = Mentioned()


@dataclass(frozen=True, slots=True)
class AllowedMentions:
    """What a client lets count of what its message names.

    `parse` names whole kinds ("users", "roles", "everyone"); the lists name single ones.
    """

    parse: Sequence[str] = ()
    users: Sequence[UserId] = ()
    roles: Sequence[RoleId] = ()
    replied_user: bool = False


def read(text: str) -> Mentioned:
    """Whom a text names, outside of code."""
    if "@" not in text:
        return NOBODY
    text = _CODE.sub(" ", text)
    return Mentioned(
        users=tuple(UserId(each) for each in _ids(_USER, text)),
        roles=tuple(RoleId(each) for each in _ids(_ROLE, text)),
        everyone=_EVERYONE.search(text) is not None,
    )


def narrowed(named: Mentioned, allowed: AllowedMentions | None) -> Mentioned:
    """What is left of it when only this is allowed; None allows everything."""
    if allowed is None:
        return named
    if "users" not in allowed.parse:
        named = replace(named, users=tuple(u for u in named.users if u in allowed.users))
    if "roles" not in allowed.parse:
        named = replace(named, roles=tuple(r for r in named.roles if r in allowed.roles))
    return replace(named, everyone=named.everyone and "everyone" in allowed.parse)


def _ids(pattern: re.Pattern[str], text: str) -> list[int]:
    """The different ids in a text, in their order."""
    found = dict.fromkeys(int(digits) for digits in pattern.findall(text))
    return [number for number in found if number <= MAX_ID][:MAX_MENTIONS]
