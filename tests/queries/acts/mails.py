"""Mails that wait, and the tokens in their links."""

from __future__ import annotations

from chatd.core.ids import MailId
from chatd.core.mail import MailKind, TokenPurpose
from chatd.queries import mail_tokens, mails
from chatd.queries.mail_tokens import MailToken
from tests.queries.acts.act import USER, act
from tests.queries.scene.accounts import MAIL_PURPOSES, later_mail_token, mail_token
from tests.queries.scene.values import PEOPLE

MAIL = MailId(9021)
TOKEN = MailToken(mail_token(USER, "undo", expired=False), USER, "", None)
EXPIRED = MailToken(mail_token(USER, "undo", expired=True), USER, "", None)
DAY_S = 86_400.0


def shown(token_id: bytes) -> dict[str, str]:
    """Return a token's id as Postgres writes it."""
    return {"id": "\\x" + token_id.hex()}


ACTS = [
    act(
        mails.take,
        lambda cur: mails.take(cur, list(MailKind), lease_s=9.0, max_age_s=DAY_S),
        mails={"id": 9011},
    ),
    act(
        mails.assign,
        lambda cur: mails.assign(cur, MAIL, USER, "a@example.org", bytes(16)),
        mails={"id": MAIL},
    ),
    act(
        mails.postpone,
        lambda cur: mails.postpone(cur, MAIL, wait_s=9.0),
        mails={"id": MAIL},
    ),
    act(mails.delete, lambda cur: mails.delete(cur, MAIL), mails={"id": MAIL}),
    act(
        mails.delete_old,
        lambda cur: mails.delete_old(cur, max_age_s=DAY_S, limit=99),
        mails=[{"id": 9003 + 10 * n} for n in PEOPLE],
    ),
    act(
        mail_tokens.prolong,
        lambda cur: mail_tokens.prolong(cur, TOKEN.id, lifetime_s=9.0),
        mail_tokens=shown(TOKEN.id),
    ),
    act(mail_tokens.prolong, lambda cur: mail_tokens.prolong(cur, EXPIRED.id, lifetime_s=9.0)),
    act(
        mail_tokens.use_up,
        lambda cur: mail_tokens.use_up(cur, TOKEN),
        mail_tokens=shown(TOKEN.id),
    ),
    act(mail_tokens.use_up, lambda cur: mail_tokens.use_up(cur, EXPIRED)),
    act(
        mail_tokens.revoke,
        lambda cur: mail_tokens.revoke(cur, USER, [TokenPurpose.VERIFY, TokenPurpose.RESET]),
        mail_tokens=[{"user_id": USER, "purpose": each} for each in ("verify", "reset")],
    ),
    act(
        mail_tokens.revoke,
        lambda cur: mail_tokens.revoke(
            cur, USER, [TokenPurpose.UNDO], after=later_mail_token(USER)
        ),
    ),
    act(
        mail_tokens.revoke,
        lambda cur: mail_tokens.revoke(cur, USER, [TokenPurpose.UNDO], after=TOKEN.id),
        mail_tokens=[shown(later_mail_token(USER)), shown(EXPIRED.id)],  # of the same time
    ),
    act(
        mail_tokens.delete_expired,
        lambda cur: mail_tokens.delete_expired(cur, limit=99),
        mail_tokens=[
            shown(mail_token(n, purpose, expired=True)) for n in PEOPLE for purpose in MAIL_PURPOSES
        ],
    ),
    act(
        mail_tokens.delete_all,
        lambda cur: mail_tokens.delete_all(cur, USER),
        mail_tokens={"user_id": USER},
        mails={"user_id": USER},
    ),
]
