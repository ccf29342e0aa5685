"""Declaring routes: decorators with which each resource lists its own routes.

A declaration says who may call the route and how often, which body and query it reads, and what it
answers. The same declaration serves the route, limits its rate and describes it in the OpenAPI
document, so the description cannot drift from the behavior. `table` collects all declarations.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any, Protocol, TypeVar, overload

from aiohttp import web
from aiohttp.typedefs import Handler

from chatd.core.errors import ForeignApplication, NotForBots, OnlyForBots
from chatd.core.ids import ChannelId, GuildId, UserId, WebhookId
from chatd.core.permissions import Permissions
from chatd.core.unset import UNSET, Unset
from chatd.ratelimit.window import Limit
from chatd.rest.request import MAX_BODY, may_be_large, path_id, read_query
from chatd.services.access import access
from chatd.services.webhooks import tokens
from chatd.web.keys import CONTEXT, DEPENDENCIES
from chatd.wire.base_schema import Schema
from chatd.wire.json_schema import ResponseSchema

PREFIXES = ("", "/api", "/api/v1", "/api/v9", "/api/v10")
"""Every route is served under each of these prefixes: bare, and as Discord does, with and without
an API version."""


class Requirement(Enum):
    """What a route requires of its caller, where this is not a set of permissions.

    The values are shown in the documentation of the API.
    """

    PUBLIC = "no login"
    TOKEN = "the token in the path; no login"  # noqa: S105
    AUTHENTICATED = "any account"
    HUMAN = "a person's account; bots cannot call it"
    BOT = "a bot"
    APPLICATION = "the bot of the application"
    APPLICATION_OWNER = "the bot of the application, or its owner"
    MEMBER = "a member of the guild"
    OWNER = "the owner of the guild"
    RECIPIENT = "a recipient of the private channel"
    ADMINISTRATOR = "an administrator of the server"


(
    PUBLIC,
    TOKEN,
    AUTHENTICATED,
    HUMAN,
    BOT,
    APPLICATION,
    APPLICATION_OWNER,
    MEMBER,
    OWNER,
    RECIPIENT,
    ADMINISTRATOR,
) = Requirement

READS = Limit(50, 1.0)
WRITES = Limit(20, 5.0)
"""The rate limits of GET and of other methods, for routes that do not declare their own."""

B = TypeVar("B")
B_co = TypeVar("B_co", covariant=True)
Q = TypeVar("Q")


class Body(Protocol[B_co]):
    """How a route reads its body: `request.JsonBody` and similar classes."""

    async def read(self, request: web.Request) -> B_co:
        """Return the body as a value. Raises InvalidForm and the other errors of bodies."""

    @property
    def media(self) -> Mapping[str, Any]:
        """The accepted bodies: for each media type, something that `openapi` makes a schema of."""

    @property
    def max_bytes(self) -> int:
        """The maximum size of a JSON body."""

    @property
    def required(self) -> bool:
        """Whether a request without a body is refused."""


@dataclass(frozen=True, slots=True, eq=False)
class Route:
    """A method and a path, with what the route requires, reads and answers.

    `needs` is a requirement, or the permissions that a member needs in the guild or channel of the
    path. On what belongs to the caller (a message, a reaction, an invite) it may need fewer.
    `declared` is the function in the module of the resource; `handler` is what aiohttp calls.
    """

    method: str
    path: str
    needs: Requirement | Permissions
    bots: bool
    """Whether bots may call it. False for what Discord offers to people only."""
    limit: Limit | None
    handler: Handler
    declared: Callable[..., Awaitable[web.StreamResponse]]
    answers: Mapping[int, ResponseSchema | None]
    body: Body[Any] | None
    query: type[Schema[Any]] | None
    page: Page | None
    """What browsers get instead, without a login: a page that calls the route."""

    @property
    def is_open(self) -> bool:
        """Whether it is called without a login."""
        return self.needs in (PUBLIC, TOKEN)


TABLE: web.AppKey[tuple[Route, ...]] = web.AppKey("TABLE")
"""All routes of the application, for its documentation."""

Page = Callable[[web.Request], web.Response]
"""A page for browsers. It reads no query, so that a wrong query is shown on the page."""

PendingResponse = Awaitable[web.StreamResponse]
"""What a handler returns when it is called."""


class RouteDecorator(Protocol):
    """Declares a route. The decorated function is called with the request, and after it with what
    `body` and `query` have read, in this order.

    `answers` maps each status to the schema of its body, or to None for a response without a body.
    A schema alone means status 200; None alone means status 204. `limit` None means no rate limit.
    """

    @overload
    def __call__(
        self,
        path: str,
        needs: Requirement | Permissions,
        *,
        bots: bool = ...,
        limit: Limit | None = ...,
        answers: DeclaredResponses,
    ) -> Callable[
        [Callable[[web.Request], PendingResponse]], Callable[[web.Request], PendingResponse]
    ]: ...

    @overload
    def __call__(
        self,
        path: str,
        needs: Requirement | Permissions,
        *,
        bots: bool = ...,
        limit: Limit | None = ...,
        body: Body[B],
        answers: DeclaredResponses,
    ) -> Callable[
        [Callable[[web.Request, B], PendingResponse]], Callable[[web.Request, B], PendingResponse]
    ]: ...

    @overload
    def __call__(
        self,
        path: str,
        needs: Requirement | Permissions,
        *,
        bots: bool = ...,
        limit: Limit | None = ...,
        query: type[Schema[Q]],
        page: Page | None = ...,
        answers: DeclaredResponses,
    ) -> Callable[
        [Callable[[web.Request, Q], PendingResponse]], Callable[[web.Request, Q], PendingResponse]
    ]: ...

    @overload
    def __call__(
        self,
        path: str,
        needs: Requirement | Permissions,
        *,
        bots: bool = ...,
        limit: Limit | None = ...,
        body: Body[B],
        query: type[Schema[Q]],
        answers: DeclaredResponses,
    ) -> Callable[
        [Callable[[web.Request, B, Q], PendingResponse]],
        Callable[[web.Request, B, Q], PendingResponse],
    ]: ...


DeclaredResponses = Mapping[int, ResponseSchema | None] | ResponseSchema | None


class Routes:
    """The routes of one resource, collected by decorators. A GET route also serves HEAD."""

    def __init__(self) -> None:
        self.table: list[Route] = []
        self.get: RouteDecorator = partial(self._add, "GET")
        self.post: RouteDecorator = partial(self._add, "POST")
        self.put: RouteDecorator = partial(self._add, "PUT")
        self.patch: RouteDecorator = partial(self._add, "PATCH")
        self.delete: RouteDecorator = partial(self._add, "DELETE")

    def _add(
        self,
        method: str,
        path: str,
        needs: Requirement | Permissions,
        *,
        answers: DeclaredResponses,
        bots: bool = True,
        limit: Limit | Unset | None = UNSET,
        body: Body[Any] | None = None,
        query: type[Schema[Any]] | None = None,
        page: Page | None = None,
    ) -> Callable[[Callable[..., PendingResponse]], Callable[..., PendingResponse]]:
        if limit is UNSET:
            limit = READS if method == "GET" else WRITES
        bots = bots and needs is not HUMAN
        if answers is None:
            answers = {204: None}
        elif not isinstance(answers, Mapping):
            answers = {200: answers}

        def decorate(declared: Callable[..., PendingResponse]) -> Callable[..., PendingResponse]:
            handler = _handler(declared, path, needs, bots=bots, body=body, query=query, page=page)
            route = Route(
                method, path, needs, bots, limit, handler, declared, answers, body, query, page
            )
            self.table.append(route)
            return declared

        return decorate


def _handler(
    declared: Callable[..., PendingResponse],
    path: str,
    needs: Requirement | Permissions,
    *,
    bots: bool,
    body: Body[Any] | None,
    query: type[Schema[Any]] | None,
    page: Page | None,
) -> Handler:
    """Return what aiohttp calls: it checks and reads a request, and calls `declared`."""
    ids = [name for name in re.findall(r"\{(\w+)\}", path) if name.endswith("_id")]
    takes_any_account = bots and needs not in (BOT, APPLICATION)

    async def handler(request: web.Request) -> web.StreamResponse:
        if page is not None and CONTEXT not in request:
            return page(request)
        if not takes_any_account:
            _require_account_type(request, needs, bots=bots)
        for name in ids:
            path_id(request, int, name)  # refuse a malformed id before reading the body
        read = []
        if body is not None:
            if body.max_bytes > MAX_BODY and may_be_large(request):
                await _require_access(request, needs)
            read.append(await body.read(request))
        if query is not None:
            read.append(read_query(request, query))
        return await declared(request, *read)

    return handler


def _require_account_type(
    request: web.Request, needs: Requirement | Permissions, *, bots: bool
) -> None:
    """Raises NotForBots, OnlyForBots, ForeignApplication."""
    if not bots and request[CONTEXT].user.bot:
        raise NotForBots
    if needs in (BOT, APPLICATION):
        caller = request[CONTEXT].user
        if not caller.bot:
            raise OnlyForBots
        if needs is APPLICATION and path_id(request, UserId, "application_id") != caller.id:
            raise ForeignApplication


async def _require_access(request: web.Request, needs: Requirement | Permissions) -> None:
    """Authorize the caller before its large body is read: reading costs more than this check.

    Only the service can decide about what may belong to the caller, like a message, and about
    private channels. Raises UnknownGuild, UnknownChannel, MissingAccess, MissingPermissions,
    UnknownWebhook, InvalidWebhookToken.
    """
    path = request.match_info
    if needs is TOKEN:
        webhook_id = path_id(request, WebhookId, "webhook_id")
        tokens.require_valid(request.app[DEPENDENCIES], webhook_id, path["webhook_token"])
        return
    if needs is PUBLIC:
        return  # the body's own `read` authorizes, by what is in the path
    ctx = request[CONTEXT]
    granted: access.GuildAccess | access.PrivateAccess
    async with ctx.database.cursor() as cur:
        if "channel_id" in path:
            channel_id = path_id(request, ChannelId, "channel_id")
            granted = await access.channel(cur, ctx.user.id, channel_id)
        elif "guild_id" in path:
            guild_id = path_id(request, GuildId, "guild_id")
            granted = await access.guild(cur, ctx.user.id, guild_id)
        else:
            return
    is_own = "message_id" in path or isinstance(granted, access.PrivateAccess)
    if isinstance(needs, Permissions) and not is_own:
        granted.require(needs)
