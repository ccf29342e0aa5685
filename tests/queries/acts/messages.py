"""Messages and what belongs to them; the search index."""

from __future__ import annotations

from collections.abc import Awaitable
from dataclasses import replace

from chatd.core.ids import (
    AttachmentId,
    ChannelId,
    MessageId,
    StreamId,
    UserId,
    WebhookId,
)
from chatd.core.models import Attachment, MessageType
from chatd.db.cursor import Cursor
from chatd.queries import (
    attachments,
    crossposts,
    ephemeral_messages,
    message_guards,
    message_inserts,
    messages,
    pins,
    reactions,
    read_states,
    search_index,
    search_upkeep,
)
from chatd.queries.message_inserts import NewRow
from chatd.queries.messages import MessageEdit
from chatd.queries.read_states import Move
from tests.queries.acts.act import (
    CHANNEL,
    CROSSPOST,
    FIRST,
    GUILD,
    MESSAGE,
    USER,
    WEBHOOK,
    WHISPER,
    act,
    file_with_id,
)
from tests.queries.scene.values import GONE, TIMELESS


def _edit() -> MessageEdit:
    return MessageEdit("changed", 0, (), (), (), False, 0)


def _row(channel_id: ChannelId, *files: Attachment) -> NewRow:
    stream, channel = StreamId(GUILD), channel_id
    return NewRow(stream, 0, channel, USER, MessageType.DEFAULT, "text", attachments=files)


def _react(cur: Cursor, message_id: MessageId, *, version: int) -> Awaitable[object]:
    key = CHANNEL, message_id, "new", USER
    return reactions.add_at_version(cur, GUILD, version, key, may_add=True, max_emojis=20)


_NEWER = MessageId(MESSAGE + 1)

