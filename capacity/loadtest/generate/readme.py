"""How to run what was written: the README beside the plan."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

from capacity.loadtest.generate.gatling import SIMULATION

if TYPE_CHECKING:
    from capacity.loadtest.generate.plan import LoadPlan, Stage
    from capacity.loadtest.generate.requests import Header, Request

#: Columns of the results do not depend on the installed JMeter when they are asked for (reference loadtest.md 2.1).
SAVED: Final = (
    "print_field_names=true",
    "connect_time=true",
    "idle_time=true",
    "assertion_results_failure_message=true",
    "hostname=true",
    "timestamp_format=ms",
)
SAVE_PROPERTIES: Final = tuple(f"-Jjmeter.save.saveservice.{saved}" for saved in SAVED)

_TEXT: Final = """\
# Load test{service}

{arithmetic}

No file here names a target or holds a credential: without a host nothing is driven. Drive only what you may drive, with
autoscaling off if one number of tasks is to be measured, and watch the errors of what stands behind the service.

## Stages

| stage | starts at | seconds | requests/s | SLO promised |
|---|---:|---:|---:|---|
{stages}

## Mix

| request | sent as | share |
|---|---|---:|
{mix}

An answer other than 2xx is an error; redirects are not followed.
{headers}
## Apache JMeter, 5.x (or 2.13)

    rm -f results.jtl
    jmeter -n -t loadtest.jmx -l results.jtl -j jmeter.log \\
      {save} \\
      -Jhost=HOST

The protocol is https and the port its own; `-Jprotocol=http -Jport=8080` says otherwise.{told} JMeter appends to
a file that is there, hence the `rm`. Debian's package of JMeter 2.13 loads no plan: take Apache's own.{generators}

## Taurus, here or on BlazeMeter

    bzt loadtest.yml -o modules.jmeter.properties.host=HOST
    bzt loadtest.yml -o modules.jmeter.properties.host=HOST -cloud

It ends with exit code 0 when the promise held for every request of the mix, and 3 when it did not.

## Gatling, 3.7 or newer

Put `{simulation}.java` into the `src/test/java` of a Gatling project:

    mvn gatling:test -Dgatling.simulationClass={simulation} -Dhost=HOST

Its arrivals are truly open: past saturation it shows the waiting that JMeter's threads hide.

## Read the results back

    capacity loadtest read results.jtl
    capacity loadtest capacity results.jtl --slo-ms {slo_ms:.10g} --quantile {quantile:.10g} \
      --error-budget {error_share:.10g} --tasks {tasks}

Stages are found by their names, and asked and achieved rates are compared: a stage that delivered less than 97 % of
what was asked is saturated, whatever its latency says.
"""


def readme(plan: LoadPlan) -> str:
    """Markdown: the arithmetic, the stages, the mix, and a line to run for each tool."""
    told = [
        f" The header {code(header.name)} is told by `-J{header.property_name}=...`, better in a file that `-q` names "
        "(the property has the same name in Taurus and Gatling)."
        for header in plan.headers
        if header.value is None
    ]
    several = (
        f"\n\nRun it on {plan.generators} generators at once (or with `-R`, and `-G` instead of `-J`); read all their "
        "results together."
    )
    return _TEXT.format(
        service=f" of {escaped(plan.service)}" if plan.service else "",
        arithmetic="\n".join(f"- {escaped(line)}" for line in plan.arithmetic),
        stages="\n".join(map(_stage, plan.stages, plan.frame["start"])),
        mix="\n".join(map(_request, plan.mix)),
        headers="".join(map(_header, plan.headers)),
        save=" \\\n      ".join(SAVE_PROPERTIES),
        told="".join(told),
        generators=several if plan.generators > 1 else "",
        simulation=SIMULATION,
        slo_ms=plan.slo.ms,
        quantile=plan.slo.quantile,
        error_share=plan.slo.error_share,
        tasks=plan.tasks,
    )


def _stage(stage: Stage, start: int) -> str:
    rate = f"{stage.rate:,.10g}" if stage.rate_from is None else f"{stage.rate_from:,.10g} to {stage.rate:,.10g}"
    promised = "yes" if stage.judged else "no"
    return f"| {stage.name} | {start // 60}:{start % 60:02d} | {stage.seconds:,} | {rate} | {promised} |"


def _request(request: Request) -> str:
    sent = code(f"{request.method} {request.path}")
    return f"| {code(request.label)} | {sent} | {100 * request.share:.4g} % |"


def _header(header: Header) -> str:
    value = code(header.value) if header.value is not None else "told when the test is run"
    return f"\nEvery request carries {code(header.name)}: {value}.\n"


def escaped(text: str) -> str:
    """Text that Markdown shows as it is: no markup, no HTML, no table, on one line.

    >>> escaped("a|b <i> `c`")
    'a&#124;b &lt;i&gt; &#96;c&#96;'
    """
    line = "".join(one if one.isprintable() else " " for one in text)
    plain = html.escape(line, quote=False)
    return "".join(f"&#{ord(one)};" if one in "|`*_[]\\~!" else one for one in plain)


def code(text: str) -> str:
    """Text in a fixed face, in HTML's own words: Markdown's backticks end at the first backtick inside."""
    return f"<code>{escaped(text)}</code>"
