"""Errors met on real recordings with known truth. Written by bench/errors.py; not for editing."""

from __future__ import annotations

PROVENANCE = {
    "script": "bench/errors.py",
    "date": "2026-11-22",
    "data": (
        "1319 measurements of Chinese and English speech from public corpora (LibriSpeech, AISHELL-3 and others),"
        " degraded with known noise, rooms and tempo; DNSMOS: stretches of takes beside the whole take"
    ),
}
RELATIVE = frozenset({"speaking_rate"})
"""The errors of these are shares of the value."""

ERRORS: dict[str, tuple[float, int]] = {
    "speaking_rate/blind/CN/long": (0.082, 20),
    "speaking_rate/blind/CN/short": (0.154, 11),
    "speaking_rate/blind/EN/long": (0.183, 24),
    "speaking_rate/blind/EN/short": (0.274, 9),
    "speaking_rate/transcript/CN/long": (0.069, 20),
    "speaking_rate/transcript/CN/short": (0.083, 28),
    "speaking_rate/transcript/EN/long": (0.102, 24),
    "speaking_rate/transcript/EN/short": (0.086, 18),
    "loudness": (0.134, 32),
    "snr/no_pauses": (5.878, 64),
    "snr/no_pauses/snr_1": (4.978, 50),
    "snr/no_pauses/snr_2": (6.359, 8),
    "snr/pauses/snr_0": (2.230, 63),
    "snr/pauses/snr_1": (0.404, 169),
    "snr/pauses/snr_2": (1.005, 200),
    "snr/pauses/snr_3": (1.565, 94),
    "reverb/little": (14.090, 60),
    "reverb/little/c50_0": (3.029, 28),
    "reverb/little/c50_1": (16.126, 26),
    "reverb/much/c50_0": (1.860, 42),
    "reverb/much/c50_1": (2.163, 30),
    "reverb/much/c50_2": (7.637, 11),
    "reverb/much/c50_3": (2.457, 19),
    "dnsmos_ovrl/repeated/half": (0.221, 50),
    "dnsmos_ovrl/repeated/less": (0.531, 52),
    "dnsmos_ovrl/windows": (0.137, 25),
    "dnsmos_bak/repeated/half": (0.233, 50),
    "dnsmos_bak/repeated/less": (0.550, 52),
    "dnsmos_bak/windows": (0.191, 25),
    "dnsmos_sig/repeated/half": (0.166, 50),
    "dnsmos_sig/repeated/less": (0.281, 52),
    "dnsmos_sig/windows": (0.086, 25),
}
"""Property and classes of evidence: 90th percentile of the absolute error, and of how many measurements."""
