"""Fits the networks that tell C50 from how speech dies away, and writes them into the package.

    python bench/fit_reverb.py DRY_FOLDER [--leave-out NAME,NAME] [--rooms FILE] [--samples N]

DRY_FOLDER holds dry recordings (FLAC or WAV), one speaker to a name up to the first "-". Rooms and booths are simulated
with pyroomacoustics (image sources and ray tracing) and kept in the file given by --rooms; every sample is some seconds
of a speaker in a room, with directivity, linings, colour, tempo and noise varied. A quarter of the speakers and of the
rooms is kept out of a first fit, on which the printed error table is made; the networks that are written are fitted on
all speakers but those named with --leave-out, and on all rooms.

The C50 to be found is that above 88 Hz, the lower edge of the lowest octave band of ISO 3382-1. In simulated impulse
responses all reflections have one sign and add up below that, where no voice is: the C50 of the whole response lies up
to 11 dB lower, and nothing in the speech tells by how much. The networks give C50 in four bands, each with its own
truth, and the whole follows from the energies.

Needs scipy, soundfile and, where the rooms are made anew, `pip install pyroomacoustics`. Half an hour on one core.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import hashlib
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import soundfile
from scipy.fft import next_fast_len
from scipy.signal import fftconvolve, firwin, resample_poly

from voicegauge.assessment.decay import DecayWindows, features, pool
from voicegauge.assessment.filters import StreamFilter, butterworth

Floats: TypeAlias = npt.NDArray[np.float64]

RATE_HZ = 16_000
WEIGHTS = Path(__file__).parents[1] / "src/voicegauge/assessment/data/reverb_weights.py"
SEED = 1

LOWEST_DB, HIGHEST_DB = -5.0, 40.0
LOWEST_BAND_DB, HIGHEST_BAND_DB = -8.0, 45.0
EDGES_HZ = (88.0, 827.0, 1900.0, 3730.0, 8000.0)
"""Of the bands in which C50 is found: where the groups of bands in `voicegauge.assessment.decay` meet."""
SHARES = np.diff(EDGES_HZ) / (EDGES_HZ[-1] - EDGES_HZ[0])
"""Of the energy of an impulse response, which is nearly white: the direct sound is."""

DRY_SHARE, SHAPED_SHARE = 0.08, 0.6
DRY_C50_DB = 60.0
OCTAVES_HZ = np.array([125.0, 250, 500, 1000, 2000, 4000, 6500])
NETWORKS, HIDDEN = 6, (32, 16)
EPOCHS, BATCH, FIRST_STEP = 80, 64, 3e-3
WEIGHT_DECAY, INPUT_NOISE, HUBER_DB = 3e-3, 0.3, 1.0
WHOLE_SHARE = 0.3
"""Of the loss: the error of C50 over all bands; the rest is that of the bands."""


@dataclass(frozen=True)
class Room:
    """An impulse response from one place in a room to another; `name` is the room's."""

    name: str
    response: Floats


@dataclass(frozen=True)
class Speaker:
    name: str
    samples: Floats


@dataclass(frozen=True)
class Sample:
    speaker: str
    room: str
    features: Floats
    c50_db: float
    bands_db: Floats
    seconds: float
    snr_db: float


