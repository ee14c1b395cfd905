"""Minutes without a request: CloudWatch reports a request count only where there were any (docs/decisions/0007)."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from capacity.findings import Finding

#: Sources whose RequestCount has "Reporting criteria: There is a nonzero value" (Elastic Load Balancing user guide,
#: "CloudWatch metrics for your Application Load Balancer").
_NONZERO_ONLY: Final = "cloudwatch:"


def with_quiet(rows: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """The rows, with zeros where it is known that nothing was asked; and one finding a service that says so.

    rows  of `schema.HISTORY`

    An interval counts as quiet when CloudWatch reported running tasks of the service in it, so that it was delivering,
    and no requests, while it did report some before and after. All else stays a gap: no running task, a delivery that
    failed, requests that some other source measured, time before a load balancer was there.
    """
    theirs = [name for name in rows["source"].cat.categories if name.startswith(_NONZERO_ONLY)]
    measured = rows[(rows["source"].isin(theirs) & (rows["stat"] == "mean")).to_numpy()]
    added, findings = [], []
    for (service, seconds), part in measured.groupby(["service", "interval"], observed=True, sort=True):
        asked = part[(part["metric"] == "requests").to_numpy()]
        ran = part[((part["metric"] == "running_tasks") & (part["value"] > 0)).to_numpy()]
        quiet = _quiet(asked["timestamp"].array.asi8, ran["timestamp"].array.asi8)
        if quiet.any():
            stamps = ran["timestamp"].array[quiet]
            added.append(asked.iloc[[0] * len(stamps)].assign(timestamp=stamps, value=0.0))
            findings.append(_told(str(service), int(seconds), len(stamps), len(asked)))
    return (pd.concat([rows, *added], ignore_index=True) if added else rows), findings


def _quiet(asked: np.ndarray, ran: np.ndarray) -> np.ndarray:
    """Which of the intervals with running tasks had no request, though there were some before and after.

    >>> _quiet(np.array([2, 5]), np.array([1, 2, 3, 4, 5, 6])).tolist()
    [False, False, True, True, False, False]
    """
    if len(asked) == 0:
        return np.zeros(len(ran), dtype=bool)
    inside = (ran > asked.min()) & (ran < asked.max())
    return np.asarray(inside & ~np.isin(ran, asked))


def _told(service: str, seconds: int, quiet: int, asked: int) -> Finding:
    message = (
        f"in {quiet:,} of {quiet + asked:,} intervals of {seconds} s tasks ran and CloudWatch reported no request: "
        "it reports none where there were none, so these count as zero."
    )
    return Finding(service, "requests", "quiet", "PASS", message, count=quiet)
