"""Components of messages are validated as Discord does it, and loaded as clients receive them."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from marshmallow import ValidationError

from chatd.core.components import find_component, texts, walk
from chatd.core.errors import InvalidForm
from chatd.wire.base_schema import field_errors
from chatd.wire.schemas.components import (
    layout_errors,
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
from tests.helpers.loaded_components import (
    ANY_JSON,
    LENGTH,
    MESSAGE,
    MODAL,
    error_of,
    first_error,
    load,
    options,
)

V2 = 1 << 15


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


@pytest.mark.parametrize(("components", "path", "code"), OF_MESSAGES)
def test_invalid_component_is_refused_with_its_path(components: Any, path: str, code: str) -> None:
    assert error_of(MESSAGE, components) == (path, LENGTH if code == "LENGTH" else code)


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
    assert first_error(field_errors(errors)) == (path, legacy if code == "LEGACY" else code)


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


@settings(max_examples=examples(120))
@given(value=ANY_JSON)
def test_any_json_is_loaded_or_refused(value: Any) -> None:
    for field in (MESSAGE, MODAL):
        try:
            load(field, value)
        except ValidationError as refused:
            field_errors(refused.messages)
        except TypeError:
            assert value is None  # a list of a message that is null


def test_values_of_a_select_are_checked() -> None:
    [chosen] = load(MESSAGE, [row(select("s", "a", "b", "c", min_values=2, max_values=3))])
    [inside] = chosen["components"]
    assert validate_values(inside, ["c", "a"]) == ["c", "a"]
    for wrong in (["a"], ["a", "a"], ["a", "x"], "ab", None, [1, 2]):
        with pytest.raises(InvalidForm) as refused:
            validate_values(inside, wrong)
        assert first_error(refused.value.errors)[0] == "data.values"


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
