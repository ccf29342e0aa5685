"""A rolling restart, and an upgrade: no request is refused, and every session is resumed.

As under systemd, the ports of the instances stay open while they restart, and clients do not know
which instance does. Each request is made once, on connections that are kept open.
"""

from __future__ import annotations

import asyncio
import itertools
import random
import secrets
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp

from tests.conftest import repository
from tests.helpers.instances import Instance
from tests.history.environment import Cluster
from tests.history.listener import RETRY_S, TRANSPORTS, Listener
from tests.history.record import Sent
from tests.history.scenario import settle

_TRAFFIC = 8  # clients that read and write all the time
_TIMEOUT_S = 30.0

# Migrations that the next version may have, on tables that are being written to.
_NEXT_MIGRATIONS = {
    "0098_next": """
        CREATE TABLE next_things (id bigint PRIMARY KEY, message_id bigint NOT NULL);
        ALTER TABLE messages ADD COLUMN next_note text;
        ALTER TABLE users ADD COLUMN next_flags integer NOT NULL DEFAULT 0;
        ALTER TABLE guild_members ADD COLUMN next_since timestamptz;
    """,
    "0099_next_index": """-- transactional: false
        CREATE INDEX CONCURRENTLY IF NOT EXISTS next_messages ON messages (author_id, id);
    """,
}


class ApiClient:
    """A client of the API that reads and writes. A request that fails once has failed for good."""

    def __init__(self, cluster: Cluster, token: str) -> None:
        self._stage = cluster
        self._headers = {"Authorization": f"Bearer {token}"}
        self._stopped = False
        self.failed: list[str] = []
        self.longest_s = 0.0
        self.reads = 0
        self.writes = 0

    def stop(self) -> None:
        """Make no more requests after the present one."""
        self._stopped = True

    async def run(self) -> None:
        """Make requests until stopped."""
        timeout = aiohttp.ClientTimeout(None)
        async with aiohttp.ClientSession(headers=self._headers, timeout=timeout) as http:
            while not self._stopped:
                began = time.monotonic()
                try:
                    await random.choice((self._write, self._read, self._read, self._read))(
                        http, began
                    )
                except (aiohttp.ClientError, TimeoutError) as error:
                    self.failed.append(repr(error))
                self.longest_s = max(self.longest_s, time.monotonic() - began)
                await asyncio.sleep(random.random() * 0.16)

    async def _write(self, http: aiohttp.ClientSession, began: float) -> None:
        channel = random.choice(self._stage.channels)
        path = f"/channels/{channel}/messages"
        content = secrets.token_hex(12)
        body = {"content": content}
        instance = random.choice(self._stage.instances)
        async with (
            instance.up_for_at_most(_TIMEOUT_S),
            http.post(instance.url + path, json=body) as answer,
        ):
            made = await answer.json()
            if answer.status == 200:
                sent = Sent(int(made["id"]), channel, content, began, time.monotonic())
                self._stage.history.sent.append(sent)
            else:
                self.failed.append(f"POST {path}: {answer.status} {made}")
        self.writes += 1

    async def _read(self, http: aiohttp.ClientSession, _: float) -> None:
        path = f"/channels/{random.choice(self._stage.channels)}/messages?limit=10"
        instance = random.choice(self._stage.instances)
        async with (
            instance.up_for_at_most(_TIMEOUT_S),
            http.get(instance.url + path) as answer,
        ):
            found = await answer.json()
            if answer.status != 200:
                self.failed.append(f"GET {path}: {answer.status} {found}")
        self.reads += 1


def build_next_version(folder: Path) -> Path:
    """A copy of chatd with two migrations more: what to put before PYTHONPATH."""
    place = folder / "next"
    for part in ("chatd", "sql"):
        shutil.copytree(
            repository() / part, place / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    for name, text in _NEXT_MIGRATIONS.items():
        (place / "sql" / f"{name}.sql").write_text(text)
    return place


def upgrade(instance: Instance, version: Path) -> None:
    """Let an instance run a version of chatd from its next start on."""
    before = instance.environment["PYTHONPATH"]
    instance.environment["PYTHONPATH"] = f"{version}:{before}"


async def migrate(instance: Instance) -> str:
    """Run `chatd migrate` as the instance would; returns what it says."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "chatd", "migrate"),
        cwd=instance.folder,
        env=instance.environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    assert process.returncode == 0, said.decode()
    return said.decode()


async def restart_all(
    cluster: Cluster,
    *,
    sockets: int,
    version: Path | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> list[str]:
    """Restart the instances one by one while clients listen, read and write; return the violations.

    With a `version`, it is migrated to first, and each restart upgrades an instance to it. No
    session may be invalidated, and no request may fail.
    """
    history = cluster.history
    whose = itertools.islice(
        zip(itertools.cycle(cluster.tokens), itertools.cycle(TRANSPORTS), strict=False), sockets
    )
    listeners = [
        Listener(cluster.instances, token, history, transport=transport)
        for token, transport in whose
    ]
    traffic = [ApiClient(cluster, token) for token in cluster.tokens * _TRAFFIC][:_TRAFFIC]
    async with asyncio.TaskGroup() as tasks:
        listening = [tasks.create_task(each.run()) for each in listeners]
        while not all(each.epochs for each in listeners):
            await asyncio.sleep(RETRY_S)
        report(f"{sockets} sessions are ready")
        asking = [tasks.create_task(each.run()) for each in traffic]
        await asyncio.sleep(1)
        if version is not None:
            for instance in cluster.instances:
                upgrade(instance, version)
            report(await migrate(cluster.instances[0]))
        for instance in cluster.instances:
            await asyncio.sleep(1)
            report(await _restart(instance, listeners, history.counts))
        await asyncio.sleep(1)
        for client in traffic:
            client.stop()
        await asyncio.wait(asking)
        await settle(cluster, listeners)
        for task in listening:
            task.cancel()
    reads, writes = sum(each.reads for each in traffic), sum(each.writes for each in traffic)
    failed = [text for each in traffic for text in each.failed]
    longest_s = max(each.longest_s for each in traffic)
    report(
        f"{reads} reads and {writes} writes, {len(failed)} failed;"
        f" the longest of them waited {longest_s:.1f} s"
    )
    history.counts["requests"] = reads + writes
    invalidated = history.counts["invalidated sessions"]
    problems = [f"{invalidated} sessions were invalidated"] if invalidated else []
    return problems + failed + history.problems(await cluster.stored())


async def _restart(instance: Instance, listeners: list[Listener], counts: dict[str, int]) -> str:
    """Restart an instance; return how long it took until all its clients had resumed."""
    resumes, began = counts["resumes"], time.monotonic()
    served = sum(each.is_connected_to(instance) for each in listeners)
    await instance.end(signal.SIGTERM)
    stopped_s = time.monotonic() - began
    await instance.start()
    started_s = time.monotonic() - began
    while counts["resumes"] < resumes + served and time.monotonic() < began + 60:
        await asyncio.sleep(RETRY_S)
    resumed_s = time.monotonic() - began
    return (
        f"instance {instance.number} with {served} sessions: stopped in {stopped_s:.1f} s,"
        f" served again after {started_s:.1f} s, all resumed after {resumed_s:.1f} s"
    )
