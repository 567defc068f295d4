"""What can be wrong with what people send, and what they are told to do about it."""

from __future__ import annotations

from enum import StrEnum

from voicegauge.assessment.values import Finding, Severity, Text
from voicegauge.errors import RecordingError

__all__ = [
    "ArchiveProblem",
    "RecordingProblem",
    "problem_text",
    "recording_error",
    "transcript_unreadable",
    "truncated",
]


class RecordingProblem(StrEnum):
    """Why one recording cannot be judged: the codes of a :class:`~voicegauge.errors.RecordingError`."""

    EMPTY = "empty"  # no bytes, or a header without a sample
    NOT_AUDIO = "not_audio"  # no audio format we know of
    UNREADABLE = "unreadable"  # begins like audio, and nothing can be decoded
    DAMAGED = "damaged"  # decodes up to a point, and the rest is lost in the middle of the file
    UNSUPPORTED_FORMAT = "unsupported_format"  # audio, of a kind we have no decoder for
    NEEDS_M4A_SUPPORT = "needs_m4a_support"  # M4A, MP4 or AAC without the `m4a` extra
    UNSUPPORTED_RATE = "unsupported_rate"  # outside 8 to 192 kHz
    TOO_MANY_CHANNELS = "too_many_channels"  # more than 64
    CHANGED = "changed"  # the file was written to while it was read
    MISSING = "missing"  # the file went away
    NO_ACCESS = "no_access"  # the file may not be read
    ENCRYPTED = "encrypted"  # a member behind a password
    UNSUPPORTED_COMPRESSION = "unsupported_compression"  # a member neither stored nor deflated
    CORRUPT_MEMBER = "corrupt_member"  # a member whose bytes, length or checksum do not fit
    TOO_LARGE = "too_large"  # a member over the size limit
    SUSPICIOUS_RATIO = "suspicious_ratio"  # a member that expands as no recording does
    LINK = "link"  # a symbolic link or device instead of a file
    NESTED_ARCHIVE = "nested_archive"  # an archive inside the archive or folder


class ArchiveProblem(StrEnum):
    """Why an archive as a whole cannot be judged: the codes of an :class:`~voicegauge.errors.ArchiveError`."""

    NOT_A_ZIP = "not_a_zip"
    TRUNCATED_ARCHIVE = "truncated_archive"
    CORRUPT_ARCHIVE = "corrupt_archive"
    SPLIT_ARCHIVE = "split_archive"
    TOO_MANY_ENTRIES = "too_many_entries"
    TOO_LARGE = "too_large"
    SUSPICIOUS_RATIO = "suspicious_ratio"
    ENCRYPTED = "encrypted"
    NO_RECORDINGS = "no_recordings"


