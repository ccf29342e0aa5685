"""Errors about objects that do not exist, or that the caller may not know."""

from __future__ import annotations

from chatd.core.errors._base import ApiError


class UnknownSettingsType(ApiError):
    status, code, message = 404, 0, "404: Not Found"


class UnknownApplication(ApiError):
    status, code, message = 404, 10002, "Unknown Application"


class UnknownChannel(ApiError):
    status, code, message = 404, 10003, "Unknown Channel"


class UnknownGuild(ApiError):
    status, code, message = 404, 10004, "Unknown Guild"


class UnknownIntegration(ApiError):
    status, code, message = 404, 10005, "Unknown Integration"


class UnknownInvite(ApiError):
    status, code, message = 404, 10006, "Unknown Invite"


class UnknownInvitation(ApiError):
    """No such invitation to register. Invites to guilds are UnknownInvite."""

    status, code, message = 404, 10006, "Unknown Invitation"


class UnknownRegistration(ApiError):
    """The account does not wait for approval. The code is that of an unknown account."""

    status, code, message = 404, 10001, "This account does not wait for approval"


class UnknownReport(ApiError):
    """Discord has no code for it."""

    status, code, message = 404, 10000, "Unknown Report"


class UnknownMember(ApiError):
    status, code, message = 404, 10007, "Unknown Member"


class UnknownMessage(ApiError):
    status, code, message = 404, 10008, "Unknown Message"


class UnknownOverwrite(ApiError):
    status, code, message = 404, 10009, "Unknown Permission Overwrite"


class UnknownRole(ApiError):
    status, code, message = 404, 10011, "Unknown Role"


class UnknownUser(ApiError):
    status, code, message = 404, 10013, "Unknown User"


class UnknownSession(ApiError):
    """The caller has no login with this hash."""

    status, code, message = 404, 10020, "Unknown session"


class UnknownEmoji(ApiError):
    status, code, message = 404, 10014, "Unknown Emoji"


class UnknownAuthorization(ApiError):
    """The caller has not added this application. Discord's code is that of unknown tokens."""

    status, code, message = 404, 10012, "Unknown token"


class UnknownFile(ApiError):
    status, code, message = 404, 0, "This content is no longer available."


class UnknownWebhook(ApiError):
    status, code, message = 404, 10015, "Unknown Webhook"


class UnknownBan(ApiError):
    status, code, message = 404, 10026, "Unknown Ban"


class UnknownAutoModRule(ApiError):
    """The guild has no such rule of AutoModeration. Discord documents no code for it."""

    status, code, message = 404, 0, "Unknown auto moderation rule"


class UnknownCommand(ApiError):
    status, code, message = 404, 10063, "Unknown application command"


class UnknownCommandPermissions(ApiError):
    status, code, message = 404, 10066, "Unknown application command permissions"


class UnknownInteraction(ApiError):
    """There is no such interaction, or its application was too late."""

    status, code, message = 404, 10062, "Unknown interaction"
