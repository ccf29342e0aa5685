"""Blocked mail domains and networks: what is accepted, and what is compared."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.core.registration import domain_key, domains_of, parse_block


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("example.org", "example.org"),
        (" @Example.ORG. ", "example.org"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.example.org", "example.org"),
        (".example.org", "example.org"),
        ("192.0.2.1", ip_network("192.0.2.1/32")),
        ("2001:db8::/32", ip_network("2001:db8::/32")),
        ("::ffff:192.0.2.0/120", ip_network("192.0.2.0/24")),
        ("::ffff:192.0.2.1", ip_network("192.0.2.1/32")),
    ],
)
def test_block_is_a_domain_or_a_network(text: str, found: object) -> None:
    assert parse_block(text) == found


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "example",
            "a b.org",
            "0.0.0.0/0",
            "::/0",
            "::ffff:0:0/96",
            "192.0.2.1/24",
            "192.0.2.0/33",
            "::/129",
            "x..org",
        ),
        *("x.org/24", "a." * 200 + "org", "\0.org", "1.2.3", "x\n.org"),
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is n"):
        parse_block(text)


def test_subdomains_are_blocked_with_their_domain() -> None:
    assert [*domains_of("a@Mail.Bücher.example")] == [
        "mail.xn--bcher-kva.example",
        "xn--bcher-kva.example",
        "example",
    ]


@given(st.text(max_size=300))
def test_any_text_has_bounded_domains(text: str) -> None:
    found = [*domains_of(f"x@{text}")]
    assert len(found) <= 127
    assert all(each == each.strip() for each in found if domain_key(each) == each)
