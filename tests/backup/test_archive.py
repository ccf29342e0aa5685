"""Archives that are cut short, altered or hostile: reading them fails with one line."""

from __future__ import annotations

import hashlib
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from chatd.backup import manifest
from chatd.backup.archive import PART_BYTES, Archive, ArchiveWriter
from chatd.backup.destination import opened
from chatd.backup.errors import BackupError, InvalidArchive, WrongPassphrase
from chatd.backup.manifest import ArchiveName, Entry
from chatd.backup.restore import Sources, verified
from chatd.backup.secrets import decrypt, encrypt
from chatd.backup.tar import MAX_MEMBER_BYTES, TarWriter
from tests.helpers.archives import DUMP, FILES, SilentProgress, archive_bytes, fill, header_of


def read_all(data: bytes, *bases: bytes) -> dict[str, bytes]:
    """Read archives as a restore does. Returns the files. Raises BackupError."""
    archive = Archive(io.BytesIO(data), None)
    others = [Archive(io.BytesIO(base), None) for base in bases]
    with verified(Sources(archive, others), SilentProgress()) as (_, files):
        assert b"".join(archive.dump()) == DUMP
        found = {}
        for each in (archive, *others):
            for member in each.files():
                wanted = files.get(manifest.require_key(member.name))
                if wanted is not None and wanted.archive == each.header.id:
                    found[wanted.key] = member.content(at_most=MAX_MEMBER_BYTES)
        return found


def test_archive_is_what_was_written() -> None:
    data = archive_bytes()
    assert read_all(data) == FILES
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:  # any tar reads it
        assert tar.getnames()[0] == "backup.json"
        assert "files/attachments/1" in tar.getnames()


def test_archive_cut_short_anywhere_is_refused() -> None:
    data = archive_bytes()
    cuts = {*range(0, len(data), 512), *range(0, len(data), 97), len(data) - 1}
    for cut in sorted(cuts):
        with pytest.raises(InvalidArchive):
            read_all(data[:cut])


def test_any_altered_byte_is_noticed() -> None:
    data = archive_bytes()
    for at in range(0, len(data), 11):
        altered = bytearray(data)
        altered[at] ^= 1 << (at % 8)
        with pytest.raises(InvalidArchive):
            read_all(bytes(altered))


def test_appended_data_is_refused() -> None:
    data = archive_bytes()
    for more in (b"x", bytes(512), data):
        with pytest.raises(InvalidArchive):
            read_all(data + more)


def test_archive_of_a_newer_format_names_the_version_to_install() -> None:
    data = archive_bytes(header_of(version=2, chatd="7.8.9"))
    with pytest.raises(InvalidArchive, match=r"format 2.* install chatd 7\.8\.9 or later"):
        read_all(data)


@pytest.mark.parametrize(
    "name",
    [
        "files/../../etc/passwd",
        "files//etc/passwd",
        "files/attachments/../1",
        "files/attachments/1/..",
        "files/attachments/1/2/3/4",
        "files/attachments/" + "1" * 41,
        "files/attachments/1.partial",
        "files/attachments/\N{DEVANAGARI DIGIT ONE}",
        "files/",
        "/etc/passwd",
        "../x",
        "database",
        "unknown",
    ],
)
def test_name_that_chatd_does_not_give_is_refused(name: str) -> None:
    target = io.BytesIO()
    writer = ArchiveWriter(target, header_of())
    try:
        writer.add(name, b"hostile")
    except UnicodeEncodeError:
        return  # such a name cannot even be written
    writer.finish({}, "")
    with pytest.raises(InvalidArchive):
        read_all(target.getvalue())


