"""Checks of running instances: whether each is ready, and which program uses its port.

Postgres knows the running instances (`queries/statistics`). Each registers its URL, because its
sockets may come from systemd instead of from the settings. While Postgres is unavailable, only the
ports in the settings can be checked.
"""

from __future__ import annotations

import http.client
import re
import socket
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

import orjson

from chatd.cli.finding import Finding, State, ok
from chatd.config import Config, local_url, reachable
from chatd.queries.statistics import Instance

_READY_TIMEOUT_S = 6.0  # longer than an instance waits for a connection of its pool
_HEALTH_TIMEOUT_S = 3.0  # `/health` needs neither Postgres nor Redis
_MAX_BODY_BYTES = 1_000_000  # the response may come from any program
_LOOPBACK = re.compile(r"127\.|::1$|localhost$|0\.0\.0\.0$|::$")

_SILENT_REMEDY = (
    "systemd holds the port while chatd starts or waits for Postgres: see `systemctl status"
    " 'chatd*'` and its log. If it is another program, set {setting} to a free port."
)

Kind = Literal["chatd", "refused", "silent", "foreign"]


@dataclass(frozen=True, slots=True)
class Answer:
    """Which program listens at an address, and the state that a chatd reports.

    `refused`: nothing listens. `silent`: no response arrives in time. `foreign`: it is not chatd.
    """

    kind: Kind
    database: str = ""
    redis: str = ""


def of_instances(running: Sequence[Instance]) -> list[Finding]:
    """Check every running instance at the URL that it has registered."""
    if not running:
        return [ok("instances", "none is running")]
    ids = ", ".join(str(each.worker_id) for each in running)
    with ThreadPoolExecutor(len(running)) as threads:
        found = [*threads.map(_of_instance, running)]
    return [ok("instances", f"running with WORKER_ID {ids}"), *found]


def _of_instance(instance: Instance) -> Finding:
    subject = f"instance {instance.worker_id}"
    if instance.url is None:
        text = f"runs without a registered URL: {instance.holder}"
        return ok(subject, f"{text}; it is starting, or of an earlier version")
    is_here = instance.host == socket.gethostname()
    where = f"version {instance.version} at {instance.url} on {instance.host}"
    log = "See its log on that machine: journalctl -u 'chatd*'."
    if not is_here and _is_local(instance.url):
        return ok(subject, f"{where}: not checked; run `chatd check` there")
    answer = ask(instance.url)
    if answer.kind == "chatd":
        return _of_chatd(subject, f"{where}{_sessions(instance)}", answer)
    if not is_here:
        remedy = "Run `chatd check` on that machine, or make its port reachable from here."
        return Finding(subject, "warning", f"{where} cannot be reached from here", remedy)
    text = {
        "refused": "nothing listens there, though it holds its WORKER_ID",
        "silent": "it does not respond",
        "foreign": "another program responds",
    }[answer.kind]
    return Finding(subject, "error", f"{where}: {text}", f"{log} Then restart it.")


def _of_chatd(subject: str, text: str, answer: Answer) -> Finding:
    """Report the state of an instance that has responded."""
    redis = f"Redis {'ok' if answer.redis == 'ok' else 'unavailable'}"
    if answer.database == "ok" and answer.redis == "ok":
        return ok(subject, f"{text}: ready, {redis}")
    if answer.database == "ok":
        remedy = "Start Redis, or correct REDIS_URL. The instance reconnects by itself."
        text = f"{text}: does not receive events of other instances, {redis}"
        return Finding(subject, "warning", text, remedy)
    if answer.database == "busy":
        remedy = "Raise DATABASE_MAX_CONNECTIONS, or search its log for slow statements."
        text = f"{text}: all its database connections are in use, {redis}"
        return Finding(subject, "warning", text, remedy)
    if answer.database:
        remedy = "Start Postgres, or correct DATABASE_URL. The instance reconnects by itself."
        text = f"{text}: not ready, its database is unavailable, {redis}"
        return Finding(subject, "error", text, remedy)
    remedy = "See its log: journalctl -u 'chatd*'. If it does not recover, restart it."
    return Finding(
        subject, "error", f"{text}: runs, but does not report whether it is ready", remedy
    )


def _sessions(instance: Instance) -> str:
    """Describe its sessions and connections, if its metrics can be read."""
    if instance.metrics_url is None:
        return ""
    try:
        status, body = fetch(instance.metrics_url, timeout_s=_HEALTH_TIMEOUT_S)
    except (OSError, http.client.HTTPException):
        return ""
    found = dict(re.findall(rb"^chatd_(sessions|connections) ([0-9.]+)$", body, re.MULTILINE))
    if status != 200 or len(found) != 2:
        return ""
    sessions, connections = (int(float(found[name])) for name in (b"sessions", b"connections"))
    return f", {sessions} sessions, {connections} connections"


