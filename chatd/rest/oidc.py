"""Single sign-on: logins at OpenID providers, and the links of the caller with accounts there.

A browser goes to `/auth/oidc/{provider}/login`, to the provider, and back to `callback`. From there
it is sent to the web client, with a code in the fragment of the address, which browsers send to no
server. The client removes it from the history, and exchanges it for tokens.

The browser keeps a secret in the only cookie of this server. It proves nothing but that requests
of one login come from one browser. Requests from pages of other sites do not have it (SameSite).
"""

from __future__ import annotations

import re
from typing import Final

from aiohttp import hdrs, web

from chatd.core.errors import ApiError, UnknownProvider
from chatd.ratelimit.window import Limit
from chatd.rest import oidc_page
from chatd.rest.login_payloads import new_login
from chatd.rest.request import FormBody, JsonBody, accepts_html, user_agent
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import HUMAN, PUBLIC, Routes
from chatd.services.accounts.oidc import attempts, first_password, links, login, logout
from chatd.web.client_address import client_network
from chatd.web.keys import CONTEXT, DEPENDENCIES, PUBLIC_URL
from chatd.wire import payloads, responses
from chatd.wire.schemas import oidc as schemas

routes = Routes()

_LOGINS = Limit(100, 60.0, "logins at providers")
"""For each network address, which many people may share."""

_LOGOUTS = Limit(100, 10.0, "logouts by providers")
"""A provider that restarts ends many sessions at once."""

_SETTINGS = Limit(20, 60.0)

_TO_BROWSERS = {303: None, **dict.fromkeys((400, 403, 404, 503), responses.ERROR_OR_PAGE)}

_SECRET = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@routes.get("/auth/oidc", PUBLIC, answers=responses.PROVIDERS)
async def list_providers(request: web.Request) -> web.Response:
    """List the providers at which people can log in."""
    providers = request.app[DEPENDENCIES].providers
    found = [{"name": each.settings.name, "label": each.settings.label} for each in providers]
    return json_response({"providers": found})


@routes.get(
    "/auth/oidc/{provider}/login",
    PUBLIC,
    limit=_LOGINS,
    answers=_TO_BROWSERS,
)
async def begin(request: web.Request) -> web.Response:
    """Send a browser to a provider, to log in there."""
    try:
        dependencies = request.app[DEPENDENCIES]
        provider = attempts.get_provider(dependencies, request.match_info["provider"])
        begun = await attempts.begin(dependencies, provider, _browser(request))
    except ApiError as error:
        return _failed(request, error)
    response = _redirect(begun.url)
    _remember(request, response, begun.browser)
    return response


@routes.get(
    "/auth/oidc/{provider}/callback",
    PUBLIC,
    limit=_LOGINS,
    query=schemas.CallbackSchema,
    answers=_TO_BROWSERS,
)
async def finish(request: web.Request, callback: schemas.Callback) -> web.Response:
    """Come back from a provider. Browsers are sent to the web client, or get a page that says why
    the login failed.

    The login is that of the linked account. Without one, the settings of the server decide whether
    it is linked with the account that has the person's address, or creates one.
    """
    dependencies, browser = request.app[DEPENDENCIES], _browser(request)
    try:
        provider = attempts.get_provider(dependencies, request.match_info["provider"])
        attempt, person = await attempts.finish(dependencies, provider, browser, callback)
        assert browser is not None
        if attempt.user_id is not None and attempt.login_id is not None:
            await links.finish(dependencies, provider, attempt.user_id, attempt.login_id, person)
            return _redirect(f"{request.app[PUBLIC_URL]}/app/settings/security")
        network = client_network(request)
        code = await login.finish(dependencies, provider, browser, person, network)
    except ApiError as error:
        return _failed(request, error)
    return _redirect(f"{request.app[PUBLIC_URL]}/login#sso={code}")


@routes.post(
    "/auth/oidc/token",
    PUBLIC,
    limit=_LOGINS,
    body=JsonBody(schemas.SignOnCodeSchema),
    answers={200: responses.NEW_LOGIN, 403: responses.ERROR},
)
async def exchange(request: web.Request, body: schemas.SignOnCode) -> web.Response:
    """Exchange the code of a login at a provider for tokens, once and within a minute.

    It works only in the browser that has logged in. The second factor of the account is not asked
    for. 403 with code 20013 for a disabled account.
    """
    opened = await login.exchange(
        request.app[DEPENDENCIES], body.code, _browser(request), user_agent(request)
    )
    return json_response(new_login(opened))


