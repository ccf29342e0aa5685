"""Schemas of members."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chatd.core.ids import RoleId
from chatd.core.unset import UNSET, Maybe
from chatd.wire.base_schema import NULL_IS_ABSENT, Schema
from chatd.wire.fields import List, Snowflake, Timestamp
from chatd.wire.text_fields import Name
from chatd.wire.unsupported import Unsupported
from chatd.wire.validators import at_most, length


@dataclass(frozen=True, slots=True)
class MemberChange:
    nick: Maybe[str | None] = UNSET
    roles: Maybe[Sequence[RoleId]] = UNSET
    communication_disabled_until: Maybe[datetime | None] = UNSET


@dataclass(frozen=True, slots=True)
class OwnMemberChange:
    nick: Maybe[str | None] = UNSET


_NICK = at_most(32)

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE_OF_JAVASCRIPT = re.compile(
    rf"[A-Z][a-z]{{2}} ({'|'.join(_MONTHS)}) (\d\d) (\d{{4}}) (\d\d:\d\d:\d\d)"
    r" GMT([+-]\d\d)(\d\d)(?: \(.{1,64}\))?",
    re.ASCII,
)


class EndOfTimeout(Timestamp):
    """The end of a timeout: ISO 8601, or the text of a Date in JavaScript, as Fermi sends it.

    The latter looks like `Sun Nov 29 2026 19:57:23 GMT+0000 (Coordinated Universal Time)`.
    """

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if isinstance(value, str) and (date := _DATE_OF_JAVASCRIPT.fullmatch(value)):
            month, day, year, time, hours, minutes = date.groups()
            value = f"{year}-{_MONTHS.index(month) + 1:02}-{day}T{time}{hours}:{minutes}"
        return super()._deserialize(value, attr, data, **kwargs)


class MemberChangeSchema(Schema[MemberChange]):
    into = MemberChange
    nick = Name(allow_none=True, validate=_NICK)
    roles = List(Snowflake(), validate=length(0, 250), **NULL_IS_ABSENT)
    communication_disabled_until = EndOfTimeout(allow_none=True)
    mute = Unsupported("voice channels")
    deaf = Unsupported("voice channels")
    channel_id = Unsupported("voice channels")
    flags = Unsupported("flags of members")


class OwnMemberChangeSchema(Schema[OwnMemberChange]):
    into = OwnMemberChange
    nick = Name(allow_none=True, validate=_NICK)
    avatar = Unsupported("a picture of its own in each guild")
    banner = Unsupported("banners")
    bio = Unsupported("a text about a member in each guild")


@dataclass(frozen=True, slots=True)
class NewMember:
    """The empty body of a request that adds a member of a guild or a recipient of a group."""


class NewMemberSchema(Schema[NewMember]):
    into = NewMember
    access_token = Unsupported("OAuth2 access tokens")
    nick = Unsupported("a nickname from the start")
    roles = Unsupported("roles from the start")
    mute = Unsupported("voice channels")
    deaf = Unsupported("voice channels")
    flags = Unsupported("flags of members")
