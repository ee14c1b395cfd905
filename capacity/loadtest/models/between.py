"""A rate at the SLO by a model, for tests without a load point just above it: never beyond what was measured."""

from __future__ import annotations

import numpy as np
import pandas as pd

from capacity.errors import InputError


def by_law(
    points: pd.DataFrame,
    latency: np.ndarray,
    steps: pd.DataFrame,
    slo_ms: float,
    quantile: float,
    workers: int | None,
    tasks: int,
) -> tuple[float, str] | None:
    """(b): the mean by the USL of all load points, times the ratio of quantile to mean at the highest usable one.

    None where the USL is not what the points speak for: at a hard ceiling the mean says nothing before it is too late.
    """
    from capacity.loadtest.models.choice import fit_scaling
    from capacity.loadtest.models.usl import UniversalScalability

    known = steps[steps["in_flight"].notna() & steps["throughput_per_s"].notna()]
    try:
        law = fit_scaling(known["in_flight"], known["throughput_per_s"]).best
    except InputError:
        return None
    if not isinstance(law, UniversalScalability):
        return None
    mean = points["mean_ms"].to_numpy(dtype=float)[-1]
    ratio = latency[-1] / mean
    rate = law.throughput_at(slo_ms / ratio / 1000)
    if not np.isfinite(rate):
        return None
    return rate, f"{law}, times p{100 * quantile:g}/mean {ratio:.3g} of the highest load point that was usable"


def by_queue(
    points: pd.DataFrame,
    latency: np.ndarray,
    steps: pd.DataFrame,
    slo_ms: float,
    quantile: float,
    workers: int | None,
    tasks: int,
) -> tuple[float, str] | None:
    """(c): an M/G/c queue in each task; service times from the lowest load point, c from `workers` or the ceiling."""
    from scipy.optimize import brentq
    from scipy.special import ndtri

    from capacity.loadtest.models.queueing import Queue
    from capacity.loadtest.models.service_time import Lognormal

    mean, middle, tail = (float(points[name].iloc[0]) for name in ("mean_ms", "p50_ms", "p95_ms"))
    if not (np.isfinite([mean, middle, tail]).all() and tail > middle > 0):
        return None
    spread = np.log(tail / middle) / ndtri(0.95)
    service = Lognormal(mean / 1000, float(np.sqrt(np.expm1(spread**2))))
    if workers is None:
        workers = round(float(steps["throughput_per_s"].max()) / tasks * service.mean)
    if workers < 1 or service.quantile(quantile) * 1000 >= slo_ms:
        return None
    most = workers / service.mean

    def over(rate: float) -> float:
        return Queue(workers, rate, service).response_quantile(quantile) * 1000 - slo_ms

    rate = brentq(over, 0.0, most * (1 - 1e-6), xtol=1e-4 * most)
    words = f"M/G/{workers} per task, service {mean:.3g} ms with CV {service.cv:.2f} from the lowest load point"
    return float(rate) * tasks, words
