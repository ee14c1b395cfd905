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
    measured = rows[rows["source"].astype("str").str.startswith(_NONZERO_ONLY) & (rows["stat"] == "mean")]
    added, findings = [], []
    for (service, seconds), part in measured.groupby(["service", "interval"], observed=True, sort=True):
        asked = part[part["metric"] == "requests"]
        if len(asked) == 0:
            continue
        ran = part[(part["metric"] == "running_tasks") & (part["value"] > 0)]["timestamp"]
        ran = ran[(ran > asked["timestamp"].min()) & (ran < asked["timestamp"].max())]
        quiet = ran[~np.isin(ran.to_numpy(), asked["timestamp"].to_numpy())]
        if len(quiet):
            zeros = asked.iloc[[0] * len(quiet)].assign(timestamp=quiet.array, value=0.0)
            added.append(zeros)
            findings.append(_told(str(service), int(seconds), len(quiet), len(asked)))
    return (pd.concat([rows, *added], ignore_index=True) if added else rows), findings


def _told(service: str, seconds: int, quiet: int, asked: int) -> Finding:
    message = (
        f"in {quiet:,} of {quiet + asked:,} intervals of {seconds} s tasks ran and CloudWatch reported no request: "
        "it reports none where there were none, so these count as zero."
    )
    return Finding(service, "requests", "quiet", "PASS", message, count=quiet)
