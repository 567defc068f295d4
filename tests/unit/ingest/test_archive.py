"""Zips from people we do not know: true ones, broken ones, and ones that mean harm."""

from __future__ import annotations

import io
import random
import stat
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest

from tests.unit.ingest.makers import Member, write, zipped, zipped64
from voicegauge.errors import ArchiveError, NoRecordingsError, RecordingError
from voicegauge.ingest.archive import (
    DEFAULT_LIMITS,
    Archive,
    ArchiveLimits,
    ArchiveProblem,
    archive_problem_text,
    open_archive,
    read_member,
)

_SOUND = random.Random(1).randbytes(50_000)


def _open(folder: Path, content: bytes, limits: ArchiveLimits = DEFAULT_LIMITS) -> Archive:
    return open_archive(write(folder, content, "upload"), limits)


def _unpack(archive: Archive, index: int = 0) -> bytes:
    return b"".join(read_member(archive.path, archive.stamp, archive.entries[index], archive.limits))


def _archive_code(folder: Path, content: bytes, limits: ArchiveLimits = DEFAULT_LIMITS) -> str:
    with pytest.raises(ArchiveError) as caught:
        _open(folder, content, limits)
    assert str(caught.value) == archive_problem_text(ArchiveProblem(caught.value.code), limits).en
    return caught.value.code


def _member_code(folder: Path, *members: Member, limits: ArchiveLimits = DEFAULT_LIMITS) -> str:
    archive = _open(folder, zipped(*members), limits)
    with pytest.raises(RecordingError) as caught:
        _unpack(archive)
    return caught.value.code


def _standard_zip(compression: int = zipfile.ZIP_DEFLATED, comment: bytes = b"") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.mkdir("takes")
        archive.writestr("takes/一.wav", _SOUND)
        archive.writestr("takes/empty.wav", b"")
        with archive.open(zipfile.ZipInfo("takes/wide.wav"), "w", force_zip64=True) as member:
            member.write(_SOUND * 2)
        archive.comment = comment
    return buffer.getvalue()


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("comment", [b"", b"made by PK\5\6 me"])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh self-extracting\n"])
def test_reads_what_the_standard_library_writes(
    compression: int, comment: bytes, before: bytes, tmp_path: Path
) -> None:
    archive = _open(tmp_path, before + _standard_zip(compression, comment))
    assert [entry.name for entry in archive.entries] == ["takes/一.wav", "takes/empty.wav", "takes/wide.wav"]
    assert [_unpack(archive, index) for index in range(3)] == [_SOUND, b"", _SOUND * 2]


@pytest.mark.parametrize("make", [zipped, zipped64])
def test_reads_zip64(make: type, tmp_path: Path) -> None:
    content = make(("a.wav", _SOUND), Member(b"b.wav", _SOUND, method=0))
    assert zipfile.ZipFile(io.BytesIO(content)).read("b.wav") == _SOUND
    archive = _open(tmp_path, content)
    assert [_unpack(archive, index) for index in range(2)] == [_SOUND, _SOUND]


def test_reads_members_whose_sizes_follow_them(tmp_path: Path) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.content = b""

        def writable(self) -> bool:
            return True

        def write(self, piece: bytes) -> int:  # type: ignore[override]
            self.content += bytes(piece)
            return len(piece)

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.wav", _SOUND)
    assert _unpack(_open(tmp_path, pipe.content)) == _SOUND


def test_names_are_decoded(tmp_path: Path) -> None:
    gbk = "第一句.wav".encode("gbk")
    other = b"ignored"
    unicode_path = b"\1" + struct.pack("<L", zlib.crc32(other)) + "真名.wav".encode()
    archive = _open(
        tmp_path,
        zipped(
            Member(gbk),
            Member("第二句.wav".encode()),
            Member("第三句.wav".encode(), flags=0x800),
            Member(b"broken \xff.wav", flags=0x800),
            Member(other, extra=struct.pack("<HH", 0x7075, len(unicode_path)) + unicode_path),
        ),
    )
    names = [entry.name for entry in archive.entries]
    assert names == ["第一句.wav", "第二句.wav", "第三句.wav", "broken \ufffd.wav", "真名.wav"]


def test_folders_are_left_out(tmp_path: Path) -> None:
    archive = _open(tmp_path, zipped(Member(b"a/"), Member(b"b\\"), Member(b"a/b.wav")))
    assert [entry.name for entry in archive.entries] == ["a/b.wav"]


_WHOLE = zipped(("a.wav", _SOUND), ("b.wav", _SOUND))
_END_AT = _WHOLE.rfind(b"PK\5\6")


