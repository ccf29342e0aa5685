"""Responses about the whole server, for its administrators."""

from __future__ import annotations

from chatd.core.reports import ReportCategory, ReportKind
from chatd.wire.json_schema import (
    BOOL,
    COUNT,
    DATETIME,
    ID,
    STRING,
    array_of,
    nullable,
    object_schema,
    one_of,
)

ADMINISTERED_ACCOUNT = object_schema(
    "AdministeredAccount",
    "An account, as administrators of the server see it.",
    {
        "id": ID,
        "username": STRING,
        "email": nullable(STRING),
        "bot": BOOL,
        "administrator": BOOL,
        "mfa_enabled": BOOL,
        "created_at": DATETIME,
        "disabled_at": nullable(DATETIME),
        "deleted_at": nullable(DATETIME),
        "last_used_at": nullable(DATETIME),
        "guilds": COUNT,
        "guilds_owned": COUNT,
        "logins": COUNT,
    },
)
ADMINISTERED_GUILD = object_schema(
    "AdministeredGuild",
    "A guild, as administrators of the server see it: nothing of its content.",
    {
        "id": ID,
        "name": STRING,
        "created_at": DATETIME,
        "owner_id": ID,
        "owner": STRING,
        "members": COUNT,
        "channels": COUNT,
        "invites": COUNT,
    },
)
WAITING_ACCOUNT = object_schema(
    "WaitingAccount",
    "An account that waits for the approval of an administrator.",
    {"id": ID, "username": STRING, "email": STRING, "requested_at": DATETIME},
)
AWAITS_APPROVAL = object_schema(
    "AwaitsApproval",
    "The account was created, and waits for the approval of an administrator.",
    {"awaits_approval": BOOL},
)
CREATED_REPORT = object_schema("CreatedReport", "The report that was made.", {"report_id": ID})
REPORT = object_schema(
    "Report",
    "A report of a message, a user or a guild, as administrators of the server see it.",
    {
        "id": ID,
        "created_at": DATETIME,
        "reporter_id": ID,
        "reporter": STRING,
        "type": one_of(*ReportKind),
        "subject_id": ID,
        "channel_id": nullable(ID),
        "guild_id": nullable(ID),
        "user_id": nullable(ID),
        "category": one_of(*ReportCategory),
        "comment": STRING,
        "evidence": {
            "type": "object",
            "additionalProperties": True,
            "description": "A copy of the message with its channel and guild, of the user, or of"
            " the guild, from the time of the report.",
        },
        "similar": COUNT,
        "resolved_at": nullable(DATETIME),
        "resolver_id": nullable(ID),
        "resolver": nullable(STRING),
        "outcome": nullable(STRING),
        "note": nullable(STRING),
    },
)
SERVER_STATISTICS = object_schema(
    "ServerStatistics",
    "Counts of the whole server, and its running instances.",
    {
        "counts": {
            "type": "object",
            "additionalProperties": COUNT,
            "description": "The same counts as `chatd stats` shows.",
        },
        "instances": array_of(
            object_schema(
                "ServerInstance",
                "A running process of the server.",
                {
                    "worker_id": COUNT,
                    "holder": STRING,
                    "host": nullable(STRING),
                    "version": nullable(STRING),
                },
            )
        ),
    },
)
LIVE_FIGURES = object_schema(
    "LiveFigures",
    "What one instance does: the one that answered. The last five count since its start.",
    {
        "worker_id": COUNT,
        "at": DATETIME,
        "connections": COUNT,
        "sessions": COUNT,
        "send_queue_bytes": COUNT,
        "database_connections": COUNT,
        "requests": COUNT,
        "errors": COUNT,
        "messages": COUNT,
        "dispatches": COUNT,
        "deliveries": COUNT,
    },
)
