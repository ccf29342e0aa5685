"""Runs `chatd check`, and simulates instances for it."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from tests.cli.conftest import Chatd


async def check(chatd: Chatd, *words: str) -> tuple[int, list[dict[str, Any]]]:
    """Run chatd check. Returns its exit code and the findings with a problem."""
    said = await asyncio.to_thread(chatd.run, "check", "--json", *words)
    assert said.complaints == ""
    found = json.loads(said.output)
    bad = [each for each in found if each["state"] != "ok" and each["subject"] != "limits"]
    assert all(each["remedy"] for each in bad)
    return said.code, bad


async def only_problem(chatd: Chatd, code: int) -> dict[str, Any]:
    """Return the only finding with a problem."""
    ended, bad = await check(chatd)
    assert ended == code
    assert len(bad) == 1, bad
    [found] = bad
    return found


def has_ipv6() -> bool:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        return False
    return True


def execute(url: str, statement: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cur:
        cur.execute(statement)
    connection.close()


@contextmanager
def silent_port() -> Iterator[int]:
    """Yield a port that accepts connections and never responds, as if chatd was down."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        yield held.getsockname()[1]


@contextmanager
def holding(url: str, worker_id: int, *, at: str | None, host: str = "") -> Iterator[None]:
    """Hold a WORKER_ID like an instance that has registered this URL, or like an older one."""
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cur:
        cur.execute("SELECT pg_advisory_lock(%s, %s)", (0x63686174, worker_id))
        cur.execute("INSERT INTO workers VALUES (%s, 'process 7 on earth', 0)", (worker_id,))
        # The row of an earlier holder of the id, which is ignored.
        holder = "process 7 on earth" if at is not None else "process 6 on earth"
        cur.execute(
            "INSERT INTO instances VALUES (%s, %s, %s, '0.0.1', %s, NULL)",
            (worker_id, holder, host or socket.gethostname(), at or "http://127.0.0.1:1"),
        )
    yield
    connection.close()
