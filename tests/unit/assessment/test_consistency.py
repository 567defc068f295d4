"""Recordings that do not sound like the rest of their session."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.assessment.test_judge import take
from voicegauge.assessment.consistency import LEAST_RECORDINGS, with_consistency
from voicegauge.assessment.judge import judge
from voicegauge.assessment.values import Measurement, Property, RecordingMeasurements, Unit
from voicegauge.profiles.loader import load_profile

TONE_DB = {"tone_125_hz_db": -8.0, "tone_500_hz_db": -4.0, "tone_2000_hz_db": -15.0}


def session(odd: dict[str, float] | None = None, *, count: int = 6) -> list[RecordingMeasurements]:
    """Takes that differ a little; the last one by what is given."""
    takes = []
    for index in range(count):
        wobble = 0.5 * (index % 3 - 1)
        traits = {"speech_level_db": -22 + wobble, "noise_level_db": -66 + 2 * wobble}
        traits |= {name: value + wobble for name, value in TONE_DB.items()}
        rate = Measurement(200.0 + 4 * wobble, Unit.WORDS_PER_MIN, None, 12.0)
        if index == count - 1:
            traits |= {name: value for name, value in (odd or {}).items() if name != "rate"}
            rate = Measurement((odd or {}).get("rate", 200.0), Unit.WORDS_PER_MIN, None, 12.0)
        recording = take(f"{index}.wav")
        takes.append(
            replace(recording, traits=traits, measurements={**recording.measurements, Property.SPEAKING_RATE: rate})
        )
    return takes


def named(recordings: list[RecordingMeasurements]) -> dict[str, list[str]]:
    return {
        recording.name: [item.kind for item in recording.findings]
        for recording in with_consistency(recordings)
        if recording.findings
    }


def test_a_consistent_session_names_nobody() -> None:
    assert named(session()) == {}


@pytest.mark.parametrize(
    ("odd", "kind"),
    [
        # The noise moves with the gain.
        ({"speech_level_db": -34.0, "noise_level_db": -78.0}, "inconsistent_level"),
        ({"speech_level_db": -10.0, "noise_level_db": -54.0}, "inconsistent_level"),
        ({"noise_level_db": -45.0}, "inconsistent_noise"),
        ({"noise_level_db": -95.0}, "inconsistent_noise"),
        ({"tone_125_hz_db": -20.0, "tone_2000_hz_db": -4.0}, "inconsistent_tone"),
        ({"rate": 280.0}, "inconsistent_rate"),
        ({"rate": 140.0}, "inconsistent_rate"),
    ],
)
def test_the_odd_recording_is_named(odd: dict[str, float], kind: str) -> None:
    assert named(session(odd)) == {"5.wav": [kind]}


def test_the_direction_is_in_the_words_and_the_size_in_the_details() -> None:
    (quiet,) = with_consistency(session({"speech_level_db": -34.0, "noise_level_db": -78.0}))[-1].findings
    (loud,) = with_consistency(session({"speech_level_db": -10.0, "noise_level_db": -54.0}))[-1].findings
    assert "quieter" in quiet.message.en
    assert "louder" in loud.message.en
    assert quiet.details["difference_db"] == pytest.approx(-12, abs=1)


def test_three_recordings_are_too_few_to_say_which_is_odd() -> None:
    assert named(session({"speech_level_db": -50.0}, count=LEAST_RECORDINGS - 1)) == {}


def test_two_halves_have_no_odd_one() -> None:
    takes = session(count=8)
    moved = [replace(one, traits={**one.traits, "speech_level_db": -40.0}) for one in takes[::2]]
    assert named([*moved, *takes[1::2]]) == {}


def test_a_short_take_is_not_named_for_its_rate_unless_its_text_is_known() -> None:
    *others, odd = session({"rate": 280.0})
    short = Measurement(280.0, Unit.WORDS_PER_MIN, None, 4.0)
    with_text = replace(short, details={"from_transcript": 1.0})
    for rate, expected in ((short, {}), (with_text, {"5.wav": ["inconsistent_rate"]})):
        changed = replace(odd, measurements={**odd.measurements, Property.SPEAKING_RATE: rate})
        assert named([*others, changed]) == expected


def test_judging_again_does_not_repeat_the_findings() -> None:
    profile = load_profile("default", "EN")
    once = judge(session({"noise_level_db": -45.0}), profile, version="1")
    again = judge(once.recordings, profile, version="1")
    assert [len(recording.findings) for recording in once.recordings] == [0, 0, 0, 0, 0, 1]
    assert again.recordings == once.recordings