def _with_end(**fields: int) -> bytes:
    names = ("disk", "start_disk", "here", "count", "length", "offset", "comment")
    values = dict(zip(names, struct.unpack_from("<4H2LH", _WHOLE, _END_AT + 4), strict=True)) | fields
    return _WHOLE[:_END_AT] + b"PK\5\6" + struct.pack("<4H2LH", *values.values())


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "not_a_zip"),
        (b"hello", "not_a_zip"),
        (b"Rar!\x1a\7\0" + bytes(1000), "not_a_zip"),
        (_WHOLE[:1000], "truncated_archive"),
        (_WHOLE[:-5], "truncated_archive"),
        (_WHOLE[1000:], "corrupt_archive"),
        (_WHOLE.replace(b"PK\1\2", b"PK\1\3", 1), "corrupt_archive"),
        (_with_end(length=10), "corrupt_archive"),
        (_with_end(length=0xFFFFFF), "corrupt_archive"),
        (_with_end(offset=0xFFFFFFF0), "corrupt_archive"),
        (_with_end(disk=1), "split_archive"),
        (_with_end(count=20_000), "too_many_entries"),
        (_with_end(length=0xFFFFFFF0), "too_many_entries"),
        (zipped64(("a.wav", b"")).replace(b"PK\6\6", b"PK\6\0"), "corrupt_archive"),
    ],
)
def test_what_is_no_whole_archive_has_a_code(content: bytes, code: str, tmp_path: Path) -> None:
    assert _archive_code(tmp_path, content) == code


def test_entries_are_counted_not_believed(tmp_path: Path) -> None:
    limits = ArchiveLimits(entries=2)
    assert _archive_code(tmp_path, zipped(*[Member(b"x")] * 3), limits) == "too_many_entries"
    assert _archive_code(tmp_path, _with_count(zipped(*[Member(b"x")] * 3), 1), limits) == "too_many_entries"
    assert len(_open(tmp_path, zipped(*[Member(b"x")] * 2), limits).entries) == 2


def _with_count(content: bytes, count: int) -> bytes:
    at = content.rfind(b"PK\5\6")
    return content[: at + 8] + struct.pack("<2H", count, count) + content[at + 12 :]


def test_an_archive_that_is_too_large(tmp_path: Path) -> None:
    content = zipped(Member(b"a", _SOUND, method=0), Member(b"b", _SOUND, method=0))
    assert _archive_code(tmp_path, content, ArchiveLimits(total_bytes=99_999)) == "too_large"
    assert len(_open(tmp_path, content, ArchiveLimits(total_bytes=100_000)).entries) == 2


_STRICT = ArchiveLimits(ratio=100, ratio_from_bytes=2 << 20)


def test_a_bomb_of_many_members_is_refused_unopened(tmp_path: Path) -> None:
    bomb = Member(b"a.wav", bytes(1 << 20))
    assert _archive_code(tmp_path, zipped(*[bomb] * 3), _STRICT) == "suspicious_ratio"
    assert len(_open(tmp_path, zipped(*[bomb] * 2), _STRICT).entries) == 2


def test_members_that_share_their_bytes_are_a_bomb(tmp_path: Path) -> None:
    """Sixteen lines of the table of contents, all about the same kilobyte."""
    once = zipped(Member(b"a.wav", bytes(1 << 20)))
    at, end_at = once.rfind(b"PK\1\2"), once.rfind(b"PK\5\6")
    directory = once[at:end_at] * 16
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 16, 16, len(directory), at, 0)
    assert _archive_code(tmp_path, once[:at] + directory + end, _STRICT) == "suspicious_ratio"


def test_one_member_that_expands_without_end(tmp_path: Path) -> None:
    archive = _open(tmp_path, zipped(Member(b"bomb.wav", bytes(8 << 20)), Member(b"a.wav", _SOUND)))
    tracemalloc.start()
    try:
        with pytest.raises(RecordingError) as caught:
            b"".join(read_member(archive.path, archive.stamp, archive.entries[0], _STRICT))
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
    assert caught.value.code == "suspicious_ratio"
    assert _unpack(archive, 1) == _SOUND


def test_a_member_that_claims_too_much_harms_only_itself(tmp_path: Path) -> None:
    archive = _open(tmp_path, zipped64(Member(b"huge.wav", _SOUND, declared_bytes=2**62), ("a.wav", _SOUND)))
    with pytest.raises(RecordingError) as caught:
        _unpack(archive)
    assert caught.value.code == "too_large"
    assert "4 GB" in caught.value.message_en
    assert _unpack(archive, 1) == _SOUND


