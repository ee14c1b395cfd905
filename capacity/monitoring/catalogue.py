"""The catalogue of signals as a table in Markdown: what docs/slos.md ends with.

python -m capacity.monitoring.catalogue
"""

from __future__ import annotations

from capacity.monitoring.signals import SIGNALS, Signal
from capacity.sources.prometheus.presets import PRESETS


def catalogue() -> str:
    """One row a signal: unit, kind, meaning, where it is measured, and how it follows from others.

    >>> print(catalogue().splitlines()[2])  # doctest: +ELLIPSIS
    | `requests` | requests/s | traffic | Requests that reached the service. | CloudWatch `RequestCount` (Sum); ...
    """
    rows = [f"| `{one.name}` | {one.unit} | {one.kind} | {one.meaning} | {_from(one)} |" for one in SIGNALS.values()]
    return "\n".join(["| signal | unit | kind | meaning | from |", "|---|---|---|---|---|", *rows]) + "\n"


def _from(one: Signal) -> str:
    told = []
    if one.cloudwatch:
        parts = [f"`{part.name}`" + (f" ({part.stat})" if part.stat else "") for part in one.cloudwatch.parts]
        told.append("CloudWatch " + ", ".join(parts) + (", Container Insights" if one.cloudwatch.insights else ""))
    if presets := [preset.name for preset in PRESETS.values() if preset.metric == one.name]:
        told.append("Prometheus " + ", ".join(presets[:2]) + (" ..." if len(presets) > 2 else ""))
    if one.azure:
        told.append("Azure " + ", ".join(dict.fromkeys(f"`{metric.name}`" for metric in one.azure)))
    if one.formulas:
        written = [f"`{formula.replace('{', '').replace('}', '')}`" for formula in one.formulas]
        told.append(written[0] if len(written) == 1 else "the larger of " + " and ".join(written))
    return "; ".join(told) or "files, or a metric of your own"


if __name__ == "__main__":
    print(catalogue(), end="")
