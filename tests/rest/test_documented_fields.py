"""Request fields that Discord documents are supported or refused: none has status 2xx and no
effect.

`documented/fields.json` contains what Discord documents. The OpenAPI document of this server
contains what the schemas read. A field that is new in either must be supported, or listed in
`documented/refused.py`.
"""

from __future__ import annotations

import pytest

from tests.documented.operations import (
    DOCUMENTED,
    OPERATIONS,
    OURS,
    SHARED,
    above,
    marked,
)
from tests.documented.refused import LISTED, REFUSED_TYPES, REFUSED_VALUES


@pytest.mark.parametrize("operation", SHARED)
def test_documented_field_is_supported_or_refused(operation: str) -> None:
    query, body = OPERATIONS[SHARED[operation]]
    documented = DOCUMENTED[SHARED[operation]]
    for ours, theirs in ((query, documented.get("query", {})), (body, documented.get("body", {}))):
        for field, values in theirs.items():
            if marked(ours, field, "x-derived"):
                continue
            if marked(ours, field, "x-unsupported"):
                outermost = next(
                    each for each in above(field) if marked(ours, each, "x-unsupported")
                )
                assert (operation, outermost) in LISTED, f"{outermost} is refused without a reason"
                continue
            assert field in ours, f"{field} is documented, and neither done nor refused"
            accepted = OURS.values(ours[field])
            refused = REFUSED_VALUES.get((operation, field), [])
            missing = [each for each in values if accepted and each not in (*accepted, *refused)]
            assert missing == [], f"{field} has values that are neither done nor refused"


@pytest.mark.parametrize("operation", SHARED)
def test_documented_type_is_accepted(operation: str) -> None:
    _, body = OPERATIONS[SHARED[operation]]
    refused = {each for several in REFUSED_TYPES.values() for each in several}
    for field, types in DOCUMENTED[SHARED[operation]].get("types", {}).items():
        if field not in body or (operation, field.partition(".")[0]) in LISTED:
            continue
        if marked(body, field, "x-unsupported"):
            continue
        ours = OURS.types(body[field])
        for each in set(types) - ours if ours else ():
            if each == "number" and "integer" in ours:
                continue
            assert (operation, field, each) in refused, f"{field} may be {each}, and is refused"


def test_lists_contain_only_documented_fields() -> None:
    for operation, field in LISTED:
        documented = DOCUMENTED[SHARED[operation]]
        assert field in {**documented.get("query", {}), **documented.get("body", {})}
        assert any(marked(ours, field, "x-unsupported") for ours in OPERATIONS[SHARED[operation]])
