"""Loading messages into a channel: authors, ids, files, and one COPY for each batch."""

from __future__ import annotations

import asyncio
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

from chatd.backup.in_flight import InFlight
from chatd.context.dependencies import CoreDependencies
from chatd.core.ids import ChannelId, MessageId, UserId
from chatd.core.snowflake import created_at
from chatd.db.bulk import BulkConnection
from chatd.queries import bulk_messages, imports
from chatd.queries.bulk_messages import BulkFile, BulkMessage
from chatd.queries.imports import Import
from chatd.transfer.attachments import FileStore
from chatd.transfer.authors import Authors
from chatd.transfer.findings import Findings
from chatd.transfer.ids import other_id
from chatd.transfer.source import SourceFile, SourceMessage

_MENTION = re.compile(r"<(@!?|@&|#)([1-9][0-9]{0,18})>", re.ASCII)
_MAX_CONTENT = 2000  # an id of this server may have a digit more

_ATTEMPTS = 16
"""Other ids of the same millisecond that are tried for a message."""


class FileLeftOut(Exception):
    """The file of an attachment cannot be imported. `kind` groups the lines about it."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


@dataclass(slots=True)
class Totals:
    """What a run has added."""

    messages: int = 0
    files: int = 0
    reactions: int = 0
    existing: int = 0
    """Messages that an earlier run has added."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages go."""

    deps: CoreDependencies
    bulk: BulkConnection
    store: FileStore
    job: Import
    authors: Authors
    findings: Findings
    totals: Totals
    channels: dict[int, ChannelId] = field(default_factory=dict)
    """The channels of the import by the ids of the source, for mentions of them."""


