"""Gatling's own statistics: `stats.json`, `global_stats.json` and `stats.js` (loadtest.md 3.3)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Final

import numpy as np

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile, Summary
from capacity.loadtest.readers.finished import Row, number, objects, summary, whole_text
from capacity.loadtest.readers.gatling.rows import label_of

#: Ranks of `percentiles1` to `percentiles4` if nobody changed them (Gatling's reference.conf since 2.1.7).
RANKS: Final = ("p50_ms", "", "p95_ms", "p99_ms")
#: Before, there were two.
_TWO_RANKS: Final = ("p95_ms", "p99_ms")
_UNQUOTED: Final = re.compile(r"^(\s*)(type|name|path|pathFormatted|stats|contents):", re.MULTILINE)
_ASSIGNED: Final = re.compile(r"^\s*var\s+stats\s*=")
_LOCAL_DECIMAL: Final = re.compile(r"\d+,\d{1,2}")


class GatlingStatistics:
    """A row a request and a group, labelled by its path: `group / name`; the total is the root's.

    Percentiles and means are of all requests, failed ones included, as in Gatling's report; their ranks are not in
    the file and are taken to be the defaults 50, 75, 95, 99. The rows of groups count groups, whose time is the sum of
    the response times inside.
    """

    name: ClassVar[str] = "Gatling statistics"

    def recognises(self, file: ResultFile) -> bool:
        text = file.text
        if "numberOfRequests" not in text or not text.startswith(("{", "var stats")):
            return False
        return "meanNumberOfRequestsPerSecond" in text or "percentiles1" in text

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        tree = _tree(whole_text(file, reading), file)
        alone = "stats" not in tree
        root = tree if alone else tree["stats"]
        _note(file, root, reading)
        return summary([] if alone else list(_below(tree, (), file)), _row(root))


def note_ranks(what: str, reading: Reading) -> None:
    """Say that the ranks are the default's, and that no 90th is among them."""
    message = f"{what} does not say which percentiles it holds: taken as 50, 75, 95 and 99, so p90 is not known"
    advice = "If gatling.conf changes charting.indicators.percentile1..4, or for other ranks, bring simulation.log."
    reading.note("percentile ranks", "REVIEW", message, advice)


def note_failures(errors: float, samples: float, fine: str, reading: Reading) -> None:
    """Say that percentiles are of failures too; `fine`: those of the successes, in words."""
    if errors > 0:
        message = f"percentiles count the {errors:,.0f} failures among {samples:,.0f} requests, often fast{fine}"
        reading.note("failures in percentiles", "REVIEW", message, "Bring simulation.log for those of successes.")


def _tree(text: str, file: ResultFile) -> Mapping[str, Any]:
    assigned = _ASSIGNED.match(text)
    if assigned:  # a JavaScript object: keys of nodes are not quoted
        text = _UNQUOTED.sub(r'\1"\2":', text[assigned.end() :]).lstrip()
    try:
        tree, _ = json.JSONDecoder().raw_decode(text.strip())  # functions of the page may follow
    except (ValueError, RecursionError) as error:
        raise InputError(
            f"{file.path}: statistics that break off or are changed ({error})",
            advice="Bring the file as Gatling wrote it, or simulation.log.",
        ) from None
    root = tree.get("stats", tree) if isinstance(tree, dict) else None
    if not isinstance(root, dict) or "numberOfRequests" not in root:
        raise InputError(f"{file.path}: no `numberOfRequests` at the root. Bring the file as Gatling wrote it.")
    return tree


def _below(node: Mapping[str, Any], path: tuple[str, ...], file: ResultFile) -> Iterator[tuple[str, Row]]:
    """Requests and groups below a node, in the order of the file."""
    contents = node.get("contents") or {}
    for child in objects(list(contents.values()) if isinstance(contents, dict) else contents, "`contents`", file):
        own = (*path, str(child.get("name", "")))
        (stats,) = objects([child.get("stats")], f"`stats` of {label_of(own)}", file)
        yield label_of(own), _row(stats)
        yield from _below(child, own, file)


def _row(stats: Mapping[str, Any]) -> Row:
    samples = _of(stats, "numberOfRequests")
    if not samples > 0:
        return {"samples": samples, "errors": _of(stats, "numberOfRequests", "ko")}
    ranks = RANKS if "percentiles3" in stats else _TWO_RANKS
    percentiles = {rank: _of(stats, f"percentiles{place}") for place, rank in enumerate(ranks, 1) if rank}
    return {
        "samples": samples,
        "errors": _of(stats, "numberOfRequests", "ko"),
        "mean_ms": _of(stats, "meanResponseTime"),
        "min_ms": _of(stats, "minResponseTime"),
        "max_ms": _of(stats, "maxResponseTime"),
        "throughput_per_s": _of(stats, "meanNumberOfRequestsPerSecond"),
        **percentiles,
    }


def _of(stats: Mapping[str, Any], figure: str, part: str = "total") -> float:
    """A figure, NaN where it is not told. In `stats.js` numbers are text, and rates of 2.x follow the locale."""
    found = stats.get(figure)
    if not isinstance(found, Mapping):
        return np.nan
    value = found.get(part)
    if isinstance(value, str) and _LOCAL_DECIMAL.fullmatch(value):
        value = value.replace(",", ".")
    return number(value)


def _note(file: ResultFile, root: Mapping[str, Any], reading: Reading) -> None:
    if "percentiles3" in root:
        note_ranks(file.path.name, reading)
    else:
        message = f"{file.path.name} holds two percentiles and not their ranks: taken as 95 and 99"
        reading.note("percentile ranks", "REVIEW", message, "For other ranks, bring simulation.log.")
    ranks = RANKS if "percentiles3" in root else _TWO_RANKS
    fine = [
        f"p{rank[1:3]} {_of(root, f'percentiles{place}', 'ok'):g} ms" for place, rank in enumerate(ranks, 1) if rank
    ]
    errors, samples = _of(root, "numberOfRequests", "ko"), _of(root, "numberOfRequests")
    note_failures(errors, samples, f"; of successes alone: {', '.join(fine)}", reading)
