"""The data folder: its lock, the generated secret, and the URLs of the servers for commands."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from chatd.config import Config
from chatd.embedded.errors import DataDirInUse, EmbeddedError
from chatd.setting_checks import JWT_SECRET_MIN_LENGTH

_SHARED_FILE = "servers.json"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Lock the data folder. The lock ends with the process, however it ends.

    Raises DataDirInUse.
    """
    path = folder / "chatd.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise DataDirInUse(f"another chatd is already using {folder} (pid {holder})") from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def require_unused(data_dir: Path) -> None:
    """Raise DataDirInUse if another chatd uses the data folder."""
    folder = data_dir.absolute()
    if folder.is_dir():
        with locked(folder):
            pass


def load_secret(path: Path) -> str:
    """Return the secret in a file that only its owner can read. The first call generates it.

    Raises EmbeddedError.
    """
    if not path.exists():
        unfinished = path.with_name(f"{path.name}.new")
        unfinished.unlink(missing_ok=True)
        with open(unfinished, "x", opener=open_private) as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(path)
        fsync_folder(path.parent)
    secret = path.read_text().strip()
    if len(secret) < JWT_SECRET_MIN_LENGTH:
        raise EmbeddedError(
            f"{path} is damaged; delete it to create a new one; all users must log in again"
        )
    return secret


def open_private(path: str, flags: int) -> int:
    """Open a file that only its owner can read. For the `opener` of `open`."""
    return os.open(path, flags, mode=0o600)


def fsync_folder(folder: Path) -> None:
    """Make renames into a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def shared(config: Config) -> Iterator[None]:
    """Share the URLs of the servers with commands of the same user, while the context is open."""
    path = config.data_dir.absolute() / _SHARED_FILE
    unfinished = path.with_name(f"{path.name}.new")
    try:
        unfinished.unlink(missing_ok=True)
        with open(unfinished, "x", opener=open_private) as file:
            json.dump({"database_url": config.database_url, "redis_url": config.redis_url}, file)
        unfinished.rename(path)
        yield
    finally:
        path.unlink(missing_ok=True)


def remove_shared(folder: Path) -> None:
    """Delete the URLs that a killed process has left behind."""
    (folder / _SHARED_FILE).unlink(missing_ok=True)


def read_shared(config: Config) -> Config | None:
    """Complete the config with the servers that another chatd shares; None while it starts.

    Raises EmbeddedError if another user runs it.
    """
    path = config.data_dir.absolute() / _SHARED_FILE
    try:
        urls = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise EmbeddedError(f"cannot read {path}: {error}; run as the user of the server") from None
    return replace(
        config,
        database_url=config.database_url or urls["database_url"],
        redis_url=config.redis_url or urls["redis_url"],
    )
