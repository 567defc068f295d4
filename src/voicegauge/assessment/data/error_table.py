"""Errors met on real recordings with known truth. Written by bench/errors.py; not for editing."""

from __future__ import annotations

PROVENANCE = {
    "script": "bench/errors.py",
    "date": "2026-11-22",
    "data": (
        "1628 measurements of Chinese and English speech from public corpora (LibriSpeech, AISHELL-3 and others),"
        " degraded with known noise, rooms and tempo; DNSMOS: stretches of takes beside the whole take"
    ),
}
RELATIVE = frozenset({"speaking_rate"})
"""The errors of these are shares of the value."""

ERRORS: dict[str, tuple[float, int]] = {
    "speaking_rate/blind": (0.240, 64),
    "speaking_rate/blind/CN/long": (0.086, 20),
    "speaking_rate/blind/CN/short": (0.154, 11),
    "speaking_rate/blind/EN/long": (0.260, 24),
    "speaking_rate/blind/EN/short": (0.303, 9),
    "speaking_rate/transcript": (0.087, 90),
    "speaking_rate/transcript/CN/long": (0.072, 20),
    "speaking_rate/transcript/CN/short": (0.083, 28),
    "speaking_rate/transcript/EN/long": (0.106, 24),
    "speaking_rate/transcript/EN/short": (0.086, 18),
    "loudness": (0.134, 32),
    "snr/no_pauses": (5.878, 64),
    "snr/no_pauses/snr_1": (4.978, 50),
    "snr/no_pauses/snr_2": (6.359, 8),
    "snr/pauses": (1.055, 526),
    "snr/pauses/snr_0": (2.230, 63),
    "snr/pauses/snr_1": (0.404, 169),
    "snr/pauses/snr_2": (1.005, 200),
    "snr/pauses/snr_3": (1.565, 94),
    "reverb/little": (10.047, 60),
    "reverb/little/c50_0": (2.160, 22),
    "reverb/little/c50_1": (5.873, 25),
    "reverb/little/c50_2": (11.841, 11),
    "reverb/much": (4.339, 102),
    "reverb/much/c50_0": (1.461, 35),
    "reverb/much/c50_1": (4.475, 34),
    "reverb/much/c50_3": (5.030, 26),
    "dnsmos_ovrl/repeated": (0.327, 184),
    "dnsmos_ovrl/repeated/half": (0.220, 92),
    "dnsmos_ovrl/repeated/less": (0.476, 92),
    "dnsmos_ovrl/windows": (0.129, 46),
    "dnsmos_bak/repeated": (0.313, 184),
    "dnsmos_bak/repeated/half": (0.234, 92),
    "dnsmos_bak/repeated/less": (0.450, 92),
    "dnsmos_bak/windows": (0.175, 46),
    "dnsmos_sig/repeated": (0.239, 184),
    "dnsmos_sig/repeated/half": (0.165, 92),
    "dnsmos_sig/repeated/less": (0.287, 92),
    "dnsmos_sig/windows": (0.086, 46),
}
"""Property and classes of evidence: 90th percentile of the absolute error, and of how many measurements."""
