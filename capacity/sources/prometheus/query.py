"""One question to a Prometheus server: its text, and what the values of the answer are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from capacity.errors import InputError, Problem, UnitMismatch
from capacity.schema import METRICS, STATS
from capacity.sources.cells import scale

#: A rate looks over this many scrapes: the fewest that bear one missed scrape (Prometheus documentation, `rate`;
#: Grafana's $__rate_interval is four scrapes, too).
SCRAPES: Final = 4
_VARIABLE = re.compile(r"\$\{?(__\w+)\}?")


@dataclass(frozen=True)
class Query:
    """PromQL whose answer has one series a service, and what its values are.

    metric         one of ours (`schema.METRICS`), which fixes the unit that is stored
    promql         the text; `$__interval` stands for the step, `$__rate_interval` for `window`, as in Grafana
    stat           statistic of the values inside an interval (`schema.STATS`)
    service        the service of every value; empty: `service_label` names it
    service_label  label that holds the service's name
    unit           unit of the values; empty: the metric's own
    step           length of an interval, seconds
    scrape         how often targets are scraped, seconds

    >>> Query("requests", "sum by (service) (rate(http_requests_total[$__rate_interval]))", step=15).text
    'sum by (service) (rate(http_requests_total[60s]))'
    """

    metric: str
    promql: str
    stat: str = "mean"
    service: str = ""
    service_label: str = "service"
    unit: str = ""
    step: int = 60
    scrape: int = 15

    def __post_init__(self) -> None:
        if problems := [Problem(fault) for fault in self._faults()]:
            raise InputError(f"this Prometheus query cannot be asked: {self.promql!r}", problems)

    @property
    def window(self) -> int:
        """Seconds a rate looks over: the step, or four scrapes if that is longer.

        >>> Query("requests", "x", step=300, scrape=30).window
        300
        """
        return max(self.step, SCRAPES * self.scrape)

    @property
    def text(self) -> str:
        """What is sent."""
        known = self._variables()
        return _VARIABLE.sub(lambda found: known.get(found[1], found[0]), self.promql)

    @property
    def smoothed(self) -> bool:
        """Whether a value tells of more than its own interval, because a rate needs four scrapes."""
        return self.window > self.step and "__rate_interval" in self.promql

    @property
    def factor(self) -> float:
        """What a value is multiplied by, to be in the metric's own unit; 1 leaves it exactly as it came."""
        return scale(self.metric, self.unit)

    def digest(self, *where: str) -> str:
        """Short name of this question, put to this server: another text, unit or tenant is another question."""
        parts = (*where, self.text, self.service, self.service_label, self.unit)
        return sha256("\0".join(parts).encode()).hexdigest()[:10]

    def __str__(self) -> str:
        return f"{self.metric} ({self.stat})"

    def _variables(self) -> dict[str, str]:
        return {"__interval": f"{self.step}s", "__rate_interval": f"{self.window}s"}

    def _faults(self) -> list[str]:
        """What keeps this from being a question, in words."""
        if self.metric not in METRICS:
            return [f"unknown metric {self.metric!r}. Metrics: {', '.join(METRICS)}"]
        faults = [] if self.stat in STATS else [f"unknown statistic {self.stat!r}. Statistics: {', '.join(STATS)}"]
        try:
            scale(self.metric, self.unit)
        except UnitMismatch as error:
            faults.append(str(error))
        if not self.promql.strip():
            faults.append("there is no PromQL")
        if unknown := sorted({name for name in _VARIABLE.findall(self.promql) if name not in self._variables()}):
            faults.append(
                f"${', $'.join(unknown)}: Grafana fills that in, we do not. Write the duration itself, "
                "$__interval or $__rate_interval"
            )
        if not self.service and not self.service_label:
            faults.append("neither service nor service_label says whose values these are")
        if self.step < 1 or self.scrape < 1:
            faults.append(f"step={self.step} and scrape={self.scrape} have to be seconds, 1 or more")
        return faults
