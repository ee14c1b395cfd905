"""A load plan for Taurus (`bzt`), which also runs on BlazeMeter: the JMeter plan as script, and the SLO as criteria."""

from __future__ import annotations

from typing import Final

from capacity.loadtest.generate.jmx import NO_TARGET
from capacity.loadtest.generate.plan import LoadPlan, labels

#: What bzt reports anyhow; another quantile has to be asked for (bzt 1.17.2, `modules.consolidator.percentiles`).
_PERCENTILES: Final = (0.0, 50.0, 90.0, 95.0, 99.0, 99.9, 100.0)


def taurus(plan: LoadPlan, script: str) -> str:
    """YAML of `bzt`. Criteria have no time frame, so they judge each label over the whole of what is promised.

    It names no target: `bzt loadtest.yml -o modules.jmeter.properties.host=HOST`. No `throughput` and no
    `concurrency` either: Taurus would need a JMeter plugin for the one, and overwrite the stages for the other.
    Source: bzt 1.17.2, run with JMeter (reference loadtest.md 4.1).
    """
    percentile = f"{plan.slo.quantile * 100:.6g}"
    levels = sorted({*_PERCENTILES, float(percentile)})
    lines = [
        *(f"# {line}" for line in plan.arithmetic),
        "# Run: bzt loadtest.yml -o modules.jmeter.properties.host=HOST",
        "execution:",
        "- executor: jmeter",
        "  scenario: capacity",
        "scenarios:",
        "  capacity:",
        f"    script: {quoted(script)}",
        "    retrieve-resources: false",
        "modules:",
        "  consolidator:",
        f"    percentiles: [{', '.join(f'{level:.6g}' for level in levels)}]",
        "reporting:",
        "- module: final-stats",
        "  dump-csv: final-stats.csv",
        "- module: passfail",
        "  criteria:",
    ]
    for label in labels(plan, judged=True):
        lines += _criterion(label, f"p{float(percentile)}", f"{plan.slo.ms:.10g}ms", f"p{percentile}")
        lines += _criterion(label, "fail", f"{plan.slo.error_share * 100:.10g}%", "errors")
    lines += _criterion(NO_TARGET, "fail", "0%", "errors")
    return "\n".join(lines) + "\n"


def _criterion(label: str, subject: str, threshold: str, words: str) -> list[str]:
    """Fields rather than Taurus's sentence, which a label with a comma, a colon or a > would take apart."""
    return [
        f"  - label: {quoted(label)}",
        f"    subject: {subject}",
        "    condition: '>'",
        f"    threshold: {threshold}",
        "    stop: false",
        "    fail: true",
        f"    message: {quoted(f'{label}: {words} above {threshold}')}",
    ]


def quoted(text: str) -> str:
    """A YAML string in double quotes, whatever is in it, in ASCII (YAML 1.2, 5.7: escaped characters).

    >>> print(quoted('say "hi"\\n\\N{GRINNING FACE}'))
    "say \\"hi\\"\\x0A\\U0001F600"
    """
    return '"' + "".join(map(_character, text)) + '"'


def _character(one: str) -> str:
    code = ord(one)
    if one in '"\\':
        return "\\" + one
    if 0x20 <= code < 0x7F:
        return one
    if code < 0x100:
        return f"\\x{code:02X}"
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"
