"""`History`: observations, kept. What every later room starts from."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from capacity.findings import NO_FINDINGS, Findings


@dataclass(frozen=True, eq=False)
class History:
    """Observations, deduplicated, each row with source and fetch time: the table `schema.HISTORY`, sorted by its key.

    `service`, `metric`, `stat` and `source` are categorical columns. Intervals without a row are gaps.
    """

    frame: pd.DataFrame
    findings: Findings = NO_FINDINGS  # what reading it brought to light
