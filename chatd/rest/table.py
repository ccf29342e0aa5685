"""The table of all routes of the API, and serving it under every prefix.

This module imports every handler module, so no handler module may import it. The documentation
handlers get the table from the application (`routing.TABLE`).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from functools import cache

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.rest import (
    announcements,
    application_commands,
    applications,
    audit_logs,
    auth,
    bans,
    channels,
    command_index,
    command_permissions,
    docs,
    files,
    guilds,
    health,
    integrations,
    interactions,
    invitations,
    invites,
    members,
    messages,
    notes,
    notifications,
    oauth2,
    pins,
    private_channels,
    reactions,
    read_states,
    recent_mentions,
    relationships,
    roles,
    search,
    spacebar,
    stubs,
    uploads,
    user_settings,
    users,
    webhook_messages,
    webhook_services,
    webhooks,
)
from chatd.rest.request import MAX_BODY
from chatd.rest.routing import PREFIXES, TABLE, Route

_MODULES = (
    health,
    spacebar,
    auth,
    invitations,
    users,
    relationships,
    user_settings,
    notifications,
    notes,
    guilds,
    messages,  # before other routes below /channels: aiohttp tries them in this order
    uploads,
    channels,
    pins,
    search,
    reactions,
    private_channels,
    read_states,
    recent_mentions,
    members,
    roles,
    bans,
    audit_logs,
    invites,
    webhooks,
    webhook_messages,
    webhook_services,
    interactions,
    announcements,
    applications,
    oauth2,
    integrations,
    application_commands,
    command_permissions,
    command_index,
    stubs,
    docs,
    files,
)


@cache
def table() -> tuple[Route, ...]:
    """Return every route of the API, without prefixes."""
    return tuple(route for module in _MODULES for route in module.routes.table)


def add_to(app: web.Application) -> None:
    """Serve the table under every prefix."""
    app[TABLE] = table()
    paths = {route.path for route in table()}
    for prefix in PREFIXES:
        resources: dict[str, web.Resource] = {}
        for route in table():
            for path in (route.path, *aliases(route.path)):
                if path not in resources:
                    exact = prefix + _exclude_literals(path, paths)
                    resources[path] = app.router.add_resource(exact)
                for method in ("GET", "HEAD") if route.method == "GET" else (route.method,):
                    resources[path].add_route(method, route.handler)


def aliases(path: str) -> Sequence[str]:
    """Return further paths of a route.

    Discord's clients put the type of a reaction after its emoji, which is 0 for a normal one.
    """
    before, emoji, user = path.partition("/reactions/{emoji}/")
    return [f"{before}{emoji}0/{user}"] if user else ()


def _exclude_literals(path: str, paths: Collection[str]) -> str:
    """Return the path for aiohttp, with parameters that do not match literals of other paths.

    Otherwise `DELETE /guilds/1/members/search` would address a member "search" instead of being
    answered with 405.
    """
    before, exact = "/", ""
    for part in path.split("/")[1:]:
        siblings = {
            each.removeprefix(before).partition("/")[0] for each in paths if each.startswith(before)
        }
        words = "|".join(re.escape(word) for word in sorted(siblings) if not word.startswith("{"))
        if part.startswith("{") and words:
            exact += f"/{{{part[1:-1]}:(?!(?:{words})(?:/|$))[^{{}}/]+}}"
        else:
            exact += f"/{part}"
        before += f"{part}/"
    return exact


def public_handlers() -> frozenset[Handler]:
    """Return the handlers that can be called without a login."""
    return frozenset(route.handler for route in table() if route.is_open)


def page_handlers() -> frozenset[Handler]:
    """Return the handlers that serve a page to browsers, which needs no login."""
    return frozenset(route.handler for route in table() if route.page is not None)


def body_limits() -> Mapping[Handler, int]:
    """Return the maximum bytes of JSON, for each handler whose maximum is above `MAX_BODY`."""
    bodies = ((route.handler, route.body) for route in table())
    return {
        handler: body.max_bytes for handler, body in bodies if body and body.max_bytes > MAX_BODY
    }
