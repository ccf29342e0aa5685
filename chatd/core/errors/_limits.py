"""Errors about limits of how many objects there may be."""

from __future__ import annotations

from chatd.core.errors._base import ApiError, InvalidForm


class TooManyGuilds(ApiError):
    code, message = 30001, "Maximum number of guilds reached (200)"


class TooManyApplications(ApiError):
    code, message = 0, "Maximum number of applications reached (25)"


class TooManyIntegrations(ApiError):
    """A guild has too many applications. Discord has no code for it."""

    code, message = 0, "Maximum number of integrations reached (50)"


class TooManyUserIntegrations(ApiError):
    """A person has added too many applications. Discord has no code for it."""

    code, message = 0, "Maximum number of applications of an account reached (100)"


class TooManyReports(ApiError):
    """A person has too many open reports. Discord has no code for it."""

    code, message = 0, "Maximum number of open reports reached (100)"


class TooManyPins(ApiError):
    code, message = 30003, "Maximum number of pins reached for the channel (250)"


class TooManyWebhooks(ApiError):
    code, message = 30007, "Maximum number of webhooks reached (15)"


class TooManyGuildWebhooks(ApiError):
    code, message = 30058, "Maximum number of webhooks per guild reached (1000)"


class TooManyReactions(ApiError):
    code, message = 30010, "Maximum number of reactions reached (20)"


class TooManyRoles(ApiError):
    code, message = 30005, "Maximum number of guild roles reached (250)"


class TooManyChannels(ApiError):
    code, message = 30013, "Maximum number of guild channels reached (500)"


class TooManyInvites(ApiError):
    code, message = 30016, "Maximum number of invites reached (1000)"


class TooManyOverwrites(ApiError):
    code, message = 30060, "Maximum number of channel permission overwrites reached (1000)"


class TooManyGuildOverwrites(TooManyOverwrites):
    """All channels of a guild together have too many. Discord limits only each channel."""

    def __init__(self, limit: int) -> None:
        text = f"Maximum number of permission overwrites in a guild reached ({limit})"
        super().__init__(text)


class TooManyCommands(ApiError):
    """An application has too many commands of one type in a scope."""

    code = 30032

    def __init__(self, limit: int) -> None:
        super().__init__(f"Maximum number of application commands reached ({limit})")


class TooManyCommandsCreated(ApiError):
    code = 30034
    message = "Max number of daily application command creates has been reached (200)"


class TooManyCommandPermissions(ApiError):
    """All commands in a guild together have too many overwrites. Discord limits only each command.

    The code is that for overwrites of channels.
    """

    code = 30060

    def __init__(self, limit: int) -> None:
        text = f"Maximum number of command permissions in a guild reached ({limit})"
        super().__init__(text)


class DuplicateCommandName(ApiError):
    code, message = 40041, "An application command with that name already exists"


class TooManyGroups(ApiError):
    code, message = 30011, "Maximum number of group DMs reached (100)"


class TooManyRecipients(ApiError):
    code, message = 30004, "Maximum number of recipients reached (10)"


class TooManyReservedUploads(ApiError):
    code, message = 30015, "Maximum number of uploads without a message reached (100)"


class TooManyAttachments(ApiError):
    code, message = 30015, "Maximum number of attachments in a message reached (10)"


class TooMuchStored(InvalidForm):
    """The files of an account would exceed its storage quota."""

    def __init__(self, limit: int) -> None:
        text = (
            f"Your files may take {limit // 2**20} MiB in all."
            " Delete messages with files to make room."
        )
        super().__init__(
            {"attachments": {"_errors": [{"code": "STORAGE_LIMIT_REACHED", "message": text}]}}
        )
