"""What more tasks do not lift, or make worse: the maximum, connections, what stands behind the service, retries."""

from __future__ import annotations

import math
from collections.abc import Iterable

from capacity.config import Limit
from capacity.planning.diagnosis.measured import Measured
from capacity.planning.diagnosis.resources import Bound, Situation, largest_load, near, some_time
from capacity.planning.diagnosis.shared import Others
from capacity.planning.words import counted, share


def ceilings(about: Situation, limits: Iterable[tuple[Limit, Others]], measured: Measured) -> list[Bound]:
    """The service's own maximum, then every stated limit with what others take of it."""
    bounds = [maximum(about)]
    for limit, others in limits:
        if limit.kind == "connections":
            bounds += connections(about, limit, others, measured)
        elif limit.kind == "downstream":
            bounds.append(downstream(about, limit, others))
        else:
            bounds.append(retries(about, limit, measured))
    return bounds


def maximum(about: Situation) -> Bound:
    """Today's maximum, against the tasks after every headroom step."""
    most = about.service.max_tasks
    holds = about.holds(lambda tasks: tasks <= most)
    aside = some_time(about.passed)
    words = "; ".join(part for part in (f"{counted(about.tasks)} with every headroom, of {most:,}", aside) if part)
    return Bound("max_tasks", "", about.tasks, most, "tasks", holds, words, aside=aside)


def connections(about: Situation, limit: Limit, others: Others, measured: Measured) -> list[Bound]:
    """Tasks x pool against the total; and the same while a deployment runs old and new tasks side by side."""
    each = limit.per_task if limit.per_task is not None else measured.connections_per_task
    if each is None:
        why = "not known what one task holds: state per_task, or bring connections and running_tasks in the history"
        return [Bound("connections", limit.name, math.nan, limit.total or math.nan, "connections", math.nan, why)]
    source = ", measured over 28 days" if limit.per_task is None else ""
    bounds = [_pools(about, limit, others, each, 100, source)]
    if about.service.maximum_percent > 100:
        bounds.append(_pools(about, limit, others, each, about.service.maximum_percent, source))
    return bounds


def _pools(about: Situation, limit: Limit, others: Others, each: float, percent: int, source: str) -> Bound:
    """With this percentage of the tasks running at once; ECS rounds it down (reference aws.md 4.2)."""
    total = limit.total or math.nan

    def held(load: float) -> float:
        return about.tasks_at(load) * percent // 100 * each + others.at(load)

    now = held(1.0)
    deploying = percent > 100
    words = f"{counted(about.tasks * percent // 100)} × {each:.4g}{others.words} = {_whole(now)} of {total:,.10g}"
    words += f", old and new tasks at maximum_percent {percent}" if deploying else ""
    return Bound(
        kind="deploying" if deploying else "connections",
        name=limit.name,
        demand=now,
        carries=total,
        unit="connections",
        binds_at=largest_load(lambda load: held(load) <= total),
        evidence=words + source + others.doubt,
        others=others.at(1.0),
    )


def downstream(about: Situation, limit: Limit, others: Others) -> Bound:
    """Calls a second that requests cause, against what is taken; the count of tasks does not matter."""
    total = limit.total or math.nan
    if "requests" not in about.peak.demand:
        why = "not known how many requests come: bring requests"
        return Bound("downstream", limit.name, math.nan, total, "calls/s", math.nan, why)
    requests = about.peak.at_level("requests")
    growing = requests * limit.per_request + others.growing
    words = f"{requests:,.4g} requests/s × {limit.per_request:.4g}{others.words} = {_whole(growing + others.fixed)} of "
    return Bound(
        kind="downstream",
        name=limit.name,
        demand=growing + others.fixed,
        carries=total,
        unit="calls/s",
        binds_at=near((total - others.fixed) / growing) if growing > 0 else math.inf,
        evidence=f"{words}{total:,.10g} calls/s{others.doubt}",
        others=others.at(1.0),
    )


def retries(about: Situation, limit: Limit, measured: Measured) -> Bound:
    """What a disturbance multiplies arrivals by, against the tasks that the maximum allows.

    Below `binds_at` the service can serve even the repeated requests, and recovers by itself; above it, a disturbance
    at the peak keeps itself going.
    """
    times = amplified(limit.retries or 0, limit.error_share)
    asked, most = about.tasks_at(times), about.service.max_tasks
    holds = about.holds(lambda tasks: tasks <= most) / times
    lately = f"; {share(measured.error_share)} failed lately" if measured.error_share is not None else ""
    words = (
        f"if {share(limit.error_share)} fail and clients ask up to {limit.retries} times more, arrivals are "
        f"{times:.3g} times as many: {counted(asked)} of {most:,}{lately}"
    )
    return Bound("retries", limit.name, asked, most, "tasks", holds, words)


def amplified(retries: int, error_share: float) -> float:
    """Arrivals for one request when each attempt fails with this share: 1 + e + e^2 + ... up to `retries`.

    >>> amplified(3, 1.0), amplified(2, 0.5)
    (4.0, 1.75)
    """
    return float(sum(error_share**attempt for attempt in range(retries + 1)))


def _whole(amount: float) -> str:
    """At least four digits, and every digit before the point."""
    return f"{amount:,.0f}" if amount >= 1000 else f"{amount:,.4g}"
