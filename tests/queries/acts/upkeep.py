"""Files, uploads, pending deletions and leases."""

from __future__ import annotations

from typing import Any

from chatd.core.ids import (
    AttachmentId,
    UploadId,
)
from chatd.queries import (
    backups,
    files,
    pending_deletions,
    reserved_uploads,
    workers,
)
from chatd.queries.pending_deletions import PendingDeletion
from tests.queries.acts.act import (
    CHANNEL,
    FIRST,
    GUILD,
    IN_GUILD,
    OF_CHANNELS,
    ROLE,
    USER,
    Act,
    act,
    file_with_id,
)

SWEPT: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "members",
        IN_GUILD,
        {
            "guild_members": IN_GUILD,
            "member_roles": IN_GUILD,
            "temporary_members": IN_GUILD,
            "user_guild_settings": IN_GUILD,
        },
    ),
    ("bans", IN_GUILD, {"bans": IN_GUILD}),
    ("webhook_avatars", IN_GUILD, {"webhook_avatars": IN_GUILD}),
    ("audit_logs", IN_GUILD, {"audit_logs": IN_GUILD}),
    (
        "member_roles",
        {"guild_id": GUILD, "role_ids": [ROLE]},
        {"member_roles": {"guild_id": GUILD, "role_id": ROLE}},
    ),
    ("read_states", OF_CHANNELS, {"read_states": {"channel_id": CHANNEL}}),
    ("read_states_of_user", {"user_id": USER}, {"read_states": {"user_id": USER}}),
    (
        "users_of_application",
        {"application_id": 8},
        {"user_integrations": {"application_id": 8}},
    ),
    (
        "command_permissions",  # 5080 exists
        {"application_id": 8, "command_ids": [5080, 5082]},
        {"application_command_permissions": {"application_id": 8, "command_id": 5082}},
    ),
    *(
        (table, details, {table: details})
        for table in (
            "application_commands",
            "application_command_scopes",
            "application_command_permissions",
        )
        for details in (IN_GUILD, {"application_id": 8})
    ),
    ("reactions", FIRST, {"reactions": FIRST}),
    ("reactions", {**FIRST, "emoji": "+"}, {"reactions": {**FIRST, "emoji": "+"}}),
    ("reactions", {**FIRST, "until": "2000-01-01T00:00:00Z"}, {}),
]
"""Kinds of pending deletions, their details, and the rows that they delete."""


PENDING = PendingDeletion(-4, "bans", {})


def _swept(kind: str, details: dict[str, Any], touches: dict[str, Any]) -> Act:
    deletion = PendingDeletion(-4, kind, details)
    return act(
        pending_deletions.sweep,
        lambda cur: pending_deletions.sweep(cur, deletion, limit=99),
        **touches,
    )


ACTS = [
    act(
        files.discard_uploads,
        lambda cur: files.discard_uploads(cur, [AttachmentId(1)]),
        uploads={"id": 1},
    ),
    act(
        files.discard_old_uploads,
        lambda cur: files.discard_old_uploads(cur, limit=9),
        uploads=[{"id": 1}, {"id": 2}],
    ),
    act(
        files.finish_upload,
        lambda cur: files.finish_upload(cur, AttachmentId(1), USER, 9),
        uploads={"id": 1},
    ),
    act(
        files.expire_reservation,
        lambda cur: files.expire_reservation(cur, "first"),
        doomed_files={"key": "first"},
    ),
    act(
        files.postpone_deletion,
        lambda cur: files.postpone_deletion(cur, "first"),
        doomed_files={"key": "first"},
    ),
    act(files.claim, lambda cur: files.claim(cur, "first"), doomed_files={"key": "first"}),
    act(
        files.mark_deleted,
        lambda cur: files.mark_deleted(cur, ["first"]),
        doomed_files={"key": "first"},
    ),
    act(
        reserved_uploads.fill,
        lambda cur: reserved_uploads.fill(cur, UploadId(2), file_with_id(9)),
        reserved_uploads={"id": 2},
    ),
    act(
        reserved_uploads.take,
        lambda cur: reserved_uploads.take(cur, UploadId(1), USER, CHANNEL),
        reserved_uploads={"id": 1},
    ),
    act(
        reserved_uploads.delete,
        lambda cur: reserved_uploads.delete(cur, UploadId(1), USER),
        reserved_uploads={"id": 1},
    ),
    act(
        reserved_uploads.delete_expired,
        lambda cur: reserved_uploads.delete_expired(cur, limit=9),
        reserved_uploads={"id": 1},
    ),
    act(
        pending_deletions.take,
        lambda cur: pending_deletions.take(cur, ["bans"], lease_s=9),
        pending_deletions={"id": -4},
    ),
    act(
        pending_deletions.advance,
        lambda cur: pending_deletions.advance(cur, PENDING, {"guild_id": 9}),
        pending_deletions={"id": -4},
    ),
    act(
        pending_deletions.release,
        lambda cur: pending_deletions.release(cur, -4),
        pending_deletions={"id": -4},
    ),
    act(
        pending_deletions.delete,
        lambda cur: pending_deletions.delete(cur, PENDING),
        pending_deletions={"id": -4},
    ),
    *(_swept(kind, details, touches) for kind, details, touches in SWEPT),
    act(
        workers.renew,
        lambda cur: workers.renew(cur, 1, "holder", until_ms=5, lease_s=5),
        workers={"id": 1},
    ),
    act(workers.renew, lambda cur: workers.renew(cur, 1, "other", until_ms=5, lease_s=5)),
    act(
        workers.release,
        lambda cur: workers.release(cur, 1, "holder", last_ms=5),
        workers={"id": 1},
    ),
    act(workers.release, lambda cur: workers.release(cur, 1, "other", last_ms=5)),
    act(backups.end_leases, backups.end_leases, workers={}),
]
