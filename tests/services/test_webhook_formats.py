"""Messages in the formats of other services: what they become, and that they fit into a message."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatd.services.webhooks import github, slack
from chatd.services.webhooks.fitting import fitted
from chatd.wire.schemas.embeds import MAX_CHARACTERS, EmbedSchema, characters
from chatd.wire.schemas.excerpts import FirstOf, cut
from chatd.wire.schemas.github import MAX_COMMITS, GithubEventSchema
from chatd.wire.schemas.slack import SlackMessageSchema
from tests.helpers.examples import examples
from tests.world import like

SENDER = {"login": "ada", "html_url": "https://github.com/ada"}
REPOSITORY = {
    "name": "engine",
    "full_name": "ada/engine",
    "html_url": "https://github.com/ada/engine",
}
USER = {"login": "bob", "html_url": "https://github.com/bob"}
ISSUE = {"number": 7, "title": "It stops", "html_url": "https://github.com/7", "body": "Always."}
PULL = {"number": 8, "title": "Go on", "html_url": "https://github.com/8", "body": "It goes."}
COMMENT = {"html_url": "https://github.com/c", "body": "Yes.", "commit_id": "abcdef0123"}
SUITE = {
    "conclusion": "failure",
    "head_branch": "main",
    "head_sha": "abcdef0123",
    "app": {"name": "CI"},
}
RUN = {
    "conclusion": "success",
    "name": "lint",
    "html_url": "https://github.com/r",
    "check_suite": SUITE,
}


def embed(event: str, **payload: Any) -> Any:
    body = {"sender": SENDER, "repository": REPOSITORY, **payload}
    return github.embed(event, GithubEventSchema().read(body))


@pytest.mark.parametrize(
    ("event", "payload", "title", "more"),
    [
        (
            "issues",
            {"action": "opened", "issue": ISSUE},
            "Issue opened: #7: It stops",
            {"description": "Always.", "url": "https://github.com/7", "color": 0xEB6420},
        ),
        ("issues", {"action": "closed", "issue": ISSUE}, "Issue closed: #7: It stops", {}),
        (
            "issue_comment",
            {"action": "created", "issue": ISSUE, "comment": COMMENT},
            "New comment on issue #7: It stops",
            {"description": "Yes.", "url": "https://github.com/c"},
        ),
        (
            "issue_comment",
            {"action": "created", "issue": {**PULL, "pull_request": {}}, "comment": COMMENT},
            "New comment on pull request #8: Go on",
            {},
        ),
        (
            "pull_request",
            {"action": "reopened", "pull_request": PULL},
            "Pull request reopened: #8: Go on",
            {"color": 0x009800},
        ),
        (
            "pull_request_review",
            {
                "action": "submitted",
                "pull_request": PULL,
                "review": {"state": "APPROVED", "html_url": "https://github.com/v"},
            },
            "Pull request approved: #8: Go on",
            {"url": "https://github.com/v"},
        ),
        (
            "pull_request_review",
            {
                "action": "submitted",
                "pull_request": PULL,
                "review": {"state": "changes_requested", "body": "No."},
            },
            "Changes requested on pull request: #8: Go on",
            {"description": "No."},
        ),
        (
            "pull_request_review_comment",
            {"action": "created", "pull_request": PULL, "comment": COMMENT},
            "New review comment on pull request #8: Go on",
            {},
        ),
        (
            "commit_comment",
            {"action": "created", "comment": COMMENT},
            "New comment on commit `abcdef0`",
            {"description": "Yes."},
        ),
        ("create", {"ref": "next", "ref_type": "branch"}, "New branch created: next", {}),
        ("create", {"ref": "v1", "ref_type": "tag"}, "New tag created: v1", {}),
        ("delete", {"ref": "v1", "ref_type": "tag"}, "Tag deleted: v1", {}),
        ("delete", {"ref": "next", "ref_type": "branch"}, "Branch deleted: next", {}),
        (
            "fork",
            {"forkee": {"full_name": "bob/engine", "html_url": "https://github.com/f"}},
            "Fork created: bob/engine",
            {"url": "https://github.com/f"},
        ),
        ("member", {"action": "added", "member": USER}, "New collaborator added: bob", {}),
        ("public", {}, "Now open sourced!", {}),
        (
            "release",
            {"action": "published", "release": {"tag_name": "v1", "html_url": "https://a.b/c"}},
            "New release published: v1",
            {"url": "https://a.b/c"},
        ),
        ("watch", {"action": "started"}, "New star added", {"url": REPOSITORY["html_url"]}),
        (
            "discussion",
            {"action": "created", "discussion": ISSUE},
            "New discussion #7: It stops",
            {"description": "Always."},
        ),
        (
            "discussion",
            {
                "action": "answered",
                "discussion": {**ISSUE, "answer_html_url": "https://github.com/a"},
                "answer": COMMENT,
            },
            "Discussion answered: #7: It stops",
            {"description": "Yes.", "url": "https://github.com/a"},
        ),
        (
            "discussion_comment",
            {"action": "created", "discussion": ISSUE, "comment": COMMENT},
            "New comment on discussion #7: It stops",
            {},
        ),
        (
            "push",
            {
                "ref": "refs/heads/main",
                "forced": True,
                "head_commit": {"id": "abcdef0123"},
                "compare": "https://github.com/x",
            },
            "Branch main was force-pushed to `abcdef0`",
            {"url": "https://github.com/x", "color": 0xFC2929},
        ),
    ],
)
def test_event_of_github_is_rendered(
    event: str, payload: dict[str, Any], title: str, more: dict[str, Any]
) -> None:
    found = embed(event, **payload)
    assert found == like(title=f"[ada/engine] {title}", author=like(name="ada"), **more)
    assert EmbedSchema().read(found) == found


@pytest.mark.parametrize(
    ("event", "payload", "title", "more"),
    [
        (
            "check_run",
            {"check_run": RUN},
            "[engine] lint success on main",
            {"url": "https://github.com/r", "color": 0x009800},
        ),
        (
            "check_run",
            {"check_run": {**RUN, "conclusion": "timed_out", "output": {"title": "Slow"}}},
            "[engine] lint timed out on main",
            {"description": "Slow", "color": 0xFC2929},
        ),
        (
            "check_suite",
            {"check_suite": {**SUITE, "head_branch": None}},
            "[engine] CI checks failure on abcdef0",
            {"url": "https://github.com/ada/engine/commit/abcdef0123/checks"},
        ),
    ],
)
def test_completed_check_is_rendered(
    event: str, payload: dict[str, Any], title: str, more: dict[str, Any]
) -> None:
    assert embed(event, action="completed", **payload) == like(title=title, **more)
    assert embed(event, action="created", **payload) is None


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("issues", {"action": "labeled", "issue": ISSUE}),
        ("issue_comment", {"action": "deleted", "issue": ISSUE, "comment": COMMENT}),
        ("pull_request", {"action": "synchronize", "pull_request": PULL}),
        ("pull_request_review", {"action": "dismissed", "pull_request": PULL, "review": {}}),
        ("pull_request_review_comment", {"action": "edited", "pull_request": PULL}),
        ("release", {"action": "edited", "release": {"tag_name": "v1"}}),
        ("watch", {"action": "stopped"}),
        ("member", {"action": "removed", "member": USER}),
        ("discussion", {"action": "labeled", "discussion": ISSUE}),
        ("discussion_comment", {"action": "edited", "discussion": ISSUE}),
        ("push", {"ref": "refs/heads/new", "commits": []}),
        ("issues", {"action": "opened", "issue": ISSUE, "sender": None}),
        ("issues", {"action": "opened", "issue": ISSUE, "repository": {}}),
    ],
)
def test_other_actions_of_github_are_not_rendered(event: str, payload: dict[str, Any]) -> None:
    assert embed(event, **payload) is None


def test_large_push_shows_the_first_commits() -> None:
    commits = [{"id": f"{number:040}", "message": "x" * 600} for number in range(2000)]
    found = embed("push", ref="refs/heads/main", commits=commits)
    assert found["title"] == "[engine:main] more than 20 new commits"
    assert len(found["description"]) <= 4096
    assert found["description"].count("\n") <= MAX_COMMITS
    one = embed("push", ref="refs/heads/main", commits=[{**commits[0], "url": "https://a.b/1"}])
    assert one == like(title="[engine:main] 1 new commit", url="https://a.b/1")


EVENTS = sorted(github._EVENTS)


ACTIONS = ("opened", "created", "submitted", "completed", "published", "started", "added")


@settings(max_examples=examples(50), deadline=None)  # the first one builds schemas
@given(event=st.sampled_from(EVENTS), text=st.text(max_size=300), action=st.sampled_from(ACTIONS))
def test_every_event_of_github_fits_into_an_embed(event: str, text: str, action: str) -> None:
    long = text * 50
    about = {"title": long, "body": long, "name": long, "number": 1, "state": "commented"}
    objects = ("issue", "pull_request", "comment", "review", "release", "discussion")
    found = embed(
        event,
        **dict.fromkeys(objects, about),
        action=action,
        ref=long,
        sender={"login": long},
        repository={"name": long, "full_name": long},
        commits=[{"id": long, "message": long, "author": {"name": long}}] * 30,
        check_run={**RUN, "name": long, "conclusion": long},
        check_suite={**SUITE, "conclusion": long, "app": {"name": long}},
    )
    if found is not None:
        assert EmbedSchema().read(found)


@settings(max_examples=examples(100), deadline=None)
@given(text=st.text(), length=st.integers(1, 20))
def test_cut_text_is_the_beginning(text: str, length: int) -> None:
    found = cut(text, length)
    assert len(found) <= length
    assert "\0" not in found
    assert found.strip() == found
    if not found.endswith("…"):
        assert found in text.replace("\0", "")


def test_elements_after_the_first_are_not_read() -> None:
    field = SlackMessageSchema().fields["attachments"]
    assert not isinstance(field, FirstOf)
    commits = GithubEventSchema().fields["commits"]
    assert isinstance(commits, FirstOf)
    assert len(commits.deserialize([{}] * commits.count + [5] * 1000)) == commits.count


TEXTS = st.text("<>|&;@!#abc/:. ltgamp\n", max_size=60)


@settings(max_examples=examples(50), deadline=None)
@given(text=TEXTS, pretext=TEXTS, fallback=TEXTS, title=TEXTS)
def test_slack_message_becomes_valid_embeds(
    text: str, pretext: str, fallback: str, title: str
) -> None:
    long = {"text": text * 200, "pretext": pretext * 50, "fallback": fallback, "title": title * 9}
    sent = SlackMessageSchema().read({"text": text, "attachments": [long, long, long]})
    found = slack.message(sent)
    assert len(found.content) <= 2000
    assert sum(map(characters, found.embeds)) <= MAX_CHARACTERS
    for each in found.embeds:
        assert EmbedSchema().read(each)


def test_embed_that_does_not_fit_is_left_out_with_the_following_ones() -> None:
    long = {"type": "rich", "fields": [{"name": "n" * 256, "value": "v" * 1024}] * 5}
    short = {"type": "rich", "description": "d"}
    assert fitted([short, long, short]) == [short]
    assert fitted([]) == []
