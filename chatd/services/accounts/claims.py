"""Claims: a person takes over a placeholder account, with a code from the operator.

The code is sent as the invitation of a registration. So it works in every client that can register
with a code, and whatever REGISTRATION says: an administrator has made it for this person.
"""

from __future__ import annotations

import hashlib
import secrets
import string
from dataclasses import dataclass, field
from datetime import datetime

from chatd.context.dependencies import CoreDependencies, Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import names
from chatd.core.errors import InvalidForm, ServiceUnavailable, UnknownUser
from chatd.core.ids import UserId
from chatd.core.mail import email_key
from chatd.core.models import Account, User
from chatd.db.cursor import UniqueViolation
from chatd.events import members as member_events
from chatd.queries import account_claims, mail_tokens, members
from chatd.services.accounts import accounts
from chatd.services.accounts.accounts import AwaitsApproval, NewLogin
from chatd.services.accounts.credentials import hash_new
from chatd.services.accounts.mail import mail_queue, verification
from chatd.services.accounts.users import ConcurrentChange, lock_with_guilds
from chatd.wire.schemas.accounts import NewAccount

_ALPHABET = string.ascii_letters + string.digits
_CODE_LENGTH = 24  # 143 bits: infeasible to guess
_ATTEMPTS = 3  # to lock the guilds of an account while it is added to others


@dataclass(frozen=True, slots=True)
class ClaimCode:
    """A code to claim an account. Only its hash is stored."""

    code: str = field(repr=False)
    expires_at: datetime


async def create_code(
    dependencies: CoreDependencies, user_id: UserId, *, lifetime_s: int
) -> ClaimCode:
    """Create the code of a placeholder, which replaces the one before.

    Raises UnknownUser for any other account.
    """
    code = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LENGTH))
    async with dependencies.begin() as work:
        await work.ensure_and_lock(user_id)
        expires_at = await account_claims.replace(
            work.cur, user_id, _hash(code), lifetime_s=lifetime_s
        )
    if expires_at is None:
        raise UnknownUser("Only the placeholder of a person can be claimed.")
    return ClaimCode(code, expires_at)


async def register(
    dependencies: Dependencies,
    wanted: NewAccount,
    network: str,
    user_agent: str | None,
    *,
    language: str,
) -> NewLogin | AwaitsApproval:
    """Create an account, or claim a placeholder if the code says so, and log it in.

    `network` is that of the client, `language` that of mails to the account. Raises what
    `accounts.register` raises, ConcurrentChange, and InvalidForm for a used code.
    """
    code = wanted.invitation or wanted.invite
    user_id = await _find(dependencies, code)
    if user_id is None or code is None:
        return await accounts.register(dependencies, wanted, network, user_agent, language=language)
    username = names.normalize_username(wanted.username)
    await accounts.require_available(dependencies, username, wanted.email, ignore=user_id)
    await verification.count_new(dependencies, wanted.email)
    password_hash = await hash_new(dependencies, wanted.password, field="password")
    for attempt in range(_ATTEMPTS):
        try:
            async with dependencies.begin() as work:
                account = await _claim(work, user_id, code, wanted, password_hash)
                return await accounts.open_first_login(
                    dependencies, work, account, user_agent, language=language
                )
        except ConcurrentChange:
            if attempt == _ATTEMPTS - 1:
                raise
        except UniqueViolation:
            await accounts.require_available(dependencies, username, wanted.email, ignore=user_id)
            raise ServiceUnavailable from None  # taken when it was written, available again now
    raise AssertionError("an attempt ends it")


async def _find(dependencies: Dependencies, code: str | None) -> UserId | None:
    """Return the placeholder that a code is for; None for a code of another kind.

    Raises InvalidForm for a code that was used or has expired. No other code is as long.
    """
    if not code or len(code) != _CODE_LENGTH:
        return None
    async with dependencies.database.cursor() as cur:
        found = await account_claims.find(cur, _hash(code))
    if found is None:
        raise _invalid()
    return found


async def _claim(
    work: UnitOfWork, user_id: UserId, code: str, wanted: NewAccount, password_hash: str
) -> Account:
    """Turn the placeholder of a code into the account of a person, and show its name to its guilds.

    Raises InvalidForm when the code was used or has expired, UniqueViolation when the name or the
    address is taken, ConcurrentChange.
    """
    await lock_with_guilds(work, user_id)
    found = await account_claims.consume(work.cur, user_id, _hash(code))
    if found is None:
        raise _invalid()
    username = names.normalize_username(wanted.username)
    global_name = wanted.global_name or found.global_name
    await account_claims.complete(
        work.cur,
        user_id,
        username=username,
        username_key=names.key(username),
        global_name=global_name,
        email=wanted.email,
        email_key=email_key(wanted.email),
        password_hash=password_hash,
    )
    if await mail_tokens.is_reserved(work.cur, email_key(wanted.email), except_id=user_id):
        raise mail_queue.address_taken()
    for member in await members.list_for_user(work.cur, user_id):
        work.emit(member_events.member_updated(member))
    return Account(User(user_id, username, global_name, found.avatar, bot=False), wanted.email)


def _invalid() -> InvalidForm:
    return InvalidForm.of("invitation", "INVITATION_INVALID", "This code was used, or has expired.")


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()