ACTS = [
    act(
        attachments.insert,
        lambda cur: attachments.insert(cur, CHANNEL, MESSAGE, [file_with_id(1)]),
        uploads={"id": 1},
    ),
    act(
        attachments.delete,
        lambda cur: attachments.delete(cur, CHANNEL, MESSAGE, [AttachmentId(10011)]),
        attachments={**FIRST, "id": 10011},
    ),
    act(  # of another message
        attachments.delete,
        lambda cur: attachments.delete(cur, CHANNEL, MESSAGE, [AttachmentId(10021)]),
    ),
    act(
        attachments.set_description,
        lambda cur: attachments.set_description(cur, CHANNEL, MESSAGE, file_with_id(10021)),
    ),
    act(
        attachments.set_description,
        lambda cur: attachments.set_description(cur, CHANNEL, MESSAGE, file_with_id(10011)),
        attachments={**FIRST, "id": 10011},
    ),
    act(
        attachments.delete,
        lambda cur: attachments.delete(
            cur,
            CHANNEL,
            WHISPER,
            [AttachmentId(1), AttachmentId(2)],
            table=ephemeral_messages.TABLE,
        ),
        ephemeral_attachments={"channel_id": CHANNEL, "message_id": WHISPER},
    ),
    act(
        attachments.set_description,
        lambda cur: attachments.set_description(
            cur, CHANNEL, WHISPER, file_with_id(1), table=ephemeral_messages.TABLE
        ),
        ephemeral_attachments={"channel_id": CHANNEL, "message_id": WHISPER},
    ),
    act(
        ephemeral_messages.update,
        lambda cur: ephemeral_messages.update(cur, USER, WHISPER, _edit(), edited=True),
        ephemeral_messages={"id": WHISPER},
    ),
    act(
        ephemeral_messages.update,
        lambda cur: ephemeral_messages.update(cur, UserId(3), WHISPER, _edit(), edited=True),
    ),
    act(
        ephemeral_messages.delete,
        lambda cur: ephemeral_messages.delete(cur, USER, WHISPER),
        ephemeral_messages={"id": WHISPER},
        ephemeral_attachments={"channel_id": CHANNEL, "message_id": WHISPER},
    ),
    act(
        ephemeral_messages.delete,
        lambda cur: ephemeral_messages.delete(cur, UserId(3), WHISPER),
    ),
    act(
        ephemeral_messages.delete_old,
        lambda cur: ephemeral_messages.delete_old(cur, before=TIMELESS, limit=99),
        ephemeral_messages=[{"id": 8001}, {"id": 8002}],
    ),
    act(
        ephemeral_messages.delete_old_files,
        lambda cur: ephemeral_messages.delete_old_files(cur, before=TIMELESS, limit=99),
        ephemeral_attachments=[{"id": 1}, {"id": 2}],
    ),
    act(
        message_inserts._insert,
        lambda cur: message_inserts.insert_many(
            cur, [MessageId(2001)], [_row(CHANNEL, file_with_id(1))], wait=True
        ),
        streams={"id": GUILD},
        uploads={"id": 1},
    ),
    act(
        message_inserts._insert_text,
        lambda cur: message_inserts.insert_many(cur, [MessageId(2001)], [_row(CHANNEL)], wait=True),
        streams={"id": GUILD},
    ),
    act(
        message_inserts.insert_in_transaction,
        lambda cur: message_inserts.insert_in_transaction(
            cur, MessageId(2001), _row(CHANNEL, file_with_id(1))
        ),
        streams={"id": GUILD},
        uploads={"id": 1},
    ),
    act(
        messages.update,
        lambda cur: messages.update(
            cur, CHANNEL, MESSAGE, MessageEdit("changed", 0, (), (), (), False, 0), edited=True
        ),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
    ),
    act(
        messages.delete,
        lambda cur: messages.delete(cur, CHANNEL, MESSAGE),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
        attachments=FIRST,
        reactions=FIRST,
    ),
    act(
        messages.delete_many,
        lambda cur: messages.delete_many(cur, CHANNEL, [MESSAGE, MessageId(9)]),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
        attachments=FIRST,
        reactions=FIRST,
    ),
    act(
        messages.delete_orphaned,
        lambda cur: messages.delete_orphaned(cur, limit=100),
        messages={"channel_id": GONE[0]},
    ),
    act(
        pins.insert,
        lambda cur: pins.insert(cur, CHANNEL, MESSAGE),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
    ),
    act(
        pins.delete,
        lambda cur: pins.delete(cur, CHANNEL, MESSAGE),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
    ),
    act(
        reactions.delete,
        lambda cur: reactions.delete(cur, CHANNEL, MESSAGE, "+", USER),
        reactions={**FIRST, "emoji": "+", "user_id": USER},
    ),
    act(
        search_index.extend,
        lambda cur: search_index.extend(cur, StreamId(GUILD), size=2),
        search_streams={"stream_id": GUILD},
    ),
    act(
        search_upkeep.apply_edits,
        lambda cur: search_upkeep.apply_edits(cur, limit=100),
        search_edits={},
    ),
    act(
        message_guards.delete_nonces,
        lambda cur: message_guards.delete_nonces(cur, before=TIMELESS, limit=99),
        nonces={"nonce": "old"},
    ),
    act(
        message_guards.delete_slow_modes,
        lambda cur: message_guards.delete_slow_modes(cur, before=TIMELESS, limit=99),
        slow_modes={"user_id": 1},
    ),
    act(
        reactions.delete_batch,
        lambda cur: reactions.delete_batch(cur, CHANNEL, MESSAGE, limit=99),
        reactions=FIRST,
    ),
    act(
        reactions.delete_batch,
        lambda cur: reactions.delete_batch(cur, CHANNEL, MESSAGE, "+", limit=99),
        reactions={**FIRST, "emoji": "+"},
    ),
    act(
        search_index._describe,
        lambda cur: search_index.extend(cur, StreamId(200), size=2),
        search_streams={"stream_id": 200},
    ),
    act(
        search_upkeep.delete_orphaned_marks,
        search_upkeep.delete_orphaned_marks,
        search_unindexed={"message_id": 9},
    ),
    act(
        crossposts.take,
        lambda cur: crossposts.take(cur, lease_s=9),
        crossposts=FIRST,
    ),
    act(
        crossposts.advance,
        lambda cur: crossposts.advance(cur, CROSSPOST, 9, is_done=True),
        crossposts=FIRST,
    ),
    act(  # of an earlier revision
        crossposts.advance,
        lambda cur: crossposts.advance(cur, replace(CROSSPOST, revision=0), 9, is_done=True),
    ),
    act(
        crossposts.delete,
        lambda cur: crossposts.delete(cur, CHANNEL, MESSAGE),
        crossposts=FIRST,
        crosspost_copies={"source_channel_id": CHANNEL, "source_message_id": MESSAGE},
    ),
    act(
        crossposts.delete_copies,
        lambda cur: crossposts.delete_copies(cur, CHANNEL, MESSAGE, limit=9),
        crosspost_copies={"source_channel_id": CHANNEL, "source_message_id": MESSAGE},
    ),
    act(
        crossposts.raise_revision,
        lambda cur: crossposts.raise_revision(cur, CROSSPOST, WEBHOOK),
        crosspost_copies={
            "source_channel_id": CHANNEL,
            "source_message_id": MESSAGE,
            "webhook_id": WEBHOOK,
        },
    ),
    act(
        crossposts.raise_revision,  # it has this revision
        lambda cur: crossposts.raise_revision(cur, CROSSPOST, WebhookId(1102)),
    ),
    act(
        reactions.add_at_version,
        lambda cur: _react(cur, MESSAGE, version=0),
        streams={"id": GUILD},
    ),
    act(  # the permissions have changed since
        reactions.add_at_version,
        lambda cur: _react(cur, MESSAGE, version=1),
    ),
    act(
        reactions.add_at_version,
        lambda cur: _react(cur, MessageId(9), version=0),  # no message
    ),
    act(
        read_states.move_many,
        lambda cur: read_states.move_many(cur, [Move(USER, CHANNEL, _NEWER, GUILD, 0)]),
        read_states={"user_id": USER, "channel_id": CHANNEL},
        streams={"id": USER},
    ),
    act(  # it was read up to there
        read_states.move_many,
        lambda cur: read_states.move_many(cur, [Move(USER, CHANNEL, MESSAGE, GUILD, 0)]),
    ),
    act(  # the permissions have changed since
        read_states.move_many,
        lambda cur: read_states.move_many(cur, [Move(USER, CHANNEL, _NEWER, GUILD, 1)]),
    ),
    act(
        messages.set_flags,
        lambda cur: messages.set_flags(cur, CHANNEL, MESSAGE, 1),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
    ),
]
