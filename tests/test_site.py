"""The site's pages: generated ones are what the code says now, links lead somewhere, files named are there."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from benchmarks import how_right, kept
from capacity.cli import python_reference
from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.glob("*.md"), *DOCS.glob("decisions/*.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"])


def test_the_page_of_python_is_what_the_code_says() -> None:
    assert (DOCS / "python-api.md").read_text(encoding="utf-8") == python_reference.reference(), "run: make docs"


def test_how_right_shows_what_benchmarks_kept_and_names_those_that_kept_nothing() -> None:
    found = kept.results()
    assert (DOCS / "how-right.md").read_text(encoding="utf-8") == how_right.page(found), "run: make docs"
    assert {result.name for result in found} <= set(kept.ASKED)
    for name in kept.ASKED:
        place = ROOT / "benchmarks" / name
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists()


def test_a_result_reads_back_as_it_was_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    table = kept.Table("Shares", ("of", "share"), (("requests", "5.1 %"),))
    first = kept.Result("steps", "How soon?", "python -m benchmarks.steps --keep", "Generated services.", (table,))
    first.keep()
    (again,) = kept.results()
    assert (again.question, again.tables[0].rows) == (first.question, [["requests", "5.1 %"]])
    assert "| requests | 5.1 % |" in how_right.page([again])


def test_the_files_that_the_mathematics_names_are_there() -> None:
    named = re.findall(r"`(capacity/[\w/]+\.py)`", (DOCS / "mathematics.md").read_text(encoding="utf-8"))
    assert len(named) >= 30
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_in_it(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    broken = []
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://[^\s/]+\.\w+(/\S*)?$", link):
            continue
        name, _, anchor = link.partition("#")
        target = page.parent / name if name else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


def anchors(page: Path) -> set[str]:
    """Headings as GitHub and MyST name them: lower case, words joined by hyphens, no punctuation."""
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
    headings = re.findall(r"^#+ (.*)$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"^([\w-]+)$", index, flags=re.M))
    assert {page.stem for page in DOCS.glob("*.md")} - {"index"} == listed


#: Page with Python -> the test that runs it.
RUNNERS = {
    "README.md": "test_readme.py",
    **dict.fromkeys(("applying.md", "cost.md", "forecasting.md", "load-tests.md", "planning.md"), "test_guides.py"),
    **dict.fromkeys(("policies.md", "rehearsing.md"), "test_guides.py"),
    **dict.fromkeys(("from-spreadsheets.md", "tutorial.md"), "test_tutorial.py"),
    **dict.fromkeys(("dashboards.md", "runbooks.md"), "monitoring/test_monitoring_guides.py"),
    "alarms.md": "monitoring/test_incidents.py",
    "how-to.md": "test_docs.py",
    "report.md": "reporting/test_branding.py",
    "report-json.md": "reporting/test_same_always.py",
    "reviewing.md": "reviewing/test_review_guide.py",
    "slos.md": "monitoring/test_slo_command.py",
}
#: What would ask Azure; its names are looked up below.
ASKS_AZURE = "azure.md"


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(encoding="utf-8"), flags=re.S | re.M)


def test_every_page_with_python_is_run_by_a_test() -> None:
    assert {page.name for page in PAGES if blocks(page, "python")} == {*RUNNERS, ASKS_AZURE}
    for page, runner in RUNNERS.items():
        assert page in (ROOT / "tests" / runner).read_text(encoding="utf-8")


def test_the_names_of_the_page_that_asks_azure_are_there() -> None:
    (block,) = blocks(DOCS / ASKS_AZURE, "python")
    exec(compile("\n".join(re.findall(r"^from .*", block, flags=re.M)), ASKS_AZURE, "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_settings_and_documents_shown_can_be_read(page: Path) -> None:
    for block in blocks(page, "toml"):
        tomllib.loads(block)
    for block in blocks(page, "json"):
        json.loads(block)
