"""The pictures of a report, drawn from its document alone, each with words for those who do not see it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity import charts
from capacity.drawing import Theme
from capacity.forecasting.forecasts import level_name
from capacity.reporting import words
from capacity.reporting.outlines import shorter
from capacity.reporting.series import LEVELS, array, grid_of
from capacity.reporting.wording import AT_RISK

#: Widths in pixels: across the page, one of two beside each other, and the page of a phone.
WIDE: Final = 860
HALF: Final = 420
PHONE: Final = 400

#: A limit further away than this many times the highest value drawn would flatten everything else: it is left out.
FAR: Final = 2.2

BUCKET_NAMES: Final = {
    "": "measured",
    "hour": "highest of each hour",
    "day": "highest of each day",
    "week": "highest of each week",
    "4 weeks": "highest of each 4 weeks",
}


@dataclass(frozen=True)
class Picture:
    """One drawing, in the light theme; `svg` gives it in any other. `narrow` is the same, drawn for a phone.

    What has no narrow drawing either fits a phone or scrolls sideways on it.
    """

    name: str
    title: str
    description: str
    light: str
    narrow: str = ""

    def svg(self, theme: Theme = "css") -> str:
        return charts.themed(self.light, theme, name=self.name, describe=(self.title, self.description))

    def narrow_svg(self, theme: Theme = "css") -> str:
        """The phone's drawing, described as well: a page shows one or the other."""
        return charts.themed(self.narrow, theme, name=f"{self.name}-narrow", describe=(self.title, self.description))

    @property
    def across(self) -> bool:
        """Whether it is as wide as the page, and has nothing narrower."""
        width = re.search(r'viewBox="0 0 (\d+)', self.light)
        return not self.narrow and width is not None and int(width[1]) > 1.5 * HALF


def service_pictures(part: dict[str, Any]) -> list[Picture]:
    """Those of one service, in the order the page shows them; none where a large fleet leaves it small."""
    if not part.get("drawn", True):
        return []
    found = [demand_picture(part, part["demand"][0]), detail_picture(part, part["demand"][0])] if part["demand"] else []
    found += [other_picture(part, demand, number) for number, demand in enumerate(part["demand"][1:], start=2)]
    found += [tasks_picture(part), close_picture(part)]
    found += [limit_picture(part, limit) for limit in part["limits"] if limit["curve"] and rises(limit)]
    if part["policy"] and part["policy"]["week"] and part["tasks"]["interval_seconds"] <= 3600:
        found.append(week_picture(part, part["policy"]["week"]))
    return found


def rises(limit: dict[str, Any]) -> bool:
    """Whether the curve of a limit shows anything: below 5 % of the futures it is a line along the axis."""
    return bool(limit["probability"] >= AT_RISK)


def demand_picture(part: dict[str, Any], demand: dict[str, Any]) -> Picture:
    """The whole history and the whole horizon of the metric that decides."""
    wide, narrow = (_overview(part, demand, width, height) for width, height in ((WIDE, 250), (PHONE, 220)))
    title = f"{part['name']}: {demand['metric']}, history and forecast"
    return pictured(f"{part['anchor']}-demand", title, demand_described(demand), wide, narrow)


def other_picture(part: dict[str, Any], demand: dict[str, Any], number: int) -> Picture:
    """The same, small, for a metric that does not decide."""
    title = f"{part['name']}: {demand['metric']}, history and forecast"
    return pictured(
        f"{part['anchor']}-demand-{number}",
        title,
        demand_described(demand),
        _overview(part, demand, HALF, 150, key=False),
    )


def detail_picture(part: dict[str, Any], demand: dict[str, Any]) -> Picture:
    """Two weeks on either side of the cutoff, by the hour: across the page when the rest then pairs up."""
    title = f"{part['name']}: {words.detail_span(demand['detail']['future'])} of {demand['metric']}"
    name = f"{part['anchor']}-detail"
    if len(part["demand"]) % 2 == 0:
        return pictured(name, title, demand_described(demand), _detail(demand, HALF))
    return pictured(name, title, demand_described(demand), _detail(demand, WIDE))


def _detail(demand: dict[str, Any], width: int) -> Any:
    past, future = demand["detail"]["past"], demand["detail"]["future"]
    return charts.fan.spec(
        grid_of(past, "mean"),
        array(past, "mean"),
        grid_of(future, "p50"),
        _quantiles(future),
        demand["unit"],
        width=width,
        height=150,
    )


def _overview(part: dict[str, Any], demand: dict[str, Any], width: int, height: int, key: bool = True) -> Any:
    past, future, bucket = (demand["overview"][name] for name in ("past", "future", "bucket"))
    high, quantiles = array(past, "high"), _quantiles(future)
    carried, limit = demand["carried_by_max"], {}
    highest = max([np.nanmax(part_, initial=0) for part_ in (high, *quantiles.values())])
    if carried is not None and carried <= FAR * highest:
        limit = {f"{part['settings']['max_tasks']:,} full tasks": carried}
    return charts.fan.spec(
        grid_of(past, "high"),
        high,
        grid_of(future, "p50"),
        quantiles,
        demand["unit"],
        limit=limit,
        envelope=(array(past, "low"), high) if bucket else None,
        past_label=BUCKET_NAMES[bucket],
        envelope_label=f"range of each {bucket}",
        key=key,
        width=width,
        height=height,
    )


def _quantiles(future: dict[str, Any]) -> dict[float, np.ndarray]:
    return {level: array(future, level_name(level)) for level in LEVELS}


