"""Recordings under files, folders and zips."""

from __future__ import annotations

import errno
import io
import os
import pickle
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tests.unit.ingest.makers import Member, encoded, pcm16, read, tone, wav, write, zipped
from voicegauge.errors import ArchiveError, MachineError, NoRecordingsError, RecordingError
from voicegauge.ingest.sources import Collection, Source, collect, collect_archive

_WAV = wav(pcm16(tone(0.1)))


def _names(collection: Collection) -> list[str]:
    return [source.name for source in collection.sources]


def _ignored(collection: Collection) -> list[str]:
    return [ignored.name for ignored in collection.ignored]


def _code(source: Source) -> str:
    with pytest.raises(RecordingError) as caught, source.open() as recording:
        read(recording)
    return caught.value.code


def _transcript(source: Source) -> str | None:
    with source.open() as recording:
        return recording.transcript


def _fill(folder: Path, *names: str) -> Path:
    for name in names:
        write(folder, _WAV, name)
    return folder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_folder(tmp_path: Path) -> None:
    _fill(tmp_path, "10.wav", "2.WAV", "sub/1.flac", ".hidden.wav", ".git/1.wav", "__MACOSX/1.wav")
    write(tmp_path, b"", "notes.pdf")
    write(tmp_path, b"", "orphan.txt")
    write(tmp_path, b"", "Thumbs.db")
    collection = collect([tmp_path])
    assert _names(collection) == ["2.WAV", "10.wav", "sub/1.flac"]
    assert _ignored(collection) == ["notes.pdf"]
    assert [source.size_bytes for source in collection.sources] == [len(_WAV)] * 3
    for source in collection.sources:
        with source.open() as recording:
            assert recording.name == source.name
            assert len(read(recording)) == 1600


def test_a_zip(tmp_path: Path, temporary: Path) -> None:
    content = zipped(
        ("10.wav", _WAV),
        ("2.wav", _WAV),
        ("2.txt", "二".encode()),
        ("__MACOSX/._2.wav", b"x"),
        (".DS_Store", b"x"),
        ("readme.md", b"x"),
    )
    for path in (write(tmp_path, content, "takes.zip"), write(tmp_path, content, "object")):
        for collection in (collect([path]), collect_archive(path)):
            assert _names(collection) == ["2.wav", "10.wav"]
            assert _ignored(collection) == ["readme.md"]
            first, second = collection.sources
            assert (_transcript(first), _transcript(second)) == ("二", None)
            with first.open() as recording:
                (unpacked,) = temporary.iterdir()
                assert unpacked.stat().st_mode & 0o077 == 0
                assert "2" not in unpacked.suffix
                assert len(read(recording)) == 1600
            assert list(temporary.iterdir()) == []


def test_a_file(tmp_path: Path) -> None:
    write(tmp_path, "你好".encode(), "take.txt")
    collection = collect([write(tmp_path, _WAV, "take.wav")])
    assert _names(collection) == ["take.wav"]
    assert _transcript(collection.sources[0]) == "你好"
    assert _code(collect([write(tmp_path, b"nonsense", "notes.xyz")]).sources[0]) == "not_audio"


def test_several_paths_keep_apart(tmp_path: Path) -> None:
    _fill(tmp_path, "a/1.wav", "b/1.wav", "1.wav")
    archive = write(tmp_path, zipped(("1.wav", _WAV)), "c.zip")
    collection = collect([tmp_path / "b", tmp_path / "a", archive, tmp_path / "1.wav"])
    assert _names(collection) == ["1.wav", "a/1.wav", "b/1.wav", "c.zip/1.wav"]


def test_several_paths_of_one_name_keep_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(_fill(tmp_path, "a/takes/1.wav", "b/takes/1.wav"))
    assert _names(collect([Path("a/takes"), Path("b/takes")])) == ["a/takes/1.wav", "b/takes/1.wav"]
    assert _names(collect([Path("a/takes/1.wav"), Path("b/takes/1.wav")])) == ["1.wav", "1 (2).wav"]


