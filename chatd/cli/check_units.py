"""Checks for `check --instance`: whether instances of systemd can run side by side.

`scripts/install` runs them before it starts anything. systemd would restart an instance without its
port again and again.
"""

from __future__ import annotations

import http.client
from collections.abc import Iterator, Sequence

from chatd.cli.check_instances import fetch
from chatd.cli.finding import Finding, ok
from chatd.config import MAX_PORT, Config, local_url

_TIMEOUT_S = 3.0  # for the metrics of an instance on this machine


def metrics_ports(config: Config, numbers: Sequence[int]) -> Iterator[Finding]:
    """Check that each of these instances can use its own port for metrics.

    0 is chatd.service, and N is chatd@N.service. `config` is read without METRICS_PORT_OFFSET.
    """
    if not config.metrics_port:
        return
    sockets = {port: unit for number in numbers for port, unit in _sockets(number)}
    for number in numbers:
        unit = f"chatd@{number}" if number else "chatd"
        port = config.metrics_port + number
        text = f"METRICS_PORT {config.metrics_port} gives {unit} the port {port}"
        remedy = "Set METRICS_PORT to another port, such as 9100."
        if port > MAX_PORT:
            yield Finding(unit, "error", f"{text}, which exceeds {MAX_PORT}", remedy)
        elif port in sockets:
            yield Finding(unit, "error", f"{text}, which {sockets[port]} uses", remedy)
        elif _is_foreign(config, port):
            yield Finding(unit, "error", f"{text}, which another program uses", remedy)
        else:
            yield ok(unit, text)


def _sockets(number: int) -> Iterator[tuple[int, str]]:
    """Return the ports of a socket unit, as installed."""
    if number:
        yield int(f"180{number}"), f"chatd@{number}.socket"
    else:
        yield from ((8080, "chatd.socket"), (8081, "chatd.socket"))


def _is_foreign(config: Config, port: int) -> bool:
    """Return whether another program than chatd's metrics listens on a port."""
    try:
        status, body = fetch(
            f"{local_url(config.metrics_host, port)}/metrics", timeout_s=_TIMEOUT_S
        )
    except (ConnectionError, TimeoutError, http.client.HTTPException) as error:
        return not isinstance(error, ConnectionRefusedError)
    except OSError:  # the address does not exist; the instance itself reports it
        return False
    return status != 200 or b"chatd_connections" not in body
