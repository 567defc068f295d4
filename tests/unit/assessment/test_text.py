"""What is spoken when a transcript is read aloud."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegauge.assessment.numerals import (
    read_digits_chinese,
    read_integer_chinese,
    read_integer_english,
    read_ordinal_english,
    read_year_english,
)
from voicegauge.assessment.syllables import count_letter_syllables, count_word_syllables
from voicegauge.assessment.text import SpokenText, count_spoken
from voicegauge.assessment.values import Language


@pytest.mark.parametrize(
    ("text", "spoken"),
    [
        ("", ""),
        ("……！？", ""),
        ("今天天气很好。", "今天天气很好"),
        ("他说：“好的”，然后走了。", "他说好的然后走了"),
        ("〇", "零"),
        ("2024年", "二零二四年"),
        ("2024个", "二千零二十四个"),
        ("10天", "十天"),
        ("110", "一百一十"),
        ("100001人", "十万零一人"),
        ("1,234名", "一千二百三十四名"),
        ("13800138000", "一三八零零一三八零零零"),
        ("12000000", "一千二百万"),
        ("增长3.5%", "增长百分之三点五"),
        ("占1/3", "占三分之一"),
        ("-5℃", "负五摄氏度"),
        ("3-5个", "三到五个"),
        ("10~20人", "十到二十人"),
        ("5km", "五公里"),
        ("2024-05-01", "二零二四年五月一日"),
        ("8:30", "八点三十分"),
        ("20:00", "二十点"),
        ("１２３", "一百二十三"),
        ("100¥", "一百元"),
    ],
)
def test_chinese_is_counted_as_it_is_read(text: str, spoken: str) -> None:
    assert count_spoken(text, "CN") == SpokenText(len(spoken), len(spoken))


@pytest.mark.parametrize(
    ("text", "units", "syllables"),
    [
        ("用OK键", 4, 4),
        ("WTO成员", 5, 7),
        ("打开app", 3, 3),
        ("连上WiFi了", 5, 5),
        ("5G手机", 4, 4),
    ],
)
def test_latin_words_in_chinese_count_by_syllable_and_abbreviations_by_letter(
    text: str, units: int, syllables: int
) -> None:
    assert count_spoken(text, "CN") == SpokenText(units, syllables)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", 0),
        ("-- ... --", 0),
        ("The child almost hurt the small dog.", 7),
        ("Don't you think it's late?", 5),
        ("twenty-one well-known facts", 5),
        ("In 1995 there were 21 of them.", 10),  # nineteen ninety five, twenty one
        ("It grew by 3.5%.", 7),  # three point five percent
        ("That is $5.20", 6),  # five dollars twenty cents
        ("the 21st of May", 5),
        ("at 8:05", 4),  # eight oh five
        ("2024-05-01", 5),  # may first twenty twenty four
        ("1,000,000", 2),
        ("call 5551234", 8),
        ("the U.S.A. and the UK", 5),
    ],
)
def test_english_counts_words_as_they_are_read(text: str, words: int) -> None:
    assert count_spoken(text, "EN").units == words


def test_english_syllables_of_a_sentence() -> None:
    assert count_spoken("I almost think I can remember feeling a little different.", "EN") == SpokenText(10, 17)


def test_a_passage_in_capitals_is_read_and_an_abbreviation_is_spelled() -> None:
    assert count_spoken("SUNDAY IS THE BEST PART OF THE WEEK", "EN").syllables == 9
    assert count_spoken("the BBC in the UK", "EN").syllables == 8


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        ("a", 1),
        ("the", 1),
        ("home", 1),
        ("hoped", 1),
        ("wanted", 2),
        ("boxes", 2),
        ("likes", 1),
        ("table", 2),
        ("handled", 2),
        ("something", 2),
        ("everything", 3),
        ("completely", 3),
        ("statement", 2),
        ("nation", 2),
        ("radio", 3),
        ("various", 3),
        ("being", 2),
        ("studying", 3),
        ("created", 3),
        ("idea", 3),
        ("situation", 4),
        ("automatically", 5),
        ("business", 2),
        ("unique", 2),
        ("language", 2),
        ("beyond", 2),
        ("don't", 1),
        ("didn't", 2),
        ("we're", 1),
        ("james's", 2),
        ("rhythm", 2),
        ("hmm", 3),
    ],
)
def test_syllables_of_words(word: str, syllables: int) -> None:
    assert count_word_syllables(word) == syllables


def test_the_letter_w_has_three_syllables() -> None:
    assert [count_letter_syllables(letter) for letter in "wWx"] == [3, 3, 1]


@pytest.mark.parametrize(
    ("digits", "chinese", "english"),
    [
        ("0", "零", "zero"),
        ("12", "十二", "twelve"),
        ("20", "二十", "twenty"),
        ("101", "一百零一", "one hundred one"),
        ("1010", "一千零一十", "one thousand ten"),
        ("10010000", "一千零一万", "ten million ten thousand"),
        ("100010000", "一亿零一万", "one hundred million ten thousand"),
        ("007", "零零七", "zero zero seven"),
    ],
)
def test_whole_numbers(digits: str, chinese: str, english: str) -> None:
    assert read_integer_chinese(digits) == chinese
    assert " ".join(read_integer_english(digits)) == english


@pytest.mark.parametrize(
    ("digits", "spoken"), [("1", "first"), ("12", "twelfth"), ("20", "twentieth"), ("100", "one hundredth")]
)
def test_ordinals(digits: str, spoken: str) -> None:
    assert " ".join(read_ordinal_english(digits)) == spoken


@pytest.mark.parametrize(
    ("year", "spoken"),
    [
        ("1995", "nineteen ninety five"),
        ("1905", "nineteen oh five"),
        ("1900", "nineteen hundred"),
        ("2005", "two thousand five"),
        ("2024", "twenty twenty four"),
    ],
)
def test_years(year: str, spoken: str) -> None:
    assert " ".join(read_year_english(year)) == spoken


@given(st.integers(0, 10**16 - 1))
def test_a_chinese_number_names_every_digit_but_zeros(number: int) -> None:
    spoken = read_integer_chinese(str(number))
    named = [character for character in spoken if character in "一二三四五六七八九"]
    expected = [character for character in read_digits_chinese(str(number)) if character != "零"]
    if spoken.startswith("十"):
        named.insert(0, "一")
    assert named == expected


@given(st.text(), st.sampled_from(["CN", "EN"]))
def test_any_text_can_be_counted(text: str, language: Language) -> None:
    spoken = count_spoken(text, language)
    assert spoken.syllables >= spoken.units >= 0


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=20))
def test_any_word_has_a_syllable(word: str) -> None:
    assert count_word_syllables(word) >= 1
