"""How the Python that runs chatd was built: its speed depends on that by a fifth."""

from __future__ import annotations

import platform
import sys
import sysconfig

_DISTRIBUTION_PREFIX = "/usr"
"""Python of a Linux distribution is below it."""

_WITHOUT_PGO = "built without PGO"


def build() -> str:
    """Return how the interpreter was built, for people: "built with PGO and LTO", and so on."""
    options = str(sysconfig.get_config_var("CONFIG_ARGS") or "")
    if "--enable-optimizations" in options:
        return "built with PGO and LTO" if "--with-lto" in options else "built with PGO"
    if _is_of_debian():
        return "the distribution's, which is built with PGO"
    return _WITHOUT_PGO


def is_optimised() -> bool:
    """Return whether the interpreter was built with profile-guided optimisation (PGO)."""
    return build() != _WITHOUT_PGO


def _is_of_debian() -> bool:
    """Return whether it is the Python of Debian or of a distribution that is derived from it.

    They build it with PGO, but do not say so in the configuration of the build.
    """
    if sys.base_prefix != _DISTRIBUTION_PREFIX:
        return False
    try:
        release = platform.freedesktop_os_release()
    except OSError:  # there is no such file
        return False
    return "debian" in (release.get("ID", ""), *release.get("ID_LIKE", "").split())
