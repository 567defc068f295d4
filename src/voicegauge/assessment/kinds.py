"""The kinds of findings: how each is called, how bad it is, and what the person who records is told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from voicegauge.assessment.values import Finding, Severity, Text

__all__ = ["KINDS", "MOST_OF_A_KIND", "Kind", "finding", "joined"]

MOST_OF_A_KIND = 12
"""A recording has no more findings of one kind than this; what lies closest together is joined and counted."""


@dataclass(frozen=True)
class Kind:
    """One kind of finding.

    Attributes
    ----------
    name : Text
        A few words, for tables and labels.
    severity : Severity
        Unless the finding itself is known to be worse or better.
    message : Text
        What it is, what to do, and whether it can be repaired.
    variants : mapping of str to Text
        Messages for special cases.
    """

    name: Text
    severity: Severity
    message: Text
    variants: Mapping[str, Text] = field(default_factory=dict)


_LOUDER_OR_QUIETER = Text(
    "可以在剪辑软件里把前后音量调成一致；如果同时换了位置或音色变了，就重录其中一段。",
    "Bring both parts to the same volume in an editor; if you also moved or sound different, record one part again.",
)

KINDS: dict[str, Kind] = {
    "clipping": Kind(
        Text("削波", "Clipping"),
        Severity.REJECT,
        Text(
            "声音太大，波形顶部被削平，听起来发破，无法修复。请调低录音音量或离话筒远一点，重录这几句。",
            "Too loud: the tops of the waveform are cut off, which sounds harsh and cannot be repaired. Turn the "
            "input down or move away from the microphone, and record these sentences again.",
        ),
    ),
    "dropouts": Kind(
        Text("断音", "Dropouts"),
        Severity.REJECT,
        Text(
            "声音中间有短暂的空白，缺掉的部分补不回来。请关掉其他程序、检查连线，不要用蓝牙，然后重录这几句。",
            "The sound breaks off for moments, and what is missing cannot be restored. Close other programs, check "
            "the cable, do not use Bluetooth, and record these sentences again.",
        ),
    ),
    "clicks": Kind(
        Text("爆点", "Clicks"),
        Severity.FIXABLE,
        Text(
            "有咔哒声，多半来自接触不良或剪接。可以用剪辑软件的去咔嗒功能修复；要是很多，请检查连线后重录。",
            "There are clicks, mostly from a loose contact or a cut. A click remover can repair them; if there are "
            "many, check the cables and record again.",
        ),
    ),
    "dc_offset": Kind(
        Text("直流偏移", "DC offset"),
        Severity.FIXABLE,
        Text(
            "整条波形偏离了中线，是录音设备造成的。用剪辑软件的“去除直流偏移”即可修复，不必重录。",
            "The whole waveform sits off the centre line, which the recording device causes. An editor's DC "
            "removal repairs it; there is no need to record again.",
        ),
    ),
    "dead_channel": Kind(
        Text("空声道", "Silent channel"),
        Severity.FIXABLE,
        Text(
            "有的声道里没有声音。请只导出有人声的声道，存成单声道，不必重录。",
            "One of the channels is silent. Export the channel with the voice as mono; there is no need to record "
            "again.",
        ),
    ),
    "inverted_channel": Kind(
        Text("声道反相", "Inverted channel"),
        Severity.FIXABLE,
        Text(
            "两个声道互相抵消，合成单声道后人声会变弱甚至消失，这里的测量也因此不准。请只导出其中一个声道，不必重录。",
            "Two channels cancel each other: mixed to mono the voice gets weak or vanishes, and the figures here "
            "suffer too. Export just one of them; there is no need to record again.",
        ),
    ),
    "hum": Kind(
        Text("电源哼声", "Hum"),
        Severity.YOUR_CALL,
        Text(
            "背景里有电源的嗡嗡声。录之前换插座、让话筒线避开电源、用电池供电；已录好的可以用去嗡声工具减弱，明显的"
            "话最好重录。",
            "There is mains hum in the background. Use another socket, keep the microphone cable away from power, "
            "run the laptop on battery. A hum remover helps what is recorded; if it is easy to hear, better record "
            "again.",
        ),
    ),
    "low_bandwidth": Kind(
        Text("频带不足", "Low bandwidth"),
        Severity.REJECT,
        Text(
            "高音部分是空的：录音经过了电话、蓝牙或低采样率，再转成现在的文件也补不回来。请用话筒直接以 48 kHz 重录，"
            "或找出转换前的原始文件。",
            "The high sounds are missing: it went through a telephone, Bluetooth or a low sample rate, and "
            "converting it afterwards does not bring them back. Record again at 48 kHz, straight from the "
            "microphone, or send the original.",
        ),
    ),
    "gated": Kind(
        Text("降噪痕迹", "Gated or denoised"),
        Severity.YOUR_CALL,
        Text(
            "停顿里一点声音都没有，说明用过噪声门或降噪，信噪比因此不可信，而且这样的处理无法还原。请关掉降噪和自动"
            "增益重录，或提交处理前的原始录音。",
            "The pauses hold no sound at all, so a noise gate or denoiser was at work; the signal-to-noise ratio "
            "means little then, and the processing cannot be undone. Send the recording as it was before, or "
            "record again with noise suppression and automatic gain off.",
        ),
    ),
    "dead_air": Kind(
        Text("长时间空白", "Dead air"),
        Severity.FIXABLE,
        Text(
            "这里很久没有人说话。把空白剪短到一两秒即可，不必重录。",
            "Nobody speaks here for a long time. Cut it down to a second or two; there is no need to record again.",
        ),
    ),
    "noise_burst": Kind(
        Text("突发噪声", "Sudden noise"),
        Severity.FIXABLE,
        Text(
            "停顿里有突然的响声，比如咳嗽、关门或碰到桌子。可以把它剪掉或替换成安静的底噪；如果压到了人声，就重录那"
            "一句。",
            "There is a sudden noise in a pause: a cough, a door, a knock. Cut it out or cover it with quiet room "
            "sound; if it touches speech, record that sentence again.",
        ),
    ),
    "edges": Kind(
        Text("首尾不干净", "Edges"),
        Severity.FIXABLE,
        Text("", ""),
        {
            "start": Text(
                "开头的 0.1 秒里就有声音。请从原始录音重新剪，让开头留出 0.2 秒左右的安静；没有原始录音时，淡入也可"
                "以。",
                "There is sound in the first tenth of a second. Cut it again from the original and leave 0.2 s of "
                "quiet before the first word; where there is no original, a short fade-in does.",
            ),
            "end": Text(
                "结尾的 0.1 秒里还有声音。请从原始录音重新剪，让结尾留出 0.2 秒左右的安静；没有原始录音时，淡出也可"
                "以。",
                "There is sound in the last tenth of a second. Cut it again from the original and leave 0.2 s of "
                "quiet after the last word; where there is no original, a short fade-out does.",
            ),
            "start_cut": Text(
                "第一个字像是被切掉了一截，补不回来。请从原始录音重新剪；没有的话重录，按下录音键后等一秒再开口。",
                "The first word seems to be cut into, and that cannot be repaired. Cut it again from the original, "
                "or record again and wait a second before you speak.",
            ),
            "end_cut": Text(
                "最后一个字像是被切掉了一截，补不回来。请从原始录音重新剪；没有的话重录，说完后等一秒再停。",
                "The last word seems to be cut off, and that cannot be repaired. Cut it again from the original, "
                "or record again and wait a second before you stop.",
            ),
        },
    ),
    "low_level": Kind(
        Text("音量太低", "Low level"),
        Severity.FIXABLE,
        Text(
            "整条录音声音很小。可以先调高音量再听：没有明显噪声就能用；噪声也跟着变大的话，请靠近话筒、调高录音音量"
            "重录。",
            "The voice is very quiet throughout. Raise the volume and listen: without audible noise it can be "
            "used; if noise comes up with it, go closer to the microphone, turn the input up and record again.",
        ),
    ),
    "level_jump": Kind(
        Text("音量突变", "Level jump"),
        Severity.FIXABLE,
        Text("", ""),
        {
            "louder": Text(
                "从这里起声音明显变大。" + _LOUDER_OR_QUIETER.zh,
                "From here on the voice is clearly louder. " + _LOUDER_OR_QUIETER.en,
            ),
            "quieter": Text(
                "从这里起声音明显变小。" + _LOUDER_OR_QUIETER.zh,
                "From here on the voice is clearly quieter. " + _LOUDER_OR_QUIETER.en,
            ),
        },
    ),
    "rate_off": Kind(
        Text("语速不一", "Uneven rate"),
        Severity.YOUR_CALL,
        Text("", ""),
        {
            "faster": Text(
                "这一段比其余部分快很多。听一听，如果不是有意为之，请用平常的速度重录这一段；变速处理会伤音质。",
                "This passage is much faster than the rest. Listen to it; unless you meant it, record it again at "
                "your usual pace. Stretching it in an editor would harm the sound.",
            ),
            "slower": Text(
                "这一段比其余部分慢很多。听一听，如果不是有意为之，请用平常的速度重录这一段；变速处理会伤音质。",
                "This passage is much slower than the rest. Listen to it; unless you meant it, record it again at "
                "your usual pace. Squeezing it in an editor would harm the sound.",
            ),
        },
    ),
    "reverberant_passage": Kind(
        Text("有回声的段落", "Reverberant passage"),
        Severity.REJECT,
        Text(
            "这一段的回声比其余部分重得多，无法修复。录的时候是不是离话筒远了、转了头或换了地方？请按其余部分的位置重录这一段。",
            "This passage echoes far more than the rest, which cannot be repaired. Did you move away from the "
            "microphone, turn your head or change the room? Record the passage again where you recorded the rest.",
        ),
    ),
    "dnsmos_valley": Kind(
        Text("音质低谷", "Poor passage"),
        Severity.YOUR_CALL,
        Text(
            "这一段听起来比其余部分差。请听一听有没有噪声、喷麦或走音；听得出问题就重录这一段。",
            "This passage sounds worse than the rest. Listen for noise, pops or a turned head; if you hear it, "
            "record the passage again.",
        ),
    ),
    "inconsistent_level": Kind(
        Text("音量与其他条不一致", "Level unlike the others"),
        Severity.FIXABLE,
        Text("", ""),
        {
            "above": Text(
                "这一条比其他录音响得多。把它调到和其他录音一样的音量即可；听起来更近的话，请按原来的距离重录。",
                "This take is much louder than the others. Bring it to the same volume; if it also sounds closer, "
                "record it again at the usual distance.",
            ),
            "below": Text(
                "这一条比其他录音轻得多。把它调到和其他录音一样的音量即可；听起来更远的话，请按原来的距离重录。",
                "This take is much quieter than the others. Bring it to the same volume; if it also sounds more "
                "distant, record it again at the usual distance.",
            ),
        },
    ),
    "inconsistent_noise": Kind(
        Text("底噪与其他条不一致", "Noise unlike the others"),
        Severity.YOUR_CALL,
        Text("", ""),
        {
            "above": Text(
                "这一条的背景噪声比其他录音大得多，修不干净。请关掉空调、风扇，回到原来的房间重录这一条。",
                "This take has much more background noise than the others, and that cannot be removed cleanly. "
                "Switch off fans and the like, go back to the same room and record it again.",
            ),
            "below": Text(
                "这一条的背景比其他录音安静得多，可能单独做过降噪，或换了地方录。请提交没有处理过的版本，或在同样的"
                "环境里重录。",
                "This take is much quieter in the background than the others; perhaps it was denoised, or made "
                "elsewhere. Send it unprocessed, or record it again in the same place.",
            ),
        },
    ),
    "inconsistent_tone": Kind(
        Text("音色与其他条不一致", "Tone unlike the others"),
        Severity.YOUR_CALL,
        Text(
            "这一条的音色和其他录音不同，可能换了话筒、位置，或用了不同的处理。均衡器很难完全补回来，请用同一支话筒、"
            "同样的距离重录。",
            "This take differs in tone from the others: another microphone, another distance or another "
            "processing. An equaliser hardly makes up for it; record it again with the same microphone at the same "
            "distance.",
        ),
    ),
    "inconsistent_rate": Kind(
        Text("语速与其他条不一致", "Rate unlike the others"),
        Severity.YOUR_CALL,
        Text("", ""),
        {
            "above": Text(
                "这一条说得比其他录音快很多。如果不是有意的，请用平常的速度重录；变速处理会伤音质。",
                "This take is spoken much faster than the others. Unless you meant it, record it again at your "
                "usual pace; stretching it in an editor would harm the sound.",
            ),
            "below": Text(
                "这一条说得比其他录音慢很多。如果不是有意的，请用平常的速度重录；变速处理会伤音质。",
                "This take is spoken much slower than the others. Unless you meant it, record it again at your "
                "usual pace; squeezing it in an editor would harm the sound.",
            ),
        },
    ),
}


def finding(
    kind: str,
    *,
    variant: str | None = None,
    severity: Severity | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
    affected_s: float | None = None,
    details: Mapping[str, float] | None = None,
) -> Finding:
    """Make a finding of a kind of `KINDS`, with the kind's words and, unless given, its severity."""
    known = KINDS[kind]
    return Finding(
        kind=kind,
        severity=severity or known.severity,
        message=known.message if variant is None else known.variants[variant],
        start_s=start_s,
        end_s=end_s,
        affected_s=affected_s,
        details=dict(details or {}),
    )


