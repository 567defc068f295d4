"""What it means to be within range, over several recordings."""

from __future__ import annotations

import pytest

from voicegauge.assessment.judge import judge
from voicegauge.assessment.profile import Assessment, Profile
from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import Measurement, Property, Reason, RecordingMeasurements
from voicegauge.profiles.loader import load_profile

GOOD: dict[Property, float] = {
    Property.SPEAKING_RATE: 170.0,
    Property.LOUDNESS: -20.0,
    Property.SNR: 40.0,
    Property.REVERB: 32.0,
    Property.DNSMOS_OVRL: 3.3,
    Property.DNSMOS_BAK: 4.1,
    Property.DNSMOS_SIG: 3.5,
}


@pytest.fixture(scope="module")
def profile() -> Profile:
    return load_profile("default", "EN")


def take(
    name: str, *, weight_s: float = 10.0, true_peak_dbtp: float = -3.0, **changed: float | Reason
) -> RecordingMeasurements:
    measurements = {}
    for prop, good in GOOD.items():
        value = changed.get(prop, good)
        details: dict[str, float | None] = {"true_peak_dbtp": true_peak_dbtp} if prop is Property.LOUDNESS else {}
        measurements[prop] = (
            Measurement(None, unit_of(prop, "EN"), value)
            if isinstance(value, Reason)
            else Measurement(value, unit_of(prop, "EN"), None, weight_s, details)
        )
    return RecordingMeasurements(name, weight_s, 48_000, 1, measurements)


def judged(profile: Profile, *takes: RecordingMeasurements) -> Assessment:
    return judge(takes, profile, version="1")


def test_good_recordings_pass_everything(profile: Profile) -> None:
    assessment = judged(profile, take("a.wav"), take("b.wav"))
    assert {prop: verdict.within for prop, verdict in assessment.verdicts.items()} == dict.fromkeys(
        assessment.verdicts, True
    )
    assert assessment.within is True
    assert assessment.advice == profile.overall.all_within


def test_sig_is_reported_and_never_judged(profile: Profile) -> None:
    assert Property.DNSMOS_SIG not in judged(profile, take("a.wav", dnsmos_sig=1.0)).verdicts


def test_durations_weigh_the_mean(profile: Profile) -> None:
    assessment = judged(profile, take("a.wav", snr=20.0, weight_s=10.0), take("b.wav", snr=50.0, weight_s=30.0))
    assert assessment.verdicts[Property.SNR].actual.value == pytest.approx(42.5)
    assert assessment.verdicts[Property.SNR].actual.weight_s == pytest.approx(40.0)


def test_what_is_out_of_range_gets_its_own_advice_and_names_the_worst_first(profile: Profile) -> None:
    assessment = judged(profile, take("fine.wav"), take("bad.wav", snr=5.0), take("worse.wav", snr=1.0))
    verdict = assessment.verdicts[Property.SNR]
    assert verdict.within is False
    assert verdict.failing == ("worse.wav", "bad.wav")
    assert verdict.advice.en.startswith(verdict.expected.advice.low.en)
    assert verdict.advice.en.endswith("worse.wav, bad.wav.")
    assert assessment.within is False
    assert "signal-to-noise" in assessment.advice.en


def test_a_good_mean_still_names_the_odd_recording(profile: Profile) -> None:
    verdict = judged(profile, take("fine.wav", snr=60.0), take("odd.wav", snr=20.0)).verdicts[Property.SNR]
    assert verdict.within is True
    assert "odd.wav" in verdict.advice.zh


def test_a_single_recording_is_not_named_to_itself(profile: Profile) -> None:
    verdict = judged(profile, take("only.wav", snr=5.0)).verdicts[Property.SNR]
    assert verdict.advice == verdict.expected.advice.low


def test_long_lists_of_names_are_cut_with_a_count(profile: Profile) -> None:
    takes = [take(f"{index}.wav", snr=float(index)) for index in range(8)]
    verdict = judged(profile, *takes).verdicts[Property.SNR]
    assert len(verdict.failing) == 8
    assert "3" in verdict.advice.en
    assert "7.wav" not in verdict.advice.en


def test_the_highest_true_peak_counts(profile: Profile) -> None:
    assessment = judged(profile, take("a.wav"), take("hot.wav", true_peak_dbtp=0.2))
    verdict = assessment.verdicts[Property.LOUDNESS]
    assert verdict.actual.details["true_peak_dbtp"] == pytest.approx(0.2)
    assert verdict.within is False
    assert verdict.failing == ("hot.wav",)
    assert verdict.advice.en.startswith(verdict.expected.advice.high.en)


def test_what_could_not_be_judged_is_never_a_pass(profile: Profile) -> None:
    assessment = judged(profile, take("a.wav", snr=Reason.NOT_ENOUGH_PAUSE))
    verdict = assessment.verdicts[Property.SNR]
    assert verdict.within is None
    assert verdict.actual.value is None
    assert verdict.actual.reason is Reason.NOT_ENOUGH_PAUSE
    assert verdict.advice == profile.reasons[Reason.NOT_ENOUGH_PAUSE]
    assert assessment.within is None


def test_recordings_without_a_value_do_not_pull_the_mean(profile: Profile) -> None:
    verdict = judged(profile, take("a.wav", snr=40.0), take("b.wav", snr=Reason.NO_SPEECH)).verdicts[Property.SNR]
    assert verdict.actual.value == pytest.approx(40.0)
    assert verdict.within is True


def test_an_unreadable_recording_is_named_and_is_no_pass(profile: Profile) -> None:
    unreadable = RecordingMeasurements(
        "broken.wav",
        None,
        None,
        None,
        {prop: Measurement(None, unit_of(prop, "EN"), Reason.UNREADABLE) for prop in Property},
    )
    assessment = judged(profile, take("a.wav"), unreadable)
    assert assessment.within is None
    assert "broken.wav" in assessment.advice.en
    assert "broken.wav" in assessment.advice.zh


def test_the_rate_of_one_short_take_is_only_held_against_it_with_a_transcript(profile: Profile) -> None:
    blind = judged(profile, take("a.wav"), take("fast.wav", speaking_rate=300.0))
    assert blind.verdicts[Property.SPEAKING_RATE].failing == ()
    long = judged(profile, take("a.wav"), take("fast.wav", speaking_rate=300.0, weight_s=20.0))
    assert long.verdicts[Property.SPEAKING_RATE].failing == ("fast.wav",)
    fast = take("fast.wav", speaking_rate=300.0)
    fast.measurements[Property.SPEAKING_RATE] = Measurement(
        300.0, unit_of(Property.SPEAKING_RATE, "EN"), None, 5.0, {"from_transcript": 1.0}
    )
    assert judged(profile, take("a.wav"), fast).verdicts[Property.SPEAKING_RATE].failing == ("fast.wav",)


def test_nothing_to_judge_is_a_programming_error(profile: Profile) -> None:
    with pytest.raises(ValueError, match="empty"):
        judged(profile)
