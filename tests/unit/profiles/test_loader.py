"""Profiles: what loads, what is refused, and whether the message says where and what to do."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from voicegauge.assessment.profile import Range
from voicegauge.assessment.values import PROPERTIES, Fact, Language, Property, Reason, Unit
from voicegauge.errors import ProfileError
from voicegauge.profiles.loader import load_profile, profile_names

OWN = """\
name = "radio-play"
title = { zh = "广播剧", en = "Radio play" }

[speaking_rate.CN]
minimum = 100
maximum = 400
unit = "characters/min"
source = "our producer"
date = 2026-11-20

[speaking_rate.EN]
minimum = 90
maximum = 300
unit = "words/min"
source = "our producer"
date = 2026-11-20

[loudness]
minimum = -30
maximum = -12
unit = "LUFS"
details.true_peak_dbtp = { maximum = -0.5 }
source = "our producer"
date = 2026-11-20

[snr]
minimum = 12
unit = "dB"
source = "our producer"
date = 2026-11-20

[snr.advice.low]
zh = "请换到二号棚重录。"
en = "Record again in booth two."

[reverb]
minimum = 15
unit = "dB"
source = "our producer"
date = 2026-11-20

[dnsmos_ovrl]
minimum = 2.5
unit = "MOS"
source = "our producer"
date = 2026-11-20

