"""Results as a worker stores them, in the documented JSON form, cut down to what the wire reads."""

from __future__ import annotations

from typing import Any


def verdict(
    expected: dict[str, Any], actual: dict[str, Any], within: bool | None, *, zh: str = "很好。", en: str = "Good."
) -> dict[str, Any]:
    return {
        "expected": {"min": None, "max": None, "source": "metrics", "date": "2026-11", **expected},
        "actual": {"weight_s": 62.5, **actual},
        "within": within,
        "failing": [],
        "advice": {"zh": zh, "en": en},
    }


def noisy_result() -> dict[str, Any]:
    """A set that is noisy and too hot, with too few pauses to tell the room."""
    return {
        "voicegauge": "0.1.0",
        "language": "CN",
        "recordings": [],
        "verdicts": {
            "speaking_rate": verdict(
                {"min": 180, "max": 320, "unit": "characters/min"},
                {"value": 236.4218, "unit": "characters/min", "syllables_per_min": 236.4218},
                True,
            ),
            "loudness": verdict(
                {"min": -27.0, "max": -16.0, "unit": "LUFS", "true_peak_dbtp": {"min": None, "max": -1.0}},
                {"value": -17.2, "unit": "LUFS", "true_peak_dbtp": -0.32},
                False,
                zh="请离话筒远一点。",
                en="Move away from the microphone.",
            ),
            "snr": verdict(
                {"min": 30, "unit": "dB"},
                {"value": 29.96, "unit": "dB"},
                False,
                zh="请关掉风扇。",
                en="Switch the fan off.",
            ),
            "reverb": verdict(
                {"min": 25, "unit": "dB"},
                {"value": None, "unit": "dB", "reason": "not_enough_pause"},
                None,
                zh="请在句子之间停顿。",
                en="Pause between sentences.",
            ),
            "dnsmos_ovrl": verdict({"min": 3.0, "unit": "MOS"}, {"value": 3.1649, "unit": "MOS"}, True),
            "dnsmos_bak": verdict({"min": 3.6, "unit": "MOS"}, {"value": 4.2, "unit": "MOS"}, True),
        },
        "within": False,
        "advice": {"zh": "响度和信噪比不合要求。", "en": "Loudness and noise are out of range."},
    }
