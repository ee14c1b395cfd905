"""What becomes of the load: the same futures, times what a scenario says, so that differences are of it alone.

Needs inside an interval keep the plan's own draw of what the busiest minute was over the mean: with the load of a
scenario drawn anew, less load could need more tasks by chance.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.config import Scenario, Service
from capacity.demand.demand import Key
from capacity.errors import InputError
from capacity.forecasting.forecasts import Forecast
from capacity.planning.matching import Asked, Peaks
from capacity.planning.prices import HOURS_PER_MONTH
from capacity.planning.scenarios.cases import Case
from capacity.planning.scenarios.windows import Shares, shares

#: Bytes of peaks that are kept between scenarios; beyond, they are computed again, to the same values.
KEPT: Final = 2**30

#: Shares that add up to this much more than 1 are rounding.
ROUNDING: Final = 1e-9

#: Series that follow load; memory does where more tasks relieve it.
_LOAD: Final = ("requests", "cpu")


class Times(NamedTuple):
    """(H,) by what load is multiplied: on average over each interval, and at most inside it."""

    mean: np.ndarray
    peak: np.ndarray

    def and_(self, other: Times) -> Times:
        return Times(self.mean * other.mean, self.peak * other.peak)


@dataclass(frozen=True, eq=False)
class Changed:
    """What one series becomes: itself times something, and what it takes over of others."""

    own: Times
    taken: tuple[tuple[Key, Times], ...] = ()

    def of(self, base: Callable[[Key], np.ndarray], key: Key, *, peak: bool) -> np.ndarray:
        """(P, H) from the arrays of today, by key."""
        found = _scaled(base(key), self.own.peak if peak else self.own.mean)
        for source, times in self.taken:
            found = found + _scaled(base(source), times.peak if peak else times.mean)
        return found


def _scaled(paths: np.ndarray, times: np.ndarray) -> np.ndarray:
    return np.asarray(paths * times.astype(paths.dtype))


@dataclass
class BasePeaks:
    """The largest needs inside the intervals of today's forecast, service by service, as the plan drew them.

    Services are planned by several threads, which share what is kept.
    """

    forecast: Forecast
    peaks: Peaks
    kept: dict[tuple[Key, ...], np.ndarray] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def of(self, keys: tuple[Key, ...]) -> np.ndarray:
        """(S, P, H) of these series of one service."""
        if (known := self.kept.get(keys)) is not None:
            return known
        found = np.asarray(self.peaks(self.forecast.select(keys)))
        with self.lock:
            if found.nbytes + sum(array.nbytes for array in self.kept.values()) <= KEPT:
                self.kept[keys] = found
        return found

    def drawn(self, about: Forecast) -> np.ndarray:
        """Those of today, whatever the paths of `about` have become: by their order paths draw what a task carries."""
        return self.of(about.keys)

    def forget(self) -> None:
        """Keep nothing: plans may live long, and peaks are drawn again, to the same values, when one is asked again."""
        with self.lock:
            self.kept.clear()


@dataclass
class _Change:
    """One series while a case is read: what it is multiplied by, which shares leave it, what it takes over."""

    own: Times
    left: list[tuple[np.ndarray, np.ndarray]] = field(default_factory=list)  # on average, and at least
    taken: list[tuple[Key, Times]] = field(default_factory=list)

    def done(self, case: Case, key: Key) -> Changed:
        gone = [sum(parts) for parts in zip(*self.left, strict=True)] if self.left else [0.0, 0.0]
        if np.max(gone[0]) > 1 + ROUNDING:
            raise InputError(f"scenario {case.name!r}: more than all of the load of {key.service!r} moves away")
        stays = [np.maximum(1 - part, 0.0) for part in gone]
        return Changed(Times(self.own.mean * stays[0], self.own.peak * stays[1]), tuple(self.taken))


def loads(case: Case, ask: Asked, forecast: Forecast) -> dict[Key, Changed]:
    """Every series that a case changes, and how. Raises InputError for load that cannot move as it says."""
    names, there = series_names(ask, forecast), set(forecast.keys)
    changed: dict[Key, _Change] = {}
    for service in ask.services:
        for metric in moved_metrics(service):
            if (key := Key(names[service.name], metric)) in there:
                changed[key] = _Change(_own(case, service, metric, forecast))
    for part, source, target, share in _moves(case, ask):
        _move(part, (source, target), share, forecast, names, changed)
    found = {key: change.done(case, key) for key, change in changed.items()}
    return {key: change for key, change in found.items() if change.taken or not _is_one(change.own)}


def apply(changed: dict[Key, Changed], base: BasePeaks) -> tuple[Forecast, Peaks]:
    """The forecast of a case, and the largest needs inside its intervals."""
    forecast, place = base.forecast, {key: row for row, key in enumerate(base.forecast.keys)}
    groups: dict[str, tuple[Key, ...]] = {}
    for key in forecast.keys:
        groups[key.service] = (*groups.get(key.service, ()), key)

    def peaks(about: Forecast) -> np.ndarray:
        today = base.of(about.keys)
        if not any(key in changed for key in about.keys):
            return today

        def of(key: Key) -> np.ndarray:
            if key in about.keys:
                return np.asarray(today[about.keys.index(key)])
            return np.asarray(base.of(groups[key.service])[groups[key.service].index(key)])

        return np.stack([changed[key].of(of, key, peak=True) if key in changed else of(key) for key in about.keys])

    if not changed:
        return forecast, peaks
    paths = np.array(forecast.paths)
    for key, change in changed.items():
        paths[place[key]] = change.of(lambda one: np.asarray(forecast.paths[place[one]]), key, peak=False)
    return replace(forecast, paths=paths), peaks


def moved_metrics(service: Service) -> tuple[str, ...]:
    """Series of a service that follow its load."""
    return (*_LOAD, "memory") if service.memory_scales_with_load else _LOAD


def series_names(ask: Asked, forecast: Forecast) -> dict[str, str]:
    """Service -> the name of its series, as `matching.match` finds it."""
    names = list(dict.fromkeys(key.service for key in forecast.keys))
    alone = ask.alone and len(names) == 1
    return {service.name: names[0] if alone else service.name for service in ask.services}


def _is_one(times: Times) -> bool:
    return bool((times.mean == 1).all() and (times.peak == 1).all())


def _own(case: Case, service: Service, metric: str, forecast: Forecast) -> Times:
    """What all parts say of one series: factors in order of size, so that the order of the parts does not matter."""
    whole = [factor for part in case.concerning(service.name) for factor in _constant(part, metric)]
    times = np.full(len(forecast.times), float(np.prod(sorted(whole))) if whole else 1.0)
    found = Times(times, times)
    for growth in sorted(part.growth_percent_per_month or 0.0 for part in case.concerning(service.name)):
        if growth:
            found = found.and_(_compounding(growth, forecast))
    passing = [
        (part.name, factor, part) for part in case.concerning(service.name) for factor in _passing(part, service)
    ]
    for _, factor, part in sorted(passing, key=lambda one: one[:2]):
        found = found.and_(_while(factor, shares(part, forecast, service.timezone)))
    return found


def _constant(part: Scenario, metric: str) -> list[float]:
    """Factors on a series for the whole horizon."""
    found = [] if part.growth is None else [part.growth]
    if metric == "cpu" and part.vcpu_per_request_times is not None:
        found.append(part.vcpu_per_request_times)
    return found


def _passing(part: Scenario, service: Service) -> list[float]:
    """Factors on load from the scenario's start to its end."""
    found = [] if part.uplift is None else [part.uplift]
    if part.hit_ratio_from is not None and part.hit_ratio_to is not None:
        found.append(origin_times(part.hit_ratio_from, part.hit_ratio_to, part.cacheable))
    if part.lose_region and (times := region_times(service, part.lose_region)) != 1:
        found.append(times)
    return found


