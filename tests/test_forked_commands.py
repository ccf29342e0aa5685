"""Commands that tests run in forked processes (`tests.helpers.processes`)."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from tests.helpers.fork_server import Request
from tests.helpers.processes import Process


def test_command_that_has_ended_before_its_pid_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer(_: Request, __: socket.socket, fds: list[int]) -> None:
        os.write(fds[0], b"7\n3\n")

    monkeypatch.setattr(Request, "send", answer)
    none = (subprocess.DEVNULL,) * 3
    process = Process(["program"], tmp_path, {}, none)
    assert (process.pid, process.wait(0)) == (7, 3)
