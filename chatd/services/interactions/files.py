"""Files that people send with interactions: for options of commands, and in modals."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from chatd.core.errors import InvalidForm
from chatd.core.ids import MessageId
from chatd.core.models import Attachment
from chatd.queries import attachments
from chatd.queries.ephemeral_messages import TABLE
from chatd.services.interactions.invoker import Invoker
from chatd.wire.schemas.interactions import InteractionFilesSchema

_FILES = InteractionFilesSchema()


@dataclass(frozen=True, slots=True)
class SentFiles:
    """The files of a request by the numbers that the client has given them, as texts."""

    by_number: Mapping[str, Attachment]

    def filenames(self) -> dict[str, str]:
        """Return the names of the files."""
        return {number: file.filename for number, file in self.by_number.items()}

    def get(self, number: str) -> Attachment:
        """Return one file. Raises InvalidForm."""
        file = self.by_number.get(number)
        if file is None:
            text = f"There is no file of number {number}."
            error = {"_errors": [{"code": "ATTACHMENT_NOT_FOUND", "message": text}]}
            raise InvalidForm({"data": {"attachments": error}})
        return file


def sent_files(invoker: Invoker) -> SentFiles:
    """Return the files of a request, with the metadata in its data. Raises InvalidForm."""
    listed = _FILES.read({"attachments": invoker.wanted.data.get("attachments")}).attachments
    files = invoker.uploads.in_order_with_metadata(listed)
    numbers = map(str, sorted(invoker.uploads.stored))
    return SentFiles(dict(zip(numbers, files, strict=True)))


async def keep(invoker: Invoker, files: Iterable[Attachment]) -> None:
    """Keep files that the application receives, for a day."""
    channel_id, holder_id = invoker.granted.channel.id, MessageId(invoker.interaction_id)
    await attachments.insert(invoker.work.cur, channel_id, holder_id, list(files), table=TABLE)
