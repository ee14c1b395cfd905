"""Is a fleet's total better forecast by itself than as the sum of its services? `python -m benchmarks.totals`.

Generated fleets with known truth, 16 weeks of hours, a week ahead: services with their own waves, growth and noise, and
levels that wander, partly together. Compared are the sum of the services' paths; the total as a series of its own, by
the same model; and services reconciled with that: paths matched by the rank of their sums, the difference shared by
variance, never below zero. Printed: WQL over the 5, 10, 50, 90, 95, 99 % levels, how often the central 90 % interval
covered, how often P95 was exceeded; means over six fleets of each kind. See docs/decisions on totals for what it says.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.signal import lfilter

from capacity.demand import demand_from
from capacity.forecasting import forecast

LEVELS = (0.05, 0.1, 0.5, 0.9, 0.95, 0.99)
HORIZON = 7 * 24


def fleet(seed: int, services: int, shared: float) -> pd.DataFrame:
    """A column a service; `shared` is the part of the variance of levels that all have in common."""
    rng = np.random.default_rng(seed)
    times = pd.date_range("2026-01-05", periods=16 * 7 * 24, freq="h", tz="UTC")
    hours, weekend = times.hour.to_numpy(), times.day_of_week.to_numpy() >= 5

    def wandering() -> np.ndarray:
        keep = 0.995
        return np.asarray(lfilter([np.sqrt(1 - keep**2)], [1, -keep], rng.standard_normal(len(times))))

    together = wandering()
    columns = {}
    for number in range(services):
        wave = 1 + rng.uniform(0.2, 0.7) * np.cos(2 * np.pi * (hours - rng.uniform(8, 20)) / 24)
        level = 0.12 * (np.sqrt(shared) * together + np.sqrt(1 - shared) * wandering())
        noise = rng.choice([0.05, 0.15, 0.3]) * rng.standard_normal(len(times))
        growth = rng.uniform(-0.1, 0.4) * np.arange(len(times)) / 8766
        quiet = np.where(weekend, rng.uniform(0.5, 1), 1)
        columns[f"s{number}"] = rng.lognormal(2, 1) * wave * quiet * np.exp(level + noise + growth)
    return pd.DataFrame(columns, index=times)


def reconciled(paths: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """(S, P, H) paths of services that add up to (P, H) paths of the total."""
    summed = paths.sum(axis=0)
    rank = np.argsort(np.argsort(summed.sum(axis=1)))
    target = whole[np.argsort(whole.sum(axis=1))][rank]
    variance = paths.var(axis=1)
    moved = np.maximum(paths + (variance / variance.sum(axis=0))[:, None] * (target - summed), 0)
    return moved * (target / np.maximum(moved.sum(axis=0), 1e-12))


def scores(paths: np.ndarray, truth: np.ndarray) -> tuple[float, float, float]:
    """WQL, coverage of the central 90 %, and share above P95; of (P, H) paths."""
    quantiles, levels = np.quantile(paths, LEVELS, axis=0), np.array(LEVELS)[:, None]
    error = truth - quantiles
    wql = 2 * np.maximum(levels * error, (levels - 1) * error).mean(axis=0).sum() / truth.sum()
    inside = (quantiles[0] <= truth) & (truth <= quantiles[4])
    return float(wql), float(inside.mean()), float((truth > quantiles[4]).mean())


def main() -> None:
    rows = []
    for services, shared in ((5, 0.0), (5, 0.7), (20, 0.0), (20, 0.3), (20, 0.7)):
        for seed in range(6):
            load = fleet(seed, services, shared)
            past, truth = demand_from(load.iloc[:-HORIZON]), load.iloc[-HORIZON:].to_numpy().T
            alone = demand_from(load.iloc[:-HORIZON].sum(axis=1))
            paths = forecast(past, HORIZON, model="profile").paths
            whole = forecast(alone, HORIZON, model="profile").paths[0]
            found = {
                "total: sum of paths": scores(paths.sum(axis=0), truth.sum(axis=0)),
                "total: by itself": scores(whole, truth.sum(axis=0)),
            }
            for name, ours in (("service: as forecast", paths), ("service: reconciled", reconciled(paths, whole))):
                mean = np.mean([scores(one, real) for one, real in zip(ours, truth, strict=True)], axis=0)
                found[name] = (float(mean[0]), float(mean[1]), float(mean[2]))
            for name, (wql, covers, above) in found.items():
                rows.append((services, shared, name, wql, covers, above))
    names = ["services", "shared", "what", "WQL", "covers", "P95 exceeded"]
    print(pd.DataFrame(rows, columns=names).groupby(names[:3]).mean().round(3).to_string())


if __name__ == "__main__":
    main()
