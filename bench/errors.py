"""How far each measurement may be off, from recordings with known truth: what `±` says in results.

    python bench/errors.py measure RECORDINGS ROWS.jsonl    minutes; one line for each measurement
    python bench/errors.py write ROWS.jsonl                 writes the table the product carries, and prints it

RECORDINGS is the folder that bench/accuracy.py takes; its `gen.py` makes the degraded recordings and its `train/` holds
dry takes. SNR, C50, speaking rate and loudness are compared with the known truth, DNSMOS scores of a stretch with the
score of the whole take. An error is the 90th percentile of the absolute differences where the evidence is alike.
"""

from __future__ import annotations

import argparse
import datetime
import importlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile
import soxr

from accuracy import ModelsButDnsmos
from voicegauge.assessment.assess import measure
from voicegauge.assessment.dnsmos import DnsmosMeter
from voicegauge.assessment.recording import ANALYSIS_RATE_HZ, recording_from_array
from voicegauge.assessment.uncertainty import conditions
from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import Language, Measurement, Property
from voicegauge.models import load_models

TARGET = Path(__file__).parents[1] / "src" / "voicegauge" / "assessment" / "data" / "error_table.py"
PERCENTILE = 90
FEWEST = 8

RANGES = {Property.REVERB: (-5.0, 35.0), Property.SNR: (-10.0, 60.0)}
"""Beyond these nothing can be told apart, in the truth either."""

RELATIVE = frozenset({Property.SPEAKING_RATE})

METRICS = {
    "snr": (Property.SNR, "snr"),
    "reverb": (Property.REVERB, "c50"),
    "loudness": (Property.LOUDNESS, "lufs"),
}
"""The generator's metrics, and its key for the truth."""

MARGIN_S = 0.4
"""The pause the generator puts around a recording with noise."""

STRETCHES_S = ((0.0, 3.0), (6.0, 9.0), (0.0, 6.0), (6.0, 12.0), (0.0, 9.02))
SHORTEST_TAKE_S = 13.0
NOISE_DB = 15.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("recordings", type=Path)
    measuring.add_argument("rows", type=Path)
    measuring.set_defaults(run=lambda flags: write_rows(flags.recordings, flags.rows))
    writing = commands.add_parser("write")
    writing.add_argument("rows", type=Path)
    writing.set_defaults(run=lambda flags: write_table(flags.rows))
    flags = parser.parse_args()
    flags.run(flags)


def write_rows(recordings: Path, target: Path) -> None:
    """Measure everything there is a truth for."""
    sys.path.insert(0, str(recordings))
    generator = importlib.import_module("gen")
    items = generator.items(generator.Bank(str(recordings)), False, (*METRICS, "speed"))
    with target.open("w", encoding="utf-8") as file:
        for rows in (degraded_rows(items), dnsmos_rows(recordings / "train")):
            for row in rows:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                file.flush()