def simulate_rooms(count: int, rng: np.random.Generator) -> list[tuple[str, Floats]]:
    """Impulse responses, two to a room; a third of the rooms are booths."""
    import pyroomacoustics  # type: ignore[import-not-found]

    bands_hz = np.array([125.0, 250, 500, 1000, 2000, 4000, 8000])
    responses: list[tuple[str, Floats]] = []
    for number in range(count):
        is_booth = number % 3 == 0
        decay_s = rng.uniform(0.05, 0.14) if is_booth else np.exp(rng.uniform(np.log(0.12), np.log(1.6)))
        if decay_s < 0.35:
            size_m = rng.uniform([1.4, 1.3, 2.0], [4.0, 3.6, 2.8])
        elif decay_s < 0.8:
            size_m = rng.uniform([2.8, 2.4, 2.3], [6.5, 5.2, 3.3])
        else:
            size_m = rng.uniform([3.8, 3.2, 2.4], [11.0, 9.0, 5.0])
        try:
            absorption, _ = pyroomacoustics.inverse_sabine(decay_s, size_m)
        except ValueError:
            absorption = 0.95
        absorptions = absorption * (1 + rng.uniform(-0.35, 0.6) * np.log2(bands_hz / 1000) / 3)
        if rng.random() < 0.3:  # soft linings take less from the low frequencies
            absorptions *= np.minimum(1, bands_hz / rng.uniform(300, 1500)) ** rng.uniform(0.1, 0.5)
        material = pyroomacoustics.Material(
            {"description": "lining", "coeffs": np.clip(absorptions, 0.02, 0.97).tolist(), "center_freqs": bands_hz}
        )
        room = pyroomacoustics.ShoeBox(
            size_m, fs=RATE_HZ, materials=material, max_order=12, ray_tracing=True, air_absorption=True
        )
        room.set_ray_tracing(n_rays=5000, receiver_radius=0.3 if min(size_m) > 2 else 0.2)
        microphone_m = size_m * rng.uniform(0.25, 0.75, 3)
        microphone_m[2] = min(rng.uniform(1.0, 1.6), size_m[2] - 0.4)
        farthest_m = 0.7 if is_booth else min(3.0, 0.6 * min(size_m[:2]))
        places = 0
        while places < 2:
            direction = rng.normal(size=3) * (1, 1, 0.3)
            distance_m = np.exp(rng.uniform(np.log(0.1), np.log(farthest_m)))
            source_m = microphone_m + distance_m * direction / np.linalg.norm(direction)
            if np.all(source_m > 0.2) and np.all(source_m < size_m - 0.2):
                room.add_source(source_m)
                places += 1
        room.add_microphone(microphone_m)
        room.compute_rir()
        if number % 20 == 19:
            print(f"{number + 1} of {count} rooms", flush=True)
        responses += [(f"room{number}", trimmed(np.asarray(response))) for response in room.rir[0]]
    return responses