class ChannelLoader(ABC):
    """Loads messages into one channel."""

    def __init__(self, target: Target, channel_id: ChannelId) -> None:
        self._to = target
        self._channel_id = channel_id

    @abstractmethod
    def at(self, number: int, source_id: int | None = None) -> str:
        """Return the name of a place in the source, for lines about it."""

    @abstractmethod
    def open_file(self, file: SourceFile) -> BinaryIO:
        """Open the file of an attachment. Raises FileLeftOut, OSError."""

    async def load(self, batch: Sequence[SourceMessage]) -> None:
        """Load messages that are not in the channel yet, and files that those in it lack.

        Raises ChannelGone, StorageUnavailable, DatabaseUnavailable, StatementFailed.
        """
        by_id = {each.source_id: each for each in batch}  # an export may repeat a message
        authors = self._to.authors
        new = [
            (user, created_at(each.source_id))
            for each in by_id.values()
            for user in authors.unknown(each.users)
        ]
        if new:
            await authors.add(new)
        ids, present = await self._ids(by_id)
        rows = {key: self._row(each, ids) for key, each in by_id.items() if key not in present}
        late = await self._store_files(by_id, rows, ids)
        if rows or late:
            await asyncio.to_thread(
                bulk_messages.load,
                self._to.bulk,
                self._to.job.id,
                self._channel_id,
                list(rows.values()),
                late,
            )
        totals = self._to.totals
        totals.messages += len(rows)
        totals.existing += len(present)
        totals.files += sum(len(each.files) for each in rows.values()) + len(late)
        totals.reactions += sum(len(each.reactions) for each in rows.values())

    async def _ids(self, by_id: dict[int, SourceMessage]) -> tuple[dict[int, MessageId], set[int]]:
        """Return the id of each message here, and which of them are imported already.

        A message has the id of the source, unless the channel has another message with it.
        """
        found = await self._existing(by_id)
        ids = {key: MessageId(key) for key in by_id}
        present = {
            key for key, author in found.items() if author == self._to.authors[by_id[key].author]
        }
        others = found.keys() - present
        if others:
            async with self._to.deps.database.cursor() as cur:
                known = await imports.objects(cur, self._to.job.id, "message", others)
            for key in others:
                if key in known:
                    ids[key] = MessageId(known[key])
                    present.add(key)
                else:
                    ids[key] = await self._free_id(key)
        return ids, present

    async def _free_id(self, source_id: int) -> MessageId:
        wanted = [other_id(source_id, attempt) for attempt in range(1, _ATTEMPTS)]
        taken = await self._existing(wanted)
        return MessageId(next(each for each in wanted if each not in taken))

    async def _existing(self, ids: Iterable[int]) -> dict[int, UserId]:
        return await asyncio.to_thread(
            bulk_messages.existing, self._to.bulk, self._channel_id, list(ids)
        )

    def _row(self, each: SourceMessage, ids: dict[int, MessageId]) -> BulkMessage:
        authors = self._to.authors
        reference = each.reference_id
        return BulkMessage(
            source_id=each.source_id,
            id=ids[each.source_id],
            author_id=authors[each.author],
            type=int(each.type),
            content=self._with_own_ids(each.content) if "<" in each.content else each.content,
            written_at=created_at(each.source_id),
            edited_at=each.edited_at,
            is_pinned=each.is_pinned,
            reference_id=None if reference is None else ids.get(reference, MessageId(reference)),
            embeds=each.embeds,
            flags=each.flags,
            mention_everyone=each.mention_everyone,
            mention_roles=authors.roles_of(each.mention_roles),
            mentions=[authors[user] for user in each.mentions],
            reactions=[(emoji, authors[user]) for emoji, users in each.reactions for user in users],
        )

    def _with_own_ids(self, content: str) -> str:
        """Return a text whose mentions have the ids that their targets have here."""
        content = _MENTION.sub(self._own_mention, content)
        return content if len(content) <= _MAX_CONTENT else content[:_MAX_CONTENT]

    def _own_mention(self, match: re.Match[str]) -> str:
        sign, source_id = match[1], match[2]
        target: int | None
        if sign == "#":
            target = self._to.channels.get(int(source_id))
        elif sign == "@&":
            target = next(iter(self._to.authors.roles_of([int(source_id)])), None)
        else:
            target = self._to.authors.get(source_id)
        return match[0] if target is None else f"<{sign}{target}>"

    async def _store_files(
        self,
        by_id: dict[int, SourceMessage],
        rows: dict[int, BulkMessage],
        ids: dict[int, MessageId],
    ) -> list[BulkFile]:
        """Store the files of the messages. Return those of messages that exist."""
        wanted = [(each, file) for each in by_id.values() for file in each.files]
        if not wanted:
            return []
        async with self._to.deps.database.cursor() as cur:
            known = await imports.attachments(
                cur, self._to.job.id, {file.source_id for _, file in wanted}
            )
        late: list[BulkFile] = []
        async with InFlight() as transfers:
            for message, file in wanted:
                message_id = ids[message.source_id]
                if (file.source_id, message_id) in known:
                    continue
                known.add((file.source_id, message_id))
                row = rows.get(message.source_id)
                into = late if row is None else row.files
                await transfers.add(self._store_file(message, file, message_id, into))
        for row in rows.values():
            row.files.sort(key=lambda each: each.source_id)
        return late

    async def _store_file(
        self,
        message: SourceMessage,
        file: SourceFile,
        message_id: MessageId,
        into: list[BulkFile],
    ) -> None:
        owner_id = self._to.authors[message.author]
        try:
            source = await asyncio.to_thread(self.open_file, file)
            stored = await self._to.store.store(source, file.name, owner_id)
        except FileLeftOut as error:
            at = self.at(message.number, message.source_id)
            self._to.findings.problem(error.kind, at, str(error))
            return
        except OSError as error:
            at = self.at(message.number, message.source_id)
            reason = error.strerror or error
            text = f"the attachment {file.address[-100:]!r} cannot be read: {reason}"
            self._to.findings.problem("attachment", at, text)
            return
        into.append(
            BulkFile(
                source_id=file.source_id,
                message_id=message_id,
                id=stored.id,
                filename=stored.filename,
                content_type=stored.content_type,
                size=stored.size,
                width=stored.width,
                height=stored.height,
                owner_id=owner_id,
            )
        )
