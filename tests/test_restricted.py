"""The units' own command lines under the units' restrictions, as far as they go without systemd."""

from __future__ import annotations

import base64
import ctypes.util
import json
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import orjson
import pytest
import zstandard

from chatd.embedded.postgres import running_postgres
from chatd.embedded.valkey import running_valkey
from tests.conftest import repository
from tests.helpers.cli import REQUIRED_SETTINGS
from tests.helpers.images import image_bytes
from tests.helpers.service_manager import TIMEOUT_S, notify_socket, service
from tests.world import World, world_on

ACCOUNT = "chatd"  # the private Postgres of a root has made it

PROBE = """
import ctypes, json, mmap, os, socket
def tried(act):
    try:
        act()
    except OSError as error:
        return error.errno and os.strerror(error.errno)
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
libc = ctypes.CDLL(None, use_errno=True)
def unshare():
    if libc.unshare(0x10000000):
        raise OSError(ctypes.get_errno(), "")
print(json.dumps({
    "user": os.getuid(),
    "capabilities": int(status["CapBnd"], 16) | int(status["CapEff"], 16),
    "no new privileges": int(status["NoNewPrivs"]),
    "others": [each for each in os.listdir("/proc") if each == "1"],
    "write": tried(lambda: open("/usr/ours", "w")),
    "write to state": tried(lambda: open(os.environ["CHATD_DATA_DIR"] + "/ours", "w")),
    "write to credentials": tried(lambda: open(os.environ["CREDENTIALS_DIRECTORY"] + "/a", "w")),
    "disk": os.path.exists("/dev/mem") or os.path.exists("/dev/tty"),
    "netlink": tried(lambda: socket.socket(socket.AF_NETLINK)),
    "namespace": tried(unshare),
    "code made at run time": tried(lambda: mmap.mmap(-1, 4096, prot=7)),
    "priority": tried(lambda: os.nice(-5)),
    "set-uid": tried(lambda: os.chmod(os.environ["CHATD_DATA_DIR"] + "/ours", 0o4755)),
    "reboot": tried(lambda: os.chroot("/")),
}))
"""


def _missing() -> str:
    """Why it cannot be shown here; empty if it can."""
    if os.getuid() != 0:
        return "root is needed to take rights away as the units do"
    if shutil.which("systemd-analyze") is None or ctypes.util.find_library("seccomp") is None:
        return "systemd-analyze and libseccomp are needed to filter system calls as the units do"
    for needed in (repository(), Path(sys.base_prefix)):
        for folder in () if str(needed).startswith(("/home/", "/root/")) else needed.parents:
            if not folder.stat().st_mode & stat.S_IXOTH:
                return f"another account cannot reach {folder}"
    return ""


pytestmark = pytest.mark.skipif(bool(_missing()), reason=_missing())


@dataclass
class Place:
    """The folders of a service: settings, state and secrets."""

    settings: Path
    state: Path
    credentials: Path

    def environment(self, **more: str) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if name.startswith("LANG")}
        return {
            **kept,
            "PATH": os.environ["PATH"],
            "CHATD_DATA_DIR": str(self.state),
            "CREDENTIALS_DIRECTORY": str(self.credentials),
            "PYTHONDONTWRITEBYTECODE": "1",
            **more,
        }

    def words(self, unit: str, *program: str) -> list[str]:
        """What Python has to run, so that this program is restricted as the unit says."""
        script = str(repository() / "tests" / "helpers" / "restricted.py")
        place = [str(self.state), str(self.credentials)]
        return [script, str(repository() / "systemd" / unit), ACCOUNT, *place, *program]

    def run(self, unit: str, *program: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *self.words(unit, *program)],
            cwd=self.settings,
            env=self.environment(),
            capture_output=True,
            check=False,
            text=True,
        )


@pytest.fixture
def place() -> Iterator[Place]:
    """As scripts/install makes it, on servers that the account can reach."""
    with ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="restricted-", dir="/tmp"))
        )
        folder.chmod(0o755)
        for name in ("servers", "settings", "state", "credentials"):
            (folder / name).mkdir()
        postgres = stack.enter_context(running_postgres(folder / "servers"))
        valkey = stack.enter_context(running_valkey(folder / "servers"))
        secrets = {
            "database_url": postgres.create("chatd"),
            "redis_url": valkey.url,
            "jwt_secret": REQUIRED_SETTINGS["JWT_SECRET"],
        }
        person = pwd.getpwnam(ACCOUNT)
        made = Place(folder / "settings", folder / "state", folder / "credentials")
        for secret, value in secrets.items():
            (made.credentials / secret).write_text(value)
        (made.settings / ".env").write_text("LOG_LEVEL=info\n")
        for owned in (made.state, made.credentials, *made.credentials.iterdir()):
            owned.chmod(0o700 if owned.is_dir() else 0o400)
            os.chown(owned, person.pw_uid, person.pw_gid)
        yield made


def test_unit_restrictions_apply(place: Place) -> None:
    probed = place.run("chatd.service", sys.executable, "-c", PROBE)
    assert probed.returncode == 0, probed.stderr
    assert json.loads(probed.stdout) == {
        "user": pwd.getpwnam(ACCOUNT).pw_uid,
        "capabilities": 0,
        "no new privileges": 1,
        "others": [],
        "write": "Read-only file system",
        "write to state": None,
        "write to credentials": "Read-only file system",
        "disk": False,
        "netlink": "Address family not supported by protocol",
        "namespace": "Operation not permitted",
        "code made at run time": "Operation not permitted",
        "priority": "Operation not permitted",
        "set-uid": "Operation not permitted",
        "reboot": "Operation not permitted",
    }