_RECORDING_TEXTS: dict[RecordingProblem, Text] = {
    RecordingProblem.EMPTY: Text(
        "这个文件里没有声音。请重新导出，或重新录制。",
        "There is no sound in this file. Export it again, or record it again.",
    ),
    RecordingProblem.NOT_AUDIO: Text(
        "这不是音频文件。请提交录音本身，最好是 WAV 或 FLAC 格式。",
        "This is not an audio file. Send the recording itself, preferably as WAV or FLAC.",
    ),
    RecordingProblem.UNREADABLE: Text(
        "这个文件打不开，可能已损坏，或者没有保存完整。请用录音软件重新导出为 WAV 或 FLAC。",
        "This file cannot be opened; it may be damaged, or was not saved completely. Export it again as WAV or FLAC.",
    ),
    RecordingProblem.DAMAGED: Text(
        "这个文件在第 {at_s:.1f} 秒前后损坏，后面的内容读不出来。请从原始录音重新复制或导出一份。",
        "This file is damaged near {at_s:.1f} s and cannot be read from there on. "
        "Copy or export it again from the original.",
    ),
    RecordingProblem.UNSUPPORTED_FORMAT: Text(
        "无法读取 {kind} 格式。请把录音另存为 WAV 或 FLAC 再提交。",
        "{kind} cannot be read. Save the recording as WAV or FLAC and send that.",
    ),
    RecordingProblem.NEEDS_M4A_SUPPORT: Text(
        '读取 M4A、AAC 和 MP4 需要另装组件：pip install "voicegauge[m4a]"。也可以把录音另存为 WAV 或 FLAC。',
        'Reading M4A, AAC and MP4 needs an extra part: pip install "voicegauge[m4a]". '
        "Or save the recording as WAV or FLAC.",
    ),
    RecordingProblem.UNSUPPORTED_RATE: Text(
        "录音的采样率是 {rate_hz} Hz，只能处理 8000 至 192000 Hz。请用 48000 Hz 录制或导出。",
        "The sample rate is {rate_hz} Hz; it must lie between 8000 and 192000 Hz. Record or export at 48000 Hz.",
    ),
    RecordingProblem.TOO_MANY_CHANNELS: Text(
        "这个文件有 {channels} 个声道，最多支持 64 个。请只导出人声所在的声道。",
        "This file has {channels} channels, and 64 are the most. Export only the channel with the voice.",
    ),
    RecordingProblem.CHANGED: Text(
        "读取期间文件被改动，可能还在录制或复制。请等文件保存完毕后再试。",
        "The file changed while it was being read; it may still be recording or copying. Try again when it is saved.",
    ),
    RecordingProblem.MISSING: Text(
        "文件找不到了，可能已被移动、改名或删除。请放回原处后再试。",
        "The file is gone; it may have been moved, renamed or deleted. Put it back and try again.",
    ),
    RecordingProblem.NO_ACCESS: Text(
        "没有权限读取这个文件。请修改文件权限，或复制到自己的文件夹后再试。",
        "This file may not be read. Change its permissions, or copy it to a folder of your own, and try again.",
    ),
    RecordingProblem.ENCRYPTED: Text(
        "这个文件设了密码。请去掉密码，重新打包后再提交。",
        "This file is protected with a password. Pack it again without one.",
    ),
    RecordingProblem.UNSUPPORTED_COMPRESSION: Text(
        "这个文件的压缩方式无法读取。请用系统自带的压缩功能，或选择“标准（Deflate）”方式重新打包成 ZIP。",
        "This file is compressed in a way that cannot be read. Pack it again with the ordinary zip method (Deflate).",
    ),
    RecordingProblem.CORRUPT_MEMBER: Text(
        "这个文件在压缩包里已损坏或不完整。请重新打包，再上传一次。",
        "This file is damaged or incomplete inside the zip. Pack and upload it again.",
    ),
    RecordingProblem.TOO_LARGE: Text(
        "这个文件解压后超过 {limit_gb:g} GB。请把它剪成几段再提交。",
        "Unpacked, this file is larger than {limit_gb:g} GB. Cut it into several recordings.",
    ),
    RecordingProblem.SUSPICIOUS_RATIO: Text(
        "这个文件几乎全是重复数据，不像是人声录音，没有读取。请检查文件，重新导出。",
        "This file consists almost entirely of repeated data, as no voice recording does, so it was not read. "
        "Check it and export it again.",
    ),
    RecordingProblem.LINK: Text(
        "这是一个链接（快捷方式），不是录音文件。请把录音文件本身放进来。",
        "This is a link to a file, not a recording. Put in the recording itself.",
    ),
    RecordingProblem.NESTED_ARCHIVE: Text(
        "这是一个压缩包，里面的录音没有评估。请先解压，把录音文件直接放进来。",
        "This is an archive; recordings inside it were not assessed. Unpack it and put in the recordings themselves.",
    ),
}

