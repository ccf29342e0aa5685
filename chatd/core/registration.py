"""Rules of registration: blocked mail domains and networks, and accounts that wait."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

from chatd.core import domains
from chatd.core.ids import UserId

MAX_DOMAIN_LENGTH = 253
_MAX_LABELS = 127  # of a domain (RFC 1035)
_MAPPED_BITS = 96  # of ::ffff:0:0/96, the IPv4 addresses in IPv6 (RFC 4291, section 2.5.5.2)
_DOMAIN = re.compile(r"[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})+", re.ASCII)


@dataclass(frozen=True, slots=True)
class WaitingAccount:
    """An account that waits for the approval of an administrator."""

    id: UserId
    username: str
    email: str
    requested_at: datetime


@dataclass(frozen=True, slots=True)
class RegistrationBlock:
    """A mail domain or a network from which no account can be registered."""

    domain: str | None
    network: str | None
    note: str | None
    created_at: datetime

    @property
    def value(self) -> str:
        """The domain or the network."""
        return self.domain or self.network or ""


def domain_key(domain: str) -> str:
    """Return the form in which domains are compared: lower case, and the ASCII form of IDNA."""
    text = domain.strip().rstrip(".").lower()[: MAX_DOMAIN_LENGTH + 1]
    try:
        return domains.to_ascii(text)
    except ValueError:
        return text


def domains_of(email: str) -> Iterator[str]:
    """Return the domain of an address, and the domains above it, in the form of `domain_key`."""
    labels = domain_key(email.rpartition("@")[2]).split(".")[-_MAX_LABELS:]
    for start in range(len(labels)):
        yield ".".join(labels[start:])


def parse_block(text: str) -> str | IPv4Network | IPv6Network:
    """Return what to block: a network like 192.0.2.0/24 or an address, or else a mail domain.

    `*.example.org` is the same as `example.org`: a block includes the subdomains.

    Raises ValueError.
    """
    wanted = text.strip()
    try:
        network = _unmapped(ip_network(wanted, strict=True))
    except ValueError as error:
        if "/" in wanted or wanted.replace(".", "").isdecimal() or ":" in wanted:
            raise ValueError(f"{text!r} is not a network like 192.0.2.0/24: {error}") from error
    else:
        if network.prefixlen == 0:
            raise ValueError(f"{text!r} is not a part of the internet: use REGISTRATION=closed")
        return network
    key = domain_key(wanted.removeprefix("@").removeprefix("*").removeprefix("."))
    if len(key) > MAX_DOMAIN_LENGTH or not _DOMAIN.fullmatch(key):
        raise ValueError(f"{text!r} is neither a mail domain like example.org nor a network")
    return key


def _unmapped(network: IPv4Network | IPv6Network) -> IPv4Network | IPv6Network:
    """Return the IPv4 network of a mapped one: the addresses of clients are never mapped."""
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_BITS:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return IPv4Network((int(mapped), network.prefixlen - _MAPPED_BITS))
    return network
