"""Logging in at a provider: finding or creating the account, and opening the login.

The browser comes back with the answer of the provider, and gets a code. The client in it exchanges
the code for tokens, within a minute, with the cookie of the same browser. So tokens are in no
address, and the code is worthless elsewhere.

The second factor of the account is not asked for: the provider has asked for its own.
"""

from __future__ import annotations

import secrets

from chatd.auth.oidc.provider import Provider
from chatd.context.dependencies import Dependencies
from chatd.context.unit_of_work import UnitOfWork
from chatd.core import names
from chatd.core.errors import (
    AddressNotVerified,
    AddressTaken,
    InvalidForm,
    NotLinked,
    RegistrationBlocked,
    ServiceUnavailable,
    login_expired,
)
from chatd.core.ids import UserId
from chatd.core.mail import email_key
from chatd.core.models import User
from chatd.core.suggested_names import suggestions
from chatd.db.cursor import UniqueViolation
from chatd.oidc_settings import ProviderOptions
from chatd.queries import mail_tokens, oidc_identities, users
from chatd.queries import oidc_logins as queries
from chatd.queries.oidc_logins import Handoff
from chatd.services.accounts import accounts, credentials
from chatd.services.accounts.accounts import NewLogin
from chatd.services.accounts.mail import notices
from chatd.services.accounts.oidc import groups
from chatd.services.accounts.oidc.attempts import hashed
from chatd.services.accounts.oidc.person import Person
from chatd.services.accounts.revocation import revoke_all
from chatd.services.safety import registration_rules

_HANDOFF_LIFETIME_S = 60
"""The client exchanges the code as soon as it is loaded."""

_ATTEMPTS = 3  # to create an account whose name or address others register at the same time


async def finish(
    dependencies: Dependencies, provider: Provider, browser: str, person: Person, network: str
) -> str:
    """Return a code for the login of a person, whose account is created if the settings permit.

    `network` is that of the browser. Raises AccountDisabled, NotLinked, AddressTaken,
    AddressNotVerified, RegistrationBlocked, ServiceUnavailable.
    """
    for _ in range(_ATTEMPTS):
        user = await _log_in(dependencies, provider, person)
        if user is None:
            try:
                user = await _adopt_or_create(dependencies, provider, person, network)
            except AddressTaken:  # maybe by this person, in another tab
                user = await _log_in(dependencies, provider, person)
                if user is None:
                    raise
        if user is not None:
            return await _hand_off(dependencies, browser, user, person)
    raise ServiceUnavailable


async def _log_in(dependencies: Dependencies, provider: Provider, person: Person) -> User | None:
    """Return the linked account, with the rights of its groups; None if none is linked."""
    async with dependencies.database.cursor() as cur:
        linked = await oidc_identities.linked_account(cur, person.issuer, person.subject)
    if linked is None:
        return None
    async with dependencies.begin() as work:
        await work.ensure_and_lock(linked.user_id)
        current = await oidc_identities.linked_account(work.cur, person.issuer, person.subject)
        if current is None or current.user_id != linked.user_id:
            return None
        if current.is_disabled:
            raise await registration_rules.refusal(work.cur, current.user_id)
        options = provider.settings.options
        granted = current.grants_administrator
        await groups.record_login(work, current.user_id, person, options, granted=granted)
        user = await users.get(work.cur, current.user_id)
    assert user is not None
    await groups.apply_roles(dependencies, user, person.groups, provider.settings.options)
    return user


async def _adopt_or_create(
    dependencies: Dependencies, provider: Provider, person: Person, network: str
) -> User | None:
    """Link the account with the person's address, or create one. None if others were faster."""
    options = provider.settings.options
    owner = None
    if person.email is not None:
        async with dependencies.database.cursor() as cur:
            owner = await oidc_identities.address_owner(cur, email_key(person.email))
    if owner is not None and not options.link_verified_email:
        raise AddressTaken
    if owner is None and not _may_create(dependencies, options):
        raise NotLinked
    if person.email is None:
        raise AddressNotVerified
    if owner is None and options.create_accounts != "always":
        await _require_permitted(dependencies, person.email, network)
    random_hash = await credentials.hash_of_none(dependencies)
    try:
        async with dependencies.begin() as work:
            if owner is None:
                user_id = await _create(dependencies, work, person, person.email, random_hash)
            else:
                user_id = owner.user_id
                await _adopt(work, user_id, person.email, random_hash)
            await oidc_identities.link(work.cur, user_id, person.issuer, person.subject)
            if owner is not None:
                await notices.provider_linked(dependencies, work, user_id, provider.settings.label)
    except UniqueViolation:
        return None
    return await _log_in(dependencies, provider, person)


