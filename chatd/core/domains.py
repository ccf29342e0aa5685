"""The names of domains as DNS has them, in ASCII.

Rules: RFC 5891 (IDNA 2008) and UTS 46, as browsers and mail servers apply them. The codec `idna` of
Python has the rules of 2003, by which straße.example is strasse.example: the domain of a stranger.
"""

from __future__ import annotations

import unicodedata

import idna


def to_ascii(domain: str) -> str:
    """Return the ASCII form of a domain; one that is ASCII is returned as it is. Raises ValueError.

    Domains of symbols like ☕, which only the older rules know, are accepted if nothing of them is
    lost.
    """
    if domain.isascii():
        return domain
    try:
        return idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        found = domain.encode("idna")
        if found.decode("idna") != unicodedata.normalize("NFKC", domain).lower():
            raise
        return found.decode()
