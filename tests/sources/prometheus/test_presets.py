"""Ready-made queries, asked of a real server that holds an hour of each exporter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from capacity.errors import InputError
from capacity.sources.base import Span
from capacity.sources.prometheus import PRESETS, Prometheus, Query, preset
from tests.sources.prometheus import exporters, month
from tests.sources.prometheus.server import Server

pytestmark = pytest.mark.xdist_group("prometheus")

#: The hour, without its first minutes: a rate needs four scrapes.
HOUR = Span(exporters.START + pd.Timedelta("5min"), exporters.START + pd.Timedelta("1h"))


def said(server: Server, query: Query, span: Span = HOUR) -> pd.DataFrame:
    """Rows with plain text."""
    frame = Prometheus(server.url, (query,), clock=lambda: month.NOW).read(span).frame
    return frame.astype({"service": "str", "metric": "str", "stat": "str"})


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("step", [15, 60])
def test_every_ready_made_query_says_what_the_exporter_exposed(server: Server, name: str, step: int) -> None:
    rows = said(server, preset(name, step=step))
    assert set(rows["metric"]) == {PRESETS[name].metric}
    assert set(rows["stat"]) == {PRESETS[name].stat}
    expected = exporters.EXPECTED[name]
    assert sorted(rows["service"].unique()) == sorted(expected)
    for service, value in expected.items():
        found = rows.loc[rows["service"] == service, "value"].to_numpy()
        np.testing.assert_allclose(found, np.full(55 * 60 // step, value), rtol=1e-6)


def test_labels_of_ones_own_and_further_matchers(server: Server) -> None:
    query = preset("http-requests", service_label="app", match='stage="live"')
    assert query.text == 'sum by (app) (rate(http_requests_total{stage="live"}[60s]))'
    ours = Query("requests", query.promql.replace("http_requests_total", "app_requests_total"), service_label="app")
    rows = said(server, ours)
    assert set(rows["service"]) == {"shop"}
    np.testing.assert_allclose(rows["value"], 7)


def test_one_name_for_all_that_is_counted(server: Server) -> None:
    for name, value in (("nginx-requests", 11.0), ("ecs-tasks", 3.0), ("nginx-p95", exporters.LATENCY["p95"])):
        rows = said(server, preset(name, service="shop"))
        assert set(rows["service"]) == {"shop"}
        np.testing.assert_allclose(rows["value"], value)


def test_errors_by_a_label_that_no_series_has_are_no_zeros(server: Server) -> None:
    seen = Prometheus(server.url, (preset("http-errors", labels={"code": "status"}),), clock=lambda: month.NOW)
    found = seen.read(HOUR)
    assert len(found) == 0
    assert [finding.check for finding in found.findings] == ["empty"]
    assert "another name of the metric or label" in found.findings.items[0].advice


def test_scrapes_every_minute_are_looked_for_over_four(server: Server) -> None:
    assert "[240s]" in preset("http-requests", scrape=60).text
    assert preset("cadvisor-memory", step=15, scrape=60).text.endswith("[15s:15s])")
    assert set(said(server, preset("ecs-tasks", step=15, scrape=60))["value"]) == {1.0, 2.0}


def test_a_gauge_is_not_repeated_past_two_scrapes(server: Server) -> None:
    after = Span(HOUR.end, HOUR.end + pd.Timedelta("10min"))
    rows = said(server, preset("cadvisor-memory", step=15), after)
    assert rows["timestamp"].max() <= HOUR.end + pd.Timedelta("30s")  # the last scrape was at the full hour


def test_what_is_not_there_is_told_by_name() -> None:
    with pytest.raises(InputError, match=r"no ready-made query 'htttp-requests'\nThere are: cadvisor-cpu,"):
        preset("htttp-requests")
    with pytest.raises(InputError, match="has no label 'status'"):
        preset("http-errors", labels={"status": "code"})