def _may_create(dependencies: Dependencies, options: ProviderOptions) -> bool:
    is_open = dependencies.registration == "open"
    return options.create_accounts == "always" or (
        options.create_accounts == "when-open" and is_open
    )


async def _require_permitted(dependencies: Dependencies, email: str, network: str) -> None:
    """Raise RegistrationBlocked for a mail domain or a network that cannot register."""
    try:
        await registration_rules.require_permitted(dependencies, email, network)
    except InvalidForm:
        text = "Addresses of this mail domain cannot be used on this server."
        raise RegistrationBlocked(text) from None


async def _create(
    dependencies: Dependencies, work: UnitOfWork, person: Person, email: str, password_hash: str
) -> UserId:
    """Create an account with a free name.

    Raises UniqueViolation, and AddressTaken for an address that another account can return to.
    """
    user_id = dependencies.new_id(UserId)
    for username in suggestions(person.names):
        name_taken, _ = await users.taken(
            work.cur, username_key=names.key(username), email_key=None
        )
        if not name_taken:
            break
    user = User(user_id, username, global_name=person.global_name, avatar=None, bot=False)
    await users.insert(
        work.cur,
        user,
        username_key=names.key(username),
        email=email,
        email_key=email_key(email),
        password_hash=password_hash,
    )
    if await mail_tokens.is_reserved(work.cur, email_key(email), except_id=user_id):
        raise AddressTaken
    await oidc_identities.set_random_password(work.cur, user_id, password_hash)
    return user_id


async def _adopt(work: UnitOfWork, user_id: UserId, email: str, password_hash: str) -> None:
    """Give an existing account to the person that owns its address.

    If the server has not verified the address, another person may have registered it. So the
    password, all logins and all links in mails of the account end. Accounts with a second factor
    and administrators are refused: they prove by a login that they are the owner. Raises
    AddressTaken, AccountDisabled.
    """
    await work.ensure_and_lock(user_id)
    owner = await oidc_identities.address_owner(work.cur, email_key(email))
    if owner is None or owner.user_id != user_id or owner.is_administrator or owner.mfa_enabled:
        raise AddressTaken
    if not _are_one_mailbox(owner.email, email):
        raise AddressTaken
    if owner.is_disabled:
        raise await registration_rules.refusal(work.cur, user_id)
    if await oidc_identities.list_identities(work.cur, user_id):
        raise AddressTaken  # of another person at this or another provider
    if not owner.email_verified:
        await oidc_identities.set_random_password(work.cur, user_id, password_hash)
        await mail_tokens.delete_all(work.cur, user_id)
        await revoke_all(work, user_id)


def _are_one_mailbox(address: str, other: str) -> bool:
    """Return whether two addresses with one key are the same but for the case of ASCII letters.

    The key folds characters that look alike. Mail servers do not: a stranger can own a mailbox
    whose name only looks like that of the owner.
    """
    are_ascii = address.isascii() and other.isascii()
    return address == other or (are_ascii and address.lower() == other.lower())


async def _hand_off(dependencies: Dependencies, browser: str, user: User, person: Person) -> str:
    code = secrets.token_urlsafe(32)
    handoff = Handoff(user.id, person.issuer, person.subject, person.session_id, person.has_mfa)
    async with dependencies.database.cursor() as cur:
        await queries.insert_handoff(
            cur, hashed(code), hashed(browser), handoff, lifetime_s=_HANDOFF_LIFETIME_S
        )
    return code


async def exchange(
    dependencies: Dependencies, code: str, browser: str | None, user_agent: str | None
) -> NewLogin:
    """Create the login of a code, which works once and in one browser.

    Raises InvalidForm, AccountDisabled, ServiceUnavailable.
    """
    if not browser:
        raise login_expired()
    code_hash, browser_hash = hashed(code), hashed(browser)
    async with dependencies.database.cursor() as cur:
        user_id = await queries.user_of_handoff(cur, code_hash, browser_hash)
    if user_id is None:
        raise login_expired()
    async with dependencies.begin() as work:
        # A logout by the provider and the end of an account take this lock, too.
        await work.ensure_and_lock(user_id)
        handoff = await queries.consume_handoff(work.cur, code_hash, browser_hash)
        if handoff is None:
            raise login_expired()
        linked = await oidc_identities.linked_account(work.cur, handoff.issuer, handoff.subject)
        account = await users.account(work.cur, user_id)
        if linked is None or linked.user_id != user_id or account is None:
            raise login_expired()
        if linked.is_disabled:
            raise await registration_rules.refusal(work.cur, user_id)
        login = await accounts.open_login(dependencies, work, account, user_agent)
        await queries.insert_login(work.cur, login.id, handoff)
    await accounts.end_excess_logins(dependencies, user_id)
    return login
