"""Which engine is picked, and what is said where the compiled core is missing."""

from __future__ import annotations

import logging

import pytest

from voicegauge.errors import ModelError
from voicegauge.models import describe_engine, dnsmos_native, load_models, loading
from voicegauge.models.dnsmos_native import NativeDnsmosNetwork
from voicegauge.models.dnsmos_onnx import OnnxDnsmosNetwork
from voicegauge.models.files import DNSMOS_P835, SILERO_VAD


@pytest.fixture
def no_core(monkeypatch: pytest.MonkeyPatch) -> None:
    dnsmos_native.load_core.cache_clear()
    monkeypatch.setattr(dnsmos_native, "CORE_MODULE", "voicegauge.models._no_such_core")


def test_models_are_opened_once() -> None:
    models = load_models()
    assert models.dnsmos is models.dnsmos
    assert models.voice_activity is models.voice_activity


@pytest.mark.usefixtures("no_core")
def test_without_the_core_onnxruntime_does_the_work_after_one_warning(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        models = load_models()
        assert isinstance(models.dnsmos, OnnxDnsmosNetwork)
        assert isinstance(models.dnsmos, OnnxDnsmosNetwork)
    (record,) = caplog.records
    assert "the same numbers but many times slower" in record.getMessage()
    assert "not part of this installation" in record.getMessage()
    assert "C++ compiler" in record.getMessage()


@pytest.mark.usefixtures("no_core")
def test_asking_for_the_core_where_there_is_none_is_an_error() -> None:
    with pytest.raises(ModelError, match="not part of this installation"):
        _ = load_models(engine="native").dnsmos


def test_onnxruntime_can_be_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert isinstance(load_models(engine="onnxruntime").dnsmos, OnnxDnsmosNetwork)
    assert not caplog.records


def test_naming_a_provider_means_onnxruntime() -> None:
    assert isinstance(load_models(provider="CPUExecutionProvider").dnsmos, OnnxDnsmosNetwork)
    with pytest.raises(ModelError, match="CUDAExecutionProvider is onnxruntime's"):
        load_models(engine="native", provider="CUDAExecutionProvider")
    assert describe_engine("CUDAExecutionProvider")["onnx_provider"] == "CUDAExecutionProvider"


def test_a_provider_that_is_not_there_is_named() -> None:
    models = load_models(provider="NoSuchProvider")
    with pytest.raises(ModelError, match=r"no NoSuchProvider, only .*CPUExecutionProvider"):
        _ = models.dnsmos


def test_the_description_names_what_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "simd_paths", lambda: ("AVX2", "portable"))
    described = describe_engine()
    assert described["dnsmos_engine"] == "native"
    assert described["simd_path"] == "AVX2"
    assert described["other_simd_paths"] == "portable"
    assert described["dnsmos_sha256"] == DNSMOS_P835.sha256
    assert described["silero_vad_sha256"] == SILERO_VAD.sha256
    assert described["dnsmos_model"].endswith("sig_bak_ovr.onnx")


@pytest.mark.usefixtures("no_core")
def test_the_description_says_why_the_core_is_not_used() -> None:
    described = describe_engine()
    assert described["dnsmos_engine"] == "onnxruntime"
    assert "not part of this installation" in described["why_not_native"]


def test_the_core_is_picked_where_it_is() -> None:
    try:
        dnsmos_native.load_core()
    except ModelError:
        pytest.skip("the compiled core was not built: no C++ compiler")
    assert isinstance(load_models().dnsmos, NativeDnsmosNetwork)
