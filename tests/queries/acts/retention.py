"""Retention: old messages, audit log entries, and the search index of deleted messages."""

from __future__ import annotations

from chatd.core.ids import StreamId
from chatd.queries import retention
from tests.queries.acts.act import CHANNEL, FIRST, GUILD, IN_GUILD, MESSAGE, act

_OF_MESSAGE = {"channel_id": 110, "id": 1001}
_SEGMENT = {"stream_id": 200, "segment": 0}

ACTS = [
    act(
        retention.schedule,
        lambda cur: retention.schedule(cur, GUILD, days=None, wait_s=9),
        guild_retentions=IN_GUILD,
    ),
    act(
        retention.schedule,
        lambda cur: retention.schedule(cur, GUILD, days=9, wait_s=9),
        guild_retentions=IN_GUILD,
    ),
    act(
        retention.begin_due,
        lambda cur: retention.begin_due(cur, limit=9),
        guild_retentions=IN_GUILD,
    ),
    act(
        retention.delete,
        lambda cur: retention.delete(cur, CHANNEL, [MESSAGE], keep_pins=False),
        messages=_OF_MESSAGE,
        attachments=FIRST,
        reactions=FIRST,
    ),
    act(
        retention.delete_audit_logs,
        lambda cur: retention.delete_audit_logs(cur, GUILD, before=2, limit=9),
        audit_logs={**IN_GUILD, "id": 1},
    ),
    act(
        retention.delete_search_segment,
        lambda cur: retention.delete_search_segment(cur, StreamId(200), after=-1, before=9),
        search_segments=_SEGMENT,
        search_documents=_SEGMENT,
        search_postings=_SEGMENT,
    ),
    act(
        retention.delete_search_segment,  # its messages exist
        lambda cur: retention.delete_search_segment(cur, StreamId(100), after=-1, before=9),
    ),
]
