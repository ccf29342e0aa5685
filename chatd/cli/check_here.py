"""What `check` looks at on this machine: settings, versions, disk, permissions, limits, ports."""

from __future__ import annotations

import difflib
import http.client
import os
import resource
import shutil
import stat
import sys
from collections.abc import Iterator, Mapping
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values

import chatd
from chatd.cli.finding import Finding, well
from chatd.config import Config, ConfigError, env_file, load, names, read_env_file

_TESTED = ((3, 11), (3, 13))
_SECRETS = ("JWT_SECRET", "DATABASE_URL", "REDIS_URL", "S3_SECRET_ACCESS_KEY")
_FILES_ENOUGH = 65_536
_GIB = 2**30
_NEAR, _VERY_NEAR = 0.6, 0.85  # of difflib's measure of likeness, which ends at 1
_PATIENCE_S = 3.0


def settings(environment: Mapping[str, str]) -> tuple[Config | None, list[Finding]]:
    """The settings, if they can be used, and what is wrong with them.

    `environment` is as it was before the `.env` file was read into it.
    """
    found: list[Finding] = []
    try:
        found += _strange_names(environment)
        config = load(embedded=True)
    except ConfigError as error:
        for name, problem in error.problems.items():
            remedy = f"Correct {name} in the environment or in .env; .env.example explains it."
            if name == str(env_file()):
                remedy = f"Correct {name}, or run this as the user of the server."
            found.append(Finding("settings", "error", f"{name}: {problem}", remedy))
        return None, found
    if not config.jwt_secret and not _exists(config.data_dir / "jwt_secret"):
        remedy = "Set JWT_SECRET, the same on every instance: `openssl rand -hex 32` makes one."
        text = "JWT_SECRET is not set: `chatd serve` needs it, unless --embedded"
        found.append(Finding("settings", "warning", text, remedy))
    if not any(each.state == "error" for each in found):
        where = env_file()
        read = f" and {where}" if _exists(where) else ""
        found.insert(0, well("settings", f"read from the environment{read}"))
    return config, found


def _strange_names(environment: Mapping[str, str]) -> Iterator[Finding]:
    """Names that are no settings, and look as if they were meant to be."""
    known = names()
    in_file = _in_env_file()
    for name in in_file:
        if name not in known:
            yield _strange(name, ".env", difflib.get_close_matches(name, known, 1, _NEAR))
    for name in sorted(environment.keys() - known - set(in_file)):
        if near := difflib.get_close_matches(name, known, 1, _VERY_NEAR):
            yield _strange(name, "the environment", near)


def _in_env_file() -> list[str]:
    return [*dotenv_values(stream=StringIO(read_env_file()))]


def _strange(name: str, where: str, near: list[str]) -> Finding:
    text = f"{name} in {where} is no setting of chatd, and does nothing"
    remedy = f"Write {near[0]}." if near else "Take it out, if it was meant for chatd."
    return Finding("settings", "warning", text, remedy)


def versions() -> Iterator[Finding]:
    """chatd and Python."""
    yield well("chatd", f"version {chatd.__version__}")
    python = ".".join(map(str, sys.version_info[:3]))
    if _TESTED[0] <= sys.version_info[:2] <= _TESTED[1]:
        yield well("Python", f"version {python}")
    else:
        text = f"version {python}; chatd is tested with 3.11 to 3.13"
        yield Finding("Python", "warning", text, "Make its environment with one of these.")


