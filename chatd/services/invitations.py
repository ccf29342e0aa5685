"""Invitations to register, for servers that do not take everyone: REGISTRATION=invitation.

Administrators of the server make them, and whoever may run commands on it. They are no invites,
which lead into a guild. When an administrator is one no longer, its invitations are void.
"""

from __future__ import annotations

import secrets
import string

from chatd.context import Context, Resources, Work
from chatd.core.errors import (
    InvalidForm,
    MissingPermissions,
    RegistrationClosed,
    UnknownInvitation,
)
from chatd.core.ids import UserId
from chatd.core.models import Invitation
from chatd.queries import administration, invitations
from chatd.wire.schemas.accounts import NewInvitation

LISTED = 1000

_ALPHABET = string.ascii_letters + string.digits
_CODE_LENGTH = 16


async def require(resources: Resources, code: str | None) -> None:
    """Raises RegistrationClosed, or InvalidForm unless who has this code, or none, may register.

    Cheap, before the hashing of a password; `use` decides.
    """
    if resources.registration == "closed":
        raise RegistrationClosed
    if resources.registration == "invitation":
        if not code:
            raise InvalidForm.of(
                "invitation", "BASE_TYPE_REQUIRED", "This server is for those who are invited."
            )
        async with resources.database.cursor() as cur:
            if not await invitations.is_living(cur, code):
                raise _invalid()


async def use(resources: Resources, work: Work, code: str | None) -> None:
    """Use up an invitation, where one is needed; its last use is had by one. Raises InvalidForm."""
    is_needed = resources.registration == "invitation"
    if is_needed and not await invitations.use(work.cur, code or ""):
        raise _invalid()


async def create(ctx: Context, wanted: NewInvitation) -> Invitation:
    """Make an invitation. Needs an administrator of the server. Raises MissingPermissions."""
    async with ctx.begin() as work:
        await _require_administrator(ctx, work)
        return await make(work, ctx.user.id, wanted)


async def make(work: Work, created_by: UserId | None, wanted: NewInvitation) -> Invitation:
    """Make an invitation of an administrator's, or with None of the command line's."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return await invitations.insert(
        work.cur, code, created_by, max_uses=wanted.max_uses, max_age_s=wanted.max_age
    )


async def living(ctx: Context) -> list[Invitation]:
    """All invitations that can be used. Needs an administrator. Raises MissingPermissions."""
    async with ctx.begin() as work:
        await _require_administrator(ctx, work)
        return await invitations.living(work.cur, limit=LISTED)


async def delete(ctx: Context, code: str) -> None:
    """Take an invitation back. Needs an administrator.

    Raises MissingPermissions, UnknownInvitation.
    """
    async with ctx.begin() as work:
        await _require_administrator(ctx, work)
        if not await invitations.delete(work.cur, code):
            raise UnknownInvitation


async def _require_administrator(ctx: Context, work: Work) -> None:
    if not await administration.is_administrator(work.cur, ctx.user.id):
        raise MissingPermissions


def _invalid() -> InvalidForm:
    return InvalidForm.of(
        "invitation", "INVITATION_INVALID", "This invitation has expired or is not valid."
    )
