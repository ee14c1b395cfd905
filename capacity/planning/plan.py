"""`Plan`: what to run, when limits are reached, what it costs, and why each count is what it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pandas as pd

from capacity.config import Account, Goal, Rate, Service
from capacity.display import table_html
from capacity.findings import NO_FINDINGS, Findings
from capacity.forecasting.forecast import Forecast

DecisionKind = Literal["raise_max", "lower_max", "raise_min", "lower_min", "raise_quota", "resize", "fix_data", "watch"]


@dataclass(frozen=True)
class Decision:
    """One thing a person should do, with the evidence in one breath.

    sentence     "Raise `checkout` max from 40 to 64 before 14 January 2027, 92 % sure."
    because      the reason, with numbers and units
    probability  of the event that makes it necessary, within the horizon
    before       last day to act: when 5 % of paths are past the limit, less the time a change takes
    usd_per_month  what it changes in spend, if anything
    """

    kind: DecisionKind
    service: str
    sentence: str
    because: str
    probability: float
    before: pd.Timestamp | None = None
    current: float | None = None
    proposed: float | None = None
    unit: str = "tasks"
    owner: str = ""
    usd_per_month: float | None = None


@dataclass(frozen=True, eq=False)
class Plan:
    """Tasks for every service and interval, from the paths of a forecast.

    frame      `schema.PLAN`: one row a service and interval, with every step that led to the count
    limits     `schema.LIMITS`
    cost       `schema.COST`
    decisions  most urgent first
    needs      service -> (P, H) fractional tasks each path needs, after all headroom, before rounding and bounds
    """

    frame: pd.DataFrame
    limits: pd.DataFrame
    cost: pd.DataFrame
    decisions: tuple[Decision, ...]
    services: tuple[Service, ...]
    goal: Goal
    rates: tuple[Rate, ...]  # the price of each region and architecture in use, with its date and source
    accounts: tuple[Account, ...]
    forecast: Forecast
    needs: dict[str, np.ndarray] = field(repr=False, default_factory=dict)
    findings: Findings = NO_FINDINGS

    def service_named(self, name: str) -> Service:
        return next(service for service in self.services if service.name == name)

    def of(self, service: str) -> pd.DataFrame:
        """The rows of one service, indexed by time."""
        return self.frame[self.frame["service"] == service].set_index("timestamp")

    def _repr_html_(self) -> str:
        return table_html(f"Plan: {len(self.services)} services, {len(self.decisions)} decisions", self.frame)
