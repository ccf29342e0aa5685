"""Calls of all functions of `chatd.queries` that change or delete rows, by subject.

Each has an entry: how it is called, and which rows of the scene it may touch.
"""

from __future__ import annotations

from tests.queries.acts import accounts, applications, guilds, messages, upkeep

ACTS = [*accounts.ACTS, *applications.ACTS, *guilds.ACTS, *messages.ACTS, *upkeep.ACTS]
