"""What people read on a terminal and open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from rich.console import Console

from tests.unit.assessment.test_judge import take
from voicegauge.assessment.judge import judge
from voicegauge.assessment.kinds import finding
from voicegauge.assessment.profile import Assessment, Ignored
from voicegauge.assessment.values import Finding, Property, Reason, Severity, Text
from voicegauge.profiles.loader import load_profile
from voicegauge.rejudge import judge_again
from voicegauge.reports.tables import Tongue, csv_text, print_comparison, print_table


def shown(assessment: Assessment, tongue: Tongue = "en", width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    print_table(assessment, console, tongue)
    text = console.file
    assert isinstance(text, io.StringIO)
    return text.getvalue()


@pytest.fixture
def mixed() -> Assessment:
    gone = replace(
        take("cut.wav", snr=Reason.NOT_ENOUGH_PAUSE),
        findings=(Finding("truncated", Severity.YOUR_CALL, Text("文件不完整。", "The file is cut off."), 65.0, 70.0),),
    )
    ignored = [Ignored("cover.png", Text("不是录音。", "Not a recording."))]
    return judge(
        [take("a.wav"), take("b.wav", snr=5.0), gone], load_profile("default", "EN"), version="1", ignored=ignored
    )


def test_a_table_shows_verdict_measure_expectation_and_what_to_do(mixed: Assessment) -> None:
    text = shown(mixed)
    assert "✗" in text
    assert "22.5 dB" in text
    assert "≥ 30 dB" in text
    assert "Start with: b.wav." in " ".join(text.split())
    assert "cut.wav" in text
    assert "truncated 1:05.0–1:10.0 [your call] The file is cut off." in text
    assert "cover.png: Not a recording." in text


def test_the_chinese_table_speaks_chinese(mixed: Assessment) -> None:
    text = shown(mixed, "zh")
    assert "信噪比" in text
    assert "Signal" not in text
    assert "文件不完整" in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(mixed: Assessment, width: int) -> None:
    assert max(len(line.rstrip()) for line in shown(mixed, width=width).splitlines()) <= width


def test_long_lists_show_the_failing_first_and_say_what_is_left_out() -> None:
    takes = [take(f"take{index:02}.wav") for index in range(60)] + [take("failing.wav", snr=1.0)]
    text = shown(judge(takes, load_profile("default", "EN"), version="1"))
    assert "failing.wav" in text
    assert "21 more" in text


def test_csv_has_a_line_for_each_recording(mixed: Assessment) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text([mixed]))))
    assert [row["name"] for row in rows] == ["a.wav", "b.wav", "cut.wav"]
    assert float(rows[0][Property.SNR]) == pytest.approx(40.0)
    assert rows[1]["out_of_range"] == "snr"
    assert rows[2][Property.SNR] == ""
    assert rows[2]["not_judged"] == "snr"
    assert rows[2]["findings"] == "truncated"
    assert float(rows[0]["true_peak_dbtp"]) == pytest.approx(-3.0)


@pytest.fixture
def compared(mixed: Assessment) -> list[Assessment]:
    return [mixed, judge_again(mixed, "tencent-ivh"), judge_again(mixed, "acx")]


def test_several_profiles_make_one_table_with_a_column_for_each(compared: list[Assessment]) -> None:
    console = Console(file=io.StringIO(), width=160)
    print_comparison(compared, console, "en")
    text = console.file.getvalue()  # type: ignore[attr-defined]
    lines = text.splitlines()
    heading = next(line for line in lines if "Measured" in line)
    assert [heading.index(name) for name in ("default", "tencent-ivh", "acx")] == sorted(
        heading.index(name) for name in ("default", "tencent-ivh", "acx")
    )
    snr = next(line for line in lines if line.lstrip().startswith("Signal-to-noise"))
    assert snr.split("22.5 dB")[1].split() == ["✗", "≥", "30", "dB", "✗", "≥", "25", "dB", "–"]
    assert sum(line.lstrip().startswith("Sample rate") for line in lines) == 1
    assert "not measured here" in " ".join(text.split())
    assert "MP3 at a constant bit rate" in " ".join(text.split())
    assert "The file is cut off." in text


def test_csv_of_several_has_columns_for_each(compared: list[Assessment]) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_text(compared))))
    assert rows[1]["out_of_range:tencent-ivh"] == "snr"
    assert rows[1]["out_of_range:default"] == "snr"
    assert rows[0]["out_of_range:acx"] == "sample_rate"
    assert "out_of_range" not in rows[0]


def test_a_value_is_shown_with_its_error_and_its_mark() -> None:
    exact = take("a.wav").measurements
    measured = {
        **exact,
        Property.SNR: replace(exact[Property.SNR], error=1.23),
        Property.DNSMOS_OVRL: replace(exact[Property.DNSMOS_OVRL], error=0.3, details={"repeated": 1.0}),
    }
    text = shown(judge([replace(take("a.wav"), measurements=measured)], load_profile("default", "EN"), version="1"))
    assert "40.0 ± 1.3 dB" in text
    assert "3.30 ± 0.30 (extrapolated)" in text


def test_the_level_is_shown_where_a_profile_asks_for_it() -> None:
    plain = take("a.wav")
    loudness = plain.measurements[Property.LOUDNESS]
    measured = {**plain.measurements, Property.LOUDNESS: replace(loudness, details={"rms_dbfs": -25.04})}
    audiobook = judge([replace(plain, measurements=measured)], load_profile("acx", "EN"), version="1")
    assert "RMS -25.0 dBFS" in shown(audiobook, width=140)
    assert "RMS -23 to -18 dBFS" in shown(audiobook, width=140)
    assert "RMS" not in shown(judge_again(audiobook, "default"), width=140)


def test_many_findings_of_a_kind_are_one_line_with_places_and_size() -> None:
    found = tuple(
        finding("clipping", start_s=10.0 * index, end_s=10.0 * index + 1, affected_s=0.5, details={"count": 7})
        for index in range(6)
    )
    spoiled = replace(take("loud.wav"), findings=(*found, finding("hum", details={"frequency_hz": 50})))
    text = " ".join(shown(judge([spoiled], load_profile("default", "EN"), version="1"), width=200).split())
    assert "Clipping 0:00.0–0:01.0, 0:10.0–0:11.0, 0:20.0–0:21.0 and 3 more (42 times, 3 s in all)" in text
    assert "[record again] Too loud" in text
    assert text.index("Clipping") < text.index("Hum (50 Hz) [your call]")


def test_a_recording_with_everything_wrong_names_the_worst() -> None:
    kinds = ("hum", "dead_air", "dc_offset", "clicks", "gated", "noise_burst", "low_level", "clipping")
    spoiled = replace(take("bad.wav"), findings=tuple(finding(kind) for kind in kinds))
    text = shown(judge([spoiled], load_profile("default", "EN"), version="1"))
    assert "Clipping" in text
    assert "3 more kinds" in text


def test_of_many_recordings_with_findings_the_worst_are_shown() -> None:
    takes = [replace(take(f"take{index:02}.wav"), findings=(finding("hum"),)) for index in range(30)]
    takes.append(replace(take("worst.wav"), findings=(finding("clipping"),)))
    text = shown(judge(takes, load_profile("default", "EN"), version="1"))
    assert "worst.wav" in text[text.index("Hum") - 2000 :]
    assert "11 more recordings have findings" in text
