"""Tickets: what a client presents together with its second factor.

A ticket is signed, and bound to the account, its password, the purpose and the client. Its row
makes it usable once, and bounds its tries, on all instances together.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field

from chatd.auth.mfa_keys import TICKET_LIFETIME_S, InvalidTicket, Purpose, Ticket
from chatd.auth.passkey_answers import new_challenge
from chatd.context.context import Context
from chatd.context.dependencies import Dependencies
from chatd.core.errors import InvalidMfaTicket
from chatd.core.ids import LoginId, UserId
from chatd.db.cursor import Cursor
from chatd.queries import second_factors as queries
from chatd.queries.second_factors import FactorState

_MAX_OTHERS = 19
"""The other tickets that wait at a time: those of a login, or for new logins of an account.

A new one replaces the oldest. A stolen token so replaces only its own, and not the owner's.
"""

_MAX_TRIES = 5
"""Wrong codes of one ticket. The next one needs the password again."""


@dataclass(frozen=True, slots=True)
class Challenge:
    """A new ticket, and the factors with which it can be used."""

    user_id: UserId
    ticket: str = field(repr=False)
    id: bytes = field(repr=False)
    totp: bool
    backup: bool
    """Whether a recovery code is left."""
    webauthn: str | None = field(repr=False)
    """The options for passkeys, as JSON; None without passkeys."""


@dataclass(frozen=True, slots=True)
class OpenTicket:
    """A valid ticket that one of its tries was counted for."""

    user_id: UserId
    id: bytes = field(repr=False)
    challenge: bytes = field(repr=False)
    password_version: bytes = field(repr=False)


async def issue_for_new_login(
    dependencies: Dependencies, user_id: UserId, user_agent: str | None, state: FactorState
) -> Challenge:
    """Create a ticket for a client that logs in. Raises ServiceUnavailable."""
    issued = await _insert(
        dependencies, Purpose.LOGIN, user_id, user_agent or "", state, login_id=None
    )
    return _challenge(dependencies, user_id, issued, state)


async def issue_confirmation(ctx: Context, state: FactorState) -> Challenge:
    """Create a ticket with which the caller confirms an action. Raises ServiceUnavailable."""
    issued = await _insert_own(ctx, Purpose.CONFIRM, state)
    return _challenge(ctx.dependencies, ctx.user.id, issued, state)


def _challenge(
    dependencies: Dependencies,
    user_id: UserId,
    issued: tuple[str, bytes, bytes],
    state: FactorState,
) -> Challenge:
    ticket, ticket_id, challenge = issued
    options = None
    if state.credential_ids and dependencies.passkeys.is_available:
        options = dependencies.passkeys.request_options(challenge, state.credential_ids)
    return Challenge(user_id, ticket, ticket_id, state.has_totp, state.has_recovery_codes, options)


async def issue_registration(ctx: Context, state: FactorState) -> tuple[str, bytes]:
    """Create a ticket for a new passkey of the caller; return it with its challenge."""
    ticket, _, challenge = await _insert_own(ctx, Purpose.REGISTER, state)
    return ticket, challenge


def client_of(ctx: Context) -> str:
    """Return what the tickets of the caller are bound to: its login."""
    return str(ctx.caller.login_id)


async def _insert_own(
    ctx: Context, purpose: Purpose, state: FactorState
) -> tuple[str, bytes, bytes]:
    login_id = ctx.caller.login_id
    return await _insert(
        ctx.dependencies, purpose, ctx.user.id, client_of(ctx), state, login_id=login_id
    )


async def _insert(
    dependencies: Dependencies,
    purpose: Purpose,
    user_id: UserId,
    client: str,
    state: FactorState,
    *,
    login_id: LoginId | None,
) -> tuple[str, bytes, bytes]:
    """Return a new ticket, its id and its challenge."""
    keys = dependencies.mfa_keys
    ticket = keys.issue(purpose, user_id, client, state.password_hash)
    ticket_id, challenge = keys.read(ticket, purpose, client).id, new_challenge()
    async with dependencies.database.cursor() as cur:
        await queries.insert_ticket(
            cur,
            ticket_id,
            user_id,
            challenge,
            login_id=login_id,
            lifetime_s=TICKET_LIFETIME_S,
            keep=_MAX_OTHERS,
        )
    return ticket, ticket_id, challenge


def read(dependencies: Dependencies, ticket: str, purpose: Purpose, client: str) -> Ticket:
    """Return what a ticket says. Raises InvalidMfaTicket."""
    try:
        return dependencies.mfa_keys.read(ticket, purpose, client)
    except InvalidTicket:
        raise InvalidMfaTicket from None


async def count_try(dependencies: Dependencies, ticket: Ticket) -> OpenTicket:
    """Count a try of a ticket. Raises InvalidMfaTicket when it is used up or had too many.

    The try is committed before the factor is verified, so that concurrent tries count.
    """
    async with dependencies.database.cursor() as cur:
        challenge = await queries.count_try(cur, ticket.id, ticket.user_id, limit=_MAX_TRIES)
    if challenge is None:
        raise InvalidMfaTicket
    return OpenTicket(ticket.user_id, ticket.id, challenge, ticket.password_version)


async def consume(cur: Cursor, ticket: OpenTicket) -> None:
    """Use up a ticket whose factor was verified. Raises InvalidMfaTicket if it is used already."""
    if not await queries.consume_ticket(cur, ticket.id):
        raise InvalidMfaTicket


async def locked_state(cur: Cursor, dependencies: Dependencies, ticket: OpenTicket) -> FactorState:
    """Return the factors of the account of a ticket, which cannot change until the commit.

    Raises InvalidMfaTicket if the account is gone or its password was changed.
    """
    state = await queries.state(cur, ticket.user_id, lock=True)
    if state is None or not is_current(dependencies, ticket.password_version, state):
        raise InvalidMfaTicket
    return state


def is_current(dependencies: Dependencies, password_version: bytes, state: FactorState) -> bool:
    """Return whether the password of an account is the one that a ticket was issued for."""
    current = dependencies.mfa_keys.password_version(state.password_hash)
    return hmac.compare_digest(current, password_version)
