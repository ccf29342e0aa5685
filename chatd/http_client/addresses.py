"""Which addresses chatd may connect to at the request of other people.

Without this check they could reach services of the operator, for example the database or the
metadata service of a cloud (server-side request forgery, CWE-918).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

_NAT64: Final = ip_network("64:ff9b::/96")  # RFC 6052: the last 32 bits are an IPv4 address
_REFUSED: Final = [
    ip_network(each)
    for each in (
        "64:ff9b:1::/48",  # RFC 8215: NAT64 within a site
        "2001::/32",  # Teredo, RFC 4380
        "2002::/16",  # 6to4, which RFC 7526 abandoned
        "fec0::/10",  # site-local, RFC 3879
        "100::/64",  # discard-only, RFC 6666
    )
]


def is_public(text: str) -> bool:
    """Return whether an IP address belongs to the public internet.

    An IPv6 address that contains an IPv4 address is as public as that.
    """
    try:
        address = ip_address(text)
    except ValueError:
        return False
    if isinstance(address, IPv6Address):
        if address.scope_id is not None or any(address in each for each in _REFUSED):
            return False
        if (inner := _inner(address)) is not None:
            return is_public(str(inner))
    return address.is_global and not address.is_multicast and not address.is_reserved


def _inner(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address contains."""
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    assert isinstance(_NAT64, IPv6Network)
    is_compatible = int(address) >> 32 == 0  # RFC 4291 section 2.5.5.1, deprecated
    if address in _NAT64 or is_compatible:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