# Apart from the other, because equal codes are equal keys.
_ARCHIVE_TEXTS: dict[ArchiveProblem, Text] = {
    ArchiveProblem.NOT_A_ZIP: Text(
        "这不是 ZIP 压缩包。请把录音打包成 .zip 文件再提交。",
        "This is not a zip archive. Pack the recordings into a .zip file and send that.",
    ),
    ArchiveProblem.TRUNCATED_ARCHIVE: Text(
        "压缩包不完整，可能是上传或复制时中断了。请重新上传。",
        "The zip is incomplete; its upload or copy was probably cut off. Upload it again.",
    ),
    ArchiveProblem.CORRUPT_ARCHIVE: Text(
        "压缩包已损坏，读不出文件列表。请重新打包，再上传一次。",
        "The zip is damaged: its list of files cannot be read. Pack and upload it again.",
    ),
    ArchiveProblem.SPLIT_ARCHIVE: Text(
        "这只是分卷压缩包中的一卷。请不要分卷，打包成一个 .zip 文件再提交。",
        "This is one volume of a split archive. Pack everything into a single .zip file.",
    ),
    ArchiveProblem.TOO_MANY_ENTRIES: Text(
        "压缩包里的文件超过 {entries} 个。请分成几个压缩包提交。",
        "The zip holds more than {entries} files. Split the recordings over several zips.",
    ),
    ArchiveProblem.TOO_LARGE: Text(
        "压缩包解压后超过 {total_gb:g} GB。请分成几个压缩包提交。",
        "Unpacked, the zip is larger than {total_gb:g} GB. Split the recordings over several zips.",
    ),
    ArchiveProblem.SUSPICIOUS_RATIO: Text(
        "压缩包里几乎全是重复数据，不像是人声录音，没有打开。请检查文件，重新打包。",
        "The zip holds almost nothing but repeated data, as no voice recordings do, so it was not opened. "
        "Check the files and pack them again.",
    ),
    ArchiveProblem.ENCRYPTED: Text(
        "压缩包设了密码，无法打开。请去掉密码，重新打包后再提交。",
        "The zip is protected with a password. Pack it again without one.",
    ),
    ArchiveProblem.NO_RECORDINGS: Text(
        "压缩包里没有找到录音。请放入 WAV、FLAC、MP3、OGG 或 M4A 格式的录音文件。",
        "There are no recordings in the zip. Put in WAV, FLAC, MP3, OGG or M4A files.",
    ),
}


def problem_text(problem: RecordingProblem | ArchiveProblem, **facts: object) -> Text:
    """Say what is wrong and what to do, with the facts the sentences ask for filled in."""
    text = _ARCHIVE_TEXTS[problem] if isinstance(problem, ArchiveProblem) else _RECORDING_TEXTS[problem]
    return Text(text.zh.format(**facts), text.en.format(**facts))


def recording_error(problem: RecordingProblem, **facts: object) -> RecordingError:
    """Make the error of one recording from the same facts as :func:`problem_text`."""
    text = problem_text(problem, **facts)
    return RecordingError(problem.value, text.zh, text.en)


def truncated(missing_s: float | None = None) -> Finding:
    """Tell that a recording's end is missing, and how much where its header says so."""
    missing = Text("", "")
    if missing_s is not None and missing_s >= 0.1:
        missing = Text(f"（约 {missing_s:.1f} 秒）", f" (about {missing_s:.1f} s)")
    return Finding(
        "truncated",
        Severity.FIXABLE,
        Text(
            f"这个文件的结尾缺失{missing.zh}，可能没有保存、复制或上传完整。这里只评估了读得出来的部分，"
            "请从原始录音重新复制或导出。",
            f"The end of this file is missing{missing.en}; it was probably not saved, copied or uploaded completely. "
            "Only what is there was assessed. Copy or export it again from the original.",
        ),
    )


def transcript_unreadable() -> Finding:
    """Tell that there is a transcript, and that it was not used."""
    return Finding(
        "transcript_unreadable",
        Severity.FIXABLE,
        Text(
            "旁边的文本文件读不出来，因此没有使用。请把它另存为 UTF-8 编码的纯文本，只写朗读的内容。",
            "The text file beside the recording could not be read and was not used. "
            "Save it as plain text in UTF-8, with nothing in it but the words read aloud.",
        ),
    )
