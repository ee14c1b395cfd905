"""Answers of every kind, from a server that does what a healthy one does not."""

from __future__ import annotations

from email.utils import format_datetime
from typing import Any

import pandas as pd
import pytest

from capacity.errors import InputError, SourceChanged
from capacity.sources.base import Span
from capacity.sources.coverage import Coverage
from capacity.sources.prometheus import Query
from tests.sources.prometheus.asking import HOUR, REQUESTS, START, asking, only, remarks, values
from tests.sources.prometheus.fake import Asked, Reply, error, matrix, series, serving


def web(asked: Asked, **more: Any) -> Reply:
    return matrix(series(asked, service="web"), **more)


def test_values_are_stamped_by_the_start_of_the_step_they_tell_of() -> None:
    with serving(web) as fake:
        batch = only(asking(fake))
    frame = batch.observations.frame
    ends = frame["timestamp"] + pd.Timedelta("1min")
    assert (ends.array.asi8 // 1_000_000 == frame["value"]).all()
    assert (frame["timestamp"].min(), frame["timestamp"].max()) == (HOUR.start, HOUR.end - pd.Timedelta("1min"))
    assert fake.asked[0].path == "/api/v1/query_range"
    assert fake.asked[0].form["query"] == REQUESTS.text


def test_nan_and_infinity_are_gaps_and_are_counted() -> None:
    def broken(stamp: int) -> str:
        return {1: "NaN", 2: "+Inf", 3: "-Inf"}.get(stamp // 60 % 10, "5")

    with serving(lambda asked: matrix(series(asked, broken, service="web"))) as fake:
        found = only(asking(fake)).observations
    assert values(found) == {"web": 60 - 18}
    assert remarks(found) == [("not a number", "REVIEW", 18)]


def test_findings_are_counted_over_all_parts_and_told_once() -> None:
    with serving(lambda asked: matrix(series(asked, lambda stamp: "NaN", service="web"))) as fake:
        batches = list(asking(fake, max_points=7).pull(HOUR))
    assert len(batches) == 9
    told = [remarks(batch.observations) for batch in batches]
    assert told == [[]] * 8 + [[("empty", "UNKNOWN", 0), ("not a number", "REVIEW", 60)]]
    (nan,) = (finding for finding in batches[-1].observations.findings if finding.check == "not a number")
    assert (nan.start, nan.end) == HOUR


@pytest.mark.parametrize(
    ("more", "check"),
    [
        ({"warnings": ["No StoreAPIs matched for this query"]}, "partial"),  # Thanos
        ({"isPartial": True}, "partial"),  # VictoriaMetrics
    ],
)
def test_what_may_not_be_all_is_kept_and_asked_for_again(more: dict[str, Any], check: str) -> None:
    with serving(lambda asked: web(asked, **more)) as fake:
        batch = only(asking(fake))
    assert values(batch.observations) == {"web": 60}
    assert remarks(batch.observations) == [(check, "REVIEW", 60)]
    assert len(batch.covered) == 0


def test_a_remark_about_the_query_is_told_and_does_not_make_it_incomplete() -> None:
    said = 'PromQL info: metric might not be a counter: "rps"'
    with serving(lambda asked: web(asked, infos=[said])) as fake:
        batch = only(asking(fake))
    assert [said in finding.message for finding in batch.observations.findings] == [True]
    assert [span for _, span in batch.covered] == [HOUR]


def test_two_series_of_one_service_are_not_chosen_from() -> None:
    def pods(asked: Asked) -> Reply:
        return matrix(series(asked, service="web", pod="a"), series(asked, service="web", pod="b"))

    with serving(pods) as fake, pytest.raises(InputError) as caught:
        asking(fake).read(HOUR)
    message = str(caught.value)
    assert '{pod="a", service="web"}' in message
    assert '{pod="b", service="web"}' in message
    assert "sum by (service) (...)" in message


def test_a_series_without_the_label_is_left_out_and_told() -> None:
    def some(asked: Asked) -> Reply:
        return matrix(series(asked, job="web"), series(asked, job="api"), series(asked, service="web"))

    with serving(some) as fake:
        found = only(asking(fake)).observations
        named = only(asking(fake, Query("cpu", "x", service_label="job"))).observations
        with pytest.raises(InputError, match=r"several series of service 'shop'(.|\n)*sum\(\.\.\.\)"):
            asking(fake, Query("cpu", "x", service="shop")).read(HOUR)
    assert values(found) == {"web": 60}
    assert remarks(found) == [("labels", "REVIEW", 2)]
    assert "service_label" in str(next(iter(found.findings)))
    assert values(named) == {"api": 60, "web": 60}


def test_a_fixed_service_needs_no_label() -> None:
    with serving(lambda asked: matrix(series(asked))) as fake:
        found = only(asking(fake, Query("cpu", "sum(x)", service="shop"))).observations
    assert values(found) == {"shop": 60}


def test_native_histograms_are_told_and_not_read() -> None:
    histogram = {"metric": {"service": "api"}, "histograms": [[1754179260, {"count": "3", "sum": "4", "buckets": []}]]}
    with serving(lambda asked: matrix(series(asked, service="web"), histogram)) as fake:
        found = only(asking(fake)).observations
    assert values(found) == {"web": 60}
    assert [(finding.service, finding.check) for finding in found.findings] == [("api", "histograms")]


def test_a_name_that_a_terminal_would_obey_is_left_out() -> None:
    with serving(lambda asked: matrix(series(asked, service="web\x1b[2J"), series(asked, service="web"))) as fake:
        found = only(asking(fake)).observations
    assert values(found) == {"web": 60}
    assert remarks(found) == [("names", "REVIEW", 60)]
    assert "\x1b" not in str(next(iter(found.findings)))


def test_values_are_converted_and_what_needs_no_conversion_is_exact() -> None:
    with serving(lambda asked: matrix(series(asked, lambda stamp: "0.1", service="web"))) as fake:
        found = {
            unit: set(only(asking(fake, Query("latency", "x", "p95", unit=unit))).observations.frame["value"])
            for unit in ("", "ms")
        }
    assert found == {"": {0.1}, "ms": {0.1 * 1e-3}}


def test_no_value_at_all_is_not_evidence_of_nothing() -> None:
    with serving(lambda asked: matrix()) as fake:
        batch = only(asking(fake))
    assert remarks(batch.observations) == [("empty", "UNKNOWN", 0)]
    assert "scrape_interval" in str(next(iter(batch.observations.findings)))
    assert [span for _, span in batch.covered] == [HOUR]


def test_a_rate_that_needs_more_than_its_step_says_so() -> None:
    with serving(web) as fake:
        found = only(asking(fake, Query("requests", "rate(x[$__rate_interval])", step=15))).observations
    assert remarks(found) == [("smoothing", "PASS", 0)]
    assert fake.asked[0].form["query"] == "rate(x[60s])"


@pytest.mark.parametrize(
    "change",
    [
        lambda asked: [[stamp + 7, "1"] for stamp in asked.stamps],  # off the grid
        lambda asked: [[stamp - 3600, "1"] for stamp in asked.stamps],  # outside
        lambda asked: [[stamp, "1"] for stamp in reversed(asked.stamps)],
        lambda asked: [[stamp, "one"] for stamp in asked.stamps],
        lambda asked: [[stamp] for stamp in asked.stamps],
        lambda asked: {"stamps": "none"},
    ],
)
def test_an_answer_of_another_form_is_refused(change: Any) -> None:
    with (
        serving(lambda asked: matrix({"metric": {"service": "web"}, "values": change(asked)})) as fake,
        pytest.raises(SourceChanged, match="requests"),
    ):
        asking(fake).read(HOUR)


@pytest.mark.parametrize("body", [{"status": "success"}, {"status": "success", "data": []}, [1], {}, b"", b"\xff"])
def test_json_that_is_no_answer_is_refused(body: Any) -> None:
    with serving(lambda asked: Reply(body)) as fake, pytest.raises(SourceChanged, match=r"documented form|the matrix"):
        asking(fake).read(HOUR)


def test_two_queries_of_one_series_are_not_chosen_from() -> None:
    other = Query("requests", "sum by (service) (rate(other[1m]))")
    with serving(web) as fake, pytest.raises(InputError, match="two queries tell of web requests") as caught:
        asking(fake, REQUESTS, other).read(HOUR)
    assert other.text in str(caught.value)


def test_only_what_is_not_covered_is_asked_for_and_a_changed_query_is_asked_anew() -> None:
    with serving(web) as fake:
        source = asking(fake)
        known = only(source).covered
        assert source.outlay(HOUR, known).calls == {}
        assert list(source.pull(HOUR, known)) == []
        longer = Span(HOUR.start - pd.Timedelta("90s"), HOUR.end + pd.Timedelta("150s"))
        before, after = source.pull(longer, known)
        assert values(before.observations) == {"web": 1}
        assert values(after.observations) == {"web": 3}
        for changed in (
            asking(fake, Query("requests", "sum by (service) (rate(other[1m]))")),
            asking(fake, Query("requests", REQUESTS.text, unit="requests/min")),
            asking(fake, headers={"X-Scope-OrgID": "other"}),
        ):
            assert changed.outlay(HOUR, known).total == 1


def test_what_is_young_is_stored_and_read_again() -> None:
    with serving(web) as fake:
        batch = only(asking(fake, clock=lambda: START + pd.Timedelta("30min30s"), settle=600.0))
    assert values(batch.observations) == {"web": 30}
    assert [span for _, span in batch.covered] == [Span(START, START + pd.Timedelta("20min"))]
    assert isinstance(batch.covered, Coverage)


def test_what_the_server_calls_the_future_is_no_gap() -> None:
    """Our clock is 20 minutes ahead of the server's."""
    date = format_datetime((HOUR.end - pd.Timedelta("20min")).to_pydatetime(), usegmt=True)
    with serving(lambda asked: Reply(web(asked).body, headers={"Date": date})) as fake:
        batch = only(asking(fake, clock=lambda: HOUR.end))
    assert [span for _, span in batch.covered] == [Span(START, HOUR.end - pd.Timedelta("25min"))]
    assert remarks(batch.observations) == [("clock", "REVIEW", 0)]
    assert "1,200 s ahead" in str(next(iter(batch.observations.findings)))


def test_a_limit_met_on_the_way_makes_the_parts_smaller_and_loses_nothing() -> None:
    def small(asked: Asked) -> Reply:
        if len(asked.stamps) > 16:
            return error(422, "execution", "query processing would load too many samples into memory")
        return web(asked)

    with serving(small) as fake:
        source = asking(fake)
        found = source.read(HOUR)
    assert values(found) == {"web": 60}
    assert [len(asked.stamps) for asked in fake.asked] == [60, 30, 15, 15, 15, 15]
    assert source.spent.calls == {"query_range": 6}
    assert source.spent.least == {"query_range": 1}


def test_an_answer_too_long_to_hold_is_asked_for_in_parts() -> None:
    def long(asked: Asked) -> Reply:
        return web(asked, **({"padding": " " * 17 * 1024 * 1024} if len(asked.stamps) > 30 else {}))

    with serving(long) as fake:
        assert values(asking(fake).read(HOUR)) == {"web": 60}
    assert [len(asked.stamps) for asked in fake.asked] == [60, 30, 30]


def test_what_is_too_much_even_for_one_point_is_told() -> None:
    with serving(lambda asked: error(422, "execution", "exceeded the limit of series")) as fake:
        with pytest.raises(InputError, match="even one point of this") as caught:
            asking(fake).read(HOUR)
        assert [len(asked.stamps) for asked in fake.asked] == [60, 30, 15, 8, 4, 2, 1]
    assert REQUESTS.text in str(caught.value)
