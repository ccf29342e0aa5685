"""The metadata of a provider: its endpoints, and which addresses they may have.

The operator chooses the issuer, so its origin is trusted, and may be in a private network. The
provider chooses its endpoints. If it lies, they must not lead into the network of the server
(server-side request forgery): an endpoint of another origin has to be public and use https.
Rule: OpenID Connect Discovery 1.0, 3 and 4.3; RFC 8414.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

_MAX_URL = 2048  # characters


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is used of the metadata of a provider."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    posts_secret: bool
    """Whether the secret of the client is sent in the body, and not in a header."""
    names_issuer: bool
    """Whether each answer to the browser names the issuer (RFC 9207)."""


def discovery_url(issuer: str) -> str:
    """Return where a provider publishes its metadata."""
    return f"{issuer.rstrip('/')}/.well-known/openid-configuration"


def parse(document: Mapping[str, Any], issuer: str) -> Metadata:
    """Check a metadata document. Raises ValueError with the reason."""
    named = document.get("issuer")
    if named != issuer:
        is_slash = isinstance(named, str) and named.rstrip("/") == issuer.rstrip("/")
        hint = ": only the slash at the end differs" if is_slash else ""
        raise ValueError(f"its metadata names another issuer than the settings{hint}")
    methods = document.get("token_endpoint_auth_methods_supported")
    userinfo = document.get("userinfo_endpoint")
    return Metadata(
        authorization_endpoint=_endpoint(document, "authorization_endpoint", issuer),
        token_endpoint=_endpoint(document, "token_endpoint", issuer),
        jwks_uri=_endpoint(document, "jwks_uri", issuer),
        userinfo_endpoint=userinfo and _endpoint(document, "userinfo_endpoint", issuer),
        posts_secret=isinstance(methods, list) and "client_secret_basic" not in methods,
        names_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def is_at_issuer(url: str, issuer: str) -> bool:
    """Return whether a URL has the scheme, the host and the port of the issuer."""
    return _origin(url) == _origin(issuer)


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    return parts.scheme, parts.hostname, parts.port or default


def _endpoint(document: Mapping[str, Any], name: str, issuer: str) -> str:
    url = document.get(name)
    if not isinstance(url, str) or len(url) > _MAX_URL or not url.isascii():
        raise ValueError(f"its {name} is missing or malformed")
    if not url.isprintable() or " " in url:
        raise ValueError(f"its {name} is missing or malformed")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise ValueError(f"its {name} is missing or malformed") from error
    if not parts.hostname or parts.fragment or parts.username:
        raise ValueError(f"its {name} is missing or malformed")
    if parts.scheme != "https" and not is_at_issuer(url, issuer):
        raise ValueError(f"its {name} does not use https")
    return url
