"""Runs a program under the restrictions of a unit, without systemd: for root, called by its path.

    python restricted.py UNIT ACCOUNT STATE_FOLDER CREDENTIALS_FOLDER PROGRAM...

It stays one process, so that sockets and LISTEN_PID are handed on. The lists of system calls are
systemd's own. PrivateUsers, DevicePolicy and RemoveIPC need a booted systemd.
"""

from __future__ import annotations

import ctypes
import errno
import os
import pwd
import re
import resource
import signal
import socket
import stat
import subprocess
import sys
from functools import cache
from pathlib import Path

_CLONE_NEWNS = 0x00020000
_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 24, 38
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NE, _EQ, _MASKED = 1, 4, 7
_WRITE_EXECUTE, _EXECUTE, _SHM_EXECUTE = 0x2 | 0x4, 0x4, 0o100000


def main(unit: str, account: str, state: str, credentials: str, *program: str) -> None:
    settings = read(Path(unit).read_text())
    person = pwd.getpwnam(account)
    see_only(state, credentials)
    become(person)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.umask(int(settings["UMask"][-1], 8))
    restrict(settings)
    os.execv(program[0], program)


def read(text: str) -> dict[str, list[str]]:
    """What the unit sets: each name with all its values."""
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


# -- what it sees ------------------------------------------------------------------------------


def see_only(state: str, credentials: str) -> None:
    """ProtectSystem, ProtectHome, PrivateDevices, ProtectProc: in a mount namespace of its own."""
    _check(_libc().unshare(_CLONE_NEWNS))
    _mount("--make-rprivate", "/")
    for home in ("/home", "/root"):
        _hide(home, state)
    _mount("--bind", state, state)
    _mount("--bind", credentials, credentials)
    _mount("-o", "remount,bind,ro", credentials)
    devices = f"{state}/dev"
    Path(devices).mkdir()
    _mount("-t", "tmpfs", "-o", "mode=755,nosuid", "tmpfs", devices)
    for name in ("null", "zero", "full", "random", "urandom"):
        Path(devices, name).touch()
        _mount("--bind", f"/dev/{name}", f"{devices}/{name}")
    _mount("--move", devices, "/dev")
    Path(devices).rmdir()
    _mount("-t", "proc", "-o", "subset=pid,hidepid=invisible,nosuid,nodev,noexec", "proc", "/proc")
    for place in _mounted():
        if not place.startswith((state, credentials, "/dev", "/proc")):
            _mount("-o", "remount,bind,ro", place)


def _hide(home: str, scratch: str) -> None:
    """Leave nothing of these homes but what runs: the interpreter and the checkout."""
    running = {sys.base_prefix, sys.prefix, str(Path(__file__).parents[2])}
    there = sorted(path for path in running if path.startswith(f"{home}/"))
    kept = {path: f"{scratch}/kept-{number}" for number, path in enumerate(there)}
    for path, place in kept.items():
        Path(place).mkdir()
        _mount("--bind", path, place)
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", home)
    for path, place in kept.items():
        Path(path).mkdir(parents=True, exist_ok=True)
        _mount("--move", place, path)
        Path(place).rmdir()


def _mounted() -> list[str]:
    return [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]


def _mount(*words: str) -> None:
    subprocess.run(["mount", *words], check=True)


# -- who it is ---------------------------------------------------------------------------------


def become(person: pwd.struct_passwd) -> None:
    """User, Group, CapabilityBoundingSet, NoNewPrivileges."""
    for capability in range(64):
        _libc().prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # beyond the last it fails
    os.setgroups([])
    os.setresgid(*[person.pw_gid] * 3)
    os.setresuid(*[person.pw_uid] * 3)  # and so without the capabilities of root
    _check(_libc().prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


# -- what it can ask of the kernel -------------------------------------------------------------


class _Compare(ctypes.Structure):
    _fields_ = (
        ("arg", ctypes.c_uint),
        ("op", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


class _Filter:
    """A filter of system calls. What is not in it is treated as `otherwise`."""

    def __init__(self, otherwise: int) -> None:
        self._lib = ctypes.CDLL("libseccomp.so.2")
        self._lib.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._lib.seccomp_init(otherwise))

    def add(self, action: int, call: str, *compared: int) -> None:
        """Treat this call so; or only where an argument compares: its number, how, with what.

        Calls that this machine does not have are left out, as systemd does.
        """
        number = self._lib.seccomp_syscall_resolve_name(call.encode())
        if number >= 0:
            rules = (_Compare * 1)(_Compare(*compared))
            count = 1 if compared else 0
            self._lib.seccomp_rule_add_array(self._context, action, number, count, rules)

    def load(self) -> None:
        if self._lib.seccomp_load(self._context) != 0:
            raise OSError("the filter of system calls cannot be loaded")


def restrict(settings: dict[str, list[str]]) -> None:
    """SystemCallFilter and its neighbours."""
    denied = _ERRNO | errno.EPERM
    listed = _Filter(denied)
    allowed, refused = settings["SystemCallFilter"]
    assert refused.startswith("~")
    for call in sorted(calls(allowed) - calls(refused[1:])):
        listed.add(_ALLOW, call)

    besides = _Filter(_ALLOW)
    assert settings["MemoryDenyWriteExecute"] == ["yes"]
    besides.add(denied, "mmap", 2, _MASKED, _WRITE_EXECUTE, _WRITE_EXECUTE)
    besides.add(denied, "mprotect", 2, _MASKED, _EXECUTE, _EXECUTE)
    besides.add(denied, "pkey_mprotect", 2, _MASKED, _EXECUTE, _EXECUTE)
    besides.add(denied, "shmat", 2, _MASKED, _SHM_EXECUTE, _SHM_EXECUTE)
    families = {getattr(socket, name) for name in settings["RestrictAddressFamilies"][0].split()}
    for family in set(range(64)) - families:
        besides.add(_ERRNO | errno.EAFNOSUPPORT, "socket", 0, _EQ, family)
    assert settings["RestrictNamespaces"] == ["yes"]
    for flag in _NAMESPACES:
        besides.add(denied, "clone", 0, _MASKED, flag, flag)
    besides.add(_ERRNO | errno.ENOSYS, "clone3")
    besides.add(denied, "unshare")
    besides.add(denied, "setns")
    assert settings["RestrictRealtime"] == settings["LockPersonality"] == ["yes"]
    for policy in (1, 2):
        besides.add(denied, "sched_setscheduler", 1, _EQ, policy)
    besides.add(denied, "personality", 0, _NE, 0)
    assert settings["RestrictSUIDSGID"] == ["yes"]
    for bit in (stat.S_ISUID, stat.S_ISGID):
        for call, arg in (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdirat", 2)):
            besides.add(denied, call, arg, _MASKED, bit, bit)
    besides.load()
    listed.load()  # this one last: it does not let others be loaded


@cache
def calls(groups: str) -> frozenset[str]:
    """The system calls in these groups, as systemd knows them."""
    found: set[str] = set()
    for group in groups.split():
        if not group.startswith("@"):
            found.add(group)
            continue
        lines = subprocess.run(
            ["systemd-analyze", "--no-pager", "syscall-filter", group],
            capture_output=True,
            check=True,
            text=True,
        ).stdout.splitlines()
        inner = [line.strip() for line in lines[1:] if not line.strip().startswith("#")]
        found |= calls(" ".join(inner))
    return frozenset(found)


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)  # IgnoreSIGPIPE, the default of systemd
    main(*sys.argv[1:])
