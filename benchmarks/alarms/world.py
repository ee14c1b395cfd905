"""One service's year: what its users wanted, what went wrong, how it was carried, and when users were hurt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pandas as pd

from benchmarks.alarms.incidents import EACH_A_YEAR, HARDER, MOST_TRIES, ON_END, Incident, Quiet, placed, quiet
from benchmarks.alarms.nature import (
    JUDGED_WEEKS,
    LEARNT_WEEKS,
    MINUTES_A_DAY,
    Nature,
    days,
    lasting,
    minutes,
    noisy,
    p95,
    wanted,
)
from benchmarks.alarms.running import Conditions, Run, run

#: After so many weeks the owner looks at bounds and quota, and makes new alarms.
QUARTER_WEEKS: Final = 13

#: Users are hurt in a minute in which this share of requests fails, or p95 latency is above the promise;
#: an incident has hurt them when ON_END minutes on end did.
HURTING: Final = 0.01

#: Requests fail now and then in the best of times.
BACKGROUND: Final = 0.0001


@dataclass(frozen=True)
class Bounds:
    """What the owner set for a quarter."""

    begin: int  # minute
    fewest: int
    most: int
    quota_vcpu: float


@dataclass(frozen=True, eq=False)
class World:
    """A service's minutes, as they were: `judged` is the first minute that counts."""

    nature: Nature
    times: pd.DatetimeIndex  # (n,)
    met: Conditions
    ran: Run
    failed: np.ndarray  # (n,) share of requests
    p95: np.ndarray  # (n,) seconds
    memory: np.ndarray  # (n,) share in use, mean of the tasks
    memory_most: np.ndarray  # (n,) of the task that holds most
    bounds: tuple[Bounds, ...]
    incidents: tuple[Incident, ...]
    quiet: Quiet

    @property
    def judged(self) -> int:
        return int(self.bounds[1].begin)

    @property
    def hurting(self) -> np.ndarray:
        """(n,) minutes in which users are hurt."""
        return np.asarray((self.failed > HURTING) | (self.p95 > self.nature.slowest_seconds))


def world(
    seed: int,
    number: int,
    weeks: int = LEARNT_WEEKS + JUDGED_WEEKS,
    quarter_weeks: int = QUARTER_WEEKS,
    each_a_year: float = EACH_A_YEAR,
) -> World:
    """The service of this seed and number, its incidents made harder until each hurts.

    quarter_weeks  after so many the owner looks at it again; what comes after the first is judged
    each_a_year    incidents of each kind; many more than ten would not keep apart
    An incident that does not hurt after MOST_TRIES is taken out: it was none.
    """
    nature = Nature.of(seed, number)
    rng = np.random.default_rng([seed, number, 1])
    times = minutes(days(weeks))
    load = wanted(nature, times, rng)
    incidents = placed(nature, len(times), each_a_year, rng)
    life = quiet(len(times), incidents, rng)
    bounds = _bounds(nature, load, quarter_weeks, rng)
    draws = int(rng.integers(2**32))  # the same noise whatever the incidents
    ends = {one.start: int(rng.integers(30, 121)) for one in incidents}
    for _ in range(MOST_TRIES):
        made = _lived(nature, times, load, incidents, life, bounds, draws)
        found = [_told(made, one, ends[one.start]) for one in incidents]
        if found == incidents:
            break
        incidents = found
    incidents = [one for one in incidents if one.kind == "silence" or one.hurt is not None]
    made = _lived(nature, times, load, incidents, life, bounds, draws)
    return replace(made, incidents=tuple(replace(one, hurt=_hurt(made, one)) for one in incidents))


def _told(made: World, one: Incident, more: int) -> Incident:
    """The incident with the minute it hurt; harder where it did not; a quota is raised some time after it hurt."""
    if one.kind == "silence":
        return one
    hurt = _hurt(made, one)
    if hurt is None:
        return replace(one, hard=one.hard * HARDER)
    end = min(one.end, hurt + more) if one.kind == "quota" else one.end
    return replace(one, hurt=hurt, end=end)


