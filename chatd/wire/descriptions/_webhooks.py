"""Descriptions of the fields of single schemas, about webhooks and what other services send."""

from __future__ import annotations

from typing import Final

_PICTURE: Final = "The picture as a data URI (`data:image/png;base64,...`); null removes it."

_IGNORED: Final = "Not shown."

WEBHOOKS: Final[dict[str, dict[str, str]]] = {
    "Webhook": {
        "id": "The id of the webhook.",
        "type": "1 for an incoming webhook, 2 for one that follows an announcement channel, 3 for"
        " that of an application.",
        "name": "The name that its messages show.",
        "channel_id": "The channel that it sends to.",
        "guild_id": "The guild of the channel.",
        "application_id": "The application whose bot created it; null if a person did.",
        "user": "The user who created it.",
        "token": "The secret with which messages are sent. Only incoming webhooks have it, and"
        " those of a bot show it to that bot only.",
        "url": "The URL to send messages to; it contains the token.",
        "source_guild": "The guild of the channel that it follows.",
        "source_channel": "The channel that it follows.",
    },
    "NewWebhook": {
        "name": "The name that its messages show.",
        "avatar": "The picture as a data URI (`data:image/png;base64,...`).",
    },
    "WebhookChange": {
        "name": "The name that its messages show.",
        "avatar": _PICTURE,
        "channel_id": "The channel of the same guild that it moves to.",
    },
    "WebhookTokenChange": {"name": "The name that its messages show.", "avatar": _PICTURE},
    "WebhookSourceGuild": {
        "id": "The guild of the channel.",
        "name": "The name of the guild.",
    },
    "WebhookSourceChannel": {"id": "The channel.", "name": "The name of the channel."},
    "FollowedChannel": {
        "channel_id": "The announcement channel.",
        "webhook_id": "The webhook that sends its messages to the other channel.",
    },
    "NewWebhookMessage": {
        "flags": "4 hides embeds, 4096 sends no notifications, 32768 is for components only. An"
        " application can add 64: only the user of the interaction sees the message.",
        "username": "The name that the message shows instead of that of the webhook.",
        "avatar_url": "The picture that the message shows instead of that of the webhook. The"
        " server never requests it: the address of the avatar redirects to it.",
    },
    "NewFollower": {"webhook_channel_id": "The channel that follows."},
    "SlackMessage": {
        "text": "The text of the message.",
        "username": "The name that the message shows instead of that of the webhook.",
        "icon_url": "The picture that the message shows instead of that of the webhook.",
        "attachments": "The embeds of the message.",
    },
    "SlackAttachment": {
        "fallback": "The text to show if there is nothing else.",
        "color": "The color as `#rrggbb`, `#rgb`, `good`, `warning` or `danger`.",
        "pretext": "A text above the embed.",
        "author_name": "The first line of the embed.",
        "author_link": "The link of the first line.",
        "author_icon": "A small picture beside the first line.",
        "title": "The title.",
        "title_link": "The link of the title.",
        "text": "The text.",
        "fields": "Lines with a name.",
        "image_url": "A large picture.",
        "thumb_url": "A small picture.",
        "footer": "The last line of the embed.",
        "footer_icon": "A small picture beside the last line.",
        "ts": "A time, in seconds since 1970.",
    },
    "SlackField": {
        "title": "The name of the line.",
        "name": "The same as `title`.",
        "value": "The text of the line.",
        "short": "Whether lines are beside each other.",
        "inline": "The same as `short`.",
    },
    "GithubEvent": {
        "action": "What has happened.",
        "ref": "The branch or the tag.",
        "ref_type": "`branch` or `tag`.",
        "forced": "Whether the push has replaced commits.",
        "compare": "The page with all changes of a push.",
        "sender": "The user who caused the event.",
        "member": "The collaborator who was added.",
        "repository": "The repository.",
        "forkee": "The new repository of a fork.",
        "issue": "The issue.",
        "pull_request": "The pull request.",
        "comment": "The comment.",
        "answer": "The answer of a discussion.",
        "head_commit": "The newest commit.",
        "commits": "The commits of a push.",
        "release": "The release.",
        "review": "The review of a pull request.",
        "check_run": "The check.",
        "check_suite": "The checks of a commit.",
        "discussion": "The discussion.",
    },
    "GithubUser": {
        "id": _IGNORED,
        "login": "The name of the user.",
        "html_url": "The page of the user.",
        "avatar_url": "The picture of the user.",
    },
    "GithubRepository": {
        "id": _IGNORED,
        "name": "The name of the repository.",
        "full_name": "The name with that of its owner.",
        "html_url": "The page of the repository.",
    },
    "GithubComment": {
        "id": _IGNORED,
        "html_url": "The page of the comment.",
        "user": _IGNORED,
        "commit_id": "The commit that it is about.",
        "body": "The text.",
    },
    "GithubIssue": {
        "id": _IGNORED,
        "number": "The number.",
        "html_url": "The page.",
        "user": _IGNORED,
        "title": "The title.",
        "body": "The text.",
        "pull_request": "Marks an issue that is a pull request.",
    },
    "GithubAuthor": {"username": "The name of the user.", "name": "The name of the author."},
    "GithubCommit": {
        "id": "The id of the commit.",
        "url": "The page of the commit.",
        "message": "The message. Its first line is shown.",
        "author": "The author.",
    },
    "GithubRelease": {
        "id": _IGNORED,
        "tag_name": "The tag.",
        "name": "The name.",
        "body": "The text.",
        "html_url": "The page of the release.",
        "author": _IGNORED,
    },
    "GithubReview": {
        "user": _IGNORED,
        "body": "The text.",
        "html_url": "The page of the review.",
        "state": "`approved`, `changes_requested` or `commented`.",
    },
    "GithubCheckApp": {"name": "The name of the application."},
    "GithubCheckPullRequest": {"number": _IGNORED},
    "GithubCheckSuite": {
        "conclusion": "How the checks ended.",
        "head_branch": "The branch.",
        "head_sha": "The commit.",
        "pull_requests": _IGNORED,
        "app": "The application that checks.",
    },
    "GithubCheckOutput": {"title": "A summary.", "summary": _IGNORED},
    "GithubCheckRun": {
        "conclusion": "How the check ended.",
        "name": "The name of the check.",
        "html_url": "The page of the check.",
        "details_url": "The page of the check at its application.",
        "check_suite": "The checks of the same commit.",
        "output": "What the check has found.",
        "pull_requests": _IGNORED,
    },
    "GithubDiscussion": {
        "title": "The title.",
        "number": "The number.",
        "html_url": "The page.",
        "answer_html_url": "The page of the answer.",
        "body": "The text.",
        "user": _IGNORED,
    },
}
