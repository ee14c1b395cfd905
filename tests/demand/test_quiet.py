"""No request count while tasks ran is no request; no request count for any other reason stays a gap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from capacity.demand import estimate_demand
from capacity.history import History, Store, read
from capacity.sources import Observations, Span
from capacity.sources.coverage import Asked, Coverage

MINUTES = pd.date_range("2026-08-03", periods=240, freq="min", tz="UTC")


SHOP = "cloudwatch:eu-west-1/shop"
ALL = Span(MINUTES[0], MINUTES[-1] + pd.Timedelta("1min"))


def history(asked: np.ndarray, ran: np.ndarray, source: str = SHOP, answered: Sequence[Span] = (ALL,)) -> History:
    """Requests of 10/s in the minutes `asked`, two tasks in the minutes `ran`; and for which times it was answered."""
    parts = [
        pd.DataFrame({"timestamp": MINUTES[asked], "metric": "requests", "value": 10.0}),
        pd.DataFrame({"timestamp": MINUTES[ran], "metric": "running_tasks", "value": 2.0}),
    ]
    rows = pd.concat(parts).assign(service="web", stat="mean", interval=60, source=source, fetched_at=MINUTES[-1])
    series = Asked(source, "web", "requests", "mean", 60)
    return replace(read(rows), answered=Coverage.of((series, span) for span in answered))


def every(step: int) -> np.ndarray:
    return np.arange(len(MINUTES)) % step == 0


def test_a_service_asked_every_fourth_minute_carries_a_quarter_of_the_load() -> None:
    asked = every(4)
    asked[-1] = True
    demand = estimate_demand(history(asked, np.ones(len(MINUTES), dtype=bool)), interval="1h")
    assert demand.values[0][:3].tolist() == [2.5, 2.5, 2.5]
    assert demand.peaks[0][0] == 10.0
    (finding,) = [found for found in demand.findings if found.check == "quiet"]
    assert (finding.status, finding.count) == ("PASS", int((~asked).sum()))


def test_without_running_tasks_the_minutes_stay_gaps() -> None:
    asked, ran = every(2), every(2)
    demand = estimate_demand(history(asked, ran))
    assert np.isnan(demand.values[0][1::2][:-1]).all()
    assert not [found for found in demand.findings if found.check == "quiet"]


def test_before_the_first_and_after_the_last_request_nothing_is_known() -> None:
    asked = np.zeros(len(MINUTES), dtype=bool)
    asked[60:120:2] = True
    demand = estimate_demand(history(asked, np.ones(len(MINUTES), dtype=bool)))
    requests = pd.Series(demand.values[[key.metric for key in demand.keys].index("requests")], demand.times)
    assert requests[MINUTES[61]] == 0.0
    assert requests.reindex(MINUTES[:60]).isna().all()
    assert requests.reindex(MINUTES[120:]).isna().all()


def test_a_gap_of_any_other_source_is_a_gap() -> None:
    demand = estimate_demand(history(every(2), np.ones(len(MINUTES), dtype=bool), source="files:usage.csv"))
    assert np.isnan(demand.values[0][1::2][:-1]).all()


def test_requests_that_were_not_fetched_yet_are_a_gap_and_no_zero() -> None:
    """A pull that broke off may have brought the tasks of an hour and not its requests."""
    asked, hour = every(2), slice(60, 120)
    asked[hour] = False
    fetched = (Span(MINUTES[0], MINUTES[60]), Span(MINUTES[120], ALL.end))
    demand = estimate_demand(history(asked, np.ones(len(MINUTES), dtype=bool), answered=fetched))
    requests = demand.values[[key.metric for key in demand.keys].index("requests")]
    assert np.isnan(requests[hour]).all()
    assert (requests[1:60:2] == 0).all()
    (finding,) = [found for found in demand.findings if found.check == "quiet"]
    assert finding.count == 30 + 59


def test_without_a_word_of_what_was_answered_nothing_is_taken_for_zero() -> None:
    demand = estimate_demand(history(every(2), np.ones(len(MINUTES), dtype=bool), answered=()))
    assert np.isnan(demand.values[0][1::2][:-1]).all()


def test_a_store_knows_what_was_answered(tmp_path: Path) -> None:
    given = history(every(2), np.ones(len(MINUTES), dtype=bool))
    store = Store(tmp_path / "store")
    store.append(Observations(given.frame, SHOP), given.answered)
    for kept in (store.history(), read(tmp_path / "store"), read(tmp_path / "store").select(services="web")):
        assert dict(kept.answered.spans) == dict(given.answered.spans)
        assert (estimate_demand(kept).values[0][1::2][:-1] == 0).all()
