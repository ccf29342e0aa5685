"""Errors about what the caller may not do, or what an object does not allow."""

from __future__ import annotations

import math
from typing import Any

from chatd.core.errors._base import ApiError, Unauthorized


class NotForBots(ApiError):
    status, code, message = 403, 20001, "Bots cannot use this endpoint"


class OnlyForBots(ApiError):
    status, code, message = 403, 20002, "Only bots can use this endpoint"


class ForeignApplication(ApiError):
    """The application belongs to another account than the caller's."""

    status, code = 403, 20012
    message = "You are not authorized to perform this action on this application"


class AccountDisabled(ApiError):
    """The account is disabled. Sent only after the password was verified."""

    status, code, message = 403, 20013, "This account has been disabled"


class RegistrationBlocked(ApiError):
    """The server accepts no registration of this client. Discord has no code for it."""

    status, message = 403, "Registration is not possible from this network."


class RegistrationClosed(ApiError):
    """The server accepts no registrations. Discord has no code for it."""

    status, message = 403, "Registration is closed on this server."


class MailDisabled(ApiError):
    """The server sends no mail. Discord has no code for it."""

    status, message = 403, "This server sends no mail; ask its operator."


class AlreadyCrossposted(ApiError):
    code, message = 40033, "This message has already been crossposted"


class MessageBlocked(ApiError):
    """A rule of AutoModeration blocks the message. The text is that of the rule, if it has one."""

    code, message = 200000, "Message was blocked by automatic moderation"


class InvalidMessageType(ApiError):
    code, message = 50068, "Invalid message type"


class InteractionAcknowledged(ApiError):
    code, message = 40060, "Interaction has already been acknowledged."


class UserBanned(ApiError):
    status, code, message = 403, 40007, "The user is banned from this guild."


class MissingAccess(ApiError):
    status, code, message = 403, 50001, "Missing Access"


class NotInPrivate(ApiError):
    status, code, message = 403, 50003, "Cannot execute action on a DM channel"


class WidgetDisabled(ApiError):
    status, code, message = 403, 50004, "Widget Disabled"


class CannotEditAnothersMessage(ApiError):
    status, code, message = 403, 50005, "Cannot edit a message authored by another user"


class EmptyMessage(ApiError):
    code, message = 50006, "Cannot send an empty message"


class NotATextChannel(ApiError):
    code, message = 50008, "Cannot send messages in a non-text channel"


class CannotSendToUser(ApiError):
    status, code, message = 403, 50007, "Cannot send messages to this user"


class WrongChannelType(ApiError):
    code, message = 50024, "Cannot execute action on this channel type"


class InvalidRecipient(ApiError):
    code, message = 50033, "Invalid Recipient(s)"


class MissingPermissions(ApiError):
    status, code, message = 403, 50013, "You lack permissions to perform that action"


class WrongBulkDelete(ApiError):
    code, message = (
        50016,
        "Provided too few or too many messages to delete. Must provide at least 2 and fewer"
        " than 100 messages to delete.",
    )


class TooOldForBulkDelete(ApiError):
    code, message = 50034, "You can only bulk delete messages that are under 14 days old."


class BulkBanFailed(ApiError):
    """None of the users of a bulk ban could be banned."""

    code, message = 500000, "Failed to ban users"


class InvalidConsent(ApiError):
    """Only bots can be added to a guild. Discord adds users who authorize it by an OAuth2 token."""

    status, code, message = 403, 50025, "Invalid OAuth2 access token provided"


class InvalidWebhookToken(Unauthorized):
    """The token in the path is not that of the webhook, which need not exist."""

    status, code, message = 401, 50027, "Invalid Webhook Token"


class InvalidRole(ApiError):
    code, message = 50028, "Invalid role"


class SystemMessage(ApiError):
    status, code, message = 403, 50021, "Cannot execute action on a system message"


class OwnerCannotLeave(ApiError):
    code, message = 50055, "The owner of a guild cannot leave it; transfer or delete it first."


class OwnsApplications(ApiError):
    code, message = 0, "You own applications; delete them first."


class AlreadyResolved(ApiError):
    code, message = 0, "The report is resolved, or is being resolved"


class InvitesPaused(ApiError):
    """The guild accepts no members by invites. `retry_after_s` is None if that has no end yet."""

    status, code, message = 403, 40006, "Invites of this guild are paused."

    def __init__(self, retry_after_s: float | None = None) -> None:
        super().__init__()
        self._retry_after_s = None if retry_after_s is None else max(1, math.ceil(retry_after_s))

    def body(self) -> dict[str, Any]:
        found = super().body()
        if self._retry_after_s is None:
            return found
        return {**found, "retry_after": self._retry_after_s}

    def headers(self) -> dict[str, str]:
        found = super().headers()
        if self._retry_after_s is None:
            return found
        return {**found, "Retry-After": str(self._retry_after_s)}


class OwnsGuilds(ApiError):
    code, message = 50055, "You own guilds; transfer or delete them first."
