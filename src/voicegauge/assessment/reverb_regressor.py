"""From how speech dies away to C50: small neural networks, fitted by bench/fit_reverb.py."""

from __future__ import annotations

import base64
from functools import cache

import numpy as np
import numpy.typing as npt

from voicegauge.assessment.data import reverb_weights

__all__ = ["predict_c50_db"]

_Floats = npt.NDArray[np.float32]


def predict_c50_db(features: npt.NDArray[np.floating]) -> float:
    """Estimate C50 in dB, -5 to 40, from that in four bands, for each the mean over several networks.

    Parameters
    ----------
    features : float array, shape (decay.FEATURE_COUNT,)
        What lies outside the range met in fitting is moved to its end.
    """
    lowest, highest, mean, scale = (_array(name) for name in ("lowest", "highest", "mean", "scale"))
    inputs = (np.clip(features, lowest, highest) - mean) / scale
    hidden = np.tanh(np.einsum("i,nih->nh", inputs, _array("weights_1")) + _array("offsets_1"))
    hidden = np.tanh(np.einsum("ni,nih->nh", hidden, _array("weights_2")) + _array("offsets_2"))
    outputs = np.einsum("nh,nhb->nb", hidden, _array("weights_3")) + _array("offsets_3")
    # The late energy of the whole is that of its bands, each of which has its share of the energy.
    late = np.dot(_array("shares"), 10 ** (-np.mean(outputs, axis=0) / 10))
    return float(np.clip(-10 * np.log10(late), *reverb_weights.RANGE_DB))


@cache
def _array(name: str) -> _Floats:
    shape, kind, text = reverb_weights.ARRAYS[name]
    stored = np.frombuffer(base64.b64decode(text), dtype=kind)
    return stored.astype(np.float32).reshape(shape)
