"""Which unit a property or fact has."""

from __future__ import annotations

from voicegauge.assessment.values import Fact, Judged, Language, Property, Unit

__all__ = ["unit_of"]

_UNITS: dict[Judged, Unit] = {
    Property.LOUDNESS: Unit.LUFS,
    Property.SNR: Unit.DB,
    Property.REVERB: Unit.DB,
    Property.DNSMOS_OVRL: Unit.MOS,
    Property.DNSMOS_BAK: Unit.MOS,
    Property.DNSMOS_SIG: Unit.MOS,
    Fact.SAMPLE_RATE: Unit.HZ,
    Fact.CHANNELS: Unit.CHANNELS,
    Fact.RECORDING_LENGTH: Unit.SECONDS,
    Fact.TOTAL_LENGTH: Unit.SECONDS,
    Fact.TOTAL_SPEECH: Unit.SECONDS,
}


def unit_of(judged: Judged, language: Language) -> Unit:
    """Return the unit; a speaking rate counts what is natural in the language."""
    if judged is Property.SPEAKING_RATE:
        return Unit.CHARACTERS_PER_MIN if language == "CN" else Unit.WORDS_PER_MIN
    return _UNITS[judged]
