"""Adding mails to the mail queue, and the limits of what users can let the server send."""

from __future__ import annotations

import hashlib
from typing import Final

from chatd.auth.mail_tokens import InvalidMailToken, new_id
from chatd.context.dependencies import CoreDependencies, Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core.errors import InvalidForm, MailDisabled
from chatd.core.ids import LoginId, MailId, UserId
from chatd.core.mail import LIFETIMES_S, MailKind, TokenPurpose, email_key
from chatd.db.cursor import Cursor
from chatd.queries import mail_tokens, mails
from chatd.queries.mail_tokens import MailToken
from chatd.queries.mails import NewMail
from chatd.ratelimit import headers
from chatd.ratelimit.window import Limit

# Mails that users cause to an address, whether it has an account or not. A person who waits for a
# mail asks a few times; more would fill the mailbox of someone else.
_PER_HOUR: Final = Limit(5, 3600.0, "mails by hour", exact=True)
_PER_DAY: Final = Limit(15, 86_400.0, "mails by day", exact=True)
_CHANGES: Final = Limit(10, 3600.0, "changes with a notice", exact=True)
"""New passwords and addresses of an account: each of them sends a mail, and its link lasts."""


def require_enabled(dependencies: Dependencies) -> None:
    """Raise MailDisabled if the server sends no mail."""
    if not dependencies.sends_mail:
        raise MailDisabled


async def count(dependencies: Dependencies, purpose: TokenPurpose, address: str) -> None:
    """Count a mail that a user causes to an address. Raises RateLimited.

    Each purpose has its own limits: requests for a password do not keep the owner of the address
    from registering.
    """
    # Hashed so that Redis contains no addresses.
    name = hashlib.sha256(email_key(address).encode()).hexdigest()[:32]
    for limit in (_PER_DAY, _PER_HOUR):
        await _hit(dependencies, limit, f"{limit.bucket}:{purpose}:{name}")


async def count_change(dependencies: Dependencies, user_id: UserId) -> None:
    """Count a change whose notice can undo it. Raises RateLimited."""
    if dependencies.sends_mail:
        await _hit(dependencies, _CHANGES, f"{_CHANGES.bucket}:{user_id}")


async def _hit(dependencies: Dependencies, limit: Limit, key: str) -> None:
    decision = await dependencies.rate_limits.hit_shared(limit, key)
    if not decision.granted:
        raise headers.rate_limited(decision, headers.bucket_id(limit.bucket))


async def add(
    dependencies: CoreDependencies,
    work: UnitOfWork,
    kind: MailKind,
    user_id: UserId,
    recipient: str,
    *,
    token_id: bytes | None = None,
    detail: str = "",
) -> None:
    """Add a mail to an account."""
    mail_id = dependencies.new_id(MailId)
    await mails.insert(work.cur, NewMail(mail_id, kind, user_id, recipient, token_id, detail))
    work.on_commit(dependencies.mails_due.set)


async def new_token(
    cur: Cursor,
    purpose: TokenPurpose,
    user_id: UserId,
    email: str,
    *,
    login_id: LoginId | None = None,
) -> MailToken:
    """Add a token for a link that concerns this address."""
    token = MailToken(new_id(), user_id, email, login_id)
    await mail_tokens.insert(cur, purpose, token, lifetime_s=LIFETIMES_S[purpose])
    return token


async def find(dependencies: Dependencies, purpose: TokenPurpose, token: str) -> MailToken:
    """Return what a token of a link is for.

    Raises InvalidForm if it is forged, expired, used or revoked, or its account is disabled;
    MailDisabled.
    """
    require_enabled(dependencies)
    try:
        token_id = dependencies.mail_tokens.read(purpose, token)
    except InvalidMailToken:
        raise invalid_token() from None
    async with dependencies.database.cursor() as cur:
        found = await mail_tokens.get(cur, purpose, token_id)
    if found is None:
        raise invalid_token()
    return found


def invalid_token() -> InvalidForm:
    """Return the error for a token that cannot be used."""
    text = "The link is invalid, has expired, or was used already."
    return InvalidForm.of("token", "TOKEN_INVALID", text)


def address_taken() -> InvalidForm:
    """Return the error for an address that another account has."""
    return InvalidForm.of("email", "EMAIL_ALREADY_REGISTERED", "Email is already registered.")