@routes.post(
    "/auth/oidc/{provider}/backchannel-logout",
    PUBLIC,
    limit=_LOGOUTS,
    body=FormBody(schemas.ProviderLogoutSchema),
    answers={200: None},
)
async def log_out(request: web.Request, body: schemas.ProviderLogout) -> web.Response:
    """End logins, with their tokens and gateway sessions. Providers call it, with a logout token.

    Rule: OpenID Connect Back-Channel Logout 1.0.
    """
    dependencies = request.app[DEPENDENCIES]
    provider = attempts.get_provider(dependencies, request.match_info["provider"])
    await logout.log_out(dependencies, provider, body.logout_token)
    return web.Response(headers={"Cache-Control": "no-store"})


@routes.get("/users/@me/oidc", HUMAN, answers=responses.LINKS)
async def list_links(request: web.Request) -> web.Response:
    """List the accounts at providers by which the caller can log in."""
    found = await links.list_for_caller(request[CONTEXT])
    return json_response(
        {
            "has_password": found.has_password,
            "links": [
                payloads.provider_link(each.name, each.label, each.linked_at, each.last_used_at)
                for each in found.links
            ],
        }
    )


@routes.post(
    "/users/@me/oidc/{provider}",
    HUMAN,
    limit=_SETTINGS,
    body=JsonBody(schemas.OwnerProofSchema, optional=True),
    answers={200: responses.PROVIDER_URL, 401: responses.MFA_REQUIRED},
)
async def link(request: web.Request, body: schemas.OwnerProof) -> web.Response:
    """Begin to link an account at a provider with the caller's; the browser goes to `url`.

    Needs a second factor, or without one the password. An account that has neither needs a login of
    the last ten minutes at a provider.
    """
    ctx = request[CONTEXT]
    provider = attempts.get_provider(ctx.dependencies, request.match_info["provider"])
    begun = await links.begin(ctx, provider, _browser(request), body.password, body.code)
    response = json_response({"url": begun.url})
    _remember(request, response, begun.browser)
    return response


@routes.delete(
    "/users/@me/oidc/{provider}",
    HUMAN,
    limit=_SETTINGS,
    body=JsonBody(schemas.OwnerProofSchema, optional=True),
    answers={204: None, 401: responses.MFA_REQUIRED},
)
async def unlink(request: web.Request, body: schemas.OwnerProof) -> web.Response:
    """Unlink an account at a provider, and end the caller's other logins by it.

    The last way to log in cannot be unlinked. Needs the same proof as linking.
    """
    ctx = request[CONTEXT]
    provider = ctx.dependencies.providers.get(request.match_info["provider"])
    if provider is None:
        raise UnknownProvider
    await links.unlink(ctx, provider, body.password, body.code)
    return no_content()


@routes.post(
    "/users/@me/password",
    HUMAN,
    limit=_SETTINGS,
    body=JsonBody(schemas.FirstPasswordSchema),
    answers={204: None, 401: responses.MFA_REQUIRED},
)
async def set_first_password(request: web.Request, body: schemas.FirstPassword) -> web.Response:
    """Set the password of an account that has none, and end all its other logins.

    Such an account was created by a login at a provider. Needs its second factor, or without one a
    login of the last ten minutes at a provider.
    """
    await first_password.set_first(request[CONTEXT], body.new_password, body.code)
    return no_content()


def _browser(request: web.Request) -> str | None:
    """Return the secret of the browser, if it has one.

    aiohttp's `cookies` takes 50 ms for a header of 8 kB with many cookies.
    """
    header = "; ".join(request.headers.getall(hdrs.COOKIE, ()))
    for cookie in header.split(";"):
        name, _, value = cookie.strip().partition("=")
        if name == _cookie(request):
            return value if _SECRET.fullmatch(value) else None
    return None


def _remember(request: web.Request, response: web.Response, browser: str) -> None:
    response.set_cookie(
        _cookie(request),
        browser,
        max_age=attempts.LIFETIME_S,
        path="/",
        secure=_is_secure(request),
        httponly=True,
        samesite="Lax",  # the way back from the provider is a request of another site
    )


def _cookie(request: web.Request) -> str:
    """Return the name of the cookie. With this prefix, no other host can set it (RFC 6265bis)."""
    return _SECURE_COOKIE if _is_secure(request) else _COOKIE


_COOKIE: Final = "chatd-oidc"
_SECURE_COOKIE: Final = f"__Host-{_COOKIE}"


def _is_secure(request: web.Request) -> bool:
    return request.app[PUBLIC_URL].startswith("https:")


def _redirect(url: str) -> web.Response:
    headers = {"Location": url, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return web.Response(status=303, headers=headers)


def _failed(request: web.Request, error: ApiError) -> web.Response:
    """Return a page for browsers. Raises the error for others."""
    if not accepts_html(request):
        raise error
    return oidc_page.failed(request, error)
