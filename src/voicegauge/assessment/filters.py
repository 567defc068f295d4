"""Linear filters that run block by block, whatever the length of the blocks.

A filter is designed as a rational transfer function, sampled on a fine frequency grid, and run as its own truncated
impulse response by overlap-save convolution. That costs two short FFTs per block, needs no compiled loop, and the
result does not depend on how the signal is cut.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.recording import Samples

__all__ = ["Kernel", "StreamFilter", "apply", "butterworth", "k_weighting", "moving_average", "stack"]

ComplexResponse: TypeAlias = npt.NDArray[np.complex128]

_TAIL_ENERGY = 1e-13
"""Share of its energy that an impulse response may lose by truncation."""

_LONGEST_GRID = 1 << 22


@dataclass(frozen=True, eq=False)
class Kernel:
    """A finite impulse response, or several of equal length.

    Attributes
    ----------
    taps : float64 array, shape (..., k), k >= 1
    delay : int >= 0
        Index of the tap that belongs to time zero: 0 for a causal filter, the middle for a zero-phase one.
    """

    taps: npt.NDArray[np.float64]
    delay: int = 0


def butterworth(
    order: int,
    cutoff_hz: float | tuple[float, float],
    kind: Literal["low", "high", "band"],
    *,
    rate_hz: float,
    zero_phase: bool = False,
) -> Kernel:
    """Design a digital Butterworth filter (bilinear transform with the cut-off frequencies kept exact).

    Parameters
    ----------
    order : int >= 1
        Of the low-pass prototype; a band-pass has twice as many poles.
    cutoff_hz : float, or (low, high) for a band; above 0, below half of `rate_hz`
    kind : {"low", "high", "band"}
    zero_phase : bool
        Apply the filter forwards and backwards: the squared magnitude, no phase.
    """
    edges_hz = cutoff_hz if isinstance(cutoff_hz, tuple) else (cutoff_hz,)
    if (kind == "band") != (len(edges_hz) == 2):
        raise ValueError(f"a {kind} filter does not take {len(edges_hz)} cut-off frequencies")
    if not 0 < min(edges_hz) <= max(edges_hz) < rate_hz / 2:
        raise ValueError(f"cut-off frequencies {edges_hz} Hz must lie between 0 and {rate_hz / 2} Hz")
    edges = np.tan(np.pi * np.array(edges_hz) / rate_hz)
    angles = np.pi * (2 * np.arange(order) + order + 1) / (2 * order)
    poles = np.exp(1j * angles)

    def response(z_angles: npt.NDArray[np.float64]) -> ComplexResponse:
        # The frequency axis of the bilinear transform, kept finite at both ends, where the limits are exact enough.
        s = 1j * np.tan(np.clip(z_angles / 2, 1e-12, np.pi / 2 - 1e-12))
        if kind == "low":
            prototype = s / edges[0]
        elif kind == "high":
            prototype = edges[0] / s
        else:
            prototype = (s * s + edges[0] * edges[1]) / (s * (edges[1] - edges[0]))
        result: ComplexResponse = 1 / np.prod(prototype[:, None] - poles, axis=1)
        return np.abs(result) ** 2 + 0j if zero_phase else result

    return _kernel(response, symmetric=zero_phase)


def k_weighting(rate_hz: float) -> Kernel:
    """The weighting filter of ITU-R BS.1770-4 at any rate, without its phase.

    The recommendation prints coefficients for 48 kHz only. The magnitude of that filter is taken over frequency by
    frequency, so that a sound is equally loud at every rate; loudness does not depend on phase.
    """

    def response(z_angles: npt.NDArray[np.float64]) -> ComplexResponse:
        z = np.exp(-1j * np.minimum(z_angles * rate_hz / 48_000, np.pi))
        shelf = (1.53512485958697 - z * (2.69169618940638 - z * 1.19839281085285)) / (
            1 - z * (1.69065929318241 - z * 0.73248077421585)
        )
        high_pass = (1 - z) ** 2 / (1 - z * (1.99004745483398 - z * 0.99007225036621))
        return np.abs(shelf * high_pass) + 0j

    return _kernel(response, symmetric=True)


def moving_average(length: int) -> Kernel:
    """The mean of `length` neighbours, centred (for an even length, half a sample early).

    Parameters
    ----------
    length : int >= 1
    """
    return Kernel(np.full(length, 1 / length), (length - 1) // 2)


def stack(kernels: Sequence[Kernel]) -> Kernel:
    """Put several kernels of one output each side by side, so that one pass gives all outputs.

    Parameters
    ----------
    kernels : sequence of Kernel with taps of shape (k,), k of each its own; at least one
    """
    before = max(kernel.delay for kernel in kernels)
    after = max(len(kernel.taps) - kernel.delay for kernel in kernels)
    taps = np.zeros((len(kernels), before + after))
    for row, kernel in zip(taps, kernels, strict=True):
        row[before - kernel.delay : before - kernel.delay + len(kernel.taps)] = kernel.taps
    return Kernel(taps, before)


class StreamFilter:
    """Runs a kernel over a signal that comes in blocks; what comes out lines up with what went in.

    Outputs lag while blocks are pushed; `finish` returns the rest, so that in all as many samples come out as went in.
    Before its first and after its last sample the signal is taken to be zero.

    Parameters
    ----------
    kernel : Kernel
        With taps of shape (bands, k) every output has a leading axis of `bands`.
    """

    def __init__(self, kernel: Kernel) -> None:
        self._history = kernel.taps.shape[-1] - 1
        size = 1 << max(13, (4 * self._history).bit_length())
        self._transfer = np.fft.rfft(kernel.taps, size)
        self._buffer = np.zeros(size)
        self._filled = self._history
        self._pushed = 0
        self._returned = -kernel.delay

    def push(self, samples: Samples) -> Samples:
        """Take the next samples, shape (n,), any n; return the outputs that are ready, shape (..., m)."""
        self._pushed += len(samples)
        return self._run(samples)

    def finish(self) -> Samples:
        """Return the remaining outputs, shape (..., m)."""
        missing = self._pushed - max(self._returned, 0)
        hop = len(self._buffer) - self._history
        zeros = np.zeros(hop * (2 + (self._pushed - self._returned) // hop), dtype=np.float32)
        return self._run(zeros)[..., :missing]

    def _run(self, samples: Samples) -> Samples:
        ready = [np.zeros((*self._transfer.shape[:-1], 0), dtype=np.float32)]
        taken = 0
        while taken < len(samples):
            step = min(len(samples) - taken, len(self._buffer) - self._filled)
            self._buffer[self._filled : self._filled + step] = samples[taken : taken + step]
            self._filled += step
            taken += step
            if self._filled == len(self._buffer):
                ready.append(self._convolve())
                self._buffer[: self._history] = self._buffer[len(self._buffer) - self._history :].copy()
                self._filled = self._history
        return np.concatenate(ready, axis=-1)

    def _convolve(self) -> Samples:
        outputs = np.fft.irfft(np.fft.rfft(self._buffer) * self._transfer, len(self._buffer))
        early = max(0, -self._returned)
        self._returned += len(self._buffer) - self._history
        result: Samples = outputs[..., self._history + early :].astype(np.float32)
        return result


def apply(kernel: Kernel, samples: Samples) -> Samples:
    """Filter a whole signal, shape (n,), at once; the outputs have shape (..., n)."""
    stream = StreamFilter(kernel)
    return np.concatenate([stream.push(samples), stream.finish()], axis=-1)


def _kernel(response: Callable[[npt.NDArray[np.float64]], ComplexResponse], *, symmetric: bool) -> Kernel:
    """Truncate the impulse response of a transfer function given on angles from 0 to pi.

    A causal response begins at time zero; a symmetric one, of a real transfer function, lies around it.
    """
    grid = 1 << 10
    while True:
        values = response(np.linspace(0, np.pi, grid // 2 + 1))
        taps = np.fft.irfft(values, grid)
        # Wrapped around the grid, a response of either kind must have died out half-way.
        far = taps[3 * grid // 8 : 5 * grid // 8] if symmetric else taps[3 * grid // 4 :]
        if np.sum(far**2) <= _TAIL_ENERGY * np.sum(taps**2):
            break
        grid *= 2
        if grid > _LONGEST_GRID:
            raise ValueError("the impulse response is too long for this filter to be run as a finite one")
    if symmetric:
        half = taps[: grid // 2]
        reach = _length(half)
        return Kernel(np.concatenate([half[reach - 1 : 0 : -1], half[:reach]]), reach - 1)
    return Kernel(taps[: _length(taps)])


def _length(taps: npt.NDArray[np.float64]) -> int:
    """How many taps hold all but the allowed share of the energy."""
    tail = np.cumsum(taps[::-1] ** 2)[::-1]
    return max(1, int(np.count_nonzero(tail > _TAIL_ENERGY * tail[0])))
