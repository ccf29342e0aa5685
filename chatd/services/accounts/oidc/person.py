"""What a provider says about a person that has logged in there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chatd.auth.oidc import tokens
from chatd.core import names
from chatd.oidc_settings import ProviderOptions
from chatd.wire.schemas.accounts import is_address

_MAX_GROUPS = 10_000
_MAX_GLOBAL_NAME = 32
_NAME_CLAIMS = ("preferred_username", "nickname", "name")


@dataclass(frozen=True, slots=True)
class Person:
    """A person, by its account at the provider."""

    issuer: str
    subject: str
    session_id: str | None
    email: str | None = field(repr=False)
    """The address, if the provider has verified it."""
    names: tuple[object, ...] = field(repr=False)
    """Claims that could be a username, the best first; they may be anything."""
    global_name: str | None
    groups: frozenset[str]
    has_mfa: bool
    """Whether the provider says that it asked for a second factor."""


def lacks_claims(claims: Mapping[str, Any], options: ProviderOptions) -> bool:
    """Return whether claims are missing that the provider may have at its userinfo endpoint."""
    needed = {options.username_claim}
    if "email" in options.scopes:
        needed.add("email")
        if not options.trust_email:
            needed.add("email_verified")
    if options.administrators or options.roles:
        needed.add(options.groups_claim)
    return not needed <= claims.keys()


def read(id_claims: Mapping[str, Any], more: Mapping[str, Any], options: ProviderOptions) -> Person:
    """Return the person of an ID token, and of further claims, which the token takes precedence
    over.

    Raises InvalidIdToken for malformed claims that identify something.
    """
    claims = {**more, **id_claims}
    session_id = tokens.text_claim(id_claims, "sid") if "sid" in id_claims else None
    given = [claims.get(each) for each in (options.username_claim, *_NAME_CLAIMS)]
    return Person(
        issuer=options.issuer,
        subject=tokens.text_claim(id_claims, "sub"),
        session_id=session_id,
        # Address and verification come from one source: they must be about the same address.
        email=_email(id_claims, options) or _email(more, options),
        names=tuple(given),
        global_name=_global_name(claims.get("name")),
        groups=_groups(claims.get(options.groups_claim)),
        has_mfa=bool(_texts(id_claims.get("amr")) & set(options.mfa_amr)),
    )


def _email(claims: Mapping[str, Any], options: ProviderOptions) -> str | None:
    email = claims.get("email")
    # Some providers write it as text.
    is_verified = claims.get("email_verified") in (True, "true") or options.trust_email
    if not isinstance(email, str) or not is_verified:
        return None
    email = email.strip()
    return email if is_address(email) else None


def _global_name(name: object) -> str | None:
    if not isinstance(name, str):
        return None
    name = name.strip()
    try:
        names.check(name)
    except ValueError:
        return None
    return name if 0 < len(name) <= _MAX_GLOBAL_NAME else None


def _groups(claim: object) -> frozenset[str]:
    return frozenset([claim]) if isinstance(claim, str) else frozenset(_texts(claim))


def _texts(claim: object) -> set[str]:
    found = claim[:_MAX_GROUPS] if isinstance(claim, list) else []
    return {each for each in found if isinstance(each, str)}
