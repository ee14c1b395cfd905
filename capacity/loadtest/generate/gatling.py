"""A load plan as a Gatling simulation in Java: open arrivals that do not wait for a slow server, and assertions.

Texts go in as lambdas (`session -> "..."`), which Gatling takes as they are: its expression language is not asked.
"""

from __future__ import annotations

import math
from typing import Final

from capacity.loadtest.generate.plan import LoadPlan, Stage, labels
from capacity.loadtest.generate.requests import Header, Request

#: Name of the class and its file.
SIMULATION: Final = "CapacitySimulation"

#: A constant in a class file holds 65,535 bytes (JVM specification 4.4.7): longer texts are joined when they run.
_LONGEST: Final = 8_000

_TEMPLATE: Final = """\
//REMARKS
// Run it with Gatling 3.7 or newer and the system property host (port and protocol where they are not those of https).

import static io.gatling.javaapi.core.CoreDsl.*;
import static io.gatling.javaapi.http.HttpDsl.*;

import io.gatling.javaapi.core.ScenarioBuilder;
import io.gatling.javaapi.core.Simulation;
import io.gatling.javaapi.http.HttpProtocolBuilder;
import java.time.Duration;

public class SIMULATION extends Simulation {
  private static String told(String name) {
    String value = System.getProperty(name, "");
    if (value.isEmpty()) {
      throw new IllegalArgumentException("Nothing is driven: run with -D" + name + "=...");
    }
    return value;
  }

  private static final String PORT = System.getProperty("port", "");
  private static final String TARGET =
      System.getProperty("protocol", "https") + "://" + told("host") + (PORT.isEmpty() ? "" : ":" + PORT);

TOLD
  private final HttpProtocolBuilder protocol =
      http.baseUrl(TARGET).disableFollowRedirect().shareConnections()HEADERS;

SCENARIOS
  {
    setUp(
INJECTIONS)
        .protocols(protocol)
        .assertions(
ASSERTIONS);
  }
}
"""


def gatling(plan: LoadPlan) -> str:
    """A simulation in Java. One scenario a request and one request a user, so that users/s are requests/s; each
    arrives at random (Poisson), so that together they do. It refuses to start without a host.

    Source: Gatling's Java DSL, words unchanged from 3.7 to 3.15 (reference loadtest.md 3.4).
    """
    scenarios, injections, assertions = [], [], []
    parts = [judged for judged in (True, False) if any(stage.judged == judged for stage in plan.stages)]
    for judged in parts:
        for number, (request, label) in enumerate(zip(plan.mix, labels(plan, judged), strict=True), start=1):
            name = f"{'request' if judged else 'beyond'}{number}"
            scenarios.append(_scenario(name, label, request))
            injections.append(_injection(name, plan, request, judged))
            if judged:
                assertions += _assertions(plan, label)
    filled = {
        "//REMARKS": "\n".join(map(_remark, plan.arithmetic)),
        "SIMULATION": SIMULATION,
        "TOLD": "".join(map(_told, plan.headers)),
        "HEADERS": "".join(map(_header, plan.headers)),
        "SCENARIOS": "\n".join(scenarios),
        "INJECTIONS": ",\n".join(injections),
        "ASSERTIONS": ",\n".join(assertions),
    }
    lines = []
    for line in _TEMPLATE.splitlines():  # place by place, so that no text of a user is taken for a place
        for place, text in filled.items():
            if place in line:
                line = text.join(line.split(place))
                break
        lines.append(line)
    return "\n".join(lines) + "\n"


def _scenario(name: str, label: str, request: Request) -> str:
    words = [
        f"http(session -> {java(label)})",
        f".{request.method.lower()}(session -> {java(request.path)})",
    ]
    if request.body is not None:
        words.append(f".header({java('Content-Type')}, session -> {java(request.content_type)})")
        words.append(f".body(StringBody(session -> {java(request.body)}))")
    if request.expect:
        words.append(f".check(substring(session -> {java(request.expect)}).exists())")
    inside = "\n            ".join(words)
    return f"  private final ScenarioBuilder {name} =\n      scenario({java(label)}).exec(\n          {inside});\n"


def _injection(name: str, plan: LoadPlan, request: Request, judged: bool) -> str:
    steps = []
    idle = 0  # seconds that the other scenario drives
    for stage in plan.stages:
        if stage.judged != judged:
            idle += stage.seconds
            continue
        if idle:
            steps.append(f"nothingFor(Duration.ofSeconds({idle}))")
        idle = 0
        steps.append(_driven(stage, request.share))
    inside = ",\n            ".join(steps)
    return f"        {name}.injectOpen(\n            {inside})"


def _driven(stage: Stage, share: float) -> str:
    span = f".during(Duration.ofSeconds({stage.seconds})).randomized()"
    if stage.rate_from is not None:
        return f"rampUsersPerSec({_number(stage.rate_from * share)}).to({_number(stage.rate * share)}){span}"
    return f"constantUsersPerSec({_number(stage.rate * share)}){span}"


def _assertions(plan: LoadPlan, label: str) -> list[str]:
    of = f"            details({java(label)})"
    return [
        f"{of}.responseTime().percentile({_number(100 * plan.slo.quantile)}).lte({max(1, math.floor(plan.slo.ms))})",
        f"{of}.failedRequests().percent().lte({_number(100 * plan.slo.error_share)})",
    ]


def _header(header: Header) -> str:
    value = java(header.value) if header.value is not None else _constant(header)
    return f"\n          .header({java(header.name)}, session -> {value})"


def _told(header: Header) -> str:
    if header.value is not None:
        return ""
    return f"  private static final String {_constant(header)} = told({java(header.property_name)});\n"


def _constant(header: Header) -> str:
    return header.property_name.upper()


def java(text: str) -> str:
    """A Java string literal, in ASCII; a long text as pieces that are joined when they run.

    >>> print(java('say "hi"\\n\\\\u0041 é'))
    "say \\"hi\\"\\n\\\\u0041 \\u00E9"
    """
    if len(text) <= _LONGEST:
        return '"' + "".join(map(_character, text)) + '"'
    pieces = [java(text[at : at + _LONGEST]) for at in range(0, len(text), _LONGEST)]
    return f'String.join("", {", ".join(pieces)})'


_ESCAPES: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _character(one: str) -> str:
    if one in _ESCAPES:
        return _ESCAPES[one]
    if " " <= one <= "~":
        return one
    units = one.encode("utf-16-be", errors="surrogatepass")
    return "".join(f"\\u{units[at]:02X}{units[at + 1]:02X}" for at in range(0, len(units), 2))


def _number(value: float) -> str:
    """A double as Java reads it, never in a form of its own such as 1e-05.

    >>> _number(16.666666), _number(3)
    ('16.666666', '3.0')
    """
    text = f"{value:.9f}".rstrip("0")
    return text + "0" if text.endswith(".") else text


def _remark(line: str) -> str:
    """A line of comment. Without backslashes, since Java reads \\u000a even in comments."""
    return "// " + line.replace("\\", " ")
