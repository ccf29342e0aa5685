"""Refusals: what a client is told when the answer is no.

Codes and statuses are Discord's (docs, Topics, "Opcodes and Status Codes"). A refusal is raised by
a service and rendered once at the edge; its text reaches the client.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar

FieldErrors = dict[str, Any]
"""Mirrors the request; a leaf is {"_errors": [{"code": str, "message": str}]}."""


class Refusal(Exception):
    """The base of all refusals. `status` is that of HTTP, `code` Discord's."""

    status: ClassVar[int] = 400
    code: ClassVar[int] = 0
    message: ClassVar[str] = "Bad request"

    def __init__(self, message: str | None = None) -> None:
        self.text = message or self.message
        super().__init__(self.text)

    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        return {"code": self.code, "message": self.text}

    def headers(self) -> dict[str, str]:
        """What the answer's head says besides."""
        return {}


class Unauthorized(Refusal):
    """Nobody we know: the token is missing, malformed, expired or revoked."""

    status, code, message = 401, 0, "401: Unauthorized"


class Busy(Refusal):
    """The server cannot take this on now; the same request may work a moment later."""

    status, code, message = 503, 0, "The server is busy; try again in a moment."

    def headers(self) -> dict[str, str]:
        return {"Retry-After": "1"}


class RateLimited(Refusal):
    """Too much in too short a time. `retry_after_s` is how long it goes on.

    The shape is Discord's (docs, Topics, "Rate Limits"); its clients take a 429 without Via for one
    of a proxy's, and without Limit and Remaining some of them fail.
    """

    status, message = 429, "You are being rate limited."

    def __init__(
        self, retry_after_s: float, headers: dict[str, str], *, is_global: bool = False
    ) -> None:
        super().__init__()
        self.retry_after_s = math.ceil(max(retry_after_s, 0.001) * 1000) / 1000
        self.is_global = is_global
        self._headers = headers

    def body(self) -> dict[str, Any]:
        return {
            "message": self.text,
            "retry_after": self.retry_after_s,
            "global": self.is_global,
        }

    def headers(self) -> dict[str, str]:
        headers = {
            **self._headers,
            "Retry-After": str(math.ceil(self.retry_after_s)),  # RFC 9110: whole seconds
            "X-RateLimit-Scope": "global" if self.is_global else "user",
            "Via": "1.1 chatd",
        }
        if self.is_global:
            headers["X-RateLimit-Global"] = "true"
        return headers


class TooManySockets(RateLimited):
    """An address has as many gateway connections as it may have, or has misused too many."""

    message = "Too many connections from your address."

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(retry_after_s, {})


class DatabaseAway(Busy):
    """Postgres does not answer."""

    message = "The database is away; try again in a moment."


class RequestTooLarge(Refusal):
    status, code, message = 413, 40005, "Request entity too large"


class UnsupportedEncoding(Refusal):
    status, code, message = 415, 0, "Send the body without a Content-Encoding."


class RequestTimeout(Refusal):
    status, code, message = 408, 0, "The request did not arrive in time."


class BrokenBody(Refusal):
    code, message = 0, "The body of the request is broken."


class InvalidJson(Refusal):
    code, message = 50109, "The request body contains invalid JSON."


class InvalidForm(Refusal):
    """Fields of the request that cannot be accepted, each with its reasons."""

    code, message = 50035, "Invalid Form Body"

    def __init__(self, errors: FieldErrors) -> None:
        super().__init__()
        self.errors = errors

    @classmethod
    def of(cls, field: str, code: str, message: str) -> InvalidForm:
        """A refusal of one field."""
        return cls({field: {"_errors": [{"code": code, "message": message}]}})

    def body(self) -> dict[str, Any]:
        return {**super().body(), "errors": self.errors}


class UnknownApplication(Refusal):
    status, code, message = 404, 10002, "Unknown Application"


class UnknownChannel(Refusal):
    status, code, message = 404, 10003, "Unknown Channel"


class UnknownGuild(Refusal):
    status, code, message = 404, 10004, "Unknown Guild"


class UnknownInvite(Refusal):
    status, code, message = 404, 10006, "Unknown Invite"


class UnknownInvitation(Refusal):
    """No code of an administrator's to register with; not an invite to a guild."""

    status, code, message = 404, 10006, "Unknown Invitation"


class UnknownMember(Refusal):
    status, code, message = 404, 10007, "Unknown Member"


class UnknownMessage(Refusal):
    status, code, message = 404, 10008, "Unknown Message"


class UnknownOverwrite(Refusal):
    status, code, message = 404, 10009, "Unknown Permission Overwrite"


class UnknownRole(Refusal):
    status, code, message = 404, 10011, "Unknown Role"


class UnknownUser(Refusal):
    status, code, message = 404, 10013, "Unknown User"


class UnknownSession(Refusal):
    """No login of the caller's goes by this name."""

    status, code, message = 404, 10020, "Unknown session"


