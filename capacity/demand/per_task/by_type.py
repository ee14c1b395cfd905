"""What each type of request costs, from counts by type: non-negative least squares of processor time on counts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.demand.per_task.blocks import blocks_of
from capacity.display import table_html
from capacity.errors import HistoryTooShort, InputError, Problem
from capacity.findings import Finding, Findings

#: Beyond this condition number of the scaled counts the mix does not vary enough to tell types apart
#: (Belsley, Kuh and Welsch 1980: from 30 on collinearity harms).
CONDITION: Final = 30.0

#: Intervals whose error is beyond so many robust standard deviations are left out, once.
OUTLIER: Final = 4.0

DRAWS: Final = 200
LEAST: Final = 10  # intervals for each cost that is asked for


@dataclass(frozen=True, eq=False)
class TypeCosts:
    """What a request of each type costs.

    frame      indexed by type: `vcpu_seconds`, `low`, `high` (95 %, from a bootstrap over blocks of time), `share` (of
               the processor time that all requests used)
    base_vcpu  vCPU that an idle task uses
    condition  condition number of the scaled counts: above 30 the types cannot be told apart
    one_type   True if all requests were taken as of one type, because of that: every row has the same cost
    n          intervals it was read from
    """

    frame: pd.DataFrame
    base_vcpu: float
    condition: float
    one_type: bool
    n: int
    findings: Findings

    def per_request(self, mix: dict[str, float]) -> float:
        """vCPU-seconds of a request of this mix: type -> share or count, of those there are.

        Raises InputError for a type that is not known.
        """
        unknown = sorted(set(mix) - set(self.frame.index))
        if unknown or not sum(mix.values()) > 0:
            advice = f"Known: {', '.join(map(str, self.frame.index))}; counts above zero."
            raise InputError(f"no cost of {', '.join(unknown) or 'an empty mix'}", advice=advice)
        total = sum(self.frame.loc[name, "vcpu_seconds"] * share for name, share in mix.items())
        return float(total / sum(mix.values()))

    def __str__(self) -> str:
        costs = ", ".join(f"{name} {cost:.4g}" for name, cost in self.frame["vcpu_seconds"].items())
        return f"vCPU-seconds a request: {costs}; condition number {self.condition:.3g}, {self.n:,} intervals"

    def plot(self) -> Any:
        """A bar a type, with its interval."""
        from capacity import charts

        columns = (1000 * self.frame[name].to_numpy() for name in ("vcpu_seconds", "low", "high"))
        value, low, high = columns
        names = [str(name) for name in self.frame.index]
        title = "What a request of each type costs"
        return charts.bars(names, value, "vCPU-milliseconds a request", title, low=low, high=high)

    def _repr_html_(self) -> str:
        return table_html(str(self), self.frame.reset_index()) + self.findings._repr_html_()


def cost_by_type(
    counts: pd.DataFrame, vcpu: pd.Series, tasks: pd.Series | None = None, *, service: str = "", seed: int = 0
) -> TypeCosts:
    """What a request of each type costs, from production intervals in which the mix varied.

    counts  indexed by time (start of the interval), a column a type: requests/s over all tasks; not negative
    vcpu    vCPU in use over all tasks, indexed alike; leave saturated intervals out, or NaN
    tasks   running tasks, whose idle use is then a cost of its own; None: one constant share for the whole service

    Intervals are matched by their stamps; those that lack a value are left out. Where types rise and fall together
    (condition number above 30) costs by type would be a guess: all requests are taken as of one type, with a finding.
    Source: Zhang, Cherkasova and others 2007 (R-Capriccio): non-negative regression of CPU time on transactions.
    Raises InputError for counts that cannot be; HistoryTooShort for fewer than ten intervals a cost.

    >>> times = pd.date_range("2026-03-02", periods=200, freq="min", tz="UTC")
    >>> rng = np.random.default_rng(0)
    >>> counts = pd.DataFrame({"cart": rng.uniform(5, 50, 200), "search": rng.uniform(5, 50, 200)}, index=times)
    >>> vcpu = 0.4 + counts["cart"] * 0.010 + counts["search"] * 0.030
    >>> cost_by_type(counts, vcpu).frame["vcpu_seconds"].round(4).to_dict()
    {'cart': 0.01, 'search': 0.03}
    """
    _checked(counts, vcpu)
    idle = pd.Series(1.0, index=vcpu.index) if tasks is None else tasks
    table = (
        counts.join(vcpu.rename("_vcpu"), how="inner").join(idle.rename("_tasks"), how="inner").dropna().sort_index()
    )
    table = table[np.isfinite(table.to_numpy(dtype=float)).all(axis=1)]
    names = [name for name in counts.columns if (table[name] > 0).any()]
    need = LEAST * (len(names) + 1)
    if not names or len(table) < need:
        advice = "Bring more intervals in which all counts and the CPU are known."
        raise HistoryTooShort("cost by type of request", have=len(table), need=need, advice=advice)
    y, design = table["_vcpu"].to_numpy(), table[["_tasks", *names]].to_numpy(dtype=float)
    condition = _condition(design)
    one = len(names) > 1 and condition > CONDITION
    findings = []
    if one:
        message = (
            f"the {len(names)} types rise and fall together (condition number {condition:.3g}, above {CONDITION:g}): "
            "their costs cannot be told apart, so every request is taken as of one type."
        )
        advice = "Bring times in which the mix varied (nights, campaigns), or test the types one by one."
        findings.append(Finding(service, "cpu", "one type", "REVIEW", message, advice, count=len(table)))
        design = np.column_stack([design[:, 0], design[:, 1:].sum(axis=1)])
    keep = _usual(design, y)
    start = np.asarray(pd.DatetimeIndex(table.index).as_unit("us").asi8 / 1e6)[keep]
    costs, draws = _solve(design[keep], y[keep]), _drawn(design[keep], y[keep], start, seed)
    low, high = np.quantile(draws, [0.025, 0.975], axis=0)
    place = np.zeros(len(names), dtype=int) + 1 if one else np.arange(1, len(names) + 1)
    frame = pd.DataFrame(
        {
            "vcpu_seconds": costs[place],
            "low": np.minimum(low[place], costs[place]),
            "high": np.maximum(high[place], costs[place]),
        },
        index=pd.Index(names, name="type"),
    )
    used = frame["vcpu_seconds"] * table[names].mean()
    frame["share"] = used / used.sum() if used.sum() > 0 else float("nan")
    findings += _free(frame, service)
    return TypeCosts(frame, float(costs[0]), condition, one, int(keep.sum()), Findings.of(findings))


def _checked(counts: pd.DataFrame, vcpu: pd.Series) -> None:
    problems = []
    for name in counts.columns:
        if (counts[name] < 0).any():
            problems.append(Problem(f"{int((counts[name] < 0).sum())} counts are negative", where=f"type {name}"))
    for what, index in (("counts", counts.index), ("vcpu", vcpu.index)):
        if not isinstance(index, pd.DatetimeIndex):
            problems.append(Problem("is not indexed by time", where=what))
        elif index.has_duplicates:
            problems.append(Problem(f"{int(index.duplicated().sum())} stamps come twice", where=what))
    if problems:
        raise InputError(
            "costs by type cannot be read from these:", problems, "Give requests/s by type and time, once."
        )


def _condition(design: np.ndarray) -> float:
    """Condition number of the columns, each scaled to length one.

    >>> round(_condition(np.eye(3)), 6)
    1.0
    """
    size = np.sqrt((design**2).sum(axis=0))
    return float(np.linalg.cond(design / np.where(size > 0, size, 1.0)))


def _solve(design: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(k,) non-negative costs with the least sum of squares; columns are scaled, so that none is lost in rounding."""
    from scipy.optimize import nnls

    size = np.sqrt((design**2).sum(axis=0))
    size = np.where(size > 0, size, 1.0)
    return np.asarray(nnls(design / size, y)[0] / size)


