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
    naming = _Naming(reading, columns, where, len(series) == 1, findings)
    found = [naming.head(one) for one in series]
    if lenient and any(head is not None for head in found):
        findings += (Finding("", "", "stat", "PASS", f"{where}: not read: {message}") for message in naming.useless)
    else:
        for message in naming.useless:
            problems.add(message, where, SAY)
    for unsaid, asked in naming.asked.items():
        labels = ", ".join(one.label for one in asked[:_SHOWN])
        more = f" and {len(asked) - _SHOWN} more" if len(asked) > _SHOWN else ""
        problems.add(f"no column for {unsaid}, and the names of the series do not say it: {labels}{more}", where, SAY)
    _check_apart(series, found, where, problems)
    return found


@dataclass
class _Naming:
    """The series of one table on their way to heads, and what is to be said of them."""

    reading: Reading
    columns: frozenset[str]
    where: str
    alone: bool
    findings: list[Finding]
    asked: dict[str, list[Series]] = field(default_factory=dict)  # what is not known -> of which
    useless: list[str] = field(default_factory=list)  # statistics that mean nothing

    def head(self, series: Series) -> Head | None:
        said = _said(series, self.reading.columns)
        if said is None:
            self.findings.append(Finding("", "", "columns", "PASS", f"{self.where}: columns not read: {series.label}"))
            return None
        facts = _facts(series, self.reading.columns)
        service, metric = self.key(series, said, facts)
        known = {"service": service or "service" in self.columns, "metric": metric or "metric" in self.columns}
        unsaid = ", ".join(name for name, is_known in known.items() if not is_known)
        if unsaid:
            self.asked.setdefault(unsaid, []).append(series)
            return None
        aws = facts.get("aws", "")
        if aws and AWS_METRICS[aws].metric != metric:  # the caller knows better
            aws = ""
        how = self.how(said, facts, metric, aws)
        if isinstance(how, str):
            self.useless.append(f"{series.label}: {how}")
            return None
        if how.tasks:
            metric, aws = "running_tasks", ""
        unit = said.unit or _unit(metric, aws, how, facts) or self.reading.unit
        self.remark(series, service, metric, aws, said.stat or facts.get("stat", ""), unit)
        seconds = interval_seconds(facts.get("interval", "")) or self.reading.interval_seconds or 0
        return Head(service, metric, unit, how, seconds, facts.get("cluster", ""), facts.get(PREFIX, ""))

    def key(self, series: Series, said: Said, facts: Mapping[str, str]) -> tuple[str, str]:
        """Service and metric: as the caller says of this series, as its names say, or as the options say of all.

        Where the caller frames it, by the one or the other, the whole name can be what is left to be known.
        """
        options = self.reading.service, known_metric(self.reading.metric) or ""
        aws = facts.get("aws", "")
        told_metric = facts.get("metric") or (AWS_METRICS[aws].metric if aws else "")
        service = said.service or facts.get("service", "")
        metric = known_metric(said.metric) or told_metric
        plain = series.name.strip() if not told(series.name, self.reading.columns) and "{" not in series.name else ""
        if not metric and not options[1] and (service or options[0] or "service" in self.columns):
            metric = known_metric(plain) or ""
        elif not service and not options[0] and "service" not in self.columns:
            service = plain if said.metric or options[1] or "metric" in self.columns else ""
        elif not (service or metric or self.alone) and all(options):
            return "", ""  # several columns cannot all be the one series that the options say
        return service or options[0], metric or options[1]

    def how(self, said: Said, facts: Mapping[str, str], metric: str, aws: str) -> Meaning | str:
        """How its values are read, or why they cannot be."""
        statistic = said.stat or facts.get("stat", "")
        if "stat" in self.columns and not statistic:
            return Meaning("")
        of_tasks = facts.get("namespace", "AWS/ECS") == "AWS/ECS" and "service" in facts
        how = meaning(metric, statistic, "" if said.stat else aws, of_tasks)
        if isinstance(how, str) or not how.counts:
            return how
        unit = said.unit or (facts.get("unit", "") if how.per_second else "")
        if unit.casefold() not in UNIT_OF_COUNTS:
            return f"{statistic} counts, so that it cannot be in {unit!r}"
        return "sums cannot be read where rows have an interval each" if "interval" in self.columns else how

    def remark(self, series: Series, service: str, metric: str, aws: str, statistic: str, unit: str) -> None:
        """Say what is taken for granted."""
        if aws and not statistic and "stat" not in self.columns:
            message = f"{self.where}: {series.label} says no statistic: read as Average"
            self.findings.append(Finding(service, metric, "stat", "REVIEW", message, f"If it is another one: {SAY}"))
        if aws == "TargetResponseTime" and not unit:
            self.findings.append(_seconds_taken(service, series, self.where))


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


def _unit(metric: str, aws: str, how: Meaning, facts: Mapping[str, str]) -> str:
    """The unit of the values once they are read as `how` says; empty where the export does not say."""
    if how.counts:
        return AWS_METRICS[aws].unit if aws else METRICS[metric].unit
    published = facts.get("unit", "")
    if published.casefold() not in UNIT_OF_COUNTS:
        return published
    if aws == "TargetResponseTime":  # Service Connect, in AWS/ECS, publishes milliseconds (Amazon ECS Developer Guide)
        return {"": "", "AWS/ECS": "ms"}.get(facts.get("namespace", ""), "seconds")
    if aws:
        return AWS_METRICS[aws].unit
    counts = metric in METRICS and METRICS[metric].unit in ("tasks", "connections", "messages")
    return "" if counts or published.casefold() != "count" else published


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
