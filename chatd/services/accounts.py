"""Accounts: registering, logging in and out, and the tokens of a login.

Rules: RFC 6819 section 5.2.2.3 (refresh token rotation: reuse ends the login); OWASP Authentication
Cheat Sheet (one answer for an unknown address and a wrong password).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from chatd.auth import tokens
from chatd.context import Context, Resources, Work
from chatd.core import names
from chatd.core.errors import FieldErrors, InvalidForm, Unauthorized
from chatd.core.ids import LoginId, UserId
from chatd.core.models import Account, User
from chatd.db import UniqueViolation
from chatd.events.users import login_revoked
from chatd.queries import logins, users
from chatd.services import guessing
from chatd.wire.schemas.accounts import Credentials, NewAccount


@dataclass(frozen=True, slots=True)
class Grant:
    """What a login hands out: the account and its two tokens."""

    account: Account
    access_token: str
    refresh_token: str
    expires_in_s: int


async def register(resources: Resources, wanted: NewAccount) -> Grant:
    """Make an account and log it in. Raises InvalidForm when name or address is taken, Busy."""
    username = names.username(wanted.username)
    username_key, email_key = names.key(username), _email_key(wanted.email)
    await _refuse_taken(resources, username_key, email_key)  # cheaply, before the hashing
    password_hash = await resources.passwords.hash(_normal(wanted.password))
    user = User(resources.new_id(UserId), username, global_name=None, avatar=None, bot=False)
    try:
        async with resources.begin() as work:
            await users.insert(
                work.cur,
                user,
                username_key=username_key,
                email=wanted.email,
                email_key=email_key,
                password_hash=password_hash,
            )
            return await _open_login(resources, work, Account(user, wanted.email))
    except UniqueViolation:
        await _refuse_taken(resources, username_key, email_key)
        raise  # taken and freed again in between


async def log_in(resources: Resources, credentials: Credentials, network: str) -> Grant:
    """Open a login for somebody in this network.

    Raises InvalidForm when address and password do not match, RateLimited, Busy.
    """
    email_key, password = _email_key(credentials.email), _normal(credentials.password)
    async with resources.database.cursor() as cur:
        found = await users.credentials(cur, email_key)
    user_id, hashed = found or (None, None)
    if not await guessing.is_login(resources, network, email_key, password, hashed):
        raise _invalid_login()
    assert user_id is not None
    async with resources.begin() as work:
        account = await users.account(work.cur, user_id)
        if account is None:
            raise _invalid_login()
        return await _open_login(resources, work, account)


async def refresh(resources: Resources, refresh_token: str) -> Grant:
    """Trade a refresh token for a new pair. Raises Unauthorized.

    A token that comes a second time has been stolen, then or now: its login ends.
    """
    token_hash = tokens.hash_refresh_token(refresh_token)
    async with resources.begin() as work:
        state = await logins.lock_refresh_token(work.cur, token_hash)
        if state is None or state.revoked or state.expired:
            raise Unauthorized
        if state.used:
            await _revoke(work, state.user_id, state.login_id)
        else:
            await logins.mark_used(work.cur, token_hash)
            account = await users.account(work.cur, state.user_id)
            assert account is not None
            return await _issue(resources, work, account, state.login_id)
    raise Unauthorized


async def log_out(ctx: Context) -> None:
    """End the login that asks: its tokens are worth nothing from now on."""
    async with ctx.begin() as work:
        await _revoke(work, ctx.user.id, ctx.caller.login_id)


async def _open_login(resources: Resources, work: Work, account: Account) -> Grant:
    login_id = resources.new_id(LoginId)
    await logins.insert(work.cur, login_id, account.user.id)
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


async def _revoke(work: Work, user_id: UserId, login_id: LoginId) -> None:
    if await logins.revoke(work.cur, login_id):
        await work.open(user_id)
        work.emit(login_revoked(user_id, login_id))


async def _refuse_taken(resources: Resources, username_key: str, email_key: str) -> None:
    async with resources.database.cursor() as cur:
        name_taken, email_taken = await users.taken(
            cur, username_key=username_key, email_key=email_key
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


def _email_key(address: str) -> str:
    """What two spellings of one address have in common."""
    return unicodedata.normalize("NFKC", address).strip().casefold()


def _normal(password: str) -> str:
    """A password typed on another keyboard is the same password (RFC 8265, OpaqueString)."""
    return unicodedata.normalize("NFC", password)
