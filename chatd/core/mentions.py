"""Mentions in a text, and their restriction by allowed mentions. Pure.

Rule: Discord docs, Reference, "Message Formatting"; Message resource, "Allowed Mentions Object".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from chatd.core.ids import MAX_ID, RoleId, UserId

MAX_MENTIONS = 100
"""The users, and the roles, that one message can mention. Later ones are ignored."""

_CODE = re.compile(r"```.*?```|``.*?``|`[^`]*`", re.DOTALL)
_USER = re.compile(r"<@!?([0-9]{1,19})>", re.ASCII)
_ROLE = re.compile(r"<@&([0-9]{1,19})>", re.ASCII)
_EVERYONE = re.compile(r"@(?:everyone|here)(?!\w)")


@dataclass(frozen=True, slots=True)
class Mentioned:
    """The users and roles that a text mentions, in its order, and whether it mentions everyone."""

    users: tuple[UserId, ...] = ()
    roles: tuple[RoleId, ...] = ()
    everyone: bool = False

    @property
    def has_any(self) -> bool:
        """Whether there is any mention."""
        return bool(self.users or self.roles or self.everyone)

    def with_user(self, user_id: UserId) -> Mentioned:
        """Return these mentions and a mention of this user."""
        return replace(self, users=tuple(dict.fromkeys((*self.users, user_id))))


NO_MENTIONS = Mentioned()


@dataclass(frozen=True, slots=True)
class AllowedMentions:
    """The mentions of a message that its author allows.

    `parse` lists whole kinds ("users", "roles", "everyone"). The other lists name single ids.
    """

    parse: Sequence[str] = ()
    users: Sequence[UserId] = ()
    roles: Sequence[RoleId] = ()
    replied_user: bool = False


def parse(text: str) -> Mentioned:
    """Return the mentions in a text, except those inside code."""
    if "@" not in text:
        return NO_MENTIONS
    text = _CODE.sub(" ", text)
    return Mentioned(
        users=tuple(UserId(each) for each in _ids(_USER, text)),
        roles=tuple(RoleId(each) for each in _ids(_ROLE, text)),
        everyone=_EVERYONE.search(text) is not None,
    )


def parse_all(texts: Iterable[str]) -> Mentioned:
    """Return the mentions in several texts of one message, in their order."""
    found = [parse(text) for text in texts]
    return Mentioned(
        users=tuple(dict.fromkeys(user for each in found for user in each.users))[:MAX_MENTIONS],
        roles=tuple(dict.fromkeys(role for each in found for role in each.roles))[:MAX_MENTIONS],
        everyone=any(each.everyone for each in found),
    )


def filtered(named: Mentioned, allowed: AllowedMentions | None) -> Mentioned:
    """Return the mentions that are allowed. None allows every mention."""
    if allowed is None:
        return named
    if "users" not in allowed.parse:
        named = replace(named, users=tuple(u for u in named.users if u in allowed.users))
    if "roles" not in allowed.parse:
        named = replace(named, roles=tuple(r for r in named.roles if r in allowed.roles))
    return replace(named, everyone=named.everyone and "everyone" in allowed.parse)


def _ids(pattern: re.Pattern[str], text: str) -> list[int]:
    """Return the distinct ids in a text, in their order."""
    found = dict.fromkeys(int(digits) for digits in pattern.findall(text))
    return [number for number in found if number <= MAX_ID][:MAX_MENTIONS]
