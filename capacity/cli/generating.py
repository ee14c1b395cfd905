"""`capacity loadtest generate`: the test for a peak, as files for JMeter, Taurus and Gatling."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, HistoryPath, Horizon, Quiet
from capacity.cli.printing import findings, print_json, records, say, table
from capacity.errors import CapacityError

if TYPE_CHECKING:
    from capacity.config import Service
    from capacity.loadtest.generate import LoadPlan

#: The SLO where neither the command nor the service says one; the command says that it took it.
ASSUMED_SLO_MS = 250.0

Length = "Seconds, or a duration such as 3min."


def generate(
    peak: Annotated[
        str,
        typer.Option(
            "--for", metavar="PEAK", help="Requests/s of the whole service, or forecast: that of --service's forecast."
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write to; made if absent.")] = Path("loadtest"),
    tasks: Annotated[int, typer.Option(min=1, help="Tasks behind the target while the test runs.")] = 1,
    planned: Annotated[
        int | None,
        typer.Option(min=1, help="Tasks that are to carry the whole peak.", show_default="what the claim needs"),
    ] = None,
    claimed: Annotated[
        float | None,
        typer.Option(
            metavar="RATE",
            help="Requests/s that one task is said to carry.",
            show_default="the service's, else its share of the peak",
        ),
    ] = None,
    slo_ms: Annotated[
        float | None,
        typer.Option(
            "--slo-ms",
            "--slo",
            min=0.001,
            help="Latency that the SLO allows, in milliseconds.",
            show_default=f"the service's, else {ASSUMED_SLO_MS:g}",
        ),
    ] = None,
    quantile: Annotated[
        float | None,
        typer.Option(min=0.01, max=0.9999, help="Which quantile of latency the SLO bounds.", show_default="0.95"),
    ] = None,
    error_budget: Annotated[float, typer.Option(min=0, max=0.9999, help="Share of requests that may fail.")] = 0.01,
    mix: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE|LABEL=SHARE",
            help='What to ask for: a TOML or JSON file of requests, results of a test, or "GET /cart=70"; may be '
            "repeated.",
            show_default="GET /",
        ),
    ] = None,
    header: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[=VALUE]",
            help="A header of every request; without a value (secrets) it is told when the test is run; repeatable.",
        ),
    ] = None,
    spike: Annotated[
        float | None,
        typer.Option(min=1, help="The busiest moment over the peak.", show_default="the forecast's, else 1"),
    ] = None,
    ramp: Annotated[
        str | None,
        typer.Option(metavar="DURATION", help="How long the rise takes.", show_default="the forecast's, else 2min"),
    ] = None,
    settle: Annotated[str, typer.Option(metavar="DURATION", help="How long a load point settles first.")] = "60s",
    hold: Annotated[str, typer.Option(metavar="DURATION", help="How long it is then held.")] = "3min",
    soak: Annotated[str, typer.Option(metavar="DURATION", help="How long the peak lasts.")] = "30min",
    spike_for: Annotated[str, typer.Option(metavar="DURATION", help="How long the spike lasts.")] = "60s",
    service: Annotated[
        str | None, typer.Option("--service", "-s", metavar="NAME", help="The service of the settings it is for.")
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    horizon: Horizon = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the load test that would prove a peak. For JMeter, Taurus (BlazeMeter) and Gatling, with a README.

    Load points from 40 to 140 % of what is claimed, a ramp to the peak, a soak there and a spike. The files name no
    target and hold no credentials: what they are to drive is told when they are run.
    """
    from capacity.loadtest.generate.mixing import mix_from

    settings: dict[str, Any] = {
        "tasks": tasks,
        "planned": planned,
        "claimed": claimed,
        "quantile": quantile,
        "spike": spike,
        "ramp": ramp,
        "settle": settle,
        "hold": hold,
        "soak": soak,
        "spike_for": spike_for,
        "error_share": error_budget,
        "slo_ms": slo_ms,
        "mix": mix_from(mix) if mix else None,
        "headers": _headers(header or ()),
    }
    said = {name: value for name, value in settings.items() if value is not None}
    if peak.strip().lower() == "forecast":
        plan = _from_forecast(config, history, service, horizon, quiet, said)
    else:
        plan = _for(_rate(peak), _service(config, service), said)
    paths = plan.write(out)
    if as_json:
        stages = records(plan.frame)
        print_json({"files": [str(path) for path in paths], "arithmetic": plan.arithmetic, "stages": stages})
        return
    for sentence in plan.arithmetic:
        print(sentence)
    table(plan.frame, "Stages")
    for path in paths:
        print(path)


def _for(rate: float, service: Service | None, said: dict[str, Any]) -> LoadPlan:
    from capacity.loadtest.generate import plan_for

    if service is not None:
        known = service.task_capacity
        if known is not None and known.slo_ms is not None and "slo_ms" not in said:
            said = {"quantile": known.slo_quantile, **said, "slo_ms": known.slo_ms}
        if service.requests_per_second_per_task is not None:
            said = {"claimed": service.requests_per_second_per_task, **said}
        said = {"service": service.name, **said}
    return plan_for(rate, **_with_slo(said))


def _from_forecast(
    config: Path, history: Path | None, service: str | None, horizon: str | None, quiet: bool, said: dict[str, Any]
) -> LoadPlan:
    from capacity.cli.chain import chain_of
    from capacity.planning.proof import plan_from_forecast

    with chain_of(config, history, [service] if service else None, horizon, None, quiet) as chain:
        if len(chain.services) != 1:
            raise CapacityError(f"{config} has {len(chain.services)} services: say which one, with --service NAME")
        one, forecast, level = chain.services[0], chain.forecast, chain.config.goal.level
    findings(forecast.findings)
    known = one.task_capacity is not None and one.task_capacity.slo_ms is not None
    return plan_from_forecast(forecast, one, level=level, **(said if known else _with_slo(said)))


def _with_slo(said: dict[str, Any]) -> dict[str, Any]:
    if "slo_ms" in said:
        return said
    say(f"No SLO was said: {ASSUMED_SLO_MS:g} ms is taken. Say your own with --slo-ms.")
    return {**said, "slo_ms": ASSUMED_SLO_MS}


def _service(config: Path, name: str | None) -> Service | None:
    if name is None:
        return None
    from capacity.config import load_config

    return load_config(config).service_named(name)


def _rate(text: str) -> float:
    try:
        return float(text.replace(",", ""))
    except ValueError:
        raise CapacityError(f"--for {text}: write requests/s, as in --for 1200, or --for forecast") from None


def _headers(words: list[str] | tuple[str, ...]) -> dict[str, str | None] | None:
    pairs = {}
    for word in words:
        name, equals, value = word.partition("=")
        pairs[name.strip()] = value if equals else None
    return pairs or None
