"""Gatling's own statistics, in each of the forms that its releases left."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from capacity.errors import InputError
from tests.loadtest.readers.reading import DATA, checks, claimants, read_summary, written

OWN = DATA / "gatling"

#: A row of the table as 3.14 and later write it: names in a span, figures in numbered columns.
ROW = (
    '<tr id="{key}" data-parent="{parent}"><td class="total col-1"><div><span id="{key}" class="expand-button">&nbsp;'
    '</span><a href="x.html"><span class="ellipsed-name">{name}</span></a><span class="value">0</span></div></td>'
    '<td class="value total col-2">{total}</td><td class="value ok col-3">{ok}</td><td class="value ko col-4">{ko}</td>'
    '<td class="value ko col-5">9%</td><td class="value total col-6">{rate}</td><td class="value total col-7">3</td>'
    '<td class="value total col-8">29</td><td class="value total col-9">50</td><td class="value total col-10">105</td>'
    '<td class="value total col-11">152</td><td class="value total col-12">292</td>'
    '<td class="value total col-13">39</td><td class="value total col-14">31</td></tr>'
)


def page(*rows: str, ranks: tuple[str, ...] = ("50th", "75th", "95th", "99th")) -> str:
    """A report page: the root in one table, the others in a second, and a table of errors that is neither."""
    header = "".join(
        f'<th id="col-{8 + i}" class="header sortable"><span>{rank} pct</span></th>\n' for i, rank in enumerate(ranks)
    )
    return (
        "\n<!DOCTYPE html><html><head><title>Gatling Stats - Global Information</title></head><body>"
        '<table id="container_assertions"><tr><td class="error-col-1 ok total">count is 102.0<span class="value">0'
        '</span></td></tr></table><table id="container_statistics_head"><thead><tr><th id="col-2"><span>All'
        f"</span></th>{header}</tr></thead>{rows[0]}</table>"
        f'<table id="container_statistics_body"><tbody>{"".join(rows[1:])}</tbody></table>'
        '<table id="container_errors"><tr><td class="error-col-2 value ok total">7</td></tr></table>'
        "<script>'<tr id=\"' + request.pathFormatted + '\">'</script></body></html>"
    )


def test_stats_json_and_stats_js_tell_the_same_table() -> None:
    """One has numbers, the other text and unquoted keys; its rates are rounded to three decimals."""
    first, findings = read_summary(OWN / "own-3.5.0-stats.json")
    second, _ = read_summary(OWN / "own-3.5.0-stats.js")
    assert first.labels.index.tolist() == ["api", "api / GET /x", "GET /fail", "Total"]
    assert first.labels.index.name == "label"
    np.testing.assert_allclose(first.labels, second.labels, atol=5e-4)
    assert set(checks(findings)) == {"percentile ranks", "failures in percentiles"}


def test_the_total_is_the_root_and_not_a_sum_over_groups_and_requests() -> None:
    summary, findings = read_summary(OWN / "own-3.5.0-stats.json")
    total = summary.labels.loc["Total"]
    assert (total["samples"], total["errors"], total["p95_ms"]) == (9_796, 890, 102)
    assert np.isnan(total["p90_ms"])  # 75 is there, 90 is not
    assert total["throughput_per_s"] == pytest.approx(128.895, abs=1e-3)
    assert any("p95 105 ms" in finding.message for finding in findings)  # of successes alone


def test_global_stats_json_is_the_total_alone() -> None:
    alone, _ = read_summary(OWN / "own-3.5.0-global_stats.json")
    whole, _ = read_summary(OWN / "own-3.5.0-stats.json")
    assert alone.labels.index.tolist() == ["Total"]
    np.testing.assert_array_equal(alone.labels.loc["Total"], whole.labels.loc["Total"])


def test_groups_in_groups_are_labelled_by_their_path(tmp_path: Path) -> None:
    tree = json.loads((OWN / "own-3.5.0-stats.json").read_text())
    key = next(iter(tree["contents"]))
    inner = {key: tree["contents"][key]}
    tree["contents"] = {"outer": {"type": "GROUP", "name": "shop", "stats": tree["stats"], "contents": inner}}
    summary, _ = read_summary(written(tmp_path, json.dumps(tree)))
    assert summary.labels.index.tolist() == ["shop", "shop / api", "shop / api / GET /x", "Total"]


def test_nothing_asked_is_no_time_of_zero(tmp_path: Path) -> None:
    tree = json.loads((OWN / "own-3.5.0-stats.json").read_text())
    (fail,) = (node for node in tree["contents"].values() if node["name"] == "GET /fail")
    for figure in fail["stats"].values():
        if isinstance(figure, dict) and "total" in figure:
            figure.update(total=0, ok=0, ko=0)
    summary, _ = read_summary(written(tmp_path, json.dumps(tree)))
    row = summary.labels.loc["GET /fail"]
    assert row["samples"] == 0
    assert row[["mean_ms", "p50_ms", "p95_ms", "min_ms", "throughput_per_s"]].isna().all()


def test_the_first_releases_have_two_percentiles_and_the_commas_of_their_locale(tmp_path: Path) -> None:
    """2.0 wrote `percentiles1` and `percentiles2`, 95 and 99, and rates such as "82,39"."""
    figures = {
        "name": "Global Information",
        "numberOfRequests": {"total": "11000", "ok": "10822", "ko": "178"},
        "minResponseTime": {"total": "27", "ok": "27", "ko": "6015"},
        "maxResponseTime": {"total": "63264", "ok": "63264", "ko": "63264"},
        "meanResponseTime": {"total": "3855", "ok": "2885", "ko": "62818"},
        "percentiles1": {"total": "18627", "ok": "14605", "ko": "63197"},
        "percentiles2": {"total": "63128", "ok": "33661", "ko": "-"},
        "meanNumberOfRequestsPerSecond": {"total": "82,39", "ok": "81,06", "ko": "1,33"},
    }
    text = f'var stats = {{\n    type: "GROUP",\nname: "{{name: all, type: any}}",\nstats: {json.dumps(figures)}\n}}\n'
    summary, findings = read_summary(written(tmp_path, text))
    total = summary.labels.loc["Total"]
    assert (total["p95_ms"], total["p99_ms"], total["throughput_per_s"]) == (18_627, 63_128, 82.39)
    assert np.isnan(total["p50_ms"])
    assert any("95 and 99" in finding.message for finding in findings)


@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_statistics_that_break_off_are_refused(kept: float, tmp_path: Path) -> None:
    text = (OWN / "own-3.5.0-stats.json").read_text()
    with pytest.raises(InputError, match="break off"):
        read_summary(written(tmp_path, text[: int(len(text) * kept)]))


def test_the_page_of_newer_releases_tells_what_stats_json_told(tmp_path: Path) -> None:
    root = ROW.format(key="ROOT", parent="", name="All Requests", total="9,796", ok=8906, ko=890, rate="128.89")
    api = ROW.format(key="g1", parent="ROOT", name="api &amp; more", total=8906, ok=8906, ko=0, rate="117.18")
    get = ROW.format(key="r1", parent="g1", name="GET /x", total=8906, ok=8906, ko=0, rate="117.18")
    summary, findings = read_summary(written(tmp_path, page(root, api, get), "index.html"))
    assert summary.labels.index.tolist() == ["api & more", "api & more / GET /x", "Total"]
    total = summary.labels.loc["Total"]
    assert (total["samples"], total["errors"], total["throughput_per_s"]) == (9_796, 890, 128.89)
    times = ["min_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms", "mean_ms"]
    assert summary.labels[times].drop_duplicates().to_numpy().tolist() == [[3, 29, 105, 152, 292, 39]]
    assert summary.labels["p90_ms"].isna().all()
    assert set(checks(findings)) == {"failures in percentiles"}


def test_the_header_of_the_page_says_which_percentiles_it_holds(tmp_path: Path) -> None:
    root = ROW.format(key="ROOT", parent="", name="All Requests", total=10, ok=10, ko=0, rate="1")
    other, findings = read_summary(written(tmp_path, page(root, ranks=("50th", "90th", "91st", "99th"))))
    assert other.labels.loc["Total", ["p50_ms", "p90_ms", "p99_ms"]].tolist() == [29, 50, 152]
    assert np.isnan(other.labels.loc["Total", "p95_ms"])
    assert findings == []
    silent, findings = read_summary(written(tmp_path, page(root, ranks=())))
    assert silent.labels.loc["Total", ["p50_ms", "p95_ms", "p99_ms"]].tolist() == [29, 105, 152]
    assert checks(findings) == {"percentile ranks": 0}


def test_a_page_whose_table_a_script_fills_in_is_refused_with_the_file_to_bring(tmp_path: Path) -> None:
    path = written(tmp_path, page("", ""), "index.html")
    with pytest.raises(InputError, match=r"without a table(.|\n)*stats\.js"):
        read_summary(path)


def test_other_pages_and_other_json_are_not_gatlings(tmp_path: Path) -> None:
    for text in (
        "<!doctype html><html><title>Apache JMeter Dashboard</title></html>",
        "{}",
        '{"stats": 1}',
        "var x = 1",
    ):
        assert claimants(written(tmp_path, text)) == []
