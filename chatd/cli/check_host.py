"""Checks of this machine: settings, versions, disk, permissions, limits."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import shutil
import socket
import stat
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import chatd
from chatd.cli.finding import Finding, ok
from chatd.config import (
    Config,
    ConfigError,
    env_file,
    env_file_values,
    load,
    suspect_names,
)
from chatd.queries.statistics import Instance
from chatd.runtime import interpreter
from chatd.storage.paths import nearest_existing, path_exists

_TESTED_PYTHONS = ((3, 11), (3, 13))  # the oldest and the newest
_SECRETS = ("JWT_SECRET", "DATABASE_URL", "REDIS_URL", "S3_SECRET_ACCESS_KEY", "SMTP_PASSWORD")
_MIN_OPEN_FILES = 65_536  # each connection needs a file descriptor; LimitNOFILE of the units
_GIB = 2**30

_HOLDER = re.compile(r"process (?P<pid>[0-9]+) on (?P<host>\S+) \(")
"""How `runtime.worker_lease` describes an instance."""


def settings(environment: Mapping[str, str]) -> tuple[Config | None, list[Finding]]:
    """Load the settings. Returns None instead if they are invalid, and the findings."""
    found: list[Finding] = []
    try:
        found += _suspect_names(environment)
        config = load(embedded=True)
    except ConfigError as error:
        for name, problem in error.problems.items():
            remedy = f"Correct {name} in the environment or in .env; .env.example describes it."
            if name == str(env_file()):
                remedy = f"Correct {name}, or run this as the user of the server."
            found.append(Finding("settings", "error", f"{name}: {problem}", remedy))
        return None, found
    if not config.jwt_secret and not path_exists(config.data_dir / "jwt_secret"):
        remedy = "Set JWT_SECRET, the same on every instance: `openssl rand -hex 32` generates one."
        text = "JWT_SECRET is not set: `chatd serve` needs it without --embedded"
        found.append(Finding("settings", "warning", text, remedy))
    if not any(each.state == "error" for each in found):
        where = env_file()
        read = f" and {where}" if path_exists(where) else ""
        found.insert(0, ok("settings", f"read from the environment{read}"))
    return config, found


def _suspect_names(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Warn about former and misspelt names of settings."""
    for suspect in suspect_names(environment):
        text = f"{suspect.name} in {suspect.where} is not a setting of chatd and has no effect"
        remedy = "Remove it, if it was meant for chatd."
        if suspect.suggestion is not None:
            remedy = f"Write {suspect.suggestion}."
        if suspect.is_former:
            text = f"{suspect.name} in {suspect.where} is deprecated"
            remedy = f"Rename it to {suspect.suggestion}."
        yield Finding("settings", "warning", text, remedy)


def versions() -> Iterator[Finding]:
    """Check the versions of chatd and Python."""
    yield ok("chatd", f"version {chatd.__version__}")
    python = f"version {'.'.join(map(str, sys.version_info[:3]))}, {interpreter.build()}"
    if not _TESTED_PYTHONS[0] <= sys.version_info[:2] <= _TESTED_PYTHONS[1]:
        text = f"{python}; chatd is tested with 3.11 to 3.13"
        yield Finding("Python", "warning", text, "Create the environment with one of these.")
    elif not interpreter.is_optimised():
        text = f"{python} (profile-guided optimisation): chatd takes about a fifth more CPU time"
        remedy = "Create the environment with the Python of the distribution (/usr/bin/python3)."
        yield Finding("Python", "ok", text, remedy)  # slower, but nothing is wrong
    else:
        yield ok("Python", python)


def limits() -> Iterator[Finding]:
    """Check the limit of open files of this command, which a server started like it would have."""
    _, limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    yield _open_files("a server that is started from here may open", limit)


def limits_of_instances(running: Iterable[Instance]) -> Iterator[Finding]:
    """Check the limit of open files of each instance on this machine, which may differ."""
    for instance in running:
        found = _HOLDER.match(instance.holder)
        if found is None or found["host"] != socket.gethostname():
            continue
        with contextlib.suppress(OSError):  # it has ended, or there is no /proc
            limit = _soft_limit(Path(f"/proc/{found['pid']}/limits").read_text())
            yield _open_files(f"instance {instance.worker_id} may open", limit)


def _soft_limit(limits: str) -> int:
    [value] = re.findall(r"^Max open files\s+(\S+)", limits, re.MULTILINE)
    return resource.RLIM_INFINITY if value == "unlimited" else int(value)


def _open_files(who: str, limit: int) -> Finding:
    if limit == resource.RLIM_INFINITY or limit >= _MIN_OPEN_FILES:
        return ok("limits", f"{who} {limit if limit >= 0 else 'any number of'} files")
    text = f"{who} {limit} files, so it has fewer connections"
    remedy = (
        f"LimitNOFILE={_MIN_OPEN_FILES} in the unit. Without systemd, as root in the shell that"
        f" starts chatd: ulimit -n {_MIN_OPEN_FILES}."
    )
    return Finding("limits", "warning", text, remedy)


def disk(config: Config) -> Iterator[Finding]:
    """Check the free space of the folders for data and files."""
    seen = set()
    for folder in _folders(config):
        existing = nearest_existing(folder)
        if (device := existing.stat().st_dev) in seen:
            continue
        seen.add(device)
        usage = shutil.disk_usage(existing)
        inodes = os.statvfs(existing)
        text = f"{usage.free / _GIB:.1f} GiB free of {usage.total / _GIB:.1f} at {existing}"
        remedy = "Free some space, or move CHATD_DATA_DIR or FILES_DIR to a larger disk."
        free_inodes = inodes.f_favail / inodes.f_files if inodes.f_files else 1.0
        if free_inodes < 0.01:
            yield Finding("disk", "error", f"no free inodes at {existing}", remedy)
        elif usage.free < _GIB / 4:
            yield Finding("disk", "error", text, remedy)
        elif usage.free < min(usage.total / 20, 20 * _GIB) or usage.free < _GIB:
            yield Finding("disk", "warning", text, remedy)
        else:
            yield ok("disk", text)


def _files_with_secrets(config: Config) -> list[Path]:
    secret = [config.data_dir / "jwt_secret"]
    if any(name in _SECRETS for name in env_file_values()):
        secret.append(env_file())
    return secret


def permissions(config: Config) -> Iterator[Finding]:
    """Check that chatd can write its folders, and other users cannot read its secrets."""
    for existing, folder in {nearest_existing(each): each for each in _folders(config)}.items():
        what = f"chown {existing}" if existing == folder else f"create {folder} and chown it"
        remedy = f"Run this as the user of the server; or, for that user: {what}."
        if not existing.is_dir():
            text, remedy = f"{existing} is not a folder", "Move it, or set another folder."
            yield Finding("permissions", "error", text, remedy)
        elif not os.access(existing, os.W_OK | os.X_OK):
            yield Finding("permissions", "error", f"{existing} is not writable", remedy)
        else:
            yield ok("permissions", f"{existing} is writable")
    for path in _files_with_secrets(config):
        if path_exists(path) and stat.S_IMODE(path.stat().st_mode) & 0o007:
            text = f"{path} holds secrets, and all users of this machine can read it"
            yield Finding("permissions", "warning", text, f"chmod o= {path}")


def _folders(config: Config) -> list[Path]:
    folders = [] if config.s3_bucket else [config.files_dir.absolute()]
    if not config.database_url or not config.redis_url:
        folders.append(config.data_dir.absolute())
    return folders
