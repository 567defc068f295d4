"""Numbers as they are read aloud, in Chinese and in English."""

from __future__ import annotations

__all__ = [
    "read_digits_chinese",
    "read_digits_english",
    "read_integer_chinese",
    "read_integer_english",
    "read_ordinal_english",
    "read_year_english",
]

_CHINESE_DIGITS = "零一二三四五六七八九"
_CHINESE_PLACES = ("", "十", "百", "千")
_CHINESE_GROUPS = ("", "万", "亿", "兆")

_ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_THOUSANDS = ("", "thousand", "million", "billion", "trillion")
_ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}


def read_digits_chinese(digits: str) -> str:
    """Read digits one by one, as in a telephone number: "2024" is 二零二四."""
    return "".join(_CHINESE_DIGITS[int(digit)] for digit in digits)


def read_integer_chinese(digits: str) -> str:
    """Read a whole number: "2024" is 二千零二十四, "10" is 十.

    Digit by digit when it starts with a zero or has more than 16 digits.
    """
    if len(digits) > 16 or (len(digits) > 1 and digits[0] == "0"):
        return read_digits_chinese(digits)
    number = int(digits)
    if number == 0:
        return "零"
    groups = []
    while number:
        number, group = divmod(number, 10_000)
        groups.append(group)
    spoken = ""
    for index in range(len(groups) - 1, -1, -1):
        group = groups[index]
        if not group:
            continue
        skipped_a_place = bool(spoken) and (group < 1000 or groups[index + 1] == 0)
        spoken += ("零" if skipped_a_place else "") + _read_group(group) + _CHINESE_GROUPS[index]
    return spoken.removeprefix("一") if spoken.startswith("一十") else spoken


def _read_group(group: int) -> str:
    """Read 1 to 9999."""
    spoken = ""
    pending_zero = False
    for place in (3, 2, 1, 0):
        digit = group // 10**place % 10
        if digit:
            spoken += ("零" if pending_zero else "") + _CHINESE_DIGITS[digit] + _CHINESE_PLACES[place]
        pending_zero = digit == 0 and bool(spoken)
    return spoken


def read_digits_english(digits: str) -> list[str]:
    """Read digits one by one: "07" is zero seven."""
    return [_ONES[int(digit)] for digit in digits]


def read_integer_english(digits: str) -> list[str]:
    """Read a whole number the American way: "2024" is two thousand twenty four.

    Digit by digit when it starts with a zero or has more than 15 digits.
    """
    if len(digits) > 15 or (len(digits) > 1 and digits[0] == "0"):
        return read_digits_english(digits)
    number = int(digits)
    if number == 0:
        return ["zero"]
    words: list[str] = []
    for power in range(4, -1, -1):
        group = number // 1000**power % 1000
        if group:
            words += _read_below_thousand(group)
            if power:
                words.append(_THOUSANDS[power])
    return words


def _read_below_thousand(number: int) -> list[str]:
    hundreds, rest = divmod(number, 100)
    words = [_ONES[hundreds], "hundred"] if hundreds else []
    if rest >= 20:
        words.append(_TENS[rest // 10 - 2])
        rest %= 10
    if rest:
        words.append(_ONES[rest])
    return words


def read_ordinal_english(digits: str) -> list[str]:
    """Read an ordinal: "21" is twenty first."""
    *words, last = read_integer_english(digits)
    if last in _ORDINALS:
        return [*words, _ORDINALS[last]]
    return [*words, last.removesuffix("y") + "ieth" if last.endswith("y") else last + "th"]


def read_year_english(digits: str) -> list[str]:
    """Read four digits as a year: "1995" is nineteen ninety five, "1905" nineteen oh five, "2005" a whole number."""
    century, rest = digits[:2], digits[2:]
    if digits[1:3] == "00":
        return read_integer_english(digits)
    if rest == "00":
        return [*read_integer_english(century), "hundred"]
    if rest[0] == "0":
        return [*read_integer_english(century), "oh", *read_integer_english(rest[1])]
    return read_integer_english(century) + read_integer_english(rest)
