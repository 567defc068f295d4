"""Recordings found under paths: files, folders, and zips."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Generic, TypeVar

from voicegauge.assessment.profile import Ignored
from voicegauge.assessment.values import Text
from voicegauge.errors import ArchiveError, NoRecordingsError, RecordingError
from voicegauge.ingest.archive import (
    DEFAULT_LIMITS,
    Archive,
    ArchiveLimits,
    ArchiveProblem,
    archive_error,
    open_archive,
)
from voicegauge.ingest.names import clean_name, is_hidden, natural_key, stem_of, suffix_of, unique_names
from voicegauge.ingest.problems import RecordingProblem, recording_error
from voicegauge.ingest.source_kinds import FileSource, MemberSource, Source, UnreadableSource
from voicegauge.ingest.zipdir import Entry

__all__ = ["Collection", "FileSource", "MemberSource", "Source", "UnreadableSource", "collect", "collect_archive"]

_DECODABLE = ".wav .wave .bwf .rf64 .w64 .flac .mp3 .ogg .oga .opus .aif .aiff .aifc .caf .au .m4a .m4b .mp4 .aac"
# Sound of kinds we cannot read, or not always: named in the result, since leaving it out would look like a pass.
_OTHER_SOUND = ".mov .3gp .wma .amr .webm .mka .ape .wv"
_RECORDING_SUFFIXES = frozenset((_DECODABLE + " " + _OTHER_SOUND).split())
_ARCHIVE_SUFFIXES = frozenset({".zip", ".rar", ".7z", ".tar", ".gz", ".tgz"})
_TRANSCRIPT_SUFFIX = ".txt"
_NOT_A_RECORDING = Text("不是录音文件，没有评估。", "Not a recording, so it was not assessed.")

_T = TypeVar("_T")


@dataclass(frozen=True)
class Collection:
    """What was found, in natural order.

    Attributes
    ----------
    sources : tuple of Source
        Each with `name` (a relative path with forward slashes, unique here), `size_bytes` and `open()`.
    ignored : tuple of Ignored
        Files among the recordings that are none. Transcripts and hidden files are not listed.
    """

    sources: tuple[Source, ...]
    ignored: tuple[Ignored, ...]


def collect(paths: Sequence[Path]) -> Collection:
    """Find the recordings under files, folders and zips, and the transcripts beside them.

    A folder is searched with its subfolders and the zips in it. What lies under one path is named relative to it;
    under several, the name of the folder or zip comes first. A transcript is a .txt with a recording's stem,
    whatever the case.

    Raises
    ------
    NoRecordingsError
        A path does not exist, or there is no recording under any of them.
    ArchiveError
        A zip among `paths` cannot be used. One inside a folder becomes a source that cannot be read.
    """
    if len(paths) == 1 and _is_zip(paths[0]):
        return collect_archive(paths[0])
    found = _Found()
    for path, prefix in zip(paths, _prefixes(paths), strict=True):
        if path.is_dir():
            _add_folder(found, path, prefix)
        elif _is_zip(path):
            _add_archive(found, open_archive(path), prefix)
        elif path.exists():
            _add_file(found, path)
        else:
            raise NoRecordingsError(f"{path}: there is no such file or folder")
    collection = found.collection()
    if not collection.sources:
        looked_in = ", ".join(map(str, paths)) or "no path"
        raise NoRecordingsError(
            f"{looked_in}: no recordings found; looked for {_DECODABLE.replace('.', '')} files, and zips of them"
        )
    return collection


def collect_archive(path: Path, limits: ArchiveLimits = DEFAULT_LIMITS) -> Collection:
    """Find the recordings in one zip, whatever the file is called; sources are named as its members.

    Raises
    ------
    ArchiveError
        The archive cannot be judged as a whole: also when there is no recording in it, or every one is encrypted.
    """
    found = _Found()
    _add_archive(found, open_archive(path, limits), "")
    collection = found.collection()
    if not collection.sources:
        raise archive_error(ArchiveProblem.NO_RECORDINGS, limits)
    if all(isinstance(source, MemberSource) and source.entry.encrypted for source in collection.sources):
        raise archive_error(ArchiveProblem.ENCRYPTED, limits)
    return collection


class _Found:
    """Sources under names that may still clash."""

    def __init__(self) -> None:
        self._sources: list[Source] = []
        self._ignored: list[Ignored] = []

    def add(self, source: Source) -> None:
        self._sources.append(source)

    def add_unreadable(self, name: str, size_bytes: int, problem: RecordingProblem) -> None:
        self._sources.append(UnreadableSource(name, size_bytes, recording_error(problem)))

    def ignore(self, name: str) -> None:
        self._ignored.append(Ignored(name, _NOT_A_RECORDING))

    def collection(self) -> Collection:
        sources = sorted(self._sources, key=lambda source: natural_key(source.name))
        names = unique_names(source.name for source in sources)
        return Collection(
            tuple(replace(source, name=name) for source, name in zip(sources, names, strict=True)),
            tuple(sorted(self._ignored, key=lambda ignored: natural_key(ignored.name))),
        )


class _Transcripts(Generic[_T]):
    """Text files by the stem of the recordings they belong to."""

    def __init__(self) -> None:
        self._exact: dict[str, _T] = {}
        self._caseless: dict[str, _T] = {}

    def add(self, name: str, text: _T) -> None:
        self._exact.setdefault(stem_of(name), text)
        self._caseless.setdefault(stem_of(name).casefold(), text)

    def beside(self, name: str) -> _T | None:
        return self._exact.get(stem_of(name)) or self._caseless.get(stem_of(name).casefold())


def _prefixes(paths: Sequence[Path]) -> list[str]:
    if len(paths) == 1:
        return [""]
    names = [clean_name(path.name or path.resolve().name) for path in paths]
    if len(set(names)) < len(names):
        names = [clean_name(path.as_posix()) for path in paths]
    return [f"{name}/" for name in names]


def _add_file(found: _Found, path: Path) -> None:
    transcripts: _Transcripts[Path] = _Transcripts()
    try:
        siblings = sorted(path.parent.iterdir())
    except OSError:
        siblings = []  # a folder may be closed while the files in it are open
    for sibling in siblings:
        if suffix_of(sibling.name) == _TRANSCRIPT_SUFFIX:
            transcripts.add(clean_name(sibling.name), sibling)
    name = clean_name(path.name)
    found.add(FileSource(name, _size(path), path, transcripts.beside(name)))


def _add_folder(found: _Found, folder: Path, prefix: str) -> None:
    transcripts: _Transcripts[Path] = _Transcripts()
    recordings: list[tuple[str, Path]] = []

    def add_closed(closed: Path) -> None:
        if closed == folder:
            raise NoRecordingsError(f"{folder}: the folder may not be opened; change its permissions")
        found.add_unreadable(prefix + _relative(closed, folder), 0, RecordingProblem.NO_ACCESS)

    for path in _walk(folder, add_closed):
        name = _relative(path, folder)
        suffix = suffix_of(name)
        if suffix in _RECORDING_SUFFIXES:
            recordings.append((name, path))
        elif suffix == _TRANSCRIPT_SUFFIX:
            transcripts.add(name, path)
        elif suffix == ".zip":
            _add_inner_archive(found, path, prefix + name)
        elif suffix in _ARCHIVE_SUFFIXES:
            found.add_unreadable(prefix + name, _size(path), RecordingProblem.NESTED_ARCHIVE)
        else:
            found.ignore(prefix + name)
    for name, path in recordings:
        found.add(FileSource(prefix + name, _size(path), path, transcripts.beside(name)))


def _add_inner_archive(found: _Found, path: Path, name: str) -> None:
    try:
        archive = open_archive(path)
    except ArchiveError as error:
        problem = RecordingError(error.code, error.message_zh, error.message_en)
        found.add(UnreadableSource(name, _size(path), problem))
    except NoRecordingsError:
        found.add_unreadable(name, _size(path), RecordingProblem.NO_ACCESS)
    else:
        _add_archive(found, archive, f"{name}/")


def _add_archive(found: _Found, archive: Archive, prefix: str) -> None:
    transcripts: _Transcripts[Entry] = _Transcripts()
    recordings: list[Entry] = []
    for entry in archive.entries:
        suffix = suffix_of(entry.name)
        if is_hidden(entry.name):
            continue
        if suffix in _RECORDING_SUFFIXES:
            recordings.append(entry)
        elif suffix == _TRANSCRIPT_SUFFIX:
            transcripts.add(entry.name, entry)
        elif suffix in _ARCHIVE_SUFFIXES:
            found.add_unreadable(prefix + entry.name, entry.size_bytes, RecordingProblem.NESTED_ARCHIVE)
        else:
            found.ignore(prefix + entry.name)
    for entry in recordings:
        found.add(
            MemberSource(
                prefix + entry.name,
                entry.size_bytes,
                archive.path,
                archive.stamp,
                archive.limits,
                entry,
                transcripts.beside(entry.name),
            )
        )


def _walk(folder: Path, on_closed: Callable[[Path], None]) -> Iterator[Path]:
    """Give the files under a folder that are not hidden; follows links, and enters each folder once."""
    entered: set[tuple[int, int]] = set()

    def report(error: OSError) -> None:
        on_closed(Path(error.filename))

    for parent, folders, files in os.walk(folder, followlinks=True, onerror=report):
        status = Path(parent).stat()
        if (status.st_dev, status.st_ino) in entered:
            folders.clear()
            continue
        entered.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        yield from (Path(parent, name) for name in sorted(files) if not is_hidden(name))


def _relative(path: Path, folder: Path) -> str:
    return clean_name(path.relative_to(folder).as_posix())


def _is_zip(path: Path) -> bool:
    if not path.is_file():
        return False
    if suffix_of(path.name) == ".zip":
        return True
    try:
        with path.open("rb") as file:
            return file.read(4) in (b"PK\3\4", b"PK\5\6")
    except OSError:
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
