"""Reports of other intervals, lengths, prices and findings, and without the packages they need."""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from capacity.config import PriceSettings, Rate
from capacity.errors import MissingExtra
from capacity.findings import Findings
from capacity.planning import plan
from capacity.reporting import report
from tests.makers import hourly
from tests.reporting.fleet import GENERATED_AT, failing, quick, small, web
from tests.reporting.rendered import ON_ONE_WORKER, Page, full

pytestmark = ON_ONE_WORKER


@pytest.mark.parametrize(
    ("freq", "count", "steps"),
    [("5min", 600, 288), ("h", 60, 24), ("D", 800, 91), ("D", 3000, 91), ("h", 24 * 425, 24 * 91)],
)
def test_any_interval_and_length_of_history_makes_a_report(freq: str, count: int, steps: int) -> None:
    times = pd.date_range("2020-01-01", periods=count, freq=freq, tz="UTC", unit="us")
    made = report(quick(times, 50 + 10 * np.sin(np.arange(count)), steps), generated_at=GENERATED_AT)
    assert len(made.document["services"][0]["demand"][0]["overview"]["past"]["high"]) <= 640
    for picture in made.pictures.values():
        assert picture.svg().startswith("<svg")


def test_a_service_at_rest_makes_a_report() -> None:
    made = report(quick(hourly(30), np.zeros(30 * 24), 24), generated_at=GENERATED_AT)
    assert b"checkout" in made.render("html")
    assert made.render("pdf").startswith(b"%PDF")


def test_own_prices_name_their_source() -> None:
    rate = Rate(region="us-east-1", vcpu=0.05, memory_gb=0.005, source="our agreement", date="2026-10-01")
    forecast = small().forecast
    own = plan(forecast, web(), prices=PriceSettings(rate=(rate,)), peaks=lambda forecast: forecast.paths)
    words = Page(report(own).render("html").decode()).words
    assert "our agreement 1 Oct 2026" in words


def test_findings_handed_in_and_carried_along_are_each_said_once() -> None:
    carried = replace(small(), findings=Findings.of(small().findings, failing("checkout")))
    document = report(carried, findings=failing("checkout")).document
    assert document["finding_counts"]["FAIL"] == 1


def test_checks_without_evidence_have_not_passed() -> None:
    clean = replace(small(), findings=Findings())
    unknown = Findings.of(one for one in failing("checkout") if one.status == "UNKNOWN")
    assert "Data checks passed" in Page(report(clean).render("html").decode()).words
    assert "Data checks 1 unknown" in Page(report(clean, findings=unknown).render("html").decode()).words


@pytest.mark.parametrize(("package", "kind"), [("typst", "pdf"), ("xlsxwriter", "xlsx")])
def test_a_missing_package_names_the_extra_that_brings_it(
    package: str, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtra, match=rf"extra 'report'.*pip install {package}"):
        full().render(kind)
