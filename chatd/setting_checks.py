"""Checks of single settings. Those of settings that hold a secret do not quote it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from urllib.parse import urlsplit

from marshmallow import ValidationError, validate

from chatd import oidc_settings
from chatd.core import domains

JWT_SECRET_MIN_LENGTH = 32

_ORIGIN = re.compile(r"([a-z][a-z0-9+.-]*)://([a-z0-9.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?", re.ASCII)
_DEFAULT_PORTS = {("http", ":80"), ("https", ":443")}


def all_origins(values: list[str]) -> None:
    """Raise ValidationError unless all values are origins, or `*`."""
    for value in values:
        if value.strip() != "*" and not _ORIGIN.fullmatch(value.strip().lower()):
            raise ValidationError(f"{value.strip()!r} is not an origin like https://example.org.")


def origins(values: list[str] | None) -> Iterator[str]:
    """Normalize origins as browsers do: lower case, without the default port of the scheme."""
    for value in values or ():
        origin = value.strip().lower()
        if (match := _ORIGIN.fullmatch(origin)) and (match[1], match[3]) in _DEFAULT_PORTS:
            origin = origin.removesuffix(match[3])
        yield origin


def one_of(*choices: str) -> validate.OneOf:
    """Return a check that a value is one of these."""
    return validate.OneOf(choices, error="{input} is not one of {choices}.")


def networks(value: str | None) -> tuple[IPv4Network | IPv6Network, ...]:
    """Return the networks of a list. Raises ValidationError."""
    try:
        return tuple(ip_network(each.strip()) for each in (value or "").split(",") if each.strip())
    except ValueError as wrong:
        raise ValidationError(f"Not a list of networks like 10.0.0.0/8, ::1: {wrong}.") from wrong


def public_url(value: str) -> None:
    """Raise ValidationError unless a value is empty or a URL of HTTP."""
    try:
        browser_url(value)
    except ValueError:
        raise ValidationError("Not a URL that begins with https:// or http://.") from None


def browser_url(value: str) -> str:
    """Return a URL of HTTP, or an empty text, with its host as browsers name it. Raises ValueError.

    That is lower case, ASCII, and without the default port. Browsers compare it for passkeys,
    providers for their redirects, and headers of mails take ASCII only.
    """
    parts = urlsplit(value)
    if not value:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("no URL of HTTP")
    if parts.netloc.startswith("["):  # IPv6, maybe with a zone
        return value
    port = "" if parts.port is None else f":{parts.port}"
    if (parts.scheme, port) in _DEFAULT_PORTS:
        port = ""
    return parts._replace(netloc=f"{domains.to_ascii(parts.hostname)}{port}").geturl()


class url:
    """Accepts a URL of one of these schemes. Errors do not quote it: it may hold a password."""

    def __init__(self, *schemes: str) -> None:
        self._schemes = schemes

    def __call__(self, value: str) -> None:
        with suppress(ValueError):
            if urlsplit(value).scheme in self._schemes:
                return
        raise ValidationError(f"Not a URL that begins with {self._schemes[0]}://.")


def path(value: str | None) -> Path | None:
    """Return a path; None for an empty value."""
    return Path(value) if value else None


def client_secrets(value: str) -> None:
    """Raise ValidationError unless the secrets of clients are well formed."""
    try:
        oidc_settings.parse_secrets(value)
    except ValueError as wrong:  # its text contains no secret
        raise ValidationError(f"{wrong}.") from None


def secret(value: str) -> None:
    """Raise ValidationError if a secret is too short."""
    if len(value) < JWT_SECRET_MIN_LENGTH:
        hint = "`openssl rand -hex 32` makes a good one."
        raise ValidationError(f"Needs at least {JWT_SECRET_MIN_LENGTH} characters; {hint}")
