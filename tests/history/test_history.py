"""`History`: one series at a time, on its grid, with its gaps."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from capacity import charts
from capacity.errors import CapacityError, HistoryError, HistoryHasGaps, InputError
from capacity.history import History, check_quality, read
from capacity.sources import Observations, Span
from tests.makers import hourly


def rows(service: str, values: list[float], start: str, interval: str, stat: str = "mean") -> pd.DataFrame:
    stamps = pd.date_range(start, periods=len(values), freq=interval, tz="UTC")
    seconds = int(pd.Timedelta(interval).total_seconds())
    return pd.DataFrame(
        {"service": service, "metric": "cpu", "stat": stat, "interval": seconds, "timestamp": stamps, "value": values}
    )


def history(*parts: pd.DataFrame) -> History:
    return read(pd.concat(parts, ignore_index=True))


def test_a_series_is_on_a_regular_grid_with_its_gaps() -> None:
    part = rows("web", [1, 2, 3, 4, 5], "2026-08-03", "1h").drop(index=[1, 2])
    series = history(part).series("web", "cpu")
    assert series.index.tolist() == hourly(5 / 24).tolist()
    assert series.isna().tolist() == [False, True, True, False, False]
    assert series.dropna().tolist() == [1, 4, 5]
    assert series.index.freq is not None


def test_without_an_interval_the_one_that_reaches_farthest_is_taken() -> None:
    both = history(rows("web", [1.0] * 48, "2026-08-01", "1h"), rows("web", [2.0] * 60, "2026-08-02", "1min"))
    assert both.intervals("web", "cpu") == [pd.Timedelta("1min"), pd.Timedelta("1h")]
    assert set(both.series("web", "cpu")) == {1.0}
    assert set(both.series("web", "cpu", interval="1min")) == {2.0}
    same = history(rows("web", [1.0] * 2, "2026-08-01", "1h"), rows("web", [2.0] * 120, "2026-08-01", "1min"))
    assert set(same.series("web", "cpu")) == {2.0}  # equally long: the finest


def test_hours_and_the_minutes_after_them_are_joined_and_drawn_to_the_end() -> None:
    hours = rows("web", [1, 2, 3], "2026-08-01", "1h")
    minutes = rows("web", [*[4.0] * 60, *[5.0, 7.0] * 30, *[9.0] * 29], "2026-08-01T03:00Z", "1min")
    both = history(hours, minutes)
    assert both.joined("web", "cpu").to_numpy(na_value=-1).tolist() == [1, 2, 3, 4, 6]  # half an hour would do
    assert both.series("web", "cpu").tolist() == [1, 2, 3]
    with pytest.raises(HistoryError, match="no requests"):
        both.joined("web", "requests")
    (drawn,) = both.plot().to_dict()["datasets"].values()
    assert [row["y"] for row in drawn] == [1, 2, 3, 4, 6]


def test_statistics_are_series_of_their_own() -> None:
    both = history(rows("web", [1, 2], "2026-08-01", "1h"), rows("web", [5, 6], "2026-08-01", "1h", stat="max"))
    assert both.series("web", "cpu").tolist() == [1, 2]
    assert both.series("web", "cpu", stat="max").tolist() == [5, 6]


def test_what_there_is_not_is_refused_with_what_there_is() -> None:
    one = history(rows("checkout", [1, 2], "2026-08-01", "1h"))
    with pytest.raises(HistoryError, match="did you mean 'checkout'"):
        one.series("chekout", "cpu")
    with pytest.raises(HistoryError, match=r"there is: cpu \(mean\)"):
        one.series("checkout", "requests")
    with pytest.raises(HistoryError, match="known at intervals of 3600 s, not 60 s"):
        one.series("checkout", "cpu", interval="1min")
    with pytest.raises(InputError, match="unknown metric"):
        one.select(metrics="temperature")


def test_selecting_keeps_rows_and_findings_of_what_was_chosen() -> None:
    all_of_it = history(rows("web", [1, -2, 3], "2026-08-01", "1h"), rows("api", [4, -5, 6], "2026-08-01", "1h"))
    assert {finding.service for finding in all_of_it.findings} == {"web", "api"}
    one = all_of_it.select(services="web", span=Span(pd.Timestamp("2026-08-01T01Z"), pd.Timestamp("2026-08-01T02Z")))
    assert one.frame["value"].tolist() == [-2]
    assert one.services == ["web"]
    assert one.metrics() == ["cpu"]
    assert {finding.service for finding in one.findings} == {"web"}
    assert one.span == Span(pd.Timestamp("2026-08-01T01Z"), pd.Timestamp("2026-08-01T02Z"))


def test_a_history_of_nothing_says_so() -> None:
    nothing = history(rows("web", [1, 2], "2026-08-01", "1h")).select(metrics="requests")
    assert len(nothing) == 0
    assert nothing.services == []
    assert nothing.keys == {}
    assert len(check_quality(nothing)) == 0
    with pytest.raises(HistoryError, match="no rows"):
        _ = nothing.span
    assert "no rows" in nothing._repr_html_()


def test_a_history_shows_itself_without_running_its_names() -> None:
    html = history(rows("<script>", [1, 2], "2026-08-01", "1h"))._repr_html_()
    assert "1 services, 1 series, 2 rows" in html
    assert "<script>" not in html


def test_an_interval_that_cannot_be_right_is_refused_before_memory_is() -> None:
    part = rows("web", [1, 2, 3], "1996-08-01", "1s")
    part.loc[2, "timestamp"] = pd.Timestamp("2026-08-01", tz="UTC")
    with pytest.raises(HistoryHasGaps, match="interval_seconds"):
        history(part).series("web", "cpu")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"value": [1.0, np.inf]}, "not finite"),
        ({"value": [1, 2]}, "value has type int64"),
        ({"timestamp": pd.to_datetime(["2026-08-01T00Z"] * 2).as_unit("us")}, "a key occurs twice"),
        ({"timestamp": pd.to_datetime(["2026-08-02T00Z", "2026-08-01T00Z"]).as_unit("us")}, "not sorted"),
        ({"metric": pd.Categorical(["noise"] * 2)}, "unknown metric 'noise'"),
        ({"interval": np.array([0, 0], dtype="int32")}, "not positive"),
        ({"service": ["web", "web"]}, "service has type"),
    ],
)
def test_the_nouns_check_themselves(change: dict[str, object], words: str) -> None:
    frame = history(rows("web", [1, 2], "2026-08-01", "1h")).frame.assign(**change)
    with pytest.raises(CapacityError, match=words):
        History(frame)
    with pytest.raises(CapacityError, match=words):
        Observations(frame, "test")


def test_plain_text_comes_out_of_to_frame() -> None:
    frame = history(rows("web", [1, 2], "2026-08-01", "1h")).to_frame()
    assert frame["service"].dtype == "str"


def test_a_plot_of_two_intervals_breaks_neither_line() -> None:
    """The value of an hour holds for its minutes; a gap is one in either."""
    quarters = rows("api", [4, 5, 6, 7, 8, 9], "2026-08-01T00:30Z", "15min").drop(index=[2])
    both = history(rows("web", [1, 2, 3], "2026-08-01", "1h").drop(index=[1]), quarters)
    api, web = list(both.plot().to_dict()["datasets"].values())[:2]
    assert [row["y"] for row in web] == [1, 1, 1, None, None, None, None, 3]
    assert [row["y"] for row in api] == [None, 4, 5, None, 7, 8, 9, None]


def test_a_plot_draws_a_line_a_service() -> None:
    both = history(rows("web", [1, 2, 3], "2026-08-01", "1h"), rows("api", [4, 5], "2026-08-01", "1h"))
    picture = charts.to_svg(both.plot())
    assert "web" in picture
    assert "api" in picture
