"""Schemas of the events that GitHub sends to webhooks, as far as messages show them.

Rule: Discord docs, Webhook resource, "Execute GitHub-Compatible Webhook"; GitHub docs, "Webhook
events and payloads".
"""

from __future__ import annotations

from chatd.wire.base_schema import NULL_IS_ABSENT, MappingSchema
from chatd.wire.fields import Bool, Int, Nested
from chatd.wire.schemas.embeds import URL
from chatd.wire.schemas.excerpts import Excerpt, FirstOf
from chatd.wire.text_fields import Text

MAX_COMMITS = 20
"""The commits of a push that its message shows."""

_BODY = 500  # characters of a comment or a description
_LINE = 200  # characters of a title or a name
_WORD = 40


def _link() -> Text:
    return Text(allow_none=True, validate=URL, metadata={"format": "uri"})


def _word() -> Excerpt:
    return Excerpt(_WORD, allow_none=True)


def _line() -> Excerpt:
    return Excerpt(_LINE, allow_none=True)


class GithubUserSchema(MappingSchema):
    id = Int(allow_none=True)
    login = _line()
    html_url = _link()
    avatar_url = _link()


class GithubRepositorySchema(MappingSchema):
    id = Int(allow_none=True)
    name = _line()
    full_name = _line()
    html_url = _link()


class GithubCommentSchema(MappingSchema):
    id = Int(allow_none=True)
    html_url = _link()
    user = Nested(GithubUserSchema, allow_none=True)
    commit_id = _word()
    body = Excerpt(_BODY, allow_none=True)


class GithubPullRequestMarkSchema(MappingSchema):
    """What marks an issue as a pull request. Its content is not shown."""


class GithubIssueSchema(MappingSchema):
    id = Int(allow_none=True)
    number = Int(allow_none=True)
    html_url = _link()
    user = Nested(GithubUserSchema, allow_none=True)
    title = _line()
    body = Excerpt(_BODY, allow_none=True)
    pull_request = Nested(GithubPullRequestMarkSchema, allow_none=True)


class GithubAuthorSchema(MappingSchema):
    username = _line()
    name = _line()


class GithubCommitSchema(MappingSchema):
    id = _word()
    url = _link()
    message = Excerpt(_BODY, allow_none=True)
    author = Nested(GithubAuthorSchema, allow_none=True)


class GithubReleaseSchema(MappingSchema):
    id = Int(allow_none=True)
    tag_name = _line()
    name = _line()
    body = Excerpt(_BODY, allow_none=True)
    html_url = _link()
    author = Nested(GithubUserSchema, allow_none=True)


class GithubReviewSchema(MappingSchema):
    user = Nested(GithubUserSchema, allow_none=True)
    body = Excerpt(_BODY, allow_none=True)
    html_url = _link()
    state = _word()


class GithubCheckAppSchema(MappingSchema):
    name = _line()


class GithubCheckPullRequestSchema(MappingSchema):
    number = Int(allow_none=True)


class GithubCheckSuiteSchema(MappingSchema):
    conclusion = _word()
    head_branch = _line()
    head_sha = _word()
    pull_requests = FirstOf(Nested(GithubCheckPullRequestSchema), 5, allow_none=True)
    app = Nested(GithubCheckAppSchema, allow_none=True)


class GithubCheckOutputSchema(MappingSchema):
    title = _line()
    summary = Excerpt(_BODY, allow_none=True)


class GithubCheckRunSchema(MappingSchema):
    conclusion = _word()
    name = _line()
    html_url = _link()
    details_url = _link()
    check_suite = Nested(GithubCheckSuiteSchema, allow_none=True)
    output = Nested(GithubCheckOutputSchema, allow_none=True)
    pull_requests = FirstOf(Nested(GithubCheckPullRequestSchema), 5, allow_none=True)


class GithubDiscussionSchema(MappingSchema):
    title = _line()
    number = Int(allow_none=True)
    html_url = _link()
    answer_html_url = _link()
    body = Excerpt(_BODY, allow_none=True)
    user = Nested(GithubUserSchema, allow_none=True)


class GithubEventSchema(MappingSchema):
    action = _word()
    ref = _line()
    ref_type = _word()
    forced = Bool(**NULL_IS_ABSENT)
    compare = _link()
    sender = Nested(GithubUserSchema, allow_none=True)
    member = Nested(GithubUserSchema, allow_none=True)
    repository = Nested(GithubRepositorySchema, allow_none=True)
    forkee = Nested(GithubRepositorySchema, allow_none=True)
    issue = Nested(GithubIssueSchema, allow_none=True)
    pull_request = Nested(GithubIssueSchema, allow_none=True)
    comment = Nested(GithubCommentSchema, allow_none=True)
    answer = Nested(GithubCommentSchema, allow_none=True)
    head_commit = Nested(GithubCommitSchema, allow_none=True)
    commits = FirstOf(Nested(GithubCommitSchema), MAX_COMMITS + 1, allow_none=True)
    release = Nested(GithubReleaseSchema, allow_none=True)
    review = Nested(GithubReviewSchema, allow_none=True)
    check_run = Nested(GithubCheckRunSchema, allow_none=True)
    check_suite = Nested(GithubCheckSuiteSchema, allow_none=True)
    discussion = Nested(GithubDiscussionSchema, allow_none=True)
