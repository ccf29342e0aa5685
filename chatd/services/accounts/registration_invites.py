"""Invitations to register, for servers with REGISTRATION=invitation.

Administrators create them, or the operator on the command line. They are different from invites to
guilds. When an administrator loses its rights, its invitations are invalid.
"""

from __future__ import annotations

import secrets
import string

from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import (
    InvalidForm,
    RegistrationClosed,
    UnknownInvitation,
)
from chatd.core.ids import UserId
from chatd.core.models import Invitation
from chatd.queries import invitations
from chatd.services.accounts import administrators
from chatd.wire.schemas.accounts import NewInvitation

_MAX_LISTED = 1000  # of one response, without paging

_ALPHABET = string.ascii_letters + string.digits
_CODE_LENGTH = 16  # 95 bits: infeasible to guess


async def require(dependencies: Dependencies, code: str | None) -> None:
    """Raise RegistrationClosed or InvalidForm unless this code permits a registration.

    A cheap check before hashing the password. `consume` checks again, atomically.
    """
    if dependencies.registration == "closed":
        raise RegistrationClosed
    if _is_checked(dependencies, code):
        if not code:
            raise InvalidForm.of(
                "invitation",
                "BASE_TYPE_REQUIRED",
                "Registration on this server needs an invitation.",
            )
        async with dependencies.database.cursor() as cur:
            if not await invitations.is_active(cur, code):
                raise _invalid()


async def consume(dependencies: Dependencies, work: UnitOfWork, code: str | None) -> None:
    """Consume one use of an invitation, if one is required. Raises InvalidForm if there is none."""
    is_needed = _is_checked(dependencies, code)
    if is_needed and not await invitations.consume(work.cur, code or ""):
        raise _invalid()


def _is_checked(dependencies: Dependencies, code: str | None) -> bool:
    """Return whether a code has to be valid: where it is needed, or replaces an approval."""
    policy = dependencies.registration
    return policy == "invitation" or (policy == "approval" and bool(code))


async def create(ctx: Context, wanted: NewInvitation) -> Invitation:
    """Create an invitation. The caller has to be an administrator. Raises MissingPermissions."""
    async with ctx.begin() as work:
        await administrators.require(ctx, work.cur)
        return await create_for(work, ctx.user.id, wanted)


async def create_for(
    work: UnitOfWork, created_by: UserId | None, wanted: NewInvitation
) -> Invitation:
    """Create an invitation of an administrator, or of the command line if `created_by` is None."""
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    return await invitations.insert(
        work.cur, code, created_by, max_uses=wanted.max_uses, max_age_s=wanted.max_age
    )


async def list_active(ctx: Context) -> list[Invitation]:
    """Return all valid invitations. Needs an administrator. Raises MissingPermissions."""
    async with ctx.begin() as work:
        await administrators.require(ctx, work.cur)
        return await invitations.list_active(work.cur, limit=_MAX_LISTED)


async def delete(ctx: Context, code: str) -> None:
    """Revoke an invitation. Needs an administrator.

    Raises MissingPermissions, UnknownInvitation.
    """
    async with ctx.begin() as work:
        await administrators.require(ctx, work.cur)
        if not await invitations.delete(work.cur, code):
            raise UnknownInvitation


def _invalid() -> InvalidForm:
    return InvalidForm.of(
        "invitation", "INVITATION_INVALID", "This invitation has expired or is not valid."
    )
