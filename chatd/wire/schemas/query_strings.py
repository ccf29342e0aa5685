"""Schemas of query strings: pages with their cursors, and flags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import marshmallow as ma
from marshmallow import ValidationError

from chatd.core.commands import MAX_NAME, CommandType
from chatd.core.ids import MAX_ID, GuildId, RoleId
from chatd.wire.base_schema import Schema
from chatd.wire.fields import Timestamp
from chatd.wire.query_fields import Digits, Flag, Id, Ids
from chatd.wire.text_fields import Text
from chatd.wire.unsupported import UnsupportedParameter
from chatd.wire.validators import FieldError, at_most, choice, length, within

_DEFAULT_LIMIT = 50
_MAX_LIMIT = 100
"""Messages of a page."""

_PLAIN_DIGITS = len(str(MAX_ID)) + 1

NEWEST = MAX_ID
"""Above every id."""


@dataclass(frozen=True, slots=True)
class MessagePage:
    """A page of messages: the newest, or relative to one cursor."""

    limit: int = _DEFAULT_LIMIT
    before: int | None = None
    after: int | None = None
    around: int | None = None


@dataclass(frozen=True, slots=True)
class MentionPage:
    """A page of messages that mention the caller."""

    limit: int = 25
    before: int = NEWEST
    guild_id: GuildId | None = None
    roles: bool = True
    everyone: bool = True


@dataclass(frozen=True, slots=True)
class ProfileParts:
    """The parts of a profile that a client asks for."""

    with_mutual_guilds: bool = True
    with_mutual_friends: bool = False
    with_mutual_friends_count: bool = False
    guild_id: GuildId | None = None


@dataclass(frozen=True, slots=True)
class PinPage:
    limit: int = 50
    before: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReactionPage:
    limit: int = 25
    after: int = 0
    type: int = 0
    """1 means burst reactions, which do not exist here."""


@dataclass(frozen=True, slots=True)
class MemberPage:
    limit: int = 1
    after: int = 0


@dataclass(frozen=True, slots=True)
class MemberSearch:
    query: str
    limit: int = 1


@dataclass(frozen=True, slots=True)
class GuildPage:
    limit: int = 200
    before: int = NEWEST
    after: int = 0
    with_counts: bool = False


@dataclass(frozen=True, slots=True)
class BanPage:
    limit: int = 1000
    before: int | None = None
    after: int = 0


@dataclass(frozen=True, slots=True)
class AuditPage:
    limit: int = 50
    user_id: int | None = None
    target_id: int | None = None
    action_type: int = 0  # 0 means every action
    before: int = NEWEST
    after: int | None = None


@dataclass(frozen=True, slots=True)
class WithCounts:
    with_counts: bool = False


_CURSORS = frozenset({"before", "after", "around"})


def _plain_number(text: str) -> int | None:
    """Return a number without leading zeros that is no larger than any id; None for all else."""
    if len(text) < _PLAIN_DIGITS and text.isdecimal() and str(number := int(text)) == text:
        return number if number <= MAX_ID else None
    return None


class MessagePageSchema(Schema[MessagePage]):
    into = MessagePage
    limit = Digits(validate=within(1, _MAX_LIMIT))
    before = Id()
    after = Id()
    around = Id()

    def read_plain(self, data: Mapping[str, Any]) -> MessagePage | None:
        """Load a limit and at most one cursor; None for everything else."""
        values = {name: _plain_number(text) for name, text in data.items()}
        limit = values.pop("limit", _DEFAULT_LIMIT)
        is_plain = len(values) <= 1 and values.keys() <= _CURSORS and None not in values.values()
        if not is_plain or limit is None or not 1 <= limit <= _MAX_LIMIT:
            return None
        return MessagePage(limit, **values)

    @ma.validates_schema
    def _one_cursor(self, data: dict[str, object], **_: object) -> None:
        if len(data.keys() & {"before", "after", "around"}) > 1:
            text = "Only one of before, after and around can be given."
            raise ValidationError(FieldError("BASE_TYPE_CHOICES", text), "before")


class MentionPageSchema(Schema[MentionPage]):
    into = MentionPage
    limit = Digits(validate=within(1, 100))
    before = Id()
    guild_id = Id()
    roles = Flag()
    everyone = Flag()


class ProfilePartsSchema(Schema[ProfileParts]):
    into = ProfileParts
    with_mutual_guilds = Flag()
    with_mutual_friends = Flag()
    with_mutual_friends_count = Flag()
    guild_id = Id()
    connections_role_id = UnsupportedParameter("connections of applications")
    join_request_id = UnsupportedParameter("requests to join a guild")


class PinPageSchema(Schema[PinPage]):
    into = PinPage
    limit = Digits(validate=within(1, 50))
    before = Timestamp()


class ReactionPageSchema(Schema[ReactionPage]):
    into = ReactionPage
    type = Digits(validate=choice(0, 1))
    limit = Digits(validate=within(1, 100))
    after = Id()


class MemberPageSchema(Schema[MemberPage]):
    into = MemberPage
    limit = Digits(validate=within(1, 1000))
    after = Id()


class MemberSearchSchema(Schema[MemberSearch]):
    into = MemberSearch
    query = Text(required=True, validate=length(1, 100))
    limit = Digits(validate=within(1, 1000))


class GuildPageSchema(Schema[GuildPage]):
    into = GuildPage
    limit = Digits(validate=within(1, 200))
    before = Id()
    after = Id()
    with_counts = Flag()


class BanPageSchema(Schema[BanPage]):
    into = BanPage
    limit = Digits(validate=within(1, 1000))
    before = Id()
    after = Id()


class AuditPageSchema(Schema[AuditPage]):
    into = AuditPage
    limit = Digits(validate=within(1, 100))
    user_id = Id()
    target_id = Id()
    action_type = Digits(validate=within(0, 1000))
    before = Id()
    after = Id()


class WithCountsSchema(Schema[WithCounts]):
    into = WithCounts
    with_counts = Flag()


@dataclass(frozen=True, slots=True)
class Signature:
    """The signature of a link to a file: expiry, creation, and a MAC of both."""

    expires: str = ""
    made: str = ""
    signature: str = ""


class SignatureSchema(Schema[Signature]):
    into = Signature
    expires = Text(data_key="ex", validate=at_most(64))
    made = Text(data_key="is", validate=at_most(64))
    signature = Text(data_key="hm", validate=at_most(128))


@dataclass(frozen=True, slots=True)
class InviteQuery(WithCounts):
    """Options of the response with an invite."""


class InviteQuerySchema(Schema[InviteQuery]):
    into = InviteQuery
    with_counts = Flag()
    guild_scheduled_event_id = UnsupportedParameter("scheduled events")
    target_channel_id = UnsupportedParameter("invites to one message")
    target_message_id = UnsupportedParameter("invites to one message")


@dataclass(frozen=True, slots=True)
class Localizations:
    with_localizations: bool = False


class LocalizationsSchema(Schema[Localizations]):
    into = Localizations
    with_localizations = Flag()


@dataclass(frozen=True, slots=True)
class IntegrationFilter:
    has_commands: bool = False


class IntegrationFilterSchema(Schema[IntegrationFilter]):
    into = IntegrationFilter
    has_commands = Flag()
    include_role_connections_metadata = UnsupportedParameter("role connections")


@dataclass(frozen=True, slots=True)
class UserCounts:
    with_user_count: bool = False


class UserCountsSchema(Schema[UserCounts]):
    into = UserCounts
    with_user_count = Flag()


@dataclass(frozen=True, slots=True)
class DirectoryPage:
    """A page of the directory of guilds."""

    limit: int = 48
    offset: int = 0


class DirectoryPageSchema(Schema[DirectoryPage]):
    into = DirectoryPage
    limit = Digits(validate=within(0, 50))
    offset = Digits(validate=within(0, 999_999_999))


@dataclass(frozen=True, slots=True)
class CommandSearch:
    type: int = 1
    query: str = ""
    limit: int = 25
    cursor: int = 0
    include_applications: bool = False
    application_id: int | None = None
    command_ids: Sequence[int] = ()


class CommandSearchSchema(Schema[CommandSearch]):
    into = CommandSearch
    type = Digits(validate=choice(*CommandType))
    query = Text(validate=at_most(MAX_NAME))
    limit = Digits(validate=within(1, 100))
    cursor = Digits(validate=within(0, 9999))
    include_applications = Flag()
    application_id = Id()
    command_ids = Ids(validate=length(0, 100))


@dataclass(frozen=True, slots=True)
class PruneCount:
    days: int = 7
    include_roles: Sequence[RoleId] = ()


class PruneCountSchema(Schema[PruneCount]):
    into = PruneCount
    days = Digits(validate=within(1, 30))
    include_roles = Ids(validate=length(0, 250))