def trimmed(response: Floats) -> Floats:
    """From 3 ms before the direct sound to where 75 dB have gone, scaled to a peak of 1."""
    left = np.cumsum(response[::-1] ** 2)[::-1]
    end = int(np.count_nonzero(left > left[0] * 10**-7.5))
    peak = int(np.argmax(np.abs(response)))
    kept: Floats = response[max(0, peak - RATE_HZ * 3 // 1000) : end] / np.abs(response[peak])
    return kept


def c50_of(response: Floats) -> tuple[float, Floats]:
    """Energy up to 50 ms after the direct sound over what follows, in dB: from 88 Hz on, and in each band."""
    early_end = int(np.argmax(np.abs(response))) + RATE_HZ // 20
    size = next_fast_len(len(response) + RATE_HZ, real=True)
    lower_edges = np.searchsorted(np.fft.rfftfreq(size, 1 / RATE_HZ), EDGES_HZ[:-1])
    early, late = (
        np.add.reduceat(np.abs(np.fft.rfft(part, size)) ** 2, lower_edges)
        for part in (response[:early_end], np.append(response[early_end:], 0.0))
    )
    bands_db = 10 * np.log10(early / np.maximum(late, 1e-12))
    return float(10 * np.log10(early.sum() / max(late.sum(), 1e-12))), bands_db


def shaped(response: Floats, rng: np.random.Generator) -> Floats:
    """As a voice and a microphone with a direction, and linings that take more from the highs, make of a response.

    Voices and directional microphones favour the direct sound by up to 8 dB at 1 kHz, and by more or less above; thin
    foam, curtains and carpets leave the lows to ring.
    """
    peak = int(np.argmax(np.abs(response)))
    direct = response.copy()
    direct[peak + RATE_HZ // 400 :] = 0
    gain_db, loss_per_s = np.zeros(len(OCTAVES_HZ)), np.zeros(len(OCTAVES_HZ))
    octaves = np.log2(OCTAVES_HZ / 1000)
    height = np.clip((octaves + 2) / 4.7, 0, 1)
    if rng.random() < 0.7:
        gain_db = np.clip(-rng.uniform(0, 8) - rng.uniform(-0.5, 3) * octaves, -16, 3)
    if rng.random() < 0.65:
        loss_per_s = rng.uniform(0, 45) * height ** rng.uniform(0.5, 1.5)
    elif rng.random() < 0.3:
        loss_per_s = rng.uniform(0, 20) * (1 - height)
    times_s = np.maximum(np.arange(len(response)) - peak, 0) / RATE_HZ
    result = direct
    for band, gain, loss in zip(octave_bands(response - direct), gain_db, loss_per_s, strict=True):
        result = result + band * 10 ** (gain / 20) * np.exp(-loss * times_s)
    return trimmed(result)


def octave_bands(response: Floats) -> list[Floats]:
    """Parts, one around each of OCTAVES_HZ, that add up to the response."""
    taps = 513
    edges_hz = np.sqrt(2) * OCTAVES_HZ[:-1]
    low_passed = [
        fftconvolve(np.pad(response, (0, taps)), firwin(taps, edge_hz, fs=RATE_HZ))[taps // 2 :][: len(response)]
        for edge_hz in edges_hz
    ]
    return [upper - lower for lower, upper in pairwise([np.zeros(len(response)), *low_passed, response])]


def read_speakers(folder: Path, left_out: set[str]) -> list[Speaker]:
    speakers = []
    for path in sorted([*folder.glob("*.flac"), *folder.glob("*.wav")]):
        name = path.stem.split("-")[0]
        if name in left_out:
            continue
        samples, rate_hz = soundfile.read(path, dtype="float64", always_2d=True)
        speakers.append(Speaker(name, resample_poly(samples.mean(axis=1), RATE_HZ, rate_hz)))
    return speakers


def make_sample(speaker: Speaker, room: Room | None, rng: np.random.Generator) -> Sample:
    """Some seconds of a speaker in a room (None: as recorded)."""
    speech = speaker.samples
    if rng.random() < 0.5:
        speech = resample_poly(speech, 100, int(rng.integers(85, 116)))
    length = int(RATE_HZ * np.exp(rng.uniform(np.log(2.2), np.log(14))))
    start = int(rng.integers(0, max(1, len(speech) - length)))
    speech = speech[start : start + length]
    seconds = len(speech) / RATE_HZ
    speech = np.pad(speech, (int(RATE_HZ * rng.uniform(0, 0.4)), int(RATE_HZ * rng.uniform(0.1, 0.6))))
    c50_db, bands_db = DRY_C50_DB, np.full(len(SHARES), DRY_C50_DB)
    if room is not None:
        response = shaped(room.response, rng) if rng.random() < SHAPED_SHARE else room.response
        c50_db, bands_db = c50_of(response)
        speech = fftconvolve(speech, response)[: len(speech) + int(0.3 * RATE_HZ)]
    speech = coloured(speech, rng)
    level = np.sort(speech**2)[-len(speech) // 2 :].mean() / 2
    noise_db = rng.choice([-90.0, -90, -60, -50, -45, -40, -35, -30, -25, -20]) + rng.uniform(-2, 2)
    recording = speech + noise(len(speech), rng) * np.sqrt(level * 10 ** (noise_db / 10))
    high_pass = StreamFilter(butterworth(2, 20.0, "high", rate_hz=RATE_HZ))
    scaled = (recording * (0.5 / np.max(np.abs(recording)))).astype(np.float32)
    windows = DecayWindows()
    windows.push(high_pass.push(scaled))
    windows.push(high_pass.finish())
    description = features(pool([window.statistics for window in windows.finish()]))
    return Sample(
        speaker.name, "" if room is None else room.name, description, c50_db, bands_db, seconds, float(-noise_db)
    )


def coloured(samples: Floats, rng: np.random.Generator) -> Floats:
    """As through another microphone: a smooth random response, now and then with the highs cut off."""
    size = next_fast_len(len(samples), real=True)
    frequencies_hz = np.fft.rfftfreq(size, 1 / RATE_HZ)
    knots_hz = np.log([50.0, 150, 400, 1000, 2500, 6000, 8000])
    gain = 10 ** (np.interp(np.log(frequencies_hz + 20), knots_hz, rng.normal(0, 3, len(knots_hz))) / 20)
    if rng.random() < 0.1:
        gain /= 1 + (frequencies_hz / rng.uniform(3500, 7000)) ** 16
    return np.fft.irfft(np.fft.rfft(samples, size) * gain, size)[: len(samples)]


def noise(count: int, rng: np.random.Generator) -> Floats:
    """Noise of unit power, from slightly blue to brown."""
    size = next_fast_len(count, real=True)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    spectrum *= np.maximum(np.fft.rfftfreq(size, 1 / RATE_HZ), 30.0) ** rng.uniform(-1, 0.25)
    samples = np.fft.irfft(spectrum, size)[:count]
    unit: Floats = samples / np.sqrt(np.mean(samples**2))
    return unit


def make_samples(speakers: list[Speaker], rooms: list[Room], count: int, seed: int) -> list[Sample]:
    samples = []
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        speaker = speakers[int(rng.integers(len(speakers)))]
        room = None if rng.random() < DRY_SHARE else rooms[int(rng.integers(len(rooms)))]
        samples.append(make_sample(speaker, room, rng))
        if number % 500 == 499:
            print(f"{number + 1} of {count} samples", flush=True)
    return samples


@dataclass(frozen=True)
class Scaling:
    """How features become inputs of the networks."""

    lowest: Floats
    highest: Floats
    mean: Floats
    scale: Floats

    def __call__(self, table: Floats) -> Floats:
        return (np.clip(table, self.lowest, self.highest) - self.mean) / self.scale


def scaling_for(table: Floats) -> Scaling:
    lowest, highest = np.percentile(table, [0.5, 99.5], axis=0)
    clipped = np.clip(table, lowest, highest)
    return Scaling(lowest, highest, clipped.mean(axis=0), clipped.std(axis=0) + 1e-6)


def fit_network(inputs: Floats, bands_db: Floats, c50_db: Floats, seed: int) -> list[Floats]:
    """Weights and offsets, layer by layer, that make the Huber loss small (Adam, cosine schedule, noisy inputs)."""
    rng = np.random.default_rng(seed)
    centre, spread = bands_db.mean(axis=0), bands_db.std(axis=0)
    sizes = (inputs.shape[1], *HIDDEN, len(centre))
    parameters: list[Floats] = []
    for layer in range(len(sizes) - 1):
        parameters.append(rng.normal(0, np.sqrt(1 / sizes[layer]), sizes[layer : layer + 2]))
        parameters.append(np.zeros(sizes[layer + 1]))
    means = [np.zeros_like(parameter) for parameter in parameters]
    squares = [np.zeros_like(parameter) for parameter in parameters]
    steps = EPOCHS * (len(inputs) // BATCH)
    for step in range(1, steps + 1):
        if step % (len(inputs) // BATCH) == 1:
            order = rng.permutation(len(inputs))
        first = (step - 1) % (len(inputs) // BATCH) * BATCH
        batch = order[first : first + BATCH]
        layers = _layers(parameters, inputs[batch] + INPUT_NOISE * rng.standard_normal((BATCH, sizes[0])))
        slope = _loss_slope(layers[-1] * spread + centre, bands_db[batch], c50_db[batch]) * (spread / spread.mean())
        gradients = _gradients(parameters, layers, slope / BATCH)
        rate = FIRST_STEP * 0.5 * (1 + np.cos(np.pi * step / steps))
        for parameter, mean, square, gradient in zip(parameters, means, squares, gradients, strict=True):
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            parameter -= rate * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    parameters[-2] *= spread
    parameters[-1] = parameters[-1] * spread + centre
    return parameters


def _layers(parameters: list[Floats], inputs: Floats) -> list[Floats]:
    """Inputs, what every hidden layer makes of them, outputs."""
    layers = [inputs]
    for layer in range(0, len(parameters) - 2, 2):
        layers.append(np.tanh(layers[-1] @ parameters[layer] + parameters[layer + 1]))
    return [*layers, layers[-1] @ parameters[-2] + parameters[-1]]


def _loss_slope(estimates_db: Floats, bands_db: Floats, c50_db: Floats) -> Floats:
    """Derivative of the loss with respect to the estimates, shape (samples, bands)."""
    late = SHARES * 10 ** (-np.clip(estimates_db, -30, 70) / 10)
    whole_db = _whole(estimates_db)
    error = np.clip((whole_db - c50_db) / HUBER_DB, -1, 1)
    error[(whole_db > HIGHEST_DB) & (c50_db >= HIGHEST_DB)] = 0
    of_bands = np.clip((estimates_db - bands_db) / HUBER_DB, -1, 1) / len(SHARES)
    of_whole = error[:, None] * late / late.sum(axis=1, keepdims=True)
    slope: Floats = (1 - WHOLE_SHARE) * of_bands + WHOLE_SHARE * of_whole
    return slope


def _whole(bands_db: Floats) -> Floats:
    """C50 of all bands together, from that of each, shape (samples, bands) to (samples,)."""
    whole_db: Floats = -10 * np.log10(10 ** (-np.clip(bands_db, -30, 70) / 10) @ SHARES)
    return whole_db


def _gradients(parameters: list[Floats], layers: list[Floats], slope: Floats) -> list[Floats]:
    gradients: list[Floats] = []
    for layer in range(len(parameters) - 2, -1, -2):
        activations = layers[layer // 2]
        gradients = [activations.T @ slope + WEIGHT_DECAY * parameters[layer], slope.sum(axis=0), *gradients]
        slope = (slope @ parameters[layer].T) * (1 - activations**2)
    return gradients


def predict(networks: list[list[Floats]], inputs: Floats) -> Floats:
    outputs = np.mean([_layers(parameters, inputs)[-1] for parameters in networks], axis=0)
    return np.clip(_whole(outputs), LOWEST_DB, HIGHEST_DB)


def fit(samples: list[Sample]) -> tuple[Scaling, list[list[Floats]]]:
    table = np.array([sample.features for sample in samples])
    c50_db = np.clip([sample.c50_db for sample in samples], LOWEST_DB, HIGHEST_DB)
    bands_db = np.clip([sample.bands_db for sample in samples], LOWEST_BAND_DB, HIGHEST_BAND_DB)
    scaling = scaling_for(table)
    inputs = scaling(table)
    return scaling, [fit_network(inputs, bands_db, c50_db, SEED + number) for number in range(NETWORKS)]


def error_rows(estimates: Floats, truths: Floats) -> list[tuple[float, float, int]]:
    """Mean estimate, mean absolute error and count, for bands of estimates 5 dB wide."""
    rows = []
    for low in np.arange(LOWEST_DB, HIGHEST_DB, 5):
        inside = (estimates >= low) & (estimates < low + 5 + 1e-9 * (low + 5 >= HIGHEST_DB))
        if np.count_nonzero(inside) >= 20:
            errors = np.abs(estimates[inside] - truths[inside])
            rows.append((float(estimates[inside].mean()), float(errors.mean()), int(np.count_nonzero(inside))))
    return rows


def held_out_errors(samples: list[Sample]) -> tuple[list[tuple[float, float, int]], str]:
    """Fit on three quarters of speakers and rooms; measure on samples of the others, neither of which was fitted on."""
    rng = np.random.default_rng(SEED)
    kept_speakers, kept_rooms = (
        set(rng.permutation(names)[: len(names) // 4].tolist())
        for names in (sorted({s.speaker for s in samples}), sorted({s.room for s in samples} - {""}))
    )
    fitted = [s for s in samples if s.speaker not in kept_speakers and s.room not in kept_rooms]
    kept = [s for s in samples if s.speaker in kept_speakers and (s.room in kept_rooms or not s.room)]
    scaling, networks = fit(fitted)
    truths = np.clip([s.c50_db for s in kept], LOWEST_DB, HIGHEST_DB)
    estimates = predict(networks, scaling(np.array([s.features for s in kept])))
    errors = np.abs(estimates - truths)
    booths = truths > 30
    noisy, short = np.array([s.snr_db < 38 for s in kept]), np.array([s.seconds < 4 for s in kept])
    classes = {
        "C50 below 10 dB": truths < 10,
        "10 to 20 dB": (truths >= 10) & (truths < 20),
        "20 to 30 dB": (truths >= 20) & ~booths,
        "over 30 dB": booths,
        "over 30 dB, noise above -38 dB": booths & noisy,
        "over 30 dB, under 4 s": booths & short,
        "over 30 dB, under 4 s, noise above -38 dB": booths & short & noisy,
    }
    for name, of_class in classes.items():
        bias_db = np.mean((estimates - truths)[of_class])
        print(f"{name:42s} {errors[of_class].mean():5.2f} dB, bias {bias_db:+5.2f} dB, {of_class.sum()} samples")
    summary = (
        f"fitted on {len(fitted)}, measured on {len(kept)} samples of {len(kept_speakers)} other speakers in "
        f"{len(kept_rooms)} other rooms: mean absolute error {errors.mean():.2f} dB, 95th percentile "
        f"{np.percentile(errors, 95):.1f} dB; C50 over 30 dB: {errors[booths].mean():.2f} dB"
    )
    return error_rows(estimates, truths), summary


def write_weights(
    scaling: Scaling, networks: list[list[Floats]], errors: list[tuple[float, float, int]], about: str, path: Path
) -> None:
    stacked = [np.stack(layer) for layer in zip(*networks, strict=True)]
    arrays: dict[str, tuple[Floats, str]] = {
        "lowest": (scaling.lowest, "<f4"),
        "highest": (scaling.highest, "<f4"),
        "mean": (scaling.mean, "<f4"),
        "scale": (scaling.scale, "<f4"),
    }
    for layer in range(len(stacked) // 2):
        arrays[f"weights_{layer + 1}"] = (stacked[2 * layer], "<f2")
        arrays[f"offsets_{layer + 1}"] = (stacked[2 * layer + 1], "<f4")
    arrays["weights_3"] = (stacked[-2], "<f4")
    arrays["offsets_3"] = (stacked[-1], "<f4")
    arrays["shares"] = (SHARES, "<f4")
    encoded = {name: (values.shape, kind, values.astype(kind).tobytes()) for name, (values, kind) in arrays.items()}
    digest = hashlib.sha256(b"".join(content for _, _, content in encoded.values())).hexdigest()
    lines = [
        '"""Networks that tell C50 from how speech dies away. Written by bench/fit_reverb.py; not for editing."""',
        "",
        "from __future__ import annotations",
        "",
        "PROVENANCE = {",
        '    "script": "bench/fit_reverb.py",',
        f'    "date": "{datetime.datetime.now(tz=datetime.UTC).date()}",',
        f'    "sha256": "{digest}",',
        '    "data": (',
        *(f'        "{line} "' for line in textwrap.wrap(about, 100)),
        "    ),",
        "}",
        f"RANGE_DB = ({LOWEST_DB}, {HIGHEST_DB})",
        "ERRORS_DB = (",
        *(f"    ({estimate:.1f}, {error:.2f}),  # {count} samples" for estimate, error, count in errors),
        ")",
        '"""Estimate and mean absolute error at such estimates, on speakers and rooms that were not fitted on."""',
        "",
        "ARRAYS: dict[str, tuple[tuple[int, ...], str, str]] = {",
    ]
    for name, (shape, kind, content) in encoded.items():
        text = base64.b64encode(content).decode()
        lines += [f'    "{name}": (', f"        {shape},", f'        "{kind}",']
        lines += [f'        "{text[start : start + 108]}"' for start in range(0, len(text), 108)]
        lines[-1] += ","
        lines.append("    ),")
    path.write_text("\n".join([*lines, "}", ""]), encoding="utf-8")


def load_rooms(path: Path, count: int) -> list[Room]:
    """Read the rooms from a file, or make it."""
    if not path.exists():
        np.random.seed(SEED)  # pyroomacoustics draws its rays and late reflections from the global generator
        made = simulate_rooms(count, np.random.default_rng(SEED))
        arrays: dict[str, npt.NDArray[Any]] = {"names": np.array([name for name, _ in made])}
        arrays |= {f"response{number:04d}": response.astype(np.float32) for number, (_, response) in enumerate(made)}
        np.savez_compressed(path, allow_pickle=False, **arrays)
    stored = np.load(path)
    responses = [stored[key].astype(np.float64) for key in sorted(set(stored.files) - {"names"})]
    named = zip(stored["names"].tolist(), responses, strict=True)
    return [Room(name, response) for name, response in named]


def main(arguments: Iterable[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("dry_folder", type=Path)
    parser.add_argument("--leave-out", default="", help="names of speakers, with commas between")
    parser.add_argument("--rooms", type=Path, default=Path("rooms.npz"), help="where the impulse responses are kept")
    parser.add_argument("--room-count", type=int, default=300)
    parser.add_argument("--samples", type=int, default=8000)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    options = parser.parse_args(None if arguments is None else list(arguments))
    rooms = load_rooms(options.rooms, options.room_count)
    speakers = read_speakers(options.dry_folder, set(options.leave_out.split(",")))
    samples = make_samples(speakers, rooms, options.samples, SEED)
    errors, summary = held_out_errors(samples)
    print(summary)
    for estimate, error, count in errors:
        print(f"estimate {estimate:5.1f} dB: mean absolute error {error:.2f} dB, {count} samples")
    scaling, networks = fit(samples)
    about = (
        f"{len(samples)} samples of {len({s.name for s in speakers})} speakers (LibriSpeech, CC BY 4.0) in "
        f"{len({room.name for room in rooms})} rooms and booths simulated with pyroomacoustics; {summary}."
    )
    write_weights(scaling, networks, errors, about, options.out)


if __name__ == "__main__":
    main()
