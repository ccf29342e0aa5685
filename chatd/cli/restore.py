"""chatd restore: restores an archive into an empty database."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import click

from chatd.cli.command import (
    EXIT_USAGE,
    as_json,
    confirm,
    confirmed,
    fail,
    with_passphrase_file,
    with_pg_bindir,
)

if TYPE_CHECKING:
    from chatd.backup.archive import Archive
    from chatd.backup.progress import Progress
    from chatd.backup.restore import Restored, Sources
    from chatd.config import Config


@click.command(short_help="Restore an archive of `chatd backup`.")
@click.argument("source", metavar="FILE|-")
@click.option(
    "--base",
    "bases",
    multiple=True,
    metavar="ARCHIVE",
    help="An earlier archive that has files of this one, if it is in another folder.",
)
@click.option(
    "--verify-only", is_flag=True, help="Only read and check the archive. Needs no database."
)
@click.option(
    "--embedded",
    is_flag=True,
    help="Start a private Postgres and Valkey, as `chatd serve --embedded` does, and restore into"
    " them.",
)
@click.option(
    "--settings-to",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Write the settings to PATH/.env, and secrets to PATH/credentials.",
)
@click.option(
    "--with-secrets",
    is_flag=True,
    help="Decrypt the secrets, for --settings-to or --embedded; or with --verify-only, to check the"
    " passphrase.",
)
@with_passphrase_file
@with_pg_bindir("pg_restore")
@confirmed
@as_json
def restore(
    *,
    source: str,
    bases: tuple[str, ...],
    verify_only: bool,
    embedded: bool,
    settings_to: Path | None,
    with_secrets: bool,
    passphrase_file: Path | None,
    pg_bindir: Path | None,
    yes: bool,
    json: bool,
) -> None:
    """Restore an archive into an empty database, and its files into the storage.

    Stop all instances first. A database that has only tables, after `chatd migrate` or a first
    start, counts as empty. Everything is checked before anything is written. A restore that was
    interrupted can be repeated. Afterwards, the schema is that of this version of chatd, and the
    keys of chatd in Redis are deleted.

    An archive contains SQL: restore only archives of your own.

    \b
    Examples:
      chatd restore /srv/backup/chatd.tar
      chatd restore --verify-only /srv/backup/chatd.tar
      CHATD_DATA_DIR=/tmp/drill chatd restore --embedded --yes chatd.tar
      chatd restore --settings-to /root/old --with-secrets chatd.tar
    """
    from chatd.cli import archives

    if with_secrets and not (embedded or settings_to or verify_only):
        fail("--with-secrets needs --settings-to or --embedded: where to write them", EXIT_USAGE)
    if passphrase_file is not None and not with_secrets:
        fail("--passphrase-file is for --with-secrets", EXIT_USAGE)
    if verify_only and settings_to is not None:
        fail("--verify-only writes nothing: leave out --settings-to", EXIT_USAGE)
    if embedded and not verify_only:
        _require_no_servers()
    with archives.one_line_errors(), ExitStack() as stack:
        sources = _open(stack, source, bases)
        if verify_only:
            _settings(sources.archive, passphrase_file, None, with_secrets=with_secrets)
            _verify(sources, json=json)
            return
        settings, secrets = _settings(
            sources.archive, passphrase_file, settings_to, with_secrets=with_secrets
        )
        confirm(_question(sources.archive), yes=yes)
        config = _servers(stack, embedded, secrets)
        with archives.progress_bars(json=json) as progress:
            done = _restore(sources, config, pg_bindir, progress)
        if settings_to is not None:
            from chatd.backup.settings import write_settings

            write_settings(settings_to, settings, secrets)
    _print(sources.archive, done, json=json)


def _open(stack: ExitStack, source: str, bases: tuple[str, ...]) -> Sources:
    """Open the archive, those of `--base`, and those in its folder that it needs."""
    from chatd.backup.destination import opened
    from chatd.backup.errors import BackupError
    from chatd.backup.restore import Sources

    archive = stack.enter_context(opened(source))
    found = [stack.enter_context(opened(each)) for each in bases]
    known = {each.header.id for each in found}
    for base in archive.header.bases:
        if base.id in known or archive.path is None or "/" in base.name or not base.name:
            continue
        path = archive.path.parent / base.name
        if path.is_file():
            try:
                beside = stack.enter_context(opened(str(path)))
            except BackupError:
                continue  # reported later, if files of it are needed
            if beside.header.id == base.id:
                found.append(beside)
    return Sources(archive, found)


def _verify(sources: Sources, *, json: bool) -> None:
    from chatd.backup.restore import verified
    from chatd.backup.restore_checks import check_schema
    from chatd.cli import archives, output

    check_schema(sources.archive.header)
    with archives.progress_bars(json=json) as progress, verified(sources, progress) as (found, _):
        facts = {
            "id": found.id,
            "created_at": sources.archive.header.created_at,
            "chatd": sources.archive.header.chatd,
            "messages": found.tables.get("messages", 0),
            "files": found.files,
            "missing_files": found.missing,
        }
    sentence = (
        f"The archive is complete: {facts['messages']} messages and {found.files} files of"
        f" {sources.archive.header.created_at:%Y-%m-%d %H:%M} UTC."
    )
    output.done(sentence, facts, json=json)


def _settings(
    archive: Archive, passphrase_file: Path | None, settings_to: Path | None, *, with_secrets: bool
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the settings and the secrets of the archive. Raises BackupError."""
    from chatd.backup import manifest
    from chatd.backup.errors import BackupError
    from chatd.backup.secrets import decrypt
    from chatd.backup.settings import require_no_settings
    from chatd.cli import archives

    if settings_to is not None:
        require_no_settings(settings_to)
    settings = manifest.decode_settings(archive.content(manifest.SETTINGS) or b"{}")
    if not with_secrets:
        return settings, {}
    sealed = archive.content(manifest.SECRETS)
    if sealed is None:
        raise BackupError("the archive has no secrets: it was made without --with-secrets")
    phrase = archives.passphrase(passphrase_file, is_new=False)
    return settings, decrypt(sealed, phrase, archive.header.id)


