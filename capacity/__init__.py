"""Capacity forecasting and planning for AWS ECS: how much, how sure, and what the autoscaler should say.

One chain, one uncertainty: usage history becomes absolute demand, demand becomes sample paths, paths become task
counts, dates when limits are reached and dollars, those become a rehearsed scaling policy, and all of it a report.

Names are imported when first used: `import capacity` alone loads neither pandas nor anything heavier.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from capacity._version import __version__ as __version__

if TYPE_CHECKING:
    from capacity import loadtest as loadtest
    from capacity.config import Config, Event, Goal, Service, TaskCapacity, load_config
    from capacity.demand import Demand as Demand
    from capacity.demand import estimate_demand
    from capacity.errors import CapacityError
    from capacity.fleet import Chain
    from capacity.forecasting import Backtest as Backtest
    from capacity.forecasting import Forecast, backtest, forecast
    from capacity.history import History, Store, check_quality, fetch, read
    from capacity.monitoring import (
        Alarms as Alarms,
    )
    from capacity.monitoring import (
        Dashboard as Dashboard,
    )
    from capacity.monitoring import (
        Runbooks as Runbooks,
    )
    from capacity.monitoring import (
        alarms,
        dashboard,
        runbooks,
    )
    from capacity.planning import Plan, plan
    from capacity.reporting import Report as Report
    from capacity.reporting import report
    from capacity.reviewing import Review as Review
    from capacity.reviewing import Snapshot as Snapshot
    from capacity.reviewing import review
    from capacity.samples import load_sample
    from capacity.scaling import Policy, elasticity, recommend_policy, simulate
    from capacity.scaling import Simulation as Simulation
    from capacity.sources.aws.ecs import discover

#: Public name -> the room it lives in.
_HOMES = {
    "Alarms": "monitoring",
    "Backtest": "forecasting",
    "CapacityError": "errors",
    "Chain": "fleet",
    "Config": "config",
    "Dashboard": "monitoring",
    "Demand": "demand",
    "Event": "config.event",
    "Forecast": "forecasting",
    "Goal": "config",
    "History": "history",
    "Plan": "planning",
    "Policy": "scaling",
    "Report": "reporting",
    "Review": "reviewing",
    "Runbooks": "monitoring",
    "Service": "config",
    "Simulation": "scaling",
    "Snapshot": "reviewing",
    "Store": "history",
    "TaskCapacity": "config",
    "alarms": "monitoring",
    "backtest": "forecasting",
    "check_quality": "history",
    "dashboard": "monitoring",
    "discover": "sources.aws.ecs",
    "elasticity": "scaling",
    "estimate_demand": "demand",
    "fetch": "history",
    "forecast": "forecasting",
    "load_config": "config",
    "load_sample": "samples",
    "plan": "planning",
    "read": "history",
    "recommend_policy": "scaling",
    "report": "reporting",
    "review": "reviewing",
    "runbooks": "monitoring",
    "simulate": "scaling",
}

#: What functions answer: named where a type is wanted, never made by hand, so not among the names of `__all__`.
_ANSWERS = {"Alarms", "Backtest", "Dashboard", "Demand", "Report", "Review", "Runbooks", "Simulation", "Snapshot"}

__all__ = [
    "CapacityError",
    "Chain",
    "Config",
    "Event",
    "Forecast",
    "Goal",
    "History",
    "Plan",
    "Policy",
    "Service",
    "Store",
    "TaskCapacity",
    "alarms",
    "backtest",
    "check_quality",
    "dashboard",
    "discover",
    "elasticity",
    "estimate_demand",
    "fetch",
    "forecast",
    "load_config",
    "load_sample",
    "plan",
    "read",
    "recommend_policy",
    "report",
    "review",
    "runbooks",
    "simulate",
]

#: Rooms that are used by their own name: `capacity.loadtest.read("results.jtl")`.
_ROOMS = ("loadtest",)


def __getattr__(name: str) -> Any:
    if name in _ROOMS:
        return import_module(f"capacity.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'capacity' has no attribute {name!r}")
    value = getattr(import_module(f"capacity.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES, *_ROOMS})