def _hurt(made: World, one: Incident) -> int | None:
    """The first of ON_END minutes on end in which users were hurt by it."""
    if one.kind == "silence":
        return None
    part = made.hurting[one.start : one.end + 10].astype(int)
    enough = np.convolve(part, np.ones(ON_END, dtype=int), "valid") == ON_END
    return one.start + int(enough.argmax()) if enough.any() else None


def _bounds(nature: Nature, load: np.ndarray, quarter_weeks: int, rng: np.random.Generator) -> tuple[Bounds, ...]:
    """Half as many tasks again as the last quarter's busiest minute asked for; a quota of which 60 % is used then."""
    quarter = days(quarter_weeks) * MINUTES_A_DAY
    others = float(rng.uniform(0.5, 3.0))
    need = load * nature.cpu_seconds / (nature.target * nature.task_vcpu)
    made = []
    for begin in range(0, len(load), quarter):
        last = need[max(0, begin - quarter) : max(begin, quarter)]
        most = int(np.ceil(1.5 * last.max()))
        quota = float(np.ceil(most / 1.5 * nature.task_vcpu * (1 + others) / 0.6))
        made.append(Bounds(begin, max(2, int(0.7 * np.quantile(last, 0.05))), most, quota))
    return tuple(made)


def _lived(
    nature: Nature,
    times: pd.DatetimeIndex,
    load: np.ndarray,
    incidents: list[Incident],
    life: Quiet,
    bounds: tuple[Bounds, ...],
    draws: int,
) -> World:
    """Every minute under these incidents."""
    rng = np.random.default_rng(draws)
    count = len(load)
    each = np.repeat(np.arange(len(bounds)), np.diff([*(one.begin for one in bounds), count]))
    fewest = np.array([one.fewest for one in bounds])[each].astype(float)
    most = np.array([one.most for one in bounds])[each].astype(float)
    quota = np.array([one.quota_vcpu for one in bounds])[each]
    usual = 0.6 * quota - most / 1.5 * nature.task_vcpu
    met = Conditions(
        load=load.copy(),
        cpu_seconds=nature.cpu_seconds * lasting(0.02, 600, count, rng),
        batch=_batch(nature, count, rng),
        failing=np.full(count, BACKGROUND) * noisy(0.5, count, rng),
        slower=noisy(0.04, count, rng),
        down=np.zeros(count),
        fewest=fewest,
        most=most,
        others_vcpu=usual * lasting(0.04, 300, count, rng),
        quota_vcpu=quota,
    )
    hiccups = rng.random(count) < 0.0005  # a minute of garbage collection, of a slow disk
    met.slower[hiccups] *= rng.uniform(1.5, 4.0, int(hiccups.sum()))
    began = [
        0,
        *(at for at, _, _ in life.deploys),
        *(one.start for one in incidents if one.kind in ("leak", "bad deploy")),
    ]
    began += [one.end for one in incidents if one.kind in ("leak", "bad deploy")]  # the way back is a deploy too
    _ordinary(met, life, nature)
    for one in incidents:
        _wrong(met, one, nature)
    memory, most_memory = _memory(nature, met, sorted(began), life, incidents, rng)
    ran = run(met, nature.task_vcpu, nature.idle_vcpu, nature.target, nature.startup)
    latency = np.minimum(p95(nature, ran.pressing) * met.slower, 30.0)
    latency = np.where(ran.lost > 0.001, np.minimum(np.maximum(latency, 2 * nature.slowest_seconds) * 2, 30.0), latency)
    return World(
        nature=nature,
        times=times,
        met=met,
        ran=ran,
        failed=np.minimum(met.failing + ran.lost, 1.0),
        p95=latency,
        memory=memory,
        memory_most=most_memory,
        bounds=bounds,
        incidents=tuple(incidents),
        quiet=life,
    )


