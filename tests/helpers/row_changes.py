"""How many rows transactions change, cascades and triggers included, as Postgres counts them."""

from __future__ import annotations

from typing import Any

import pytest

from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.db.transaction import Transaction


class RowChanges:
    """The largest number of rows that a transaction or statement has changed."""

    def __init__(self) -> None:
        self.most = 0
        self.by = ""
        self.total = 0

    def note(self, count: int, by: str) -> None:
        self.total += count
        if count > self.most:
            self.most, self.by = count, by


def record_row_changes(monkeypatch: pytest.MonkeyPatch) -> RowChanges:
    """Count the rows that this process changes from now on."""
    seen = RowChanges()
    ours: list[Transaction] = []
    commit, execute = Transaction.commit, Cursor.execute

    async def counted_commit(self: Transaction, last: str = "", parameters: Any = None) -> None:
        if self.has_begun and any(each is self for each in ours):
            await execute(
                self.cur,
                "SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables"
                " WHERE n_tup_ins + n_tup_upd + n_tup_del > 0",
            )
            tables = {row[0]: int(row[1]) for row in await self.cur.fetchall()}
            seen.note(sum(tables.values()), str(tables))
        await commit(self, last, parameters)

    async def counted_execute(
        self: Cursor, sql: str, parameters: Any = None, **options: Any
    ) -> None:
        await execute(self, sql, parameters, **options)
        if sql.lstrip().startswith("DELETE"):
            seen.note(self.rowcount, sql)

    begin = Database.begin

    async def counted_from_here(self: Database, **options: Any) -> Transaction:
        """Count transactions that begin from now on.

        The statistics of a running transaction contain changes that its connection has not
        reported yet: those of the setup of the scene.
        """
        transaction = await begin(self, **options)
        await transaction.cur._connection.execute(
            transaction.cur._inner, "SELECT pg_stat_force_next_flush()"
        )
        ours.append(transaction)
        return transaction

    monkeypatch.setattr(Database, "begin", counted_from_here)
    monkeypatch.setattr(Transaction, "commit", counted_commit)
    monkeypatch.setattr(Cursor, "execute", counted_execute)
    return seen
