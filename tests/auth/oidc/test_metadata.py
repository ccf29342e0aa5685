"""The metadata of a provider."""

from __future__ import annotations

import pytest

from chatd.auth.oidc import metadata


@pytest.mark.parametrize(
    ("named", "hint"),
    [
        ("https://id.example/o/chatd/", ": only the slash at the end differs"),
        ("https://id.example/o/other", ""),
        (None, ""),
    ],
)
def test_other_issuer_is_refused_with_a_hint(named: str | None, hint: str) -> None:
    with pytest.raises(ValueError, match=f"than the settings{hint}$"):
        metadata.parse({"issuer": named}, "https://id.example/o/chatd")
