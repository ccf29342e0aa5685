"""Accounts that wait for approval, and blocks of registration."""

from __future__ import annotations

from chatd.core.ids import UserId
from chatd.queries import registrations
from tests.queries.acts.act import USER, act

ACTS = [
    act(registrations.insert, lambda cur: registrations.insert(cur, USER), users={"id": USER}),
    act(
        registrations.delete,
        lambda cur: registrations.delete(cur, UserId(3)),
        registration_requests={"user_id": 3},
    ),
    act(
        registrations.delete_block,
        lambda cur: registrations.delete_block(cur, domain="a.example", network=None),
        registration_blocks={"domain": "a.example"},
    ),
    act(
        registrations.delete_block,
        lambda cur: registrations.delete_block(cur, domain=None, network="192.0.2.0/24"),
        registration_blocks={"network": "192.0.2.0/24"},
    ),
]
