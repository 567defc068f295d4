"""Settings come from flags, then the environment, then their defaults."""

from __future__ import annotations

import argparse
from dataclasses import fields
from pathlib import Path

import pytest

from voicegauge.errors import UsageError
from voicegauge.settings import Settings, add_flags, from_flags, onnx_provider

ALL = tuple(setting.name for setting in fields(Settings))


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_flags(parser, *ALL)
    return parser.parse_args(arguments)


def test_defaults() -> None:
    assert from_flags(parsed(), {}) == Settings()


def test_a_flag_wins_over_the_environment() -> None:
    environment = {"VOICEGAUGE_PORT": "9000", "VOICEGAUGE_DATA": "/from/environment"}
    settings = from_flags(parsed("--port", "9001"), environment)
    assert settings.port == 9001
    assert settings.data == Path("/from/environment")


def test_a_wrong_number_names_where_it_came_from() -> None:
    with pytest.raises(UsageError, match=r"VOICEGAUGE_PORT.*'many'.*whole number"):
        from_flags(parsed(), {"VOICEGAUGE_PORT": "many"})
    with pytest.raises(UsageError, match=r"--port.*negative"):
        from_flags(parsed("--port=-1"), {})


def test_a_switch_needs_no_value_as_a_flag_and_a_clear_one_as_a_variable() -> None:
    assert from_flags(parsed("--api-only"), {}).api_only
    assert from_flags(parsed(), {"VOICEGAUGE_API_ONLY": "Yes"}).api_only
    assert not from_flags(parsed(), {"VOICEGAUGE_API_ONLY": "0"}).api_only
    assert from_flags(parsed("--api-only"), {"VOICEGAUGE_API_ONLY": "0"}).api_only
    with pytest.raises(UsageError, match=r"VOICEGAUGE_API_ONLY: 'perhaps' is none of 1, true"):
        from_flags(parsed(), {"VOICEGAUGE_API_ONLY": "perhaps"})


def test_a_word_that_is_no_choice_is_answered_with_the_choices() -> None:
    with pytest.raises(UsageError, match="--log-format: 'xml' is none of text, json"):
        from_flags(parsed("--log-format", "xml"), {})


def test_every_setting_has_a_sentence_of_help() -> None:
    assert all(setting.metadata["help"] for setting in fields(Settings))


def test_the_provider_of_onnxruntime_comes_from_the_environment() -> None:
    assert onnx_provider({}) is None
    assert onnx_provider({"VOICEGAUGE_ONNX_PROVIDER": ""}) is None
    assert onnx_provider({"VOICEGAUGE_ONNX_PROVIDER": "CUDAExecutionProvider"}) == "CUDAExecutionProvider"
