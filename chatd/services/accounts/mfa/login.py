"""The second step of a login: a code or a passkey, after the password."""

from __future__ import annotations

from chatd.auth.mfa_keys import Purpose
from chatd.auth.passkey_answers import InvalidPasskey, parse_assertion
from chatd.context.dependencies import Dependencies
from chatd.core.errors import AccountDisabled, InvalidMfaCode, InvalidMfaTicket
from chatd.queries import users
from chatd.services.accounts import accounts, login_throttle
from chatd.services.accounts.accounts import NewLogin
from chatd.services.accounts.mfa import tickets, verification
from chatd.services.accounts.mfa.tickets import OpenTicket
from chatd.services.accounts.mfa.verification import CodeProof, PasskeyProof, Proof


async def finish_with_code(
    dependencies: Dependencies,
    ticket: str,
    proof: CodeProof,
    network: str,
    user_agent: str | None,
) -> NewLogin:
    """Create a login with a ticket and a one-time or recovery code.

    Raises InvalidMfaTicket, InvalidMfaCode, AccountDisabled, RateLimited, ServiceUnavailable.
    """
    claims = tickets.read(dependencies, ticket, Purpose.LOGIN, user_agent or "")
    opened = await tickets.count_try(dependencies, claims)
    return await _finish(dependencies, opened, proof, network, user_agent)


async def finish_with_passkey(
    dependencies: Dependencies, ticket: str, answer: str, network: str, user_agent: str | None
) -> NewLogin:
    """Create a login with a ticket and the answer of a browser. Raises as `finish_with_code`."""
    claims = tickets.read(dependencies, ticket, Purpose.LOGIN, user_agent or "")
    opened = await tickets.count_try(dependencies, claims)
    try:
        assertion = parse_assertion(answer)
    except InvalidPasskey:
        raise InvalidMfaCode from None
    proof = PasskeyProof(assertion, opened.challenge)
    return await _finish(dependencies, opened, proof, network, user_agent)


async def _finish(
    dependencies: Dependencies,
    ticket: OpenTicket,
    proof: Proof,
    network: str,
    user_agent: str | None,
) -> NewLogin:
    """Use the factor and the ticket and open the login in one transaction, or nothing of it."""
    login: NewLogin | None = None

    async def attempt() -> bool:
        nonlocal login
        async with dependencies.begin() as work:
            state = await tickets.locked_state(work.cur, dependencies, ticket)
            if not await verification.use(dependencies, work.cur, ticket.user_id, proof):
                return False
            if state.is_disabled:
                raise AccountDisabled
            await tickets.consume(work.cur, ticket)
            account = await users.account(work.cur, ticket.user_id)
            if account is None:
                raise InvalidMfaTicket
            login = await accounts.open_login(dependencies, work, account, user_agent)
        return True

    is_right = await login_throttle.verify_factor(
        dependencies, ticket.user_id, network, attempt, is_code=isinstance(proof, CodeProof)
    )
    if not is_right or login is None:
        raise InvalidMfaCode
    await accounts.end_excess_logins(dependencies, ticket.user_id)
    return login
