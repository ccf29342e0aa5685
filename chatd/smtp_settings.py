"""The settings of the SMTP server through which mails are sent, SMTP_*."""

from __future__ import annotations

from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.headerregistry import Address, HeaderRegistry
from ipaddress import ip_address
from typing import Any, Final

from environs import Env
from marshmallow import ValidationError, validate

from chatd.setting_checks import one_of

_PORTS: Final = {"starttls": 587, "tls": 465, "off": 25}
"""The default port of each value of SMTP_TLS."""


@dataclass(frozen=True, slots=True)
class SmtpSettings:
    """An SMTP server, and the sender of mails. An empty `host` means that no mail is sent."""

    host: str = ""
    port: int = 0
    tls: str = "starttls"
    """How the connection is encrypted: "starttls", "tls" from its begin, or "off"."""
    user: str = ""
    password: str = field(default="", repr=False)
    sender: str = ""
    """The address in the field From, maybe with a name before it."""
    timeout_s: float = 10

    @property
    def sender_address(self) -> Address:
        """The sender. Raises ValueError."""
        return _address(self.sender)


def read(env: Env) -> SmtpSettings:
    """Read the settings; `env` collects the errors."""
    tls = env.str("SMTP_TLS", "starttls", validate=one_of(*_PORTS)) or ""
    port = env.int("SMTP_PORT", 0, validate=validate.Range(0, 65535))
    return SmtpSettings(
        host=env.str("SMTP_HOST", "") or "",
        port=port or _PORTS.get(tls, 0),
        tls=tls,
        user=env.str("SMTP_USER", "") or "",
        password=env.str("SMTP_PASSWORD", "") or "",
        sender=env.str("SMTP_FROM", "", validate=_sender) or "",
        timeout_s=env.int("SMTP_TIMEOUT", 10, validate=validate.Range(1, 60)) or 10,
    )


def problems(smtp: SmtpSettings, public_url: str) -> dict[str, list[str]]:
    """Return what is wrong with settings together, by the name of a setting."""
    found: dict[str, list[str]] = {}
    if not smtp.host:
        if smtp.sender or smtp.user:
            found["SMTP_HOST"] = ["Needed when SMTP_FROM or SMTP_USER is given."]
        return found
    if not smtp.sender:
        found["SMTP_FROM"] = ["Needed with SMTP_HOST: the address from which mails come."]
    if not public_url:
        found["PUBLIC_URL"] = ["Needed with SMTP_HOST: mails contain links to this server."]
    if smtp.password and not smtp.user:  # the other way round, commands without credentials fail
        found["SMTP_USER"] = ["Needed with SMTP_PASSWORD."]
    if smtp.password and smtp.tls == "off" and not _is_local(smtp.host):
        found["SMTP_TLS"] = ["off would send SMTP_PASSWORD unencrypted."]
    return found


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _sender(value: str) -> None:
    if value:
        try:
            _address(value)
        except ValueError:
            text = "Not an address like chatd@example.org, or Name <chatd@example.org>."
            raise ValidationError(text) from None


def _address(value: str) -> Address:
    """Return the one address of a header. Raises ValueError."""
    try:
        header: Any = HeaderRegistry()("From", value)
        found: tuple[Address, ...] = header.addresses
    except (HeaderParseError, IndexError) as error:  # of the parser of the standard library
        raise ValueError("not an address") from error
    if len(found) != 1 or header.defects or not found[0].domain:
        raise ValueError("not one address")
    if not found[0].addr_spec.isascii():  # not every SMTP server accepts another one
        raise ValueError("not ASCII")
    return found[0]
