"""Calls of all functions of `chatd.queries` that change or delete rows, by subject.

Each has an entry: how it is called, and which rows of the scene it may touch.
"""

from __future__ import annotations

from tests.queries.acts import (
    accounts,
    applications,
    guilds,
    imports,
    mails,
    messages,
    registrations,
    reports,
    retention,
    second_factors,
    sign_on,
    upkeep,
    user_exports,
)

ACTS = [
    *accounts.ACTS,
    *applications.ACTS,
    *guilds.ACTS,
    *imports.ACTS,
    *mails.ACTS,
    *messages.ACTS,
    *registrations.ACTS,
    *reports.ACTS,
    *retention.ACTS,
    *second_factors.ACTS,
    *sign_on.ACTS,
    *upkeep.ACTS,
    *user_exports.ACTS,
]
