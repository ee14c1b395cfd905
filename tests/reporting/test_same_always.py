"""The same inputs give the same bytes, and a file is there whole or not at all."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from capacity.errors import InputError
from capacity.reporting import Report, report
from capacity.reporting import json as canonical
from tests.reporting.fleet import GENERATED_AT, demand_plan, failing, policy_of, scores_of, small, web
from tests.reporting.rendered import ON_ONE_WORKER, full, rendered

pytestmark = ON_ONE_WORKER


@pytest.mark.parametrize("kind", ["html", "pdf", "xlsx", "json"])
def test_the_same_report_has_the_same_bytes(kind: str) -> None:
    again = report(
        demand_plan(web()),
        policy=policy_of(small()),
        findings=failing("checkout"),
        scores=scores_of(small()),
        generated_at=GENERATED_AT,
    )
    assert again.render(kind) == rendered(kind)


def test_only_generated_at_tells_two_runs_apart() -> None:
    texts = [report(small(), generated_at=moment).render("json").decode() for moment in (GENERATED_AT, "2027-01-01")]
    assert texts[0] != texts[1]
    assert all(text.count('"generated_at"') == 1 for text in texts)
    assert len({re.sub(r'"generated_at":"[^"]*"', "", text) for text in texts}) == 1


def test_the_fingerprint_follows_the_inputs_and_nothing_else() -> None:
    said = small().forecast.override("checkout", "requests", "2026-11-24", multiply=1.2, by="A. Rao", why="a campaign")
    judged = replace(small(), forecast=said)
    prints = {
        report(one).document["method"]["fingerprint"]
        for one in (small(), demand_plan(web()), demand_plan(web(max_tasks=41)), demand_plan(web(), days=61), judged)
    }
    assert len(prints) == 4


def test_json_is_canonical_and_holds_no_nan() -> None:
    text = rendered("json").decode()
    assert text == canonical.render(json.loads(text))
    assert json.loads(text)["schema_version"] == 1
    with pytest.raises(ValueError, match="Out of range"):
        canonical.render({"usd": float("nan")})


def test_without_a_moment_it_is_now_in_utc_to_the_second() -> None:
    before = pd.Timestamp.now(tz="UTC").floor("s")
    said = pd.Timestamp(report(small()).document["generated_at"])
    assert before <= said <= pd.Timestamp.now(tz="UTC")


def test_the_page_about_json_names_every_key_and_no_other() -> None:
    text = (Path(__file__).parents[2] / "docs/report-json.md").read_text(encoding="utf-8")
    top, service = text.split("## A service")
    keys = re.compile(r"^\| `([a-z_]+)` \|", re.MULTILINE)
    assert sorted(keys.findall(top)) == sorted(full().document)
    assert sorted(keys.findall(service)) == sorted(full().document["services"][0])
    written = set(re.findall(r"`([a-z_0-9]+)`", top))
    assert set(full().document["period"]) | set(full().document["decisions"][0]) <= written
    assert set(full().document["alerts"][0]) <= set(re.findall(r"`([a-z_]+)`", service))


def test_all_four_files_are_written_and_nothing_is_left_beside_them(tmp_path: Path) -> None:
    written = full().save_all(tmp_path / "new" / "folder")
    assert [path.name for path in written] == ["report.html", "report.pdf", "report.xlsx", "report.json"]
    assert sorted(path.name for path in written[0].parent.iterdir()) == sorted(path.name for path in written)


def test_a_file_that_cannot_be_made_leaves_the_old_one_whole(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    full().save(path)
    before = path.read_bytes()
    broken = Report({**full().document, "title": float("nan")})
    with pytest.raises(ValueError, match="Out of range"):
        broken.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_suffix_that_is_no_format_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"End it in \.html, \.pdf, \.xlsx, \.json"):
        full().save(tmp_path / "report.docx")
