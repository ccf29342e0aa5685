"""Tickets, encrypted secrets and recovery codes: nothing but the original is accepted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth import mfa_keys
from chatd.auth.mfa_keys import InvalidTicket, MfaKeys, Purpose
from chatd.core.ids import UserId
from tests.helpers.mfa import CodeClock

KEYS, OTHERS = MfaKeys("a secret of the tests, long enough"), MfaKeys("another secret, long enough")
USER = UserId(1408133501807493120)


def new_ticket() -> str:
    """Issue a ticket; one of the import could have expired before the tests run."""
    return KEYS.issue(Purpose.LOGIN, USER, "a browser", "hash")


LENGTH = len(new_ticket())


def is_refused(ticket: str, purpose: Purpose = Purpose.LOGIN, client: str = "a browser") -> bool:
    try:
        KEYS.read(ticket, purpose, client)
    except InvalidTicket:
        return True
    return False


def test_ticket_says_what_it_was_issued_for() -> None:
    read = KEYS.read(new_ticket(), Purpose.LOGIN, "a browser")
    assert read.user_id == USER
    assert read.password_version == KEYS.password_version("hash") != KEYS.password_version("other")
    assert new_ticket() != new_ticket()


@given(at=st.integers(0, LENGTH - 1), character=st.characters())
def test_changed_tickets_are_refused(at: int, character: str) -> None:
    ticket = new_ticket()
    changed = ticket[:at] + character + ticket[at + 1 :]
    assert changed == ticket or is_refused(changed)


@given(text=st.text(max_size=300))
def test_other_texts_are_refused(text: str) -> None:
    assert is_refused(text)


@given(client=st.text(max_size=50))
def test_ticket_belongs_to_one_purpose_and_client(client: str) -> None:
    for purpose in Purpose:
        is_right = (purpose, client) == (Purpose.LOGIN, "a browser")
        assert is_refused(new_ticket(), purpose, client) != is_right


def test_ticket_of_another_server_is_refused() -> None:
    assert is_refused(OTHERS.issue(Purpose.LOGIN, USER, "a browser", "hash"))


def test_ticket_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = CodeClock()
    monkeypatch.setattr(mfa_keys, "time", clock)
    ticket = new_ticket()
    clock.now += mfa_keys.TICKET_LIFETIME_S - 1
    assert not is_refused(ticket)
    clock.now += 1
    assert is_refused(ticket)


def test_secret_is_of_one_account_and_server() -> None:
    encrypted = KEYS.encrypt(USER, "JBSWY3DPEHPK3PXP")
    assert KEYS.decrypt(USER, encrypted) == "JBSWY3DPEHPK3PXP"
    assert KEYS.encrypt(USER, "JBSWY3DPEHPK3PXP") != encrypted
    assert KEYS.decrypt(UserId(1), encrypted) is None
    assert OTHERS.decrypt(USER, encrypted) is None
    for at in range(len(encrypted)):
        changed = encrypted[:at] + bytes([encrypted[at] ^ 1]) + encrypted[at + 1 :]
        assert KEYS.decrypt(USER, changed) is None
    assert KEYS.decrypt(USER, b"") is None


def test_recovery_codes_have_other_hashes_elsewhere() -> None:
    hashes = {
        KEYS.hash_recovery_code(USER, "abcdefgh"),
        KEYS.hash_recovery_code(USER, "abcdefgj"),
        KEYS.hash_recovery_code(UserId(1), "abcdefgh"),
        OTHERS.hash_recovery_code(USER, "abcdefgh"),
    }
    assert len(hashes) == 4
