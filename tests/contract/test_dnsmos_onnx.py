"""The onnxruntime stream against a direct run of the session."""

from __future__ import annotations

import numpy as np

from voicegauge.models.dnsmos_onnx import OnnxDnsmosNetwork
from voicegauge.models.files import DNSMOS_P835, checked_path
from voicegauge.models.sessions import open_session

WINDOW = 144_160


def test_the_network_gives_what_a_direct_run_gives() -> None:
    samples = (0.1 * np.random.default_rng(3).standard_normal(WINDOW)).astype(np.float32)
    session = open_session(checked_path(DNSMOS_P835), threads=1)
    stream = OnnxDnsmosNetwork(session).open_stream()
    stream.push(samples)
    np.testing.assert_array_equal(stream.finish(), session.run(None, {"input_1": samples[np.newaxis]})[0])
