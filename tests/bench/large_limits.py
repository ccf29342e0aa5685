"""Run a Python module of chatd with rate limits that are on, but too large to be reached.

python -m tests.bench.large_limits MODULE ARGUMENTS...: so a measurement counts what the limits
cost, and no request is refused.
"""

from __future__ import annotations

import gc
import runpy
import sys
from importlib import import_module
from typing import Any

_FACTOR = 100_000

_ALLOWANCE = 10_000
"""Hits of a window that an instance grants before Redis knows them. No account may send more than
50 requests a second, so in production hardly one waits for Redis. The few accounts of a measurement
send a thousand, and would wait at each."""

_WAIVED_S = 1e9
"""Pauses that an account need not make: one account of a measurement does the work of many."""

_REPORTED_AFTER = 5
"""Hits after which a window is reported to Redis, as in production."""


def enlarge() -> None:
    """Enlarge the limits of the modules that the server consists of, and those they make later."""
    import_module("chatd.app")
    gc.unfreeze()  # what a forked process has from the one that imported chatd
    for name, module in list(sys.modules.items()):
        # By name: other versions have the class in another module.
        kind = getattr(module, "Limit", None) if name.startswith("chatd.") else None
        if isinstance(kind, type) and kind.__module__ == name:
            _enlarge(kind)
    for name, module in list(sys.modules.items()):
        if name.startswith("chatd.") and hasattr(module, "_WAIVED_S"):
            vars(module).update(_WAIVED_S=_WAIVED_S, MAX_CONCURRENCY=_ALLOWANCE)
            # Its default was taken when the class was defined.
            defaults = module.ConcurrencyLimiter.__init__.__kwdefaults__
            defaults.update(concurrency=_ALLOWANCE)


def _enlarge(kind: Any) -> None:
    made = kind.__init__

    def make(self: Any, requests: int, *others: Any, **named: Any) -> None:
        made(self, requests * _FACTOR, *others, **named)

    kind.__init__ = make
    if hasattr(kind, "local_allowance"):
        kind.local_allowance = property(lambda _: _ALLOWANCE)
        window = vars(sys.modules[kind.__module__])["Window"]
        window.should_report = property(lambda each: each._unconfirmed > _REPORTED_AFTER)
    for each in gc.get_objects():
        if isinstance(each, kind):
            object.__setattr__(each, "requests", each.requests * _FACTOR)


if __name__ == "__main__":
    enlarge()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
