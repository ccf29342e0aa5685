"""All kinds of names are loaded by one kind of field."""

from __future__ import annotations

from typing import Any

import pytest
from marshmallow import ValidationError

from chatd.wire.schemas.excerpts import Excerpt
from chatd.wire.text_fields import Name, Text, Username
from chatd.wire.unsupported import Unsupported
from tests.helpers.names import EMOJI, INVISIBLE
from tests.wire.schemas import FIELDS

CALLED = ("name", "nick", "nickname", "username", "global_name", "display_name")
NO_NAMES = {
    "embeds._AuthorSchema.name": "a line of an embed",
    "embeds._FieldSchema.name": "a heading in an embed",
    "elements.EmojiInputSchema.name": "an emoji",
    "gateway.ActivitySchema.name": "what a member does",
    "gateway._EmojiSchema.name": "an emoji",
    "relationships.FriendRequestSchema.username": "a name to look for",
    **dict.fromkeys(
        (
            "interactions.AutocompleteCallbackSchema.data.choices[].name",
            "interactions.ChoiceInputSchema.name",
            "interactions.ChoicesSchema.choices[].name",
        ),
        "a suggested value of an option",
    ),
}
"""Text fields called "name" that do not name an object of the server, with what they contain."""


def _is_name(path: str) -> bool:
    activity = (".activities[].", ".game.", ".emoji.", ".presence.")
    inner = (".embeds[].", ".entries[].", ".author.", *activity)
    if isinstance(FIELDS[path][0], Unsupported):
        return False
    if isinstance(FIELDS[path][0], Excerpt):
        return False  # it names an object of another service
    return path not in NO_NAMES and not any(each in path for each in inner)


NAMES = [path for path in FIELDS if path.rpartition(".")[2] in CALLED and _is_name(path)]


@pytest.mark.parametrize("path", NAMES)
def test_name_is_loaded_by_a_name_field(path: str) -> None:
    field, _ = FIELDS[path]
    assert isinstance(field, Name), "a name of something is a fields.Name or fields.Username"
    for code_point in INVISIBLE:
        with pytest.raises(ValidationError):
            field.deserialize(f"ali{code_point}ce", "name", {})
    assert field.deserialize("Zoë B", "name", {}) == "Zoë B"


@pytest.mark.parametrize("path", NAMES)
def test_emojis_are_allowed_in_display_names_only(path: str) -> None:
    field, _ = FIELDS[path]
    is_username = isinstance(field, Username)
    for each in EMOJI:
        if not is_username:
            assert field.deserialize(f"a {each}", "name", {}) == f"a {each}"
        elif "\ufe0f" in each or "\u200d" in each:
            with pytest.raises(ValidationError):
                field.deserialize(f"a {each}", "name", {})


def test_exceptions_exist_and_are_text_fields() -> None:
    found: dict[str, Any] = {path: FIELDS[path][0] for path in NO_NAMES}
    assert all(isinstance(field, Text) for field in found.values())
    assert len(NAMES) >= 13
