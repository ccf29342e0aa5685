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
    account_mail,
    administration,
    announcements,
    application_commands,
    applications,
    audit_logs,
    auth,
    auto_moderation,
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
    mfa,
    notes,
    notifications,
    oauth2,
    oidc,
    pins,
    private_channels,
    reactions,
    read_states,
    recent_mentions,
    registrations,
    relationships,
    reports,
    roles,
    search,
    spacebar,
    stubs,
    uploads,
    user_exports,
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
    account_mail,
    mfa,
    oidc,
    invitations,
    administration,
    registrations,
    reports,
    users,
    relationships,
    user_settings,
    notifications,
    notes,
    user_exports,
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
    auto_moderation,
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
    for resource in resources():
        app.router.register_resource(resource)


@cache
def resources() -> tuple[web.AbstractResource, ...]:
    """Return the table under every prefix, as aiohttp keeps it.

    Resources belong to no application. Compiling their patterns takes 0.1 s, so all applications
    of a process share them.
    """
    router = web.UrlDispatcher()
    exact = _exact_paths()
    for prefix in PREFIXES:
        known: dict[str, web.Resource] = {}
        for route in table():
            for path in (route.path, *aliases(route.path)):
                if path not in known:
                    known[path] = router.add_resource(prefix + exact[path])
                for method in ("GET", "HEAD") if route.method == "GET" else (route.method,):
                    known[path].add_route(method, route.handler)
    return tuple(router.resources())


def aliases(path: str) -> Sequence[str]:
    """Return further paths of a route.

    Discord's clients put the type of a reaction after its emoji, which is 0 for a normal one.
    """
    before, emoji, user = path.partition("/reactions/{emoji}/")
    return [f"{before}{emoji}0/{user}"] if user else ()


@cache
def _exact_paths() -> Mapping[str, str]:
    """Return, for each path, the one for aiohttp: its parameters match no literals of other paths.

    Otherwise `DELETE /guilds/1/members/search` would address a member "search" instead of being
    answered with 405.
    """
    literals: dict[str, set[str]] = {}
    for route in table():
        before, *parts = route.path.split("/")
        for part in parts:
            if not part.startswith("{"):
                literals.setdefault(before, set()).add(part)
            before += f"/{part}"
    return {
        path: _exclude_literals(path, literals)
        for route in table()
        for path in (route.path, *aliases(route.path))
    }


def _exclude_literals(path: str, literals: Mapping[str, Collection[str]]) -> str:
    """Return a path for aiohttp. `literals` are the parts that can follow the start of a path."""
    before, *parts = path.split("/")
    exact = ""
    for part in parts:
        words = "|".join(re.escape(word) for word in sorted(literals.get(before, ())))
        if part.startswith("{") and words:
            exact += f"/{{{part[1:-1]}:(?!(?:{words})(?:/|$))[^{{}}/]+}}"
        else:
            exact += f"/{part}"
        before += f"/{part}"
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
