"""chatd backup: writes an archive of the database, the files and the settings."""

from __future__ import annotations

import sys
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatd.cli.command import (
    EXIT_USAGE,
    as_json,
    fail,
    with_passphrase_file,
    with_pg_bindir,
)

if TYPE_CHECKING:
    from chatd.backup.create import Backup, Request
    from chatd.backup.progress import Progress


@click.command(short_help="Back up the database, the files and the settings.")
@click.argument("target", metavar="FILE|FOLDER|-")
@click.option(
    "--since",
    metavar="ARCHIVE",
    help="Leave out the files that this earlier archive has. A restore needs both. The database"
    " is always complete. With a FOLDER: latest, or the name of an archive in it.",
)
@click.option(
    "--keep",
    type=click.IntRange(1, 10_000),
    help="With a FOLDER: afterwards, delete all archives in it but the newest N, and those that"
    " these need.",
)
@click.option(
    "--with-secrets",
    is_flag=True,
    help="Include JWT_SECRET and the other secrets, encrypted by a passphrase.",
)
@with_passphrase_file
@with_pg_bindir("pg_dump")
@as_json
def backup(
    *,
    target: str,
    since: str | None,
    keep: int | None,
    with_secrets: bool,
    passphrase_file: Path | None,
    pg_bindir: Path | None,
    json: bool,
) -> None:
    """Write one consistent archive, while instances serve.

    The archive has the database, all files that it names, and the settings without secrets. It is
    a tar file that `chatd restore` reads. FILE appears when it is complete, and is never
    overwritten. In a FOLDER the archive is named by the time. With - the archive goes to stdout.

    Messages and password hashes in the archive are not encrypted: protect it like the server.

    \b
    Examples:
      chatd backup /srv/backup/chatd.tar
      chatd backup /srv/backup/ --keep 7
      chatd backup /srv/backup/ --since latest
      chatd backup --with-secrets /srv/backup/chatd.tar
      chatd backup - | age -r age1ql3z > chatd.tar.age
    """
    from chatd.backup.destination import prune
    from chatd.cli import archives

    if not _is_folder(target):
        if keep is not None or since == "latest":
            option = "--keep" if keep is not None else "--since latest"
            fail(f"{option} needs a folder that exists", EXIT_USAGE)
        if target.endswith("/"):
            fail(f"{target} is not a folder: create it first", EXIT_USAGE)
    if passphrase_file is not None and not with_secrets:
        fail("--passphrase-file is for --with-secrets", EXIT_USAGE)
    if target == "-" and sys.stdout.isatty():
        fail("an archive is not for a terminal: redirect stdout, or name a file", EXIT_USAGE)
    phrase = archives.passphrase(passphrase_file, is_new=True) if with_secrets else None
    with archives.one_line_errors(), archives.progress_bars(json=json) as progress:
        made, path = _back_up(target, since, phrase, pg_bindir, progress)
        deleted = [] if keep is None else prune(Path(target), keep=keep)
    _print(made, path, deleted, to_stderr=target == "-", json=json)


def _back_up(
    target: str,
    since: str | None,
    phrase: str | None,
    pg_bindir: Path | None,
    progress: Progress,
) -> tuple[Backup, Path | None]:
    from chatd.backup import destination, settings
    from chatd.backup.create import Request
    from chatd.cli import archives, dependencies
    from chatd.config import load

    with ExitStack() as stack:
        given = load(embedded=True)
        earlier = None
        if since is not None:
            name = str(_earlier(Path(target), since))
            earlier = stack.enter_context(destination.opened(name))
        request = Request(
            config=stack.enter_context(dependencies.with_servers(given)),
            settings=settings.plain_settings(),
            secrets={} if phrase is None else settings.secrets_of(given),
            passphrase=phrase,
            since=earlier,
            pg_bindir=pg_bindir,
        )
        return archives.run(_write(target, request, progress))


async def _write(target: str, request: Request, progress: Progress) -> tuple[Backup, Path | None]:
    from chatd.backup import create, destination

    async with create.files_held(request.config.database_url) as cur:
        if target == "-":
            return await create.create(destination.stdout(), request, cur, progress), None
        path = destination.path_of(target)
        with destination.writing(path) as file:
            return await create.create(file, request, cur, progress), path


def _is_folder(target: str) -> bool:
    return target != "-" and Path(target).is_dir()


def _earlier(target: Path, since: str) -> Path:
    """Return the path of the earlier archive. Raises BackupError."""
    from chatd.backup import destination
    from chatd.backup.errors import BackupError

    if not target.is_dir():
        return Path(since)
    if since != "latest":
        return target / since if not Path(since).exists() else Path(since)
    found = destination.archives_in(target)
    if not found:
        raise BackupError(f"{target} has no archive yet: make the first one without --since")
    return found[0]


def _print(
    made: Backup, path: Path | None, deleted: list[Path], *, to_stderr: bool, json: bool
) -> None:
    from chatd.cli import output

    facts = {
        "file": None if path is None else str(path),
        "id": made.header.id,
        "created_at": made.header.created_at,
        "bytes": made.written,
        "database_bytes": made.manifest.dump_bytes,
        "messages": made.manifest.tables.get("messages", 0),
        "files": made.manifest.files,
        "copied_files": made.copied,
        "missing_files": made.manifest.missing,
        "deleted": [str(each) for each in deleted],
    }
    if made.manifest.missing:
        names = ", ".join(made.missing)
        click.echo(
            f"chatd: warning: the storage lacks {made.manifest.missing} files: {names}", err=True
        )
    sentence = (
        f"Backed up {facts['messages']} messages and {made.manifest.files} files"
        f" ({made.copied} of them copied) in {made.written / 2**20:.1f} MiB."
    )
    output.done(sentence, facts, json=json, err=to_stderr)
