"""Whose request it is and how it came, as far as the connection and trusted proxies tell."""

from __future__ import annotations

import logging
from functools import lru_cache

from aiohttp import web

from chatd.core import addresses
from chatd.keys import TRUSTED_PROXIES

log = logging.getLogger(__name__)


def client_network(request: web.Request) -> str:
    """The network that the client is in, which stands for one client; see core/addresses."""
    forwarded_for = ",".join(request.headers.getall("X-Forwarded-For", ()))
    trusted = request.app[TRUSTED_PROXIES]
    if forwarded_for and not trusted:
        _tell_of_proxy(request.remote)
    return addresses.of_client(request.remote or "", forwarded_for, trusted)


def is_secure(request: web.Request) -> bool:
    """Whether the client came by TLS, to us or to a trusted proxy that says so.

    Rule: MDN, X-Forwarded-Proto.
    """
    if request.secure:
        return True
    if not addresses.is_trusted(request.remote or "", request.app[TRUSTED_PROXIES]):
        return False
    told = ",".join(request.headers.getall("X-Forwarded-Proto", ()))
    return told.rpartition(",")[2].strip().lower() in {"https", "wss"}


@lru_cache(256)
def _tell_of_proxy(peer: str | None) -> None:
    if addresses.is_private(peer or ""):
        log.warning(
            "requests come through a proxy at %s, which TRUSTED_PROXIES does not name:"
            " all who use it count as one client",
            peer,
        )
