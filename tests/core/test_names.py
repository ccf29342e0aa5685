"""Names: look-alikes collide, and what cannot be seen is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.core import names


@pytest.mark.parametrize(
    ("one", "other"),
    [("Alice", "alice"), ("ＡＬＩＣＥ", "alice"), ("ﬁsh", "fish"), ("straße", "STRASSE")],
)
def test_look_alikes_share_a_key(one: str, other: str) -> None:
    assert names.key(names.username(one)) == names.key(names.username(other))


@pytest.mark.parametrize(
    "text",
    ["a", "x" * 33, "a\u200bb", "a\u202eb", "a\nb", "a@b", "a#b", "a:b", "Everyone", "ＨＥＲＥ",
     "\u0301ab", "a\ud800", "\ue000\ue000", "   "],
)  # fmt: skip
def test_bad_names_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^(Must|This)"):
        names.username(text)


@given(st.text())
def test_a_name_that_passes_stays_as_it_is(text: str) -> None:
    try:
        shown = names.username(text)
    except ValueError:
        return
    assert names.username(shown) == shown
    assert names.key(names.key(shown)) == names.key(shown)