def _member(change: Callable[[tarfile.TarInfo], None]) -> bytes:
    """Return an archive whose second member has another header than `chatd backup` writes."""
    data = archive_bytes()
    first = 512 + -(-int(data[124:135], 8) // 512) * 512
    info = tarfile.TarInfo("files/attachments/9")
    change(info)
    return data[:first] + info.tobuf(tarfile.GNU_FORMAT) + data[first:]


@pytest.mark.parametrize(
    "fields",
    [
        {"type": tarfile.SYMTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.LNKTYPE, "linkname": "/etc/passwd"},
        {"type": tarfile.DIRTYPE},
        {"type": tarfile.CHRTYPE},
        {"type": tarfile.XHDTYPE, "size": 2**60},
        {"type": tarfile.GNUTYPE_LONGNAME, "size": 2**60},
        {"type": tarfile.GNUTYPE_SPARSE},
        {"size": 2**60},
        {"size": 2**33},
        {"size": 2**33 - 1},
    ],
    ids=str,
)
def test_member_of_another_kind_or_absurd_size_is_refused(fields: dict[str, object]) -> None:
    def change(info: tarfile.TarInfo) -> None:
        for name, value in fields.items():
            setattr(info, name, value)

    with pytest.raises(InvalidArchive):
        read_all(_member(change))


def test_compression_bomb_is_refused() -> None:
    target = io.BytesIO()
    writer = ArchiveWriter(target, header_of())
    bomb = zstandard.ZstdCompressor().compress(bytes(PART_BYTES * 64))
    writer.add(f"{manifest.DATABASE}1.zst", bomb)
    endless = zstandard.ZstdCompressor(write_content_size=False).compress(bytes(PART_BYTES * 64))
    writer.add(f"{manifest.DATABASE}2.zst", endless)
    writer.finish({}, "")
    parts = Archive(io.BytesIO(target.getvalue()), None).dump()
    with pytest.raises(InvalidArchive, match="too large"):
        next(parts)


@pytest.mark.parametrize(
    "entries",
    [
        [Entry("files/attachments/1", 1, "0" * 64)],
        [Entry("files/attachments/2", 7, "0" * 64)],
        [],
        [Entry("files/attachments/1", missing=True)],
        [Entry("files/attachments/1", 7, "0" * 64), Entry("files/attachments/2", 7, "0" * 64)],
    ],
)
def test_index_that_differs_from_the_members_is_refused(entries: list[Entry]) -> None:
    target = io.BytesIO()
    writer = ArchiveWriter(target, header_of())
    writer._tar.add("files/attachments/1", b"hostile")
    writer._entries.extend(entries)
    writer.finish({}, "")
    with pytest.raises(InvalidArchive):
        read_all(target.getvalue())


_DEEP = b"[" * 100_000 + b"]" * 100_000


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"2026-01-02T00:00:00Z"', b'"2026-01-02T00:00:00"'),  # cannot be compared with a clock
        (b'{"', b'{"more":%b,"' % _DEEP),
    ],
    ids=["time without a zone", "nested"],
)
def test_absurd_header_is_refused(old: bytes, new: bytes) -> None:
    text = manifest.encode(header_of()).partition(b"\n")[0]
    assert old in text
    hostile = text.replace(old, new, 1)
    with pytest.raises(InvalidArchive):
        manifest.decode_header(hostile + f"\n{hashlib.sha256(hostile).hexdigest()}\n".encode())


@pytest.mark.parametrize("size", [-1, MAX_MEMBER_BYTES + 1, 2**63, 2**64], ids=str)
def test_absurd_size_of_a_file_elsewhere_is_refused(size: int) -> None:
    """No member shows that it is wrong, and no table can hold it."""
    target = io.BytesIO()
    writer = ArchiveWriter(target, header_of())
    writer.refer("attachments/1", size, "0" * 64, "2" * 32)
    writer.finish({}, "")
    with pytest.raises(InvalidArchive, match="index of the archive is invalid"):
        Archive(io.BytesIO(target.getvalue()), None).read_index(lambda _: None)


def test_nested_index_is_refused() -> None:
    with pytest.raises(InvalidArchive):
        manifest.decode_index(b'{"name":"x","more":%b}\n' % _DEEP)


@pytest.mark.parametrize(
    "settings",
    [
        b"",
        b"[]",
        b"{",
        b'{"PORT":1}',
        b'{"PORT":null}',
        b'{"A=1\\nDATABASE_URL":"x"}',
        b'{"":"x"}',
        b'{"PORT\\n":"x"}',
        b'{"PORT":"1\\u0000"}',
        _DEEP,
    ],
    ids=lambda settings: settings[:20].decode(),
)
def test_absurd_settings_are_refused(settings: bytes) -> None:
    """They become lines of a file."""
    with pytest.raises(InvalidArchive):
        manifest.decode_settings(settings)


