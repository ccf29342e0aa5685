"""The table of routes, served under every prefix."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.typedefs import Handler

PREFIXES = ("", "/api", "/api/v1", "/api/v9", "/api/v10")
"""Where the API stands: the seed's bare paths, and Discord's with and without a version."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path. Unless `anyone`, the caller must be logged in."""

    method: str
    path: str
    handler: Handler
    anyone: bool


class Routes:
    """The routes of one resource, collected by decorators."""

    def __init__(self) -> None:
        self.table: list[Route] = []

    def get(self, path: str, *, anyone: bool = False) -> Callable[[Handler], Handler]:
        """Serve GET, and HEAD with it."""
        return self._add("GET", path, anyone)

    def post(self, path: str, *, anyone: bool = False) -> Callable[[Handler], Handler]:
        """Serve POST."""
        return self._add("POST", path, anyone)

    def put(self, path: str) -> Callable[[Handler], Handler]:
        """Serve PUT."""
        return self._add("PUT", path, anyone=False)

    def patch(self, path: str) -> Callable[[Handler], Handler]:
        """Serve PATCH."""
        return self._add("PATCH", path, anyone=False)

    def delete(self, path: str) -> Callable[[Handler], Handler]:
        """Serve DELETE."""
        return self._add("DELETE", path, anyone=False)

    def _add(self, method: str, path: str, anyone: bool) -> Callable[[Handler], Handler]:
        def decorate(handler: Handler) -> Handler:
            self.table.append(Route(method, path, handler, anyone))
            return handler

        return decorate


def table() -> list[Route]:
    """Every route of the API, without its prefixes."""
    from chatd.rest import (
        audit_logs,
        auth,
        bans,
        channels,
        guilds,
        health,
        invites,
        members,
        messages,
        pins,
        reactions,
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
        members,
        roles,
        bans,
        audit_logs,
        invites,
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
    return frozenset(route.handler for route in table() if route.anyone)
