"""Capabilities: the forms of payloads that a user client requests.

Discord does not document them; its clients send them in IDENTIFY, and their developers have written
them down. The bits that are missing here have no meaning on this server.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntFlag


class Capabilities(IntFlag):
    """What a client requests, one bit each."""

    LAZY_USER_NOTES = 1 << 0
    """READY has no notes about users."""
    VERSIONED_READ_STATES = 1 << 2
    """The read states of READY are an object with a version."""
    VERSIONED_USER_GUILD_SETTINGS = 1 << 3
    """The notification settings of READY are an object with a version."""
    DEDUPE_USER_OBJECTS = 1 << 4
    """READY lists users once, and refers to them by their ids."""
    PRIORITIZED_READY_PAYLOAD = 1 << 5
    """READY_SUPPLEMENTAL follows READY. Only together with DEDUPE_USER_OBJECTS."""
    NON_CHANNEL_READ_STATES = 1 << 7
    """Read states have a type, because they can be about more than channels."""
    CLIENT_STATE_V2 = 1 << 10
    """Guilds have their own settings under `properties`."""


KNOWN = int(sum(Capabilities))
"""The bits that have a meaning here."""


@dataclass(frozen=True, slots=True)
class UserClient:
    """A user client: a client of a person that sends capabilities in IDENTIFY, as Discord's do."""

    capabilities: Capabilities
    os: str
    """The operating system that it names, or "unknown"."""

    @property
    def dedupes(self) -> bool:
        """Whether READY lists users once."""
        return Capabilities.DEDUPE_USER_OBJECTS in self.capabilities

    @property
    def takes_notes(self) -> bool:
        """Whether READY contains the user's notes; other clients load them when they need one."""
        return Capabilities.LAZY_USER_NOTES not in self.capabilities

    @property
    def awaits_supplement(self) -> bool:
        """Whether READY_SUPPLEMENTAL follows READY."""
        wanted = Capabilities.PRIORITIZED_READY_PAYLOAD | Capabilities.DEDUPE_USER_OBJECTS
        return wanted in self.capabilities

    @property
    def wants_properties(self) -> bool:
        """Whether guilds have their own settings under `properties`."""
        return Capabilities.CLIENT_STATE_V2 in self.capabilities
