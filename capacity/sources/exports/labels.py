"""What the label of a series says of it: labels in braces as Prometheus has them, or words as CloudWatch's console has.

Only what is written is taken: a label that could be read in two ways says nothing, and the caller is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from capacity.sources.cells import known_metric
from capacity.sources.columns import PREFIX, mapped
from capacity.sources.exports.aws_names import AWS_METRICS, STATISTIC
from capacity.sources.problems import Problems

#: A set of labels after an optional name: `http_requests {service="web", pod="a"}`. Grafana writes values as they are,
#: without escapes (formatLabels in its packages/grafana-data/src/utils/labels.ts), so a value with a quote in it cannot
#: be told from two labels: such a label is not understood.
_BRACES: Final = re.compile(r"(?P<name>[^{}\"]*?)\s*\{(?P<pairs>.*)\}")
_PAIR: Final = re.compile(r'\s*"?([\w.:-]+)"?\s*=\s*"([^"]*)"\s*(?:,|$)')
#: Dimensions of CloudWatch, as the console's full labels write them.
_DIMENSION: Final = re.compile(r"\b([A-Za-z]+)\s*[:=]\s*([^\s,;]+)")
_NAMESPACE: Final = re.compile(r"\b(AWS/[A-Za-z0-9]+|ECS/ContainerInsights)\b")
_WORD: Final = re.compile(r"[^\s,;]+")


def told(label: str, columns: Mapping[str, str]) -> dict[str, str]:
    """What a label says, by our column names: service, metric, stat, cluster, interval; and `aws`, `namespace`.

    columns  their label -> ours, as for columns of a table: {"job": "service"}

    >>> told('{job="web", instance="10.0.0.1"}', {"job": "service"})
    {'service': 'web'}
    >>> told("AWS/ECS ClusterName:shop ServiceName:web CPUUtilization Average 300", {})["interval"]
    '300'
    >>> told("web", {})
    {}
    """
    braces = _BRACES.fullmatch(label.strip())
    return _from_braces(braces, columns) if braces else _from_words(label, columns)


def in_braces(label: str) -> bool:
    """Whether a word is a set of labels.

    >>> in_braces('up {job="web"}'), in_braces("web")
    (True, False)
    """
    braces = _BRACES.fullmatch(label.strip())
    return braces is not None and _pairs(braces["pairs"]) is not None


def _from_braces(braces: re.Match[str], columns: Mapping[str, str]) -> dict[str, str]:
    pairs = _pairs(braces["pairs"])
    if pairs is None:
        return {}
    facts = _mapped(pairs, columns)
    metric = known_metric(facts.pop("metric", "")) or known_metric(braces["name"])
    return facts | ({"metric": metric} if metric else {})


def _mapped(pairs: Mapping[str, str], columns: Mapping[str, str]) -> dict[str, str]:
    """Labels by our column names; none where two could both be one of ours."""
    rivals, words = Problems(), list(pairs.values())
    places, _ = mapped(list(pairs), columns, "", rivals)
    if len(rivals):
        return {}
    facts = {ours: words[at] for ours, at in places.items() if words[at] and ours not in ("timestamp", "value")}
    said = {theirs.strip().casefold(): ours for theirs, ours in columns.items()}
    if said.get("cluster") == PREFIX and "cluster" in facts:  # as the advice on services of one name has it
        facts[PREFIX] = facts.pop("cluster")
    return facts


def _pairs(text: str) -> dict[str, str] | None:
    """Labels and values; None when not all of the text is labels, or one occurs twice."""
    found: dict[str, str] = {}
    at = 0
    while at < len(text.rstrip()):
        pair = _PAIR.match(text, at)
        if pair is None or pair[1] in found:
            return None
        found[pair[1]] = pair[2]
        at = pair.end()
    return found


def _from_words(label: str, columns: Mapping[str, str]) -> dict[str, str]:
    """The metric as a word of its own, with dimensions, statistic and period around it in any order."""
    dimensions = _DIMENSION.findall(label)
    rest = _WORD.findall(_DIMENSION.sub(" ", label))
    metrics = [word for word in rest if word in AWS_METRICS]
    pairs = dict(dimensions)
    if len(metrics) != 1 or len(pairs) != len(dimensions):
        return {}
    facts = {"aws": metrics[0], **_mapped(pairs, columns)}
    statistics = [word for word in rest if STATISTIC.fullmatch(word)]
    if len(statistics) == 1:
        facts["stat"] = statistics[0]
    namespaces = set(_NAMESPACE.findall(label))
    if len(namespaces) == 1:
        facts["namespace"] = namespaces.pop()
    if len(rest) > 1 and STATISTIC.fullmatch(rest[-2]) and _is_period(rest[-1]):  # as a full label ends
        facts["interval"] = rest[-1]
    return facts


def _is_period(word: str) -> bool:
    """Whether a word can be a period of CloudWatch, in seconds. (API: GetMetricData, "Period".)"""
    return word.isdecimal() and (int(word) in (1, 5, 10, 20, 30) or (int(word) > 0 and int(word) % 60 == 0))
