"""The table of routes, served under every prefix."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Protocol, TypeVar, overload

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.core.errors import NotForBots, OnlyForBots
from chatd.core.permissions import Permissions
from chatd.ephemeral.windows import Limit
from chatd.keys import CONTEXT
from chatd.rest import parse
from chatd.wire.fields import UNSET, Schema, Unset
from chatd.wire.shape import Shape

PREFIXES = ("", "/api", "/api/v1", "/api/v9", "/api/v10")
"""Where the API stands: the seed's bare paths, and Discord's with and without a version."""


class Caller(Enum):
    """Who may call a route, when it is no question of permissions."""

    ANYONE = "anyone"
    USER = "anyone who is logged in"
    PERSON = "people who are logged in, not bots"
    BOT = "bots"
    MEMBER = "the members of the guild"
    OWNER = "the owner of the guild"
    RECIPIENT = "those in the private channel"
    ADMINISTRATOR = "administrators of the server"


ANYONE, USER, PERSON, BOT, MEMBER, OWNER, RECIPIENT, ADMINISTRATOR = Caller

READS = Limit(50, 1.0)
WRITES = Limit(20, 5.0)
"""How often a route may be called when its own line says nothing else."""

B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)
Q = TypeVar("Q")


class Body(Protocol[B_co]):
    """How a route reads its body: `parse.Json` and its like."""

    async def read(self, request: web.Request) -> B_co:
        """The body as a value. Raises InvalidForm and what else can be wrong with a body."""

    @property
    def media(self) -> Mapping[str, Any]:
        """What it may be: by media type, something that `openapi` can turn into a schema."""

    @property
    def required(self) -> bool:
        """Whether there has to be one."""


@dataclass(frozen=True, slots=True)
class Route:
    """A method and a path, who may call it and how often, what it takes and what it answers.

    `needs` is a caller, or the permissions that a member needs in the guild or channel of the
    path; for what is the caller's own (a message, a reaction, an invite), it may need less.
    `declared` is the function in the module of the resource, `handler` what aiohttp calls.
    """

    method: str
    path: str
    needs: Caller | Permissions
    limit: Limit | None
    handler: Handler
    declared: Callable[..., Awaitable[web.StreamResponse]]
    answers: Mapping[int, Shape | None]
    body: Body[Any] | None
    query: type[Schema[Any]] | None


Answering = Awaitable[web.StreamResponse]


class Verb(Protocol):
    """Declares a route. What is declared is what is used: the function is called with the request,
    and after it with what `body` and `query` have read, in this order.

    `answers` has the shape of the answer by status, None for one without a body; a shape alone
    stands for 200, None alone for 204. `limit` is how often it may be called, None without end.
    """

    @overload
    def __call__(
        self,
        path: str,
        needs: Caller | Permissions,
        *,
        limit: Limit | None = ...,
        answers: Answers,
    ) -> Callable[[Callable[[web.Request], Answering]], Callable[[web.Request], Answering]]: ...

    @overload
    def __call__(
        self,
        path: str,
        needs: Caller | Permissions,
        *,
        limit: Limit | None = ...,
        body: Body[B],
        answers: Answers,
    ) -> Callable[
        [Callable[[web.Request, B], Answering]], Callable[[web.Request, B], Answering]
    ]: ...

    @overload
    def __call__(
        self,
        path: str,
        needs: Caller | Permissions,
        *,
        limit: Limit | None = ...,
        query: type[Schema[Q]],
        answers: Answers,
    ) -> Callable[
        [Callable[[web.Request, Q], Answering]], Callable[[web.Request, Q], Answering]
    ]: ...

    @overload
    def __call__(
        self,
        path: str,
        needs: Caller | Permissions,
        *,
        limit: Limit | None = ...,
        body: Body[B],
        query: type[Schema[Q]],
        answers: Answers,
    ) -> Callable[
        [Callable[[web.Request, B, Q], Answering]], Callable[[web.Request, B, Q], Answering]
    ]: ...


Answers = Mapping[int, Shape | None] | Shape | None


class Routes:
    """The routes of one resource, collected by decorators; GET serves HEAD with it."""

    def __init__(self) -> None:
        self.table: list[Route] = []
        self.get: Verb = partial(self._add, "GET")
        self.post: Verb = partial(self._add, "POST")
        self.put: Verb = partial(self._add, "PUT")
        self.patch: Verb = partial(self._add, "PATCH")
        self.delete: Verb = partial(self._add, "DELETE")

    def _add(
        self,
        method: str,
        path: str,
        needs: Caller | Permissions,
        *,
        answers: Answers,
        limit: Limit | Unset | None = UNSET,
        body: Body[Any] | None = None,
        query: type[Schema[Any]] | None = None,
    ) -> Callable[[Callable[..., Answering]], Callable[..., Answering]]:
        if limit is UNSET:
            limit = READS if method == "GET" else WRITES
        if answers is None:
            answers = {204: None}
        elif not isinstance(answers, Mapping):
            answers = {200: answers}

        ids = [name for name in re.findall(r"\{(\w+)\}", path) if name.endswith("_id")]

        def decorate(declared: Callable[..., Answering]) -> Callable[..., Answering]:
            async def handler(request: web.Request) -> web.StreamResponse:
                _require_kind(request, needs)
                for name in ids:
                    parse.path_id(request, int, name)  # before waiting for a body
                read = []
                if body is not None:
                    read.append(await body.read(request))
                if query is not None:
                    read.append(parse.query(request, query))
                return await declared(request, *read)

            route = Route(method, path, needs, limit, handler, declared, answers, body, query)
            self.table.append(route)
            return declared

        return decorate


def _require_kind(request: web.Request, needs: Caller | Permissions) -> None:
    """Raises NotForBots, OnlyForBots."""
    if needs is PERSON and request[CONTEXT].user.bot:
        raise NotForBots
    if needs is BOT and not request[CONTEXT].user.bot:
        raise OnlyForBots


def table() -> list[Route]:
    """Every route of the API, without its prefixes."""
    from chatd.rest import (
        applications,
        audit_logs,
        auth,
        bans,
        channels,
        docs,
        empty,
        files,
        guilds,
        health,
        invitations,
        invites,
        members,
        messages,
        pins,
        private_channels,
        reactions,
        read_states,
        roles,
        search,
        users,
    )

    modules = (
        health,
        auth,
        invitations,
        users,
        guilds,
        messages,  # first of its kind: aiohttp tries one after the other
        channels,
        pins,
        search,
        reactions,
        private_channels,
        read_states,
        members,
        roles,
        bans,
        audit_logs,
        invites,
        applications,
        empty,
        docs,
        files,
    )
    return [route for module in modules for route in module.routes.table]


def add_to(app: web.Application) -> None:
    """Serve the table under every prefix."""
    routes = table()
    paths = {route.path for route in routes}
    for prefix in PREFIXES:
        resources: dict[str, web.Resource] = {}
        for route in routes:
            if route.path not in resources:
                resources[route.path] = app.router.add_resource(prefix + _exact(route.path, paths))
            for method in ("GET", "HEAD") if route.method == "GET" else (route.method,):
                resources[route.path].add_route(
                    method, route.handler, expect_handler=parse.expecting
                )


def _exact(path: str, paths: Collection[str]) -> str:
    """The path for aiohttp, in which no parameter takes a word that another path has there.

    Otherwise `DELETE /guilds/1/members/search` was for the member "search", and no 405.
    """
    before, exact = "/", ""
    for part in path.split("/")[1:]:
        there = {
            each.removeprefix(before).partition("/")[0] for each in paths if each.startswith(before)
        }
        words = "|".join(re.escape(word) for word in sorted(there) if not word.startswith("{"))
        if part.startswith("{") and words:
            exact += f"/{{{part[1:-1]}:(?!(?:{words})(?:/|$))[^{{}}/]+}}"
        else:
            exact += f"/{part}"
        before += f"{part}/"
    return exact


def open_to_anyone() -> frozenset[Handler]:
    """The handlers that may be called without being logged in."""
    return frozenset(route.handler for route in table() if route.needs is ANYONE)
