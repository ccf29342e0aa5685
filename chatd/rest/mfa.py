"""Second factors: the second step of a login, confirmations, and the settings of the caller."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from chatd.core.ids import PasskeyId, UserId
from chatd.core.json import JsonObject
from chatd.ratelimit.window import Limit
from chatd.rest.login_payloads import new_login
from chatd.rest.request import JsonBody, path_id, user_agent
from chatd.rest.response import json_response, no_content
from chatd.rest.routing import HUMAN, PUBLIC, Routes
from chatd.services.accounts.mfa import confirmation, factors, login, passkeys, recovery_codes
from chatd.services.accounts.mfa.passkeys import Passkey
from chatd.services.accounts.mfa.recovery_codes import RecoveryCode
from chatd.services.accounts.mfa.verification import CodeProof
from chatd.web.client_address import client_network
from chatd.web.keys import CONTEXT, DEPENDENCIES
from chatd.wire import payloads, responses
from chatd.wire.json_schema import array_of
from chatd.wire.schemas import mfa as schemas

routes = Routes()

_LOGINS = Limit(100, 60.0, "second steps of logins")
"""For each network address, as for passwords. `login_throttle` limits wrong codes more strictly."""

_SETTINGS = Limit(20, 60.0)


@routes.post(
    "/auth/mfa/totp",
    PUBLIC,
    limit=_LOGINS,
    body=JsonBody(schemas.MfaCodeLoginSchema),
    answers={200: responses.NEW_LOGIN, 403: responses.ERROR},
)
async def log_in_with_code(request: web.Request, body: schemas.MfaLogin) -> web.Response:
    """Finish a login with a one-time code or a recovery code.

    `ticket` is that of `POST /auth/login`. Code 60006 for a ticket that cannot be used (any more):
    log in again. Code 60008 for a wrong code; a ticket has five tries.
    """
    return await _log_in(request, body, CodeProof(body.code))


@routes.post(
    "/auth/mfa/backup",
    PUBLIC,
    limit=_LOGINS,
    body=JsonBody(schemas.MfaCodeLoginSchema),
    answers={200: responses.NEW_LOGIN, 403: responses.ERROR},
)
async def log_in_with_recovery_code(request: web.Request, body: schemas.MfaLogin) -> web.Response:
    """Finish a login with a recovery code."""
    return await _log_in(request, body, CodeProof(body.code, is_recovery=True))


async def _log_in(request: web.Request, body: schemas.MfaLogin, proof: CodeProof) -> web.Response:
    opened = await login.finish_with_code(
        request.app[DEPENDENCIES], body.ticket, proof, client_network(request), user_agent(request)
    )
    return json_response(new_login(opened))


@routes.post(
    "/auth/mfa/webauthn",
    PUBLIC,
    limit=_LOGINS,
    body=JsonBody(schemas.MfaPasskeyLoginSchema),
    answers={200: responses.NEW_LOGIN, 403: responses.ERROR},
)
async def log_in_with_passkey(request: web.Request, body: schemas.MfaLogin) -> web.Response:
    """Finish a login with a passkey: `code` is the credential of the browser, as JSON."""
    opened = await login.finish_with_passkey(
        request.app[DEPENDENCIES],
        body.ticket,
        body.code,
        client_network(request),
        user_agent(request),
    )
    return json_response(new_login(opened))


@routes.post(
    "/mfa/finish",
    HUMAN,
    limit=_SETTINGS,
    body=JsonBody(schemas.MfaProofSchema),
    answers=responses.MFA_TOKEN,
)
async def finish(request: web.Request, body: schemas.MfaProof) -> web.Response:
    """Prove the second factor for a sensitive action.

    `ticket` is that of an answer with code 60003. `data` is a code, the credential of a browser as
    JSON, or the password of an account without a second factor.
    """
    token = await confirmation.finish(request[CONTEXT], body.ticket, body.mfa_type, body.data)
    return json_response({"token": token})


@routes.post(
    "/users/@me/mfa/totp/enable",
    HUMAN,
    limit=_SETTINGS,
    body=JsonBody(schemas.NewTotpSchema),
    answers={200: responses.ENABLED_TOTP, 401: responses.MFA_REQUIRED},
)
async def enable_totp(request: web.Request, body: schemas.NewTotp) -> web.Response:
    """Enable one-time codes. Needs the password, and the code of a secret of the client's choice.

    Without `secret` the answer has code 60005 if the password is right. The first factor ends all
    other logins, and creates recovery codes, which are shown only here. Emits USER_UPDATE.
    """
    ctx = request[CONTEXT]
    enabled = await factors.enable_totp(ctx, body.password, body.secret, body.code)
    codes = _codes(ctx.user.id, enabled.codes)
    return json_response({"token": enabled.token, "backup_codes": codes})


@routes.post(
    "/users/@me/mfa/totp/disable",
    HUMAN,
    limit=_SETTINGS,
    body=JsonBody(schemas.MfaCodeSchema, optional=True),
    answers={200: responses.LOGIN_TOKEN, 401: responses.MFA_REQUIRED},
)
async def disable_totp(request: web.Request, body: schemas.MfaCode) -> web.Response:
    """Disable one-time codes. Needs a second factor. Emits USER_UPDATE."""
    return json_response({"token": await factors.disable_totp(request[CONTEXT], body.code)})


@routes.post(
    "/users/@me/mfa/codes",
    HUMAN,
    limit=_SETTINGS,
    body=JsonBody(schemas.RecoveryCodesRequestSchema),
    answers={200: responses.RECOVERY_CODES, 401: responses.MFA_REQUIRED},
)
async def get_recovery_codes(
    request: web.Request, body: schemas.RecoveryCodesRequest
) -> web.Response:
    """List which recovery codes are used, or with `regenerate` replace all. Needs the password.

    New codes need a second factor, too. Only they are shown.
    """
    ctx = request[CONTEXT]
    found = await recovery_codes.list_or_replace(
        ctx, body.password, body.code, regenerate=body.regenerate
    )
    return json_response({"backup_codes": _codes(ctx.user.id, found)})


@routes.get("/users/@me/mfa/webauthn/credentials", HUMAN, answers=array_of(responses.PASSKEY))
async def list_passkeys(request: web.Request) -> web.Response:
    """List the caller's passkeys."""
    found = await passkeys.list_for_caller(request[CONTEXT])
    return json_response([_passkey(each) for each in found])


