"""Stated errors: by evidence, none where nothing was measured, not shrinking with the number of recordings."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.unit.assessment.test_judge import judged, take
from voicegauge.assessment.data import error_table
from voicegauge.assessment.definitions import DEFINITIONS
from voicegauge.assessment.uncertainty import conditions, stated_errors, with_error
from voicegauge.assessment.units import unit_of
from voicegauge.assessment.values import Fact, Language, Measurement, Property, Reason, RecordingMeasurements, Unit
from voicegauge.profiles.loader import load_profile

TABLE = {
    "speaking_rate/blind/EN/short": (0.2, 10),
    "speaking_rate/transcript/EN/short": (0.05, 10),
    "loudness": (0.1, 30),
    "snr/pauses": (1.5, 90),
    "snr/pauses/snr_1": (0.5, 50),
    "dnsmos_ovrl/repeated/less": (0.5, 9),
    "dnsmos_ovrl/windows": (0.1, 9),
}


@pytest.fixture(autouse=True)
def table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(error_table, "ERRORS", TABLE)


def error(
    prop: Property, value: float, *, weight_s: float = 5.0, rate_hz: int = 48_000, **details: float
) -> float | None:
    measurement = Measurement(value, unit_of(prop, "EN"), None, weight_s, {**details})
    return with_error(prop, measurement, language="EN", sample_rate_hz=rate_hz).error


def test_an_error_in_percent_follows_the_value() -> None:
    assert error(Property.SPEAKING_RATE, 150.0, from_transcript=0.0) == pytest.approx(30.0)
    assert error(Property.SPEAKING_RATE, 150.0, from_transcript=1.0) == pytest.approx(7.5)


def test_an_error_depends_on_the_evidence() -> None:
    assert error(Property.SNR, 12.0, pause_s=2.0) == 0.5
    assert error(Property.DNSMOS_OVRL, 3.0, repeated=1.0, weight_s=3.0) == 0.5
    assert error(Property.DNSMOS_OVRL, 3.0, repeated=0.0, weight_s=30.0) == 0.1


def test_a_class_that_is_not_in_the_table_takes_the_wider_one() -> None:
    assert error(Property.SNR, 30.0, pause_s=2.0) == 1.5


def test_what_was_not_measured_has_no_error() -> None:
    assert error(Property.SNR, 30.0, pause_s=0.0) is None
    assert error(Property.REVERB, 30.0) is None


def test_a_narrow_band_has_no_stated_error_but_for_the_loudness() -> None:
    assert error(Property.SNR, 12.0, pause_s=2.0, rate_hz=8_000) is None
    assert error(Property.LOUDNESS, -20.0, rate_hz=8_000) == 0.1


def test_no_value_has_no_error() -> None:
    none = Measurement(None, Unit.DB, Reason.NO_SPEECH)
    assert with_error(Property.SNR, none, language="CN", sample_rate_hz=48_000) == none


def test_a_measurement_refuses_an_error_without_a_value_or_below_zero() -> None:
    with pytest.raises(ValueError, match="belongs to a value"):
        Measurement(None, Unit.DB, Reason.NO_SPEECH, error=1.0)
    for wrong in (-1.0, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="not negative"):
            Measurement(1.0, Unit.DB, error=wrong)


def with_snr_error(recording: RecordingMeasurements, error: float | None) -> RecordingMeasurements:
    snr = replace(recording.measurements[Property.SNR], error=error)
    return replace(recording, measurements={**recording.measurements, Property.SNR: snr})


def test_the_error_of_a_mean_is_the_weighted_mean_of_the_errors() -> None:
    takes = [with_snr_error(take("a", weight_s=10.0), 1.0), with_snr_error(take("b", weight_s=30.0), 3.0)]
    assert judged(load_profile("default", "EN"), *takes).verdicts[Property.SNR].actual.error == pytest.approx(2.5)


def test_many_recordings_do_not_make_it_smaller() -> None:
    takes = [with_snr_error(take(str(index)), 2.0) for index in range(20)]
    assert judged(load_profile("default", "EN"), *takes).verdicts[Property.SNR].actual.error == pytest.approx(2.0)


def test_one_unknown_error_leaves_that_of_the_mean_unknown() -> None:
    takes = [with_snr_error(take("a"), 1.0), with_snr_error(take("b"), None)]
    assert judged(load_profile("default", "EN"), *takes).verdicts[Property.SNR].actual.error is None


class TestTheTableThatIsShipped:
    @pytest.fixture(autouse=True)
    def table(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.undo()

    @pytest.mark.parametrize("prop", list(Property))
    def test_every_measurement_has_stated_errors_on_enough_recordings(self, prop: Property) -> None:
        lines = list(stated_errors(prop))
        assert lines
        for line in lines:
            assert 0 < line.error < 20
            assert line.recordings >= 8

    def test_every_class_of_evidence_finds_a_line(self) -> None:
        cases: list[tuple[Property, float, float, dict[str, float | None]]] = [
            (Property.SPEAKING_RATE, 200.0, seconds, {"from_transcript": text})
            for seconds in (2, 40)
            for text in (0, 1)
        ]
        cases += [(Property.SNR, value, 9.0, {"pause_s": pause}) for value in range(-5, 60, 5) for pause in (0, 1)]
        cases += [(Property.REVERB, value, seconds, {}) for value in range(-5, 40, 5) for seconds in (3, 20)]
        cases += [(Property.DNSMOS_BAK, 4.0, seconds, {"repeated": float(seconds < 9)}) for seconds in (1, 6, 20)]
        languages: tuple[Language, ...] = ("CN", "EN")
        for prop, value, seconds, details in cases:
            for language in languages:
                measurement = Measurement(value, unit_of(prop, language), None, seconds, details)
                found = with_error(prop, measurement, language=language, sample_rate_hz=48_000)
                assert found.error is not None, (prop, conditions(prop, measurement, language))

    def test_less_evidence_never_states_a_smaller_error(self) -> None:
        errors = {key: error for key, (error, _) in error_table.ERRORS.items()}
        for scores in (Property.DNSMOS_OVRL, Property.DNSMOS_BAK):
            windows, half, less = (
                errors[f"{scores}/{words}"] for words in ("windows", "repeated/half", "repeated/less")
            )
            assert windows <= half <= less


def test_everything_that_can_be_judged_or_reported_is_defined() -> None:
    assert set(DEFINITIONS) == {*Property, *Fact}
    for definition in DEFINITIONS.values():
        for text in (definition.what, definition.window, definition.method):
            assert text.zh
            assert text.en
        assert definition.evidence