def limits() -> Iterator[Finding]:
    """How many sockets a server may have."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY or most >= _FILES_ENOUGH:
        yield well("limits", f"{most if most >= 0 else 'any number of'} open files")
    else:
        text = f"{most} open files, and so as many connections at the most"
        remedy = (
            f"LimitNOFILE={_FILES_ENOUGH} in the unit; elsewhere, as root and in the shell that"
            f" starts it: ulimit -n {_FILES_ENOUGH}."
        )
        yield Finding("limits", "warning", text, remedy)


def disk(config: Config) -> Iterator[Finding]:
    """Whether there is room where data and files are."""
    seen = set()
    for folder in _folders(config):
        there = _existing(folder)
        if (device := there.stat().st_dev) in seen:
            continue
        seen.add(device)
        usage = shutil.disk_usage(there)
        inodes = os.statvfs(there)
        text = f"{usage.free / _GIB:.1f} GiB free of {usage.total / _GIB:.1f} at {there}"
        remedy = "Make room, or move CHATD_DATA_DIR or FILES_DIR to a larger disk."
        nodes = inodes.f_favail / inodes.f_files if inodes.f_files else 1.0
        if nodes < 0.01:
            yield Finding("disk", "error", f"no room for more files at {there} (inodes)", remedy)
        elif usage.free < _GIB / 4:
            yield Finding("disk", "error", text, remedy)
        elif usage.free < min(usage.total / 20, 20 * _GIB) or usage.free < _GIB:
            yield Finding("disk", "warning", text, remedy)
        else:
            yield well("disk", text)


def permissions(config: Config) -> Iterator[Finding]:
    """Whether we may write where we have to, and others may not read what is secret."""
    for there, folder in {_existing(each): each for each in _folders(config)}.items():
        what = f"chown {there}" if there == folder else f"make {folder}, and chown it"
        remedy = f"Run this as the user of the server; or, for that user: {what}."
        if not there.is_dir():
            text, remedy = f"{there} is no folder", "Move it away, or name another folder."
            yield Finding("permissions", "error", text, remedy)
        elif not os.access(there, os.W_OK | os.X_OK):
            yield Finding("permissions", "error", f"{there} cannot be written to", remedy)
        else:
            yield well("permissions", f"{there} can be written to")
    secret = [config.data_dir / "jwt_secret"]
    if any(name in _SECRETS for name in _in_env_file()):
        secret.append(env_file())
    for path in secret:
        if _exists(path) and stat.S_IMODE(path.stat().st_mode) & 0o007:
            text = f"{path} holds secrets, and everyone here can read it"
            yield Finding("permissions", "warning", text, f"chmod o= {path}")


def port(config: Config) -> Iterator[Finding]:
    """Whether a chatd answers where one should, or somebody else."""
    yield _port(config.api_host, config.api_port, "API_PORT")
    of_gateway = _port(config.gateway_host, config.gateway_port, "GATEWAY_PORT")
    if of_gateway.state != "ok" and config.gateway_port != config.api_port:
        yield of_gateway


def _port(listens: str, number: int, setting: str) -> Finding:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(listens, listens)  # noqa: S104
    link = http.client.HTTPConnection(host, number, timeout=_PATIENCE_S)
    where = f"{listens} port {number}"
    try:
        link.request("GET", "/health")
        answer = link.getresponse()
        is_ours = answer.status == 200 and answer.read(100) == b'{"status":"ok"}'
    except ConnectionRefusedError:
        return well("port", f"nothing listens on {where}: the server is not running here")
    except (OSError, http.client.HTTPException):
        is_ours = False
    finally:
        link.close()
    if is_ours:
        return well("port", f"a chatd answers on {where}")
    text = f"what listens on {where} does not answer as a chatd"
    return Finding("port", "error", text, f"Set {setting} to a port that is free.")


def _folders(config: Config) -> list[Path]:
    folders = [] if config.s3_bucket else [config.files_dir.absolute()]
    if not config.database_url or not config.redis_url:
        folders.append(config.data_dir.absolute())
    return folders


def _exists(path: Path) -> bool:
    """Whether we can see it: what is in a folder that is closed to us, we cannot."""
    return os.path.exists(path)  # noqa: PTH110 - that of pathlib raises


def _existing(folder: Path) -> Path:
    """The folder, or the one above it in which it would be made, as far as we can see."""
    while not _exists(folder) and folder != folder.parent:
        folder = folder.parent
    return folder
