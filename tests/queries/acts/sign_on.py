"""Single sign-on."""

from __future__ import annotations

from chatd.queries import oidc_identities, oidc_logins
from tests.queries.acts.act import USER, act
from tests.queries.scene.accounts import ISSUERS, sign_on_hash
from tests.queries.scene.values import PEOPLE

OWN = {"user_id": USER}
ISSUER, SUBJECT = ISSUERS[0], f"sub{USER}"
IDENTITY = {"issuer": ISSUER, "subject": SUBJECT}
FRESH, OLD = sign_on_hash(USER, expired=False), sign_on_hash(USER, expired=True)


def _hex(value: bytes) -> str:
    return "\\x" + value.hex()


ACTS = [
    act(
        oidc_identities.link,
        lambda cur: oidc_identities.link(cur, USER, "https://three.example", SUBJECT),
    ),
    act(
        oidc_identities.unlink,
        lambda cur: oidc_identities.unlink(cur, USER, ISSUER),
        oidc_identities={**OWN, "issuer": ISSUER},
        users={"id": USER},
    ),
    act(
        oidc_identities.delete_all,
        lambda cur: oidc_identities.delete_all(cur, USER),
        oidc_identities=OWN,
        oidc_handoffs=OWN,
        users={"id": USER},
    ),
    act(
        oidc_identities.record_use,
        lambda cur: oidc_identities.record_use(cur, ISSUER, SUBJECT, grants=True),
        oidc_identities=IDENTITY,
    ),
    act(
        oidc_identities.set_random_password,
        lambda cur: oidc_identities.set_random_password(cur, USER, "hash"),
        users={"id": USER},
    ),
    act(
        oidc_logins.consume_attempt,
        lambda cur: oidc_logins.consume_attempt(cur, FRESH, FRESH, ISSUER),
        oidc_attempts={"state_hash": _hex(FRESH)},
    ),
    act(
        oidc_logins.consume_handoff,
        lambda cur: oidc_logins.consume_handoff(cur, FRESH, FRESH),
        oidc_handoffs={"code_hash": _hex(FRESH)},
    ),
    act(
        oidc_logins.logins_to_end,
        lambda cur: oidc_logins.logins_to_end(cur, USER, ISSUER, SUBJECT, None),
        oidc_handoffs=OWN,
    ),
    act(
        oidc_logins.delete_expired,
        lambda cur: oidc_logins.delete_expired(cur, limit=100),
        oidc_attempts=[{"state_hash": _hex(sign_on_hash(n, expired=True))} for n in PEOPLE],
        oidc_handoffs=[{"code_hash": _hex(sign_on_hash(n, expired=True))} for n in PEOPLE],
        oidc_logout_tokens=[{"token_hash": _hex(sign_on_hash(n, expired=True))} for n in PEOPLE],
    ),
]
