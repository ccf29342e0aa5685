"""What people send: options of an invocation, against what the application has defined."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.core.commands import Command, Options
from chatd.core.errors import InvalidForm
from chatd.wire import command_options
from tests.core.commands import COMMAND


def defined(*options: Any) -> Command:
    return replace(COMMAND, options=Options.of(options))


def option(kind: int = 3, name: str = "word", **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "description": "About", **more}


def value(given: Any, kind: int = 3, name: str = "word", **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "value": given, **more}


def refused(command: Command, given: Any, **options: Any) -> tuple[str, str]:
    """Return the path and the code of the only error."""
    with pytest.raises(InvalidForm) as raised:
        command_options.validate(command, given, **options)
    path, errors = [], raised.value.errors
    while "_errors" not in errors:
        [(key, errors)] = errors.items()
        path.append(key)
    return ".".join(path), errors["_errors"][0]["code"]


VALUES: dict[int, list[Any]] = {
    3: ["", "text", "x" * 6000],
    4: [0, -5, 2**53 - 1],
    5: [True, False],
    6: ["1", "9223372036854775807"],
    7: ["1"],
    8: ["1"],
    9: ["1"],
    10: [0, 1.5, -(2**53) + 1],
    11: ["0", "5"],
}
WRONG_VALUES: dict[int, list[Any]] = {
    3: [None, 5, True, [], {}, "a\0", "x" * 6001],
    4: [None, "5", 1.5, True, 2**53, float("inf")],
    5: [None, 1, "true"],
    6: [None, "x", "-1", True, "9223372036854775808", "\u0661"],
    7: [None, {}],
    8: [None, "1.5"],
    9: [None, ["1"]],
    10: [None, "1.5", True, float("nan"), 2.0**60],
    11: [None, "a.png"],
}


@pytest.mark.parametrize("kind", VALUES)
def test_values_of_the_type_are_accepted(kind: int) -> None:
    command = defined(option(kind))
    for each in VALUES[kind]:
        assert command_options.validate(command, [value(each, kind)]) == [value(each, kind)]


@pytest.mark.parametrize("kind", WRONG_VALUES)
def test_other_values_are_refused(kind: int) -> None:
    command = defined(option(kind))
    for each in WRONG_VALUES[kind]:
        path, code = refused(command, [value(each, kind)])
        assert path == "data.options.0.value"
        assert code.split("_")[0] in ("BASE", "NUMBER")


def test_ids_and_whole_numbers_have_one_form() -> None:
    assert command_options.validate(defined(option(11)), [value(0, 11)]) == [value("0", 11)]
    assert command_options.validate(defined(option(4)), [value(5.0, 4)]) == [value(5, 4)]


OUTDATED = "INTERACTION_APPLICATION_COMMAND_INVALID"


@pytest.mark.parametrize(
    "given",
    [
        [value("x", name="other")],
        [value(5, kind=4)],
        [value("x"), value("y")],
        [{"value": "x"}],
        [{"name": ["word"], "value": "x"}],
    ],
)
def test_options_of_another_version_are_refused(given: Any) -> None:
    assert refused(defined(option()), given)[1] == OUTDATED


@pytest.mark.parametrize("form", ["x", {}, 5, [5], [[]], [value("x")] * 26])
def test_other_forms_are_refused(form: Any) -> None:
    assert refused(defined(option()), form)[0].startswith("data.options")


def test_required_options() -> None:
    command = defined(option(required=True), option(4, "count"))
    code = "INTERACTION_APPLICATION_COMMAND_OPTION_MISSING"
    assert refused(command, [value(1, 4, "count")]) == ("data.options", code)
    assert refused(command, None) == ("data.options", code)
    assert command_options.validate(command, [value("x")]) == [value("x")]
    assert command_options.validate(defined(option()), None) == []


def test_bounds() -> None:
    text = defined(option(min_length=2, max_length=3))
    for outside in ("x", "long"):
        assert refused(text, [value(outside)])[1] == "BASE_TYPE_BAD_LENGTH"
    number = defined(option(4, min_value=0, max_value=5))
    for number_outside in (-1, 6):
        assert refused(number, [value(number_outside, 4)])[1] == "NUMBER_TYPE_RANGE"


def test_choices_are_the_only_values() -> None:
    command = defined(option(4, choices=[{"name": "One", "value": 1}, {"name": "Two", "value": 2}]))
    assert command_options.validate(command, [value(2, 4)]) == [value(2, 4)]
    assert refused(command, [value(3, 4)])[1] == "BASE_TYPE_CHOICES"


GROUPED = defined(
    option(2, "user", options=[option(1, "get", options=[option(6, "who", required=True)])]),
    option(1, "list"),
)


def chosen(*names: str, options: Any = ()) -> list[Any]:
    """Return the options that choose a subcommand."""
    name, *inner = names
    if inner:
        return [{"type": 2, "name": name, "options": chosen(*inner, options=options)}]
    return [{"type": 1, "name": name, "options": list(options)}]


def test_exactly_one_subcommand_is_chosen() -> None:
    given = chosen("user", "get", options=[value("1", 6, "who")])
    assert command_options.validate(GROUPED, given) == given
    assert command_options.validate(GROUPED, [{"type": 1, "name": "list"}]) == chosen("list")
    for wrong in ([], chosen("list") + given, chosen("user"), [{"type": 2, "name": "user"}]):
        assert refused(GROUPED, wrong)[1] == OUTDATED
    path, _ = refused(GROUPED, chosen("user", "get", options=[value("x", 6, "who")]))
    assert path == "data.options.0.options.0.options.0.value"


def test_files_are_those_that_are_sent() -> None:
    command = defined(option(11, file_types=["image", ".pdf"]))
    filenames = {"0": "A.PNG", "1": "b.pdf", "2": "c.exe"}
    for file_id in "01":
        given = [value(file_id, 11)]
        assert command_options.validate(command, given, filenames=filenames) == given
    for file_id in "23":
        refusal = refused(command, [value(file_id, 11)], filenames=filenames)
        assert refusal == ("data.options.0.value", "BASE_TYPE_CHOICES")


def test_autocomplete() -> None:
    command = defined(
        option(required=True, min_length=5),
        option(4, "count", autocomplete=True),
        option(10, "ratio", autocomplete=True),
    )
    given = [value("ab"), value("1x", 4, "count", focused=True)]
    assert command_options.validate(command, given, autocomplete=True) == given
    typed = [value(12, 4, "count", focused=True)]
    assert command_options.validate(command, typed, autocomplete=True)[0]["value"] == "12"
    for wrong in (
        [value("ab")],
        [value("ab", focused=True)],
        [value("1", 4, "count", focused=True), value("1", 10, "ratio", focused=True)],
    ):
        assert refused(command, wrong, autocomplete=True)[1] == OUTDATED
    with pytest.raises(InvalidForm) as unfocused:
        command_options.validate(command, [value("ab")], autocomplete=True)
    [error] = unfocused.value.errors["data"]["options"]["_errors"]
    assert error["message"] == "Exactly one option has to be focused."


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "type", "value", "options", "focused"]), inner, max_size=4
        ),
    ),
    max_leaves=8,
)
INVOCATIONS = st.one_of(
    JSON,
    st.lists(
        st.fixed_dictionaries(
            {"name": st.sampled_from(["user", "list", "word", "count"])},
            optional={
                "type": st.sampled_from([1, 2, 3, 4, None]),
                "value": JSON,
                "options": JSON,
                "focused": st.booleans(),
            },
        ),
        max_size=3,
    ),
)


@given(INVOCATIONS, st.booleans())
def test_any_json_is_refused_or_accepted_unchanged(given: Any, autocomplete: bool) -> None:
    for command in (GROUPED, defined(option(autocomplete=True), option(4, "count", required=True))):
        try:
            found = command_options.validate(command, given, autocomplete=autocomplete)
        except InvalidForm as invalid:
            assert invalid.errors["data"]
        else:
            again = command_options.validate(command, found, autocomplete=autocomplete)
            assert again == found
