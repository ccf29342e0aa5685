"""Statements that change or delete rows touch exactly those rows, and none of their neighbors.

`acts` has an entry for each such function of `chatd.queries`: how it is called, and which rows of
the scene it may touch. Each call runs in a transaction that is rolled back.
"""

from __future__ import annotations

import ast
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import psycopg2
import pytest

from chatd import queries
from chatd.db.cursor import Cursor
from chatd.db.pool import Database
from chatd.queries import (
    search_upkeep,
)
from tests.helpers.databases import NewDatabase
from tests.queries import scene
from tests.queries.acts import ACTS
from tests.queries.acts.act import Act
from tests.queries.scene.values import Row

ONE_OF = {search_upkeep.delete_orphans: "stream_id"}
"""Functions that choose the rows themselves, and the column that identifies a choice."""


@pytest.fixture(scope="module")
def connection(
    migrated_database: NewDatabase,
) -> Iterator[psycopg2.extensions.connection]:
    url = migrated_database("neighbors")
    opened = psycopg2.connect(url)
    scene.fill(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def rows(connection: psycopg2.extensions.connection) -> dict[str, list[Row]]:
    return scene.snapshot(connection)


@pytest.fixture(scope="module")
async def database(connection: psycopg2.extensions.connection) -> AsyncIterator[Database]:
    parameters = connection.get_dsn_parameters()
    url = " ".join(f"{key}='{parameters[key]}'" for key in ("host", "port", "dbname", "user"))
    opened = Database(url, size=1)
    await opened.open()
    yield opened
    await opened.close()


async def _touched_by(
    database: Database, call: Callable[[Cursor], Awaitable[object]]
) -> list[tuple[str, Row]]:
    work = await database.begin()
    try:
        await call(work.cur)
        await work.cur.execute("SELECT tbl, old FROM touched")
        return [(table, old) for table, old in await work.cur.fetchall()]
    finally:
        await work.rollback()


def _named(acts: Iterable[Act]) -> list[Any]:
    return [pytest.param(each, id=_name(each.covers)) for each in acts]


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__.rpartition('.')[2]}.{function.__name__}"


@pytest.mark.parametrize("each", _named(ACTS))
async def test_statement_touches_its_own_rows_and_no_neighbors(
    each: Act, database: Database, rows: dict[str, list[Row]]
) -> None:
    own = [
        (table, row)
        for table, patterns in each.touches.items()
        for row in rows[table]
        if any(pattern.items() <= row.items() for pattern in patterns)
    ]
    touched: list[tuple[str, Row]] = []
    for table, old in await _touched_by(database, each.call):
        if old in rows[table] and (table, old) not in touched:  # not a row that it has inserted
            touched.append((table, old))
    assert sorted(touched, key=repr) == sorted(own, key=repr)
    for table, patterns in each.touches.items():
        count = sum(name == table for name, _ in own)
        assert count, f"the scene has no such row in {table}"
        assert count < len(rows[table]) or patterns == [{}], f"no neighbor in {table}"


async def test_deleted_segments_are_of_one_deleted_stream(
    database: Database, rows: dict[str, list[Row]]
) -> None:
    touched = await _touched_by(database, search_upkeep.delete_orphans)
    keys = {(old["stream_id"], old["segment"]) for _, old in touched}
    assert len(keys) == 1
    assert keys <= {(stream, n) for stream in (900, 901) for n in (0, 1)}
    assert sorted(table for table, _ in touched) == [
        "search_documents",
        "search_postings",
        "search_segments",
    ]


_CHANGES = re.compile(r"(?<!DO )(?<!KEY )(?<!FOR )\bUPDATE\s+\w|\bDELETE\s+FROM\b")


def _changing() -> set[str]:
    """Return the functions of `chatd.queries` with a statement that changes or deletes rows."""
    found = set()
    for path in Path(queries.__path__[0]).glob("*.py"):
        tree = ast.parse(path.read_text())
        constants = {
            target.id: _strings(node)
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        for node in tree.body:
            if isinstance(node, ast.AsyncFunctionDef | ast.FunctionDef):
                used = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
                text = _strings(node) + " ".join(constants.get(name, "") for name in used)
                if _CHANGES.search(text):
                    found.add(f"{path.stem}.{node.name}")
    return found


def _strings(node: ast.AST) -> str:
    return " ".join(
        each.value
        for each in ast.walk(node)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    )


def test_every_changing_statement_is_in_the_table() -> None:
    covered = {_name(each.covers) for each in ACTS} | {_name(each) for each in ONE_OF}
    assert _changing() == covered, "each has an act in tests/queries/acts"
    for name in covered:  # not a function of another module with the same name
        module, _, function = name.partition(".")
        assert hasattr(import_module(f"chatd.queries.{module}"), function)
