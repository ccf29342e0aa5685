"""The rules for passwords."""

from __future__ import annotations

import pytest

from chatd.core import passwords
from tests.world import PASSWORD

USED_MOST = [
    *("12345678", "123456789", "1234567890", "11111111", "88888888", "password", "password1"),
    *("password123", "qwertyuiop", "qwerty123", "iloveyou", "sunshine", "princess", "football"),
    *("trustno1", "1q2w3e4r", "1q2w3e4r5t", "1qaz2wsx", "q1w2e3r4", "zaq12wsx", "abcd1234"),
    *("passw0rd", "p@ssw0rd", "letmein1", "monkey123", "jennifer", "starwars", "highlander"),
]


@pytest.mark.parametrize("password", USED_MOST)
def test_common_passwords_are_rejected_in_any_case(password: str) -> None:
    for spelled in (password, password.upper(), password.title(), f" {password} "):
        with pytest.raises(passwords.BadPassword) as refused:
            passwords.require_good(spelled)
        assert refused.value.code == "PASSWORD_TOO_COMMON"


def test_full_width_letters_do_not_bypass_the_blocklist() -> None:
    assert passwords.is_common("ｐａｓｓｗｏｒｄ１")


@pytest.mark.parametrize(
    "password",
    [
        PASSWORD,
        PASSWORD.lower(),
        "correct horse battery staple",
        "password\npassword1",
        "пароль пароль",
        "x" * 7 + "é",
        "assword1x",
        "\ufdfa" * 128,
    ],
)
def test_other_passwords_are_accepted(password: str) -> None:
    passwords.require_good(password)


@pytest.mark.parametrize("password", ["", "1234567", "x" * 129, "\ufdfa" * 340_000])
def test_length_is_checked_first(password: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "is_common", lambda _: pytest.fail("it was looked for"))
    with pytest.raises(passwords.BadPassword) as refused:
        passwords.require_good(password)
    assert refused.value.code == "BASE_TYPE_BAD_LENGTH"


def test_blocklist_is_complete() -> None:
    text = passwords._common().decode()
    assert (text[0], text[-1]) == ("\n", "\n")
    listed = text.strip("\n").split("\n")
    assert len(listed) > 16_000
    assert listed == sorted(set(listed))
    for each in listed:
        assert passwords.MIN_LENGTH <= len(each) <= passwords.MAX_LENGTH, each
        assert passwords.is_common(each), each
