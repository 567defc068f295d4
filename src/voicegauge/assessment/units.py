"""Which unit a property has."""

from __future__ import annotations

from voicegauge.assessment.values import Language, Property, Unit

__all__ = ["unit_of"]


def unit_of(prop: Property, language: Language) -> Unit:
    """Return the unit of a property; a speaking rate counts what is natural in the language."""
    if prop is Property.SPEAKING_RATE:
        return Unit.CHARACTERS_PER_MIN if language == "CN" else Unit.WORDS_PER_MIN
    if prop is Property.LOUDNESS:
        return Unit.LUFS
    return Unit.DB if prop in {Property.SNR, Property.REVERB} else Unit.MOS
