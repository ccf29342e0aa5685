"""Names: look-alikes collide, and invisible characters are rejected."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.core import names
from tests.helpers.names import EMOJI, INVISIBLE

SPELLED = [
    "می‌خواهم",
    "ക്‍",
    "क्‍ष",
    "क्‌ष",
    "Zoë",
    "Zoe\u0308",
    "Nguyễn",
    "ภาษาไทย",
    "שָׁלוֹם",
    "김철수",
    "姓\u3000名",
]


@pytest.mark.parametrize(
    ("one", "other"),
    [("Alice", "alice"), ("ＡＬＩＣＥ", "alice"), ("ﬁsh", "fish"), ("straße", "STRASSE")],
)
def test_look_alikes_share_a_key(one: str, other: str) -> None:
    assert names.key(names.normalize_username(one)) == names.key(names.normalize_username(other))


@pytest.mark.parametrize("code_point", INVISIBLE, ids=ascii)
def test_invisible_characters_are_rejected(code_point: str) -> None:
    for text in (f"ali{code_point}ce", f"{code_point}alice", f"alice{code_point}", code_point * 3):
        with pytest.raises(ValueError, match=r"^Must"):
            names.check(text)
        with pytest.raises(ValueError, match=r"^Must"):
            names.normalize_username(text)


@pytest.mark.parametrize("code_point", INVISIBLE[:31], ids=ascii)
def test_key_ignores_invisible_characters_of_older_names(code_point: str) -> None:
    assert names.key(f"ali{code_point}ce") == names.key("alice")


@pytest.mark.parametrize("text", EMOJI + SPELLED)
def test_display_names_may_contain_emoji_and_joiners(text: str) -> None:
    for form in ("NFC", "NFD"):
        names.check(unicodedata.normalize(form, text))
    names.check(f"me {text}{text} you")


@pytest.mark.parametrize("text", [each for each in EMOJI if "\ufe0f" in each or "\u200d" in each])
def test_usernames_reject_joined_emoji(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Must not contain"):
        names.normalize_username(f"alice {text}")


@pytest.mark.parametrize(
    "text",
    ["\u0301ab", "a \u0301b", "a" + "\u0301" * 5, "x\u0488\u0489\u0488\u0489\u0488", "\u0903a",
     "a\u200d😀", "😀\u200d", "😀\u200d\u200d😀", "❤\ufe0f\ufe0f", "a\ufe0f", "1\ufe0f",
     "🏴\U000e0067", "م\u200ca", "क\u200dष", "a\u094d\u200c"],
)  # fmt: skip
def test_marks_and_joiners_need_a_base_character(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Must"):
        names.check(text)


@pytest.mark.parametrize("text", ["\ufdfa" * 257, "a" * 257, "\u0301" * 300])
def test_length_is_checked_first(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "unicodedata", None)
    for function in (names.check, names.normalize_username):
        with pytest.raises(ValueError, match="in length"):
            function(text)


def test_length_is_checked_after_normalization() -> None:
    with pytest.raises(ValueError, match="in length"):
        names.normalize_username("\ufdfa" * 16)


@pytest.mark.parametrize(
    "text",
    ["a", "x" * 33, "a\u200bb", "a\u202eb", "a\nb", "a@b", "a#b", "a:b", "Everyone", "ＨＥＲＥ",
     "\u0301ab", "a\ud800", "\ue000\ue000", "   "],
)  # fmt: skip
def test_invalid_names_are_rejected(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(Must|This)"):
        names.normalize_username(text)


@given(st.text())
def test_normalization_is_idempotent(text: str) -> None:
    try:
        shown = names.normalize_username(text)
    except ValueError:
        return
    assert names.normalize_username(shown) == shown
    assert names.key(names.key(shown)) == names.key(shown)
