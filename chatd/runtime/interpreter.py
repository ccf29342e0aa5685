"""How the Python that runs chatd was built: its speed depends on that by a fifth."""

from __future__ import annotations

import sys
import sysconfig

_DISTRIBUTION_PREFIX = "/usr"
"""Python of a Linux distribution is below it. Debian, Ubuntu and Fedora build it with PGO, but
Debian does not say so in the configuration of the build."""


def build() -> str:
    """Return how the interpreter was built, for people: "built with PGO and LTO", and so on."""
    options = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    if "--enable-optimizations" in options:
        return "built with PGO and LTO" if "--with-lto" in options else "built with PGO"
    return "of the distribution" if _is_of_distribution() else "built without PGO"


def is_optimised() -> bool:
    """Return whether the interpreter was built with profile-guided optimisation (PGO)."""
    return build() != "built without PGO"


def _is_of_distribution() -> bool:
    return sys.base_prefix == _DISTRIBUTION_PREFIX
