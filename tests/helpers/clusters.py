"""Data folders of private Postgres servers, as copies of one that initdb has created.

initdb takes half a second of CPU time, a copy a tenth of it, and tests start about a hundred of
these servers. The processes of tests share what they copy.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chatd.db import migrations
from chatd.embedded.postgres import Postgres, running_postgres
from chatd.embedded.privileges import chown_tree
from tests.helpers.databases import create_database
from tests.helpers.memory import folder_in_memory

CLUSTER = "TESTS_CLUSTER"
"""The variable that names the copied folder to the process that forks commands."""

INITDB = "TESTS_INITDB"
"""The variable with which a test has initdb run."""

TEMPLATE = "template_of_tests"
"""The database with the current schema in a migrated cluster."""

_spawn = Postgres._spawn


@contextmanager
def copied_clusters() -> Iterator[None]:
    """Copy a data folder wherever this process and its commands would run initdb."""
    # Not a TemporaryDirectory: a process that is forked would delete it at its end.
    on_disk = Path(tempfile.mkdtemp(prefix="chatd-tests-"))
    with folder_in_memory(on_disk) as folder:
        folder.chmod(0o755)  # the account of the servers reads it
        os.environ[CLUSTER] = str(folder / "cluster")
        copy_cluster(folder / "cluster")
        try:
            yield  # processes that are forked now use the folder, too
        finally:
            Postgres._spawn = _spawn  # type: ignore[method-assign]
            del os.environ[CLUSTER]
            shutil.rmtree(on_disk)


def copy_cluster(cluster: Path) -> None:
    """Let private Postgres servers of this process copy a cluster, which the first one creates."""

    def spawn(self: Postgres, command: list[str], *, death_signal: str) -> subprocess.Popen[bytes]:
        if Path(command[0]).name == "initdb" and INITDB not in os.environ:
            if not cluster.exists():
                _create(self, command, cluster)
            if self._account is None or self._account.uid == cluster.stat().st_uid:
                command = ["/bin/cp", "-R", "-p", f"{cluster}/.", _target(command)]
        return _spawn(self, command, death_signal=death_signal)

    Postgres._spawn = spawn  # type: ignore[assignment]


def copy_migrated_cluster(target: Path) -> None:
    """Create a data folder with the database `TEMPLATE`. The first process creates the original."""
    shared = Path(os.environ[CLUSTER]).parent
    made = shared / "migrated"
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            folder = Path(tempfile.mkdtemp(prefix="new-", dir=shared))
            folder.chmod(0o755)
            with running_postgres(folder) as server:
                migrations.apply(create_database(server, TEMPLATE))
            (folder / "postgres").rename(made)
    subprocess.run(["/bin/cp", "-R", "-p", made, target], check=True)


def _create(server: Postgres, command: list[str], cluster: Path) -> None:
    """Create the cluster under another name, since another process may be doing so, too."""
    fresh = Path(tempfile.mkdtemp(prefix="new-", dir=cluster.parent))
    chown_tree(fresh, server._account)
    target = _target(command)
    command = [str(fresh) if word == target else word for word in command]
    assert _spawn(server, command, death_signal="KILL").wait() == 0, server.log_file.read_text()
    with contextlib.suppress(OSError):
        fresh.rename(cluster)
        return
    shutil.rmtree(fresh)


def _target(command: list[str]) -> str:
    return command[command.index("-D") + 1]
