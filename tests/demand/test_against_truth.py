"""Estimates held against what was put into the sample fleet."""

from __future__ import annotations

from functools import cache

import numpy as np
import pandas as pd
import pytest

from capacity.config import Service, load_config
from capacity.demand import Demand, estimate_demand
from capacity.history import read
from capacity.samples import sample_path, true_demand, truth
from tests.sample_fleet import ON_ONE_WORKER, history

pytestmark = ON_ONE_WORKER

SERVICES = load_config(sample_path() / "capacity.toml")
LAUNCHED = pd.Timestamp("2026-10-05", tz="UTC")


@cache
def estimated(service: str, *, stated: bool = True) -> Demand:
    known: list[Service] = [SERVICES.service_named(service)] if stated else []
    return estimate_demand(history(service), known)


@cache
def wanted(service: str) -> pd.DataFrame:
    demand = estimated(service)
    return true_demand(service, demand.times[0], len(demand.times))


def marked(service: str) -> np.ndarray:
    return estimated(service).censored[0]


def lost_hours(service: str) -> np.ndarray:
    """(n,) hours that truth.json says were saturated."""
    times = estimated(service).times
    mask = np.zeros(len(times), dtype=bool)
    for start, end in truth()["services"][service]["saturated"]:
        mask |= np.asarray((times >= pd.Timestamp(start)) & (times < pd.Timestamp(end)))
    return mask


@pytest.mark.parametrize("service", ["checkout", "catalog", "wishlist", "partner-api"])
def test_requests_are_what_users_wanted(service: str) -> None:
    measured = estimated(service).series(service, "requests")
    known = measured.notna().to_numpy()
    ratio = measured[known].sum() / wanted(service)["actual"][known].sum()
    assert ratio == pytest.approx(1.0, abs=0.003)  # partner-api loses a little while it starts tasks


@pytest.mark.parametrize("service", ["checkout", "invoicing", "search", "image-worker"])
@pytest.mark.parametrize("stated", [True, False], ids=["sizes stated", "sizes from history"])
def test_vcpu_are_work_and_the_idle_share_of_the_tasks(service: str, stated: bool) -> None:
    """vCPU in use = requests x vCPU-seconds each + tasks x idle share: all three are known of the fleet."""
    facts = truth()["services"][service]
    vcpu = estimated(service, stated=stated).series(service, "cpu")
    idle = history(service).series(service, "running_tasks").reindex(vcpu.index) * facts["idle_vcpu"]
    work = wanted(service)["vcpu"]
    known = vcpu.notna()
    assert (vcpu - idle)[known].sum() / work[known].sum() == pytest.approx(1.0, abs=0.01)


def test_the_cost_of_a_request_and_its_step_can_be_read_off() -> None:
    """A line through requests and vCPU before and after the release has the slopes that were put in, within 3 %."""
    demand = estimated("search")
    requests, vcpu = demand.series("search", "requests"), demand.series("search", "cpu")
    release = pd.Timestamp(truth()["services"]["search"]["steps"][0]["at"])
    known = requests.notna() & vcpu.notna()
    slopes = [
        np.polyfit(requests[known & part], vcpu[known & part], 1)[0]
        for part in (requests.index < release, requests.index > release)
    ]
    cost = truth()["services"]["search"]["cpu_seconds_per_request"]
    idle = truth()["services"]["search"]["idle_vcpu"]
    # Each task idles at 0.02 vCPU and target tracking runs a task per 0.6 vCPU used: the slope holds that share too.
    share = 1 + idle / 0.6
    assert slopes[0] == pytest.approx(cost * share, rel=0.03)
    assert slopes[1] / slopes[0] == pytest.approx(1.2, rel=0.03)


