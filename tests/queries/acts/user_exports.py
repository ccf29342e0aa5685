"""Exports of accounts."""

from __future__ import annotations

from chatd.core.ids import ExportId
from chatd.queries import user_exports
from tests.queries.acts.act import USER, act

OWN = {"user_id": USER}
EXPORT = ExportId(9000 + USER)

ACTS = [
    act(user_exports.delete, lambda cur: user_exports.delete(cur, USER), user_exports=OWN),
    act(
        user_exports.take,
        lambda cur: user_exports.take(cur, lease_s=60, attempts=3),
        user_exports=[{"user_id": 1}, {"user_id": 3}],  # too many attempts, and the oldest
    ),
    act(
        user_exports.extend,
        lambda cur: user_exports.extend(cur, EXPORT, lease_s=60),
        user_exports=OWN,
    ),
    act(
        user_exports.finish,
        lambda cur: user_exports.finish(cur, EXPORT, 1),
        user_exports=OWN,
    ),
    act(
        user_exports.delete_expired,
        lambda cur: user_exports.delete_expired(cur, limit=9),
        user_exports={"user_id": 4},
    ),
]