def test_no_member_gives_more_than_it_claims(tmp_path: Path) -> None:
    """A member that claims 10 bytes and unpacks to 5 MB gives at most 10."""
    archive = _open(tmp_path, zipped(Member(b"a.wav", bytes(5 << 20), declared_bytes=10)))
    pieces: list[bytes] = []
    with pytest.raises(RecordingError) as caught:
        pieces.extend(read_member(archive.path, archive.stamp, archive.entries[0], archive.limits))
    assert caught.value.code == "corrupt_member"
    assert sum(map(len, pieces)) <= 10


def test_what_follows_the_packed_bytes_is_not_gathered(tmp_path: Path) -> None:
    packed = zlib.compress(_SOUND, wbits=-15) + bytes(8 << 20)
    archive = _open(tmp_path, zipped(Member(b"a.wav", _SOUND, packed=packed)))
    del packed
    tracemalloc.start()
    try:
        assert _unpack(archive) == _SOUND
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()


_CUT = Member(b"a.wav", _SOUND, packed=zlib.compress(_SOUND, wbits=-15)[:-100])


@pytest.mark.parametrize(
    ("member", "code"),
    [
        (Member(b"a.wav", _SOUND, flags=1), "encrypted"),
        (Member(b"a.wav", _SOUND, method=12), "unsupported_compression"),
        (Member(b"a.wav", _SOUND, method=9), "unsupported_compression"),
        (Member(b"a.wav", _SOUND, crc32=1), "corrupt_member"),
        (Member(b"a.wav", _SOUND, method=0, crc32=1), "corrupt_member"),
        (Member(b"a.wav", _SOUND, declared_bytes=49_999), "corrupt_member"),
        (Member(b"a.wav", _SOUND, declared_bytes=50_001), "corrupt_member"),
        (Member(b"a.wav", _SOUND, packed=b"\xff" * 1000), "corrupt_member"),
        (Member(b"a.wav", _SOUND, method=0, declared_packed_bytes=2**31, declared_bytes=2**31), "corrupt_member"),
        (_CUT, "corrupt_member"),
        (Member(b"a.wav", b"/etc/passwd", unix_mode=stat.S_IFLNK | 0o777), "link"),
        (Member(b"a.wav", b"", unix_mode=stat.S_IFCHR | 0o600), "link"),
    ],
)
def test_a_bad_member_has_a_code(member: Member, code: str, tmp_path: Path) -> None:
    assert _member_code(tmp_path, member) == code


def test_a_member_that_points_elsewhere_is_corrupt(tmp_path: Path) -> None:
    content = zipped(("a.wav", _SOUND))
    offset_at = content.rfind(b"PK\1\2") + 42
    for offset in (5, len(content) - 10, 2**32 - 2):
        archive = _open(tmp_path, content[:offset_at] + struct.pack("<L", offset) + content[offset_at + 4 :])
        with pytest.raises(RecordingError) as caught:
            _unpack(archive)
        assert caught.value.code == "corrupt_member"


def test_ordinary_unix_modes_are_files(tmp_path: Path) -> None:
    archive = _open(
        tmp_path, zipped(Member(b"a.wav", _SOUND, unix_mode=stat.S_IFREG | 0o644), Member(b"b", unix_mode=0))
    )
    assert not any(entry.is_link for entry in archive.entries)
    assert _unpack(archive) == _SOUND


def test_pieces_are_small(tmp_path: Path) -> None:
    archive = _open(tmp_path, zipped(Member(b"a.wav", bytes(1 << 20)), Member(b"b.wav", bytes(1 << 20), method=0)))
    for entry in archive.entries:
        pieces = list(read_member(archive.path, archive.stamp, entry, archive.limits))
        assert max(map(len, pieces)) <= 256 << 10
        assert sum(map(len, pieces)) == 1 << 20


def test_an_archive_that_was_replaced_or_removed(tmp_path: Path) -> None:
    archive = _open(tmp_path, zipped(("a.wav", _SOUND)))
    archive.path.write_bytes(zipped(("a.wav", _SOUND[:100])))
    with pytest.raises(RecordingError) as changed:
        _unpack(archive)
    assert changed.value.code == "changed"
    archive.path.unlink()
    with pytest.raises(RecordingError) as missing:
        _unpack(archive)
    assert missing.value.code == "missing"
    with pytest.raises(NoRecordingsError, match="upload"):
        open_archive(archive.path)


@pytest.mark.parametrize("problem", ArchiveProblem)
def test_every_problem_has_sentences_in_both_languages(problem: ArchiveProblem) -> None:
    text = archive_problem_text(problem, ArchiveLimits(entries=7, total_bytes=3 << 30))
    assert text.zh.endswith("。")
    assert text.en.endswith(".")
    assert "{" not in text.zh + text.en
