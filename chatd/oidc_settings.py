"""The settings of OpenID providers: the file that OIDC_PROVIDERS names.

It is TOML, with a table for each provider. The secrets of the clients are not in it but in
OIDC_CLIENT_SECRETS, so that the file can be shown and copied.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Final, Literal
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta

MAX_FILE_BYTES: Final = 2**20

ALGORITHMS: Final = (
    "RS256",
    "RS384",
    "RS512",
    "PS256",
    "PS384",
    "PS512",
    "ES256",
    "ES384",
    "ES512",
    "Ed25519",
    "EdDSA",
)
"""The signatures that can be accepted: those with a public key. "none" and HMAC never are."""

_MAX_PROVIDERS = 20
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?", re.ASCII)
_RESERVED_NAMES = frozenset({"token"})  # the path of another route
_ID_MAX = 2**63 - 1

_Text = Annotated[str, Meta(min_length=1, max_length=255)]
_Texts = Annotated[tuple[_Text, ...], Meta(max_length=100)]
_Id = Annotated[int, Meta(ge=1, le=_ID_MAX)]


class RoleMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The members of a group at the provider have a role in a guild."""

    group: _Text
    guild: _Id
    role: _Id


class ProviderOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The table of a provider in the file; the manual describes each key."""

    issuer: _Text
    client_id: _Text
    label: Annotated[str, Meta(max_length=40)] = ""
    scopes: _Texts = ("openid", "profile", "email")
    username_claim: _Text = "preferred_username"
    groups_claim: _Text = "groups"
    create_accounts: Literal["when-open", "always", "never"] = "when-open"
    link_verified_email: bool = False
    trust_email: bool = False
    algorithms: Annotated[tuple[str, ...], Meta(min_length=1)] = ALGORITHMS
    mfa_amr: _Texts = ("mfa",)
    require_mfa: bool = False
    administrators: _Texts = ()
    roles: Annotated[tuple[RoleMapping, ...], Meta(max_length=1000)] = ()


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """A provider, by its name in addresses."""

    name: str
    options: ProviderOptions
    client_secret: str = field(repr=False)
    """Empty for a public client, which only PKCE protects."""

    @property
    def issuer(self) -> str:
        """The URL that identifies the provider in its tokens."""
        return self.options.issuer

    @property
    def label(self) -> str:
        """What people see."""
        return self.options.label or self.name


def load(path: Path | None, secrets: str, *, allow_http: bool) -> tuple[ProviderSettings, ...]:
    """Read and check the file. `secrets` is OIDC_CLIENT_SECRETS.

    Raises ValueError, whose text names the problem and contains no secret.
    """
    if path is None:
        return ()
    known = parse_secrets(secrets)
    found = _parse(_read(path))
    for name, options in found.items():
        if problem := _problem(name, options, allow_http=allow_http):
            raise ValueError(f"[{name}] {problem}")
    issuers = [each.issuer for each in found.values()]
    if len(set(issuers)) < len(issuers):
        raise ValueError("two providers have one issuer")
    if unused := known.keys() - found.keys():
        raise ValueError(f"OIDC_CLIENT_SECRETS names no provider of the file: {min(unused)}")
    return tuple(
        ProviderSettings(name, options, known.get(name, "")) for name, options in found.items()
    )


def parse_secrets(text: str) -> dict[str, str]:
    """Return secrets by the names of providers, from `name:secret` separated by spaces or lines.

    Raises ValueError, whose text contains no secret.
    """
    found = {}
    for number, entry in enumerate(text.split(), 1):
        name, separator, secret = entry.partition(":")
        if not (separator and secret and _NAME.fullmatch(name)):
            raise ValueError(f"entry {number} of OIDC_CLIENT_SECRETS is not name:secret")
        if name in found:
            raise ValueError(f"OIDC_CLIENT_SECRETS has two secrets for {name}")
        found[name] = secret
    return found


def is_loopback(host: str) -> bool:
    """Return whether a host is this machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE_BYTES + 1)
        if len(content) > MAX_FILE_BYTES:
            raise ValueError(f"{path} has more than {MAX_FILE_BYTES} bytes")
        return content.decode()
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8") from error


def _parse(text: str) -> Mapping[str, ProviderOptions]:
    try:
        found = msgspec.convert(tomllib.loads(text), dict[str, ProviderOptions], strict=False)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as error:
        raise ValueError(f"the file is wrong: {error}") from error
    if len(found) > _MAX_PROVIDERS:
        raise ValueError(f"there are more than {_MAX_PROVIDERS} providers")
    return found


def _problem(name: str, options: ProviderOptions, *, allow_http: bool) -> str | None:
    if not _NAME.fullmatch(name) or name in _RESERVED_NAMES:
        return "the name must be of a-z, 0-9 and inner dashes, up to 32 of them, and not 'token'"
    if unknown := set(options.algorithms) - set(ALGORITHMS):
        return f"algorithms: {min(unknown)} is not one of {', '.join(ALGORITHMS)}"
    if "openid" not in options.scopes:
        return "scopes: openid is missing"
    if any(not each.isascii() or " " in each for each in options.scopes):
        return "scopes: a scope has a space or other characters than ASCII"
    return _issuer_problem(options.issuer, allow_http=allow_http)


def _issuer_problem(issuer: str, *, allow_http: bool) -> str | None:
    try:
        parts = urlsplit(issuer)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return "issuer: it is not a URL"
    if not host or not issuer.isascii() or parts.query or parts.fragment or parts.username:
        return "issuer: it is not a URL of a host and a path only"
    if parts.scheme == "https" or (parts.scheme == "http" and (allow_http or is_loopback(host))):
        return None
    return "issuer: it needs https (http is for this machine, or with PRIVATE_ENDPOINTS=on)"