@pytest.mark.parametrize("service", ["checkout", "search", "accounts"])
def test_growth_can_be_read_off(service: str) -> None:
    """The same eight weeks of two autumns, a year apart: their ratio is a year of growth."""
    requests = estimated(service).series(service, "requests")
    year = pd.Timedelta(days=364)  # the same weekdays
    later = requests[pd.Timestamp("2026-09-28", tz="UTC") : pd.Timestamp("2026-11-15 23:00", tz="UTC")]
    before = requests.reindex(later.index - year).to_numpy()
    growth = truth()["services"][service]["growth"]
    assert np.nansum(later.to_numpy()) / np.nansum(before) - 1 == pytest.approx(growth, abs=0.06)


def test_the_migration_can_be_read_off() -> None:
    requests = estimated("catalog").series("catalog", "requests")
    step = pd.Timestamp(truth()["services"]["catalog"]["steps"][0]["at"])
    week = pd.Timedelta(days=7)
    after, before = requests[step + week : step + 3 * week].mean(), requests[step - 3 * week : step - week].mean()
    assert after / before == pytest.approx(1.6, rel=0.08)


def test_the_pinned_service_is_marked_where_it_lost_work() -> None:
    """Nearly every hour in which more than 1 % was lost is marked, and nearly all of the work that was lost."""
    found, lost = marked("recommendations"), lost_hours("recommendations")
    assert lost.sum() > 500
    assert found[lost].mean() > 0.97
    measured = estimated("recommendations").series("recommendations", "cpu").to_numpy()
    short = np.clip(wanted("recommendations")["vcpu"].to_numpy() - measured, 0, None)
    short = np.where(np.isfinite(measured), short, 0.0)
    assert short[found].sum() / short.sum() > 0.95


def test_hours_that_are_marked_were_busy_indeed() -> None:
    """Of the marked hours two thirds lost over 1 % of the work; the rest came so near that minutes were lost."""
    found, lost = marked("recommendations"), lost_hours("recommendations")
    assert lost[found].mean() > 0.65
    vcpu = estimated("recommendations").series("recommendations", "cpu").to_numpy()
    assert vcpu[found].min() > 0.88 * 24  # of 12 tasks x 2 vCPU


def test_the_pinned_service_needed_more_than_was_measured() -> None:
    found = marked("recommendations")
    measured = estimated("recommendations").series("recommendations", "cpu").to_numpy()
    true = wanted("recommendations")["vcpu"].to_numpy()
    assert true[found].sum() > 1.03 * measured[found].sum()
    assert true[found].max() > 1.3 * measured[found].max()


@pytest.mark.parametrize(
    "service", ["accounts", "catalog", "checkout", "invoicing", "search", "storefront", "wishlist"]
)
def test_services_with_room_are_not_marked(service: str) -> None:
    assert not marked(service).any()


def test_the_new_service_is_unknown_before_its_launch_beside_older_ones() -> None:
    both = estimate_demand(read([sample_path() / "wishlist.parquet", sample_path() / "search.parquet"]))
    new = both.series("wishlist", "requests")
    assert new[new.index < LAUNCHED].isna().all()
    assert new[new.index >= LAUNCHED].notna().all()


def test_fetch_outages_stay_gaps() -> None:
    requests = estimated("partner-api").series("partner-api", "requests")
    missing = requests[requests.isna()].index
    assert len(missing) == 6 + 3
    assert missing[0] == pd.Timestamp("2026-02-11 02:00", tz="UTC")


def test_peaks_are_the_busiest_minutes() -> None:
    demand = estimated("checkout")
    known = np.isfinite(demand.peaks[0])
    np.testing.assert_allclose(demand.peaks[0][known], wanted("checkout")["peak"][known], rtol=1e-3)


def test_minutes_of_the_last_fortnight_average_to_its_hours() -> None:
    """The two resolutions were written independently from the same minutes: estimates from either agree."""
    fine = estimate_demand(history("checkout"), interval="1min").since(pd.Timestamp("2026-11-02", tz="UTC"))
    hours = fine.series("checkout", "cpu").resample("1h").mean()
    coarse = estimated("checkout").series("checkout", "cpu")[hours.index]
    whole = hours.index != pd.Timestamp("2026-11-09 03:00", tz="UTC")  # 46 of its minutes were not fetched
    np.testing.assert_allclose(hours[whole], coarse[whole], rtol=2e-3)
