"""Whose request it is, when all that is known of somebody is a network address."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Address = IPv4Address | IPv6Address
Networks = Sequence[IPv4Network | IPv6Network]

UNKNOWN = "unknown"
"""Stands for all clients whose address cannot be told, as behind a Unix socket."""


def of_client(peer: str, forwarded_for: str, trusted: Networks) -> str:
    """The network that counts as one client: an IPv4 address, or the /64 of an IPv6 address.

    X-Forwarded-For is believed from trusted proxies alone: read from its end, the first address
    that is not such a proxy's is the client's; what stands before it, the client may have made up
    (MDN, X-Forwarded-For, "Security and privacy concerns").
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
    """Whether this is the address of a proxy whose headers are believed."""
    address = _address(peer)
    return address is not None and _is_in(address, trusted)


def is_private(peer: str) -> bool:
    """Whether this is an address of our own machine or network, as a proxy's often is."""
    address = _address(peer)
    return address is not None and address.is_private


@lru_cache(4096)
def _address(text: str) -> Address | None:
    """An address, with or without a port; None when it is none."""
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
        # Whoever has one address of a /64 has them all (RFC 6177).
        return str(IPv6Network((int(address) >> 64 << 64, 64)))
    return str(address)
