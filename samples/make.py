"""Makes the sample recordings in this folder, and samples.json, which says what was done to each.

    python samples/make.py        needs flite and espeak-ng (Debian: apt-get install flite espeak-ng)

The clean sets are synthetic voices with pauses and a faint room tone. Every other set is the clean one spoiled in
one known way, so that a verdict on it can be checked against the truth.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import zlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

Samples = npt.NDArray[np.float64]

FOLDER = Path(__file__).parent
FULL_SCALE = 32767
EDGE_S = 0.5
PAUSE_S = 0.8
SPEECH_RMS_DB = -24.0
ROOM_TONE_DB = -69.0
NOISY_SNR_DB = 18.0
ECHO_C50_DB = 12.0
ECHO_RT60_S = 0.4
QUIET_GAIN_DB = -10.0
CLIPPED_GAIN_DB = 12.0


@dataclass(frozen=True)
class Take:
    """What is read, sentence by sentence, and how many characters or words are heard."""

    stem: str
    sentences: tuple[str, ...]
    units: int

    def text(self, joint: str) -> str:
        return joint.join(self.sentences)


@dataclass(frozen=True)
class Speaker:
    """A synthetic voice: `say` makes one sentence, at the normal or the hurried pace."""

    language: str
    voice: str
    joint: str
    takes: tuple[Take, ...]
    say: Callable[[str, Path, bool], list[str]]
    paces: tuple[str, str]


CHINESE = Speaker(
    language="CN",
    # Plain "cmn" of espeak-ng 1.51 spells the pinyin out in English; m6 is a variant without an echo of its own.
    voice="espeak-ng cmn-latn-pinyin+m6, pitch 55",
    joint="",
    takes=(
        Take("bakery", ("街角的面包店早上七点半开门。", "还不到七点，门口已经排起了长队。"), 27),
        Take("station", ("从这里到火车站大约有12公里。", "路上要是不堵车，二十分钟就能到。"), 28),
        Take("hills", ("周末我们打算去山里走走。", "天气预报说，星期六多云，最高气温18度。"), 28),
    ),
    # At full amplitude the synthesiser clips by itself.
    say=lambda text, wav, hurried: [
        *("espeak-ng", "-v", "cmn-latn-pinyin+m6", "-a", "60", "-p", "55", "-s", "275" if hurried else "170"),
        *("-w", str(wav), text),
    ],
    paces=("-s 170", "-s 275"),
)
ENGLISH = Speaker(
    language="EN",
    voice="flite rms",
    joint=" ",
    takes=(
        Take(
            "bakery",
            (
                "The bakery on the corner opens at half past seven.",
                "Long before that, a line of people forms on the street outside.",
            ),
            22,
        ),
        Take(
            "station",
            (
                "The railway station is 12 kilometers from here.",
                "If the roads are clear, a taxi usually takes no more than twenty minutes.",
            ),
            22,
        ),
        Take(
            "hills",
            (
                "This weekend we want to walk in the hills.",
                "The forecast says cloudy skies on Saturday morning, and a high of 18 degrees.",
            ),
            23,
        ),
    ),
    say=lambda text, wav, hurried: [
        *("flite", "-voice", "rms", "--setf", f"duration_stretch={0.57 if hurried else 1.0}"),
        *("-t", text, "-o", str(wav)),
    ],
    paces=("duration_stretch=1.0", "duration_stretch=0.57"),
)


def gain(decibels: float) -> float:
    """Decibels to amplitude ratio."""
    return float(10 ** (decibels / 20))


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(samples**2)))


def generator(*words: str) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32("/".join(words).encode()))


def room_noise(length: int, rate_hz: int, rng: np.random.Generator) -> Samples:
    """Noise of RMS 1 that falls by 6 dB per octave above 80 Hz, as in a room with something running."""
    spectrum = np.fft.rfft(rng.standard_normal(length))
    frequencies = np.fft.rfftfreq(length, 1 / rate_hz)
    spectrum /= np.maximum(frequencies / 80, 1)
    spectrum[frequencies < 20] = 0
    noise = np.fft.irfft(spectrum, length)
    return noise / rms(noise)


def room(rate_hz: int, rng: np.random.Generator) -> tuple[Samples, float]:
    """An impulse response of the stated C50: a direct sound, then a diffuse tail that decays 60 dB in ECHO_RT60_S."""
    times_s = np.arange(round(1.5 * ECHO_RT60_S * rate_hz)) / rate_hz
    tail = rng.standard_normal(len(times_s)) * 10 ** (-3 * times_s / ECHO_RT60_S)
    tail[times_s < 0.004] = 0
    early = times_s < 0.05
    early_energy, late_energy = float(np.sum(tail[early] ** 2)), float(np.sum(tail[~early] ** 2))
    tail[0] = np.sqrt(late_energy * 10 ** (ECHO_C50_DB / 10) - early_energy)
    c50_db = 10 * float(np.log10(np.sum(tail[early] ** 2) / np.sum(tail[~early] ** 2)))
    return tail / np.sqrt(np.sum(tail**2)), c50_db


def convolve(samples: Samples, response: Samples) -> Samples:
    length = len(samples) + len(response) - 1
    size = 1 << (length - 1).bit_length()
    return np.fft.irfft(np.fft.rfft(samples, size) * np.fft.rfft(response, size), size)[: len(samples)]


def spoken(speaker: Speaker, sentence: str, *, hurried: bool) -> tuple[Samples, int]:
    """One sentence without the silence around it."""
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder) / "sentence.wav"
        subprocess.run(speaker.say(sentence, wav, hurried), check=True, capture_output=True)
        samples, rate_hz = soundfile.read(wav)
    loud = np.flatnonzero(np.abs(samples) > 0.01 * np.max(np.abs(samples)))
    return samples[loud[0] : loud[-1] + 1], rate_hz


def perform(speaker: Speaker, take: Take, *, hurried: bool) -> tuple[Samples, npt.NDArray[np.bool_], int]:
    """The take at its level in silence, and where in it there is speech."""
    pieces, rate_hz = [], 0
    for sentence in take.sentences:
        samples, rate_hz = spoken(speaker, sentence, hurried=hurried)
        pieces += [samples, np.zeros(round(PAUSE_S * rate_hz))]
    edge = np.zeros(round(EDGE_S * rate_hz))
    pieces = [edge, *pieces[:-1], edge]
    speech = np.concatenate([np.full(len(piece), index % 2 == 1) for index, piece in enumerate(pieces)])
    dry = np.concatenate(pieces)
    return dry * gain(SPEECH_RMS_DB) / rms(dry[speech]), speech, rate_hz


def make_recording(speaker: Speaker, take: Take, kind: str) -> tuple[npt.NDArray[np.int16], int, dict[str, Any]]:
    """The samples, their rate, and the truth about them."""
    dry, speech, rate_hz = perform(speaker, take, hurried=kind == "too-fast")
    rng = generator(speaker.language, take.stem, kind)
    speech_s = float(np.count_nonzero(speech)) / rate_hz
    truth: dict[str, Any] = {
        "pace": speaker.paces[kind == "too-fast"],
        "speech_s": round(speech_s, 2),
        "units_per_min": round(60 * take.units / speech_s),
        "snr_db": SPEECH_RMS_DB - ROOM_TONE_DB,
        "c50_db": None,
        "gain_db": 0.0,
        "clipped_samples": 0,
    }
    noise_db = ROOM_TONE_DB
    if kind == "noisy":
        truth["snr_db"] = NOISY_SNR_DB
        noise_db = SPEECH_RMS_DB - NOISY_SNR_DB
    if kind == "echoing":
        response, c50_db = room(rate_hz, rng)
        truth["c50_db"] = round(c50_db, 2)
        dry = convolve(dry, response)
    samples = dry + gain(noise_db) * room_noise(len(dry), rate_hz, rng)
    if kind in {"too-quiet", "clipped"}:
        truth["gain_db"] = QUIET_GAIN_DB if kind == "too-quiet" else CLIPPED_GAIN_DB
        samples = samples * gain(truth["gain_db"])
    pcm = np.round(np.clip(samples, -1, 1) * FULL_SCALE).astype("<i2")
    truth["clipped_samples"] = int(np.count_nonzero(np.abs(pcm) == FULL_SCALE))
    if truth["clipped_samples"] and kind != "clipped":
        raise SystemExit(f"{speaker.language} {kind} {take.stem} clips; lower SPEECH_RMS_DB")
    return pcm, rate_hz, truth


@dataclass(frozen=True)
class Kind:
    """A set: how it was spoiled, the property that must catch it, and those that may fail as well."""

    name: str
    what: str
    caught_by: str | None = None
    may_also_fail: tuple[str, ...] = ()


KINDS = (
    Kind("clean", f"a faint room tone at {ROOM_TONE_DB:g} dBFS"),
    Kind("noisy", f"steady noise, {NOISY_SNR_DB:g} dB under the speech", "snr", ("dnsmos_bak", "dnsmos_ovrl")),
    Kind(
        "echoing",
        f"a room with a C50 of {ECHO_C50_DB:g} dB and a reverberation time of {ECHO_RT60_S:g} s",
        "reverb",
        ("dnsmos_bak", "dnsmos_ovrl"),
    ),
    Kind("too-quiet", f"gain of {QUIET_GAIN_DB:g} dB", "loudness"),
    Kind(
        "clipped", f"gain of {CLIPPED_GAIN_DB:+g} dB, cut off at full scale", "loudness", ("dnsmos_bak", "dnsmos_ovrl")
    ),
    Kind("too-fast", "the synthesiser's own hurried pace", "speaking_rate", ("dnsmos_ovrl",)),
)


def main() -> None:
    """Writes every recording, its transcript and the manifest."""
    missing = [tool for tool in ("flite", "espeak-ng") if shutil.which(tool) is None]
    if missing:
        sys.exit(f"missing: {', '.join(missing)}; on Debian: apt-get install flite espeak-ng")
    recordings = []
    for speaker in (CHINESE, ENGLISH):
        for kind in KINDS:
            folder = FOLDER / speaker.language.lower() / kind.name
            folder.mkdir(parents=True, exist_ok=True)
            for take in speaker.takes:
                pcm, rate_hz, truth = make_recording(speaker, take, kind.name)
                path = folder / f"{take.stem}.flac"
                soundfile.write(path, pcm, rate_hz, subtype="PCM_16", compression_level=1.0)
                text = take.text(speaker.joint)
                path.with_suffix(".txt").write_text(text + "\n", encoding="utf-8")
                recordings.append(
                    {
                        "file": path.relative_to(FOLDER).as_posix(),
                        "language": speaker.language,
                        "set": kind.name,
                        "voice": speaker.voice,
                        "sample_rate_hz": rate_hz,
                        "samples": len(pcm),
                        "pcm_sha256": hashlib.sha256(pcm.tobytes()).hexdigest(),
                        "units": take.units,
                        "truth": truth,
                    }
                )
            print(f"{folder.relative_to(FOLDER.parent)}: {len(speaker.takes)} recordings")
    manifest = {"sets": [asdict(kind) for kind in KINDS], "recordings": recordings}
    (FOLDER / "samples.json").write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
