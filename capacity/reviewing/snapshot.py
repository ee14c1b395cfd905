"""`Snapshot`: a plan with everything it was made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from capacity.config import Config
from capacity.demand import Demand
from capacity.findings import NO_FINDINGS, Findings
from capacity.planning.plans import Decision


@dataclass(frozen=True, eq=False)
class Snapshot:
    """A plan as it was: what went in, what came out, and who said so when.

    about      format, capacity_version, packages, created_at (when it was saved), fingerprint of the inputs, seed
    config     settings in force: services, goal, prices, accounts, events, budgets
    demand     what was forecast from
    plan       `schema.PLAN`, a row a service and interval
    limits     `schema.LIMITS`
    cost       `schema.COST`
    decisions  what was recommended, most urgent first
    quantiles  of the forecast, a row a service, metric and interval: mean and a column a level (p1 ... p99)
    peaks      of its paths, a row a service, metric and window (day, horizon): quantiles of the largest value
    counts     a row a service and interval: quantiles over paths of the tasks needed
    policies   service -> the recommended policy as plain data; empty where none was made
    """

    about: Mapping[str, Any]
    config: Config
    demand: Demand
    plan: pd.DataFrame
    limits: pd.DataFrame
    cost: pd.DataFrame
    decisions: tuple[Decision, ...]
    quantiles: pd.DataFrame
    peaks: pd.DataFrame
    counts: pd.DataFrame
    policies: Mapping[str, Any] = field(default_factory=dict)
    findings: Findings = NO_FINDINGS
