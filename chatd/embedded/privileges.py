"""The account that the private servers run as, and the command that drops root's privileges."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import pwd
import shutil
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from chatd.embedded.errors import EmbeddedError

log = logging.getLogger(__name__)

ACCOUNT = "chatd"
"""The system account for servers that root starts; also the superuser of Postgres."""


@dataclass(frozen=True, slots=True)
class Account:
    """A system account, by its ids."""

    uid: int
    gid: int


def account_for(data: Path) -> Account | None:
    """Return the account for a server with this data; None for that of this process.

    Under root this is the owner of the data, else "chatd", which is created if it is missing.
    Raises EmbeddedError.
    """
    if os.geteuid() != 0:
        return None
    if shutil.which("setpriv") is None:
        raise EmbeddedError("start chatd as another user: Postgres refuses to run as root")
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    try:
        found = pwd.getpwnam(ACCOUNT)
    except KeyError:
        _add_account()
        try:
            found = pwd.getpwnam(ACCOUNT)
        except KeyError:
            found = pwd.getpwnam("nobody")
    return Account(found.pw_uid, found.pw_gid)


def _add_account() -> None:
    """Add the account, unless another process has done so.

    useradd checks that there is no such account before it locks the list of accounts. Two that run
    at once add it one after the other, and the second gives it another id. Servers that were
    started with the first id have no account then, and initdb refuses to run.
    """
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT]
    with contextlib.suppress(OSError), Path("/etc/passwd").open("rb") as accounts:
        fcntl.flock(accounts, fcntl.LOCK_EX)
        with contextlib.suppress(KeyError):
            pwd.getpwnam(ACCOUNT)
            return
        added = subprocess.run(command, capture_output=True, check=False)
        if added.returncode == 0:
            log.info("added the system account %s to run Postgres", ACCOUNT)


def chown_tree(folder: Path, account: Account | None) -> None:
    """Make a folder and its content accessible for the account only."""
    folder.chmod(0o700)  # a copy of the data may have another mode and another owner
    if account is None or folder.stat().st_uid == account.uid:
        return
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in (*folders, *files):
            os.chown(Path(parent, name), account.uid, account.gid, follow_symlinks=False)
    # The folder comes last: its owner shows that everything in it is done.
    os.chown(folder, account.uid, account.gid)


def as_account(account: Account | None, paths: list[Path], *, death_signal: str) -> list[str]:
    """Return the prefix of a command that runs as the account and ends with this process.

    `death_signal` is what the command receives when the thread that started it ends. `paths` are
    the files and folders that it opens.
    """
    setpriv = shutil.which("setpriv") if sys.platform == "linux" else None
    if setpriv is None:
        return []
    options = ["--pdeathsig", death_signal]
    if account is not None:
        # A capability is needed only to traverse closed folders, which most installs lack.
        capabilities = "-all" if all(map(_is_traversable, paths)) else "-all,+dac_override"
        options += [f"--reuid={account.uid}", f"--regid={account.gid}", "--clear-groups"]
        options += [f"--inh-caps={capabilities}", f"--ambient-caps={capabilities}"]
        options += [f"--bounding-set={capabilities}"]
        # Without this bit, access(2) ignores capabilities; initdb finds its programs with it.
        options += ["--securebits=+no_setuid_fixup"]
    return [setpriv, *options, "--"]


def _is_traversable(path: Path) -> bool:
    """Return whether all users can traverse the parents of a path."""
    return all(parent.stat().st_mode & stat.S_IXOTH for parent in path.resolve().parents)
