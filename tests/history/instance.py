"""A server in a process of its own, which can be stopped, killed and started anew."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import socket
import sys
from pathlib import Path

import aiohttp

_ROOT = Path(__file__).parents[2]
_SECRET = secrets.token_hex(32)
_RETRY_S = 0.05


class Instance:
    """One of several. `build` is the module that is run: the server, or one that is broken."""

    def __init__(self, number: int, folder: Path, environment: dict[str, str]) -> None:
        self._folder = folder
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._environment = {
            **os.environ,
            **environment,
            "PYTHONPATH": os.pathsep.join([str(_ROOT), *sys.path]),
            "API_PORT": str(self.port),
            "GATEWAY_PORT": str(self.port),
            "WORKER_ID": str(number),
            "JWT_SECRET": _SECRET,
            "RATE_LIMITS": "off",
            "SESSIONS_PER_USER": "0",
            "SOCKETS_PER_ADDRESS": "0",
            "DATABASE_MAX_CONNECTIONS": "6",
        }
        self._number = number
        self._process: asyncio.subprocess.Process | None = None
        self.is_up = False
        self.build: tuple[str, ...] = ("chatd",)

    @property
    def url(self) -> str:
        """Where its API is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        """What it has logged."""
        return self._folder / f"instance{self._number}.log"

    async def start(self) -> None:
        """Start, and wait until it serves."""
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                *self.build,
                "serve",
                cwd=self._folder,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        async with aiohttp.ClientSession() as http, asyncio.timeout(60):
            while not self.is_up:
                with contextlib.suppress(aiohttp.ClientError):
                    async with http.get(f"{self.url}/health/ready") as answer:
                        self.is_up = answer.status == 200
                await asyncio.sleep(_RETRY_S)

    async def end(self, number: signal.Signals) -> None:
        """Send a signal, and wait for the end."""
        self.is_up = False
        if self._process is not None:
            self._process.send_signal(number)
            async with asyncio.timeout(60):
                await self._process.wait()
            self._process = None
