"""Data quality as findings. (being written)"""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from capacity.config import Service
from capacity.findings import Finding, Findings
from capacity.history.history import History


def negatives(frame: pd.DataFrame) -> list[Finding]:
    return []


def check_quality(history: History, services: Sequence[Service] = ()) -> Findings:
    return history.findings