def degraded_rows(items: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    models = ModelsButDnsmos()
    for item in items:
        language: Language = item["lang"]
        prop, truth = property_and_truth(item)
        if prop is None or truth is None:
            continue
        for samples, transcript in variants_of(item):
            recording = recording_from_array(samples, int(item["fs"]), transcript=transcript)
            result = measure(recording, language=language, models=models).measurements[prop]
            if result.value is not None:
                yield row_of(prop, item["id"], item["cond"], language, result, truth)


def property_and_truth(item: dict[str, Any]) -> tuple[Property | None, float | None]:
    metric, truth = item["metric"], item["truth"]
    if metric == "speed":
        return Property.SPEAKING_RATE, truth["syl_per_min" if item["lang"] == "CN" else "words_per_min"]
    if metric == "loudness" and item["cond"] not in {"clean", "padded"}:
        return None, None  # noise adds to the loudness of a recording, which is no error
    prop, key = METRICS[metric]
    known = truth[key] is not None and np.isfinite(truth[key])
    return prop, float(truth[key]) if known else None


def variants_of(item: dict[str, Any]) -> Iterator[tuple[npt.NDArray[np.float64], str | None]]:
    """What is measured of one recording: as it is; with its transcript; without the pause around it."""
    samples = np.asarray(item["x"], dtype=np.float64)
    yield samples, None
    if item["metric"] == "speed":
        yield samples, item["text"]
    if item["metric"] == "snr" and sum(map(ord, item["id"])) % 3 == 0:
        margin = round(MARGIN_S * item["fs"])
        yield samples[margin:-margin], None


def dnsmos_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Scores of stretches beside the score of the whole take, clean and in noise."""
    network = load_models().dnsmos

    def scored(samples: npt.NDArray[np.float32]) -> dict[Property, Measurement]:
        meter = DnsmosMeter(network)
        meter.push(samples)
        return meter.result().measurements

    for index, path in enumerate(sorted(folder.glob("*.flac"))):
        samples, rate_hz = soundfile.read(path, dtype="float32")
        samples = soxr.resample(samples, rate_hz, ANALYSIS_RATE_HZ).astype(np.float32)
        if len(samples) < SHORTEST_TAKE_S * ANALYSIS_RATE_HZ:
            continue
        noisy = index % 2 == 1
        if noisy:
            noise = np.random.default_rng(index).standard_normal(len(samples))
            samples = (samples + noise * np.std(samples) * 10 ** (-NOISE_DB / 20)).astype(np.float32)
        whole = scored(samples)
        for start_s, end_s in STRETCHES_S:
            stretch = samples[round(start_s * ANALYSIS_RATE_HZ) : round(end_s * ANALYSIS_RATE_HZ)]
            for prop, result in scored(stretch).items():
                truth = whole[prop].value
                if truth is not None:
                    name, condition = f"{path.stem}/{start_s}-{end_s}", "noisy" if noisy else "clean"
                    yield row_of(prop, name, condition, "EN", result, truth)


def row_of(
    prop: Property, name: str, condition: str, language: Language, result: Measurement, truth: float
) -> dict[str, Any]:
    return {
        "property": prop,
        "id": name,
        "condition": condition,
        "language": language,
        "estimate": result.value,
        "truth": truth,
        "details": result.details,
        "weight_s": result.weight_s,
    }


def write_table(rows_path: Path) -> None:
    """Write the table of errors into the product."""
    rows = [json.loads(line) for line in rows_path.read_text(encoding="utf-8").splitlines()]
    met: dict[tuple[str, ...], list[float]] = {}
    for row in rows:
        words = words_of(row)
        for count in range(1, len(words) + 1):
            met.setdefault(words[:count], []).append(error_of(row))
    # The classes of evidence alone stand for values of which there were none.
    kept = {words[:count] for words in map(words_of, rows) for count in (2, len(words)) if len(words) >= count}
    kept = {words for words in kept if len(met[words]) >= FEWEST}
    keys = sorted(kept, key=lambda words: (_ORDER[words[0]], words))
    lines = []
    for key in keys:
        errors = met[key]
        mean, error, p95 = np.mean(errors), np.percentile(errors, PERCENTILE), np.percentile(errors, 95)
        print(f"{'/'.join(key):32s} n={len(errors):4d}  mean {mean:6.3f}  p90 {error:6.3f}  p95 {p95:6.3f}")
        lines.append(f'    "{"/".join(key)}": ({error:.3f}, {len(errors)}),')
    TARGET.write_text(
        MODULE.format(
            date=datetime.datetime.now(datetime.UTC).date(),
            count=len(rows),
            relative=", ".join(f'"{prop}"' for prop in sorted(RELATIVE)),
            lines="\n".join(lines),
            percentile=PERCENTILE,
        ),
        encoding="utf-8",
    )


_ORDER = {str(prop): index for index, prop in enumerate(Property)}


def words_of(row: dict[str, Any]) -> tuple[str, ...]:
    prop = Property(row["property"])
    measurement = Measurement(row["estimate"], unit_of(prop, "CN"), None, row["weight_s"], row["details"])
    return row["property"], *conditions(prop, measurement, row["language"])


def error_of(row: dict[str, Any]) -> float:
    prop = Property(row["property"])
    limits = RANGES.get(prop, (-np.inf, np.inf))
    estimate, truth = (float(np.clip(row[key], *limits)) for key in ("estimate", "truth"))
    return abs(estimate - truth) / (truth if prop in RELATIVE else 1)


MODULE = '''"""Errors met on real recordings with known truth. Written by bench/errors.py; not for editing."""

from __future__ import annotations

PROVENANCE = {{
    "script": "bench/errors.py",
    "date": "{date}",
    "data": (
        "{count} measurements of Chinese and English speech from public corpora (LibriSpeech, AISHELL-3 and others),"
        " degraded with known noise, rooms and tempo; DNSMOS: stretches of takes beside the whole take"
    ),
}}
RELATIVE = frozenset({{{relative}}})
"""The errors of these are shares of the value."""

ERRORS: dict[str, tuple[float, int]] = {{
{lines}
}}
"""Property and classes of evidence: {percentile}th percentile of the absolute error, and of how many measurements."""
'''


if __name__ == "__main__":
    main()
