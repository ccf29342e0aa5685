"""Reports of messages, users and guilds: making them, with a copy of what is reported."""

from __future__ import annotations

import orjson

from chatd.context.context import Context
from chatd.core.errors import (
    ApiError,
    InvalidForm,
    TooManyReports,
    UnknownChannel,
    UnknownGuild,
    UnknownMessage,
    UnknownUser,
)
from chatd.core.ids import ChannelId, GuildId, MessageId, ReportId, UserId
from chatd.core.json import JsonObject
from chatd.core.models import Message
from chatd.core.reports import ReportKind, Subject
from chatd.db.cursor import Cursor
from chatd.queries import history, members, reports, users
from chatd.services.access import access
from chatd.services.access.access import PrivateAccess
from chatd.wire import payloads
from chatd.wire.schemas.reports import NewReport

MAX_OPEN = 100
"""Open reports of one person. More than the administrators can read do not help anybody."""

_MAX_EVIDENCE_BYTES = 32 * 1024
"""The copy of a message; larger ones lose their embeds and components. The text always stays."""

_LARGE_FIELDS = ("embeds", "components", "mentions", "interaction_metadata", "resolved")
_OMITTED_FIELDS = ("referenced_message", "reactions")

_FIELDS: dict[type[ApiError], str] = {
    UnknownChannel: "channel_id",
    UnknownGuild: "guild_id",
    UnknownMessage: "message_id",
    UnknownUser: "user_id",
}
"""The field that names what does not exist."""

Found = tuple[Subject, JsonObject]
"""What is reported, and its copy."""


async def create(ctx: Context, wanted: NewReport) -> tuple[ReportId, bool]:
    """Report a message, a user or a guild. Return the id, and whether the report is new.

    The caller must be able to see the message, or be a member of the guild. If it has an open
    report of the same subject already, that one stays as it is. Raises InvalidForm,
    MissingAccess, TooManyReports.
    """
    async with ctx.begin() as work:
        await work.ensure_and_lock(ctx.user.id)  # one report of a person at a time
        await access.require_account(work.cur, ctx.user.id)
        try:
            subject, evidence = await _find(ctx, work.cur, wanted)
        except (UnknownChannel, UnknownGuild, UnknownMessage, UnknownUser) as unknown:
            field = _FIELDS[type(unknown)]
            raise InvalidForm.of(field, "REPORT_SUBJECT_INVALID", unknown.message) from unknown
        known = await reports.find_open(work.cur, ctx.user.id, subject.kind, subject.id)
        if known is not None:
            return known, False
        if await reports.count_open_of(work.cur, ctx.user.id) >= MAX_OPEN:
            raise TooManyReports
        report_id = ctx.new_id(ReportId)
        await reports.insert(
            work.cur,
            report_id,
            ctx.user.id,
            subject,
            category=wanted.category,
            comment=wanted.comment,
            evidence=evidence,
        )
    return report_id, True


async def _find(ctx: Context, cur: Cursor, wanted: NewReport) -> Found:
    match wanted.type:
        case ReportKind.MESSAGE:
            if wanted.channel_id is None or wanted.message_id is None:
                raise _missing("message_id", "A message needs channel_id and message_id.")
            return await _message(ctx, cur, wanted.channel_id, wanted.message_id)
        case ReportKind.USER:
            if wanted.user_id is None:
                raise _missing("user_id", "A user needs user_id.")
            return await _user(ctx, cur, wanted.user_id)
        case _:
            if wanted.guild_id is None:
                raise _missing("guild_id", "A guild needs guild_id.")
            return await _guild(ctx, cur, wanted.guild_id)


def _missing(field: str, text: str) -> InvalidForm:
    return InvalidForm.of(field, "BASE_TYPE_REQUIRED", text)


async def _message(
    ctx: Context, cur: Cursor, channel_id: ChannelId, message_id: MessageId
) -> Found:
    """Return a message that the caller sees: it may lack the right to read those from before."""
    granted = await access.channel(cur, ctx.user.id, channel_id)
    message = await history.get_bare(cur, ctx.viewer, channel_id, message_id)
    if message is None:
        raise UnknownMessage
    evidence: JsonObject = {"message": copy_of(message)}
    guild_id = None
    if isinstance(granted, PrivateAccess):
        evidence["channel"] = {"type": granted.channel.type, "name": granted.channel.name}
    else:
        guild_id = granted.guild.id
        evidence["channel"] = {"type": granted.channel.type, "name": granted.channel.name}
        evidence["guild"] = {"id": str(guild_id), "name": granted.guild.name}
    subject = Subject(
        ReportKind.MESSAGE, message_id, channel_id, guild_id, UserId(message.author.id)
    )
    return subject, evidence


def copy_of(message: Message) -> JsonObject:
    """Return a message as it is kept as evidence: without links, which expire."""
    copy: JsonObject = orjson.loads(payloads.encode(payloads.message(message)))
    for name in _OMITTED_FIELDS:
        copy.pop(name, None)
    for file in copy["attachments"]:
        file.pop("url", None)
        file.pop("proxy_url", None)
    if len(orjson.dumps(copy)) > _MAX_EVIDENCE_BYTES:
        for name in _LARGE_FIELDS:
            copy.pop(name, None)
        copy["truncated"] = True
    return copy


async def _user(ctx: Context, cur: Cursor, user_id: UserId) -> Found:
    """Return an account other than that of the caller."""
    if user_id == ctx.user.id:
        raise InvalidForm.of("user_id", "USER_INVALID", "This is your own account.")
    user = await users.get(cur, user_id)
    if user is None or not await users.exists(cur, user_id):
        raise UnknownUser
    bios = await users.bios(cur, [user_id])
    evidence: JsonObject = {"user": payloads.user(user), "bio": bios.get(user_id, "")}
    return Subject(ReportKind.USER, user_id, user_id=user_id), evidence


async def _guild(ctx: Context, cur: Cursor, guild_id: GuildId) -> Found:
    """Return a guild of the caller."""
    guild = (await access.guild(cur, ctx.user.id, guild_id)).guild
    counts = await members.counts(cur, [guild_id])
    evidence: JsonObject = {
        "guild": {
            "id": str(guild.id),
            "name": guild.name,
            "description": guild.description,
            "icon": guild.icon,
            "owner_id": str(guild.owner_id),
            "members": counts.get(guild_id, 0),
        }
    }
    subject = Subject(ReportKind.GUILD, guild_id, guild_id=guild_id, user_id=guild.owner_id)
    return subject, evidence
