"""How old interactions are. Their ids contain the time of their creation."""

from __future__ import annotations

from datetime import UTC, datetime

from chatd.core import snowflake
from chatd.core.interactions import Interaction


def age_s(interaction: Interaction) -> float:
    """Return how many seconds ago an interaction was created."""
    return (datetime.now(UTC) - snowflake.created_at(interaction.id)).total_seconds()
