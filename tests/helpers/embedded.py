"""Private servers in tests: queries, processes, and other instances on a data folder."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
import redis

from chatd.config import Config

Bare = Callable[[Path], Config]

ends_with_parent = pytest.mark.skipif(
    sys.platform != "linux" or shutil.which("setpriv") is None,
    reason="this system cannot end a child with its parent",
)


def asked(url: str, query: str) -> Any:
    """Return the first value of a query, if there is one."""
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cur:
            cur.execute(query)
            return cur.fetchone()[0] if cur.description else None
    finally:
        connection.close()


def pinged(url: str) -> bool:
    with redis.Redis.from_url(url) as client:
        return bool(client.ping())


def servers_of(folder: Path) -> list[psutil.Process]:
    """Return the server processes that use a folder, including backends."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.cwd().startswith(str(folder.resolve())):
                found.append(process)
    return found


def gone(processes: list[psutil.Process], *, within_s: float = 15.0) -> bool:
    """Wait until these processes have ended. Zombies count as ended."""
    deadline = time.monotonic() + within_s
    while left := [process for process in processes if lives(process)]:
        if time.monotonic() > deadline:
            print(left)
            return False
        time.sleep(0.02)
    return True


def lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def another_chatd(folder: Path, *, lines: str = "") -> subprocess.Popen[str]:
    """Start another process with private servers on a folder. It prints `ready`.

    `lines` are additional code, which can use `config`, the bare settings.
    """
    code = f"""
        import time
        from dataclasses import replace
        from pathlib import Path
        from chatd.embedded import server
        from chatd.embedded.lifecycle import private_servers
        from chatd.config import load
        config = replace(load(embedded=True, directory=Path("/")), data_dir=Path({str(folder)!r}))
        config = replace(config, database_url="", redis_url="", jwt_secret="")
    """
    serving = """
        with private_servers(config):
            print("ready", flush=True)
            time.sleep(600)
    """
    text = "\n".join(map(textwrap.dedent, (code, lines, serving)))
    return subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)


@contextlib.contextmanager
def killed_when_ready(folder: Path, *, lines: str = "") -> Iterator[None]:
    """Run another chatd on a folder, and kill it as soon as it is ready."""
    with another_chatd(folder, lines=lines) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
        other.kill()
    yield


def kill_main(folder: Path) -> None:
    """Kill the main server process of a folder."""
    found = {process.pid: process for process in servers_of(folder)}
    [main] = [process for process in found.values() if process.ppid() not in found]
    main.kill()
    main.wait(10)


def answers(config: Config) -> bool:
    """Return whether both servers respond."""
    try:
        return bool(asked(config.database_url, "SELECT 1") == 1 and pinged(config.redis_url))
    except (psycopg2.Error, redis.RedisError):
        return False
