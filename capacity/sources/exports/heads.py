"""What a series is, from its names: service, metric, statistic, unit. What is not said is asked, not guessed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from capacity.findings import Finding
from capacity.schema import METRICS
from capacity.sources.cells import interval_seconds, known_metric
from capacity.sources.columns import LEFT_OUT, PREFIX, Said, series_said
from capacity.sources.exports.aws_names import AWS_METRICS, UNIT_OF_COUNTS, Meaning, meaning
from capacity.sources.exports.labels import told
from capacity.sources.problems import Problems

if TYPE_CHECKING:
    from capacity.sources.translate import Reading

#: How to say it, for whoever has to.
SAY: Final = (
    'Say what a column of values is by its label: columns={"LABEL": "service:metric:stat"} '
    '(--column "LABEL=service:metric:stat"); parts may be left empty, a fourth is the unit, and "-" leaves it out. '
    'What holds for all of them is an option: metric="requests" (--metric requests), service="web" (--service web).'
)
#: How many labels a message spells out.
_SHOWN: Final = 5


@dataclass(frozen=True)
class Series:
    """One series as an export has it.

    name     that people gave it, or the only one
    others   further names it has there: its full label, its id
    carried  what the export says of it beside the names: stat, unit, interval
    """

    name: str
    others: tuple[str, ...] = ()
    carried: Mapping[str, str] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that is not empty."""
        return tuple(name for name in (self.name.strip(), *self.others) if name)

    @property
    def label(self) -> str:
        """The name that says most, short enough for a message."""
        name = max(self.names, key=len, default="")
        return repr(name if len(name) <= 120 else name[:117] + "...")


@dataclass(frozen=True)
class Head:
    """What a series is. Words are as `translate` understands them; empty ones are said by a column of the table.

    seconds  of its interval, 0 where nothing says so
    how      how its values are read
    """

    service: str
    metric: str
    unit: str
    how: Meaning
    seconds: int = 0
    cluster: str = ""
    prefix: str = ""


def heads(
    series: Sequence[Series],
    reading: Reading,
    columns: frozenset[str],
    where: str,
    problems: Problems,
    findings: list[Finding],
    lenient: bool = False,
) -> list[Head | None]:
    """What each series is; None for one that is left out, or that is a problem.

    columns  of ours that the table has beside them, one value a row: {"service"}
    lenient  a statistic that means nothing is left out and said, instead of a problem
    """
    asked: dict[str, list[Series]] = {}
    alone, useless = len(series) == 1, list[str]()
    found = [_head(one, alone, reading, columns, where, asked, useless, findings) for one in series]
    if lenient and any(head is not None for head in found):
        findings += (Finding("", "", "stat", "PASS", f"{where}: not read: {message}") for message in useless)
    else:
        for message in useless:
            problems.add(message, where, SAY)
    _ask(asked, where, problems)
    _check_apart(series, found, where, problems)
    return found


def _head(
    series: Series,
    alone: bool,
    reading: Reading,
    columns: frozenset[str],
    where: str,
    asked: dict[str, list[Series]],
    useless: list[str],
    findings: list[Finding],
) -> Head | None:
    said = _said(series, reading.columns)
    if said is None:
        findings.append(Finding("", "", "columns", "PASS", f"{where}: columns not read: {series.label}"))
        return None
    facts = _facts(series, reading.columns)
    aws = facts.get("aws", "")
    metric = known_metric(said.metric) or facts.get("metric") or (AWS_METRICS[aws].metric if aws else "")
    if aws and AWS_METRICS[aws].metric != metric:  # the caller knows better
        aws = ""
    service = said.service or facts.get("service", "")
    service, metric = _completed(service, metric, series, alone, reading, columns)
    has = {"service": service or "service" in columns, "metric": metric or "metric" in columns}
    unsaid = ", ".join(name for name, known in has.items() if not known)
    if unsaid:
        asked.setdefault(unsaid, []).append(series)
        return None
    statistic = said.stat or facts.get("stat", "")
    if not statistic and aws and not AWS_METRICS[aws].counted:
        message = f"{where}: {series.label} says no statistic: read as Average"
        findings.append(Finding(service, metric, "stat", "REVIEW", message, "If it is another one: " + SAY))
    if "stat" in columns and not statistic:
        how: Meaning | str = Meaning("")
    else:
        tasks = facts.get("namespace", "AWS/ECS") == "AWS/ECS" and "service" in facts
        how = meaning(metric, statistic, "" if said.stat else aws, tasks)
    if not isinstance(how, str) and (how.per_second or how.per_minute):
        how = _unit_of_count(said.unit or (facts.get("unit", "") if how.per_second else ""), statistic) or how
    if isinstance(how, str):
        useless.append(f"{series.label}: {how}")
        return None
    metric = "running_tasks" if how.per_minute else metric
    seconds = interval_seconds(facts.get("interval", "")) or reading.interval_seconds or 0
    unit = said.unit or _unit(metric, aws, how, facts) or reading.unit
    if aws == "TargetResponseTime" and not unit:
        findings.append(_seconds_taken(service, series, where))
    return Head(service, metric, unit, how, seconds, facts.get("cluster", ""), facts.get(PREFIX, ""))