@routes.post(
    "/users/@me/mfa/webauthn/credentials",
    HUMAN,
    limit=_SETTINGS,
    body=JsonBody(schemas.NewPasskeySchema, optional=True),
    answers={200: responses.PASSKEY_OR_REGISTRATION, 401: responses.MFA_REQUIRED},
)
async def add_passkey(request: web.Request, body: schemas.NewPasskey) -> web.Response:
    """Begin to create a passkey, or with `ticket` and `credential` finish it.

    To begin needs a second factor, or without one the password. Emits USER_UPDATE.
    """
    ctx = request[CONTEXT]
    if body.ticket is None or body.credential is None:
        begun = await passkeys.begin(ctx, body.code, body.password)
        return json_response({"ticket": begun.ticket, "challenge": begun.options})
    passkey, codes = await passkeys.finish(ctx, body.ticket, body.credential, body.name)
    return json_response({**_passkey(passkey), "backup_codes": _codes(ctx.user.id, codes)})


@routes.patch(
    "/users/@me/mfa/webauthn/credentials/{passkey_id}",
    HUMAN,
    body=JsonBody(schemas.PasskeyChangeSchema),
    answers=responses.PASSKEY,
)
async def rename_passkey(request: web.Request, body: schemas.PasskeyChange) -> web.Response:
    """Rename a passkey of the caller."""
    passkey_id = path_id(request, PasskeyId, "passkey_id")
    return json_response(_passkey(await passkeys.rename(request[CONTEXT], passkey_id, body.name)))


@routes.delete(
    "/users/@me/mfa/webauthn/credentials/{passkey_id}",
    HUMAN,
    limit=_SETTINGS,
    body=JsonBody(schemas.MfaCodeSchema, optional=True),
    answers={204: None, 401: responses.MFA_REQUIRED},
)
async def delete_passkey(request: web.Request, body: schemas.MfaCode) -> web.Response:
    """Delete a passkey of the caller. Needs a second factor. Emits USER_UPDATE."""
    passkey_id = path_id(request, PasskeyId, "passkey_id")
    await passkeys.delete(request[CONTEXT], passkey_id, body.code)
    return no_content()


def _codes(user_id: UserId, codes: Sequence[RecoveryCode]) -> list[JsonObject]:
    return [payloads.recovery_code(user_id, each.code, is_used=each.is_used) for each in codes]


def _passkey(passkey: Passkey) -> JsonObject:
    return payloads.passkey(passkey.id, passkey.name, passkey.credential_id, passkey.last_used_at)
