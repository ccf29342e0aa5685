"""Signed URLs: only URLs that were signed here are valid, for a day."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.signed_urls import SignedUrls
from chatd.core.ids import AttachmentId, ChannelId

URLS = SignedUrls("a secret that is long enough", "https://chat.example.org")
NAMES = st.text(st.characters(exclude_characters="/", exclude_categories=["C"]), min_size=1)


def parts(url: str) -> tuple[str, str, str, str]:
    """Split a URL as a server reads it: into the decoded path and the three parameters."""
    split = urlsplit(url)
    query = parse_qs(split.query)
    return unquote(split.path), query["ex"][0], query["is"][0], query["hm"][0]


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), NAMES)
def test_url_is_valid_only_unaltered(channel: int, file: int, name: str) -> None:
    url = URLS.attachment_url(ChannelId(channel), AttachmentId(file), name)
    assert url.startswith("https://chat.example.org/attachments/")
    path, expires, made, signature = parts(url)
    assert URLS.is_valid(path, expires, made, signature)
    other = SignedUrls("another secret, long enough too", "https://chat.example.org")
    assert not other.is_valid(path, expires, made, signature)
    assert not URLS.is_valid(path + "x", expires, made, signature)
    assert not URLS.is_valid(path, f"{int(expires, 16) + 1:x}", made, signature)
    assert not URLS.is_valid(path, expires, f"{int(made, 16) + 1:x}", signature)
    assert not URLS.is_valid(path, expires, made, signature[::-1])


def test_malformed_parameters_are_invalid() -> None:
    for text in ("", "x", "-1", "é", "0" * 5000):
        assert not URLS.is_valid("/attachments/1/2/x", text, text, text)


def test_url_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    url = parts(URLS.attachment_url(ChannelId(1), AttachmentId(2), "x"))
    expires = int(url[1], 16)
    monkeypatch.setattr("chatd.auth.signed_urls.time.time", lambda: expires - 1.0)
    assert URLS.is_valid(*url)
    monkeypatch.setattr("chatd.auth.signed_urls.time.time", lambda: float(expires))
    assert not URLS.is_valid(*url)
