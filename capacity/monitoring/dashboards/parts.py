"""What stands on a dashboard, as values: the same pages for CloudWatch and for Grafana."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd

from capacity.config import Service
from capacity.config.slo import Slo
from capacity.monitoring.alarm import Alarm
from capacity.monitoring.facts import amount
from capacity.monitoring.markdown import Markdown
from capacity.monitoring.profile import Profile

#: Columns of the grid, of CloudWatch as of Grafana.
COLUMNS: Final = 24

Measure = Literal["signal", "burn", "budget"]
Role = Literal["promise", "target", "limit", "plan", "full"]

#: Colours that are told apart by those who see red and green alike (Okabe and Ito, "Color Universal Design", 2008).
COLOURS: Final[dict[str, str]] = {
    "measured": "#0072B2",
    "second": "#56B4E9",
    "plan": "#E69F00",
    "target": "#009E73",
    "full": "#CC79A7",
    "promise": "#D55E00",
    "limit": "#D55E00",
}


@dataclass(frozen=True)
class Line:
    """What is measured: a signal of a service, or how fast its error budget burns, or what is left of it.

    signal   a name of `monitoring.signals.SIGNALS`
    factor   what values are multiplied by, to be in the chart's unit
    slo      whose budget; minutes: over which it burns
    """

    service: Service
    signal: str
    label: str
    stat: str = "mean"
    factor: float = 1.0
    measure: Measure = "signal"
    slo: Slo | None = None
    minutes: int = 5
    colour: str = COLOURS["measured"]


@dataclass(frozen=True)
class Level:
    """A value that does not change with time, in the chart's unit."""

    value: float
    label: str
    role: Role

    @property
    def words(self) -> str:
        """Label and value, as they stand beside the line.

        >>> Level(70.588, "full", "full").words, Level(1200.0, "quota", "limit").words
        ('full: 70.6', 'quota: 1,200')
        """
        return f"{self.label}: {amount(self.value)}"


@dataclass(frozen=True)
class Band:
    """A value for each hour of the week, in the chart's unit: one edge of what the plan expects, or of an alarm.

    over  label of the edge below it: the space between them is filled; empty: a line alone
    """

    profile: Profile
    label: str
    role: Role = "plan"
    over: str = ""


@dataclass(frozen=True)
class Chart:
    """Live values with what was planned of them.

    kind    "time": over time; "number": one value over the whole `days`
    bands   the lower edge first
    marks   (moment, label)
    """

    title: str
    unit: str
    lines: tuple[Line, ...]
    levels: tuple[Level, ...] = ()
    bands: tuple[Band, ...] = ()
    marks: tuple[tuple[pd.Timestamp, str], ...] = ()
    kind: Literal["time", "number"] = "time"
    days: int = 14
    width: int = 12
    height: int = 6


@dataclass(frozen=True)
class Words:
    """Text, in Markdown; a link to `dashboard:NAME` leads to that page, wherever it is drawn (`linked`)."""

    markdown: Markdown
    width: int = COLUMNS
    height: int = 6


@dataclass(frozen=True)
class AlarmList:
    """How some alarms stand; `firing`: only those that fire now are shown."""

    alarms: tuple[Alarm, ...]
    title: str = "Alarms"
    width: int = COLUMNS
    height: int = 3
    firing: bool = False


Part = Chart | Words | AlarmList


@dataclass(frozen=True)
class Page:
    """One dashboard: rows of parts from top to bottom.

    name     as CloudWatch takes it: letters, digits, - and _
    service  whose it is; empty: the fleet's
    """

    name: str
    title: str
    rows: tuple[tuple[Part, ...], ...]
    service: str = ""
    region: str = "us-east-1"

    @property
    def parts(self) -> tuple[Part, ...]:
        return tuple(part for row in self.rows for part in row)


@dataclass(frozen=True)
class Box:
    """Where a part stands on the grid, in columns and rows of it."""

    x: int
    y: int
    width: int
    height: int


def placed(page: Page, taller: float = 1.0) -> list[tuple[Part, Box]]:
    """Every part with its place: rows below each other, each as high as its highest part.

    taller  what heights are multiplied by: a row of Grafana's grid is lower than one of CloudWatch's
    """
    found, y = [], 0
    for row in page.rows:
        x, height = 0, max((round(part.height * taller) for part in row), default=0)
        for part in row:
            found.append((part, Box(x, y, part.width, height)))
            x += part.width
        y += height
    return found


def linked(markdown: str, address: Callable[[str], str]) -> str:
    """Links to pages by name, as links to where they are.

    >>> linked("[web](dashboard:capacity-service-web)", "/d/{}".format)
    '[web](/d/capacity-service-web)'
    """
    return re.sub(r"\]\(dashboard:([A-Za-z0-9_-]+)\)", lambda found: f"]({address(found[1])})", markdown)
