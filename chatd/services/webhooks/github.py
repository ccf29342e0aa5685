"""Embeds for the events that GitHub sends to webhooks. Pure.

Each function renders one event, and returns None for actions that have no message. Rule: Discord
docs, Webhook resource, "Execute GitHub-Compatible Webhook", which names the events.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from chatd.core.models import Embed
from chatd.services.webhooks.fitting import fitted
from chatd.wire.schemas.github import MAX_COMMITS

Payload = Mapping[str, Any]
Render = Callable[[Payload], dict[str, Any] | None]

_GREEN: Final = 0x009800
_ORANGE: Final = 0xEB6420
_RED: Final = 0xFC2929
_BLURPLE: Final = 0x7289DA
_COMMENT: Final = 0xE68D60
_GREY: Final = 0x9C9C9C

_SHORT = 7  # characters of a commit's id, as GitHub shows it

_REVIEWS = {
    "approved": ("Pull request approved", _GREEN),
    "changes_requested": ("Changes requested on pull request", _RED),
    "commented": ("Pull request review submitted", _COMMENT),
}
_CONCLUSIONS = {"success": _GREEN, "failure": _RED, "timed_out": _RED, "action_required": _ORANGE}


def embed(event: str, payload: Payload) -> Embed | None:
    """Return the embed for an event, by the name in the header X-GitHub-Event.

    Returns None for events and actions that have no message.
    """
    render = _EVENTS.get(event)
    sender, repository = payload.get("sender", {}), payload.get("repository", {})
    if render is None or not sender.get("login") or not repository.get("full_name"):
        return None
    found = render(payload)
    if found is None:
        return None
    author = {
        "name": sender["login"],
        "url": sender.get("html_url"),
        "icon_url": sender.get("avatar_url"),
    }
    shown = {key: each for key, each in found.items() if each not in (None, "")}
    by = {key: each for key, each in author.items() if each}
    return next(iter(fitted([{"type": "rich", "author": by, **shown}])), None)


def _commit_comment(payload: Payload) -> dict[str, Any] | None:
    comment = payload.get("comment", {})
    commit = _short(comment.get("commit_id", ""))
    return _titled(payload, f"New comment on commit `{commit}`", comment)


def _create(payload: Payload) -> dict[str, Any] | None:
    return {"title": _title(payload, f"New {_kind(payload)} created: {payload.get('ref', '')}")}


def _delete(payload: Payload) -> dict[str, Any] | None:
    kind = _kind(payload).capitalize()
    return {"title": _title(payload, f"{kind} deleted: {payload.get('ref', '')}")}


def _fork(payload: Payload) -> dict[str, Any] | None:
    fork = payload.get("forkee", {})
    return _titled(payload, f"Fork created: {fork.get('full_name', '')}", fork)


def _issue_comment(payload: Payload) -> dict[str, Any] | None:
    if payload.get("action") != "created":
        return None
    issue, comment = payload.get("issue", {}), payload.get("comment", {})
    kind = "pull request" if "pull_request" in issue else "issue"
    found = _titled(payload, f"New comment on {kind} {_named(issue)}", comment)
    return {**found, "color": _COMMENT}


def _issues(payload: Payload) -> dict[str, Any] | None:
    return _opened_or_closed(payload, "Issue", payload.get("issue", {}), opened=_ORANGE)


def _pull_request(payload: Payload) -> dict[str, Any] | None:
    pull_request = payload.get("pull_request", {})
    return _opened_or_closed(payload, "Pull request", pull_request, opened=_GREEN)


def _opened_or_closed(
    payload: Payload, kind: str, about: Payload, *, opened: int
) -> dict[str, Any] | None:
    action = payload.get("action")
    if action not in ("opened", "reopened", "closed"):
        return None
    found = _titled(payload, f"{kind} {action}: {_named(about)}", about)
    if action == "closed":
        return {"title": found["title"], "url": found["url"]}
    return {**found, "color": opened}


def _pull_request_review(payload: Payload) -> dict[str, Any] | None:
    review = payload.get("review", {})
    known = _REVIEWS.get(review.get("state", "").lower())
    if payload.get("action") != "submitted" or known is None:
        return None
    text, color = known
    pull_request = payload.get("pull_request", {})
    return {**_titled(payload, f"{text}: {_named(pull_request)}", review), "color": color}


def _pull_request_review_comment(payload: Payload) -> dict[str, Any] | None:
    if payload.get("action") != "created":
        return None
    about = _named(payload.get("pull_request", {}))
    text = f"New review comment on pull request {about}"
    return {**_titled(payload, text, payload.get("comment", {})), "color": _COMMENT}


def _push(payload: Payload) -> dict[str, Any] | None:
    commits, repository = payload.get("commits", ()), payload["repository"]
    branch = payload.get("ref", "").removeprefix("refs/heads/").removeprefix("refs/tags/")
    if payload.get("forced"):
        head = _short(payload.get("head_commit", {}).get("id", ""))
        return {
            "title": _title(payload, f"Branch {branch} was force-pushed to `{head}`"),
            "url": payload.get("compare"),
            "color": _RED,
        }
    if not commits:
        return None  # a branch was created or deleted, which other events report
    count = "1 new commit" if len(commits) == 1 else f"{len(commits)} new commits"
    if len(commits) > MAX_COMMITS:
        count = f"more than {MAX_COMMITS} new commits"
    return {
        "title": f"[{repository.get('name', '')}:{branch}] {count}",
        "url": commits[0].get("url") if len(commits) == 1 else payload.get("compare"),
        "description": "\n".join(map(_commit, commits[:MAX_COMMITS])),
        "color": _BLURPLE,
    }


def _commit(commit: Payload) -> str:
    first_line = commit.get("message", "").partition("\n")[0].strip()
    author = commit.get("author", {})
    name = author.get("username") or author.get("name", "")
    mark = f"`{_short(commit.get('id', ''))}`"
    link = f"[{mark}]({commit['url']})" if commit.get("url") else mark
    return f"{link} {first_line} - {name}"


def _release(payload: Payload) -> dict[str, Any] | None:
    if payload.get("action") != "published":
        return None
    release = payload.get("release", {})
    name = release.get("name") or release.get("tag_name", "")
    return _titled(payload, f"New release published: {name}", release)


def _watch(payload: Payload) -> dict[str, Any] | None:
    if payload.get("action") != "started":
        return None
    return _titled(payload, "New star added", payload["repository"])


def _member(payload: Payload) -> dict[str, Any] | None:
    if payload.get("action") != "added":
        return None
    member = payload.get("member", {})
    return _titled(payload, f"New collaborator added: {member.get('login', '')}", member)


def _public(payload: Payload) -> dict[str, Any] | None:
    return _titled(payload, "Now open sourced!", payload["repository"])


def _check_run(payload: Payload) -> dict[str, Any] | None:
    run = payload.get("check_run", {})
    name, suite = run.get("name", ""), run.get("check_suite", {})
    url = run.get("details_url") or run.get("html_url")
    return _check(payload, run, name, suite, url)


def _check_suite(payload: Payload) -> dict[str, Any] | None:
    suite = payload.get("check_suite", {})
    name = f"{suite.get('app', {}).get('name', '')} checks"
    base, commit_id = payload["repository"].get("html_url"), suite.get("head_sha", "")
    url = f"{base}/commit/{commit_id}/checks" if base and commit_id.isalnum() else None
    return _check(payload, suite, name, suite, url)


def _check(
    payload: Payload, check: Payload, name: str, suite: Payload, url: str | None
) -> dict[str, Any] | None:
    conclusion = check.get("conclusion")
    if payload.get("action") != "completed" or conclusion is None:
        return None
    on = suite.get("head_branch") or _short(suite.get("head_sha", ""))
    repository = payload["repository"].get("name", "")
    output = check.get("output", {})
    return {
        "title": f"[{repository}] {name} {conclusion.replace('_', ' ')} on {on}",
        "url": url,
        "description": output.get("title") if conclusion != "success" else None,
        "color": _CONCLUSIONS.get(conclusion, _GREY),
    }


def _discussion(payload: Payload) -> dict[str, Any] | None:
    discussion = payload.get("discussion", {})
    if payload.get("action") == "created":
        return _titled(payload, f"New discussion {_named(discussion)}", discussion)
    if payload.get("action") == "answered":
        found = _titled(
            payload, f"Discussion answered: {_named(discussion)}", payload.get("answer", {})
        )
        return {**found, "url": discussion.get("answer_html_url") or found["url"], "color": _GREEN}
    return None


def _discussion_comment(payload: Payload) -> dict[str, Any] | None:
    if payload.get("action") != "created":
        return None
    about = _named(payload.get("discussion", {}))
    found = _titled(payload, f"New comment on discussion {about}", payload.get("comment", {}))
    return {**found, "color": _COMMENT}


_EVENTS: Final[dict[str, Render]] = {
    "check_run": _check_run,
    "check_suite": _check_suite,
    "commit_comment": _commit_comment,
    "create": _create,
    "delete": _delete,
    "discussion": _discussion,
    "discussion_comment": _discussion_comment,
    "fork": _fork,
    "issue_comment": _issue_comment,
    "issues": _issues,
    "member": _member,
    "public": _public,
    "pull_request": _pull_request,
    "pull_request_review": _pull_request_review,
    "pull_request_review_comment": _pull_request_review_comment,
    "push": _push,
    "release": _release,
    "watch": _watch,
}
"""Those that Discord renders. GitHub sends `star` beside `watch`, so only one of them is here."""


def _titled(payload: Payload, text: str, about: Payload) -> dict[str, Any]:
    """Return an embed with a title, and with the link and the text of what it is about."""
    return {
        "title": _title(payload, text),
        "url": about.get("html_url"),
        "description": about.get("body"),
    }


def _title(payload: Payload, text: str) -> str:
    return f"[{payload['repository']['full_name']}] {text}"


def _named(about: Payload) -> str:
    return f"#{about.get('number', '')}: {about.get('title', '')}"


def _kind(payload: Payload) -> str:
    return "tag" if payload.get("ref_type") == "tag" else "branch"


def _short(commit_id: str) -> str:
    return commit_id[:_SHORT]
