"""What applications define: options of commands, and what is wrong with them."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatd.core.commands import LOCALES, OptionType
from chatd.core.errors import InvalidForm
from chatd.wire.schemas.application_commands import NewCommandSchema
from tests.helpers.loop_time import MOST_S, TRIES

SCHEMA = NewCommandSchema()


def read(*options: Any) -> Any:
    """Return the options as they are stored."""
    body = {"name": "ping", "description": "Ping", "options": list(options)}
    return SCHEMA.read(body).options.parsed


def refused(*options: Any) -> dict[str, str]:
    """Return the codes of the errors by their paths below `options`."""
    with pytest.raises(InvalidForm) as raised:
        read(*options)
    return dict(_leaves(raised.value.errors, ""))


def _leaves(errors: Any, path: str) -> Any:
    for key, inner in errors.items():
        if key == "_errors":
            yield path.removeprefix("options").removeprefix("."), inner[0]["code"]
        else:
            yield from _leaves(inner, f"{path}.{key}" if path else key)


def option(kind: int = 3, name: str = "word", **more: Any) -> dict[str, Any]:
    return {"type": kind, "name": name, "description": "About", **more}


def test_all_fields_are_kept() -> None:
    names = {"de": "wort", "fr": "mot"}
    given = [
        option(
            3,
            "text",
            name_localizations=names,
            description_localizations={"de": "Ein Wort"},
            required=True,
            min_length=0,
            max_length=6000,
            choices=[{"name": "One", "value": "1", "name_localizations": {"de": "Eins"}}],
        ),
        option(4, "count", min_value=-5, max_value=5, choices=[{"name": "Two", "value": 2}]),
        option(10, "ratio", min_value=-0.5, max_value=1.5, autocomplete=True),
        option(7, "where", channel_types=[0, 5, 15]),
        option(11, "file", file_types=["image", ".pdf"]),
        *(option(kind, f"plain{kind}") for kind in (5, 6, 8, 9)),
    ]
    assert read(*given) == given


def test_groups_and_subcommands_are_kept() -> None:
    given = [
        option(2, "user", options=[option(1, "get", options=[option(6, "who", required=True)])]),
        option(1, "list"),
    ]
    assert read(*given) == given


def test_values_that_say_nothing_are_left_out() -> None:
    empty = option(
        3,
        required=False,
        autocomplete=False,
        choices=[],
        name_localizations=None,
        description_localizations={},
        min_length=None,
    )
    assert read(empty) == [option(3)]


def test_fields_of_other_types_are_left_out() -> None:
    assert read(option(5, min_length=3, choices=[{"name": "x", "value": "x"}])) == [option(5)]


WRONG: dict[str, tuple[list[Any], dict[str, str]]] = {
    "no object": ([5], {"0": "MODEL_TYPE_CONVERT"}),
    "no type": ([{"name": "x"}], {"0.type": "BASE_TYPE_REQUIRED"}),
    "unknown type": ([option(12)], {"0.type": "BASE_TYPE_CHOICES"}),
    "no name": ([{"type": 3, "description": "x"}], {"0.name": "BASE_TYPE_REQUIRED"}),
    "capitals": ([option(name="Word")], {"0.name": "APPLICATION_COMMAND_INVALID_NAME"}),
    "long name": ([option(name="x" * 33)], {"0.name": "BASE_TYPE_BAD_LENGTH"}),
    "no description": ([{"type": 3, "name": "x"}], {"0.description": "BASE_TYPE_REQUIRED"}),
    "empty description": (
        [{**option(), "description": ""}],
        {"0.description": "BASE_TYPE_BAD_LENGTH"},
    ),
    "NUL": ([{**option(), "description": "a\0"}], {"0.description": "BASE_TYPE_INVALID"}),
    "name twice": (
        [option(), option(4)],
        {"1": "APPLICATION_COMMAND_OPTIONS_NAME_INVALID"},
    ),
    "translation twice": (
        [
            option(name="a", name_localizations={"de": "x"}),
            option(name="b", name_localizations={"de": "x"}),
        ],
        {"1": "APPLICATION_COMMAND_OPTIONS_NAME_INVALID"},
    ),
    "translation is another name": (
        [option(name="a"), option(name="b", name_localizations={"de": "a"})],
        {"1": "APPLICATION_COMMAND_OPTIONS_NAME_INVALID"},
    ),
    "required after optional": (
        [option(name="a"), option(name="b", required=True)],
        {"1": "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID"},
    ),
    "subcommand beside a value": (
        [option(1, "a"), option(3, "b")],
        {"1": "APPLICATION_COMMAND_OPTIONS_TYPE_INVALID"},
    ),
    "group in a group": (
        [option(2, options=[option(2)])],
        {"0.options.0.type": "BASE_TYPE_CHOICES"},
    ),
    "subcommand in a subcommand": (
        [option(1, options=[option(1)])],
        {"0.options.0.type": "BASE_TYPE_CHOICES"},
    ),
    "26 options": (
        [option(name=f"n{n}") for n in range(26)],
        {"": "BASE_TYPE_MAX_LENGTH"},
    ),
    "26 choices": (
        [option(choices=[{"name": f"{n}", "value": "x"} for n in range(26)])],
        {"0.choices": "BASE_TYPE_MAX_LENGTH"},
    ),
    "choice of another type": (
        [option(4, choices=[{"name": "x", "value": "1"}])],
        {"0.choices.0.value": "NUMBER_TYPE_COERCE"},
    ),
    "choice without value": (
        [option(10, choices=[{"name": "x"}])],
        {"0.choices.0.value": "BASE_TYPE_REQUIRED"},
    ),
    "choice name twice": (
        [option(choices=[{"name": "x", "value": "1"}, {"name": "x", "value": "2"}])],
        {"0.choices.1": "APPLICATION_COMMAND_OPTIONS_CHOICE_NAME_ALREADY_EXISTS"},
    ),
    "choices with autocomplete": (
        [option(autocomplete=True, choices=[{"name": "x", "value": "1"}])],
        {"0.choices": "APPLICATION_COMMAND_OPTIONS_CHOICES_INVALID"},
    ),
    "bounds": ([option(4, min_value=2, max_value=1)], {"0.min_value": "NUMBER_TYPE_RANGE"}),
    "large integer": ([option(4, max_value=2**53)], {"0.max_value": "NUMBER_TYPE_RANGE"}),
    "fraction": ([option(4, max_value=1.5)], {"0.max_value": "NUMBER_TYPE_COERCE"}),
    "large number": ([option(10, max_value=1e300)], {"0.max_value": "NUMBER_TYPE_COERCE"}),
    "no length": ([option(max_length=0)], {"0.max_length": "NUMBER_TYPE_RANGE"}),
    "channel type": ([option(7, channel_types=[99])], {"0.channel_types.0": "BASE_TYPE_CHOICES"}),
    "channel type twice": (
        [option(7, channel_types=[0, 0])],
        {"0.channel_types": "BASE_TYPE_INVALID"},
    ),
    "file type": ([option(11, file_types=["pdf"])], {"0.file_types.0": "BASE_TYPE_CHOICES"}),
    "locale": (
        [option(name_localizations={"en": "word"})],
        {"0.name_localizations.en": "ENUM_TYPE_COERCE"},
    ),
    "flag": ([option(required="yes")], {"0.required": "BASE_TYPE_BAD_TYPE"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_options_are_refused_with_their_paths(name: str) -> None:
    options, codes = WRONG[name]
    assert refused(*options) == codes


def test_command_has_at_most_8000_characters() -> None:
    """Of a text with translations, the longest counts; values of choices count too."""
    choices = [{"name": f"{n:03}", "value": "v" * 297} for n in range(25)]  # 7,500
    fitting = option(name="a", choices=choices, name_localizations={"de": "d" * 30, "fr": "f" * 9})
    about = {"type": 3, "name": "b", "description": "x" * 100}
    more = {"description_localizations": {"de": "y" * 100}}
    assert len(read(fitting, {**about, **more})) == 2
    too_many = [{**about, "name": f"c{n}"} for n in range(5)]
    assert refused(fitting, *too_many) == {"": "APPLICATION_COMMAND_TOO_LARGE"}


def test_size_is_an_error_of_the_command() -> None:
    choices = [{"name": f"{n:03}", "value": "v" * 397} for n in range(25)]
    with pytest.raises(InvalidForm) as raised:
        read(option(choices=choices))
    assert list(raised.value.errors) == ["_errors"]


def largest() -> dict[str, list[Any]]:
    """Return the options that take the longest to read, as far as a body can contain them."""
    translated = dict.fromkeys(LOCALES, "x")
    choices = [
        {"name": f"{n}", "value": f"{n}", "name_localizations": dict.fromkeys(LOCALES, f"{n}")}
        for n in range(25)
    ]
    values = [option(5, f"c{n}") for n in range(25)]
    subs = [option(1, f"b{n}", options=values) for n in range(25)]
    return {
        "choices": [option(3, f"a{n}", choices=choices) for n in range(25)],
        "levels": [option(2, f"a{n}", options=subs) for n in range(25)],
        "translations": [
            option(5, f"a{n}", description_localizations=translated) for n in range(25)
        ],
        "errors": [option(2, f"a{n}", options=[{}] * 25) for n in range(25)],
        "names": [
            option(2, f"a{n}", options=[option(1, "x")] * 25, description="y") for n in range(25)
        ],
    }


@pytest.mark.parametrize("name", largest())
def test_reading_the_largest_options_does_not_block_the_loop(name: str) -> None:
    body = {"name": "ping", "description": "Ping", "options": largest()[name]}
    taken = []
    for _ in range(TRIES):
        began = time.thread_time()
        try:
            SCHEMA.read(body)
        except InvalidForm as invalid:
            assert len(orjson.dumps(invalid.body())) < 2**15
        taken.append(time.thread_time() - began)
    assert min(taken) < MOST_S


JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-10, 10), st.floats(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["name", "type", "value", "de", "x"]), inner, max_size=3),
    ),
    max_leaves=6,
)
ANY_OPTION = st.fixed_dictionaries(
    {},
    optional={
        "type": st.one_of(st.sampled_from(OptionType), JSON),
        "name": st.one_of(st.sampled_from(["a", "b", "B"]), JSON),
        "description": st.one_of(st.just("x"), JSON),
        "name_localizations": JSON,
        "required": st.one_of(st.booleans(), JSON),
        "choices": st.one_of(
            st.lists(st.fixed_dictionaries({"name": st.text(), "value": JSON}), max_size=3), JSON
        ),
        "min_value": JSON,
        "max_length": JSON,
        "channel_types": JSON,
        "file_types": JSON,
        "autocomplete": JSON,
        "options": JSON,
    },
)


@given(st.lists(ANY_OPTION, max_size=3))
def test_options_are_refused_or_read_back_unchanged(options: list[Any]) -> None:
    body = {"name": "ping", "description": "Ping", "options": options}
    try:
        found = SCHEMA.read(body).options
    except InvalidForm as invalid:
        assert invalid.errors
    else:
        assert read(*found.parsed) == found.parsed
