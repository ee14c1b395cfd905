"""What the label of a series says of it: labels in braces as Prometheus has them, or words as CloudWatch's console has.

Only what is written is taken: a label that could be read in two ways says nothing, and the caller is asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from capacity.sources.cells import known_metric
from capacity.sources.columns import mapped
from capacity.sources.exports.aws_names import AWS_METRICS, STATISTIC
from capacity.sources.problems import Problems

#: A set of labels after an optional name: `http_requests {service="web", pod="a"}`. Grafana writes values as they are,
#: without escapes (formatLabels in its packages/grafana-data/src/utils/labels.ts), so a value with a quote in it cannot
#: be told from two labels: such a label is not understood.
_BRACES: Final = re.compile(r"(?P<name>[^{}\"]*?)\s*\{(?P<pairs>.*)\}")
_PAIR: Final = re.compile(r'\s*"?([\w.:-]+)"?\s*=\s*"([^"]*)"\s*(?:,|$)')
#: Dimensions of CloudWatch, as the console's full labels write them.
_DIMENSION: Final = re.compile(r"\b(ServiceName|ClusterName)\s*[:=]\s*([^\s,;]+)")
_NAMESPACE: Final = re.compile(r"\b(AWS/[A-Za-z0-9]+|ECS/ContainerInsights)\b")
_WORD: Final = re.compile(r"[^\s,;]+")
_OTHER_DIMENSION: Final = re.compile(r"\b[A-Za-z]+\s*[:=]\s*[^\s,;]+")


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
    return _from_braces(braces, columns) if braces else _from_words(label)


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
    rivals = Problems()
    places, _ = mapped(list(pairs), columns, "", rivals)
    if len(rivals):  # two labels could both be the service
        return {}
    words = list(pairs.values())
    facts = {
        ours: words[place] for ours, place in places.items() if words[place] and ours not in ("timestamp", "value")
    }
    metric = known_metric(facts.pop("metric", "")) or known_metric(braces["name"])
    return facts | ({"metric": metric} if metric else {})


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


def _from_words(label: str) -> dict[str, str]:
    """The metric as a word of its own, with dimensions, statistic and period around it in any order."""
    dimensions = _DIMENSION.findall(label)
    rest = [word[0] for word in _WORD.finditer(_OTHER_DIMENSION.sub(" ", _DIMENSION.sub(" ", label)))]
    metrics = [word for word in rest if word in AWS_METRICS]
    names = [name for name, _ in dimensions]
    if len(metrics) != 1 or len(set(names)) != len(names):
        return {}
    facts = {"aws": metrics[0]}
    facts |= {{"ServiceName": "service", "ClusterName": "cluster"}[name]: value for name, value in dimensions}
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
