"""Links to files: ours and nobody else's, for a day."""

from __future__ import annotations

from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.auth.links import Links
from chatd.core.ids import AttachmentId, ChannelId

LINKS = Links("a secret that is long enough", "https://chat.example.org")
NAMES = st.text(st.characters(exclude_characters="/", exclude_categories=["C"]), min_size=1)


def parts(url: str) -> tuple[str, str, str, str]:
    """A link as a server reads it: the decoded path, and the three parameters."""
    split = urlsplit(url)
    query = parse_qs(split.query)
    return unquote(split.path), query["ex"][0], query["is"][0], query["hm"][0]


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1), NAMES)
def test_a_link_is_known_again_as_long_as_it_is_unaltered(
    channel: int, file: int, name: str
) -> None:
    url = LINKS.attachment(ChannelId(channel), AttachmentId(file), name)
    assert url.startswith("https://chat.example.org/attachments/")
    path, expires, made, signature = parts(url)
    assert LINKS.is_valid(path, expires, made, signature)
    other = Links("another secret, long enough too", "https://chat.example.org")
    assert not other.is_valid(path, expires, made, signature)
    assert not LINKS.is_valid(path + "x", expires, made, signature)
    assert not LINKS.is_valid(path, f"{int(expires, 16) + 1:x}", made, signature)
    assert not LINKS.is_valid(path, expires, f"{int(made, 16) + 1:x}", signature)
    assert not LINKS.is_valid(path, expires, made, signature[::-1])


def test_what_is_no_signature() -> None:
    for text in ("", "x", "-1", "é", "0" * 5000):
        assert not LINKS.is_valid("/attachments/1/2/x", text, text, text)


def test_a_link_expires(monkeypatch: pytest.MonkeyPatch) -> None:
    link = parts(LINKS.attachment(ChannelId(1), AttachmentId(2), "x"))
    expires = int(link[1], 16)
    monkeypatch.setattr("chatd.auth.links.time.time", lambda: expires - 1.0)
    assert LINKS.is_valid(*link)
    monkeypatch.setattr("chatd.auth.links.time.time", lambda: float(expires))
    assert not LINKS.is_valid(*link)