async def test_commands_of_the_units_work_under_their_restrictions(place: Place) -> None:
    """Migrating, then the way through what has machine code of its own: uvloop, psycopg2, hiredis,
    argon2, orjson, Pillow, zstandard and cryptography."""
    chatd = [sys.executable, "-m", "chatd"]
    migrated = place.run("chatd-migrate.service", *chatd, "migrate")
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    assert "The schema is up to date." in migrated.stdout

    words = place.words("chatd.service", *chatd, "serve")
    with notify_socket(abstract=True) as manager, socket.create_server(("127.0.0.1", 0)) as port:
        environment = place.environment(NOTIFY_SOCKET=manager.address)
        with service(place.settings, environment, *words, sockets=[port]) as process:
            try:
                manager.receive_until("READY=1")
            except TimeoutError:
                pytest.fail((place.settings / "complaints").read_text())
            url = f"127.0.0.1:{port.getsockname()[1]}"
            async with world_on(f"http://{url}", f"ws://{url}/gateway") as world:
                await _a_day(world)
            process.send_signal(signal.SIGHUP)
            manager.receive_until("RELOADING=1")
            manager.receive_until("READY=1")
            process.send_signal(signal.SIGTERM)
            manager.receive_until("STOPPING=1")
            assert process.wait(TIMEOUT_S) == 0
    complaints = (place.settings / "complaints").read_text()
    assert "reloaded" in complaints
    assert "ERROR" not in complaints
    assert "Operation not permitted" not in complaints


def test_backup_works_under_the_restrictions_of_its_unit(place: Place) -> None:
    chatd = [sys.executable, "-m", "chatd"]
    migrated = place.run("chatd-migrate.service", *chatd, "migrate")
    assert migrated.returncode == 0, migrated.stdout + migrated.stderr
    folder = str(place.state)  # the only one that the helper makes writable
    command = ["/usr/bin/env", f"TMPDIR={folder}", *chatd, "backup", folder, "--keep", "1"]
    made = place.run("chatd-backup.service", *command)
    assert made.returncode == 0, made.stderr
    [archive] = place.state.glob("chatd-*.tar")
    verified = subprocess.run(
        [*chatd, "restore", "--verify-only", archive], capture_output=True, check=False, text=True
    )
    assert verified.returncode == 0, verified.stderr


async def _a_day(world: World) -> None:
    guild = await world.guild(owner="alice")
    alice = await world.person("alice")
    picture = base64.b64encode(image_bytes()).decode()
    await alice.rest.patch("/users/@me", {"avatar": f"data:image/png;base64,{picture}"})
    path = f"/channels/{guild.general.id}/messages"
    form = aiohttp.FormData()
    form.add_field("files[0]", b"of some length" * 10_000, filename="a.bin")
    sent = await alice.rest.call("POST", path, data=form)
    assert sent.status == 200
    async with world.http.ws_connect(f"{world.gateway_url}?compress=zstd-stream") as gateway:
        stream = zstandard.ZstdDecompressor().decompressobj()
        assert orjson.loads(stream.decompress(await gateway.receive_bytes()))["op"] == 10
        await gateway.send_json({"op": 2, "d": {"token": alice.token, "intents": 513}})
        received = b""
        while b"GUILD_CREATE" not in received:
            received += stream.decompress(await gateway.receive_bytes())
        await alice.rest.post(path, {"content": "hi"})
        assert b'"hi"' in stream.decompress(await gateway.receive_bytes())


STUB = """#!/bin/sh
id -un; pwd; echo "$DATABASE_URL" "$CHATD_DATA_DIR"; grep NoNewPrivs /proc/self/status; echo "$@"
"""


@pytest.mark.usefixtures("postgres")  # whose account it is
def test_administrator_command_runs_as_the_service_account() -> None:
    with tempfile.TemporaryDirectory(prefix="command-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "credentials").mkdir(mode=0o700)
        (folder / "credentials/database_url").write_text("postgresql://hunter2@/chatd\n")
        text = (repository() / "systemd" / "chatd").read_text()
        for file, content in (
            ("program", STUB),
            ("chatd", text.replace("/opt/chatd/bin/chatd", f"{name}/program")),
        ):
            (folder / file).write_text(content.replace("/etc/chatd", name))
            (folder / file).chmod(0o755)

        def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
            return subprocess.run(words, cwd="/", capture_output=True, check=False, text=True)

        shown = run(folder / "chatd", "user", "show", "ada b")
        assert shown.stdout.splitlines() == [
            ACCOUNT,
            name,
            "postgresql://hunter2@/chatd /var/lib/chatd",
            "NoNewPrivs:\t1",
            "user show ada b",
        ]
        unprivileged = "setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"
        assert (
            run(*unprivileged, folder / "chatd", "--version").stdout.splitlines()[-1] == "--version"
        )
        refused = run(*unprivileged, folder / "chatd", "stats")
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr == "chatd: only root can read the settings: sudo chatd stats\n"
