"""Imports and claims."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from chatd.core.ids import AttachmentId
from chatd.db.bulk import BulkConnection
from chatd.db.cursor import Cursor
from chatd.queries import account_claims, bulk_messages, imports
from chatd.queries.bulk_messages import BulkFile
from tests.queries.acts.act import CHANNEL, GUILD, MESSAGE, USER, act

OWN = {"user_id": USER}
FILE = BulkFile(1, MESSAGE, AttachmentId(1), "x", "text/plain", 1, None, None, USER)


class _Recorder(BulkConnection):
    """Records the only statement of a function, which is run on an asynchronous cursor."""

    def __init__(self) -> None:
        self.statement: tuple[str, Mapping[str, object] | None] = ("", None)

    def execute(self, sql: str, parameters: Mapping[str, object] | None = None) -> list[Any]:
        self.statement = sql, parameters
        return []


def bulk(call: Callable[[BulkConnection], None]) -> Callable[[Cursor], Awaitable[object]]:
    """Return a call that runs the statement of a function for COPY connections."""

    def run(cur: Cursor) -> Awaitable[object]:
        recorder = _Recorder()
        call(recorder)
        return cur.execute(*recorder.statement)

    return run


ACTS = [
    act(
        account_claims.consume,
        lambda cur: account_claims.consume(cur, USER, bytes([USER])),
        account_claims=OWN,
    ),
    act(
        account_claims.complete,
        lambda cur: account_claims.complete(
            cur,
            USER,
            username="new",
            username_key="new",
            global_name=None,
            email="new@example.org",
            email_key="new@example.org",
            password_hash="x",
        ),
        users={"id": USER},
    ),
    act(
        account_claims.delete_expired,
        lambda cur: account_claims.delete_expired(cur, limit=9),
        account_claims={"user_id": 4},
    ),
    act(
        imports.restart_index,
        lambda cur: imports.restart_index(cur, -GUILD, GUILD),
        search_postings={"stream_id": GUILD},
        search_documents={"stream_id": GUILD},
        search_segments={"stream_id": GUILD},
        search_streams={"stream_id": GUILD},
        streams={"id": GUILD},
        imports={"id": -GUILD},
    ),
    act(
        bulk_messages.claim_uploads,
        bulk(lambda each: bulk_messages.claim_uploads(each, [FILE.id])),
        uploads={"id": 1},
    ),
    act(
        bulk_messages.count_late_files,
        bulk(lambda each: bulk_messages.count_late_files(each, CHANNEL, [FILE])),
        messages={"channel_id": CHANNEL, "id": MESSAGE},
    ),
    act(
        bulk_messages.mark_unindexed,
        bulk(lambda each: bulk_messages.mark_unindexed(each, -GUILD)),
        imports={"id": -GUILD},
    ),
]
