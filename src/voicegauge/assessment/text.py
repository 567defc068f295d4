"""How much is spoken when a transcript is read aloud: characters in Chinese, words in English."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from voicegauge.assessment.numerals import (
    read_digits_chinese,
    read_digits_english,
    read_integer_chinese,
    read_integer_english,
    read_ordinal_english,
    read_year_english,
)
from voicegauge.assessment.syllables import count_letter_syllables, count_word_syllables
from voicegauge.assessment.values import Language

__all__ = ["SpokenText", "count_spoken"]


@dataclass(frozen=True)
class SpokenText:
    """What a reader says.

    Attributes
    ----------
    units : int
        Characters in Chinese, words in English.
    syllables : int
    """

    units: int
    syllables: int


def count_spoken(text: str, language: Language) -> SpokenText:
    """Count what is spoken when `text` is read aloud in `language`.

    Figures, dates, times, percentages and amounts of money count as they are read: in Chinese 2024年 is five characters
    and 3.5% six (百分之三点五), in English 21st is two words. In Chinese a Latin word counts one character for each of
    its syllables and an abbreviation one for each letter. Punctuation is not spoken.

    Parameters
    ----------
    text : str
        May be empty.
    """
    plain = unicodedata.normalize("NFKC", text).replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    if language == "CN":
        spoken = "".join(_read_chinese(token) for token in _CHINESE_TOKEN.finditer(plain))
        return SpokenText(len(spoken), len(spoken) + 2 * spoken.count("W"))
    plain = _SHOUTING.sub(lambda passage: passage[0].lower(), plain)
    words = [word for token in _ENGLISH_TOKEN.finditer(plain) for word in _read_english(token)]
    return SpokenText(len(words), sum(map(_count_syllables, words)))


_NUMBER = r"(?P<whole>\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.(?P<decimals>\d+))?"
_DATE = r"(?P<date>(?<!\d)\d{4}[-/.]\d{1,2}[-/.]\d{1,2}(?!\d))"
_TIME = r"(?P<time>(?<!\d)\d{1,2}:\d{2}(?::\d{2})?(?!\d))"
_LETTER = r"[A-Za-z\u00c0-\u024f]"
_LATIN = rf"(?P<latin>{_LETTER}+(?:'{_LETTER}+)*)"

_CHINESE_TOKEN = re.compile(
    rf"""
      (?P<hanzi>[〇\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])
    | {_DATE} | {_TIME}
    | (?P<year>(?<!\d)\d{{4}}(?=\s?年))
    | (?P<fraction>(?<![\d/])\d+/\d+(?![\d/]))
    | (?P<range>(?<=[\d%])\s?[-~\u2013\u2014]\s?(?=\d))
    | (?P<minus>-(?=\d))
    | {_NUMBER} (?P<percent>\s?[%‰])? (?P<measure>\s?(?:°C|km|kg|cm|mm|ml|m|g)(?![A-Za-z]))?
    | (?P<symbol>[+=×÷$¥£€&@])
    | {_LATIN}
    """,
    re.VERBOSE,
)

_CHINESE_MEASURES = {
    "°C": "摄氏度",
    "km": "公里",
    "kg": "公斤",
    "cm": "厘米",
    "mm": "毫米",
    "ml": "毫升",
    "m": "米",
    "g": "克",
}
_CHINESE_SYMBOLS = {
    "+": "加",
    "=": "等于",
    "×": "乘",
    "÷": "除以",
    "$": "美元",
    "¥": "元",
    "£": "英镑",
    "€": "欧元",
    "&": "和",
    "@": "艾特",
}


def _read_chinese(token: re.Match[str]) -> str:
    """Write one token the way it is read; a Latin syllable stays one Latin letter, the letter W a "W"."""
    text = token[0]
    match token.lastgroup:
        case "hanzi":
            return text
        case "date":
            year, month, day = re.split(r"[-/.]", text)
            return f"{read_digits_chinese(year)}年{_read_short(month)}月{_read_short(day)}日"
        case "time":
            hour, *rest = text.split(":")
            parts = [(part, unit) for part, unit in zip(rest, "分秒", strict=False) if int(part)]
            return f"{_read_short(hour)}点" + "".join(read_integer_chinese(part) + unit for part, unit in parts)
        case "year":
            return read_digits_chinese(text)
        case "fraction":
            below, above = (read_integer_chinese(part) for part in reversed(text.split("/")))
            return f"{below}分之{above}"
        case "range":
            return "到"
        case "minus":
            return "负"
        case "symbol":
            return _CHINESE_SYMBOLS[text]
        case "latin":
            if _is_spelled(text):
                return text.upper()
            return "a" * count_word_syllables(_spelling(text))
    return _read_chinese_number(token)


def _read_chinese_number(token: re.Match[str]) -> str:
    whole = token["whole"].replace(",", "")
    is_round = whole.endswith("000") and len(whole) != 11
    looks_like_a_code = len(whole) >= 7 and "," not in token["whole"] and not is_round
    spoken = read_digits_chinese(whole) if looks_like_a_code else read_integer_chinese(whole)
    if token["decimals"]:
        spoken += "点" + read_digits_chinese(token["decimals"])
    if token["percent"]:
        spoken = ("百分之" if "%" in token["percent"] else "千分之") + spoken
    return spoken + (_CHINESE_MEASURES[token["measure"].strip()] if token["measure"] else "")


def _read_short(digits: str) -> str:
    return read_integer_chinese(str(int(digits)))


# Four words and more in capitals are a passage in capitals, not abbreviations.
_SHOUTING = re.compile(r"(?:\b[A-Z][A-Z']*\b[^\w']+){3,}[A-Z][A-Z']*\b")

_ENGLISH_TOKEN = re.compile(
    rf"""
      {_DATE} | {_TIME}
    | (?P<ordinal>\d+)(?:st|nd|rd|th)\b
    | (?P<year>(?<![\d,.$£€-])(?:1[1-9]|20)\d\d(?![\d%]|[,.]\d))
    | (?P<minus>(?<!\w)-(?=\d))
    | (?P<currency>[$£€¥])?{_NUMBER}(?P<percent>\s?%)?
    | (?P<symbol>[+=×÷&@%])
    | (?P<abbreviation>(?:[A-Za-z]\.){{2,}})
    | {_LATIN}
    """,
    re.VERBOSE,
)
_ENGLISH_SYMBOLS = {"+": "plus", "=": "equals", "×": "times", "÷": "over", "&": "and", "@": "at", "%": "percent"}
_CURRENCIES = {"$": ("dollars", "cents"), "£": ("pounds", "pence"), "€": ("euros", "cents"), "¥": ("yuan", "fen")}
_MONTHS = (
    *("january", "february", "march", "april", "may", "june"),
    *("july", "august", "september", "october", "november", "december"),
)


def _read_english(token: re.Match[str]) -> list[str]:
    """Write one token as the words that are spoken; an abbreviation that is spelled stays one upper-case word."""
    text = token[0]
    match token.lastgroup:
        case "date":
            year, month, day = re.split(r"[-/.]", text)
            name = _MONTHS[int(month) - 1] if 1 <= int(month) <= 12 else "month"
            return [name, *read_ordinal_english(str(int(day))), *read_year_english(year)]
        case "time":
            hour, minute, *_ = text.split(":")
            minutes = ["oh", *read_integer_english(minute[1])] if minute[0] == "0" else read_integer_english(minute)
            return read_integer_english(str(int(hour))) + (["o'clock"] if minute == "00" else minutes)
        case "ordinal":
            return read_ordinal_english(token["ordinal"])
        case "year":
            return read_year_english(text)
        case "minus":
            return ["minus"]
        case "symbol":
            return [_ENGLISH_SYMBOLS[text]]
        case "abbreviation":
            return [text.replace(".", "").upper()]
        case "latin":
            word = text if _is_spelled(text) else _spelling(text)
            return [word] if word else []
    return _read_english_number(token)


def _read_english_number(token: re.Match[str]) -> list[str]:
    whole = token["whole"].replace(",", "")
    words = read_digits_english(whole) if len(whole) >= 7 and "," not in token["whole"] else read_integer_english(whole)
    decimals = token["decimals"]
    if token["currency"]:
        unit, hundredth = _CURRENCIES[token["currency"]]
        return [*words, unit] + ([*read_integer_english(decimals.lstrip("0") or "0"), hundredth] if decimals else [])
    if decimals:
        words = [*words, "point", *read_digits_english(decimals)]
    return [*words, "percent"] if token["percent"] else words


def _is_spelled(word: str) -> bool:
    """Tell whether a Latin word is an abbreviation read letter by letter."""
    return word.isupper() and word.isascii() and word.isalpha() and (len(word) <= 3 or not re.search("[AEIOUY]", word))


def _spelling(word: str) -> str:
    """Lower-case letters without accents, and apostrophes."""
    letters = unicodedata.normalize("NFD", word.lower())
    return re.sub("[^a-z']", "", letters).strip("'")


def _count_syllables(word: str) -> int:
    return sum(map(count_letter_syllables, word)) if word.isupper() and len(word) > 1 else count_word_syllables(word)