def demand_described(demand: dict[str, Any]) -> str:
    """A picture of demand in words, for those who do not see it."""
    peak, unit = demand["peak_horizon"], demand["unit"]
    last = demand["peak_last_4_weeks"]
    before = f"Highest value of the last four weeks: {words.quantity(last, unit)}. " if last is not None else ""
    return (
        f"{before}Median forecast of the highest value within the horizon: {words.quantity(peak['p50'], unit)}, "
        f"with 90 % probability between {words.number(peak['p5'])} and {words.quantity(peak['p95'], unit)}."
    )


def tasks_picture(part: dict[str, Any]) -> Picture:
    """What ran, what to run, and the bounds: today's and those proposed."""
    wide, narrow = (_tasks(part, width, height) for width, height in ((WIDE, 220), (PHONE, 200)))
    tasks, settings = part["tasks"], part["settings"]
    described = (
        f"Planned tasks by day. Next week at most {tasks['next_week']:,}, within the horizon at most "
        f"{tasks['highest']:,}; the minimum today is {settings['min_tasks']:,}, the maximum {settings['max_tasks']:,}."
    )
    return pictured(f"{part['anchor']}-tasks", f"{part['name']}: tasks planned", described, wide, narrow)


def _tasks(part: dict[str, Any], width: int, height: int) -> Any:
    daily, running = part["tasks"]["daily"], part["tasks"]["running"]
    ahead = grid_of(daily, "asked")
    times, series = ahead, {}
    if running is not None:
        behind = grid_of(running, "tasks")
        behind = behind[behind < ahead[0]]
        times = pd.date_range(behind[0], ahead[-1], freq=pd.Timedelta(seconds=daily["step_seconds"]), unit="us")
        series["ran, highest of each day"] = _placed(times, behind, array(running, "tasks")[: len(behind)])
    series["planned"] = _placed(times, ahead, array(daily, "asked"))
    series["median need"] = _placed(times, ahead, array(daily, "p50"))
    roles = {"ran, highest of each day": "past", "planned": "series-1"}
    highest = max(np.nanmax(values, initial=1) for values in series.values())
    today, proposed = ({k: v for k, v in bounds.items() if v <= FAR * highest} for bounds in _bounds(part))
    return charts.steps.spec(
        times, series, "tasks", limit=today, proposed=proposed, roles=roles, width=width, height=height
    )


def _bounds(part: dict[str, Any]) -> tuple[dict[str, float], dict[str, float]]:
    """Today's bounds by name, and the recommended policy's where they differ."""
    settings, policy = part["settings"], part["policy"] or {}
    bounds = ("max_tasks", "min_tasks")
    today = {f"{bound[:3]} {settings[bound]:,}": settings[bound] for bound in bounds}
    new = [bound for bound in bounds if policy.get(bound, settings[bound]) != settings[bound]]
    return today, {f"{bound[:3]} {policy[bound]:,} advised": policy[bound] for bound in new}


def close_picture(part: dict[str, Any]) -> Picture:
    """The first two weeks, and which step asks for how much."""
    close = part["tasks"]["close"]
    labels = {"for the load": "for_load", "to run": "tasks"}
    series = {label: array(close, name) for label, name in labels.items()}
    roles = {"for the load": "series-2", "to run": "series-1"}
    chart = charts.steps.spec(grid_of(close, "tasks"), series, "tasks", roles=roles, width=HALF, height=150)
    most = words.count(int(np.nanmax(series["to run"])), "task")
    described = f"Tasks, each {words.each(close['step_seconds'])}. To run: {most} at most."
    ahead = words.days_named(len(close["tasks"]) * close["step_seconds"])
    return pictured(f"{part['anchor']}-close", f"{part['name']}: tasks of the next {ahead}", described, chart)


def limit_picture(part: dict[str, Any], limit: dict[str, Any]) -> Picture:
    """How likely it is that a limit has been passed, by day."""
    curve, value = limit["curve"], words.quantity(limit["value"], limit["unit"])
    series = {f"more than {value} needed": array(curve, "probability")}
    chart = charts.probability.spec(grid_of(curve, "probability"), series, width=HALF, height=150)
    described = f"Rises to {words.percent(limit['probability'])} at the end of the horizon."
    title = f"{part['name']}: probability that {value} have been too few, by day"
    return pictured(f"{part['anchor']}-{limit['limit']}", title, described, chart)


def week_picture(part: dict[str, Any], week: dict[str, Any]) -> Picture:
    """The last week as the recommended policy would have run it."""
    needed, running = array(week, "needed"), array(week, "running")
    series = {"minimum in force": array(week, "minimum"), "needed": needed, "running": running}
    roles = {"minimum in force": "series-3", "needed": "past", "running": "series-1"}
    chart = charts.steps.spec(grid_of(week, "needed"), series, "tasks", roles=roles, width=WIDE, height=180)
    short = int(np.sum(needed > running + 1e-9))
    described = f"In {words.count(short, 'quarter-hour')} of {len(needed):,} fewer tasks serve than are needed."
    return pictured(f"{part['anchor']}-week", f"{part['name']}: the last week, replayed", described, chart)


def _placed(times: pd.DatetimeIndex, known: pd.DatetimeIndex, values: np.ndarray) -> np.ndarray:
    out = np.full(len(times), np.nan)
    place = times.get_indexer(known)
    out[place[place >= 0]] = values[place >= 0]
    return out


def pictured(name: str, title: str, description: str, chart: Any, narrow: Any = None) -> Picture:
    """A chart drawn: `chart` and, for a phone, `narrow` are Vega-Lite documents of `capacity.charts`."""
    light, small = (shorter(charts.drawn(one)) if one is not None else "" for one in (chart, narrow))
    return Picture(name, title, description, light, small)
