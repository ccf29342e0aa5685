"""How applications are installed: scopes, kinds of installation, and their defaults.

Rule: Discord docs, Application resource, "Installation Context" and "Install Params Object".
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import Any, Final


class IntegrationType(IntEnum):
    """Where an application is installed: in a guild, or for a user wherever the user is."""

    GUILD_INSTALL = 0
    USER_INSTALL = 1


class Scope(StrEnum):
    """What an application is authorized for. Discord has more scopes, for OAuth2 tokens."""

    BOT = "bot"
    COMMANDS = "applications.commands"


WITH_BOT: Final = (Scope.BOT, Scope.COMMANDS)
"""`bot` includes `applications.commands`. Rule: Discord docs, OAuth2, "OAuth2 Scopes"."""

COMMANDS_ONLY: Final = (Scope.COMMANDS,)


@dataclass(frozen=True, slots=True)
class InstallParams:
    """The scopes and permissions of an installation whose link names none."""

    scopes: tuple[Scope, ...]
    permissions: int

    def stored(self) -> dict[str, Any]:
        """Return the form in which it is stored."""
        return {"scopes": [*self.scopes], "permissions": self.permissions}

    @classmethod
    def read(cls, stored: Mapping[str, Any]) -> InstallParams:
        """Read the stored form."""
        return cls(tuple(map(Scope, stored["scopes"])), int(stored["permissions"]))


InstallConfig = Mapping[IntegrationType, InstallParams | None]
"""The kinds of installation that an application supports, each with its defaults, if any."""

DEFAULT_CONFIG: Final[InstallConfig] = {
    IntegrationType.GUILD_INSTALL: InstallParams(WITH_BOT, 0),
    IntegrationType.USER_INSTALL: InstallParams(COMMANDS_ONLY, 0),
}
"""The configuration of an application that has set none."""


def granted_scopes(wanted: Collection[Scope]) -> tuple[Scope, ...]:
    """Return the scopes that an authorization grants."""
    return WITH_BOT if Scope.BOT in wanted else COMMANDS_ONLY
