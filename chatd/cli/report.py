"""chatd report: lists, shows and resolves reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from chatd.cli.command import as_json, confirm, confirmed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from chatd.context.dependencies import CoreDependencies
    from chatd.core.reports import Report
    from chatd.db.cursor import Cursor

_COLUMNS = ("id", "type", "subject", "category", "reporter", "state", "similar", "created")
_OUTCOMES = (
    "no_action",
    "message_deleted",
    "user_warned",
    "user_disabled",
    "guild_deleted",
    "other",
)


@click.group()
def report() -> None:
    """List, show and resolve reports of messages, users and guilds.

    People report them in their clients. Administrators of the server can resolve reports over the
    API, too.
    """


@report.command("list", short_help="List reports, the oldest first.")
@click.option(
    "--state",
    type=click.Choice(["open", "resolved", "all"]),
    default="open",
    show_default=True,
)
@click.option("--after", type=click.IntRange(0), default=0, help="Start after this id.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=1000, show_default=True)
@as_json
def list_(state: str, after: int, limit: int, json: bool) -> None:
    """List reports, the oldest first.

    If the output is not a terminal, each line holds, separated by tabs: id, type, subject,
    category, reporter, state, other open reports of the same subject, created.

    \b
    Examples:
      chatd report list
      chatd report list --state all --json
    """
    from chatd.cli import dependencies, output
    from chatd.queries import reports

    found = dependencies.run_read(
        lambda cur: reports.page(cur, state=state, after=after, limit=limit)
    )
    output.records([_summary(each) for each in found], _COLUMNS, json=json)
    if len(found) == limit:
        click.echo(f"There may be more: continue with --after {found[-1].id}.", err=True)


@report.command(short_help="Show a report with its evidence.")
@click.argument("report_id", metavar="REPORT", type=click.IntRange(0, 2**63 - 1))
@as_json
def show(report_id: int, json: bool) -> None:
    """Show a report, with the copy of what was reported.

    \b
    Example:
      chatd report show 1408133746352128000
    """
    from chatd.cli import dependencies, output
    from chatd.services.safety import decisions

    found = dependencies.run_read(lambda cur: decisions.existing(cur, report_id))
    output.record(_details(found, json=json), json=json)


@report.command(short_help="Decide about a report.")
@click.argument("report_id", metavar="REPORT", type=click.IntRange(0, 2**63 - 1))
@click.option(
    "--outcome",
    type=click.Choice(_OUTCOMES),
    required=True,
    metavar="OUTCOME",
    help=f"One of {', '.join(_OUTCOMES)}.",
)
@click.option("--note", default="", help="Why, for other administrators.")
@click.option("--similar", is_flag=True, help="Also for all open reports of the same subject.")
@confirmed
@as_json
def resolve(
    *, report_id: int, outcome: str, note: str, similar: bool, yes: bool, json: bool
) -> None:
    """Decide about an open report, and do what the outcome says.

    message_deleted deletes the message, user_disabled disables its author or the user, and
    guild_deleted deletes the guild. The other outcomes are only recorded. It needs Redis.

    \b
    Examples:
      chatd report resolve 1408133746352128000 --outcome no_action --yes
      chatd report resolve 1408133746352128000 --outcome message_deleted \\
          --note "advertising" --similar
    """
    from chatd.cli import dependencies, output
    from chatd.services.safety import decisions
    from chatd.wire.schemas.reports import ReportDecisionSchema

    if outcome in ("message_deleted", "user_disabled", "guild_deleted"):
        subject = dependencies.run_read(lambda cur: _described(cur, report_id))
        confirm(f"Resolve the report of {subject}: {outcome}?", yes=yes)

    async def work(deps: CoreDependencies) -> Report:
        decision = ReportDecisionSchema().read(
            {"outcome": outcome, "note": note, "similar": similar}
        )
        return await decisions.resolve(deps, report_id, decision, decisions.Decider(None))

    resolved = dependencies.run_write(work)
    output.done(f"Resolved: {outcome}.", _details(resolved, json=True), json=json)


async def _described(cur: Cursor, report_id: int) -> str:
    """Say what a report is about, and whose it is, before the operator acts on it."""
    from chatd.queries import administration
    from chatd.services.safety import decisions

    subject = (await decisions.existing(cur, report_id)).subject
    text = f"{subject.kind} {subject.id}"
    if subject.user_id is None:
        return text
    account = await administration.get_account(cur, user_id=subject.user_id)
    if account is None:
        return text
    joint = ", " if subject.kind == "user" else " by "
    by = f"{text}{joint}{account.username}"
    return f"{by}, an administrator of the server" if account.is_administrator else by


def _summary(found: Report) -> dict[str, Any]:
    from chatd.core.snowflake import created_at

    subject = found.subject
    return {
        "id": str(found.id),
        "type": str(subject.kind),
        "subject": str(subject.id),
        "category": found.category,
        "reporter": found.reporter,
        "state": "open" if found.resolution is None else str(found.resolution.outcome),
        "similar": found.similar,
        "created": created_at(found.id),
    }


def _details(found: Report, *, json: bool) -> dict[str, Any]:
    """Return a report; for people, with a line for each part of its evidence."""
    from chatd.wire import payloads

    details: dict[str, Any] = payloads.report(found)
    if json:
        return details
    if found.resolution is not None and found.resolution.resolver_id is None:
        details["resolver"] = "the operator"
    evidence = details.pop("evidence")
    return {**details, **dict(_lines("", evidence))}


def _lines(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield the names and values within a JSON value, like message.author.username.

    What is empty is left out.
    """
    if isinstance(value, dict):
        parts = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, list):
        parts = [(str(number), each) for number, each in enumerate(value, 1)]
    else:
        if value not in (None, "", False):
            yield name, str(value)
        return
    for key, each in parts:
        yield from _lines(f"{name}.{key}" if name else key, each)