class UnknownEmoji(Refusal):
    status, code, message = 404, 10014, "Unknown Emoji"


class UnknownFile(Refusal):
    status, code, message = 404, 0, "This content is no longer available."


class UnknownBan(Refusal):
    status, code, message = 404, 10026, "Unknown Ban"


class NotForBots(Refusal):
    status, code, message = 403, 20001, "Bots cannot use this endpoint"


class OnlyForBots(Refusal):
    status, code, message = 403, 20002, "Only bots can use this endpoint"


class AccountDisabled(Refusal):
    """Told only to whoever has shown that it knows the password."""

    status, code, message = 403, 20013, "This account has been disabled"


class RegistrationClosed(Refusal):
    """Discord has nothing like it, and so no code."""

    status, message = 403, "Registration is closed on this server."


class TooManyGuilds(Refusal):
    code, message = 30001, "Maximum number of guilds reached (200)"


class TooManyApplications(Refusal):
    code, message = 0, "Maximum number of applications reached (25)"


class TooManyPins(Refusal):
    code, message = 30003, "Maximum number of pins reached for the channel (250)"


class TooManyReactions(Refusal):
    code, message = 30010, "Maximum number of reactions reached (20)"


class TooManyRoles(Refusal):
    code, message = 30005, "Maximum number of guild roles reached (250)"


class TooManyChannels(Refusal):
    code, message = 30013, "Maximum number of guild channels reached (500)"


class TooManyInvites(Refusal):
    code, message = 30016, "Maximum number of invites reached (1000)"


class TooManyOverwrites(Refusal):
    code, message = 30060, "Maximum number of channel permission overwrites reached (1000)"


class TooManyRecipients(Refusal):
    code, message = 30004, "Maximum number of recipients reached (10)"


class TooManyAttachments(Refusal):
    code, message = 30015, "Maximum number of attachments in a message reached (10)"


class SlowedDown(Refusal):
    """Slow mode: the author has to wait. `retry_after_s` says how long, in seconds."""

    status, code, message = (
        429,
        20016,
        "This action cannot be performed due to slowmode rate limit",
    )

    def __init__(self, retry_after_s: float) -> None:
        super().__init__()
        self.retry_after_s = max(round(retry_after_s, 3), 0.001)

    def body(self) -> dict[str, Any]:
        return {**super().body(), "retry_after": self.retry_after_s}

    def headers(self) -> dict[str, str]:
        # Without Via the discord.py family takes a 429 for a ban (discord-wire.md, trap 2).
        return {
            "Retry-After": str(math.ceil(self.retry_after_s)),
            "Via": "1.1 chatd",
            "X-RateLimit-Scope": "user",
            "X-RateLimit-Limit": "1",
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset-After": str(self.retry_after_s),
        }


class UserBanned(Refusal):
    status, code, message = 403, 40007, "The user is banned from this guild."


class MissingAccess(Refusal):
    status, code, message = 403, 50001, "Missing Access"


class NotInPrivate(Refusal):
    status, code, message = 403, 50003, "Cannot execute action on a DM channel"


class CannotEditAnothersMessage(Refusal):
    status, code, message = 403, 50005, "Cannot edit a message authored by another user"


class EmptyMessage(Refusal):
    code, message = 50006, "Cannot send an empty message"


class NotATextChannel(Refusal):
    code, message = 50008, "Cannot send messages in a non-text channel"


class CannotSendToUser(Refusal):
    status, code, message = 403, 50007, "Cannot send messages to this user"


class WrongChannelType(Refusal):
    code, message = 50024, "Cannot execute action on this channel type"


class InvalidRecipient(Refusal):
    code, message = 50033, "Invalid Recipient(s)"


class MissingPermissions(Refusal):
    status, code, message = 403, 50013, "You lack permissions to perform that action"


class WrongBulkDelete(Refusal):
    code, message = (
        50016,
        "Provided too few or too many messages to delete. Must provide at least 2 and fewer"
        " than 100 messages to delete.",
    )


class TooOldForBulkDelete(Refusal):
    code, message = 50034, "You can only bulk delete messages that are under 14 days old."


class NobodyBanned(Refusal):
    """Of many who were to be banned, not one could be."""

    code, message = 500000, "Failed to ban users"


class InvalidConsent(Refusal):
    """Somebody is to join a guild who has not said so; Discord takes an OAuth2 token for that."""

    status, code, message = 403, 50025, "Invalid OAuth2 access token provided"


class InvalidRole(Refusal):
    code, message = 50028, "Invalid role"


class SystemMessage(Refusal):
    status, code, message = 403, 50021, "Cannot execute action on a system message"


class OwnerCannotLeave(Refusal):
    code, message = 50055, "The owner of a guild cannot leave it; transfer or delete it first."


class OwnsApplications(Refusal):
    code, message = 0, "You own applications; delete them first."


class OwnsGuilds(Refusal):
    code, message = 50055, "You own guilds; transfer or delete them first."
