"""The verb: a stored plan against what happened, read from top to bottom."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from capacity.config import Config
from capacity.errors import CapacityError, HistoryError, InputError
from capacity.findings import Finding, Findings
from capacity.forecasting.fleets import each_done, shared_by, workers_for
from capacity.history import History, read
from capacity.planning.words import spoken_time
from capacity.reviewing.actuals import actual_of
from capacity.reviewing.coverage import Past, accuracy, coverage, peaks, pit
from capacity.reviewing.decomposing import PARTS, Split, split
from capacity.reviewing.drift import drift
from capacity.reviewing.fates import fates
from capacity.reviewing.promised import Promised
from capacity.reviewing.remarks import remarks
from capacity.reviewing.reviews import Review
from capacity.reviewing.snapshot import Snapshot
from capacity.reviewing.wording import FLEET
from capacity.scaling.policy import Policy
from capacity.schema import REVIEW
from capacity.sources.files import is_store

#: What `plan` may be: a snapshot, a file or folder of them, or several.
Plans = Snapshot | str | Path | Iterable[Snapshot | str | Path]


def review(
    plan: Plans,
    actuals: History | str | Path,
    *,
    policy: Policy | None = None,
    config: Config | None = None,
    now: pd.Timestamp | datetime | str | None = None,
) -> Review:
    """Was the plan right, why not, and what became of what it recommended?

    plan     a Snapshot, its file, a folder of such files, or several. The error, recommendations and drift are those of
             the latest plan of which something has happened; promises are judged over all of them
    actuals  a history that reaches into the plan's horizon, or where to read one
    policy   what is live: its bounds tell whether recommendations were followed
    config   today's settings, likewise; and what has changed in them asks for a new plan
    now      up to when; the end of the actuals when not given

    Only intervals of which demand and running tasks are known are compared, and the share is said. What is not known (a
    price without a bill, the capacity of a task without vCPU) is NaN with a finding, never zero.
    Raises InputError when nothing of any plan has happened, or the actuals know none of its services.
    """
    snapshots = sorted(plans_of(plan), key=lambda one: (one.demand.end, str(one.about.get("created_at", ""))))
    history = actuals if isinstance(actuals, History) else read_as(actuals, config or snapshots[-1].config)
    until = None if now is None else _utc(now)
    pasts, findings = _happened(snapshots, history, until)
    latest = pasts[-1]
    found = splits(latest)
    before = latest.promised.snapshot
    told = fates(
        before.decisions,
        found,
        latest.actual,
        config=config,
        before=before.config,
        policy=policy,
        end=latest.promised.end,
    )
    return Review(
        frame=frame(found),
        coverage=coverage(pasts),
        accuracy=accuracy(pasts),
        pit=pit(pasts),
        peaks=peaks(pasts),
        recommendations=told,
        drift=drift(latest, found, config),
        pasts=tuple(pasts),
        splits=found,
        findings=Findings.of(findings, latest.actual.findings, remarks(latest, found)),
    )


def plans_of(plan: Plans) -> list[Snapshot]:
    """Snapshots, opened. Raises InputError for none, and for one that cannot be opened."""
    from capacity.reviewing.opening import open_snapshot, open_snapshots

    if isinstance(plan, Snapshot):
        return [plan]
    if isinstance(plan, (str, Path)):
        return list(open_snapshots(plan)) if Path(plan).is_dir() else [open_snapshot(plan)]
    found = [one for several in plan for one in plans_of(several)]
    if not found:
        raise InputError("no plan to review", advice="Keep one with: capacity plan --save plans/2026Q4.plan")
    return found


def read_as(path: str | Path, config: Config) -> History:
    """Actuals from a file, folder or store, read as the settings say their columns are called.

    A store speaks our names: what the settings say is of the files it was filled from.
    """
    if is_store(Path(path)):
        return read(path)
    data = config.data
    names = ("columns", "service", "metric", "unit", "timezone")
    said: dict[str, Any] = {name: getattr(data, name) or None for name in names}
    return read(path, **said, interval_seconds=data.interval_seconds)


def _utc(moment: pd.Timestamp | datetime | str) -> pd.Timestamp:
    try:
        stamp = pd.Timestamp(moment)
    except (ValueError, TypeError) as error:
        raise InputError(f"now: {moment!r} is not a time", advice="Write 2026-11-01, or a time of ISO 8601.") from error
    if stamp is pd.NaT:
        raise InputError("now: no time is given", advice="Leave it out to review to the end of the actuals.")
    return stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")


def _happened(
    snapshots: Sequence[Snapshot], history: History, now: pd.Timestamp | None
) -> tuple[list[Past], list[Finding]]:
    """Plans of which something has happened, oldest first; the others are findings, or raise when there is no other."""
    pasts, findings = [], []
    reasons: list[CapacityError] = []
    for snapshot in snapshots:
        try:
            pasts.append(Past(Promised(snapshot), actual_of(history, snapshot, now)))
        except (InputError, HistoryError) as error:
            reasons.append(error)
            why = str(error).split("\n")[0]
            message = f"The plan that begins {spoken_time(snapshot.demand.end)} is not reviewed: {why}"
            findings.append(Finding("", "", "plan", "REVIEW", message, "Bring actuals of its time, or leave it out."))
    if not pasts:
        raise reasons[-1]
    return pasts, findings


def splits(past: Past) -> dict[str, Split]:
    """The error of every service that is planned, measured and not left out."""
    promised, actual = past.promised, past.actual
    known = set(promised.services) & set(actual.ran)
    services = [one for one in promised.snapshot.config.service if one.name in known]
    goal = promised.snapshot.config.goal
    actual.spent  # noqa: B018  computed once, before it is shared
    with shared_by(workers_for(None, len(services))):
        return {one.service.name: one for one in each_done(lambda one: split(one, goal, promised, actual), services)}


def frame(found: dict[str, Split]) -> pd.DataFrame:
    """`schema.REVIEW`: a row a service, and one of all of them.

    The fleet's USD are those of services whose bill is known where there are any, so that its parts add up.
    """
    rows = pd.DataFrame([one.row for one in found.values()], columns=REVIEW.names)
    money = [name for name in REVIEW.names if name.startswith("usd_")]
    compared = rows[rows["hours"] > 0]
    priced = compared[compared["usd_planned"].notna()]
    paid = priced[priced["usd_actual"].notna()]
    hours = compared[["planned", "expected", *PARTS[:-1], "actual", "error", "short"]].sum(min_count=1)
    usd = (paid if len(paid) else priced)[money].sum(min_count=1)
    passed = sum(len(one.times) * one.hours for one in found.values())
    whole = {
        "service": FLEET,
        "hours": float(compared["hours"].max()) if len(compared) else 0.0,
        "share": float(compared["hours"].sum()) / passed if passed else np.nan,
        **hours.to_dict(),
        **usd.to_dict(),
    }
    table = pd.concat([rows, pd.DataFrame([whole], columns=REVIEW.names)], ignore_index=True)
    return table.astype(REVIEW.types)
