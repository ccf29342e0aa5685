"""When Python looks for garbage in cycles, which stops everything for as long as it takes.

What chatd makes for a request is freed by counting references; cycles are few. But what sessions
may have to replay is kept by the ten thousand, and by default Python looks through the young of it
after every 700 objects, and through all there is again and again: a quarter of the time of a busy
server went there.
"""

from __future__ import annotations

import gc

_YOUNG = 10_000  # objects more than before, and the young are looked through: half a millisecond
_MIDDLE = 4  # such times, and those that have survived it are
_OLD = 100  # times of those, and everything is


def collect_less() -> None:
    """Look seldom from now on, and never again at what is there by now: modules, routes, schemas.

    For a process that serves. Called once, when it is ready.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
