"""The table of routes, served under every prefix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.core.permissions import Permissions
from chatd.ephemeral.windows import Limit

PREFIXES = ("", "/api", "/api/v1", "/api/v9", "/api/v10")
"""Where the API stands: the seed's bare paths, and Discord's with and without a version."""


class Caller(Enum):
    """Who may call a route, when it is no question of permissions."""

    ANYONE = "anyone"
    USER = "anyone who is logged in"
    MEMBER = "the members of the guild"
    OWNER = "the owner of the guild"
    RECIPIENT = "those in the private channel"


ANYONE, USER, MEMBER, OWNER, RECIPIENT = Caller

READS = Limit(50, 1.0)
WRITES = Limit(20, 5.0)
"""How often a route may be called when its own line says nothing else."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path, who may call it, and how often.

    `needs` is a caller, or the permissions that a member needs in the guild or channel of the
    path; for what is the caller's own (a message, a reaction, an invite), it may need less.
    """

    method: str
    path: str
    needs: Caller | Permissions
    limit: Limit | None
    handler: Handler


class Routes:
    """The routes of one resource, collected by decorators."""

    def __init__(self) -> None:
        self.table: list[Route] = []

    def get(
        self, path: str, needs: Caller | Permissions, limit: Limit | None = READS
    ) -> Callable[[Handler], Handler]:
        """Serve GET, and HEAD with it."""
        return self._add("GET", path, needs, limit)

    def post(
        self, path: str, needs: Caller | Permissions, limit: Limit | None = WRITES
    ) -> Callable[[Handler], Handler]:
        """Serve POST."""
        return self._add("POST", path, needs, limit)

    def put(
        self, path: str, needs: Caller | Permissions, limit: Limit | None = WRITES
    ) -> Callable[[Handler], Handler]:
        """Serve PUT."""
        return self._add("PUT", path, needs, limit)

    def patch(
        self, path: str, needs: Caller | Permissions, limit: Limit | None = WRITES
    ) -> Callable[[Handler], Handler]:
        """Serve PATCH."""
        return self._add("PATCH", path, needs, limit)

    def delete(
        self, path: str, needs: Caller | Permissions, limit: Limit | None = WRITES
    ) -> Callable[[Handler], Handler]:
        """Serve DELETE."""
        return self._add("DELETE", path, needs, limit)

    def _add(
        self, method: str, path: str, needs: Caller | Permissions, limit: Limit | None
    ) -> Callable[[Handler], Handler]:
        def decorate(handler: Handler) -> Handler:
            self.table.append(Route(method, path, needs, limit, handler))
            return handler

        return decorate


def table() -> list[Route]:
    """Every route of the API, without its prefixes."""
    from chatd.rest import (
        audit_logs,
        auth,
        bans,
        channels,
        files,
        guilds,
        health,
        invites,
        members,
        messages,
        pins,
        private_channels,
        reactions,
        read_states,
        roles,
        users,
    )

    modules = (
        health,
        auth,
        users,
        guilds,
        channels,
        pins,
        messages,
        reactions,
        private_channels,
        read_states,
        members,
        roles,
        bans,
        audit_logs,
        invites,
        files,
    )
    return [route for module in modules for route in module.routes.table]


def add_to(app: web.Application) -> None:
    """Serve the table under every prefix."""
    for route in table():
        for prefix in PREFIXES:
            app.router.add_route(route.method, prefix + route.path, route.handler)
            if route.method == "GET":
                app.router.add_route("HEAD", prefix + route.path, route.handler)


def open_to_anyone() -> frozenset[Handler]:
    """The handlers that may be called without being logged in."""
    return frozenset(route.handler for route in table() if route.needs is ANYONE)