def origin_times(today: float, then: float, cacheable: float = 1.0) -> float:
    """Load of the origin behind a cache over today's, for another hit ratio among the cacheable share of requests.

    Source: what passes is 1 - hit ratio x cacheable, as in `planning.caching`.

    >>> round(origin_times(0.9, 0.8), 6), round(origin_times(0.9, 0.0, cacheable=0.5), 6)
    (2.0, 1.818182)
    """
    return (1 - then * cacheable) / (1 - today * cacheable)


def _compounding(percent: float, forecast: Forecast) -> Times:
    """Growth month by month (730 h) from the horizon's start, read in the middle of each interval."""
    since = (forecast.times - forecast.times[0] + forecast.interval / 2) / pd.Timedelta(hours=HOURS_PER_MONTH)
    times = np.asarray((1 + percent / 100) ** since.to_numpy(dtype=float))
    return Times(times, times)


def _while(factor: float, when: Shares) -> Times:
    """1 outside, `factor` inside; at most inside an interval is what its busiest minute may see."""
    peak = when.most if factor >= 1 else when.least
    return Times(1 + (factor - 1) * when.mean, 1 + (factor - 1) * peak)


def _moves(case: Case, ask: Asked) -> list[tuple[Scenario, Service, Service, float]]:
    """(scenario, source, target, share) of all load that moves, in one order for any order of the parts."""
    by_name = {service.name: service for service in ask.services}
    found = []
    for part in sorted(case.parts, key=lambda one: one.name):
        stated = [(by_name[move.source], by_name[move.target], move.share) for move in part.move]
        for source, target, share in [*stated, *_evacuated(part, ask.services)]:
            found.append((part, source, target, share))
    return found


