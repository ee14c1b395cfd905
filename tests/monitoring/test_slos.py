"""Error budgets: the workbook's own numbers, a slow loop beside the fast sums, nothing counted that is not known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import Service
from capacity.config.slo import Slo
from capacity.history import History
from capacity.monitoring.budgets import error_budgets
from capacity.monitoring.minutes import Minutes
from capacity.monitoring.slos import SloStatus, budget_spent, burn_rate_of, judged, slo_status
from tests.monitoring.histories import MONDAY, history_of, together

DAY = 1440
WEB = Service(name="web")
PROMISE = Slo(objective=0.999)
FAST = Slo(kind="latency", objective=0.99, latency_seconds=0.3)
GAP = float("nan")


def seen(service: Service = WEB, **signals: np.ndarray) -> Minutes:
    """Minutes from Monday on; latency is the p95."""
    values = {("latency", "p95") if name == "latency" else name: array for name, array in signals.items()}
    size = len(next(iter(signals.values())))
    return Minutes.of(service, pd.date_range(MONDAY, periods=size, freq="min"), values)


def even(days: float, bad: slice, share: float, requests: float = 100.0) -> Minutes:
    """An even load, of which a share fails in some minutes."""
    errors = np.zeros(round(days * DAY))
    errors[bad] = share * requests
    return seen(requests=np.full(len(errors), requests), errors=errors)


# Source: The Site Reliability Workbook, chapter 5, tables 5-2 and 5-8; an SLO of 99.9 % over 30 days.


@pytest.mark.parametrize(("burn", "minutes", "spent"), [(14.4, 60, 0.02), (6, 360, 0.05), (1, 3 * DAY, 0.10)])
def test_the_workbooks_burn_rates_spend_what_it_says(burn: float, minutes: int, spent: float) -> None:
    assert budget_spent(burn, minutes, 30) == pytest.approx(spent)
    assert burn_rate_of(spent, minutes, 30) == pytest.approx(burn)
    status = slo_status(PROMISE, even(30, slice(-minutes, None), burn * PROMISE.budget))
    name = {60: "1h", 360: "6h", 3 * DAY: "3d"}[minutes]
    assert status.burn[name] == pytest.approx(burn)
    assert status.spent == pytest.approx(spent)


@pytest.mark.parametrize(("burn", "days"), [(1, 30), (2, 15), (10, 3), (1000, 0.03)])
def test_the_workbooks_times_until_a_budget_is_gone(burn: float, days: float) -> None:
    """Table 5-2: at a burn rate of 1 the budget lasts 30 days, at 10 three days, at 1000 43 minutes."""
    minutes = round(days * DAY)  # 43 of 43.2
    status = slo_status(PROMISE, even(33, slice(-minutes, None), burn * PROMISE.budget))
    assert status.spent == pytest.approx(1.0, rel=0.005)


def test_three_nines_allow_43_minutes_of_full_outage_in_30_days() -> None:
    assert slo_status(PROMISE, even(30, slice(100, 143), 1.0)).status != "FAIL"
    assert slo_status(PROMISE, even(30, slice(100, 144), 1.0)).status == "FAIL"


# The sums.


def minute_values(size: int) -> st.SearchStrategy[list[float]]:
    return st.lists(st.sampled_from([0.0, 1.0, 3.0, 250.0, GAP]), min_size=size, max_size=size)


@settings(max_examples=40)
@given(requests=minute_values(40), errors=minute_values(40), latency=minute_values(40), size=st.integers(1, 40))
def test_each_minute_counts_once_or_not_at_all(
    requests: list[float], errors: list[float], latency: list[float], size: int
) -> None:
    """A slow loop over the minutes, by the words of the documentation."""
    minutes = seen(requests=np.array(requests), errors=np.array(errors), latency=np.array(latency) / 1000)
    for slo in (PROMISE, Slo(kind="latency", objective=0.9, latency_seconds=0.1)):
        total = bad = known = quiet = 0.0
        for asked, failed, slow in zip(requests[:size], errors[:size], latency[:size], strict=True):
            if slo.kind == "availability":
                if asked == 0:
                    known, quiet = known + 1, quiet + 1
                elif not np.isnan(asked) and not np.isnan(failed):
                    known, total, bad = known + 1, total + 60 * asked, bad + 60 * min(failed, asked)
            elif not np.isnan(slow):
                known, total, bad = known + 1, total + 1, bad + (slow / 1000 > 0.1)
            elif asked == 0:
                known, quiet = known + 1, quiet + 1
        status = slo_status(slo, minutes, minutes.times[0] + pd.Timedelta(minutes=size))
        assert (status.total, status.bad) == pytest.approx((total, bad))
        assert (status.known_minutes, status.quiet_minutes) == (known, quiet)
        assert status.known_minutes + status.unknown_minutes == slo.window_days * DAY
        assert status.good == pytest.approx(1 - bad / total if total else GAP, nan_ok=True)
        assert status.spent == pytest.approx(bad / total / slo.budget if total else GAP, nan_ok=True)


def test_only_the_window_counts() -> None:
    day = Slo(objective=0.9, window_days=1)
    minutes = even(3, slice(DAY, 2 * DAY), 0.05)
    spent = [slo_status(day, minutes, MONDAY + pd.Timedelta(days=days)).spent for days in (1, 1.5, 2, 2.5, 3)]
    assert spent == pytest.approx([0, 0.25, 0.5, 0.25, 0])


def test_budget_left_over_time_is_what_each_hour_would_have_been_told() -> None:
    day = Slo(objective=0.9, window_days=1)
    rng = np.random.default_rng(3)
    requests = rng.uniform(1, 9, 3 * DAY)
    minutes = seen(requests=requests, errors=requests * rng.uniform(0, 0.2, 3 * DAY))
    left = slo_status(day, minutes).left
    assert len(left) == 24
    for stamp, value in left.iloc[::7].items():
        assert value == pytest.approx(1 - slo_status(day, minutes, stamp).spent)


@settings(max_examples=25)
@given(st.integers(0, 2**32 - 1), st.floats(0.2, 3.0), st.floats(0.0, 0.9))
def test_a_budget_is_gone_when_a_walk_into_the_future_says_so(seed: int, burn: float, before: float) -> None:
    """Minute by minute: the oldest leaves the window, one at the present burn comes."""
    slo = Slo(objective=0.9, window_days=2)
    rng = np.random.default_rng(seed)
    size, start = 2 * DAY, int(rng.integers(0, DAY))
    share = np.full(4 * DAY, burn * slo.budget)
    share[-size : -size + start] = before * slo.budget
    minutes = seen(requests=np.full(len(share), 10.0), errors=10.0 * share)
    status = slo_status(slo, minutes)
    if status.spent >= 1:
        assert status.status == "FAIL"
        assert status.gone_at <= status.at
        return
    coming = status.burn["3d"] * slo.budget
    window, walked = list(share[-size:]), pd.NaT
    spent = sum(window)
    for step in range(size):
        spent += coming - window[step]
        if spent / size >= slo.budget * (1 - 1e-12):
            walked = status.at + pd.Timedelta(minutes=step + 1)
            break
    if pd.isna(walked):
        assert pd.isna(status.gone_at)
    else:
        assert abs(status.gone_at - walked) <= pd.Timedelta(minutes=1)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=5))
@settings(max_examples=20)
def test_more_errors_never_leave_more_of_a_budget(shares: list[float]) -> None:
    spent = [slo_status(PROMISE, even(1, slice(0, 60), share)).spent for share in sorted(shares)]
    assert all(one <= other for one, other in pairwise(spent))


# What is not known.


def test_silence_is_neither_good_nor_bad_and_is_said() -> None:
    requests, errors = np.full(30 * DAY, 10.0), np.zeros(30 * DAY)
    errors[:DAY] = 0.005  # half of a budget a day, in 27 days that are known
    requests[-3 * DAY :] = GAP
    status = slo_status(PROMISE, seen(requests=requests, errors=errors))
    assert status.spent == pytest.approx(0.5 / 27)
    assert status.unknown_minutes == 3 * DAY
    assert all(np.isnan(status.burn[name]) for name in ("5m", "30m", "1h", "6h", "3d"))
    assert status.status == "PASS"
    assert str(status).endswith("; of 4,320 minutes nothing is known.")


def test_when_much_is_not_known_a_promise_that_holds_is_one_to_look_at() -> None:
    requests = np.full(30 * DAY, 10.0)
    requests[: 10 * DAY] = GAP
    status = slo_status(PROMISE, seen(requests=requests, errors=np.zeros(30 * DAY)))
    assert status.status == "REVIEW"


def test_nothing_known_is_no_promise_kept() -> None:
    status = slo_status(PROMISE, seen(latency=np.full(DAY, 0.1)))
    assert status.status == "UNKNOWN"
    assert np.isnan(status.good)
    assert pd.isna(status.gone_at)
    assert str(status) == "web availability: nothing is known of 99.9 % promised over 30 days."


def test_where_nobody_asked_nothing_is_missing() -> None:
    none = history_of({("requests", "mean", 60): np.zeros(1440), ("errors", "mean", 60): np.zeros(1440)})
    found = error_budgets(none, [Service(name="web", slo=(Slo(window_days=1),))])
    assert str(found) == "UNKNOWN web availability: nobody made a request to keep 99.9 % promised over 1 day."
    assert [one.message for one in found.findings] == ["availability: nobody made a request in the 1 day of its window"]


def test_a_night_without_a_request_spends_nothing_and_is_known() -> None:
    requests, latency = np.full(2 * DAY, 5.0), np.full(2 * DAY, 0.1)
    requests[DAY:] = 0
    latency[DAY:] = GAP
    for slo in (PROMISE, FAST):
        status = slo_status(slo, seen(requests=requests, errors=np.zeros(2 * DAY), latency=latency))
        assert (status.known_minutes, status.quiet_minutes) == (2 * DAY, DAY)
        assert status.good == 1


def test_an_hourly_value_says_nothing_about_the_last_five_minutes() -> None:
    hours = history_of({("requests", "mean", 3600): [10.0] * 96, ("errors", "mean", 3600): [0.02] * 96})
    (status,) = error_budgets(hours, [WEB.model_copy(update={"slo": (PROMISE,)})])
    assert np.isnan(status.burn["5m"]) and np.isnan(status.burn["30m"])
    assert [status.burn[name] for name in ("1h", "6h", "3d")] == pytest.approx([2, 2, 2])
    assert status.seconds == 3600


def test_the_errors_of_an_hour_may_exceed_the_requests_of_one_of_its_minutes() -> None:
    minutes = np.where(np.arange(60) < 30, 1.0, 19.0)  # ten a second, of which every second one failed
    history = history_of({("requests", "mean", 60): minutes, ("errors", "mean", 3600): [5.0]})
    found = judged(PROMISE, Minutes.of_history(history, WEB))
    assert found.bad.sum() / found.total.sum() == pytest.approx(0.5)


# Of a fleet.


def fleet() -> tuple[list[Service], History]:
    slow = np.full(4 * DAY, 0.2)
    slow[-6 * 60 :] = 0.9
    parts = [
        history_of({("requests", "mean", 60): np.full(4 * DAY, 9.0), ("latency", "p95", 60): slow}, "slow"),
        history_of(
            {("requests", "mean", 60): np.full(4 * DAY, 9.0), ("errors", "mean", 60): np.zeros(4 * DAY)}, "good"
        ),
        history_of({("requests", "mean", 60): np.full(DAY, 9.0)}, "silent"),
        history_of({("cpu_utilization", "mean", 60): np.full(DAY, 9.0)}, "worker"),
    ]
    week = Slo(objective=0.999, window_days=7)
    services = [
        Service(name="good", slo=(week,)),
        Service(name="slow", slo=(FAST.model_copy(update={"window_days": 7}),)),
        Service(name="silent", slo=(week,)),
        Service(name="unpromised"),
        Service(name="worker"),
    ]
    return services, together(*parts, history_of({("requests", "mean", 60): [1.0]}, "unpromised"))


def test_the_worst_promise_comes_first_and_what_rests_on_little_is_said() -> None:
    services, history = fleet()
    found = error_budgets(history, services)
    assert [(one.service, one.status) for one in found] == [("slow", "FAIL"), ("silent", "UNKNOWN"), ("good", "REVIEW")]
    assert found.frame["service"].tolist() == ["slow", "silent", "good"]
    assert found.frame["left"].iloc[0] == pytest.approx(1 - 360 / (4 * DAY) / 0.01)
    said = {(finding.service, finding.status) for finding in found.findings}
    assert said == {("silent", "UNKNOWN"), ("unpromised", "UNKNOWN"), ("good", "REVIEW"), ("slow", "REVIEW")}
    assert str(found).splitlines()[0].startswith("FAIL slow latency: 93.75 % good of 99 % promised over 7 days")
    assert "3 SLOs on 2026-03-06 00:00 UTC, 1 of them broken" in found._repr_html_()


def test_the_picture_has_a_line_for_each_promise() -> None:
    services, history = fleet()
    chart = error_budgets(history, services).plot("slow").to_dict()
    assert "slow latency" in str(chart)


def test_a_time_before_the_history_knows_nothing() -> None:
    services, history = fleet()
    found = error_budgets(history, services, at="2026-01-01")
    assert {one.status for one in found} == {"UNKNOWN"}


def test_a_budget_overspent_long_ago_says_since_when() -> None:
    week = Slo(objective=0.99, window_days=7)
    status: SloStatus = slo_status(week, even(16, slice(12 * DAY, 12 * DAY + 120), 1.0))
    assert status.status == "FAIL"
    assert MONDAY + pd.Timedelta(days=12) < status.gone_at <= MONDAY + pd.Timedelta(days=12, minutes=160)
    assert "or before" not in str(status)


def test_a_promise_in_milliseconds_is_noticed() -> None:
    history = history_of({("latency", "p95", 60): np.full(DAY, 0.2)})
    slow = [Slo(kind="latency", objective=0.99, latency_seconds=seconds) for seconds in (250.0, 2.5)]
    asked = [
        {finding.message for finding in error_budgets(history, [WEB.model_copy(update={"slo": (slo,)})]).findings}
        for slo in slow
    ]
    assert asked[0] - asked[1] == {"latency: latency_seconds = 250, and the usual is 0.2 s"}