def _batch(nature: Nature, count: int, rng: np.random.Generator) -> np.ndarray:
    """(n,) vCPU of a nightly job: up within ten minutes, gone within the hour."""
    job = np.zeros(count)
    if nature.batch:
        for day in range(count // MINUTES_A_DAY):
            at = day * MINUTES_A_DAY + nature.batch_hour * 60 + int(rng.integers(0, 10))
            lasts = int(rng.integers(20, 50))
            size = nature.batch * nature.base * nature.cpu_seconds * rng.uniform(0.8, 1.2)
            job[at : at + lasts] = size * np.minimum(np.arange(lasts) / 10, 1.0)[: count - at]
    return job


def _ordinary(met: Conditions, life: Quiet, nature: Nature) -> None:
    """Good deploys, promotions, hiccups and what others do, in place."""
    until = [*(at for at, _, _ in life.deploys), len(met.load)][1:]
    for (at, _, factor), end in zip(life.deploys, until, strict=True):
        met.failing[at : at + 3] += 0.0005
        met.slower[at : at + 8] *= 1.1
        met.cpu_seconds[at:end] *= factor
    for at, lasts, share, slower in life.hiccups:
        met.failing[at : at + lasts] += share
        met.slower[at : at + lasts] *= slower
    for at, lasts, share in life.others:
        met.others_vcpu[at : at + lasts] = np.maximum(
            met.others_vcpu[at : at + lasts], share * met.quota_vcpu[at] - 0.4 * met.most[at] * nature.task_vcpu
        )
    for at, lasts, factor in life.promos:
        ramp = np.minimum(np.minimum(np.arange(lasts), np.arange(lasts)[::-1]) / 20, 1.0)
        met.load[at : at + lasts] *= 1 + (factor - 1) * ramp[: len(met.load[at : at + lasts])]


def _wrong(met: Conditions, one: Incident, nature: Nature) -> None:
    """One incident, in place."""
    part = slice(one.start, one.end)
    count = len(met.load[part])
    grown = np.minimum(np.arange(1, count + 1) / one.grows, 1.0)
    if one.flavour == "beyond the maximum":
        carried = met.most[one.start] * nature.task_vcpu * (1 - nature.idle_vcpu) / met.cpu_seconds[part]
        met.load[part] = met.load[part] * (1 - grown) + np.maximum(met.load[part], one.hard * carried) * grown
    elif one.flavour == "faster than a start":
        met.load[part] *= one.hard
    elif one.kind == "leak":
        dying = slice(one.start + one.grows, one.end)
        met.failing[dying] += min(0.03 * one.hard, 0.5)
        met.down[dying] += 0.15
    elif one.flavour == "errors":
        met.failing[part] += min(one.hard, 0.9)
    elif one.flavour == "latency":
        met.slower[part] *= one.hard * nature.slowest_seconds / float(p95(nature, np.array(nature.target)))
    elif one.flavour == "processor":
        met.cpu_seconds[part] *= one.hard
    elif one.kind == "quota":
        usual = met.others_vcpu[part]
        met.others_vcpu[part] = usual + (met.quota_vcpu[part] - usual) * grown


def _memory(
    nature: Nature,
    met: Conditions,
    began: list[int],
    life: Quiet,
    incidents: list[Incident],
    rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray]:
    """(n,) shares in use: mean of the tasks, and of the one that holds most.

    A cache fills within days of a deploy and stays; some goes with the load. A leak reaches the limit at `grows`, in
    the oldest task; tasks that scaling started since hold less, and so does the mean.
    """
    count = len(met.load)
    age = np.arange(count) - np.array(began)[np.searchsorted(began, np.arange(count), side="right") - 1]
    cache = nature.memory_cache * (1 - np.exp(-age / (1.0 * MINUTES_A_DAY)))
    rest = np.full(count, nature.memory_rest)
    for at, change, _ in life.deploys:
        rest[at:] = np.clip(rest[at:] + change, 0.15, 0.55)
    base = rest + cache + nature.memory_load * met.load / (1.6 * nature.base)
    base = np.minimum(base * lasting(0.01, 60, count, rng), 0.85)
    mean, most = base.copy(), np.minimum(base * 1.06, 0.9)
    for one in incidents:
        if one.kind == "leak":
            part = slice(one.start, one.start + one.grows)
            grown = np.arange(1, len(mean[part]) + 1) / one.grows
            most[part] = np.minimum(most[part] + (1 - most[part]) * grown, 1.0)
            mean[part] = np.minimum(mean[part] + 0.85 * (1 - mean[part]) * grown, 1.0)
            dying = slice(one.start + one.grows, one.end)
            most[dying], mean[dying] = 1.0, 0.75 * noisy(0.03, len(mean[dying]), rng)
    return mean, most
