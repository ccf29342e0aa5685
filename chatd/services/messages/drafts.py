"""Drafts: messages that have no id yet. A draft yields the row to insert and the events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from chatd.context.context import Context
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.ids import MessageId, StreamId
from chatd.core.models import (
    Attachment,
    Component,
    Embed,
    Member,
    Message,
    MessageLocation,
    MessageOrigin,
    MessageType,
    User,
)
from chatd.core.records import record
from chatd.events import messages as events
from chatd.events.event import Event
from chatd.queries import message_inserts, messages
from chatd.queries.message_inserts import NewRow
from chatd.services.messages.mentions import NO_MENTIONS, Mentions
from chatd.wire import payloads

EncodedMessage: TypeAlias = bytes
"""The response to the sender of a message, with the nonce, encoded together with its event."""


@record(frozen=True, slots=True)
class Draft:
    """A message without an id. `member` is None if the author is no member of a guild here."""

    author: User
    member: Member | None
    location: MessageLocation
    type: MessageType
    content: str = ""
    flags: int = 0
    tts: bool = False
    reference: Message | None = None
    embeds: Sequence[Embed] = ()
    mentions: Mentions = NO_MENTIONS
    attachments: Sequence[Attachment] = ()
    nonce: str | int | None = None
    enforce_nonce: bool = False
    components: Sequence[Component] = ()
    origin: MessageOrigin | None = None
    origin_users: Sequence[User] = ()

    @property
    def stream_id(self) -> StreamId:
        """The stream that orders the message: that of its guild, or of its private channel."""
        return StreamId(self.location.guild_id or self.location.channel_id)

    def _is_text(self) -> bool:
        """Return whether it is only a text, for which `row` and `_encoded` have a faster path."""
        return self.mentions is NO_MENTIONS and not (
            self.embeds or self.attachments or self.components or self.reference or self.origin
        )

    def row(self, *, version: int = 0, slow_mode_s: int = 0) -> NewRow:
        """Return the row to insert, authorized at a permission version of its stream."""
        if self._is_text():
            channel_id, guild_id = self.location.channel_id, self.location.guild_id
            return NewRow(
                StreamId(guild_id or channel_id),
                version,
                channel_id,
                self.author.id,
                self.type,
                self.content,
                self.flags,
                self.tts,
                nonce=str(self.nonce) if self.enforce_nonce else None,
                slow_mode_s=slow_mode_s,
            )
        return NewRow(
            stream_id=self.stream_id,
            version=version,
            channel_id=self.location.channel_id,
            author_id=self.author.id,
            type=self.type,
            content=self.content,
            flags=self.flags,
            tts=self.tts,
            reference_id=None if self.reference is None else self.reference.id,
            embeds=self.embeds,
            mentions=[user.id for user in self.mentions.users],
            mention_roles=self.mentions.roles,
            mention_everyone=self.mentions.everyone,
            attachments=self.attachments,
            components=self.components,
            origin=self.origin,
            nonce=str(self.nonce) if self.enforce_nonce else None,
            slow_mode_s=slow_mode_s,
        )

    def message(self, message_id: MessageId) -> Message:
        """Return the message with this id."""
        return Message(
            id=message_id,
            channel_id=self.location.channel_id,
            guild_id=self.location.guild_id,
            author=self.author,
            type=self.type,
            content=self.content,
            flags=self.flags,
            tts=self.tts,
            edited_at=None,
            reference_id=None if self.reference is None else self.reference.id,
            reference=self.reference,
            mentions=tuple(self.mentions.users),
            mention_roles=tuple(self.mentions.roles),
            mention_everyone=self.mentions.everyone,
            embeds=tuple(self.embeds),
            attachments=tuple(self.attachments),
            components=tuple(self.components),
            origin=self.origin,
            origin_users=tuple(self.origin_users),
        )

    def created(self, message_id: MessageId) -> tuple[Message | EncodedMessage, Event]:
        """Return the message with this id, and its event in a guild.

        For most messages, the response and the event are encoded together, since the event begins
        with the bytes of the response. Messages that mention members are an exception, because only
        the event shows these members. So are replies, because a bot may not see the content of the
        message that they refer to.
        """
        guild_id, member = self.location.guild_id, self.member
        if (
            guild_id is None
            or member is None
            or self.origin is not None
            or self.reference is not None
            or self.mentions.members
        ):
            message = self.message(message_id)
            [event] = self.created_events(message)
            return message, event
        encoded = self._encoded(message_id)
        event = events.message_created_in_guild(encoded, self.location, guild_id, member)
        return encoded, event

    def _encoded(self, message_id: MessageId) -> bytes:
        """Return the encoded message with this id. It has neither origin nor reference."""
        if not self._is_text():
            return payloads.encoded_message(self.message(message_id), self.nonce)
        return payloads.encoded_text(
            message_id,
            self.location.channel_id,
            self.author,
            self.content,
            nonce=self.nonce,
            kind=payloads.TextKind(self.type, self.flags, self.tts),
        )

    def created_events(self, message: Message) -> list[Event]:
        """Return the events to publish when the message is inserted."""
        mentioned = self.mentions.members
        return events.message_created(message, self.location, self.member, mentioned, self.nonce)


async def insert_draft(ctx: Context, work: UnitOfWork, draft: Draft) -> Message:
    """Insert a message in a unit of work that has locked its stream, and emit its events."""
    newest = await messages.last_of_stream(work.cur, draft.stream_id)
    ctx.dependencies.snowflakes.observe(newest)
    message_id = ctx.new_id(MessageId)
    await message_inserts.insert_in_transaction(work.cur, message_id, draft.row())
    message = draft.message(message_id)
    work.emit(*draft.created_events(message))
    return message