[dnsmos_bak]
minimum = 3
unit = "MOS"
source = "our producer"
date = 2026-11-20
"""


def line_of(text: str) -> str:
    """The line that starts with a text in OWN, as messages write it."""
    return f"line {OWN[: OWN.index(chr(10) + text) + 1].count(chr(10)) + 1}"


def write(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_bundled_names_start_with_default() -> None:
    assert profile_names() == (
        *("default", "acx", "azure-professional", "cosyvoice-clone", "elevenlabs-pvc", "lenient", "strict"),
        *("tencent-ivh", "tencent-ivh-intl", "tencent-one-sentence"),
    )


@pytest.mark.parametrize("name", ["default", "strict", "lenient"])
def test_profiles_of_our_own_ask_for_all_six_that_every_job_is_judged_by(name: str) -> None:
    profile = load_profile(name, "CN")
    assert tuple(profile.expectations) == PROPERTIES
    assert profile.unmeasured == ()


def test_published_requirements_are_what_was_published() -> None:
    mainland, abroad = (load_profile(name, "CN").expectations for name in ("tencent-ivh", "tencent-ivh-intl"))
    assert (mainland[Property.SNR].range, abroad[Property.SNR].range) == (Range(25, None), Range(30, None))
    assert mainland[Fact.TOTAL_SPEECH].range == Range(5 * 60, None)
    assert abroad[Fact.TOTAL_SPEECH].range == Range(10 * 60, None)
    audiobook = load_profile("acx", "EN").expectations
    assert audiobook[Property.LOUDNESS].range == Range(None, None)
    assert audiobook[Property.LOUDNESS].details["rms_dbfs"] == Range(-23, -18)
    assert audiobook[Fact.SAMPLE_RATE].range == Range(44_100, 44_100)
    assert load_profile("azure-professional", "EN").expectations[Fact.RECORDING_LENGTH].range == Range(None, 30)


def test_default_profile_asks_what_the_documentation_says() -> None:
    chinese, english = load_profile("default", "CN").expectations, load_profile("default", "EN").expectations
    assert chinese[Property.SPEAKING_RATE].range == Range(180, 320)
    assert chinese[Property.SPEAKING_RATE].unit is Unit.CHARACTERS_PER_MIN
    assert english[Property.SPEAKING_RATE].range == Range(120, 230)
    assert english[Property.SPEAKING_RATE].unit is Unit.WORDS_PER_MIN
    for expectations in (chinese, english):
        assert expectations[Property.LOUDNESS].range == Range(-27, -16)
        assert expectations[Property.LOUDNESS].details == {"true_peak_dbtp": Range(None, -1)}
        assert expectations[Property.SNR].range == Range(30, None)
        assert expectations[Property.REVERB].range == Range(25, None)
        assert expectations[Property.DNSMOS_OVRL].range == Range(3.0, None)
        assert expectations[Property.DNSMOS_BAK].range == Range(3.6, None)


@pytest.mark.parametrize("language", ["CN", "EN"])
def test_strict_lies_inside_default_and_default_inside_lenient(language: Language) -> None:
    def ends(range_: Range) -> tuple[float, float]:
        low = float("-inf") if range_.minimum is None else range_.minimum
        return low, float("inf") if range_.maximum is None else range_.maximum

    lenient, default, strict = (load_profile(name, language) for name in ("lenient", "default", "strict"))
    for outer, inner in ((lenient, default), (default, strict)):
        for property_, expectation in inner.expectations.items():
            around = outer.expectations[property_]
            pairs = [(around.range, expectation.range)]
            pairs += [(around.details[name], detail) for name, detail in expectation.details.items()]
            for wide, narrow in pairs:
                assert ends(wide)[0] <= ends(narrow)[0], (outer.name, property_)
                assert ends(wide)[1] >= ends(narrow)[1], (outer.name, property_)
        assert outer.expectations != inner.expectations


def test_a_file_of_ones_own_loads_with_our_sentences_and_its_own(tmp_path: Path) -> None:
    profile = load_profile(write(tmp_path, OWN), "CN")
    snr = profile.expectations[Property.SNR]
    assert (profile.name, profile.title.en, profile.language) == ("radio-play", "Radio play", "CN")
    assert (snr.range, snr.source, snr.date) == (Range(12, None), "our producer", "2026-11-20")
    assert snr.advice.low.zh == "请换到二号棚重录。"
    assert snr.advice.within == load_profile("default", "CN").expectations[Property.SNR].advice.within


def test_a_file_is_taken_by_string_with_byte_order_mark_and_windows_line_ends(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(b"\xef\xbb\xbf" + OWN.replace("\n", "\r\n").encode())
    assert load_profile(str(path), "EN").name == "radio-play"


def test_ranges_may_differ_by_language_anywhere(tmp_path: Path) -> None:
    common = '[dnsmos_bak]\nminimum = 3\nunit = "MOS"\nsource = "our producer"\ndate = 2026-11-20\n'
    split = common.replace("[dnsmos_bak]", "[dnsmos_bak.CN]") + common.replace(
        "[dnsmos_bak]", "[dnsmos_bak.EN]"
    ).replace("minimum = 3", "minimum = 4")
    path = write(tmp_path, OWN.replace(common, split))
    assert load_profile(path, "CN").expectations[Property.DNSMOS_BAK].range.minimum == 3
    assert load_profile(path, "EN").expectations[Property.DNSMOS_BAK].range.minimum == 4


def test_a_profile_need_not_ask_for_everything(tmp_path: Path) -> None:
    text = OWN[: OWN.index("[speaking_rate.CN]")] + OWN[OWN.index("[snr]") : OWN.index("[reverb]")]
    assert list(load_profile(write(tmp_path, text), "EN").expectations) == [Property.SNR]


def test_a_further_figure_may_be_asked_alone(tmp_path: Path) -> None:
    path = write(tmp_path, OWN.replace("minimum = -30\nmaximum = -12\n", ""))
    loudness = load_profile(path, "EN").expectations[Property.LOUDNESS]
    assert loudness.range == Range(None, None)
    assert loudness.details == {"true_peak_dbtp": Range(None, -0.5)}


def test_the_second_of_several_is_pointed_at(tmp_path: Path) -> None:
    one = '[[unmeasured]]\nname = "x"\nrequirement = { zh = "甲", en = "x" }\nsource = "s"\ndate = 2026-11-20\n'
    text = OWN + one + one.replace("source", "sauce")
    with pytest.raises(ProfileError, match=rf"line {text[: text.index('sauce')].count(chr(10)) + 1}, \[unmeasured.2\]"):
        load_profile(write(tmp_path, text), "EN")


BAD = {
    "unknown table": ("[reverb]", "[revreb]", ['unknown key "revreb"', 'did you mean "reverb"?', line_of("[reverb]")]),
    "unknown key": ("minimum = 12", "minimun = 12", ["[snr]", 'did you mean "minimum"?', line_of("minimum = 12")]),
    "unknown language": ("[speaking_rate.EN]", "[speaking_rate.EM]", ["[speaking_rate]", 'did you mean "EN"?']),
    "missing language": (
        OWN[OWN.index("[speaking_rate.EN]") : OWN.index("[loudness]")],
        "",
        ["[speaking_rate]", '"EN" is missing'],
    ),
    "rate not split": (
        OWN[OWN.index("[speaking_rate.CN]") : OWN.index("[loudness]")],
        '[speaking_rate]\nminimum = 1\nunit = "words/min"\nsource = "x"\ndate = 2026-11-20\n',
        ["[speaking_rate.CN] and [speaking_rate.EN]"],
    ),
    "nothing asked": (OWN[OWN.index("[speaking_rate.CN]") :], "", ["asks for one of these at least", "total_speech"]),
    "unit of a fact": (
        OWN[OWN.index("[dnsmos_bak]") :],
        '[sample_rate]\nminimum = 44.1\nunit = "kHz"\nsource = "x"\ndate = 2026-11-20\n',
        ["[sample_rate]", 'is "Hz", not "kHz"', f"line {int(line_of('[dnsmos_bak]').split()[1]) + 2}"],
    ),
    "unmeasured as one table": (
        OWN[OWN.index("[dnsmos_bak]") :],
        '[unmeasured]\nname = "x"\n',
        ["write", "[[unmeasured]]", line_of("[dnsmos_bak]")],
    ),
    "unmeasured without a source": (
        OWN[OWN.index("[dnsmos_bak]") :],
        '[[unmeasured]]\nname = "x"\nrequirement = { zh = "甲", en = "x" }\ndate = 2026-11-20\n',
        ["[unmeasured.1]", '"source" is missing', line_of("[dnsmos_bak]")],
    ),
    "property is no table": (OWN[OWN.index("[dnsmos_bak]") :], "dnsmos_bak = 3\n", ["unknown key", "dnsmos_bak"]),
    "wrong unit": ('unit = "LUFS"', 'unit = "dB"', ["[loudness]", '"LUFS", not "dB"', line_of('unit = "LUFS"')]),
    "rate unit of the other language": ('"characters/min"', '"words/min"', ["[speaking_rate.CN]", '"characters/min"']),
    "ends exchanged": ("minimum = -30", "minimum = -3", ["[loudness]", "minimum -3 is above maximum -12"]),
    "no range": ("minimum = 15\n", "", ["[reverb]", 'give "minimum", "maximum" or both']),
    "text as number": ("minimum = 15\n", 'minimum = "15"\n', ["[reverb]", "must be a number", "'15'"]),
    "truth as number": ("minimum = 15\n", "minimum = true\n", ["[reverb]", "must be a number"]),
    "not a number": ("minimum = 15\n", "minimum = nan\n", ["[reverb]", "nan", "leave it out for no limit"]),
    "infinite": ("minimum = 15\n", "minimum = -inf\n", ["[reverb]", "-inf", "leave it out for no limit"]),
    "quoted date": (
        '"LUFS"\ndetails.true_peak_dbtp = { maximum = -0.5 }\nsource = "our producer"\ndate = 2026-11-20',
        '"LUFS"\nsource = "our producer"\ndate = "2026-11-20"',
        ["[loudness]", "a date without quotes"],
    ),
    "date with time": ("date = 2026-11-20", "date = 2026-11-20T10:00:00", ["[speaking_rate.CN]", "a date"]),
    "no source": (
        '"LUFS"\ndetails.true_peak_dbtp = { maximum = -0.5 }\nsource = "our producer"',
        '"LUFS"',
        ['"source"'],
    ),
    "blank source": ('source = "our producer"', 'source = "  "', ['"source"', "not empty"]),
    "unknown detail": (
        "details.true_peak_dbtp",
        "details.true_peak",
        ['did you mean "true_peak_dbtp"?', line_of("details")],
    ),
    "detail where none is measured": ('"dB"\n', '"dB"\ndetails.peak = { maximum = 1 }\n', ['unknown key "details"']),
    "detail without range": ("{ maximum = -0.5 }", "{ }", ["[loudness.details.true_peak_dbtp]", 'give "minimum"']),
    "advice in one language": ('zh = "请换到二号棚重录。"\n', "", ["[snr.advice.low]", '"zh" is missing']),
    "advice in a third language": ('en = "Record', 'fr = "x"\nen = "Record', ["[snr.advice.low]", '"fr"', "zh, en"]),
    "unknown advice": (
        "[snr.advice.low]",
        "[snr.advice.lower]",
        ["[snr.advice]", 'did you mean "low"?', line_of("[snr.advice.low]")],
    ),
    "title is no table": ("{ zh = ", '"x" # ', ['"title" must be a table']),
    "bad name": ('"radio-play"', '"Radio Play"', ["no profile name", "hyphens", "own.toml, line 1:"]),
    "not TOML": ("minimum = 12", "minimum 12", ["not valid TOML", line_of("minimum = 12")]),
}


@pytest.mark.parametrize(("before", "after", "expected"), BAD.values(), ids=BAD.keys())
def test_a_broken_file_is_refused_with_place_and_cure(
    tmp_path: Path, before: str, after: str, expected: list[str]
) -> None:
    assert before in OWN
    path = write(tmp_path, OWN.replace(before, after, 1))
    with pytest.raises(ProfileError) as caught:
        load_profile(path, "EN")
    message = str(caught.value)
    assert str(path) in message
    for part in expected:
        assert part in message, message


def test_both_languages_are_checked_whichever_is_asked_for(tmp_path: Path) -> None:
    path = write(tmp_path, OWN.replace("maximum = 300", "maximum = 3"))
    for language in ("CN", "EN"):
        with pytest.raises(ProfileError, match="minimum 90 is above maximum 3"):
            load_profile(path, language)


def test_the_line_of_a_key_is_not_looked_for_inside_long_texts(tmp_path: Path) -> None:
    text = OWN.replace("minimum = 12", "minimun = 12").replace('"广播剧"', '"""\n[snr]\nminimun = 1\n"""', 1)
    path = write(tmp_path, text)
    with pytest.raises(ProfileError, match=rf"line {text[: text.rindex('minimun')].count(chr(10)) + 1}, \[snr\]"):
        load_profile(path, "EN")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("defualt", ['no profile "defualt"', 'did you mean "default"?', "lenient", "end its name in .toml"]),
        ("", ['no profile ""', "default, acx"]),
        ("advice", ['no profile "advice"']),
        ("nowhere/none.toml", ["nowhere/none.toml", "No such file"]),
        ("none.toml", ["none.toml", "No such file"]),
    ],
)
def test_a_profile_that_is_not_there(name: str, expected: list[str]) -> None:
    with pytest.raises(ProfileError) as caught:
        load_profile(name, "CN")
    for part in expected:
        assert part in str(caught.value)


def test_a_folder_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(ProfileError, match="cannot read the profile"):
        load_profile(tmp_path, "CN")


def test_bytes_that_are_no_utf8_are_located(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_bytes(OWN.encode("gb18030"))
    with pytest.raises(ProfileError, match=r"line 2: not UTF-8"):
        load_profile(path, "CN")


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = write(tmp_path, OWN + "#" * (1 << 20))
    with pytest.raises(ProfileError, match="larger than 1 MiB"):
        load_profile(path, "CN")


def test_an_unknown_language_is_refused() -> None:
    with pytest.raises(ProfileError, match="use CN or EN"):
        load_profile("default", "FR")  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["CN", "EN"])
@pytest.mark.parametrize("name", profile_names())
class TestBundledProfiles:
    def test_is_named_after_its_file(self, name: str, language: Language) -> None:
        assert load_profile(name, language).name == name

    def test_every_value_has_a_source_and_a_date(self, name: str, language: Language) -> None:
        for expectation in load_profile(name, language).expectations.values():
            assert len(expectation.source) > 20
            assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", expectation.date)

    def test_what_is_not_measured_has_a_requirement_a_source_and_a_date(self, name: str, language: Language) -> None:
        for unmeasured in load_profile(name, language).unmeasured:
            assert re.search("[一-鿿]", unmeasured.requirement.zh)
            assert not re.search("[一-鿿]", unmeasured.requirement.en)
            assert len(unmeasured.source) > 20
            assert re.fullmatch(r"20\d\d-[01]\d-[0-3]\d", unmeasured.date)

    def test_speaks_of_everything_in_natural_typography(self, name: str, language: Language) -> None:
        profile = load_profile(name, language)
        texts = [profile.title, *profile.labels.values(), *profile.reasons.values()]
        for expectation in profile.expectations.values():
            texts += [expectation.advice.within, expectation.advice.low, expectation.advice.high]
        overall = profile.overall
        texts += [overall.all_within, overall.out_of_range, overall.not_judged, overall.unreadable]
        texts += [overall.failing, overall.failing_within, overall.and_more]
        texts.append(overall.unmeasured)
        assert set(profile.labels) == {*Property, *Fact}
        assert set(profile.reasons) == set(Reason)
        for text in texts:
            assert re.search("[一-鿿]", text.zh), text.zh
            assert not re.search("[一-鿿]", text.en), text.en
            assert not re.search(r"[,.;:!?()\"']", text.zh), text.zh
            assert not re.search(r"[，。；：！？（）“”、]", text.en), text.en
            assert not re.search(r"  | [，。；：]", text.zh + text.en), text
        for text in [*profile.reasons.values(), *(e.advice.low for e in profile.expectations.values())]:
            assert text.zh.endswith("。")
            assert text.en.endswith(".")

    def test_advice_differs_by_what_is_wrong(self, name: str, language: Language) -> None:
        for expectation in load_profile(name, language).expectations.values():
            advice = expectation.advice
            assert len({advice.within.zh, advice.low.zh, advice.high.zh}) == 3
            assert len({advice.within.en, advice.low.en, advice.high.en}) == 3

    def test_lists_can_be_filled_in(self, name: str, language: Language) -> None:
        overall = load_profile(name, language).overall
        for text, key in (
            (overall.out_of_range, "properties"),
            (overall.not_judged, "properties"),
            (overall.unreadable, "recordings"),
            (overall.unmeasured, "requirements"),
            (overall.failing, "recordings"),
            (overall.failing_within, "recordings"),
            (overall.and_more, "count"),
        ):
            for sentence in (text.zh, text.en):
                assert "XYZ" in sentence.format(**{key: "XYZ"})
