"""What the documents say is there, is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from voicegauge.cli import main

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "samples").glob("*.md")])

LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
COMMAND = re.compile(r"^\$ (voicegauge .*?)(?:\s+#.*)?$", re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert missing == []


def commands() -> list[str]:
    return sorted({line for page in PAGES for line in COMMAND.findall(page.read_text(encoding="utf-8"))})


@pytest.mark.parametrize("line", commands())
def test_commands_that_are_shown_have_the_flags_they_use(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = shlex.split(line.split("|")[0].split(">")[0])[1:]
    flags = [word.split("=")[0] for word in words if word.startswith("--")]
    command = []
    for word in words:
        if not re.fullmatch(r"[a-z]+", word):
            break
        command.append(word)
    with pytest.raises(SystemExit):
        main([*command[: 2 if command[0] in {"jobs", "keys", "profiles"} else 1], "--help"])
    shown = capsys.readouterr().out
    assert [flag for flag in flags if flag not in shown] == []


def test_both_readmes_tell_the_same_story() -> None:
    def outline(name: str) -> list[int]:
        text = (ROOT / name).read_text(encoding="utf-8")
        outside_code = re.sub(r"```.*?```", "```", text, flags=re.DOTALL)
        return [len(marks) for marks in re.findall(r"^(#+|```)", outside_code, re.MULTILINE)]

    assert outline("README.md") == outline("README.zh-CN.md")


def test_the_compatibility_page_names_every_route() -> None:
    pytest.importorskip("fastapi")
    from voicegauge.metastudio.iam import iam_router
    from voicegauge.metastudio.routes import short_job_router

    page = (ROOT / "docs" / "compatibility.md").read_text(encoding="utf-8")
    unused: object = None
    routers = (
        short_job_router(gate=unused, jobs=unused, upload_urls=unused),  # type: ignore[arg-type]
        iam_router(gate=unused, directory=unused),  # type: ignore[arg-type]
    )
    for router in routers:
        for route in router.routes:
            path: str = getattr(route, "path", "")
            methods: set[str] = getattr(route, "methods", set())
            for method in methods - {"HEAD"}:
                assert re.search(rf"`{method} {re.escape(path)}", page), f"{method} {path}"
