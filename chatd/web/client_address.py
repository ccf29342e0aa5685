"""Address and scheme of a client, from its connection or the headers of a trusted proxy."""

from __future__ import annotations

import logging
import re
from functools import lru_cache

from aiohttp import web

from chatd.core import addresses
from chatd.web.keys import TRUSTED_PROXIES

log = logging.getLogger(__name__)

_HOST = re.compile(r"[A-Za-z0-9.\-_]+(:\d+)?|\[[0-9A-Fa-f:.]+\](:\d+)?", re.ASCII)


def client_network(request: web.Request) -> str:
    """Return the client's network, which rate limits count as one client; see core/addresses."""
    forwarded_for = ",".join(request.headers.getall("X-Forwarded-For", ()))
    trusted = request.app[TRUSTED_PROXIES]
    if forwarded_for and not trusted:
        _warn_untrusted_proxy(request.remote)
    return addresses.client_network(request.remote or "", forwarded_for, trusted)


def is_secure(request: web.Request) -> bool:
    """Return whether the client uses TLS, to this server or to a trusted proxy.

    Rule: MDN, X-Forwarded-Proto.
    """
    if request.secure:
        return True
    if not addresses.is_trusted(request.remote or "", request.app[TRUSTED_PROXIES]):
        return False
    forwarded = ",".join(request.headers.getall("X-Forwarded-Proto", ()))
    return forwarded.rpartition(",")[2].strip().lower() in {"https", "wss"}


def reached_host(request: web.Request) -> str:
    """Return the host and port by which the client reached the server, of the Host header.

    Raises HTTPBadRequest.
    """
    if not _HOST.fullmatch(request.host):
        raise web.HTTPBadRequest(reason="Bad Host header")
    return request.host


def http_origin(request: web.Request) -> str:
    """Return the origin of the server as the client reached it. Raises HTTPBadRequest."""
    return f"{'https' if is_secure(request) else 'http'}://{reached_host(request)}"


def gateway_url(request: web.Request) -> str:
    """Return the gateway's URL as the client reached it, without a query. Raises HTTPBadRequest."""
    return f"{'wss' if is_secure(request) else 'ws'}://{reached_host(request)}/gateway"


@lru_cache(256)
def _warn_untrusted_proxy(peer: str | None) -> None:
    if addresses.is_private(peer or ""):
        log.warning(
            "proxy %s is not in TRUSTED_PROXIES; all its users share one rate limit",
            peer,
        )
