"""A stored plan, made again from what was stored with it."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pandas as pd

from capacity.errors import InputError, Problem
from capacity.findings import Finding, Findings
from capacity.forecasting import forecast
from capacity.forecasting.forecasts import Forecast
from capacity.planning.matching import asked
from capacity.planning.planner import planned
from capacity.planning.plans import Plan
from capacity.reviewing.differing import NUMBERS, PACKAGES, differences
from capacity.reviewing.snapshot import Moment, Snapshot
from capacity.reviewing.taking import NOT_KEPT
from capacity.scaling import recommend_policy

#: The check of the finding about what came out otherwise.
MOVED: Final = "run again"

#: How many packages and numbers a finding spells out.
SHOWN: Final = 5


def rerun(snapshot: Snapshot, created_at: Moment | None) -> Snapshot:
    """See `Snapshot.rerun`."""
    missing = [finding.message for finding in snapshot.findings if finding.check == NOT_KEPT]
    if missing:
        raise InputError(
            "this plan cannot be run again:",
            [Problem(message) for message in missing],
            "It can be opened and reviewed.",
        )
    plan, config, beside = _plan(snapshot), snapshot.config, tuple(snapshot.about["beside"])
    policy = None
    if snapshot.policies:
        policy = recommend_policy(plan, demand=snapshot.demand, seed=config.forecast.seed, beside=beside)
    again = Snapshot.of(plan, config, demand=snapshot.demand, policy=policy, beside=beside, created_at=created_at)
    found = differences(snapshot, again)
    return replace(again, findings=Findings.of(again.findings, _moved(found)))


def _plan(snapshot: Snapshot) -> Plan:
    """As `Chain` does it, at the prices of then."""
    config = snapshot.config
    service = config.service[0] if snapshot.about["alone"] else config.service
    ask = asked(service, config.goal, config.prices, config.account, None, config.budget)
    return planned(_forecast(snapshot), ask._replace(prices=ask.prices.at(snapshot.rates)))


def _forecast(snapshot: Snapshot) -> Forecast:
    config, settings = snapshot.config, snapshot.config.forecast
    made = forecast(
        snapshot.demand,
        config.goal.horizon,
        model=settings.model,
        paths=settings.paths,
        seed=settings.seed,
        services=config.service,
        events=config.event,
        holidays=settings.holidays or None,
    )
    for said in snapshot.overrides:
        made = made.override(
            said.service,
            said.metric,
            said.start,
            said.end,
            multiply=said.multiply,
            to=said.to,
            by=said.by,
            why=said.why,
            made=said.made,
        )
    return made


def _moved(found: pd.DataFrame) -> list[Finding]:
    """What was run by other packages than then, and whether a number moved."""
    others, moved = (found[found["part"] == part] for part in (PACKAGES, NUMBERS))
    if not len(others) and not len(moved):
        return []
    names = [f"{row.item} {row.other or 'none'} instead of {row.this or 'none'}" for row in others.itertuples()]
    by = f"Run again with {listed(names, '; ') or 'the same packages'}"
    if not len(moved):
        return [Finding("", "", MOVED, "PASS", f"{by}: no number moved.")]
    items = [f"{row.item} ({row.rows:,} of them)" for row in moved.itertuples()]
    advice = "The stored plan says what was known then; differs() says how far apart they are."
    if not names:
        advice = f"Another processor may round otherwise; else the file is not what was saved. {advice}"
    message = f"{by}: numbers moved in {listed(items, ', ')}."
    return [Finding("", "", MOVED, "REVIEW", message, advice, count=int(moved["rows"].sum()))]


def listed(names: list[str], between: str) -> str:
    """The first few, and how many more.

    >>> listed(["a", "b", "c", "d", "e", "f"], ", ")
    'a, b, c, d, e and 1 more'
    """
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return between.join(names[:SHOWN]) + more
