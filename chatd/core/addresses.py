"""Identifying an unauthenticated client by its network address."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

UNKNOWN = "unknown"
"""The network of all clients without a known address, for example behind a Unix socket."""


def client_network(peer: str, forwarded_for: str, trusted: Networks) -> str:
    """Return the network that counts as one client: an IPv4 address, or an IPv6 /64.

    X-Forwarded-For is trusted only when it comes from a trusted proxy. It is read from its end: the
    first address that is not a trusted proxy is the client. Addresses before that one may be forged
    by the client (MDN, X-Forwarded-For, "Security and privacy concerns").
    """
    client = _address(peer)
    if client is None:
        return UNKNOWN
    hops = forwarded_for.split(",") if forwarded_for else []
    while hops and _is_in(client, trusted):
        hop = _address(hops.pop())
        if hop is None:
            break
        client = hop
    return _network(client)


def is_trusted(peer: str, trusted: Networks) -> bool:
    """Return whether this is the address of a trusted proxy."""
    address = _address(peer)
    return address is not None and _is_in(address, trusted)


def is_private(peer: str) -> bool:
    """Return whether an address is private or loopback, as that of a proxy often is."""
    address = _address(peer)
    return address is not None and address.is_private


@lru_cache(4096)
def _address(text: str) -> Address | None:
    """Parse an address, with or without a port. Returns None when the text is not an address."""
    text = text.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def _is_in(address: Address, networks: Networks) -> bool:
    return any(address in network for network in networks)


def _network(address: Address) -> str:
    if isinstance(address, IPv6Address):
        # A site is assigned at least a /64, so one client has all of its addresses (RFC 6177).
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)