def joined(findings: Sequence[Finding]) -> list[Finding]:
    """Join findings of the same kind until there are at most `MOST_OF_A_KIND`, those with the smallest gaps first.

    A joined finding reaches from the first to the last of its parts, keeps the first one's words and the largest of
    every figure, and counts its parts in `count`.
    """
    by_kind: dict[str, list[Finding]] = {}
    for item in findings:
        by_kind.setdefault(item.kind, []).append(item)
    return [part for same in by_kind.values() for part in _joined_kind(same)]


def _joined_kind(findings: Sequence[Finding]) -> list[Finding]:
    if len(findings) <= MOST_OF_A_KIND:
        return list(findings)
    ordered = sorted(findings, key=lambda item: (item.start_s or 0.0, item.end_s or 0.0))
    gaps_s = [(after.start_s or 0.0) - (before.end_s or 0.0) for before, after in pairwise(ordered)]
    widest_first = sorted(range(len(gaps_s)), key=lambda index: -gaps_s[index])
    bounds = [0, *sorted(index + 1 for index in widest_first[: MOST_OF_A_KIND - 1]), len(ordered)]
    return [_join(ordered[first:end]) for first, end in pairwise(bounds)]


def _join(parts: Sequence[Finding]) -> Finding:
    figures = {
        key: max((part.details[key] for part in parts if key in part.details), key=abs)
        for key in dict.fromkeys(key for part in parts for key in part.details)
    }
    affected = [part.affected_s for part in parts if part.affected_s is not None]
    order = list(Severity)
    return Finding(
        kind=parts[0].kind,
        severity=min((part.severity for part in parts), key=order.index),
        message=parts[0].message,
        start_s=parts[0].start_s,
        end_s=max((part.end_s for part in parts if part.end_s is not None), default=None),
        affected_s=sum(affected) if affected else None,
        details={**figures, "count": sum(part.details.get("count", 1.0) for part in parts)},
    )
