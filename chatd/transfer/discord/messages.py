"""Importing the messages of one file of an export."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from chatd.core.ids import ChannelId
from chatd.transfer.discord.files import ExportFile, OutsideOfExport, open_attachment
from chatd.transfer.discord.parsing import KNOWN_FIELDS, InvalidMessage, parse_message
from chatd.transfer.errors import BrokenJson
from chatd.transfer.json_array import Element, JsonArray
from chatd.transfer.loading import ChannelLoader, FileLeftOut, Target
from chatd.transfer.source import SourceFile, SourceMessage

_BATCH = 2000
"""Messages of one transaction."""
_BATCH_BYTES = 8 * 2**20
"""Of the file, after which a batch ends. Two batches are in memory, in ten times their size."""


class FileImport(ChannelLoader):
    """The import of one file into one channel."""

    def __init__(
        self, target: Target, folder: Path, export: ExportFile, channel_id: ChannelId
    ) -> None:
        super().__init__(target, channel_id)
        self._folder = folder
        self._export = export
        self._reader: JsonArray = export.messages()
        self._now = datetime.now(UTC)

    async def run(self, advance: Callable[[int], None]) -> None:
        """Import all messages of the file. `advance` gets the bytes that were read.

        While a batch is loaded, the next one is parsed. Raises BrokenJson after the messages before
        the error are committed; ChannelGone, StorageUnavailable, DatabaseUnavailable.
        """
        elements = iter(self._reader)
        loading: asyncio.Task[None] | None = None
        broken: BrokenJson | None = None
        done = 0
        try:
            while broken is None:
                batch, broken = await asyncio.to_thread(self._parse, elements)
                if not batch and broken is None and self._reader.is_read:
                    break
                if loading is not None:
                    await loading
                loading = asyncio.create_task(self.load(batch), name="load messages")
                advance(self._reader.read_bytes - done)
                done = self._reader.read_bytes
            if loading is not None:
                await loading
        finally:
            if loading is not None and not loading.done():
                loading.cancel()
                await asyncio.wait([loading])
        if broken is not None:
            raise broken

    def _parse(self, elements: Iterator[Element]) -> tuple[list[SourceMessage], BrokenJson | None]:
        """Return the next messages; with an error, those before it. Runs in a thread."""
        found: list[SourceMessage] = []
        error: BrokenJson | None = None
        channel = self._export.channel.source_id
        end = self._reader.read_bytes + _BATCH_BYTES
        try:
            for element in islice(elements, _BATCH):
                try:
                    message = parse_message(element.value, element.number, channel, self._now)
                except InvalidMessage as invalid:
                    text = f"{invalid}; it is left out"
                    self._to.findings.problem("message", self.at(element.number), text)
                    continue
                self._report(element, message)
                found.append(message)
                if self._reader.read_bytes > end:
                    break
        except BrokenJson as broken:
            error = broken
        return found, error

    def at(self, number: int, source_id: int | None = None) -> str:
        name = "" if source_id is None else f" ({source_id})"
        return f"{self._export.name}: message {number}{name}"

    def _report(self, element: Element, message: SourceMessage) -> None:
        at = self.at(element.number, message.source_id)
        for name in element.truncated:
            text = f"its field {name!r} is too long; the rest of it is left out"
            self._to.findings.problem("long field", at, text)
        for kind, text in message.problems:
            self._to.findings.problem(kind, at, text)
        for kind, text in message.notes:
            self._to.findings.note(kind, at, text)
        if len(element.value) > len(KNOWN_FIELDS) or not element.value.keys() <= KNOWN_FIELDS:
            for name in sorted(element.value.keys() - KNOWN_FIELDS):
                text = f"the field {name[:40]!r} is not known, and is left out"
                self._to.findings.note(f"unknown field {name[:40]!r}", at, text)

    def open_file(self, file: SourceFile) -> BinaryIO:
        """Open the file of an attachment. Raises FileLeftOut, OSError."""
        if file.address.startswith(("http://", "https://")):
            text = f"{self._export.name} was exported without --media: it has no attachments"
            raise FileLeftOut("attachment not in the export", text)
        try:
            opened = open_attachment(self._folder, self._export, file.address)
        except OutsideOfExport:
            shown = file.address[-100:]
            text = f"the path {shown!r} is not that of a file in the folder; it is left out"
            raise FileLeftOut("path", text) from None
        size = os.fstat(opened.fileno()).st_size
        if file.size not in (size, None):
            # DiscordChatExporter with --reuse-media takes the file of another message for it, maybe
            # one of a hidden channel, if both have one name and a short hash is equal by chance.
            opened.close()
            name = file.name[:40]
            text = f"the file of {name!r} has {size} bytes, not {file.size}; it is left out"
            raise FileLeftOut("attachment of another size", text)
        return opened