def _usual(design: np.ndarray, y: np.ndarray) -> np.ndarray:
    """(n,) True where the error of a first fit is usual."""
    rest = y - design @ _solve(design, y)
    scale = 1.4826 * float(np.median(np.abs(rest - np.median(rest))))
    if scale <= 1e-12 * float(np.abs(y).max(initial=0.0)):
        return np.ones(len(y), dtype=bool)
    return np.asarray(np.abs(rest - np.median(rest)) <= OUTLIER * scale)


def _drawn(design: np.ndarray, y: np.ndarray, start: np.ndarray, seed: int) -> np.ndarray:
    """(DRAWS, k) costs from blocks of time drawn with replacement: by the sums of squares of each block."""
    block = blocks_of(start)
    count = int(block.max()) + 1
    size = np.sqrt((design**2).sum(axis=0))
    scaled = design / np.where(size > 0, size, 1.0)
    squares = np.array([scaled[block == number].T @ scaled[block == number] for number in range(count)])
    products = np.array([scaled[block == number].T @ y[block == number] for number in range(count)])
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), size=DRAWS)
    result = np.empty((DRAWS, design.shape[1]))
    for number, times in enumerate(drawn):
        gram = np.tensordot(times, squares, axes=1)
        values, vectors = np.linalg.eigh(gram)
        root = np.sqrt(np.clip(values, 1e-12 * values.max(), None))
        # min |A c - y| has the normal equations of root @ vectors.T: the same non-negative solution from k rows
        rows = root[:, None] * vectors.T
        result[number] = _solve(rows, (vectors.T @ (times @ products)) / root)
    return result / np.where(size > 0, size, 1.0)


def _free(frame: pd.DataFrame, service: str) -> list[Finding]:
    free = [str(name) for name, cost in frame["vcpu_seconds"].items() if cost == 0]
    if not free:
        return []
    message = f"{', '.join(free)} seem to cost nothing: too rare, or never apart from others."
    return [Finding(service, "cpu", "free type", "REVIEW", message, "Read their cost from a load test.")]
