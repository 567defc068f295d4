"""The bundled samples are what samples.json says they are."""

from __future__ import annotations

import functools
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import soundfile

FOLDER = Path(__file__).parents[2] / "samples"
MANIFEST = json.loads((FOLDER / "samples.json").read_text(encoding="utf-8"))
RECORDINGS: dict[str, dict[str, Any]] = {entry["file"]: entry for entry in MANIFEST["recordings"]}
KINDS = {kind["name"]: kind for kind in MANIFEST["sets"]}
TOTAL_MAX_BYTES = 8 << 20
FILE_MAX_BYTES = 1 << 20

Pcm = npt.NDArray[np.int16]


@functools.cache
def read(file: str) -> Pcm:
    samples, rate_hz = soundfile.read(FOLDER / file, dtype="int16", always_2d=True)
    assert rate_hz == RECORDINGS[file]["sample_rate_hz"]
    assert samples.shape[1] == 1
    return np.ascontiguousarray(samples[:, 0])


def of_kind(name: str) -> list[str]:
    return [file for file, entry in RECORDINGS.items() if entry["set"] == name]


def clean_of(file: str) -> str:
    language, _, take = file.split("/")
    return f"{language}/clean/{take}"


def rms_db(samples: npt.NDArray[np.float64]) -> float:
    return 10 * float(np.log10(np.mean((samples / 32768) ** 2)))


def frame_levels_db(file: str, frame_s: float = 0.02) -> npt.NDArray[np.float64]:
    samples = read(file).astype(np.float64) / 32768
    length = round(frame_s * RECORDINGS[file]["sample_rate_hz"])
    frames = samples[: len(samples) // length * length].reshape(-1, length)
    levels: npt.NDArray[np.float64] = 10 * np.log10(np.mean(frames**2, axis=1) + 1e-12)
    return levels


def pause_db(file: str) -> float:
    """The level in the first 0.4 s, before anybody speaks."""
    return rms_db(read(file)[: round(0.4 * RECORDINGS[file]["sample_rate_hz"])].astype(np.float64))


def test_manifest_and_folder_hold_the_same_files() -> None:
    found = {path.relative_to(FOLDER).as_posix() for path in FOLDER.glob("*/*/*.flac")}
    assert found == set(RECORDINGS)
    assert len(RECORDINGS) == 2 * len(KINDS) * 3


def test_the_samples_stay_small() -> None:
    sizes = [(FOLDER / file).stat().st_size for file in RECORDINGS]
    assert max(sizes) < FILE_MAX_BYTES
    assert sum(sizes) < TOTAL_MAX_BYTES


@pytest.mark.parametrize("file", RECORDINGS)
def test_a_recording_is_what_the_manifest_says(file: str) -> None:
    entry = RECORDINGS[file]
    samples = read(file)
    assert len(samples) == entry["samples"]
    assert hashlib.sha256(samples.astype("<i2").tobytes()).hexdigest() == entry["pcm_sha256"]
    assert 5 < len(samples) / entry["sample_rate_hz"] < 12
    assert soundfile.info(FOLDER / file).subtype == "PCM_16"
    assert entry["truth"]["units_per_min"] == pytest.approx(60 * entry["units"] / entry["truth"]["speech_s"], rel=0.01)


@pytest.mark.parametrize("file", RECORDINGS)
def test_a_transcript_lies_beside_it_with_the_stated_units(file: str) -> None:
    entry = RECORDINGS[file]
    text = (FOLDER / file).with_suffix(".txt").read_text(encoding="utf-8")
    assert text == (FOLDER / clean_of(file)).with_suffix(".txt").read_text(encoding="utf-8")
    if entry["language"] == "CN":
        # 12 and 18 are read with two characters.
        assert len(re.findall(r"[一-鿿]|\d", text)) == entry["units"]
        assert not re.search(r"[,.?!;]", text)
    else:
        assert len(text.split()) == entry["units"]
        assert text.isascii()


@pytest.mark.parametrize("file", [file for file in RECORDINGS if "/clipped/" not in file])
def test_only_the_clipped_set_touches_full_scale(file: str) -> None:
    samples = read(file).astype(np.int32)
    assert np.max(np.abs(samples)) < 32768 * 10 ** (-1.5 / 20)
    assert RECORDINGS[file]["truth"]["clipped_samples"] == 0


@pytest.mark.parametrize("file", of_kind("clipped"))
def test_clipped_recordings_have_flat_tops(file: str) -> None:
    samples = read(file).astype(np.int32)
    flat = np.abs(samples) == 32767
    assert np.count_nonzero(flat) == RECORDINGS[file]["truth"]["clipped_samples"]
    edges = np.flatnonzero(np.diff(np.concatenate(([0], flat.view(np.int8), [0]))))
    runs = edges[1::2] - edges[::2]
    assert np.count_nonzero(runs >= 3) >= 20


@pytest.mark.parametrize("file", of_kind("too-quiet"))
def test_quiet_recordings_are_quiet_by_the_stated_gain(file: str) -> None:
    quiet, clean = read(file).astype(np.float64), read(clean_of(file)).astype(np.float64)
    assert rms_db(quiet) - rms_db(clean) == pytest.approx(RECORDINGS[file]["truth"]["gain_db"], abs=0.05)


@pytest.mark.parametrize("file", [*of_kind("clean"), *of_kind("noisy")])
def test_the_noise_lies_as_far_under_the_speech_as_stated(file: str) -> None:
    truth = RECORDINGS[file]["truth"]
    noise_power = 10 ** (pause_db(file) / 10)
    total_power = 10 ** (rms_db(read(file).astype(np.float64)) / 10)
    share = truth["speech_s"] / (len(read(file)) / RECORDINGS[file]["sample_rate_hz"])
    snr_db = 10 * np.log10((total_power - noise_power) / share / noise_power)
    assert snr_db == pytest.approx(truth["snr_db"], abs=1.5)


@pytest.mark.parametrize("file", of_kind("echoing"))
def test_echoing_recordings_die_away_slowly(file: str) -> None:
    level, clean_level = frame_levels_db(file), frame_levels_db(clean_of(file))
    last = int(np.flatnonzero(clean_level > -40)[-1])
    fall_db = level[last] - level[last + 4 : last + 8].mean()
    clean_fall_db = clean_level[last] - clean_level[last + 4 : last + 8].mean()
    assert fall_db < clean_fall_db - 8


@pytest.mark.parametrize("file", of_kind("too-fast"))
def test_hurried_recordings_pack_the_same_text_into_less_time(file: str) -> None:
    limit = {"CN": 320, "EN": 230}[RECORDINGS[file]["language"]]
    truth, clean_truth = RECORDINGS[file]["truth"], RECORDINGS[clean_of(file)]["truth"]
    assert truth["units_per_min"] > 1.05 * limit
    assert clean_truth["units_per_min"] < 0.9 * limit
    speaking = np.count_nonzero(frame_levels_db(file) > -50) / np.count_nonzero(frame_levels_db(clean_of(file)) > -50)
    assert speaking == pytest.approx(truth["speech_s"] / clean_truth["speech_s"], rel=0.15)


def test_every_spoiled_set_names_the_property_that_catches_it() -> None:
    assert {name: kind["caught_by"] for name, kind in KINDS.items()} == {
        "clean": None,
        "noisy": "snr",
        "echoing": "reverb",
        "too-quiet": "loudness",
        "clipped": "loudness",
        "too-fast": "speaking_rate",
    }