def _require_no_servers() -> None:
    """Refuse --embedded where the settings name servers: it would restore into these."""
    from chatd.config import load

    config = load(embedded=True)
    urls = {"DATABASE_URL": config.database_url, "REDIS_URL": config.redis_url}
    if given := " and ".join(name for name, url in urls.items() if url):
        fail(f"--embedded restores into private servers, but the settings have {given}", EXIT_USAGE)


def _servers(stack: ExitStack, embedded: bool, secrets: dict[str, str]) -> Config:
    """Return the settings with the servers to restore into, which run until the stack ends."""
    from chatd.cli import dependencies
    from chatd.config import load

    config = load(embedded=True)
    if not embedded:
        return stack.enter_context(dependencies.with_servers(config))
    try:
        from chatd.embedded.lifecycle import private_servers
    except ImportError as error:
        fail(f"{error.name} is missing: pip install '.[embedded]' in the checkout")
    from chatd.backup.settings import write_embedded_secret

    if "JWT_SECRET" in secrets and not config.jwt_secret:
        write_embedded_secret(config, secrets["JWT_SECRET"])
    return stack.enter_context(private_servers(config, share=False))


def _restore(
    sources: Sources, config: Config, pg_bindir: Path | None, progress: Progress
) -> Restored:
    from chatd.backup import restore as restoring
    from chatd.cli import archives

    return archives.run(restoring.restore(sources, config, progress, pg_bindir=pg_bindir))


def _question(archive: Archive) -> str:
    made = f"{archive.header.created_at:%Y-%m-%d %H:%M} UTC"
    return f"Restore the backup of {made} into the database of these settings?"


def _print(archive: Archive, done: Restored, *, json: bool) -> None:
    from chatd.cli import output

    facts = {
        "id": archive.header.id,
        "created_at": archive.header.created_at,
        "messages": done.manifest.tables.get("messages", 0),
        "files": done.manifest.files,
        "written_files": done.written_files,
        "missing_files": done.manifest.missing,
        "migrated": done.migrated,
        "was_restored": done.was_restored,
    }
    sentence = (
        f"Restored {facts['messages']} messages and {done.manifest.files} files of"
        f" {archive.header.created_at:%Y-%m-%d %H:%M} UTC. All rows and files were checked."
    )
    output.done(sentence, facts, json=json)
