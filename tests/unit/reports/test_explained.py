"""What `voicegauge explain` and `voicegauge profiles` print."""

from __future__ import annotations

import io
import json

import pytest
from rich.console import Console

from voicegauge.assessment.data import reverb_weights
from voicegauge.assessment.definitions import DEFINITIONS
from voicegauge.assessment.values import Fact, Judged, Property
from voicegauge.models.files import DNSMOS_P835, SILERO_VAD
from voicegauge.models.stamps import model_stamps
from voicegauge.profiles.loader import load_profile, profile_names
from voicegauge.reports.explained import explanation_to_json, print_explanations
from voicegauge.reports.profiles import print_profile, print_profiles, profile_to_json
from voicegauge.reports.tables import Tongue

LABELS = load_profile("default", "CN").labels


def explained(judged: Judged, tongue: Tongue = "en") -> str:
    console = Console(file=io.StringIO(), width=120)
    print_explanations([judged], LABELS, model_stamps(), console, tongue)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_measurement_is_explained_down_to_its_model() -> None:
    text = explained(Property.SNR)
    for part in (
        "dB (-10 … 80)",
        "higher is better",
        "20-8000 Hz",
        "with pauses: 0.5 s of speech, 0.3 s of pause",
        "P.56",
    ):
        assert part in text
    assert SILERO_VAD.sha256 in text
    assert "±" in text
    assert DNSMOS_P835.sha256 in explained(Property.DNSMOS_BAK)
    assert reverb_weights.PROVENANCE["sha256"] in explained(Property.REVERB)


def test_it_speaks_chinese() -> None:
    text = explained(Property.SPEAKING_RATE, "zh")
    assert "没有文本：人声 3 秒" in text
    assert "characters/min, words/min" in text


def test_facts_are_exact() -> None:
    assert "exact" in explained(Fact.CHANNELS)
    assert "none is stated" in explained(Fact.TOTAL_SPEECH)


@pytest.mark.parametrize("judged", [*Property, *Fact])
def test_every_explanation_is_json_with_the_models_that_are_named(judged: Judged) -> None:
    document = json.loads(json.dumps(explanation_to_json(judged, LABELS[judged], model_stamps())))
    assert document["name"] == judged
    assert [model["name"] for model in document["models"]] == sorted(
        DEFINITIONS[judged].models, key=[stamp.name for stamp in model_stamps()].index
    )
    assert all(len(model["sha256"]) == 64 for model in document["models"])
    assert bool(document["errors"]) == isinstance(judged, Property)


def test_profiles_are_listed_and_shown() -> None:
    profiles = [load_profile(name, "EN") for name in profile_names()]
    console = Console(file=io.StringIO(), width=140)
    print_profiles(profiles, console, "en")
    print_profile(load_profile("acx", "EN"), console, "en")
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert all(name in text for name in profile_names())
    assert "= 44100 Hz" in text
    assert "RMS -23 to -18 dBFS" in text
    assert "a noise floor of at most -60 dB RMS" in " ".join(text.split())
    assert "2026-11-22" in text


def test_a_profile_as_json_has_ranges_with_their_sources() -> None:
    document = profile_to_json(load_profile("tencent-ivh-intl", "CN"))
    assert document["expected"]["total_speech"]["min"] == 600
    assert "1211/62065" in document["expected"]["snr"]["source"]
    assert [each["name"] for each in document["unmeasured"]] == ["clipping", "text_accuracy"]
