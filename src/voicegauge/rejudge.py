"""Judging measurements that are there: no audio, no numpy, milliseconds."""

from __future__ import annotations

from pathlib import Path

from voicegauge.assessment.judge import judge
from voicegauge.assessment.profile import Assessment
from voicegauge.profiles.loader import load_profile
from voicegauge.reports.stored import read_result

__all__ = ["judge_again", "judge_stored"]


def judge_again(assessment: Assessment, profile: str | Path) -> Assessment:
    """Judge the measurements of an assessment by another profile.

    Parameters
    ----------
    profile : str or path
        The name of a bundled profile, or a TOML file.

    Raises
    ------
    ProfileError
        The profile does not exist or breaks a rule.

    Examples
    --------
    >>> import voicegauge
    >>> assessment = voicegauge.assess("takes/")  # doctest: +SKIP
    >>> voicegauge.judge_again(assessment, "strict").within  # doctest: +SKIP
    """
    return judge(
        assessment.recordings,
        load_profile(profile, assessment.profile.language),
        version=assessment.version,
        ignored=assessment.ignored,
        models=assessment.models,
    )


def judge_stored(result: str | Path, profile: str | Path) -> Assessment:
    """Judge the measurements of a stored result.

    Parameters
    ----------
    result : path
        A file in the form of docs/result.schema.json.
    profile : str or path
        The name of a bundled profile, or a TOML file.

    Raises
    ------
    ResultError
        The file is no result.
    ProfileError
        The profile does not exist or breaks a rule.
    """
    stored = read_result(Path(result))
    return judge(
        stored.recordings,
        load_profile(profile, stored.language),
        version=stored.version,
        ignored=stored.ignored,
        models=stored.models,
    )
