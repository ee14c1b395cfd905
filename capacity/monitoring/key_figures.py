"""`Kpis`: the key figures of each service, this week beside last week and last quarter; how long its limits last."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from capacity.config import Service
from capacity.display import table_html
from capacity.history import History
from capacity.history.history import SeriesKey
from capacity.history.line import counted, how_long
from capacity.monitoring.figures import FIGURES, LEAST_KNOWN, Figure
from capacity.monitoring.lasting import days_until_saturation
from capacity.monitoring.minutes import Minutes, utc
from capacity.monitoring.signals import SIGNALS
from capacity.planning.prices import usd_per_hour
from capacity.schema import KPIS, SATURATION
from capacity.sources.base import Span, microseconds

if TYPE_CHECKING:
    from capacity.planning import Plan

WEEK: Final = pd.Timedelta(days=7)
#: From a week to the one it is compared with: whole weeks, so that weekdays meet.
QUARTER: Final = pd.Timedelta(weeks=13)


@dataclass(frozen=True, eq=False)
class Kpis:
    """Key figures of services.

    frame       `schema.KPIS`: one row a service and figure
    saturation  `schema.SATURATION`: how long limits last, the soonest first; empty without a plan
    """

    frame: pd.DataFrame
    at: pd.Timestamp
    saturation: pd.DataFrame

    def of(self, service: str) -> pd.DataFrame:
        """The figures of one service, by their name."""
        return self.frame[self.frame["service"] == service].set_index("kpi")

    def __str__(self) -> str:
        lines = [f"Key figures of the seven days to {self.at:%Y-%m-%d %H:%M} UTC (a week ago, a quarter ago)"]
        for row in self.frame[self.frame["now"].notna()].itertuples():
            before = ", ".join(_number(value) for value in (row.last_week, row.last_quarter))
            lines.append(f"{row.service} {row.kpi}: {_number(row.now)} {row.unit} ({before})".replace(" 1 (", " ("))
        reached = self.saturation[self.saturation["days"].notna()]
        for row in reached.itertuples():
            when = f"{row.days:.0f} days until" if row.days >= 1 else "within a day"
            lines.append(f"{row.service} {row.limit}: {when} 5 % of the futures have passed {row.value:g} {row.unit}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        services = counted(self.frame["service"].nunique(), "service")
        sentence = f"Key figures of {services}, seven days to {self.at:%Y-%m-%d %H:%M} UTC"
        return table_html(sentence, self.frame.drop(columns=["kind", "meaning"]))

    def plot(self, kpi: str = "cost per million requests") -> Any:
        """A bar a service of one figure, with last week's and last quarter's as the ends of its line."""
        from capacity import charts
        from capacity.errors import InputError

        rows = self.frame[(self.frame["kpi"] == kpi) & self.frame["now"].notna()]
        if rows.empty:
            there = ", ".join(dict.fromkeys(self.frame.loc[self.frame["now"].notna(), "kpi"])) or "none"
            raise InputError(f"no service has a figure {kpi!r}", advice=f"Figures: {there}.")
        around = rows[["last_week", "last_quarter", "now"]]
        low, high = around.min(axis=1).to_numpy(), around.max(axis=1).to_numpy()
        return charts.bars(
            list(rows["service"]), rows["now"].to_numpy(), str(rows["unit"].iloc[0]), kpi, low=low, high=high
        )


def kpis(history: History, services: Iterable[Service], plan: Plan | None = None, at: object = None) -> Kpis:
    """The key figures of services: of the last seven days, the seven before, and the seven of 13 weeks before.

    plan  with it, how long each limit lasts; and what a task costs, where the history holds no bill
    at    the end of the seven days, UTC; default: the end of the history

    A figure is NaN where less than half of the week's minutes is known: a gap is no zero. Minutes in which nobody
    asked are known.
    """
    stamp = history.span.end if at is None else utc(at)
    services = tuple(services)
    rows = [row for service in services for row in _rows(history, service, plan, stamp)]
    frame = pd.DataFrame(rows, columns=KPIS.names).astype(KPIS.types)
    limits = pd.DataFrame(columns=SATURATION.names).astype(SATURATION.types)
    return Kpis(frame, stamp, limits if plan is None else days_until_saturation(plan, history, stamp))


def _rows(history: History, service: Service, plan: Plan | None, at: pd.Timestamp) -> Iterator[dict[str, Any]]:
    if service.name not in history.services or not set(SIGNALS) & set(history.metrics(service.name)):
        return
    usd = None
    if plan is not None:
        from capacity.planning.money.spend import rate_of

        usd = usd_per_hour(service, rate_of(plan, service))
        usd = None if np.isnan(usd) else usd
    quarter = Minutes.of_history(history, service, span=Span(at - QUARTER - WEEK, at), usd_per_task_hour=usd)
    ends = {"now": at, "last_week": at - WEEK, "last_quarter": at - QUARTER}
    weeks = {name: quarter.between(end - WEEK, end) for name, end in ends.items()}
    for figure in FIGURES:
        if not any(week.has(figure.signal, figure.stat) for week in weeks.values()):
            continue
        values = {name: _told(figure, week) for name, week in weeks.items()}
        yield {
            "service": service.name,
            "kpi": figure.name,
            "kind": figure.kind,
            **values,
            "unit": figure.unit,
            "known": _known(figure, weeks["now"]),
            "source": _source(history, weeks["now"], figure),
            "meaning": figure.meaning,
        }


def _told(figure: Figure, week: Minutes) -> float:
    return figure.of(week) if _known(figure, week) >= LEAST_KNOWN else float("nan")


def _known(figure: Figure, week: Minutes) -> float:
    """Share of the minutes with a value, or without anyone who asked."""
    known = np.isfinite(week[figure.signal, figure.stat]) | (week["requests"] == 0)
    return float(known.mean()) if len(known) else 0.0


def _source(history: History, week: Minutes, figure: Figure) -> str:
    """Who says so, at which interval: "files:usage.csv, 1 minute"; of several, each."""
    told = []
    stamps = history.frame["timestamp"].array.asi8
    for name, stat in sorted(week.measured_for(figure.signal, figure.stat)):
        seconds = week.seconds[name, stat]
        for size in map(int, np.unique(seconds[seconds > 0])):
            rows = history.keys.get(SeriesKey(week.service.name, name, stat, size))
            if rows is not None:
                last = rows.start + int(np.searchsorted(stamps[rows], microseconds(week.times[-1]), "right")) - 1
                source = history.frame["source"].iloc[max(last, rows.start)]
                told.append(f"{source}, {how_long(pd.Timedelta(seconds=size))}")
    return "; ".join(dict.fromkeys(told))


def _number(value: float) -> str:
    return "not known" if np.isnan(value) else f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
