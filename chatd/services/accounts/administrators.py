"""The check that a caller administrates the server."""

from __future__ import annotations

from chatd.context.context import Context
from chatd.core.errors import MfaRequired, MissingPermissions
from chatd.db.cursor import Cursor
from chatd.queries import administration, oidc_logins, second_factors

_MFA_REQUIRED = (
    "This server requires a second factor of its administrators. Enable one in the settings of your"
    " account, then try again."
)


async def require(ctx: Context, cur: Cursor) -> None:
    """Raise MissingPermissions unless the caller is an administrator of the server.

    Raises MfaRequired if REQUIRE_MFA says so and it has no second factor: neither its own nor one
    that a provider asked for when it opened this login.
    """
    if not await administration.is_administrator(cur, ctx.user.id):
        raise MissingPermissions
    if ctx.dependencies.require_mfa != "administrators":
        return
    has_own = await second_factors.is_enabled(cur, ctx.user.id)
    if not has_own and not await oidc_logins.login_has_mfa(cur, ctx.caller.login_id):
        raise MfaRequired(_MFA_REQUIRED)
