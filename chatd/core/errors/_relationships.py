"""Errors about friends, friend requests and blocks."""

from __future__ import annotations

from chatd.core.errors._base import ApiError


class TooManyFriends(ApiError):
    code, message = 30002, "Maximum number of friends reached (1000)"


class TooManyFriendRequests(ApiError):
    """Too many pending requests. Discord counts them as friends, with the same code."""

    code, message = 30002, "Maximum number of pending friend requests reached (200)"


class TooManyBlocks(ApiError):
    """Too many blocked users. Discord has no code for it."""

    code, message = 0, "Maximum number of blocked users reached (1000)"


class FriendRequestsDisabled(ApiError):
    """The recipient accepts no requests from the sender.

    Blocked senders get the same error, so that they do not learn of the block.
    """

    code, message = 80000, "Incoming friend requests disabled"


class FriendRequestBlocked(ApiError):
    """The sender has blocked the recipient."""

    code, message = 80001, "Friend request blocked"


class BotsHaveNoFriends(ApiError):
    code, message = 80002, "Bots cannot have friends"


class CannotBefriendSelf(ApiError):
    code, message = 80003, "Cannot send friend request to self"


class UnknownTag(ApiError):
    code, message = 80004, "No users with DiscordTag exist"


class AlreadyFriends(ApiError):
    code, message = 80007, "You are already friends with that user"


class NotFriends(ApiError):
    """Only a friend can have a nickname. Discord has no code for it."""

    status, code, message = 404, 0, "You are not friends with this user."
