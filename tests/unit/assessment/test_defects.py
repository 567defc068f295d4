"""Every kind of defect: found where it was put, and not found in sound that has none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import soxr
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.fakes import FakeModels, FakeVoiceActivity, activity_of_speech, speech, white_noise
from voicegauge.assessment.activity import Activity, Segment, segments_from_probabilities
from voicegauge.assessment.assess import measure
from voicegauge.assessment.defects import DefectMeter
from voicegauge.assessment.defects.channels import ChannelMeter
from voicegauge.assessment.defects.chunks import Chunk, Chunks, Spans, runs
from voicegauge.assessment.defects.clipping import ClippingMeter
from voicegauge.assessment.defects.interruptions import MARGIN_S, InterruptionMeter
from voicegauge.assessment.defects.passages import dnsmos_valleys, rate_off, reverberant_passages
from voicegauge.assessment.kinds import KINDS, MOST_OF_A_KIND, finding, joined
from voicegauge.assessment.recording import Samples, recording_from_array
from voicegauge.assessment.reverb import ReverbPassage
from voicegauge.assessment.speaking_rate import RatePassage, SpeakingRateMeter
from voicegauge.assessment.values import Finding, Property, Severity

RATE_HZ = 16_000
DURATION_S = 8.4


@cache
def talk(duration_s: float = DURATION_S, rate_hz: int = RATE_HZ, level_db: float = -20.0) -> Samples:
    """Speech with hiss in it, as of consonants, a faint room, and half a second of the room at both ends."""
    voice = speech(duration_s, rate_hz=rate_hz, level_db=level_db)
    hiss = white_noise(duration_s, rate_hz=rate_hz, power_db=level_db - 15, seed=2) * (voice != 0)
    spoken = np.arange(len(voice)) < len(voice) - rate_hz // 2
    samples: Samples = (voice + hiss) * spoken + white_noise(duration_s, rate_hz=rate_hz, power_db=level_db - 45)
    samples.flags.writeable = False
    return samples


def found(samples: Samples, rate_hz: int = RATE_HZ) -> list[Finding]:
    """The findings in what 16-bit audio leaves of the samples, with speech where they are loud."""
    steps = (np.round(np.clip(samples, -1, 1 - 2**-15) * 2**15) / 2**15).astype(np.float32)
    table = steps if steps.ndim == 2 else steps[:, None]
    mono = np.asarray(soxr.resample(np.mean(table, axis=1, dtype=np.float32), rate_hz, RATE_HZ), dtype=np.float32)
    mono -= np.mean(mono)
    probabilities = FakeVoiceActivity().push(mono / np.float32(max(2 * float(np.max(np.abs(mono))), 1e-9)))
    meter = DefectMeter(rate_hz, table.shape[1])
    meter.push_native(table)
    meter.finish_native()
    meter.push(mono)
    findings, _ = meter.result(Activity(len(mono) / RATE_HZ, segments_from_probabilities(probabilities), 0.0), gain=1.0)
    return list(findings)


def kinds(findings: list[Finding]) -> set[str]:
    return {item.kind for item in findings}


def only(findings: list[Finding], kind: str) -> Finding:
    matching = [item for item in findings if item.kind == kind]
    assert len(matching) == 1, findings
    return matching[0]


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 44_100])
def test_good_speech_has_no_findings(rate_hz: int) -> None:
    assert found(talk(rate_hz=rate_hz), rate_hz) == []


@pytest.mark.parametrize("gain", [1.0, 0.2])
@pytest.mark.parametrize("sides", ["both", "one"])
def test_clipping_is_found_at_any_level_and_on_one_side(gain: float, sides: str) -> None:
    samples = talk()
    limit = np.quantile(np.abs(samples), 0.995)
    clipped = np.clip(samples, -limit if sides == "both" else -1, limit) * gain
    findings = found(clipped)
    assert kinds(findings) == {"clipping"}
    first = findings[0]
    assert first.severity is Severity.REJECT
    reached = clipped if sides == "one" else np.abs(clipped)
    assert first.start_s == pytest.approx(np.argmax(reached >= 0.999 * np.max(reached)) / RATE_HZ, abs=0.6)
    assert all(item.affected_s is not None and 0 < item.affected_s < DURATION_S / 10 for item in findings)


def test_loud_tones_and_coarse_steps_are_not_clipped() -> None:
    times_s = np.arange(4 * RATE_HZ) / RATE_HZ
    assert "clipping" not in kinds(found(np.asarray(0.99 * np.sin(2 * np.pi * 233 * times_s), dtype=np.float32)))
    eight_bit = np.round(talk() * 128 * 4) / 128 / 4
    assert "clipping" not in kinds(found(eight_bit.astype(np.float32)))


def test_dropouts_begin_and_end_at_their_samples() -> None:
    samples = talk().copy()
    for start in (18_000, 22_000, 70_000):
        samples[start : start + 300] = 0
    near, far = [item for item in found(samples) if item.kind == "dropouts"]
    assert near.start_s == pytest.approx(18_000 / RATE_HZ, abs=2 / RATE_HZ)
    assert near.end_s == pytest.approx(22_300 / RATE_HZ, abs=2 / RATE_HZ)
    assert near.details == {"count": 2}
    assert near.affected_s == pytest.approx(600 / RATE_HZ, abs=4 / RATE_HZ)
    assert far.start_s == pytest.approx(70_000 / RATE_HZ, abs=2 / RATE_HZ)


def test_clicks_are_found_at_their_samples_and_weak_ones_are_left() -> None:
    samples = speech(4.0, rate_hz=48_000) + white_noise(4.0, rate_hz=48_000, power_db=-70)
    samples[60_000] += 0.5
    samples[130_000] -= 0.5
    samples[160_000] += 0.002
    clicks = [item for item in found(samples, 48_000) if item.kind == "clicks"]
    assert [item.start_s for item in clicks] == pytest.approx([60_000 / 48_000, 130_000 / 48_000], abs=3 / 48_000)


def test_an_offset_is_told_from_lopsided_speech() -> None:
    offset = only(found(talk() + np.float32(0.03)), "dc_offset")
    assert offset.details["percent_of_full_scale"] == pytest.approx(3, abs=0.2)
    assert offset.severity is Severity.FIXABLE
    lopsided = talk()
    lopsided = np.where(lopsided > 0, lopsided * 1.5, lopsided * 0.5)
    assert abs(np.mean(lopsided)) > 0.005
    assert "dc_offset" not in kinds(found(lopsided))


@pytest.mark.parametrize(("mains_hz", "drift"), [(50.0, 1.0), (60.0, 1.002)])
def test_hum_is_found_with_its_frequency_and_level(mains_hz: float, drift: float) -> None:
    times_s = np.arange(len(talk())) / RATE_HZ
    parts = [(1, 1.0), (2, 0.5), (3, 0.6), (4, 0.2), (5, 0.3)]
    hum = sum(weight * np.sin(2 * np.pi * mains_hz * drift * number * times_s) for number, weight in parts)
    level_db = -46.0
    hum *= 10 ** (level_db / 20) / np.sqrt(np.mean(hum**2))
    item = only(found(np.asarray(talk() + hum, dtype=np.float32)), "hum")
    assert item.details["frequency_hz"] == mains_hz
    assert item.details["level_db"] == pytest.approx(level_db, abs=1.5)
    assert (item.start_s, item.end_s) == (0.0, DURATION_S)


def test_a_fan_is_no_hum() -> None:
    times_s = np.arange(len(talk())) / RATE_HZ
    fan = sum(0.005 / number * np.sin(2 * np.pi * 87 * number * times_s) for number in range(1, 7))
    assert "hum" not in kinds(found(np.asarray(talk() + fan, dtype=np.float32)))


@pytest.mark.parametrize(("rate_hz", "limit_hz", "severity"), [(16_000, 4_000, "reject"), (48_000, 8_000, "your_call")])
def test_missing_bandwidth_is_found(rate_hz: int, limit_hz: int, severity: str) -> None:
    samples = talk(rate_hz=rate_hz) + white_noise(DURATION_S, rate_hz=rate_hz, power_db=-50)
    spectrum = np.fft.rfft(samples)
    spectrum[round(limit_hz * DURATION_S) :] = 0
    item = only(found(np.fft.irfft(spectrum, len(samples)).astype(np.float32), rate_hz), "low_bandwidth")
    assert item.details["bandwidth_hz"] == pytest.approx(limit_hz, abs=300)
    assert item.severity == severity


def test_dead_and_inverted_channels_are_named() -> None:
    samples = talk()
    dead = only(found(np.stack([samples, np.zeros_like(samples)], axis=1)), "dead_channel")
    assert dead.details["channel"] == 2
    inverted = found(np.stack([samples, -0.8 * samples + white_noise(DURATION_S, power_db=-80, seed=4)], axis=1))
    assert only(inverted, "inverted_channel").details["channel"] == 2
    assert "low_level" not in kinds(inverted)
    assert not kinds(found(np.stack([samples, samples], axis=1)))


def test_dead_air_reaches_from_speech_to_speech() -> None:
    silence = white_noise(5.0, power_db=-65, seed=5)
    samples = np.concatenate([talk(), silence, talk()])
    item = only(found(samples), "dead_air")
    # The last phrase of the first part ends 0.5 s before it, and the second part begins with a pause of 0.8 s.
    assert item.start_s == pytest.approx(7.9, abs=0.2)
    assert item.end_s == pytest.approx(14.2, abs=0.2)
    assert item.affected_s == pytest.approx(6.3, abs=0.3)


def test_pauses_that_are_as_loud_as_the_speech_are_no_dead_air() -> None:
    meter = DefectMeter(RATE_HZ, 1)
    samples = white_noise(12.0, power_db=-30)
    meter.push_native(samples[:, None])
    meter.finish_native()
    meter.push(samples)
    findings, _ = meter.result(Activity(12.0, (Segment(0.5, 2.0), Segment(9.0, 11.5)), 4.0), gain=1.0)
    assert "dead_air" not in {item.kind for item in findings}


def test_sudden_noises_in_pauses_are_found_and_breaths_are_not() -> None:
    samples = talk(11.2).copy()
    # Pauses of `speech` are from 2.8 to 3.6 s and from 5.6 to 6.4 s.
    bang = white_noise(0.06, power_db=-16, seed=6)
    samples[round(3.3 * RATE_HZ) :][: len(bang)] += bang
    breath = white_noise(0.1, power_db=-42, seed=7)
    samples[round(6.1 * RATE_HZ) :][: len(breath)] += breath

    activity = activity_of_speech(11.2)
    meter = DefectMeter(RATE_HZ, 1)
    meter.push_native(samples[:, None])
    meter.finish_native()
    meter.push(samples)
    findings, _ = meter.result(activity, gain=1.0)
    item = only(list(findings), "noise_burst")
    assert item.start_s == pytest.approx(3.3, abs=0.011)
    assert item.end_s == pytest.approx(3.36, abs=0.011)


def test_cut_words_and_unclean_edges_are_told_apart() -> None:
    samples = talk(11.2)
    cut = only(found(samples[round(1.1 * RATE_HZ) :]), "edges")
    assert (cut.start_s, cut.end_s, cut.severity) == (0.0, 0.1, Severity.REJECT)
    knocked = talk().copy()
    knocked[800:1_200] += white_noise(0.025, power_db=-25)
    unclean = only(found(knocked), "edges")
    assert (unclean.start_s, unclean.severity) == (0.0, Severity.FIXABLE)
    assert unclean.message != cut.message


def test_a_gate_is_found_and_flags_the_ratio() -> None:
    samples = talk() * (speech(DURATION_S) != 0)
    result = measure(recording_from_array(samples, RATE_HZ), language="CN", models=FakeModels())
    assert "gated" in {item.kind for item in result.findings}
    assert result.measurements[Property.SNR].value is not None
    assert result.measurements[Property.SNR].details["gated"] == 1.0
    plain = measure(recording_from_array(talk(), RATE_HZ), language="CN", models=FakeModels())
    assert "gated" not in plain.measurements[Property.SNR].details
    coarse = np.round(talk(level_db=-26) * 2**7) / 2**7
    assert "gated" not in kinds(found(coarse.astype(np.float32)))


def test_a_whisper_of_a_recording_is_low() -> None:
    assert only(found(talk(level_db=-45)), "low_level").details["level_db"] == pytest.approx(-45, abs=2)


@pytest.mark.parametrize("jump_db", [12.0, -12.0])
def test_a_jump_of_the_level_is_found_where_it_is(jump_db: float) -> None:
    samples = talk(28.0, level_db=-30).copy()
    # A phrase begins at 14.8 s.
    samples[14 * RATE_HZ :] *= np.float32(10 ** (jump_db / 20))
    item = only(found(samples), "level_jump")
    assert item.details["jump_db"] == pytest.approx(jump_db, abs=2)
    assert item.start_s == pytest.approx(14.5, abs=1.0)
    louder = KINDS["level_jump"].variants["louder"]
    assert (item.message == louder) == (jump_db > 0)


def test_a_hurried_passage_is_found() -> None:
    meter = SpeakingRateMeter("CN", None)
    slow, fast = (speech(20.0, syllables_per_s=rate, level_db=-15) for rate in (3.0, 5.5))
    for part in (slow, slow, fast, slow, slow):
        meter.push(part)
    segments = tuple(
        Segment(20 * part + segment.start_s, 20 * part + segment.end_s)
        for part in range(5)
        for segment in activity_of_speech(20.0).segments
    )
    passages = meter.passages(Activity(100.0, segments, 60.0))
    item = only(rate_off(passages), "rate_off")
    assert item.start_s is not None
    assert item.end_s is not None
    assert item.start_s <= 46
    assert item.end_s >= 54
    assert item.details["relative_rate"] >= 1.3


def test_an_even_rate_or_too_few_passages_are_not_off() -> None:
    even = [RatePassage(6.0 * index, 6.0 * index + 12, 4.0 + 0.3 * (index % 3)) for index in range(9)]
    assert rate_off(even) == []
    assert rate_off([*even[:3], RatePassage(18.0, 30.0, 9.0)]) == []


def test_a_passage_that_echoes_is_told_from_a_recording_that_does() -> None:
    def heard(*c50_db: float) -> list[ReverbPassage]:
        return [ReverbPassage(10.0 * index, 10.0 * index + 10, value) for index, value in enumerate(c50_db)]

    item = only(reverberant_passages(heard(38, 40, 12, 16, 39, 40)), "reverberant_passage")
    assert (item.start_s, item.end_s) == (20.0, 40.0)
    assert item.details == {"c50_db": 14.0, "median_c50_db": 38.5}
    assert reverberant_passages(heard(38, 40, 26, 40)) == []
    assert reverberant_passages(heard(12, 14, 11, 15, 13)) == []
    assert reverberant_passages(heard(24, 25, 15, 26)) == []
    assert reverberant_passages(heard(40, 10, 40)) == []


def test_a_valley_of_the_scores_is_placed_within_its_windows() -> None:
    # Something bad at 30 s lies in the windows that begin at 21 to 30 s.
    rows = [(float(second), 3.5, 4.0, 2.2 if 21 <= second <= 30 else 3.3) for second in range(60)]
    item = only(dnsmos_valleys(rows, duration_s=69.0), "dnsmos_valley")
    assert item.start_s is not None
    assert item.end_s is not None
    assert item.start_s < 30 < item.end_s
    assert item.end_s - item.start_s < 11
    assert item.details == {"lowest_mos": 2.2, "median_mos": 3.3}
    assert dnsmos_valleys(rows[21:26], duration_s=14.0) == []


def examine(samples: Samples, blocks: list[int], channels: int = 1) -> tuple[tuple[Finding, ...], dict[str, float]]:
    table = np.repeat(samples[:, None], channels, axis=1)
    meter = DefectMeter(RATE_HZ, channels)
    for start, end in pairwise([0, *blocks, len(samples)]):
        if end > start:
            meter.push_native(table[start:end])
            meter.push(samples[start:end])
    meter.finish_native()
    return meter.result(activity_of_speech(len(samples) / RATE_HZ), gain=1.0)


@given(cuts=st.lists(st.integers(1, 133_000), max_size=6))
@settings(max_examples=8, deadline=None)
def test_findings_do_not_depend_on_the_blocks(cuts: list[int]) -> None:
    samples = talk().copy()
    samples[30_000:30_200] = 0
    samples[50_000] += 0.9
    samples = np.clip(samples, -0.2, 0.2)
    assert examine(samples, sorted(cuts)) == examine(samples, [])


STRANGE: dict[str, Callable[[int], np.ndarray]] = {
    "silence": np.zeros,
    "offset": lambda count: np.full(count, 0.7),
    "noise": lambda count: np.random.default_rng(0).standard_normal(count) * 0.01,
    "loud noise": lambda count: np.clip(np.random.default_rng(0).standard_normal(count), -1, 1),
    "tone": lambda count: 0.3 * np.sin(np.arange(count) * 0.05),
    "square": lambda count: np.sign(np.sin(np.arange(count) * 0.013)),
    "eight bits": lambda count: np.round(np.sin(np.arange(count) * 0.02) * 50) / 128,
    "huge": lambda count: np.full(count, 2.0**32) * np.sin(np.arange(count) * 0.05),
    "tiny": lambda count: np.full(count, 1e-30) * np.sin(np.arange(count) * 0.05),
}


@pytest.mark.parametrize("name", STRANGE)
@pytest.mark.parametrize(("rate_hz", "channels", "count"), [(8_000, 1, 24_000), (192_000, 8, 100_000), (48_000, 2, 48)])
def test_strange_sound_gives_sound_findings(name: str, rate_hz: int, channels: int, count: int) -> None:
    table = np.repeat(STRANGE[name](count).astype(np.float32)[:, None], channels, axis=1)
    duration_s = count / rate_hz
    meter = DefectMeter(rate_hz, channels)
    meter.push_native(table)
    meter.finish_native()
    meter.push(np.zeros(round(duration_s * RATE_HZ), dtype=np.float32))
    findings, traits = meter.result(Activity(duration_s, (), 0.0), gain=1.0)
    assert {item.kind for item in findings} <= {"dc_offset", "clipping", "clicks", "dropouts"}
    for item in findings:
        assert 0 <= (item.start_s or 0.0) <= (item.end_s or duration_s) <= duration_s
        assert all(np.isfinite(figure) for figure in item.details.values())
    assert all(np.isfinite(figure) for figure in traits.values())


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_next_to_no_samples_have_no_findings(count: int) -> None:
    meter = DefectMeter(48_000, 1)
    if count:
        meter.push_native(np.full((count, 1), 0.5, dtype=np.float32))
    meter.finish_native()
    assert meter.result(Activity(count / 48_000, (), 0.0), gain=1.0) == ((), {})


def test_times_do_not_drift_in_three_hours() -> None:
    rate_hz = 8_000
    zeros = np.zeros((60 * rate_hz, 1), dtype=np.float32)
    events = {minute * 60 * rate_hz + 12_345 for minute in (0, 7, 101, 179)}
    clipped = np.clip(np.sin(np.arange(4_000) * 0.21) * 2, -0.5, 0.5).astype(np.float32)
    clipped[2_000:] = np.sin(np.arange(2_000) * 0.001) * 0.01

    def blocks() -> Iterator[Samples]:
        for minute in range(180):
            block = zeros
            if minute * 60 * rate_hz + 12_345 in events:
                block = zeros.copy()
                block[12_345 : 12_345 + len(clipped), 0] = clipped
            yield block

    # The interruption and spectrum meters are left out for speed; they take their times from the same chunks.
    chunks, meter = Chunks(2 * rate_hz, round(MARGIN_S * rate_hz), 1), ClippingMeter(rate_hz)
    for block in blocks():
        for chunk in chunks.push(block):
            meter.push(chunk)
    for chunk in chunks.finish():
        meter.push(chunk)
    first = int(np.argmax(clipped >= 0.5))
    assert [item.start_s for item in meter.findings()] == [round((at + first) / rate_hz, 6) for at in sorted(events)]


def test_the_same_break_is_found_once_wherever_it_lies_in_the_pieces() -> None:
    # Two seconds, where a piece ends, fall into the middle of a syllable.
    base = speech(7.0, syllables_per_s=4.25) + white_noise(7.0)
    for at in range(31_500, 32_500, 111):
        samples = base.copy()
        samples[at : at + 250] = 0
        chunks, meter = Chunks(2 * RATE_HZ, round(MARGIN_S * RATE_HZ), 1), InterruptionMeter(RATE_HZ)
        for chunk in [*chunks.push(samples[:, None]), *chunks.finish()]:
            meter.push(chunk)
        assert [item.details["count"] for item in meter.findings(speech_rms=0.1) if item.kind == "dropouts"] == [1.0]


def test_chunks_cover_everything_once() -> None:
    signal = np.arange(1_000, dtype=np.float32)[:, None]
    chunks = Chunks(64, 20, 1)
    pieces: list[Chunk] = []
    for start in range(0, 1_000, 37):
        pieces += chunks.push(signal[start : start + 37])
    pieces += chunks.finish()
    own = [piece.samples[piece.before : piece.before + piece.own, 0] for piece in pieces]
    assert np.array_equal(np.concatenate(own), signal[:, 0])
    for piece in pieces:
        assert piece.samples[0, 0] == max(0, piece.first - 20)
        assert piece.samples[-1, 0] == min(999, piece.first + piece.own + 19)


def test_spans_join_what_is_close_and_count_it() -> None:
    spans = Spans(10)
    for start, end in ((0, 5), (12, 14), (13, 20), (40, 41)):
        spans.add(start, end)
    assert [(span.start, span.end, span.count, span.affected) for span in spans.spans] == [
        (0, 20, 3, 13),
        (40, 41, 1, 1),
    ]
    assert [edge.tolist() for edge in runs(np.array([True, False, True, True]))] == [[0, 2], [1, 4]]


def test_hundreds_of_findings_become_a_few_that_count_them() -> None:
    many = [finding("clicks", start_s=float(at), end_s=at + 0.5, affected_s=0.1) for at in range(500) if at % 50 < 40]
    few = joined([*many, finding("dc_offset")])
    clicks = [item for item in few if item.kind == "clicks"]
    assert len(clicks) <= MOST_OF_A_KIND
    assert sum(item.details["count"] for item in clicks) == len(many)
    assert sum(item.affected_s or 0 for item in clicks) == pytest.approx(0.1 * len(many))
    # The wide gaps are where the findings part.
    assert all((item.start_s or 0.0) // 50 == (item.end_s or 0.0) // 50 for item in clicks)
    assert "dc_offset" in kinds(few)


def test_every_kind_says_in_both_languages_what_to_do() -> None:
    for kind in KINDS.values():
        messages = [*kind.variants.values()] if kind.variants else [kind.message]
        for text in (kind.name, *messages):
            assert text.zh
            assert text.en
            assert text.zh.isascii() is False
            assert text.en.isascii()


def test_a_channel_meter_needs_half_a_second() -> None:
    meter = ChannelMeter(RATE_HZ, 1)
    meter.push(Chunk(np.full((4_000, 1), 0.3, dtype=np.float32), 0, 0, 4_000, 0))
    assert meter.findings() == []
