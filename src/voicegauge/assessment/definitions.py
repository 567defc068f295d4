"""What each measurement is, what it needs, and where it comes from: one table, read by the meters and by people.

References are in `Definition.sources`; the stated errors are in `assessment.uncertainty`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from voicegauge.assessment.values import Fact, Judged, Property, Text

__all__ = ["DEFINITIONS", "WINDOW_S", "Case", "Definition", "Direction", "Evidence"]

WINDOW_S = 9.01
"""What DNSMOS listens to at a time. A shorter recording is repeated to fill it, and its scores are extrapolated."""


class Direction(StrEnum):
    """Which way is good."""

    HIGHER = "higher_is_better"
    RANGE = "range"


class Case(StrEnum):
    """Where what is needed depends on what there is."""

    ALWAYS = "always"
    PAUSES = "with_pauses"
    NO_PAUSES = "without_pauses"
    TRANSCRIPT = "with_transcript"
    BLIND = "without_transcript"


@dataclass(frozen=True)
class Evidence:
    """The least that is needed for a value, in seconds of recording, of speech and of pause. Below it there is none."""

    recording_s: float = 0.0
    speech_s: float = 0.0
    pause_s: float = 0.0


@dataclass(frozen=True)
class Definition:
    """One measurement.

    Attributes
    ----------
    what, window, method : Text
        What it is, over which time it is taken, how it is measured: one or two sentences each.
    direction : Direction
    lowest, highest : float or None
        The values it can take; None where nothing bounds them.
    band_hz : (float, float) or None
        The frequencies it looks at; None for all there are.
    evidence : mapping of Case to Evidence
    sources : tuple of str
        Standards and papers.
    models : tuple of str
        The learned models it uses, by the names of their stamps.
    """

    what: Text
    direction: Direction
    window: Text
    method: Text
    evidence: dict[Case, Evidence]
    lowest: float | None = None
    highest: float | None = None
    band_hz: tuple[float, float] | None = None
    sources: tuple[str, ...] = ()
    models: tuple[str, ...] = ()


_SILERO = 'Silero Team, "Silero VAD", 2024, https://github.com/snakers4/silero-vad'
_P56 = 'ITU-T Rec. P.56, "Objective measurement of active speech level", method B, 2011'
_BS1770 = 'ITU-R Rec. BS.1770-4, "Algorithms to measure audio programme loudness and true-peak audio level", 2015'
_WHOLE = Text("整条录音", "the whole recording")
_ALL_FILES = Text("这一批的所有文件", "all files of the body")
_HEADER = Text("从文件头读出。", "Read from the file's header.")


def _dnsmos(what: Text) -> Definition:
    return Definition(
        what=what,
        direction=Direction.HIGHER,
        lowest=1,
        highest=5,
        band_hz=(0, 8000),
        window=Text(
            f"每个完整的 {WINDOW_S} 秒窗口，每次移动 1 秒，取平均；更短的录音会重复到填满窗口，标为外推",
            f"the mean over every full window of {WINDOW_S} s, one a second; a shorter recording is repeated to fill"
            " one and marked as extrapolated",
        ),
        method=Text(
            "用 DNSMOS P.835 神经网络对 16 kHz 信号打分，再用随网络发布的多项式换算成 MOS。"
            "不改变音量，超过满幅也照常打分。",
            "The DNSMOS P.835 network scores the 16 kHz signal, and the polynomials published with it map that to MOS."
            " The level is left as it is, and what exceeds full scale is scored too.",
        ),
        evidence={Case.ALWAYS: Evidence(recording_s=0.5)},
        sources=(
            'C. K. A. Reddy, V. Gopal, R. Cutler, "DNSMOS P.835", ICASSP 2022, https://arxiv.org/abs/2110.01763',
            'ITU-T Rec. P.835, "Subjective test methodology for evaluating speech communication systems", 2003',
        ),
        models=("dnsmos_p835",),
    )


def _fact(what: Text, window: Text, method: Text = _HEADER, models: tuple[str, ...] = ()) -> Definition:
    return Definition(
        what=what,
        direction=Direction.RANGE,
        lowest=0,
        window=window,
        method=method,
        evidence={Case.ALWAYS: Evidence()},
        sources=(_SILERO,) if models else (),
        models=models,
    )


DEFINITIONS: dict[Judged, Definition] = {
    Property.SPEAKING_RATE: Definition(
        what=Text(
            "每分钟有效语音里读出的字数（中文）或词数（英文）；超过 0.2 秒的停顿不算时间。",
            "Characters (Chinese) or words (English) spoken in a minute of active speech; pauses over 0.2 s do not"
            " count.",
        ),
        direction=Direction.RANGE,
        lowest=0,
        band_hz=(70, 3100),
        window=Text("整条录音里的有效语音时间", "the active speech time of the whole recording"),
        method=Text(
            "有文本时，数文本读出来的字词；没有文本时，数七个频带包络相关曲线上的音节峰，再换算。"
            "除以 P.56 有效语音时间。",
            "With a transcript, what is spoken of it is counted; without, the hills in the correlation of seven bands'"
            " envelopes, one for each syllable. Divided by the active time of P.56.",
        ),
        evidence={Case.TRANSCRIPT: Evidence(speech_s=1.0), Case.BLIND: Evidence(speech_s=3.0)},
        sources=(
            'D. Wang, S. Narayanan, "Robust speech rate estimation for spontaneous speech", IEEE TASLP 15(8), 2007',
            _P56,
        ),
        models=("silero_vad",),
    ),
    Property.LOUDNESS: Definition(
        what=Text(
            "整条录音听起来有多响，以满幅为 0；旁边的真峰值是波形在采样点之间也算上的最高点。",
            "How loud the recording sounds, re full scale; beside it the true peak, the highest point of the waveform,"
            " between its samples too.",
        ),
        direction=Direction.RANGE,
        lowest=-70,
        window=Text(
            "400 毫秒的块，重叠 75 %，低于 -70 LUFS 或比平均低 10 LU 的块不算",
            "blocks of 400 ms overlapping by 75 %, without those under -70 LUFS or 10 LU under the mean",
        ),
        method=Text(
            "按 BS.1770-4：各声道平均后 K 计权，分块，两级门限。真峰值插值到至少 192 kHz，取各声道最高的。",
            "As in BS.1770-4: the mean of the channels, K-weighted, in blocks, gated twice. The true peak is"
            " interpolated to at least 192 kHz, the highest of all channels.",
        ),
        evidence={Case.ALWAYS: Evidence(recording_s=0.4)},
        sources=(_BS1770, 'EBU R 128, "Loudness normalisation and permitted maximum level of audio signals", 2020'),
    ),
    Property.SNR: Definition(
        what=Text(
            "说话的声音比背景噪声强多少：有效语音电平减去平均噪声电平。",
            "How far the voice stands above the background: the active speech level over the mean noise level.",
        ),
        direction=Direction.HIGHER,
        lowest=-10,
        highest=80,
        band_hz=(20, 8000),
        window=_WHOLE,
        method=Text(
            "在停顿里测噪声，跟随它的起伏，从说话部分的功率里减去，再按 P.56 取有效电平。"
            "几乎没有停顿时从最安静的瞬间估计。数字静音（噪声门）不算噪声。",
            "The noise is measured in the pauses, followed where it moves, and subtracted from the power of the speech,"
            " whose active level is taken as in P.56. With hardly a pause it is estimated from the quietest moments."
            " Digital silence, as a noise gate leaves it, is no noise.",
        ),
        evidence={
            Case.PAUSES: Evidence(speech_s=0.5, pause_s=0.3),
            Case.NO_PAUSES: Evidence(speech_s=2.0),
        },
        sources=(_P56,),
        models=("silero_vad",),
    ),
    Property.REVERB: Definition(
        what=Text(
            "房间给声音加了多少回声：前 50 毫秒的能量比之后的能量（C50），越高越干。",
            "How much the room adds: the energy of the first 50 ms over all that comes later (C50); higher is drier.",
        ),
        direction=Direction.HIGHER,
        lowest=-5,
        highest=40,
        band_hz=(150, 7400),
        window=Text(
            "10 秒一段，有足够人声的各段合在一起", "stretches of 10 s, those with enough speech taken together"
        ),
        method=Text(
            "看人声在 20 个频带里怎样衰减，用在模拟房间里的干声上拟合的小神经网络换算成 C50。35 dB 以上已听不出差别。",
            "From how speech dies away in 20 bands, small networks fitted on dry speech in simulated rooms tell C50."
            " Above 35 dB nothing is left to hear.",
        ),
        evidence={Case.ALWAYS: Evidence(speech_s=2.0)},
        sources=(
            'ISO 3382-1:2009, "Measurement of room acoustic parameters"',
            'J. Y. C. Wen, E. A. P. Habets, P. A. Naylor, "Blind estimation of reverberation time based on the'
            ' distribution of signal decay rates", ICASSP 2008',
            'T. de M. Prego et al., "A blind algorithm for reverberation-time estimation using subband decomposition of'
            ' speech signals", J. Acoust. Soc. Am. 131(4), 2012',
        ),
        models=("silero_vad", "reverb_c50"),
    ),
    Property.DNSMOS_OVRL: _dnsmos(
        Text("听众会给整体音质打几分，1 到 5。", "What listeners would give the recording as a whole, 1 to 5.")
    ),
    Property.DNSMOS_BAK: _dnsmos(
        Text("听众会给背景的干净程度打几分，1 到 5。", "What listeners would give the background, 1 to 5.")
    ),
    Property.DNSMOS_SIG: _dnsmos(
        Text(
            "听众会给人声本身打几分，1 到 5；只报告，不判定。",
            "What listeners would give the voice, 1 to 5; not judged.",
        )
    ),
    Fact.SAMPLE_RATE: _fact(
        Text("文件每秒有多少个采样。", "How many samples a second the file has."), Text("每个文件", "each file")
    ),
    Fact.CHANNELS: _fact(Text("文件有几个声道。", "How many channels the file has."), Text("每个文件", "each file")),
    Fact.RECORDING_LENGTH: _fact(
        Text("每条录音有多长。", "How long each recording is."),
        Text("每个文件", "each file"),
        Text("数采样得出。", "Counted in samples."),
    ),
    Fact.TOTAL_LENGTH: _fact(
        Text("所有录音加起来有多长。", "How long the recordings are together."),
        _ALL_FILES,
        Text("数采样得出。", "Counted in samples."),
    ),
    Fact.TOTAL_SPEECH: _fact(
        Text("所有录音里有人说话的时间加起来有多长。", "How long somebody speaks, in all recordings together."),
        _ALL_FILES,
        Text(
            "语音活动检测找出的人声段，长度相加。", "The lengths of the stretches in which voice activity is detected."
        ),
        models=("silero_vad",),
    ),
}
