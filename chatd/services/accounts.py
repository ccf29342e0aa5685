"""Accounts: registering, logging in, and the tokens of a login.

Rules: RFC 6819 section 5.2.2.3 (refresh token rotation: reuse ends the login); OWASP Authentication
Cheat Sheet (one answer for an unknown address and a wrong password).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chatd.auth import tokens
from chatd.context import Resources, Work
from chatd.core import names
from chatd.core.errors import AccountDisabled, Busy, FieldErrors, InvalidForm, Unauthorized
from chatd.core.ids import LoginId, UserId
from chatd.core.models import Account, User
from chatd.db import UniqueViolation
from chatd.queries import administration, logins, users
from chatd.services import guessing, invitations
from chatd.services.credentials import email_key as key_of
from chatd.services.credentials import normal
from chatd.services.revocation import revoke
from chatd.wire.schemas.accounts import Credentials, NewAccount


@dataclass(frozen=True, slots=True)
class Grant:
    """What a login hands out: the account and its two tokens."""

    account: Account
    access_token: str
    refresh_token: str
    expires_in_s: int


async def register(resources: Resources, wanted: NewAccount, user_agent: str | None) -> Grant:
    """Make an account and log it in.

    Raises RegistrationClosed, InvalidForm when name or address is taken, or the invitation that it
    takes is missing or not valid, Busy.
    """
    await invitations.require(resources, wanted.invitation)
    async with _making(resources, wanted) as (work, account):
        await invitations.use(resources, work, wanted.invitation)
        return await _open_login(resources, work, account, user_agent)


async def make(resources: Resources, wanted: NewAccount, *, administrator: bool) -> Account:
    """Make an account, whoever may register. Raises InvalidForm when name or address is taken."""
    async with _making(resources, wanted) as (work, account):
        if administrator:
            await administration.set_administrator(work.cur, account.user.id, True)
        return account


@asynccontextmanager
async def _making(resources: Resources, wanted: NewAccount) -> AsyncIterator[tuple[Work, Account]]:
    """A new account, and the work that it is made in. Raises InvalidForm, Busy."""
    username = names.username(wanted.username)
    await refuse_taken(resources, username, wanted.email)  # cheaply, before the hashing
    password_hash = await resources.passwords.hash(normal(wanted.password))
    user = User(resources.new_id(UserId), username, global_name=None, avatar=None, bot=False)
    try:
        async with resources.begin() as work:
            await users.insert(
                work.cur,
                user,
                username_key=names.key(username),
                email=wanted.email,
                email_key=key_of(wanted.email),
                password_hash=password_hash,
            )
            yield work, Account(user, wanted.email)
    except UniqueViolation:
        await refuse_taken(resources, username, wanted.email)
        raise Busy from None  # taken and freed again in between; the violation names the address


async def log_in(
    resources: Resources, credentials: Credentials, network: str, user_agent: str | None
) -> Grant:
    """Open a login for somebody in this network.

    Raises InvalidForm when address and password do not match, AccountDisabled, RateLimited, Busy.
    """
    email_key, password = key_of(credentials.email), normal(credentials.password)
    async with resources.database.cursor() as cur:
        found = await users.credentials(cur, email_key)
    hashed = None if found is None else found.password_hash
    if not await guessing.is_login(resources, network, email_key, password, hashed):
        raise _invalid_login()
    assert found is not None
    async with resources.begin() as work:
        held = await users.credentials(work.cur, email_key, hold=True)
        if held is None or (held.user_id, held.password_hash) != (found.user_id, hashed):
            raise _invalid_login()  # changed while it was being checked
        if held.is_disabled:
            raise AccountDisabled
        account = await users.account(work.cur, found.user_id)
        assert account is not None
        return await _open_login(resources, work, account, user_agent)


async def refresh(resources: Resources, refresh_token: str) -> Grant:
    """Trade a refresh token for a new pair. Raises Unauthorized.

    A token that comes a second time has been stolen, then or now: its login ends.
    """
    token_hash = tokens.hash_refresh_token(refresh_token)
    async with resources.begin() as work:
        state = await logins.lock_refresh_token(work.cur, token_hash)
        if state is None or state.revoked or state.expired:
            raise Unauthorized
        if not state.used:
            await logins.mark_used(work.cur, token_hash)
            account = await users.account(work.cur, state.user_id)
            assert account is not None
            return await _issue(resources, work, account, state.login_id)
    async with resources.begin() as work:  # another one: it locks the user before the login
        await revoke(work, state.user_id, [state.login_id])
    raise Unauthorized


async def _open_login(
    resources: Resources, work: Work, account: Account, user_agent: str | None
) -> Grant:
    login_id = resources.new_id(LoginId)
    await logins.insert(work.cur, login_id, account.user.id, user_agent)
    return await _issue(resources, work, account, login_id)


async def _issue(resources: Resources, work: Work, account: Account, login_id: LoginId) -> Grant:
    refresh_token = tokens.new_refresh_token()
    await logins.insert_refresh_token(
        work.cur,
        login_id,
        tokens.hash_refresh_token(refresh_token),
        lifetime_s=resources.refresh_token_lifetime_s,
    )
    issuer = resources.access_tokens
    access_token = issuer.issue(account.user.id, login_id)
    return Grant(account, access_token, refresh_token, issuer.lifetime_s)


async def refuse_taken(
    resources: Resources,
    username: str | None,
    email: str | None,
    *,
    besides: UserId | None = None,
) -> None:
    """Raises InvalidForm when another account has this name or this address."""
    async with resources.database.cursor() as cur:
        name_taken, email_taken = await users.taken(
            cur,
            username_key=None if username is None else names.key(username),
            email_key=None if email is None else key_of(email),
            besides=besides,
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
