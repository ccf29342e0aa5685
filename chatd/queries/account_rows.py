"""All rows of an account, of whatever table, for its export.

Tables are read in ranges of pages, so that each statement is short, whether or not an index fits.
That needs one database snapshot: otherwise a row that is updated could move past the range.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chatd.core.audit import AuditAction
from chatd.core.ids import UserId
from chatd.core.models import MessageType
from chatd.db.cursor import Cursor

PAGES = 2000
"""Pages of 8 KiB that one statement reads. Measured: 20 ms with most rows of others."""

ROWS = 500
"""Rows that one statement returns. A message with embeds has up to 40 KB."""

IDLE_TIMEOUT_S = 600
"""How long the transaction may wait between two statements, while a file is copied."""


@dataclass(frozen=True, slots=True)
class AccountTable:
    """Which rows of a table belong to an account."""

    condition: str
    """SQL, with the user as %(user_id)s."""
    secrets: tuple[str, ...] = ()
    """Columns that are left out: a thief of the archive could use them to log in, or they are for
    moderators or administrators, who may have written them after the person lost that right."""


def _own(column: str = "user_id", *secrets: str) -> AccountTable:
    return AccountTable(f"{column} = %(user_id)s", secrets)


# What AutoModeration has done about an account names the account as its actor and author. It is for
# the moderators of the guild, as the names and the words of its rules are.
_ALERT = MessageType.AUTO_MODERATION_ACTION
_BY_RULES = (
    f"{AuditAction.AUTO_MODERATION_BLOCK_MESSAGE:d}"
    f" AND {AuditAction.AUTO_MODERATION_USER_COMMUNICATION_DISABLED:d}"
)

TABLES: Mapping[str, AccountTable] = {
    "users": _own("id", "password_hash", "random_password_hash"),
    "logins": _own(),
    "passkeys": _own(),
    "totp_secrets": _own("user_id", "secret"),
    "recovery_codes": _own("user_id", "code_hash"),
    "oidc_identities": _own(),
    "registration_requests": _own(),
    "mails": _own("user_id", "token_id"),
    "relationships": _own(),
    "user_notes": _own(),
    "user_settings": _own(),
    "user_settings_protos": _own(),
    "user_guild_settings": _own(),
    "removed_mentions": _own(),
    "read_states": _own(),
    "guild_members": _own(),
    "member_roles": _own(),
    "temporary_members": _own(),
    "kept_timeouts": _own(),
    "bans": _own("user_id", "reason"),
    "guilds": _own("owner_id"),
    "channels": _own("owner_id"),
    "dm_recipients": AccountTable(
        "channel_id IN (SELECT channel_id FROM dm_recipients WHERE user_id = %(user_id)s)"
    ),
    "overwrites": AccountTable("type = 1 AND target_id = %(user_id)s"),
    "invites": _own("inviter_id"),
    "registration_invitations": _own("created_by"),
    "applications": _own("owner_id"),
    "user_integrations": _own(),
    "guild_integrations": _own("added_by"),
    "webhooks": _own("creator_id", "name", "avatar", "channel_id", "source_channel_id"),
    "audit_logs": AccountTable(f"user_id = %(user_id)s AND action_type NOT BETWEEN {_BY_RULES}"),
    "auto_moderation_rules": _own(
        "creator_id",
        *("name", "event_type", "trigger_type", "trigger_metadata"),
        *("actions", "enabled", "exempt_roles", "exempt_channels"),
    ),
    "reports": _own("reporter_id", "evidence", "note", "resolver_id", "claimed_until"),
    "messages": AccountTable(
        f"author_id = %(user_id)s AND origin ->> 'name' IS NULL AND type <> {_ALERT:d}"
    ),
    "attachments": AccountTable(
        """owner_id = %(user_id)s
           AND NOT EXISTS (SELECT FROM messages
                            WHERE messages.channel_id = attachments.channel_id
                              AND messages.id = attachments.message_id
                              AND messages.origin ->> 'name' IS NOT NULL)"""
    ),
    "reactions": _own(),
    "ephemeral_messages": AccountTable("%(user_id)s IN (user_id, author_id)"),
    "ephemeral_attachments": _own("owner_id"),
    "reserved_uploads": _own("owner_id"),
    "imported_users": _own(),
    "user_exports": _own(),
}
"""The tables with rows of accounts, in the order of the archive.

A message with a name in its origin is that of a webhook, which an imported account may have the id
of, if the webhook was deleted before.
"""

LEFT_OUT: Mapping[str, str] = {
    "dm_pairs": "says the same as dm_recipients",
    "nonces": "for minutes, to recognize a message that is sent again",
    "slow_modes": "for hours, to delay messages",
    "uploads": "files that no message has; they are deleted within a day",
    "mfa_tickets": "secrets of logins that are not finished, for minutes",
    "mail_tokens": "secrets in the links of mails, for days",
    "oidc_attempts": "secrets of logins that are not finished, for minutes",
    "oidc_handoffs": "secrets of logins that are not finished, for minutes",
    "account_claims": "a secret that makes an account a person's",
}
"""Tables with a column of a user whose rows are not in the archive, and why."""


async def begin(cur: Cursor) -> None:
    """Read from one database snapshot until the transaction of `cur` ends."""
    await cur.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    await cur.execute(f"SET LOCAL idle_in_transaction_session_timeout = '{IDLE_TIMEOUT_S}s'")


async def pages(cur: Cursor, table: str) -> int:
    """Return the size of a table in pages."""
    await cur.execute(
        "SELECT pg_relation_size(to_regclass(%(table)s)) / current_setting('block_size')::int",
        {"table": table},
    )
    row = await cur.fetchone()
    return int(row[0] or 0) if row else 0


async def read(
    cur: Cursor, table: str, user_id: UserId, *, first_page: int, after: str | None
) -> tuple[list[str], str | None]:
    """Return rows of an account in a range of PAGES pages of a table, as JSON texts.

    At most ROWS. Also returns the place to continue after; None at the end of the range.
    """
    spec = TABLES[table]
    await cur.execute(
        f"""
        WITH found AS MATERIALIZED (
            SELECT ctid AS place FROM {table}
             WHERE ctid >= %(first)s::tid AND ctid < %(end)s::tid
               AND (%(after)s::tid IS NULL OR ctid > %(after)s::tid) AND {spec.condition}
          ORDER BY ctid
             LIMIT %(limit)s
        )
        SELECT place::text, (to_jsonb(own) - %(secrets)s::text[])::text
          FROM found JOIN {table} AS own ON own.ctid = place
      ORDER BY found.place
        """,
        {
            "user_id": user_id,
            "secrets": list(spec.secrets),
            "first": f"({first_page},0)",
            "end": f"({first_page + PAGES},0)",
            "after": after,
            "limit": ROWS,
        },
    )
    rows = await cur.fetchall()
    return [row[1] for row in rows], rows[-1][0] if len(rows) == ROWS else None
