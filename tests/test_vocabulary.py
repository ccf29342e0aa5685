"""The language of the product: field terms and plain English, no private dialect.

The words are those that once stood for a standard term (an "outbox" for a send queue, "told" for
sent, returned or logged) and idioms that hide the actor of a sentence ("whoever", "nobody").
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import repository

BANNED_WORDS = [
    *("told", "tells?", "anew", "at the most", "besides", "so many", "so long", "for ever"),
    *("meanwhile", "of which", "thereby", "heeds?", "heeded", "in good order", "whoever"),
    *("whomever", "nobody", "somebody", "those who", "one who", "as good as", "for a person"),
    *(
        "patience",
        "void",
        "lets? in",
        "let \\w+ in",
        "take up",
        "taken up",
        "takes up",
        "taking up",
    ),
    *("park", "parks", "parked", "parking", "farewell", "turnstile", "aside", "outbox(?:es)?"),
    *(
        "hears?",
        "heard",
        "stands",
        "in vain",
        "dead",
        "doom(?:s|ed)?",
        "expels?",
        "dismiss(?:es|ed)?",
    ),
]
"""In prose: docstrings, comments, log lines, error texts, help texts and documents."""

BANNED_PARTS = [
    *("told", "tell", "tells", "anew", "heed", "patience", "patient", "farewell", "turnstile"),
    *("aside", "outbox", "outboxes", "doom", "doomed", "park", "parked", "parking", "flights"),
    *("depart", "living", "nobody", "somebody", "whoever", "goodbye", "heard"),
    *("hears", "beat"),
]
"""In identifiers, as one of the words between underscores."""

_PROSE = re.compile(rf"\b(?:{'|'.join(BANNED_WORDS)})\b", re.IGNORECASE)
_ACTOR = re.compile(r"(?:^|[.:;] )(?:Who|Whom|Whose)\b[^?.]*(?:\.|$)", re.MULTILINE)
_IDENTIFIER = re.compile(rf"(?:^|_)(?:{'|'.join(BANNED_PARTS)})(?=_|$)")

ALLOWED = {
    "chatd/core/relationships.py": {"_nobody", "nobody"},  # a value of the setting direct_messages
    "chatd/queries/relationships.py": {"nobody"},
    "chatd/wire/responses/user_settings.py": {"nobody"},
    "chatd/wire/protobuf/frecency.py": {"heard", "_heard"},  # names of Discord's fields
    "chatd/embedded/privileges.py": {"nobody"},  # the account of Unix
    "chatd/gateway/lifecycle/handoff.py": {"parked"},  # Redis keys, which two versions share
}
"""Names and texts that a protocol, Discord or another program has defined, by file."""

DOCUMENTS = [
    *("README.md", "CHANGELOG.md", "chatd/README.md", "chatd/rest/README.md", "systemd/README.md"),
    *("tests/README.md", "tests/bench/README.md", "sql/README.md", "scripts/README.md"),
]


def words_of(path: Path) -> Iterator[tuple[int, str, str]]:
    """What a file says: the line, the kind (prose or identifier), and the text."""
    text = path.read_text()
    if path.suffix != ".py":
        for number, line in enumerate(text.splitlines(), 1):
            yield number, "prose", re.sub(r"`[^`]*`", "", line)
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type in (tokenize.COMMENT, tokenize.STRING):
            yield token.start[0], "prose", token.string
        elif token.type == tokenize.NAME:
            yield token.start[0], "identifier", token.string


def found_in(path: Path) -> list[str]:
    name = path.relative_to(repository()).as_posix()
    allowed = ALLOWED.get(name, set())
    found = []
    for line, kind, text in words_of(path):
        patterns = (_IDENTIFIER,) if kind == "identifier" else (_PROSE, _ACTOR)
        found += [
            f"{name}:{line + text[: match.start()].count(chr(10))}: {match.group(0)}"
            for pattern in patterns
            for match in pattern.finditer(text)
            if match.group(0).lower() not in allowed and text not in allowed
        ]
    return found


def product() -> list[Path]:
    return sorted((repository() / "chatd").rglob("*.py"))


@pytest.mark.parametrize(
    "package", sorted({path.relative_to(repository()).parts[1] for path in product()})
)
def test_product_has_no_banned_words(package: str) -> None:
    wrong = [
        each
        for path in product()
        if path.relative_to(repository()).parts[1] == package
        for each in found_in(path)
    ]
    assert wrong == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_documents_have_no_banned_words(document: str) -> None:
    assert found_in(repository() / document) == []


def test_banned_words_are_found(tmp_path: Path) -> None:
    """The check can fail: each kind of place is read."""
    path = repository() / "chatd" / "core" / "errors" / "_base.py"
    assert list(words_of(path))
    for text in ("whoever reads", "it is told", "Who asks."):
        assert _PROSE.search(text) or _ACTOR.search(text)
    assert _IDENTIFIER.search("_outbox") and _IDENTIFIER.search("is_parked")
    assert not _IDENTIFIER.search("ballpark")


def test_every_module_says_what_it_is() -> None:
    for path in product():
        if path.stat().st_size:
            assert ast.get_docstring(ast.parse(path.read_text())), path
