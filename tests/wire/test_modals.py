"""Modals and what people submit with them are validated as Discord does it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings

from chatd.core.errors import InvalidForm
from chatd.wire.schemas.components import (
    validate_submission,
)
from tests.helpers.components import (
    button,
    container,
    label,
    row,
    select,
    text,
    text_input,
)
from tests.helpers.examples import examples
from tests.helpers.loaded_components import (
    ANY_JSON,
    LENGTH,
    MODAL,
    error_of,
    first_error,
    load,
    options,
)

OF_MODALS: list[tuple[Any, str, str]] = [
    ([], "", "LENGTH"),
    ([text()] * 6, "", "LENGTH"),
    ([row(button())], "0.components.0", "UNION_TYPE_CHOICES"),
    ([container(text())], "0", "UNION_TYPE_CHOICES"),
    ([text_input()], "0", "UNION_TYPE_CHOICES"),
    ([row(text_input())], "0.components.0.label", "BASE_TYPE_REQUIRED"),
    (
        [row(text_input("a", label="x"), text_input("b", label="x"))],
        "0.components.1",
        "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
    ),
    ([label(text())], "0.component", "UNION_TYPE_CHOICES"),
    ([label(text_input(), label="x" * 46)], "0.label", "LENGTH"),
    ([label(text_input(style=3))], "0.component.style", "BASE_TYPE_CHOICES"),
    ([label(text_input(max_length=4001))], "0.component.max_length", "NUMBER_TYPE_RANGE"),
    (
        [label(text_input(min_length=5, max_length=4))],
        "0.component.min_length",
        "NUMBER_TYPE_MAX",
    ),
    (
        [label(text_input(max_length=2, value="abc"))],
        "0.component.value",
        "BASE_TYPE_MAX_LENGTH",
    ),
    ([label(select(disabled=True))], "0.component.disabled", "BASE_TYPE_INVALID"),
    (
        [label(text_input("a")), label(select("a"))],
        "1.component.custom_id",
        "COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    (
        [label({"type": 21, "custom_id": "r", "options": options(1)})],
        "0.component.options",
        "LENGTH",
    ),
    (
        [label({"type": 22, "custom_id": "c", "options": options(11)})],
        "0.component.options",
        "LENGTH",
    ),
    (
        [label({"type": 22, "custom_id": "c", "options": options(2), "min_values": 3})],
        "0.component.min_values",
        "NUMBER_TYPE_MAX",
    ),
    (
        [label({"type": 19, "custom_id": "f", "min_values": 3, "max_values": 2})],
        "0.component.min_values",
        "NUMBER_TYPE_MAX",
    ),
]


@pytest.mark.parametrize(("components", "path", "code"), OF_MODALS)
def test_invalid_modal_is_refused_with_its_path(components: Any, path: str, code: str) -> None:
    assert error_of(MODAL, components) == (path, LENGTH if code == "LENGTH" else code)


MODAL_OF_EVERYTHING = load(
    MODAL,
    [
        row(text_input("name", label="Name", min_length=2, max_length=5)),
        text(),
        label(select("color", "red", "blue", min_values=1, max_values=2)),
        label({"type": 5, "custom_id": "who", "required": False}),
        label({"type": 19, "custom_id": "files", "max_values": 2}),
    ],
)
CHOICES = load(
    MODAL,
    [
        label({"type": 21, "custom_id": "radio", "options": options(2)}),
        label({"type": 22, "custom_id": "group", "options": options(3)}),
        label({"type": 23, "custom_id": "box"}),
    ],
)


def entered(**values: Any) -> list[Any]:
    """What a client sends for fields of labels."""
    return [
        {
            "type": 18,
            "component": {
                "type": 0,
                "custom_id": name,
                "values" if isinstance(value, list) else "value": value,
            },
        }
        for name, value in values.items()
    ]


ANSWERS: dict[str, Any] = {
    "name": "Ada",
    "color": ["blue"],
    "who": ["123"],
    "files": ["0"],
}


def test_submission_has_the_structure_of_the_modal() -> None:
    name = {"type": 1, "components": [{"type": 4, "custom_id": "name", "value": "Ada"}]}
    others = {key: each for key, each in ANSWERS.items() if key != "name"}
    assert validate_submission(MODAL_OF_EVERYTHING, [name, *entered(**others)]) == [
        {
            "type": 1,
            "id": 1,
            "components": [{"type": 4, "id": 2, "custom_id": "name", "value": "Ada"}],
        },
        {"type": 10, "id": 3},
        {
            "type": 18,
            "id": 4,
            "component": {"type": 3, "id": 5, "custom_id": "color", "values": ["blue"]},
        },
        {
            "type": 18,
            "id": 6,
            "component": {"type": 5, "id": 7, "custom_id": "who", "values": ["123"]},
        },
        {
            "type": 18,
            "id": 8,
            "component": {"type": 19, "id": 9, "custom_id": "files", "values": ["0"]},
        },
    ]
    chosen = validate_submission(CHOICES, entered(radio="1", group=["0", "2"], box=True))
    assert [each["component"] for each in chosen] == [
        {"type": 21, "id": 2, "custom_id": "radio", "value": "1"},
        {"type": 22, "id": 4, "custom_id": "group", "values": ["0", "2"]},
        {"type": 23, "id": 6, "custom_id": "box", "value": True},
    ]


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"name": "A"}, "0.component.value", LENGTH),
        ({"name": "Adaline"}, "0.component.value", LENGTH),
        ({"name": ""}, "0.component.value", "BASE_TYPE_REQUIRED"),
        ({"name": 5}, "0.component.value", "BASE_TYPE_BAD_TYPE"),
        ({"name": "A\0a"}, "0.component.value", "BASE_TYPE_INVALID"),
        ({"color": ["green"]}, "1.component.values", "BASE_TYPE_CHOICES"),
        ({"color": [[]]}, "1.component.values", "BASE_TYPE_CHOICES"),
        ({"color": []}, "1.component.values", LENGTH),
        ({"color": ["red", "blue", "red"]}, "1.component.values", LENGTH),
        ({"color": ["red", "red"]}, "1.component.values", "SET_TYPE_ALREADY_CONTAINS_VALUE"),
        ({"who": ["nobody"]}, "2.component.values", "NUMBER_TYPE_COERCE"),
        ({"who": ["1", "2"]}, "2.component.values", LENGTH),
        ({"files": ["1", "2", "3"]}, "3.component.values", LENGTH),
        ({"other": "x"}, "4.component.custom_id", "BASE_TYPE_INVALID"),
    ],
)
def test_invalid_submission_is_refused_with_its_path(
    changes: dict[str, Any], path: str, code: str
) -> None:
    with pytest.raises(InvalidForm) as refused:
        validate_submission(MODAL_OF_EVERYTHING, entered(**{**ANSWERS, **changes}))
    assert first_error(refused.value.errors) == (f"data.components.{path}", code)


@pytest.mark.parametrize("missing", ["name", "color", "files"])
def test_required_field_must_be_submitted(missing: str) -> None:
    answers = {key: each for key, each in ANSWERS.items() if key != missing}
    with pytest.raises(InvalidForm):
        validate_submission(MODAL_OF_EVERYTHING, entered(**answers))


def test_optional_field_may_be_left_out() -> None:
    answers = {key: each for key, each in ANSWERS.items() if key != "who"}
    submitted = validate_submission(MODAL_OF_EVERYTHING, entered(**answers))
    assert submitted[3]["component"]["values"] == []
    with pytest.raises(InvalidForm):
        validate_submission(CHOICES, entered(radio=None, group=["0"]))
    with pytest.raises(InvalidForm):
        validate_submission(CHOICES, entered(radio="0", group=["9"]))


@settings(max_examples=examples(80))
@given(value=ANY_JSON)
def test_any_submission_is_read_or_refused(value: Any) -> None:
    for modal in (MODAL_OF_EVERYTHING, CHOICES):
        try:
            validate_submission(modal, value)
        except InvalidForm:
            continue
