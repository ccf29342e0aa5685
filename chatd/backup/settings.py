"""The settings and secrets that a backup has, and writing them for a new server."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from chatd.backup.errors import BackupError
from chatd.config import SECRETS, Config, env_file_values, names
from chatd.embedded.data_dir import open_private

_SECRET_FILE = "jwt_secret"  # noqa: S105  # the name of the file in the data folder


def plain_settings() -> dict[str, str]:
    """Return the settings that `.env` and the environment set, without secrets.

    Raises ConfigError.
    """
    given = {**env_file_values(), **os.environ}
    return {name: given[name] for name in sorted(names() - set(SECRETS)) if name in given}


def secrets_of(config: Config) -> dict[str, str]:
    """Return the secrets that are set, by the names of their settings. Raises BackupError."""
    found = {name: getattr(config, name.lower()) for name in SECRETS}
    if not found["JWT_SECRET"]:
        path = config.data_dir / _SECRET_FILE
        with suppress(FileNotFoundError):
            found["JWT_SECRET"] = path.read_text().strip()
    if not found["JWT_SECRET"]:
        raise BackupError(
            "JWT_SECRET is not set here: tokens depend on it, so --with-secrets needs it"
        )
    return {name: value for name, value in found.items() if value}


def require_no_settings(folder: Path) -> None:
    """Raise BackupError if `write_settings` would overwrite a file."""
    for path in (folder / ".env", folder / "credentials"):
        if path.exists():
            raise BackupError(f"{path} exists: name an empty folder with --settings-to")


def write_settings(folder: Path, settings: dict[str, str], secrets: dict[str, str]) -> None:
    """Write `.env`, and a file for each secret in `credentials`. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    lines = [f"{name}={_quoted(value)}\n" for name, value in sorted(settings.items())]
    _write_private(folder / ".env", "".join(lines))
    if secrets:
        (folder / "credentials").mkdir(mode=0o700)
    for name, value in secrets.items():
        if name in SECRETS:
            _write_private(folder / "credentials" / name.lower(), f"{value}\n")


def write_embedded_secret(config: Config, secret: str) -> None:
    """Give the embedded servers' data folder its secret. Raises BackupError if it has another."""
    path = config.data_dir.absolute() / _SECRET_FILE
    path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
    if path.exists():
        if path.read_text().strip() != secret:
            raise BackupError(f"{path} has another secret: restore into a new CHATD_DATA_DIR")
        return
    _write_private(path, secret)


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner can read, completely or not at all. Raises OSError."""
    unfinished = path.with_name(f"{path.name}.new")
    unfinished.unlink(missing_ok=True)
    with open(unfinished, "x", opener=open_private) as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.rename(path)


def _quoted(value: str) -> str:
    """Quote a value as python-dotenv reads it."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"
