"""What tasks run on: their size, their mix of Spot and FARGATE, EC2 instances."""

from __future__ import annotations

from typing import Annotated

import typer

from capacity.cli.chain import chain_of
from capacity.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, HistoryPath, Horizon, Names, Quiet
from capacity.cli.printing import findings, print_json, records, table
from capacity.errors import ConfigError

app = typer.Typer()

#: What of a row fits on a screen; `--json` has it all.
SIZES = ["service", "vcpu", "memory_gib", "architecture", "present", "tasks", "usd", "p5", "p95", "rejected_because"]
MIXES = ["service", "base", "spot_share", "present", "usd", "p5", "p95", "breaks", "rejected_because"]


@app.command()
def sizes(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    arm_speed: Annotated[
        float | None,
        typer.Option(metavar="FACTOR", help="Work of an ARM vCPU as a multiple of an x86 one's, by your own test."),
    ] = None,
    least: Annotated[
        int | None,
        typer.Option(min=0, help="Fewest tasks of any size.", show_default="2 where a zone may be lost, else 1"),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Which size of task is cheapest. Every Fargate size on x86 and ARM, at the same promise."""
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        result = chain.plan.sizes(arm_speed=arm_speed, least=least)
    findings(result.findings)
    if as_json:
        print_json({"sentences": result.sentences, "sizes": records(result.frame)})
        return
    if result.sentences:
        print(result)
        table(result.shortlist[SIZES], "Cheapest memory of each vCPU, USD a month")


@app.command()
def mix(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    lost: Annotated[
        float | None, typer.Option(min=0, max=1, help="Share of its Spot tasks that a service loses at once.")
    ] = None,
    waves: Annotated[float | None, typer.Option(min=0, help="How often a month that happens.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """How much may run on Spot. The cheapest mix of FARGATE and FARGATE_SPOT that keeps the promise."""
    from capacity.planning import Interruptions

    said = {"lost_share": lost, "waves_per_month": waves}
    stated = {name: value for name, value in said.items() if value is not None}
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        result = chain.plan.mix(interruptions=Interruptions(**stated) if stated else None)
    findings(result.findings)
    if as_json:
        named = {name: result.strategy(name) for name in result.best.index}
        print_json({"sentences": result.sentences, "strategies": named, "mixes": records(result.frame)})
        return
    if result.sentences:
        print(result)
        table(result.frame.groupby("service", sort=False).head(5)[MIXES], "Cheapest mixes, USD a month")


@app.command()
def instances(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """How many EC2 instances hold the tasks. Of every [[instance]] type in the settings, as one cluster."""
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        if not chain.config.instance:
            raise ConfigError(
                "no instance type to pack onto",
                advice='Add one: [[instance]] name = "m7g.2xlarge", vcpu = 8, memory_gib = 32, usd_per_hour = ...',
            )
        result = chain.plan.instances(chain.config.instance)
    if as_json:
        print_json({"sentence": result.sentence, "instances": records(result.frame)})
        return
    print(result)
    table(result.frame, "Instance types, USD a month")
