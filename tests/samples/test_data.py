"""The committed fleet: it is what the generator writes, it is small, and its three descriptions agree."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import capacity
from capacity.config import load_config
from capacity.errors import InputError
from capacity.history import read
from capacity.samples import load_sample, sample_path, true_demand, truth
from capacity.samples.generate import generate
from capacity.samples.model import CUTOFF, START
from capacity.samples.observing import GAPS
from capacity.samples.shop import SHOP
from tests.sample_fleet import ON_ONE_WORKER, history

pytestmark = ON_ONE_WORKER

HOME = sample_path()
NAMES = [model.name for model in SHOP]
CONFIG = load_config(HOME / "capacity.toml")


def table(service: str) -> pd.DataFrame:
    return history(service).frame


def test_the_committed_data_are_what_the_generator_writes(tmp_path: Path) -> None:
    """One service, all of it: the same rows, the same values to the last of their four figures, the same truth.

    If this fails after a change of the model: python -m capacity.samples.generate --out data/samples
    """
    (model,) = (model for model in SHOP if model.name == "wishlist")
    generate(tmp_path, [model])
    again, committed = read(tmp_path / "wishlist.parquet").frame, table("wishlist")
    keys = ["metric", "stat", "interval", "timestamp"]
    pd.testing.assert_frame_equal(again[keys], committed[keys])
    np.testing.assert_array_equal(again["value"].to_numpy(), committed["value"].to_numpy())
    written = json.loads((tmp_path / "truth.json").read_text())["services"]["wishlist"]
    assert written == truth()["services"]["wishlist"]


def test_the_fleet_is_small_enough_for_git() -> None:
    assert sum(path.stat().st_size for path in HOME.iterdir()) < 6_000_000


def test_the_folder_reads_as_one_history_with_hours_and_minutes() -> None:
    fleet = load_sample("shop")
    assert fleet.services == sorted(NAMES)
    assert fleet.span == (START, CUTOFF)
    hour, minute = pd.Timedelta(hours=1), pd.Timedelta(minutes=1)
    for service in NAMES:
        assert fleet.intervals(service, "cpu_utilization") == [minute, hour]
    assert capacity.load_sample is load_sample


def test_workers_have_no_requests_and_the_new_service_six_weeks() -> None:
    for model in SHOP:
        metrics = set(table(model.name)["metric"].unique())
        assert ("requests" in metrics) == (not model.worker)
        assert ("errors" in metrics) == ("latency" in metrics) == (not model.worker)
        assert {"cpu_utilization", "memory_utilization", "running_tasks", "cpu_reserved", "cost"} <= metrics
    first = table("wishlist")["timestamp"].min()
    assert CUTOFF - first == pd.Timedelta(weeks=6)


@pytest.mark.parametrize("service", NAMES)
def test_gaps_are_absent_and_nothing_else_is(service: str) -> None:
    rows = table(service)
    launched = max(START, next(model.launched for model in SHOP if model.name == service))
    for (_, _, seconds), part in rows.groupby(["metric", "stat", "interval"], observed=True):
        start = launched if seconds == 3600 else CUTOFF - pd.Timedelta(days=14)
        expected = pd.date_range(start, CUTOFF, freq=f"{seconds}s", inclusive="left", unit="us")
        for services, since, until in GAPS:
            if not services or service in services:
                expected = expected[(expected < since) | (expected >= until)]
        assert pd.DatetimeIndex(part["timestamp"]).equals(expected)


@pytest.mark.parametrize("service", NAMES)
def test_values_are_possible_and_agree_with_each_other(service: str) -> None:
    model = CONFIG.service_named(service)

    def hourly(metric: str, stat: str = "mean") -> pd.Series:
        return history(service).series(service, metric, stat, "1h")

    assert (table(service)["value"] >= 0).all()
    assert hourly("running_tasks").min() >= model.min_tasks
    assert hourly("running_tasks", "max").max() <= model.max_tasks
    ratio = hourly("cpu_reserved") / hourly("running_tasks")
    np.testing.assert_allclose(ratio.dropna(), model.task_vcpu, rtol=1e-3)
    price = model.task_vcpu * 0.04048 + model.task_memory_gib * 0.004445
    if model.architecture == "arm64":
        price = model.task_vcpu * 0.03238 + model.task_memory_gib * 0.00356
    np.testing.assert_allclose((hourly("cost") / hourly("running_tasks")).dropna(), price, rtol=1e-3)


def test_the_configuration_says_what_the_model_runs() -> None:
    assert [service.name for service in CONFIG.service] == NAMES
    for model in SHOP:
        service = CONFIG.service_named(model.name)
        for theirs, ours in (("target_value", "target"), ("timezone", "timezone")):
            assert getattr(service, theirs) == getattr(model, ours), (model.name, theirs)
        for field in ("task_vcpu", "task_memory_gib", "architecture", "min_tasks", "max_tasks", "startup_seconds"):
            assert getattr(service, field) == getattr(model, field), (model.name, field)
    assert CONFIG.history_path == HOME
    assert CONFIG.account[0].fargate_vcpu_quota is not None


def test_what_a_task_carries_is_the_truth_rounded_down() -> None:
    for model in SHOP:
        stated = CONFIG.service_named(model.name).requests_per_second_per_task
        true = truth()["services"][model.name]["requests_per_second_per_task_at_slo"]
        if model.worker:
            assert stated is None
        else:
            assert stated is not None
            assert 0.96 * true < stated <= true


def test_the_truth_names_what_was_put_in() -> None:
    told = truth()
    assert (pd.Timestamp(told["start"]), pd.Timestamp(told["cutoff"])) == (START, CUTOFF)
    assert list(told["services"]) == NAMES
    assert told["services"]["checkout"]["growth"] == 0.6
    assert told["services"]["catalog"]["steps"][0]["factor"] == 1.6
    assert told["services"]["search"]["cpu_seconds_per_request_at_cutoff"] == pytest.approx(0.014 * 1.2)
    assert len(told["services"]["accounts"]["surges"]) == 3
    assert told["services"]["recommendations"]["saturated_hours"] > 500


def test_the_truth_after_the_cutoff_goes_on_from_what_was_measured() -> None:
    """The last measured week and the first true one differ by less than a tenth, and minutes and hours agree."""
    hours = 24 * 7
    after = true_demand("checkout", CUTOFF, hours)
    before = true_demand("checkout", CUTOFF - pd.Timedelta(days=7), hours)
    measured = history("checkout").series("checkout", "requests")[-hours:]
    np.testing.assert_allclose(before["actual"], measured, rtol=1e-3)
    assert after["actual"].mean() == pytest.approx(before["actual"].mean(), rel=0.1)
    assert after["expected"].mean() == pytest.approx(after["actual"].mean(), rel=0.1)
    assert (after["peak"] >= after["actual"]).all()
    np.testing.assert_allclose(after["vcpu"], after["actual"] * 0.030)


def test_checkout_outgrows_its_maximum_in_the_coming_quarter_and_storefront_does_not() -> None:
    """With room to lose one of three zones and be full then, at 60 / 85 % CPU: fits now, no longer in January."""
    needed = {}
    for name in ("checkout", "storefront"):
        service, facts = CONFIG.service_named(name), truth()["services"][name]
        full = service.cpu_target / service.request_target
        per_task = (full - facts["idle_vcpu"]) / facts["cpu_seconds_per_request_at_cutoff"]
        past = true_demand(name, CUTOFF - pd.Timedelta(days=14), 14 * 24)["peak"].max()
        needed[name] = [past * 1.5 / per_task, facts["next_91_days"]["highest_minute"] * 1.5 / per_task]
    now, later = needed["checkout"]
    assert now < CONFIG.service_named("checkout").max_tasks < later
    assert max(needed["storefront"]) < 80


@pytest.mark.parametrize("start", ["2025-09-14", "2026-11-16 00:30"])
def test_the_truth_is_refused_where_there_is_none(start: str) -> None:
    with pytest.raises(InputError, match="the truth is known"):
        true_demand("checkout", start, 24)
    with pytest.raises(InputError, match="the truth is known"):
        true_demand("checkout", "2026-11-16", 24 * 93)


def test_unknown_samples_and_services_are_named_with_those_there_are() -> None:
    with pytest.raises(InputError, match="There are: shop"):
        load_sample("bakery")
    with pytest.raises(InputError, match="checkout"):
        true_demand("bread", "2026-11-16", 24)
