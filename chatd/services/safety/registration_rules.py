"""Who may register: blocked mail domains and networks, and waiting for approval.

With REGISTRATION=approval, a new account is disabled until an administrator approves it. An account
with a registration code needs no approval: an administrator has given it the code.
"""

from __future__ import annotations

from chatd.context.dependencies import CoreDependencies, Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.addresses import UNKNOWN
from chatd.core.errors import AccountDisabled, ApiError, InvalidForm, RegistrationBlocked
from chatd.core.ids import UserId
from chatd.core.registration import domains_of
from chatd.db.cursor import Cursor
from chatd.queries import registrations

MAX_WAITING = 1000
"""Accounts that wait at a time. More are no queue that a person works off, but an attack."""


async def require_permitted(dependencies: Dependencies, email: str, network: str) -> None:
    """Raise InvalidForm for a blocked mail domain, RegistrationBlocked for a blocked network.

    `network` is that of the client, as rate limits know it. Also raises RegistrationBlocked if
    too many accounts wait for approval.
    """
    async with dependencies.database.cursor() as cur:
        by_domain, by_network = await registrations.is_blocked(
            cur, domains=[*domains_of(email)], network=None if network == UNKNOWN else network
        )
        if by_network:
            raise RegistrationBlocked
        if by_domain:
            raise _blocked_domain()
        if (
            dependencies.registration == "approval"
            and await registrations.count(cur) >= MAX_WAITING
        ):
            raise RegistrationBlocked("Too many accounts wait for approval; try again later.")


async def require_permitted_domain(dependencies: CoreDependencies, email: str) -> None:
    """Raise InvalidForm if the mail domain of a new address of an account is blocked."""
    async with dependencies.database.cursor() as cur:
        is_blocked, _ = await registrations.is_blocked(
            cur, domains=[*domains_of(email)], network=None
        )
    if is_blocked:
        raise _blocked_domain()


def _blocked_domain() -> InvalidForm:
    text = "Addresses of this mail domain cannot be used on this server."
    return InvalidForm.of("email", "EMAIL_DOMAIN_BLOCKED", text)


def needs_approval(dependencies: Dependencies, code: str | None) -> bool:
    """Return whether a registration waits: with this policy, and without a registration code."""
    return dependencies.registration == "approval" and not code


async def hold(work: UnitOfWork, user_id: UserId) -> None:
    """Let a new account wait for approval."""
    await registrations.insert(work.cur, user_id)


async def refusal(cur: Cursor, user_id: UserId) -> ApiError:
    """Return why a disabled account, whose password is right, cannot log in."""
    if await registrations.is_waiting(cur, user_id):
        text = "This account waits for the approval of an administrator."
        return InvalidForm.of("login", "ACCOUNT_AWAITS_APPROVAL", text)
    return AccountDisabled()
