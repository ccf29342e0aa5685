"""The keys of texts, from SQL, match the keys of search terms, from Python."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg2
import psycopg2.extensions
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatd.config import Config
from chatd.core.search import text_keys
from tests.helpers.examples import examples

letters = st.sampled_from("aAbcß ΣςéＡﬁ猫犬한글の\t\n\u3000\u2028%_\\\"'") | st.characters(
    codec="utf-8", exclude_characters="\0"
)


@pytest.fixture(scope="module")
def sql(config: Config) -> Iterator[psycopg2.extensions.cursor]:
    connection = psycopg2.connect(config.database_url)
    connection.autocommit = True
    with connection.cursor() as cur:
        yield cur
    connection.close()


@settings(
    max_examples=examples(300),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.text(letters, min_size=1, max_size=200), st.data())
def test_text_has_the_keys_of_all_its_substrings(
    sql: psycopg2.extensions.cursor, text: str, data: st.DataObject
) -> None:
    sql.execute(
        "SELECT search_text(%s), ARRAY (SELECT search_grams(search_text(%s)))", (text, text)
    )
    [(normal, grams)] = sql.fetchall()
    start = data.draw(st.integers(0, len(normal)))
    part = normal[start : data.draw(st.integers(start, len(normal)))]
    for wanted in text_keys([part]):
        assert any(wanted.low <= gram <= wanted.high for gram in grams)
    assert all(1 <= len(gram) <= 3 and " " not in gram for gram in grams)


@settings(max_examples=examples(200), deadline=None)
@given(st.text(letters, max_size=60))
def test_normalization_is_idempotent_and_removes_white_space(
    sql: psycopg2.extensions.cursor, text: str
) -> None:
    sql.execute("SELECT search_text(%s), search_text(search_text(%s))", (text, text))
    [(once, twice)] = sql.fetchall()
    assert once == twice
    assert not set(once) & set("\t\n\v\f\r\u0085\u00a0\u1680\u2028\u2029\u3000")


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("Hello", "hELLO"),
        ("STRASSE", "straße"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("ＡＢＣ　１２", "abc 12"),
        ("ﬁne", "fine"),
        ("cafe\u0301", "caf\u00e9"),
        ("ｶﾞ", "ガ"),
        ("\u1112\u1161\u11ab", "한"),
    ],
)
def test_spellings_of_a_text_have_one_normal_form(
    sql: psycopg2.extensions.cursor, text: str, other: str
) -> None:
    sql.execute("SELECT search_text(%s), search_text(%s)", (text, other))
    [(one, two)] = sql.fetchall()
    assert one == two
