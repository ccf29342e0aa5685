"""One-time codes: those of RFC 6238, within the window, and no others."""

from __future__ import annotations

from base64 import b32encode

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth import totp

SECRET = b32encode(b"12345678901234567890").decode()

VECTORS = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
}
"""Rule: RFC 6238, appendix B, for SHA-1: the last six of the eight digits."""


@pytest.mark.parametrize("now", VECTORS)
def test_codes_are_those_of_the_standard(now: int) -> None:
    assert totp.matching_step(SECRET, VECTORS[now], now) == now // 30


@given(now=st.integers(10**9, 4 * 10**9), offset=st.integers(-5, 5))
def test_only_codes_of_neighboring_steps_match(now: int, offset: int) -> None:
    step = now // 30 + offset
    code = pyotp.TOTP(SECRET).generate_otp(step)
    accepted = {pyotp.TOTP(SECRET).generate_otp(now // 30 + each) for each in (-1, 0, 1)}
    assert (totp.matching_step(SECRET, code, now) is not None) == (code in accepted)


@given(code=st.text(max_size=70))
def test_other_texts_match_no_step(code: str) -> None:
    if not totp.is_code(code):
        assert totp.matching_step(SECRET, code, 59) is None


@given(secret=st.text(max_size=200) | st.text("ABCDWXYZ234567", max_size=140))
def test_normal_secrets_can_be_used(secret: str) -> None:
    normal = totp.normalize_secret(secret)
    if normal is not None:
        assert totp.matching_step(normal, "12345", 59) is None
        assert totp.normalize_secret(normal) == normal


def test_secrets_are_normalized() -> None:
    shown = "jbsw y3dp-ehpk 3pxp"
    assert totp.normalize_secret(shown) == "JBSWY3DPEHPK3PXP"
    assert totp.normalize_secret("JBSWY3DPEHPK3PXPJB") == "JBSWY3DPEHPK3PXPJB"  # Fermi's length
    for wrong in ("", "JBSWY3DP", "A" * 129, "A" * 17, "1" * 32, "\u0130" * 32):
        assert totp.normalize_secret(wrong) is None, wrong
