"""k6's end-of-test summary: `--summary-export`, or what `handleSummary` writes as JSON."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar, Final

import numpy as np

from capacity.errors import InputError
from capacity.loadtest.readers.base import Reading, ResultFile, Summary
from capacity.loadtest.readers.finished import number, summary, whole_json

_KNOWN: Final = re.compile(r'"http_req(s|_duration)"\s*:\s*\{')
_TIMES: Final = {
    "avg": "mean_ms",
    "min": "min_ms",
    "max": "max_ms",
    "med": "p50_ms",
    "p(90)": "p90_ms",
    "p(95)": "p95_ms",
    "p(99)": "p99_ms",
}


class K6Summary:
    """The total of all requests: a summary has no labels and no time series. p99 is there if the test asked for it."""

    name: ClassVar[str] = "k6 summary"

    def recognises(self, file: ResultFile) -> bool:
        return file.text.startswith("{") and '"metrics"' in file.text and _KNOWN.search(file.text) is not None

    def summary(self, file: ResultFile, reading: Reading) -> Summary:
        document = whole_json(file, reading)
        metrics = document.get("metrics") if isinstance(document, Mapping) else None
        if not isinstance(metrics, Mapping) or "http_reqs" not in metrics:
            raise InputError(
                f"{file.path}: a k6 summary without http_reqs. Bring one of a test that sends HTTP requests."
            )
        counted, times = _values(metrics, "http_reqs"), _values(metrics, "http_req_duration")
        failed = _values(metrics, "http_req_failed")
        samples = number(counted.get("count"))
        total = {"samples": samples, "throughput_per_s": number(counted.get("rate"))}
        # `passes` of this rate are the requests that failed; its value says the same in both forms of the file.
        total["errors"] = float(np.round(samples * number(failed.get("rate", failed.get("value")))))
        if samples > 0:
            total |= {ours: number(times.get(theirs)) for theirs, ours in _TIMES.items()}
        message = f"{file.path.name} tells of the test as a whole: no labels, no load steps"
        reading.note("no time series", "REVIEW", message, "For those, run k6 with --out csv or --out json.")
        return summary([], total)


def _values(metrics: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Figures of a metric: flat in an export, under `values` from handleSummary."""
    metric = metrics.get(name)
    if not isinstance(metric, Mapping):
        return {}
    inner = metric.get("values")
    return inner if isinstance(inner, Mapping) else metric
