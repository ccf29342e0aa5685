"""Second factors."""

from __future__ import annotations

from chatd.core.ids import PasskeyId
from chatd.queries import second_factors
from tests.queries.acts.act import USER, act
from tests.queries.scene.accounts import ticket
from tests.queries.scene.values import PEOPLE

OWN = {"user_id": USER}
KEY = PasskeyId(100 * USER + 1)
TICKET = ticket(USER, expired=False)
HEX_TICKET = "\\x" + TICKET.hex()

ACTS = [
    act(
        second_factors.update_enabled,
        lambda cur: second_factors.update_enabled(cur, USER),
        users={"id": USER},
    ),
    act(
        second_factors.delete_all,
        lambda cur: second_factors.delete_all(cur, USER),
        totp_secrets=OWN,
        passkeys=OWN,
        recovery_codes=OWN,
        mfa_tickets=OWN,
    ),
    act(
        second_factors.use_step,
        lambda cur: second_factors.use_step(cur, USER, 8),
        totp_secrets=OWN,
    ),
    act(
        second_factors.delete_totp,
        lambda cur: second_factors.delete_totp(cur, USER),
        totp_secrets=OWN,
    ),
    act(
        second_factors.record_passkey_use,
        lambda cur: second_factors.record_passkey_use(cur, KEY, sign_count=1),
        passkeys={"id": KEY},
    ),
    act(
        second_factors.rename_passkey,
        lambda cur: second_factors.rename_passkey(cur, USER, KEY, "new"),
        passkeys={"id": KEY},
    ),
    act(
        second_factors.delete_passkey,
        lambda cur: second_factors.delete_passkey(cur, USER, KEY),
        passkeys={"id": KEY},
    ),
    act(
        second_factors.replace_recovery_codes,
        lambda cur: second_factors.replace_recovery_codes(cur, USER, [b"new"]),
        recovery_codes=OWN,
    ),
    act(
        second_factors.use_recovery_code,
        lambda cur: second_factors.use_recovery_code(cur, USER, bytes([2])),
        recovery_codes={"user_id": USER, "code_hash": "\\x02"},
    ),
    act(
        second_factors.insert_ticket,
        lambda cur: second_factors.insert_ticket(
            cur, bytes(16), USER, bytes(32), login_id=None, lifetime_s=1, keep=1
        ),
        mfa_tickets={"id": "\\x" + ticket(USER, expired=True).hex()},
    ),
    act(
        second_factors.count_try,
        lambda cur: second_factors.count_try(cur, TICKET, USER, limit=5),
        mfa_tickets={"id": HEX_TICKET},
    ),
    act(
        second_factors.consume_ticket,
        lambda cur: second_factors.consume_ticket(cur, TICKET),
        mfa_tickets={"id": HEX_TICKET},
    ),
    act(
        second_factors.delete_tickets,
        lambda cur: second_factors.delete_tickets(cur, USER),
        mfa_tickets=OWN,
    ),
    act(
        second_factors.delete_expired_tickets,
        lambda cur: second_factors.delete_expired_tickets(cur, limit=100),
        mfa_tickets=[{"id": "\\x" + ticket(n, expired=True).hex()} for n in PEOPLE],
    ),
]
