"""M4A, MP4 and AAC through PyAV, which is installed with the `m4a` extra."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO

import av
import numpy as np

from voicegauge.assessment.recording import Blocks, Samples
from voicegauge.ingest.containers import Decoder
from voicegauge.ingest.streams import DecodingError, block_frames

__all__ = ["open_aac"]

# Named, so that no other demuxer is tried: some of FFmpeg's open further files and addresses.
_DEMUXERS = {Decoder.MP4: "mov", Decoder.ADTS: "aac"}


@contextmanager
def open_aac(file: BinaryIO, decoder: Decoder) -> Iterator[_AacStream]:
    """Open the first sound track of an MP4 or ADTS file.

    Raises
    ------
    DecodingError
        There is no sound track, or nothing in it can be decoded.
    """
    file.seek(0)
    try:
        container = av.open(file, mode="r", format=_DEMUXERS[decoder])
    except (av.FFmpegError, ValueError) as error:
        raise DecodingError from error
    with container:
        if not container.streams.audio:
            raise DecodingError
        yield _AacStream(container)


class _AacStream:
    def __init__(self, container: Any) -> None:
        self._frames = _decode(container)
        self._first = next(self._frames, None)
        if self._first is None:
            raise DecodingError
        # The decoder knows better than the headers, which tell half the rate of HE-AAC.
        self.rate_hz: int = self._first.sample_rate
        self.channels: int = self._first.layout.nb_channels
        self._converter = av.AudioResampler(format="flt", layout=self._first.layout, rate=self.rate_hz)

    def blocks(self) -> Blocks:
        wanted = block_frames(self.rate_hz, self.channels)
        gathered: list[Samples] = []
        frame = self._first
        while frame is not None:
            if frame.sample_rate != self.rate_hz or frame.layout.nb_channels != self.channels:
                raise DecodingError
            for part in self._converter.resample(frame):
                samples = np.asarray(part.to_ndarray(), dtype=np.float32)
                gathered.append(samples.reshape(-1, self.channels))
            if sum(map(len, gathered)) >= wanted:
                yield np.concatenate(gathered)
                gathered = []
            try:
                frame = next(self._frames, None)
            except DecodingError:
                if gathered:
                    yield np.concatenate(gathered)
                raise
        if gathered:
            yield np.concatenate(gathered)


def _decode(container: Any) -> Iterator[Any]:
    failed = False
    try:
        for packet in container.demux(container.streams.audio[0]):
            # The last packet of a cut file is a torso; only a failure with sound behind it is damage.
            if failed and packet.size:
                raise DecodingError
            try:
                yield from packet.decode()
            except av.FFmpegError:
                failed = True
    except av.FFmpegError as error:
        raise DecodingError from error
