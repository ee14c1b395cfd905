"""Laws that hold for any queue: utilisation, Little, asymptotic bounds; and the memory of requests in flight."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from capacity.errors import InputError
from capacity.findings import Finding, Findings
from capacity.loadtest.models.points import Values, rates

#: Requests in flight and throughput times response may differ by this share before a reader is to be doubted: on every
#: step of the reference runs they agree within 0.2 % (reference loadtest.md 5.1).
LITTLE: Final = 0.03


def service_demand(utilisation: float, cores: float, throughput: float) -> float:
    """Seconds of processor time a request costs: D = U cores / X.

    utilisation  busy share of the cores, 0 to 1; idle use taken off before. Source: Denning and Buzen (1978).

    >>> service_demand(0.60, cores=2, throughput=40)
    0.03
    """
    if not throughput > 0:
        raise InputError(f"throughput is {throughput:g} per second: the cost of a request needs requests")
    return utilisation * cores / throughput


def utilisation(throughput: float, demand: float, cores: float) -> float:
    """Busy share of the cores at this throughput: U = X D / cores. Above 1: it cannot be served.

    >>> utilisation(40, demand=0.03, cores=2)
    0.6
    """
    return throughput * demand / cores


def most_throughput(demands: Values, *, in_flight: float | None = None, thinking: float = 0.0) -> float:
    """The bound no tuning of the load passes: X <= 1 / D_max, and X <= N / (sum D + Z) with N requests in flight.

    demands  seconds at each resource a request visits, over its servers; thinking  seconds between requests (closed)

    >>> most_throughput([0.005, 0.020])
    50.0
    >>> most_throughput([0.005, 0.020], in_flight=1)
    40.0
    """
    times = rates(demands)
    if times.ndim != 1 or not len(times) or not (times >= 0).all() or not times.max() > 0:
        raise InputError("demands have to be seconds at each resource, at least one above 0")
    bound = 1 / float(times.max())
    return bound if in_flight is None else min(bound, in_flight / (float(times.sum()) + thinking))


def little(in_flight: float, throughput: float, mean_seconds: float) -> Finding:
    """Whether L = X R holds, as a finding: PASS within 3 %, FAIL beyond, UNKNOWN for what was not measured.

    >>> little(4.0, 149.2, 0.0268).status, little(95.0, 80.5, 0.0214).status, little(float("nan"), 1, 1).status
    ('PASS', 'FAIL', 'UNKNOWN')
    """
    product = throughput * mean_seconds
    if not np.isfinite([in_flight, product]).all() or in_flight <= 0:
        return Finding("", "", "little's law", "UNKNOWN", "requests in flight or their times were not measured")
    off = product / in_flight - 1
    message = f"throughput x mean response is {product:.3g}, and {in_flight:.3g} requests were in flight ({off:+.1%})"
    advice = "Users or threads are not requests in flight; otherwise rows are missing or counted twice."
    good = abs(off) <= LITTLE
    return Finding("", "", "little's law", "PASS" if good else "FAIL", message, "" if good else advice)


@dataclass(frozen=True, eq=False)
class Memory:
    """What a task holds in memory: GiB when idle, and GiB for each request in flight, with their 95 % intervals."""

    base_gib: float
    gib_per_request: float
    base_interval: tuple[float, float]
    per_request_interval: tuple[float, float]
    points: pd.DataFrame = field(repr=False)  # in_flight, memory_gib, fitted
    findings: Findings = field(default_factory=Findings)

    def at(self, in_flight: float) -> float:
        """GiB with this many requests in flight."""
        return self.base_gib + self.gib_per_request * in_flight


def fit_memory(in_flight: Values, memory_gib: Values, *, level: float = 0.95) -> Memory:
    """Memory of a task by requests in flight, unimpressed by a few points that do not belong.

    in_flight   requests in flight in one task, a value a load point or minute
    memory_gib  GiB it used at the same time

    The slope is the median of all slopes between two points (Theil-Sen), its interval Sen's, by ranks (1968, JASA 63,
    1379): up to a quarter of the points may be wrong. A slope that may be 0 is a finding: memory that grows with time,
    not with load, is a leak or a cache. Raises InputError for fewer than 6 points, or all at one load.

    >>> memory = fit_memory([1, 2, 4, 8, 16, 32, 64], [0.51, 0.52, 0.54, 0.58, 0.66, 0.82, 1.14])
    >>> round(memory.base_gib, 3), round(memory.gib_per_request, 4)
    (0.5, 0.01)
    """
    from scipy.stats import theilslopes

    load, used = rates(in_flight), rates(memory_gib)
    if load.ndim != 1 or load.shape != used.shape:
        raise InputError(f"{load.size} loads and {used.size} amounts of memory: a point needs one of each")
    known = np.isfinite(load) & np.isfinite(used)
    load, used = load[known], used[known]
    if len(load) < 6 or len(np.unique(load)) < 3:
        raise InputError(
            f"memory by requests in flight needs 6 points at 3 loads, and there are {len(load)} at "
            f"{len(np.unique(load))}: take memory at every step of the load test"
        )
    slope, _, low, high = theilslopes(used, load, alpha=level)
    base = float(np.median(used - slope * load))
    slope, low, high = max(float(slope), 0.0), max(float(low), 0.0), max(float(high), 0.0)
    bases = [float(np.median(used - end * load)) for end in (high, low)]
    findings = []
    if low == 0.0:
        message = f"memory does not clearly grow with requests in flight: {slope:.3g} GiB each, {low:.3g} to {high:.3g}"
        advice = "If it grew during the test, look for a leak or a cache; for sizing, take the most that was seen."
        findings.append(Finding("", "memory", "memory by load", "REVIEW", message, advice))
    frame = pd.DataFrame({"in_flight": load, "memory_gib": used, "fitted": base + slope * load})
    return Memory(
        max(base, 0.0),
        slope,
        (max(min(bases), 0.0), max(bases)),
        (low, high),
        frame,
        Findings.of(findings),
    )
