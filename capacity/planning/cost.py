"""What a plan costs, itemised before it is added, path by path."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from capacity.blocks import blocks
from capacity.config import Rate, Service
from capacity.planning.prices import HOURS_PER_MONTH, billed, price_of
from capacity.planning.steps import whole_tasks
from capacity.schema import COST

_UNITS = {
    "vcpu": "vCPU-hours",
    "memory": "GB-hours",
    "spot_vcpu": "vCPU-hours",
    "spot_memory": "GB-hours",
    "storage": "GB-hours",
    "public_ipv4": "address-hours",
}

#: What costs less on FARGATE_SPOT, and its item there. Storage and addresses cost the same.
ON_SPOT = {"vcpu": "spot_vcpu", "memory": "spot_memory"}

#: Columns of a sum of money over the paths, and the level of each quantile.
LEVELS = {"p5": 0.05, "p50": 0.5, "p95": 0.95}


def following_hours(need: np.ndarray, least: int, most: int, interval_hours: float) -> np.ndarray:
    """Task-hours of each path when tasks follow its load: whole tasks, between the bounds, interval by interval.

    need    (P, H) fractional tasks at the target that is tracked
    result  (P,) task-hours over the horizon

    >>> following_hours(np.array([[0.2, 3.5], [9.9, 0.0]]), least=1, most=8, interval_hours=0.5).tolist()
    [2.5, 4.5]
    """
    hours = [np.clip(whole_tasks(need[some]), least, most).sum(axis=1) for some in blocks(len(need))]
    return np.concatenate(hours) * interval_hours


def spot_hours(need: np.ndarray, service: Service, interval_hours: float) -> np.ndarray:
    """(P,) of the task-hours of `following_hours`, those on FARGATE_SPOT: its share of what is above the base.

    >>> web = Service(name="web", on_demand_base=2, spot_share=0.5)
    >>> spot_hours(np.array([[1.0, 4.0]]), web, interval_hours=1).tolist()
    [1.0]
    """
    tasks = np.clip(whole_tasks(need), service.min_tasks, service.max_tasks)
    return np.asarray(np.maximum(tasks - service.on_demand_base, 0).sum(axis=1) * service.spot_share * interval_hours)


def quantities(service: Service, hours: npt.ArrayLike, on_spot: npt.ArrayLike = 0.0) -> dict[str, np.ndarray]:
    """What is billed for task-hours of which some are on Spot: item -> units.

    >>> web = Service(name="web", task_vcpu=0.5, task_memory_gib=1, spot_share=0.4)
    >>> {item: float(each) for item, each in quantities(web, 10.0, on_spot=4.0).items()}
    {'vcpu': 3.0, 'memory': 6.0, 'spot_vcpu': 2.0, 'spot_memory': 4.0}
    """
    total, spot = np.asarray(hours, dtype=float), np.asarray(on_spot, dtype=float)
    sizes = billed(service)
    found = {item: (total - spot) * sizes[item] for item in ON_SPOT}
    if service.spot_share > 0:
        found |= {name: spot * sizes[item] for item, name in ON_SPOT.items()}
    return found | {item: total * size for item, size in sizes.items() if item not in ON_SPOT}


def usd_of(service: Service, rate: Rate | None, hours: npt.ArrayLike, on_spot: npt.ArrayLike = 0.0) -> np.ndarray:
    """What task-hours cost, the sum of their items; NaN where one has no price."""
    items = quantities(service, hours, on_spot).items()
    return np.asarray(sum(quantity * price_of(rate, item) for item, quantity in items))


def cost_rows(
    service: Service,
    rate: Rate | None,
    path_hours: np.ndarray,
    planned_hours: float,
    path_spot: npt.ArrayLike = 0.0,
    planned_spot: float = 0.0,
) -> pd.DataFrame:
    """`schema.COST` rows of one service: one an item. Without a rate, quantities stay and every USD is NaN.

    path_hours, planned_hours  (P,) task-hours of each path, and those of the plan's own counts
    path_spot, planned_spot    of these, on Spot
    """
    planned = quantities(service, planned_hours, planned_spot)
    rows = []
    for item, quantity in quantities(service, path_hours, path_spot).items():
        price = price_of(rate, item)
        rows.append(
            {
                "service": service.name,
                "item": item,
                "quantity": quantity.mean(),
                "unit": _UNITS[item],
                "rate": price,
                **spread(quantity * price),
                "planned": float(planned[item]) * price,
            }
        )
    return pd.DataFrame(rows, columns=COST.names)


def spread(usd: np.ndarray) -> dict[str, float]:
    """Mean and quantiles of (P,) sums of money; NaN in, NaN out.

    >>> spread(np.array([1.0, 2.0, 3.0]))
    {'usd': 2.0, 'p5': 1.1, 'p50': 2.0, 'p95': 2.9}
    """
    return {"usd": float(usd.mean()), **{name: float(np.quantile(usd, level)) for name, level in LEVELS.items()}}


def total(path_usd: Mapping[str, np.ndarray], planned: Mapping[str, float], horizon_hours: float) -> pd.DataFrame:
    """Spend of the whole fleet over the horizon and for one month of it, summed path by path before quantiles.

    path_usd  service -> (P,) USD over the horizon, NaN for a service without a price
    result    rows `horizon` and `month` (730 h at the horizon's mean rate); `services` counts those in the sum,
              `unpriced` those that are not in it. With none priced, every sum is NaN.
    """
    priced = [name for name, usd in path_usd.items() if np.isfinite(usd).all()]
    paths = sum((path_usd[name] for name in priced), start=np.zeros(1)) if priced else np.full(1, np.nan)
    whole = {**spread(paths), "planned": sum(planned[name] for name in priced) if priced else np.nan}
    table = pd.DataFrame([whole, whole], index=pd.Index(["horizon", "month"], name="over"))
    table.loc["month"] *= HOURS_PER_MONTH / horizon_hours
    return table.assign(services=len(priced), unpriced=len(path_usd) - len(priced))