def _evacuated(part: Scenario, services: tuple[Service, ...]) -> list[tuple[Service, Service, float]]:
    """Where the load of a lost region goes that nobody says: to services of the same name elsewhere, in equal shares.

    A service that states its `regions` is told of the loss by their shares instead (`region_times`).
    """
    if not part.lose_region:
        return []
    concerned = [one for one in services if not part.services or one.name in part.services]
    gone = [one for one in concerned if one.region == part.lose_region]
    if not gone and not any(region_times(one, part.lose_region) != 1 for one in concerned):
        regions = ", ".join(sorted({one.region for one in concerned}))
        raise InputError(
            f"scenario {part.name!r}: nothing runs in region {part.lose_region!r}",
            advice=f"Regions are: {regions}; others that share traffic are stated in [[service.regions]].",
        )
    stated = {move.source for move in part.move}
    found = []
    for one in (one for one in gone if one.name not in stated and not one.regions):
        others = [other for other in concerned if other.region != part.lose_region and not other.regions]
        takers = [other for other in others if _own_name(other) == _own_name(one)]
        if not takers:
            raise InputError(
                f"scenario {part.name!r}: nobody takes over {one.name!r} of {part.lose_region}",
                advice="Say who does in [[scenario.move]], or which regions share its traffic in [[service.regions]].",
            )
        found += [(one, taker, 1 / len(takers)) for taker in takers]
    return found


def region_times(service: Service, lost: str) -> float:
    """Load over today's when a region is lost that shares the service's traffic: the rest carry it by their shares.

    >>> shares = [{"region": "eu-west-1", "share": 0.6}, {"region": "us-east-1", "share": 0.4}]
    >>> region_times(Service(name="web", region="us-east-1", regions=shares), "eu-west-1")
    2.5
    >>> region_times(Service(name="web", region="us-east-1"), "eu-west-1")
    1.0
    """
    if service.regions and service.region == lost:
        return 0.0
    gone = sum(one.share for one in service.regions if one.region == lost)
    return 1 / (1 - gone)


def _move(
    part: Scenario,
    pair: tuple[Service, Service],
    share: float,
    forecast: Forecast,
    names: dict[str, str],
    changed: dict[Key, _Change],
) -> None:
    """Take a share of the source's load away and give it to the target, series by series."""
    source, target = pair
    when = shares(part, forecast, source.timezone)
    for metric in moved_metrics(target):
        to, of = Key(names[target.name], metric), Key(names[source.name], metric)
        if to not in changed:
            continue
        if of not in changed:
            raise InputError(
                f"scenario {part.name!r}: load of {source.name!r} cannot move to {target.name!r}, which is planned by "
                f"{metric} too",
                advice=f"Forecast {metric} of {source.name!r}, or say growth of {target.name!r} instead.",
            )
        own = changed[of].own
        changed[to].taken.append((of, Times(own.mean * share * when.mean, own.peak * share * when.most)))
    for metric in moved_metrics(source):
        if (of := Key(names[source.name], metric)) in changed:
            changed[of].left.append((share * when.mean, share * when.least))


def _own_name(service: Service) -> str:
    """A service's name without the region and cluster it may be told apart by."""
    return service.resource_id.rsplit("/", 1)[-1]
