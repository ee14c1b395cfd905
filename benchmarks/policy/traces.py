"""Request rates to judge policies on: real ones, real ones made finer, and generated ones. Tuned on or reported.

A series is on one side of the split for good: TUNE for whoever changes the policy search, REPORT for what is claimed.
Real series come from $CAPACITY_REAL_DATA. Only ms_service_rps_5min and nab_aws_sample are measured at five minutes;
the rest are hourly or daily counts of people, cars and megawatts that stand in for requests (`upsampling`).
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import pandas as pd

from benchmarks.policy.generated import PER_DAY, STORIES, of_the_day
from benchmarks.policy.upsampling import CALM, ROUGH, USUAL, Noise, counted, finer
from benchmarks.real_data import real_data

Side = Literal["tune", "report"]

#: Requests/s of one task: the service of the acceptance.
PER_TASK = 50.0

#: History before the first plan; of series shorter than one and a half times that, the first half.
FIRST_DAYS = 28

#: A series with a larger share of gaps is no trace; smaller gaps are bridged by a line, for the load as for the plan.
MOST_GAPS = 0.02


@dataclass(frozen=True)
class Trace:
    """Requests/s at five minutes, UTC, without gaps, and the step from which on it is judged."""

    name: str
    side: Side
    series: pd.Series
    measured: bool  # at five minutes, not made finer and not generated

    @property
    def first(self) -> int:
        whole = FIRST_DAYS * PER_DAY
        return whole if 2 * len(self.series) >= 3 * whole else len(self.series) // 2

    @property
    def seed(self) -> int:
        return zlib.crc32(self.name.encode())


@dataclass(frozen=True)
class Real:
    """Which part of a real series is used, and the mean number of tasks it is scaled to."""

    series: str  # set/series_id
    side: Side
    tasks: float
    start: str | None = None
    days: int | None = None
    noise: Noise | None = None  # None: measured at five minutes


MEASURED = (
    Real("ms_service_rps_5min/mongo-01", "tune", 60),
    Real("ms_service_rps_5min/ingress-03", "tune", 150),
    Real("ms_service_rps_5min/mongo-04", "tune", 25),
    Real("ms_service_rps_5min/machine-01", "report", 40),
    Real("ms_service_rps_5min/mongo-02", "report", 100),
    Real("ms_service_rps_5min/mongo-03", "report", 30),
    Real("ms_service_rps_5min/ingress-01", "report", 250),
    Real("ms_service_rps_5min/ingress-04", "report", 80),
    Real("ms_service_rps_5min/ingress-05", "report", 120),
    Real("nab_aws_sample/ec2_cpu_utilization_5f5533", "tune", 80),
    Real("nab_aws_sample/rds_cpu_utilization_cc0c53", "tune", 40),
    Real("nab_aws_sample/grok_asg_anomaly", "tune", 60),
    Real("azure_vm_2017_5min/azure2017_avg_cpu", "tune", 200),
)
COARSE = (
    Real("rte_load_hourly/rte_load", "tune", 150, "2017-11-06", 70, CALM),
    Real("ms_purchases/purchase_02", "tune", 30, noise=ROUGH),
    Real("ms_purchases/purchase_03", "tune", 120, noise=USUAL),
    Real("ms_purchases/purchase_04", "tune", 60, noise=USUAL),
    Real("website_daily/cienciadedatos_users", "tune", 50, "2020-11-02", 84, USUAL),
    Real("nyc_taxi/nyc_taxi", "report", 200, "2014-11-24", 69, USUAL),
    Real("bike_hourly/capital_bikes", "report", 60, "2012-06-04", 70, USUAL),
    Real("bike_hourly/capital_bikes", "report", 60, "2011-10-03", 70, ROUGH),
    Real("wiki_daily_prophet/wiki_peyton_manning", "report", 40, "2013-12-16", 77, USUAL),
    Real("wiki_daily_prophet/wiki_R", "report", 80, "2014-11-03", 70, CALM),
)

#: Seeds of the generated stories.
SEEDS: dict[Side, tuple[int, ...]] = {"tune": (1, 2), "report": (101, 102)}

#: One of each kind, for a quick look.
FAST = {
    "tune": ("mongo-01", "purchase_03", "rte_load", "collapse-1", "launch-1", "bursts-1"),
    "report": ("machine-01", "mongo-03", "nyc_taxi", "collapse-101", "small-101", "clock-change-101"),
}


def traces(side: Side, *, fast: bool = False) -> list[Trace]:
    """Every trace of one side; without the real data at hand, the generated ones alone."""
    found = [*_real(side), *_stories(side)]
    return [one for one in found if one.name.split("/")[1].split("@")[0] in FAST[side]] if fast else found


def _stories(side: Side) -> Iterator[Trace]:
    for name, story in STORIES.items():
        for seed in SEEDS[side]:
            rng = np.random.default_rng([seed, zlib.crc32(name.encode())])
            yield Trace(f"generated/{name}-{seed}", side, story(rng), measured=False)


def _real(side: Side) -> Iterator[Trace]:
    if not real_data().is_dir():
        return
    for one in (*MEASURED, *COARSE):
        if one.side == side:
            name = one.series if one.start is None else f"{one.series}@{one.start}"
            yield Trace(name, side, _prepared(one, zlib.crc32(name.encode())), one.noise is None)


def _prepared(one: Real, seed: int) -> pd.Series:
    """Cut, bridged, made finer where needed, and scaled."""
    group, series = one.series.split("/")
    values = _set(group)[series].dropna()
    values = values.asfreq(values.index.to_series().diff().min())
    if one.start is not None:
        begin = pd.Timestamp(one.start, tz="UTC")
        values = values[(values.index >= begin) & (values.index < begin + pd.Timedelta(one.days, "D"))]
    if values.isna().mean() > MOST_GAPS:
        raise ValueError(f"{one.series}: {values.isna().mean():.1%} of its values are missing")
    rates = values.interpolate().to_numpy(float)
    each = round(values.index.freq / pd.Timedelta("5min"))
    times = pd.date_range(values.index[0], periods=len(rates) * each, freq="5min", unit="us")
    rng = np.random.default_rng(seed)
    if each == PER_DAY:  # a day's count says nothing of its hours: a shape of our own
        shape = of_the_day(times, rng, weekend=1.0)
        rates = finer(rates, each) * shape / shape[:PER_DAY].mean()
    elif each > 1:
        rates = finer(rates, each)
    scaled = rates * one.tasks * PER_TASK / rates.mean()
    if one.noise is not None:
        scaled = counted(scaled * one.noise.factors(len(scaled), rng), 300, rng)
    return pd.Series(scaled, index=times)


@cache
def _set(name: str) -> dict[str, pd.Series]:
    table = pd.read_csv(real_data() / name / "data.csv.gz", parse_dates=["timestamp"])
    return {str(key): rows.set_index("timestamp")["value"] for key, rows in table.groupby("series_id")}
