"""What the figures of a run depend on: the machine, the versions of all parts, and the commit."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from importlib.metadata import version
from pathlib import Path

import psutil

from chatd.embedded.postgres import postgres_binaries
from chatd.embedded.valkey import valkey_binary
from chatd.runtime import interpreter

_ROOT = Path(__file__).resolve().parents[2]
_LIBRARIES = ("aiohttp", "psycopg2-binary", "uvloop")


def described() -> dict[str, str]:
    """Return the properties by name."""
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "commit": _commit(),
        "processor": f"{os.cpu_count()} cores of {_processor()}",
        "memory": f"{psutil.virtual_memory().total / 2**30:.1f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": f"{platform.python_version()}, {interpreter.build()}",
        "Postgres": _number(postgres_binaries() / "postgres"),
        "Valkey": _number(valkey_binary()),
        "libraries": ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
    }


def _commit() -> str:
    """Return the commit of this checkout, and whether files differ from it."""
    command = ["git", "-C", str(_ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _processor() -> str:
    """Return the model of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    found = re.search(r"^model name\s*:\s*(.+)$", lines, re.MULTILINE)
    return found[1] if found else platform.machine()


def _number(program: Path) -> str:
    """Return the version that a server prints."""
    done = subprocess.run([program, "--version"], capture_output=True, check=False, text=True)
    found = re.search(r"\d+\.[\d.]+", done.stdout)
    return found[0] if found else "unknown"
