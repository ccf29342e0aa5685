"""Accounts and guilds that are copies of rows: one statement instead of up to seven requests.

Most tests begin with people in a guild. The requests that create them took half of the CPU time of
these tests. So only the first accounts and the first guild of a server are created by requests.
All others are copies of the rows that these requests left, with other ids, names, tokens and times.
Requests emit events as well; no client receives those of accounts that were never connected.

`tests/test_row_copies.py` compares copies with what requests create.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from chatd.auth import tokens
from chatd.context.dependencies import Dependencies
from chatd.core.ids import LoginId, UserId
from chatd.db.cursor import Cursor, PreparedStatement
from chatd.db.pool import Database

Rows = dict[str, list[dict[str, Any]]]
"""Rows by table, as JSON objects."""

ACCOUNT = {
    "streams": "id = %(id)s",
    "users": "id = %(id)s",
    "logins": "user_id = %(id)s",
    "refresh_tokens": "login_id IN (SELECT id FROM logins WHERE user_id = %(id)s)",
}
"""The rows of a new account: a condition for each table."""

GUILD = {
    "streams": "id = %(id)s",
    "guilds": "id = %(id)s",
    "roles": "guild_id = %(id)s",
    "channels": "guild_id = %(id)s",
    "guild_members": "guild_id = %(id)s",
    "audit_logs": "guild_id = %(id)s",
    "invites": "guild_id = %(id)s",
}
"""The rows of a new guild: a condition for each table."""

_INSERTS = ", ".join(
    f"""
    inserted_{table} AS (
        INSERT INTO {table}
        SELECT * FROM jsonb_populate_recordset(NULL::{table}, (SELECT rows->'{table}' FROM given))
    )
    """
    for table in ACCOUNT | GUILD
)
_INSERT = PreparedStatement(
    f"WITH given (rows) AS (SELECT %(rows)s), {_INSERTS} SELECT 1", rows="jsonb"
)

_ID = re.compile(r"\b\d{17,20}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+\+00:00")
_PLAIN_NAME = re.compile(r"[a-z0-9_.]+")
_ALPHABET = string.ascii_letters + string.digits
_JOIN_STEP = timedelta(milliseconds=1)
"""Between the joins of members, because their times order them."""


@dataclass(frozen=True)
class Originals:
    """What requests have created: an account and its guild.

    The guild has an invite, and a second member that has accepted it.
    """

    owner_id: str
    username: str
    refresh_token: str
    guild_id: str
    guild_name: str
    general_id: str
    member_id: str
    invite_code: str


@dataclass(frozen=True)
class AccountCopy:
    """What the response to a registration contains."""

    id: str
    access_token: str
    refresh_token: str


@dataclass(frozen=True)
class GuildCopy:
    """A guild and its first channel."""

    id: str
    general_id: str
    values: dict[str, str]
    """Values of the original, and what the copy has in their place."""


def is_plain(username: str) -> bool:
    """Return whether a name is stored as it is, without normalization."""
    return _PLAIN_NAME.fullmatch(username) is not None


class _Template:
    """Rows, and the values in them that differ in each copy: ids, times and others."""

    def __init__(self, rows: Rows, read_at: datetime, *others: str) -> None:
        self._text = orjson.dumps(rows).decode()
        self._ids = sorted({*_ID.findall(self._text)}, key=int)  # in the order of their creation
        self._ages = {
            each: read_at - datetime.fromisoformat(each) for each in _TIME.findall(self._text)
        }
        changing = (*self._ids, *self._ages, *others)
        self._changing = re.compile("|".join(map(re.escape, changing)))

    def missing(self, values: Mapping[str, str]) -> list[str]:
        """Return the ids that have no other value yet."""
        return [each for each in self._ids if each not in values]

    def copy(self, values: Mapping[str, str], now: datetime) -> Rows:
        """Return the rows with other values, and as old as they were when they were read."""
        times = {each: (now - age).isoformat() for each, age in self._ages.items()}
        replaced = {**values, **times}
        text = self._changing.sub(lambda found: replaced[found.group()], self._text)
        rows: Rows = orjson.loads(text)
        return rows


class RowCopies:
    """Creates accounts and guilds in the database of one server."""

    @classmethod
    async def of(
        cls, originals: Originals, dependencies: Dependencies, database: Database
    ) -> RowCopies:
        """Read the rows of the originals."""
        async with database.cursor() as cur:
            account = await _read(cur, ACCOUNT, originals.owner_id)
            guild = await _read(cur, GUILD, originals.guild_id)
        return cls(originals, account, guild, dependencies, database)

    def __init__(
        self,
        originals: Originals,
        account: Rows,
        guild: Rows,
        dependencies: Dependencies,
        database: Database,
    ) -> None:
        self.originals = originals
        self.snowflakes = dependencies.snowflakes
        self.access_tokens = dependencies.access_tokens
        self._database = database
        owner, member = sorted(guild["guild_members"], key=lambda row: str(row["joined_at"]))
        changed, invited = sorted(guild["audit_logs"], key=lambda row: int(row["id"]))
        now = datetime.now(UTC)
        hashed = _hash(originals.refresh_token)
        self.account = _Template(account, now, originals.username, hashed)
        created = {**guild, "guild_members": [owner], "audit_logs": [changed], "invites": []}
        self.guild = _Template(created, now, originals.guild_name)
        invite = {"audit_logs": [invited], "invites": guild["invites"]}
        self.invite = _Template(invite, now, originals.invite_code)
        self.member = _Template({"guild_members": [member]}, now)

    def begin(self) -> Batch:
        """Return a batch without rows."""
        return Batch(self)

    async def insert(self, rows: Rows) -> None:
        """Insert rows of all tables in one statement."""
        async with self._database.cursor() as cur:
            await cur.run(_INSERT, {"rows": orjson.dumps(rows).decode()})


class Batch:
    """Copies that are inserted together. Their ids have the order of the calls."""

    def __init__(self, copies: RowCopies) -> None:
        self._copies = copies
        self._rows = Rows()
        self._now = datetime.now(UTC)

    def account(self, username: str) -> AccountCopy:
        """Add an account with this name and an address at example.org."""
        copies, original = self._copies, self._copies.originals
        refresh_token = tokens.new_refresh_token()
        values = {
            original.username: username,
            _hash(original.refresh_token): _hash(refresh_token),
        }
        self._add(copies.account, values)
        user_id = UserId(self._rows["users"][-1]["id"])
        login_id = LoginId(self._rows["logins"][-1]["id"])
        access_token = copies.access_tokens.issue(user_id, login_id)
        return AccountCopy(str(user_id), access_token, refresh_token)

    def guild(self, name: str, owner_id: str) -> GuildCopy:
        """Add a guild."""
        original = self._copies.originals
        values = {original.owner_id: owner_id, original.guild_name: name}
        self._add(self._copies.guild, values)
        return GuildCopy(values[original.guild_id], values[original.general_id], values)

    def join(self, guild: GuildCopy, member_ids: Sequence[str]) -> None:
        """Add members that have accepted a new invite of the owner of a guild."""
        original, values = self._copies.originals, guild.values
        values[original.invite_code] = "".join(
            secrets.choice(_ALPHABET) for _ in original.invite_code
        )
        self._add(self._copies.invite, values)
        self._rows["invites"][-1]["uses"] = len(member_ids)
        for left, member_id in enumerate(reversed(member_ids)):
            values[original.member_id] = member_id
            self._add(self._copies.member, values, older=left * _JOIN_STEP)

    def _add(
        self, template: _Template, values: dict[str, str], *, older: timedelta = timedelta(0)
    ) -> None:
        """Add a copy with these values, and its ids to `values`."""
        for each in template.missing(values):
            values[each] = str(self._copies.snowflakes.next())
        for table, copied in template.copy(values, self._now - older).items():
            self._rows.setdefault(table, []).extend(copied)

    async def insert(self) -> None:
        """Insert the copies."""
        await self._copies.insert(self._rows)


def _hash(refresh_token: str) -> str:
    """Return the stored hash as Postgres writes it in JSON."""
    return tokens.hash_refresh_token(refresh_token).hex()


async def _read(cur: Cursor, conditions: Mapping[str, str], of: str) -> Rows:
    rows = Rows()
    for table, condition in conditions.items():
        await cur.execute(
            f"SELECT to_jsonb({table}) FROM {table} WHERE {condition}", {"id": int(of)}
        )
        rows[table] = [row for [row] in await cur.fetchall()]
    return rows
