"""Accounts: registration, login, and the tokens of a login.

Rules: RFC 6819 section 5.2.2.3 (refresh token rotation: reuse ends the login); OWASP Authentication
Cheat Sheet (one answer for an unknown address and a wrong password).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from chatd.auth import tokens
from chatd.context.dependencies import CoreDependencies, Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import names
from chatd.core.errors import InvalidForm, ServiceUnavailable, Unauthorized
from chatd.core.field_errors import FieldErrors
from chatd.core.ids import LoginId, UserId
from chatd.core.mail import email_key as key_of
from chatd.core.models import Account, User
from chatd.db.cursor import UniqueViolation
from chatd.queries import administration, logins, mail_tokens, second_factors, users
from chatd.services.accounts import login_throttle, registration_invites
from chatd.services.accounts.credentials import hash_new, normalize_password
from chatd.services.accounts.mail import mail_queue, notices, verification
from chatd.services.accounts.mfa import tickets
from chatd.services.accounts.mfa.tickets import Challenge
from chatd.services.accounts.revocation import revoke
from chatd.services.safety import registration_rules
from chatd.wire.schemas.accounts import LoginInput, NewAccount

MAX_LOGINS = 500
"""The logins of one account. A new password ends all of them in one transaction."""

_EXCESS_BATCH = 50  # excess logins that one new login ends, in a short transaction


@dataclass(frozen=True, slots=True)
class LoginResult:
    """An account with an access token and the refresh token for the next one."""

    account: Account
    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_in_s: int


@dataclass(frozen=True, slots=True)
class AwaitsApproval:
    """A new account that waits for an administrator. It has no login."""


@dataclass(frozen=True, slots=True)
class NewLogin:
    """A new login with its tokens: a pair, and one for clients that never refresh."""

    id: LoginId
    result: LoginResult
    client_token: str = field(repr=False)


async def register(
    dependencies: Dependencies,
    wanted: NewAccount,
    network: str,
    user_agent: str | None,
    *,
    language: str,
) -> NewLogin | AwaitsApproval:
    """Create an account for a client of this network, and log it in unless it needs an approval.

    `language` is that of mails to it. Raises RegistrationClosed, RegistrationBlocked, RateLimited,
    ServiceUnavailable, and InvalidForm when the name or the address is taken, its mail domain is
    blocked, or a required invitation is missing or invalid.
    """
    invitation = wanted.invitation
    if dependencies.registration == "invitation":
        invitation = invitation or wanted.invite  # clients of Discord have one field for codes
    await registration_rules.require_permitted(dependencies, wanted.email, network)
    await registration_invites.require(dependencies, invitation)
    await verification.count_new(dependencies, wanted.email)
    async with _new_account(dependencies, wanted) as (work, account):
        await registration_invites.consume(dependencies, work, invitation)
        if registration_rules.needs_approval(dependencies, invitation):
            await registration_rules.hold(work, account.user.id)
            await _welcome(dependencies, work, account, language=language)
            return AwaitsApproval()
        return await open_first_login(dependencies, work, account, user_agent, language=language)


async def open_first_login(
    dependencies: Dependencies,
    work: UnitOfWork,
    account: Account,
    user_agent: str | None,
    *,
    language: str,
) -> NewLogin:
    """Create the login of a new account, and add the mail that verifies its address."""
    await _welcome(dependencies, work, account, language=language)
    return await open_login(dependencies, work, account, user_agent, with_notice=False)


async def _welcome(
    dependencies: Dependencies, work: UnitOfWork, account: Account, *, language: str
) -> None:
    """Store the language of mails to a new account, and add the one that verifies its address."""
    await users.set_language(work.cur, account.user.id, language)
    if dependencies.sends_mail:
        await verification.begin(dependencies, work, account)


async def create_without_invitation(
    dependencies: CoreDependencies, wanted: NewAccount, *, administrator: bool
) -> Account:
    """Create an account regardless of REGISTRATION.

    Raises ServiceUnavailable, and InvalidForm when the name or the address is taken.
    """
    async with _new_account(dependencies, wanted) as (work, account):
        if administrator:
            await administration.set_administrator(work.cur, account.user.id, True)
        return account


@asynccontextmanager
async def _new_account(
    dependencies: CoreDependencies, wanted: NewAccount
) -> AsyncIterator[tuple[UnitOfWork, Account]]:
    """Open a unit of work and create an account in it. Raises InvalidForm, ServiceUnavailable."""
    username = names.normalize_username(wanted.username)
    await require_available(
        dependencies, username, wanted.email
    )  # cheap, so before hashing the password
    password_hash = await hash_new(dependencies, wanted.password, field="password")
    user_id, global_name = dependencies.new_id(UserId), wanted.global_name
    user = User(user_id, username, global_name=global_name, avatar=None, bot=False)
    try:
        async with dependencies.begin() as work:
            await users.insert(
                work.cur,
                user,
                username_key=names.key(username),
                email=wanted.email,
                email_key=key_of(wanted.email),
                password_hash=password_hash,
            )
            if await mail_tokens.is_reserved(work.cur, key_of(wanted.email), except_id=None):
                raise mail_queue.address_taken()
            yield work, Account(user, wanted.email)
    except UniqueViolation:
        await require_available(dependencies, username, wanted.email)
        # The other account is gone again. The violation is not chained: it contains the address.
        raise ServiceUnavailable from None


async def log_in(
    dependencies: Dependencies, credentials: LoginInput, network: str, user_agent: str | None
) -> NewLogin | Challenge:
    """Create a login for a client of this network, or ask it for a second factor.

    Raises InvalidForm when the address and the password do not match, AccountDisabled, RateLimited,
    ServiceUnavailable.
    """
    email_key, password = key_of(credentials.email), normalize_password(credentials.password)
    async with dependencies.database.cursor() as cur:
        found = await users.credentials(cur, email_key)
    hashed = None if found is None else found.password_hash
    if not await login_throttle.verify_login(dependencies, network, email_key, password, hashed):
        raise _invalid_login()
    assert found is not None
    async with dependencies.begin() as work:
        held = await users.credentials(work.cur, email_key, lock=True)
        if held is None or (held.user_id, held.password_hash) != (found.user_id, hashed):
            raise _invalid_login()  # changed while the password was verified
        if held.is_disabled:
            raise await registration_rules.refusal(work.cur, held.user_id)
        factors = await second_factors.state(work.cur, found.user_id)
        account = await users.account(work.cur, found.user_id)
        assert account is not None
        if factors is None or not factors.mfa_enabled:
            opened = await open_login(dependencies, work, account, user_agent)
    if factors is not None and factors.mfa_enabled:
        return await tickets.issue_for_new_login(dependencies, found.user_id, user_agent, factors)
    await end_excess_logins(dependencies, account.user.id)
    return opened


async def end_excess_logins(dependencies: Dependencies, user_id: UserId) -> None:
    """End the least recently used logins of a user beyond MAX_LOGINS."""
    async with dependencies.begin() as work:
        if excess := await logins.list_oldest(
            work.cur, user_id, keep=MAX_LOGINS, limit=_EXCESS_BATCH
        ):
            await revoke(work, user_id, excess)


async def refresh(dependencies: Dependencies, refresh_token: str) -> LoginResult:
    """Exchange a refresh token for a new pair of tokens. Raises Unauthorized.

    A token that is used twice was stolen, and either use may be the thief's. So its login ends.
    """
    token_hash = tokens.hash_refresh_token(refresh_token)
    async with dependencies.begin() as work:
        state = await logins.lock_refresh_token(work.cur, token_hash)
        if state is None or state.revoked or state.expired:
            raise Unauthorized
        if not state.used:
            await logins.mark_used(work.cur, token_hash)
            account = await users.account(work.cur, state.user_id)
            assert account is not None
            return await _issue(dependencies, work, account, state.login_id)
    async with (
        dependencies.begin() as work
    ):  # a new one, because the user is locked before the login
        await revoke(work, state.user_id, [state.login_id])
    raise Unauthorized


async def open_login(
    dependencies: Dependencies,
    work: UnitOfWork,
    account: Account,
    user_agent: str | None,
    *,
    with_notice: bool = True,
) -> NewLogin:
    """Create a login of an account that has proved all its factors.

    Its owner gets a mail about it, unless there is another one about what the login belongs to.
    """
    login_id, user_id = dependencies.new_id(LoginId), account.user.id
    client_tokens = dependencies.client_tokens
    await logins.insert(
        work.cur, login_id, user_id, user_agent, lifetime_s=client_tokens.lifetime_s
    )
    result = await _issue(dependencies, work, account, login_id)
    if with_notice:
        await notices.new_login(dependencies, work, account, user_agent)
    return NewLogin(login_id, result, client_tokens.issue(user_id, login_id))


async def _issue(
    dependencies: Dependencies, work: UnitOfWork, account: Account, login_id: LoginId
) -> LoginResult:
    refresh_token = tokens.new_refresh_token()
    await logins.insert_refresh_token(
        work.cur,
        login_id,
        tokens.hash_refresh_token(refresh_token),
        lifetime_s=dependencies.refresh_token_lifetime_s,
    )
    issuer = dependencies.access_tokens
    access_token = issuer.issue(account.user.id, login_id)
    return LoginResult(account, access_token, refresh_token, issuer.lifetime_s)


async def require_available(
    dependencies: CoreDependencies,
    username: str | None,
    email: str | None,
    *,
    ignore: UserId | None = None,
) -> None:
    """Raise InvalidForm if another account has this name or this address."""
    async with dependencies.database.cursor() as cur:
        name_taken, email_taken = await users.taken(
            cur,
            username_key=None if username is None else names.key(username),
            email_key=None if email is None else key_of(email),
            except_id=ignore,
        )
    errors: FieldErrors = {}
    if name_taken:
        errors |= InvalidForm.of(
            "username", "USERNAME_ALREADY_TAKEN", "Username is unavailable."
        ).errors
    if email_taken:
        errors |= InvalidForm.of(
            "email", "EMAIL_ALREADY_REGISTERED", "Email is already registered."
        ).errors
    if errors:
        raise InvalidForm(errors)


def _invalid_login() -> InvalidForm:
    return InvalidForm.of("password", "INVALID_LOGIN", "Login or password is invalid.")
