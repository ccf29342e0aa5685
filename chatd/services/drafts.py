"""A message before it has an id: what is stored of it, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from chatd.context import Context, Work
from chatd.core.ids import MessageId, StreamId
from chatd.core.models import Attachment, Embed, Member, Message, MessageType, Place, User
from chatd.events import messages as events
from chatd.events.event import Event
from chatd.queries import messages
from chatd.queries.messages import NewRow
from chatd.services.mentions import NO_MENTIONS, Mentions


class Draft(NamedTuple):
    """A message in the making. `member` is its author, where that is one. A tuple, as one is made
    for every message."""

    author: User
    member: Member | None
    place: Place
    type: MessageType
    content: str = ""
    flags: int = 0
    tts: bool = False
    answered: Message | None = None
    embeds: Sequence[Embed] = ()
    mentions: Mentions = NO_MENTIONS
    attachments: Sequence[Attachment] = ()
    nonce: str | int | None = None
    enforce_nonce: bool = False

    @property
    def stream_id(self) -> StreamId:
        """The stream in whose order it stands: its guild's, or that of its private channel."""
        return StreamId(self.place.guild_id or self.place.channel_id)

    def row(self, *, version: int = 0, slow_mode_s: int = 0) -> NewRow:
        """What is stored of it, authorised at a version of its stream."""
        return NewRow(
            stream_id=self.stream_id,
            version=version,
            channel_id=self.place.channel_id,
            author_id=self.author.id,
            type=self.type,
            content=self.content,
            flags=self.flags,
            tts=self.tts,
            reference_id=None if self.answered is None else self.answered.id,
            embeds=self.embeds,
            mentions=[user.id for user in self.mentions.users],
            mention_roles=self.mentions.roles,
            mention_everyone=self.mentions.everyone,
            attachments=self.attachments,
            nonce=str(self.nonce) if self.enforce_nonce else None,
            slow_mode_s=slow_mode_s,
        )

    def message(self, message_id: MessageId) -> Message:
        """The message, once it has this id."""
        return Message(
            id=message_id,
            channel_id=self.place.channel_id,
            guild_id=self.place.guild_id,
            author=self.author,
            type=self.type,
            content=self.content,
            flags=self.flags,
            tts=self.tts,
            edited_at=None,
            reference_id=None if self.answered is None else self.answered.id,
            reference=self.answered,
            mentions=tuple(self.mentions.users),
            mention_roles=tuple(self.mentions.roles),
            mention_everyone=self.mentions.everyone,
            embeds=tuple(self.embeds),
            attachments=tuple(self.attachments),
        )

    def created(self, message: Message) -> list[Event]:
        """What is told of it, once it is this message."""
        mentioned = self.mentions.members
        return events.message_created(message, self.place, self.member, mentioned, self.nonce)


async def post(ctx: Context, work: Work, draft: Draft) -> Message:
    """Store a message in a transaction that has locked its stream, and tell of it."""
    newest = await messages.last_of_stream(work.cur, draft.stream_id)
    ctx.resources.snowflakes.observe(newest)
    message_id = ctx.new_id(MessageId)
    await messages.insert_in_work(work.cur, message_id, draft.row())
    message = draft.message(message_id)
    work.emit(*draft.created(message))
    return message
