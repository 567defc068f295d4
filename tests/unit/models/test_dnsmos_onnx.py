"""Which windows the onnxruntime stream runs."""

from __future__ import annotations

import numpy as np
import pytest

from voicegauge.assessment.recording import Samples
from voicegauge.errors import ModelError
from voicegauge.models.dnsmos_onnx import OnnxDnsmosNetwork
from voicegauge.models.files import DNSMOS_P835, checked_path
from voicegauge.models.sessions import open_session

WINDOW = 144_160


class CountingSession:
    """Answers with the place of each window in a recording whose samples count upwards."""

    def run(self, names: None, inputs: dict[str, Samples]) -> list[Samples]:
        window = inputs["input_1"]
        assert window.shape == (1, WINDOW)
        assert window.dtype == np.float32
        np.testing.assert_array_equal(np.diff(window[0]), 1.0)
        return [window[:, [0, 1, -1]].copy()]


@pytest.mark.parametrize("block", [999, 16_000, 144_160, 1_000_000])
@pytest.mark.parametrize("length", [0, WINDOW - 1, WINDOW, WINDOW + 15_999, WINDOW + 16_000, 500_000])
def test_every_full_window_is_run_once(block: int, length: int) -> None:
    samples = np.arange(length, dtype=np.float32)
    stream = OnnxDnsmosNetwork(CountingSession()).open_stream()
    for start in range(0, length, block):
        stream.push(samples[start : start + block])
    starts = np.arange(0, length - WINDOW + 1, 16_000, dtype=np.float32)
    expected = np.stack((starts, starts + 1, starts + WINDOW - 1), axis=1)
    np.testing.assert_array_equal(stream.finish(), expected)


def test_a_file_that_is_no_model_is_named() -> None:
    path = checked_path(DNSMOS_P835).with_name("no_such_model.onnx")
    with pytest.raises(ModelError, match=r"cannot open the model .*no_such_model\.onnx"):
        open_session(path, threads=1)
