"""What tests of Protocol Buffers share."""

from __future__ import annotations

from hypothesis import strategies as st

from chatd.wire.protobuf.encoding import Budget
from chatd.wire.protobuf.settings import MAX_VALUES, SettingsType

PRELOADED, FRECENCY = SettingsType

TEXTS = st.text("a0 \0\u00e9\u20ac\U0001f600", max_size=8)


def budget(values: int = MAX_VALUES) -> Budget:
    """Return a budget for the values of a message."""
    return Budget(values)