def of_ports(config: Config, running: Sequence[Instance] | None) -> list[Finding]:
    """Check the ports in the settings. `running` is None if Postgres is unavailable."""
    ports = [(config.api_host, config.api_port, "API_PORT")]
    if config.gateway_port != config.api_port:
        ports.append((config.gateway_host, config.gateway_port, "GATEWAY_PORT"))
    with ThreadPoolExecutor(len(ports)) as threads:
        answers = [*threads.map(lambda port: ask(local_url(*port[:2])), ports)]
    of_api, *of_gateway = (
        _of_port(f"{host} port {number}", setting, answer, running)
        for (host, number, setting), answer in zip(ports, answers, strict=True)
    )
    return [of_api, *(each for each in of_gateway if each.state != "ok")]


def _of_port(
    where: str, setting: str, answer: Answer, running: Sequence[Instance] | None
) -> Finding:
    here = _on_this_host(running or ())
    match answer.kind:
        case "chatd":
            text = f"a chatd responds on {where}"
            # With Postgres, each instance has a finding of its own.
            return ok("port", text) if running is not None else _of_chatd("port", text, answer)
        case "refused":
            return ok("port", f"nothing listens on {where}{_elsewhere(here, running)}")
        case "silent":
            text = f"{where} accepts connections but does not respond"
            state: State = "warning" if here else "error"
            return Finding("port", state, text, _SILENT_REMEDY.format(setting=setting))
        case "foreign" if here:
            return ok("port", f"another program uses {where}; no instance here needs it")
        case "foreign":
            text = f"another program than chatd listens on {where}"
            return Finding("port", "error", text, f"Set {setting} to a free port.")


def _on_this_host(running: Iterable[Instance]) -> list[Instance]:
    return [each for each in running if each.host == socket.gethostname()]


def _elsewhere(here: Sequence[Instance], running: Sequence[Instance] | None) -> str:
    """Describe where the instances `here` listen instead, or that none is here."""
    if here:
        return f"; the instances here listen on {', '.join(str(each.url) for each in here)}"
    if running is not None and all(each.url is not None for each in running):
        return ": the server is not running here"
    return ""


def ask(url: str) -> Answer:
    """Ask the program at a URL whether it is chatd, and for its state.

    A running chatd answers `/health` even without its database; `/health/ready` checks that too.
    """
    try:
        status, body = fetch(f"{url}/health", timeout_s=_HEALTH_TIMEOUT_S)
    except TimeoutError:
        return Answer("silent")
    except ConnectionRefusedError:
        return Answer("refused")
    except (ConnectionError, http.client.HTTPException):
        return Answer("foreign")
    except OSError:  # no such host, address or Unix socket
        return Answer("refused")
    answer = _json(body)
    is_chatd = (status == 200 and answer == {"status": "ok"}) or _is_api_error(answer)
    return _ask_ready(url) if is_chatd else Answer("foreign")


def _ask_ready(url: str) -> Answer:
    try:
        _, body = fetch(f"{url}/health/ready", timeout_s=_READY_TIMEOUT_S)
    except (OSError, http.client.HTTPException):
        return Answer("chatd")
    state = _json(body)
    return Answer("chatd", str(state.get("database", "")), str(state.get("redis", "")))


def _is_api_error(answer: dict[str, object]) -> bool:
    """Return whether it is an error of chatd's API: an overloaded chatd responds with one."""
    return isinstance(answer.get("code"), int) and isinstance(answer.get("message"), str)


def fetch(url: str, *, timeout_s: float) -> tuple[int, bytes]:
    """Send a GET request. Returns status and body. Raises OSError, HTTPException."""
    connection: http.client.HTTPConnection
    if url.startswith("unix:"):
        path, _, rest = url.removeprefix("unix:").partition("/health")
        connection, target = _UnixConnection(path, timeout=timeout_s), f"/health{rest}"
    else:
        parts = urlsplit(url)
        host = reachable(parts.hostname or "")
        connection = http.client.HTTPConnection(host, parts.port, timeout=timeout_s)
        target = parts.path
    try:
        connection.request("GET", target)
        response = connection.getresponse()
        return response.status, response.read(_MAX_BODY_BYTES)
    finally:
        connection.close()


class _UnixConnection(http.client.HTTPConnection):
    """HTTP over a Unix socket, which systemd may pass instead of a TCP socket."""

    def __init__(self, path: str, *, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def _json(body: bytes) -> dict[str, object]:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def _is_local(url: str) -> bool:
    """Return whether other machines cannot open a URL.

    A wildcard address counts as local: it may be reachable, but does not say under which name.
    """
    return url.startswith("unix:") or bool(_LOOPBACK.match(urlsplit(url).hostname or ""))
