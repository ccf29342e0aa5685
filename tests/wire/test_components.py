"""Components are validated as Discord does it, and loaded as clients receive them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from marshmallow import ValidationError

from chatd.core.components import find_component, texts, walk
from chatd.core.errors import InvalidForm
from chatd.wire.base_schema import field_errors
from chatd.wire.schemas.components import (
    layout_errors,
    message_components,
    modal_components,
    validate_submission,
    validate_values,
)
from tests.helpers.components import (
    LAYOUTS,
    button,
    container,
    gallery,
    label,
    link,
    row,
    section,
    select,
    text,
    text_input,
    thumbnail,
)
from tests.helpers.examples import examples

MESSAGE = message_components()
MODAL = modal_components()
V2 = 1 << 15


def load(field: Any, components: Any) -> list[Any]:
    return list(field.deserialize(components, "components", {}))


def error_of(field: Any, components: Any) -> tuple[str, str]:
    """Return the path and the code of the first error."""
    with pytest.raises(ValidationError) as refused:
        load(field, components)
    return first(field_errors(refused.value.messages))


def first(errors: Any) -> tuple[str, str]:
    path: list[str] = []
    while "_errors" not in errors:
        key = next(iter(errors))
        path.append(key)
        errors = errors[key]
    return ".".join(path), errors["_errors"][0]["code"]


def options(count: int) -> list[Any]:
    return [{"label": "x", "value": str(number)} for number in range(count)]


URL_BUTTON = link()
OF_MESSAGES: list[tuple[Any, str, str]] = [
    ("x", "", "LIST_TYPE_CONVERT"),
    (["x"], "0", "MODEL_TYPE_CONVERT"),
    ([{}], "0.type", "BASE_TYPE_REQUIRED"),
    ([{"type": 99}], "0", "UNION_TYPE_CHOICES"),
    ([{"type": True}], "0", "UNION_TYPE_CHOICES"),
    ([{"type": "1"}], "0", "UNION_TYPE_CHOICES"),
    ([button()], "0", "UNION_TYPE_CHOICES"),
    ([text_input()], "0", "UNION_TYPE_CHOICES"),
    ([label(text_input())], "0", "UNION_TYPE_CHOICES"),
    ([row(text_input())], "0.components.0", "UNION_TYPE_CHOICES"),
    ([row(text())], "0.components.0", "UNION_TYPE_CHOICES"),
    ([row(row(button()))], "0.components.0", "UNION_TYPE_CHOICES"),
    ([container(container(text()))], "0.components.0", "UNION_TYPE_CHOICES"),
    ([container(thumbnail("https://x.org"))], "0.components.0", "UNION_TYPE_CHOICES"),
    ([section(accessory=row(button()))], "0.accessory", "UNION_TYPE_CHOICES"),
    ([{"type": 9, "components": [text()]}], "0.accessory", "BASE_TYPE_REQUIRED"),
    ([{**section(accessory=button()), "components": [text()] * 4}], "0.components", "LENGTH"),
    ([row()], "0.components", "LENGTH"),
    ([row(*(button(str(n)) for n in range(6)))], "0.components", "LENGTH"),
    ([container()], "0.components", "LENGTH"),
    ([gallery()], "0.items", "LENGTH"),
    ([gallery(*["https://x.org"] * 11)], "0.items", "LENGTH"),
    ([text()] * 41, "", "LENGTH"),
    (
        [container(*[text()] * 20), container(*[text()] * 19)],
        "",
        "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
    ),
    (
        [section(accessory=button())] * 14,
        "",
        "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
    ),
    ([row(button("a"), select())], "0.components.1", "COMPONENT_LAYOUT_WIDTH_EXCEEDED"),
    ([row(select("a"), select("b"))], "0.components.1", "COMPONENT_LAYOUT_WIDTH_EXCEEDED"),
    (
        [row(button("a")), row(button("a"))],
        "1.components.0.custom_id",
        "COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    (
        [section(accessory=button("a")), row(select("a"))],
        "1.components.0.custom_id",
        "COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    ([text(id=3), container(text(id=3))], "1.components.0.id", "COMPONENT_ID_DUPLICATED"),
    ([text(id=-1)], "0.id", "NUMBER_TYPE_RANGE"),
    ([text(id=2**31)], "0.id", "NUMBER_TYPE_RANGE"),
    ([text(id="1")], "0.id", "NUMBER_TYPE_COERCE"),
    ([text("")], "0.content", "LENGTH"),
    ([text(" \n")], "0.content", "BASE_TYPE_REQUIRED"),
    ([text("x" * 4001)], "0.content", "LENGTH"),
    ([text("nul\0")], "0.content", "BASE_TYPE_INVALID"),
    ([row(button(style=6))], "0.components.0.style", "NOT_SUPPORTED"),
    ([row(button(sku_id="1"))], "0.components.0.sku_id", "NOT_SUPPORTED"),
    ([row(button(style=0))], "0.components.0.style", "BASE_TYPE_CHOICES"),
    ([row(button(""))], "0.components.0.custom_id", "LENGTH"),
    ([row(button("x" * 101))], "0.components.0.custom_id", "LENGTH"),
    ([row(button(label="x" * 81))], "0.components.0.label", "BASE_TYPE_MAX_LENGTH"),
    ([row(button(label=""))], "0.components.0.label", "BASE_TYPE_REQUIRED"),
    ([row(button(label=None))], "0.components.0.label", "BASE_TYPE_REQUIRED"),
    (
        [row({"type": 2, "style": 1, "label": "x"})],
        "0.components.0.custom_id",
        "BUTTON_COMPONENT_CUSTOM_ID_REQUIRED",
    ),
    (
        [row(button(url="https://x.org"))],
        "0.components.0.custom_id",
        "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
    ),
    (
        [row(link(custom_id="x"))],
        "0.components.0.custom_id",
        "BUTTON_COMPONENT_CUSTOM_ID_URL_MUTUALLY_EXCLUSIVE",
    ),
    ([row({"type": 2, "style": 5, "label": "x"})], "0.components.0.url", "BASE_TYPE_REQUIRED"),
    ([row(link("ftp://x.org"))], "0.components.0.url", "URL_TYPE_INVALID_SCHEME"),
    ([row(link("javascript:alert(1)"))], "0.components.0.url", "URL_TYPE_INVALID_URL"),
    ([row(link("attachment://a"))], "0.components.0.url", "URL_TYPE_INVALID_SCHEME"),
    ([row(link("https://" + "x" * 505))], "0.components.0.url", "BASE_TYPE_MAX_LENGTH"),
    (
        [row(button(emoji={"name": "no"}))],
        "0.components.0.emoji.name",
        "COMPONENT_INVALID_EMOJI",
    ),
    ([row(button(emoji={}))], "0.components.0.emoji.name", "COMPONENT_INVALID_EMOJI"),
    ([row(select(options=[]))], "0.components.0.options", "LENGTH"),
    ([row(select(options=options(26)))], "0.components.0.options", "LENGTH"),
    (
        [row(select("s", "a", "a"))],
        "0.components.0.options.1.value",
        "COMPONENT_OPTION_VALUE_DUPLICATED",
    ),
    ([row(select(max_values=3))], "0.components.0.options", "LENGTH"),
    ([row(select(max_values=26))], "0.components.0.max_values", "NUMBER_TYPE_RANGE"),
    ([row(select(max_values=0))], "0.components.0.max_values", "NUMBER_TYPE_RANGE"),
    ([row(select(min_values=2))], "0.components.0.min_values", "NUMBER_TYPE_MAX"),
    ([row(select(placeholder="x" * 151))], "0.components.0.placeholder", "BASE_TYPE_MAX_LENGTH"),
    (
        [row(select(options=[{**each, "default": True} for each in options(2)]))],
        "0.components.0.options",
        "SELECT_COMPONENT_TOO_MANY_DEFAULT_VALUES",
    ),
    (
        [row({"type": 5, "custom_id": "u", "default_values": [{"id": "1", "type": "role"}]})],
        "0.components.0.default_values.0.type",
        "BASE_TYPE_CHOICES",
    ),
    (
        [row({"type": 7, "custom_id": "m", "default_values": [{"id": "1", "type": "user"}] * 2})],
        "0.components.0.default_values",
        "LENGTH",
    ),
    (
        [row({"type": 8, "custom_id": "c", "channel_types": [0, 0]})],
        "0.components.0.channel_types",
        "SET_TYPE_ALREADY_CONTAINS_VALUE",
    ),
    (
        [row({"type": 8, "custom_id": "c", "channel_types": [99]})],
        "0.components.0.channel_types.0",
        "BASE_TYPE_CHOICES",
    ),
    ([container(text(), accent_color=2**24)], "0.accent_color", "NUMBER_TYPE_RANGE"),
    ([{"type": 14, "spacing": 3}], "0.spacing", "BASE_TYPE_CHOICES"),
    ([gallery("ftp://x.org/a")], "0.items.0.media.url", "URL_TYPE_INVALID_SCHEME"),
    ([gallery("no url")], "0.items.0.media.url", "URL_TYPE_INVALID_URL"),
]
LENGTH = "BASE_TYPE_BAD_LENGTH"


@pytest.mark.parametrize(("components", "path", "code"), OF_MESSAGES)
def test_invalid_component_is_refused_with_its_path(components: Any, path: str, code: str) -> None:
    assert error_of(MESSAGE, components) == (path, LENGTH if code == "LENGTH" else code)


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


@pytest.mark.parametrize(
    ("flags", "components", "fields", "path", "code"),
    [
        (0, [text()], {}, "components.0", "UNION_TYPE_CHOICES"),
        (0, [row(button())] * 6, {}, "components", "BASE_TYPE_MAX_LENGTH"),
        (V2, [text()], {"content": "x"}, "content", "LEGACY"),
        (V2, [text()], {"embeds": [{}]}, "embeds", "LEGACY"),
        (V2, [text("x" * 2001)] * 2, {}, "components", "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED"),
    ],
)
def test_flag_decides_what_a_message_may_have(
    flags: int, components: Any, fields: Any, path: str, code: str
) -> None:
    legacy = "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2"
    whole = {"content": "", "embeds": (), **fields}
    errors = layout_errors(flags, components, **whole)
    assert first(field_errors(errors)) == (path, legacy if code == "LEGACY" else code)


def test_layouts_within_the_limits_are_accepted() -> None:
    rows = load(MESSAGE, [row(*(button(f"{r}{n}") for n in range(5))) for r in range(5)])
    assert layout_errors(0, rows, content="x", embeds=()) == {}
    full = load(MESSAGE, [container(*[text("x" * 100)] * 39)])
    assert layout_errors(V2, full, content="", embeds=()) == {}
    assert layout_errors(V2, load(MESSAGE, [text("x" * 4000)]), content="", embeds=()) == {}


def test_components_without_ids_get_free_ones() -> None:
    sent = [
        container(text(), text(id=2), id=0),
        section("a", "b", accessory=button(), id=None),
        row(button("c", id=4), button("d")),
    ]
    loaded = load(MESSAGE, sent)
    ids = [each["id"] for _, each in walk(loaded)]
    assert ids == [1, 3, 2, 5, 6, 7, 8, 9, 4, 10]
    assert load(MESSAGE, loaded) == loaded


def test_defaults_are_what_clients_receive() -> None:
    assert load(MESSAGE, [{"type": 14}]) == [{"type": 14, "id": 1, "spacing": 1, "divider": True}]
    [box] = load(MESSAGE, [container(row(select()))])
    assert (box["accent_color"], box["spoiler"]) == (None, False)
    [chosen] = box["components"][0]["components"]
    assert (chosen["min_values"], chosen["max_values"]) == (1, 1)
    assert load(MESSAGE, [gallery("https://x.org/a")])[0]["items"] == [
        {"description": None, "media": {"url": "https://x.org/a"}, "spoiler": False}
    ]


def test_emojis_are_kept_as_given() -> None:
    sent = [{"name": "👍"}, {"id": None, "name": "👍"}, {"id": 5}, {"id": "5", "name": "x"}]
    buttons = [button(str(index), emoji=each) for index, each in enumerate(sent)]
    [loaded] = load(MESSAGE, [row(*buttons)])
    assert [each["emoji"] for each in loaded["components"]] == [
        {"name": "👍"},
        {"name": "👍"},
        {"id": "5", "name": "_"},
        {"id": "5", "name": "x"},
    ]


def test_what_selects_require_in_modals_has_no_effect_in_messages() -> None:
    [loaded] = load(MESSAGE, [row(select(required=True))])
    assert "required" not in loaded["components"][0]
    [loaded] = load(MODAL, [label(select(required=False))])
    assert loaded["component"]["required"] is False


def without_additions(sent: Any, loaded: Any) -> Any:
    """Return what was loaded, without the keys that were not sent."""
    if isinstance(sent, dict):
        return {key: without_additions(each, loaded[key]) for key, each in sent.items()}
    if isinstance(sent, list):
        return [without_additions(*each) for each in zip(sent, loaded, strict=True)]
    return loaded


@settings(max_examples=examples(60))
@given(sent=LAYOUTS)
def test_accepted_components_are_returned_as_sent(sent: Any) -> None:
    try:
        loaded = load(MESSAGE, sent)
    except ValidationError as refused:
        assert "TOTAL" in refused.messages[0].code  # type: ignore[union-attr]
        return
    assert without_additions(sent, loaded) == sent
    ids = [each["id"] for _, each in walk(loaded)]
    assert len(set(ids)) == len(ids)
    assert load(MESSAGE, loaded) == loaded
    for _, each in walk(loaded):
        if "custom_id" in each:
            assert find_component(loaded, each["custom_id"]) == each


_KEYS = st.sampled_from(
    [
        *("type", "id", "components", "component", "accessory", "custom_id", "style", "label"),
        *("options", "items", "media", "url", "content", "emoji", "name", "value", "values"),
        *("min_values", "max_values", "default_values", "default", "file", "required", "x"),
    ]
)
_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-2, 24)
    | st.floats()
    | st.sampled_from(["", "a", "1", "https://x.org/a", "👍", "nul\0", "x" * 200]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_KEYS, inner, max_size=6),
    max_leaves=30,
)


@settings(max_examples=examples(120))
@given(value=_JSON)
def test_any_json_is_loaded_or_refused(value: Any) -> None:
    for field in (MESSAGE, MODAL):
        try:
            load(field, value)
        except ValidationError as refused:
            field_errors(refused.messages)
        except TypeError:
            assert value is None  # a list of a message that is null


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
    assert first(refused.value.errors) == (f"data.components.{path}", code)


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
@given(value=_JSON)
def test_any_submission_is_read_or_refused(value: Any) -> None:
    for modal in (MODAL_OF_EVERYTHING, CHOICES):
        try:
            validate_submission(modal, value)
        except InvalidForm:
            continue


def test_values_of_a_select_are_checked() -> None:
    [chosen] = load(MESSAGE, [row(select("s", "a", "b", "c", min_values=2, max_values=3))])
    [inside] = chosen["components"]
    assert validate_values(inside, ["c", "a"]) == ["c", "a"]
    for wrong in (["a"], ["a", "a"], ["a", "x"], "ab", None, [1, 2]):
        with pytest.raises(InvalidForm) as refused:
            validate_values(inside, wrong)
        assert first(refused.value.errors)[0] == "data.values"


def test_component_is_found_by_its_custom_id() -> None:
    loaded = load(
        MESSAGE, [container(section(accessory=button("in"))), row(button("out"), button("last"))]
    )
    assert find_component(loaded, "in") == loaded[0]["components"][0]["accessory"]
    assert find_component(loaded, "last") == loaded[1]["components"][1]
    assert find_component(loaded, "none") is None
    assert texts(load(MESSAGE, [container(text("a")), section("b", accessory=button())])) == [
        "a",
        "b",
    ]