def test_zips_in_folders_are_opened_and_broken_ones_named(tmp_path: Path) -> None:
    write(tmp_path, zipped(("1.wav", _WAV)), "sub/good.zip")
    write(tmp_path, zipped(("1.wav", _WAV))[:50], "cut.zip")
    write(tmp_path, b"Rar!", "takes.rar")
    collection = collect([tmp_path])
    assert _names(collection) == ["cut.zip", "sub/good.zip/1.wav", "takes.rar"]
    cut, good, other = collection.sources
    assert (_code(cut), _code(other)) == ("truncated_archive", "nested_archive")
    with good.open() as recording:
        assert len(read(recording)) == 1600


def test_a_zip_in_a_zip_stays_closed(tmp_path: Path) -> None:
    inner = zipped(("2.wav", _WAV))
    collection = collect_archive(write(tmp_path, zipped(("1.wav", _WAV), ("inner.zip", inner))))
    assert _names(collection) == ["1.wav", "inner.zip"]
    assert _code(collection.sources[1]) == "nested_archive"


def test_one_bad_member_leaves_the_rest(tmp_path: Path, temporary: Path) -> None:
    content = zipped(
        Member(b"1.wav", _WAV, crc32=7),
        Member(b"2.wav", _WAV),
        Member(b"3.wav", _WAV, flags=1),
        Member(b"4.wav", b"not sound at all"),
        Member(b"5.wav", b""),
        Member(b"6.wav", _WAV[: len(_WAV) // 2]),
    )
    sources = collect_archive(write(tmp_path, content)).sources
    bad = {source.name: _code(source) for source in sources if source.name not in ("2.wav", "6.wav")}
    assert bad == {"1.wav": "corrupt_member", "3.wav": "encrypted", "4.wav": "not_audio", "5.wav": "empty"}
    with sources[1].open() as whole, sources[5].open() as cut:
        assert len(read(whole)) == 1600
        assert [finding.kind for finding in cut.findings] == ["truncated"]
    assert list(temporary.iterdir()) == []


def test_harmful_and_equal_names_are_shown_harmless_and_apart(tmp_path: Path, temporary: Path) -> None:
    content = zipped(
        Member(b"../../evil.wav", _WAV),
        Member(b"/evil.wav", _WAV),
        Member(b"C:\\evil.wav", _WAV),
        Member(b"CON.wav", _WAV),
        Member("一.wav".encode("gbk"), _WAV),
        Member("一.txt".encode("gbk"), "第一句".encode("gbk")),
    )
    sources = collect_archive(write(tmp_path, content)).sources
    assert [source.name for source in sources] == ["CON.wav", "evil.wav", "evil (2).wav", "evil (3).wav", "一.wav"]
    for source in sources:
        with source.open() as recording:
            assert [path.parent for path in temporary.rglob("*")] == [temporary]
            assert len(read(recording)) == 1600
    assert _transcript(sources[-1]) == "第一句"


@pytest.mark.parametrize(
    "raw",
    [
        "你好，世界".encode(),
        "你好，世界".encode("utf-8-sig"),
        "你好，世界".encode("utf-16"),
        "\ufeff你好，世界\r\n".encode("utf-16-be"),
        "你好，世界".encode("gb18030"),
    ],
)
def test_transcripts_in_every_usual_encoding(raw: bytes, tmp_path: Path) -> None:
    write(tmp_path, raw, "TAKE.Txt")
    assert _transcript(collect([_fill(tmp_path, "take.wav")]).sources[0]) == "你好，世界"


def test_the_transcript_in_the_same_folder_and_case_wins(tmp_path: Path) -> None:
    _fill(tmp_path, "take.wav", "TAKE.wav", "sub/take.flac")
    write(tmp_path, b"small", "take.txt")
    write(tmp_path, b"large", "TAKE.txt")
    sources = {source.name: source for source in collect([tmp_path]).sources}
    assert _transcript(sources["take.wav"]) == "small"
    assert _transcript(sources["TAKE.wav"]) == "large"
    assert _transcript(sources["sub/take.flac"]) is None


@pytest.mark.parametrize("raw", [b"\x00\x01\x02", b"\xff\xff\xff\xff", b"\xff\xfea", b"word " * 300_000])
def test_a_transcript_that_cannot_be_read_is_a_finding(raw: bytes, tmp_path: Path) -> None:
    write(tmp_path, raw, "take.txt")
    packed = write(tmp_path / "zip", zipped(("take.wav", _WAV), ("take.txt", raw)))
    for collection in (collect([_fill(tmp_path, "take.wav") / "take.wav"]), collect_archive(packed)):
        with collection.sources[0].open() as recording:
            assert recording.transcript is None
            assert [finding.kind for finding in recording.findings] == ["transcript_unreadable"]


def test_an_empty_transcript_is_none(tmp_path: Path) -> None:
    write(tmp_path, b"\xef\xbb\xbf \n", "take.txt")
    with collect([_fill(tmp_path, "take.wav")]).sources[0].open() as recording:
        assert (recording.transcript, recording.findings) == (None, ())


def test_sources_travel_to_other_processes(tmp_path: Path) -> None:
    _fill(tmp_path, "1.wav")
    write(tmp_path, zipped(("2.wav", _WAV), ("2.txt", b"two"), ("x.zip", b"")), "a.zip")
    sources = pickle.loads(pickle.dumps(collect([tmp_path]).sources))  # noqa: S301 # our own bytes
    assert [source.name for source in sources] == ["1.wav", "a.zip/2.wav", "a.zip/x.zip"]
    with sources[0].open() as file, sources[1].open() as member:
        assert np.array_equal(read(file), read(member))
    assert _code(sources[2]) == "nested_archive"


def test_loops_of_links_end(tmp_path: Path) -> None:
    _fill(tmp_path, "sub/1.wav")
    (tmp_path / "sub" / "again").symlink_to(tmp_path)
    (tmp_path / "sub" / "gone.wav").symlink_to(tmp_path / "nowhere.wav")
    collection = collect([tmp_path])
    assert _names(collection) == ["sub/1.wav", "sub/gone.wav"]
    assert _code(collection.sources[1]) == "missing"


def test_paths_that_lead_nowhere(tmp_path: Path) -> None:
    with pytest.raises(NoRecordingsError, match=r"gone\.wav"):
        collect([_fill(tmp_path, "1.wav"), tmp_path / "gone.wav"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(NoRecordingsError, match=r"empty: no recordings found; looked for wav"):
        collect([tmp_path / "empty"])
    with pytest.raises(NoRecordingsError):
        collect([])


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (zipped(), "no_recordings"),
        (zipped(("readme.md", b""), ("a.txt", b""), ("__MACOSX/a.wav", b"")), "no_recordings"),
        (zipped(Member(b"1.wav", flags=1), Member(b"2.wav", flags=1), Member(b"2.txt")), "encrypted"),
        (b"nonsense", "not_a_zip"),
    ],
)
def test_an_archive_without_a_recording_to_judge(content: bytes, code: str, tmp_path: Path) -> None:
    path = write(tmp_path, content, "takes.zip")
    with pytest.raises(ArchiveError) as alone:
        collect([path])
    with pytest.raises(ArchiveError) as upload:
        collect_archive(path)
    assert (alone.value.code, upload.value.code) == (code, code)


def test_names_that_are_no_text_can_be_shown(tmp_path: Path) -> None:
    try:
        write(tmp_path, _WAV, os.fsdecode(b"\xff.wav"))
    except OSError:
        pytest.skip("this file system takes only UTF-8 names")
    (source,) = collect([tmp_path]).sources
    assert source.name == "\ufffd.wav"
    with source.open() as recording:
        assert len(read(recording)) == 1600


def test_a_full_disk_is_the_machines_fault(tmp_path: Path, temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (source,) = collect_archive(write(tmp_path, zipped(("1.wav", _WAV)))).sources

    class FullFile(io.FileIO):
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", lambda descriptor, *_, **__: FullFile(descriptor, "wb"))
        with pytest.raises(MachineError, match=f"{temporary}.*No space left"), source.open():
            pass
    assert list(temporary.iterdir()) == []
    temporary.rmdir()
    with pytest.raises(MachineError, match=str(temporary)), source.open():
        pass


def test_other_kinds_of_sound_are_named_not_ignored(tmp_path: Path) -> None:
    write(tmp_path, b"#!AMR\n" + bytes(100), "memo.amr")
    write(tmp_path, encoded(tone(), "FLAC"), "mislabelled.m4a")
    sources = collect([tmp_path]).sources
    assert _code(sources[0]) == "unsupported_format"
    with sources[1].open() as recording:
        assert len(read(recording)) == 8000
