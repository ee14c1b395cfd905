"""Which load points of a test say something of an SLO, and what to answer where none does."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.loadtest.checks import SYNCHRONISED, UNEVEN

#: Successes beyond a quantile below which it is not trusted: p95 of 200 samples, p99 of 1,000 (loadtest.md 5.1).
BEYOND: Final = 10


def unusable(row: Any, latency: float, quantile: float) -> str:
    """Why a load point says nothing of the SLO; empty if it does."""
    if bool(row.saturated):
        return "saturated"
    if row.loop == "closed":
        return "a closed loop, whose latency is not SLO capacity"
    if not bool(row.steady):
        return f"not steady: {row.reason}" if row.reason else "not steady"
    if _synchronised(row.dispersion, row.arrivals_per_s):
        return "arrivals synchronised (users fire together), latency not usable"
    successes = row.samples * (1 - (row.error_share if np.isfinite(row.error_share) else 0.0))
    if successes * (1 - quantile) < BEYOND:
        return f"{row.samples:.0f} samples are too few for p{100 * quantile:g}"
    return "" if np.isfinite(latency) and np.isfinite(row.throughput_per_s) else "latency not known"


def _synchronised(dispersion: float, arrivals: float) -> bool:
    """Whether users fired together: counts per tenth of a second are far from Poisson's, and far from each other."""
    return bool(dispersion > SYNCHRONISED and np.sqrt(dispersion / (arrivals / 10)) > UNEVEN)  # NaN: not known


def refusal(steps: pd.DataFrame, why: list[str], tasks: int) -> InputError:
    """No load point is usable: say why, and what the test does tell."""
    if not len(steps):
        return InputError("the load test has no load points: hold the load for a while at each of several rates")
    plateau = ""
    if (steps["loop"] == "closed").all():
        plateau = f" What it does tell: {_plateau(steps, tasks)}."
    return InputError(
        f"no load point of this test can say what a task carries within the SLO: {reasons(steps, why)}.{plateau} "
        "Measure with open arrivals (a rate held for minutes, users spread in time), from well below to above the load "
        "you expect: `capacity loadtest generate` writes such a test."
    )


def _plateau(steps: pd.DataFrame, tasks: int) -> str:
    """The law of throughput by requests in flight: what a closed test is good for."""
    from capacity.loadtest.models.choice import fit_scaling

    try:
        law = str(fit_scaling(steps["in_flight"].clip(lower=1.0), steps["throughput_per_s"]).best)
    except InputError:
        law = f"at most {steps['throughput_per_s'].max():.4g}/s were served"
    return f"{law} (requests/s of {tasks} task{'s' if tasks > 1 else ''}, not SLO capacity)"


def first_failure(steps: pd.DataFrame, points: pd.DataFrame, fine: np.ndarray, error_budget: float) -> float:
    """Lowest rate at which errors broke their budget or the service was saturated; infinite if none."""
    rates = points["throughput_per_s"].to_numpy(dtype=float)[~fine]
    broken = steps["saturated"].to_numpy(dtype=bool) | (
        steps["error_share"].fillna(0.0).to_numpy(dtype=float) > error_budget
    )
    rates = np.append(rates, steps["throughput_per_s"].to_numpy(dtype=float)[broken])
    rates = rates[np.isfinite(rates)]
    return float(rates.min()) if len(rates) else float("inf")


def reasons(steps: pd.DataFrame, why: list[str]) -> str:
    """Load points by what is wrong with them: "a closed loop (steps 1, 2); saturated (step 3)"."""
    named: dict[str, list[int]] = {}
    for step, reason in sorted(zip(steps["step"], why, strict=True)):
        if reason:
            named.setdefault(reason, []).append(int(step))
    parts = [
        f"{reason} (step{'s' if len(numbers) > 1 else ''} {', '.join(map(str, numbers))})"
        for reason, numbers in named.items()
    ]
    return "; ".join(parts)