def _ask(asked: Mapping[str, list[Series]], where: str, problems: Problems) -> None:
    """One problem for all series of which the same is not known."""
    for unsaid, series in asked.items():
        labels = ", ".join(one.label for one in series[:_SHOWN])
        more = f" and {len(series) - _SHOWN} more" if len(series) > _SHOWN else ""
        problems.add(f"no column for {unsaid}, and the names of the series do not say it: {labels}{more}", where, SAY)


def _said(series: Series, columns: Mapping[str, str]) -> Said | None:
    """What the caller says of it, by any of its names; nothing said is empty, None: leave it out."""
    by_name = {theirs.strip().casefold(): ours for theirs, ours in columns.items()}
    for name in (*series.others, series.name):
        ours = by_name.get(name.strip().casefold(), "")
        if ours == LEFT_OUT:
            return None
        said = series_said(ours)
        if said is not None:
            return said
    return Said()


def _facts(series: Series, columns: Mapping[str, str]) -> dict[str, str]:
    """What its names and the export say; of two names, the first that says it."""
    facts: dict[str, str] = {}
    for name in series.names:
        facts = told(name, columns) | facts
    return facts | {name: word for name, word in series.carried.items() if word}


def _completed(
    service: str, metric: str, series: Series, alone: bool, reading: Reading, columns: frozenset[str]
) -> tuple[str, str]:
    """Service and metric, with what the options say, and the whole label as the one that nothing else says."""
    label = series.name.strip()
    plain = bool(label) and not told(label, reading.columns) and "{" not in label
    has_service = bool(service or reading.service or "service" in columns)
    has_metric = bool(metric or reading.metric or "metric" in columns)
    if not metric and not reading.metric and plain and has_service and known_metric(label):
        return service or reading.service, known_metric(label) or ""
    if not service and not has_service and plain and has_metric:
        return label, metric or known_metric(reading.metric) or ""
    if not alone and reading.service and reading.metric and not (service or metric):
        return "", ""  # several columns cannot all be the one series that the options say
    return service or reading.service, metric or known_metric(reading.metric) or ""


def _unit(metric: str, aws: str, how: Meaning, facts: Mapping[str, str]) -> str:
    """The unit of the values once they are read as `how` says; empty where the export does not say."""
    if how.per_second or how.per_minute:
        return METRICS[metric].unit
    published = facts.get("unit", "")
    if published.casefold() not in UNIT_OF_COUNTS:
        return published
    if aws == "TargetResponseTime":  # Service Connect, in AWS/ECS, publishes milliseconds (Amazon ECS Developer Guide)
        return {"": "", "AWS/ECS": "ms"}.get(facts.get("namespace", ""), "seconds")
    if aws:
        return AWS_METRICS[aws].unit
    counts = metric in METRICS and METRICS[metric].unit in ("tasks", "connections", "messages")
    return "" if counts or published.casefold() != "count" else published


def _unit_of_count(unit: str, statistic: str) -> str:
    """What is wrong with the unit of a count, in words; nothing, for a good one."""
    if unit.casefold() in UNIT_OF_COUNTS:
        return ""
    return f"{statistic} counts, so that it cannot be in {unit!r}"


def _seconds_taken(service: str, series: Series, where: str) -> Finding:
    return Finding(
        service,
        "latency",
        "unit",
        "REVIEW",
        f"{where}: {series.label} says no unit: read as seconds, in which load balancers publish it",
        'Service Connect publishes a metric of the same name in milliseconds: if it is that one, say unit="ms".',
    )


def _check_apart(series: Sequence[Series], found: Sequence[Head | None], where: str, problems: Problems) -> None:
    """Two columns that are one series would be one key with two values: said here by their labels."""
    first: dict[tuple[str, ...], Series] = {}
    for one, head in zip(series, found, strict=True):
        if head is None:
            continue
        key = (head.prefix, head.cluster, head.service, head.metric, head.how.stat, str(head.seconds))
        if key in first:
            what = " ".join(part for part in (head.service, head.metric, head.how.stat) if part)
            problems.add(f"{first[key].label} and {one.label} are both {what}: which of them is meant?", where, SAY)
        first.setdefault(key, one)
