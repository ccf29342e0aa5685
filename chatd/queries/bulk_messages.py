"""Loading many messages of a channel at once, with all that belongs to them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from chatd.core.ids import AttachmentId, ChannelId, MessageId, RoleId, UserId
from chatd.core.models import Embed
from chatd.db.bulk import BulkConnection, copy_line
from chatd.queries.message_inserts import id_array

_COLUMNS = (
    *("channel_id", "id", "author_id", "type", "content", "flags", "tts", "reference_id"),
    *("edited_at", "embeds", "mentions", "mention_roles", "mention_everyone"),
    *("attachment_count", "pinned_at"),
)
_FILE_COLUMNS = (
    *("channel_id", "message_id", "id", "filename", "content_type", "size", "width", "height"),
    "owner_id",
)
_REACTION_COLUMNS = ("channel_id", "message_id", "emoji", "user_id", "created_at")
_OBJECT_COLUMNS = ("import_id", "kind", "source_id", "parent_id", "id")


@dataclass(frozen=True, slots=True)
class BulkFile:
    """An attachment whose file is stored."""

    source_id: int
    message_id: MessageId
    id: AttachmentId
    filename: str
    content_type: str
    size: int
    width: int | None
    height: int | None
    owner_id: UserId


@dataclass(slots=True)
class BulkMessage:
    """A message to load."""

    source_id: int
    id: MessageId
    author_id: UserId
    type: int
    content: str
    written_at: datetime
    edited_at: datetime | None = None
    is_pinned: bool = False
    reference_id: MessageId | None = None
    embeds: Sequence[Embed] = ()
    mentions: Sequence[UserId] = ()
    reactions: Sequence[tuple[str, UserId]] = ()
    flags: int = 0
    mention_everyone: bool = False
    mention_roles: Sequence[RoleId] = ()
    files: list[BulkFile] = field(default_factory=list)


class ChannelGone(Exception):
    """The channel was deleted during the import."""


def existing(bulk: BulkConnection, channel_id: ChannelId, ids: Iterable[int]) -> dict[int, UserId]:
    """Return those of these messages that exist, with their authors."""
    rows = bulk.execute(
        """
        SELECT id, author_id FROM messages
         WHERE channel_id = %(channel_id)s AND id = ANY(%(ids)s::bigint[])
        """,
        {"channel_id": channel_id, "ids": list(ids)},
    )
    bulk.commit()
    return {row[0]: UserId(row[1]) for row in rows}


def load(
    bulk: BulkConnection,
    import_id: int,
    channel_id: ChannelId,
    messages: Sequence[BulkMessage],
    late_files: Sequence[BulkFile],
) -> None:
    """Add messages in one transaction, and late files to messages that exist.

    The transaction holds the channel, so that its deletion comes after. Raises ChannelGone.
    """
    try:
        _hold_channel(bulk, channel_id)
        _load_rows(bulk, import_id, channel_id, messages, late_files)
        bulk.commit()
    except BaseException:
        bulk.rollback()
        raise


def _hold_channel(bulk: BulkConnection, channel_id: ChannelId) -> None:
    held = "SELECT 1 FROM channels WHERE id = %(id)s FOR KEY SHARE"
    if not bulk.execute(held, {"id": channel_id}):
        raise ChannelGone


def _load_rows(
    bulk: BulkConnection,
    import_id: int,
    channel_id: ChannelId,
    messages: Sequence[BulkMessage],
    late_files: Sequence[BulkFile],
) -> None:
    files = [file for message in messages for file in message.files] + list(late_files)
    bulk.copy("messages", _COLUMNS, [_message(channel_id, each) for each in messages])
    bulk.copy("attachments", _FILE_COLUMNS, [_file(channel_id, each) for each in files])
    bulk.copy("reactions", _REACTION_COLUMNS, [*_reactions(channel_id, messages)])
    made = [
        copy_line((import_id, "message", each.source_id, 0, each.id))
        for each in messages
        if each.source_id != each.id
    ] + [
        copy_line((import_id, "attachment", each.source_id, each.message_id, each.id))
        for each in files
    ]
    bulk.copy("imported_objects", _OBJECT_COLUMNS, made)
    if files:
        claim_uploads(bulk, [each.id for each in files])
    if late_files:
        count_late_files(bulk, channel_id, late_files)
    mark_unindexed(bulk, import_id)


def claim_uploads(bulk: BulkConnection, ids: Sequence[AttachmentId]) -> None:
    """Record that these stored files belong to messages now."""
    bulk.execute("DELETE FROM uploads WHERE id = ANY(%(ids)s::bigint[])", {"ids": list(ids)})


def count_late_files(
    bulk: BulkConnection, channel_id: ChannelId, files: Sequence[BulkFile]
) -> None:
    """Count the files of messages again."""
    bulk.execute(
        """
        UPDATE messages
           SET attachment_count = (SELECT count(*) FROM attachments
                                    WHERE attachments.channel_id = messages.channel_id
                                      AND attachments.message_id = messages.id)
         WHERE channel_id = %(channel_id)s AND id = ANY(%(ids)s::bigint[])
        """,
        {"channel_id": channel_id, "ids": list({each.message_id for each in files})},
    )


def mark_unindexed(bulk: BulkConnection, import_id: int) -> None:
    """Record that messages of an import are not in the search index."""
    bulk.execute(
        "UPDATE imports SET needs_index = true WHERE id = %(id)s AND NOT needs_index",
        {"id": import_id},
    )


def _message(channel_id: ChannelId, each: BulkMessage) -> str:
    return copy_line(
        (
            channel_id,
            each.id,
            each.author_id,
            each.type,
            each.content,
            each.flags,
            False,
            each.reference_id,
            each.edited_at,
            orjson.dumps(list(each.embeds)).decode() if each.embeds else None,
            id_array(each.mentions),
            id_array(each.mention_roles),
            each.mention_everyone,
            len(each.files),
            each.written_at if each.is_pinned else None,
        )
    )


def _file(channel_id: ChannelId, each: BulkFile) -> str:
    values: Mapping[str, Any] = {
        "channel_id": channel_id,
        **{name: getattr(each, name) for name in _FILE_COLUMNS[1:]},
    }
    return copy_line(list(values.values()))


def _reactions(channel_id: ChannelId, messages: Sequence[BulkMessage]) -> Iterable[str]:
    for each in messages:
        for emoji, user_id in each.reactions:
            yield copy_line((channel_id, each.id, emoji, user_id, each.written_at))
