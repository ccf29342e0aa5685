"""A refused body is freed at once: nothing waits for the garbage collector."""

from __future__ import annotations

import weakref
from typing import Any

import pytest

from chatd.core.errors import InvalidForm
from chatd.wire.base_schema import Schema
from tests.helpers import loop_time
from tests.helpers.walk import walk
from tests.wire import worst
from tests.wire.schemas import OF_QUERIES, SCHEMAS

BODIES = [kind for kind in SCHEMAS if kind not in OF_QUERIES and kind().fields]


class _Body(dict[str, Any]):
    """A body that weak references can refer to."""


def _refuse(schema: Schema[Any], wrong: object) -> weakref.ref[_Body]:
    body = _Body(worst.wrong_object(schema, wrong))
    with pytest.raises(InvalidForm):
        schema.read(body)
    return weakref.ref(body)


@walk("kind", BODIES)
def test_refused_body_is_freed_without_the_garbage_collector(kind: type[Schema[Any]]) -> None:
    # The loop monitor of a server in this process reads the stack of a blocked loop, in another
    # thread: it holds the frames of one attempt, and not those of the next.
    with loop_time.no_collection():
        assert any(_refuse(kind(), [[]])() is None for _ in range(loop_time.TRIES))