def test_settings_are_read() -> None:
    assert manifest.decode_settings(b'{"PORT":"1\\n2"}') == {"PORT": "1\n2"}


def test_file_named_twice_is_refused() -> None:
    target = io.BytesIO()
    writer = ArchiveWriter(target, header_of())
    fill(writer, FILES)
    fill(writer, FILES)
    writer.finish({}, "")
    with pytest.raises(InvalidArchive, match="twice"):
        read_all(target.getvalue())


def test_large_index_is_written_in_parts() -> None:
    files = {f"attachments/{number}": b"" for number in range(manifest.INDEX_ENTRIES * 2 + 1)}
    data = archive_bytes(files=files)
    assert read_all(data).keys() == files.keys()
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert sum(name.startswith("index/") for name in tar.getnames()) == 3


def test_file_that_vanishes_while_it_is_copied_is_noted_as_missing() -> None:
    target = io.BytesIO()
    writer = ArchiveWriter(target, header_of())
    fill(writer, {})
    file = writer.begin_file("attachments/1", 1000)
    file.write(b"only a part")
    writer.end_file(file)
    writer.missing("attachments/2")
    found = writer.finish({}, "")
    assert (found.files, found.missing) == (0, 2)
    assert read_all(target.getvalue()) == {}


def _incremental() -> tuple[bytes, bytes]:
    base = archive_bytes(header_of("1" * 32), {"attachments/1": b"old"})
    target = io.BytesIO()
    bases = [ArchiveName("1" * 32, "base.tar")]
    writer = ArchiveWriter(target, header_of("2" * 32, bases=bases))
    fill(writer, {"attachments/2": b"new"})
    entries: list[Entry] = []
    Archive(io.BytesIO(base), None).read_index(entries.append)
    [old] = [each for each in entries if each.key]
    writer.refer("attachments/1", old.size, old.sha256, "1" * 32)
    writer.finish({}, "")
    return base, target.getvalue()


def test_incremental_archive_needs_the_earlier_one() -> None:
    base, later = _incremental()
    assert read_all(later, base) == {"attachments/1": b"old", "attachments/2": b"new"}
    with pytest.raises(BackupError, match=r"earlier one \(base\.tar\).*--base"):
        read_all(later)
    other = archive_bytes(header_of("1" * 32), {"attachments/1": b"odd"})
    with pytest.raises(InvalidArchive, match="another file"):
        read_all(later, other)
    lacking = archive_bytes(header_of("1" * 32), {"attachments/3": b"old"})
    with pytest.raises(InvalidArchive, match="1 files of this backup are missing in base"):
        read_all(later, lacking)


def test_other_files_are_no_archives(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.add(__file__, "backup.json")
    (tmp_path / "text").write_text("hello " * 1000)
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "zeros").write_bytes(bytes(10240))
    for name in ("other.tar", "text", "empty", "zeros"):
        with pytest.raises(InvalidArchive, match=name), opened(str(tmp_path / name)):
            pass
    for name in (str(tmp_path), str(tmp_path / "nowhere")):
        with pytest.raises(BackupError), opened(name):
            pass


def test_writer_refuses_more_than_a_header_says() -> None:
    tar = TarWriter(io.BytesIO(), mtime=0)
    tar.begin("a", 3)
    with pytest.raises(ValueError, match="longer"):
        tar.write(b"four")


def test_secrets_need_their_passphrase_and_their_archive() -> None:
    secrets = {"JWT_SECRET": "a secret of the tests"}
    sealed = encrypt(secrets, "a passphrase", "1" * 32)
    assert decrypt(sealed, "a passphrase", "1" * 32) == secrets
    assert b"secret of the tests" not in sealed
    assert sealed != encrypt(secrets, "a passphrase", "1" * 32)
    for phrase, archive_id in (("another passphrase", "1" * 32), ("a passphrase", "2" * 32)):
        with pytest.raises(WrongPassphrase):
            decrypt(sealed, phrase, archive_id)
    with pytest.raises(WrongPassphrase):
        decrypt(sealed[:-1], "a passphrase", "1" * 32)
    for broken in (b"", b"x" * 100, sealed[:44]):
        with pytest.raises(InvalidArchive):
            decrypt(broken, "a passphrase", "1" * 32)
