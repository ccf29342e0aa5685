"""Verified addresses, lost passwords, and undoing a change, by the links of mails.

All of these routes answer 403 if the server sends no mail.
"""

from __future__ import annotations

from typing import Final

from aiohttp import web

from chatd.core.mail import language_of
from chatd.ratelimit.window import Limit
from chatd.rest.locales import locale_of
from chatd.rest.login_payloads import mfa_challenge, new_login
from chatd.rest.request import JsonBody, user_agent
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import HUMAN, PUBLIC, Routes
from chatd.services.accounts.mail import recovery, verification
from chatd.services.accounts.mfa.tickets import Challenge
from chatd.web.keys import CONTEXT, DEPENDENCIES
from chatd.wire import responses
from chatd.wire.schemas import account_mail as schemas

routes = Routes()

# Limits of a network address, which many people may share. `mail_queue` limits the mails to an
# address.
_REQUESTS: Final = Limit(50, 3600.0, "password requests")
_LINKS: Final = Limit(100, 3600.0, "links of mails")
"""A password for a link is hashed, which takes time. Guessing a link is hopeless without it."""


@routes.post(
    "/auth/verify",
    PUBLIC,
    limit=_LINKS,
    body=JsonBody(schemas.UsedLinkSchema),
    answers={200: responses.VERIFIED_ADDRESS, 403: responses.ERROR},
)
async def verify(request: web.Request, body: schemas.UsedLink) -> web.Response:
    """Verify an email address with the token of a mail.

    A new address replaces that of the account then, which ends all other logins. `token` is null:
    who has the mail alone is not logged in. Emits USER_UPDATE.
    """
    user_id = await verification.verify(request.app[DEPENDENCIES], body.token)
    return json_response({"user_id": str(user_id), "token": None})


@routes.post("/auth/verify/resend", HUMAN, answers={204: None, 403: responses.ERROR})
async def resend(request: web.Request) -> web.Response:
    """Send the mail again that verifies the caller's email address, or the one it changes to.

    Its language is that of X-Discord-Locale or Accept-Language, and that of later mails, too. Sends
    nothing if the address is verified.
    """
    await verification.resend(request[CONTEXT], language_of(locale_of(request)))
    return no_content()


@routes.post(
    "/auth/forgot",
    PUBLIC,
    limit=_REQUESTS,
    body=JsonBody(schemas.LostPasswordSchema),
    answers={204: None, 403: responses.ERROR},
)
async def forgot(request: web.Request, body: schemas.LostPassword) -> web.Response:
    """Send a mail with which the owner of an email address chooses a new password.

    The answer does not show whether the address has an account.
    """
    language = language_of(locale_of(request))
    await recovery.request(request.app[DEPENDENCIES], body.login, language)
    return no_content()


@routes.post(
    "/auth/reset",
    PUBLIC,
    limit=_LINKS,
    body=JsonBody(schemas.NewPasswordSchema),
    answers={200: responses.LOGIN_OR_CHALLENGE, 403: responses.ERROR},
)
async def reset(request: web.Request, body: schemas.NewPassword) -> web.Response:
    """Choose a new password with the token of a mail. Ends all logins, and logs in.

    The answer for an account with a second factor has `mfa` and a ticket in place of tokens. Emits
    USER_UPDATE if this verifies the address.
    """
    login = await recovery.reset(
        request.app[DEPENDENCIES], body.token, body.password, user_agent(request)
    )
    if isinstance(login, Challenge):
        return json_response(mfa_challenge(login))
    return json_response(new_login(login))


@routes.post(
    "/auth/undo",
    PUBLIC,
    limit=_LINKS,
    body=JsonBody(schemas.NewPasswordSchema),
    answers={204: None, 403: responses.ERROR},
)
async def undo(request: web.Request, body: schemas.NewPassword) -> web.Response:
    """Undo a change of password or email address with the token of the mail about it.

    The account has its former address again and the new `password`, and all its logins end. Emits
    USER_UPDATE if the address changes.
    """
    await recovery.undo(request.app[DEPENDENCIES], body.token, body.password)
    return no_content()
