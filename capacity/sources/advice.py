"""What a provider itself recommends, as a table: a cross-check beside our own plan, never an input of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.display import table_html
from capacity.findings import NO_FINDINGS, Finding, Findings
from capacity.schema import ADVICE

#: What a column holds where the provider says nothing.
_UNSAID = {"float64": np.nan, "str": "", "datetime64[us, UTC]": pd.NaT}


@dataclass(frozen=True, eq=False)
class Advice:
    """Recommendations of a provider: the table `schema.ADVICE`, sorted by service."""

    frame: pd.DataFrame
    findings: Findings = NO_FINDINGS

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], findings: Iterable[Finding] = ()) -> Advice:
        """Advice from rows that name what they know; all else is left unsaid.

        >>> Advice.of([{"service": "web", "suggested_vcpu": 0.5}]).frame["suggested_memory_gib"].isna().tolist()
        [True]
        """
        filled = [{**{c.name: _UNSAID[c.type] for c in ADVICE.columns}, **row} for row in rows]
        frame = pd.DataFrame(filled, columns=ADVICE.names)
        for column in ADVICE.columns:
            if column.type.startswith("datetime"):
                frame[column.name] = pd.to_datetime(frame[column.name], utc=True).astype(column.type)
            else:
                frame[column.name] = frame[column.name].astype(column.type)
        ordered = frame.sort_values(["service", *ADVICE.key], kind="stable").reset_index(drop=True)
        return cls(ordered, Findings.of(findings))

    @classmethod
    def together(cls, parts: Iterable[Advice]) -> Advice:
        """The advice of several accounts or regions as one."""
        every = list(parts)
        rows = [row for part in every for row in part.frame.to_dict(orient="records")]
        return cls.of(rows, Findings.of(*(part.findings for part in every)))

    def __len__(self) -> int:
        return len(self.frame)

    def __str__(self) -> str:
        return f"Advice: {len(self)} recommendations"

    def _repr_html_(self) -> str:
        return table_html(str(self), self.frame)


def beside(advice: Advice, services: Sequence[Service]) -> pd.DataFrame:
    """The advice with our own task size beside it: columns `our_vcpu` and `our_memory_gib`, missing for strangers.

    A service is known by cluster and name at the end of the ARN, else by its name. A difference between `current_*`
    and `our_*` says that capacity.toml is behind what runs.

    >>> theirs = Advice.of([{"service": "web", "current_vcpu": 1.0, "suggested_vcpu": 0.5}])
    >>> beside(theirs, [Service(name="web", task_vcpu=1)])[["suggested_vcpu", "our_vcpu"]].values.tolist()
    [[0.5, 1.0]]
    """
    sizes = {service.name: (service.task_vcpu, service.task_memory_gib) for service in services}
    exact = {(service.region, service.resource_id): sizes[service.name] for service in services}
    ours = []
    for name, resource in zip(advice.frame["service"], advice.frame["resource"], strict=True):
        region, _, path = resource.partition(":ecs:")[2].partition(":")
        ours.append(exact.get((region, path.partition(":")[2]), sizes.get(name, (np.nan, np.nan))))
    return advice.frame.assign(our_vcpu=[vcpu for vcpu, _ in ours], our_memory_gib=[gib for _, gib in ours])
