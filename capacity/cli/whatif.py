"""What if, and why that many: scenarios side by side, and one count explained."""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.chain import chain_of
from capacity.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, HistoryPath, Horizon, Names, Quiet
from capacity.cli.printing import findings, print_json, records, say, table
from capacity.errors import InputError

if TYPE_CHECKING:
    from capacity.config import Scenario
    from capacity.fleet import Chain
    from capacity.planning.scenarios import WhatIf

app = typer.Typer()

#: What of a row fits on a screen; `--json` has it all.
SHOWN = [
    *(
        "scenario",
        "service",
        "tasks",
        "more_tasks",
        "short",
        "usd_per_month",
        "usd_p5",
        "usd_p95",
        "more_usd_per_month",
    ),
    *("limit", "probability", "reached"),
]


@app.command("what-if")
def what_if(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    scenario: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this [[scenario]]; may be repeated.", show_default="all"),
    ] = None,
    growth: Annotated[
        list[str] | None,
        typer.Option(metavar="GROWTH", help='Load over the forecast: "20%", "-10%", "1.5x"; may be repeated.'),
    ] = None,
    level: Annotated[
        list[float] | None, typer.Option(help="Another [goal] level, above 0 and below 1; may be repeated.")
    ] = None,
    lose_zones: Annotated[int, typer.Option(min=0, max=5, help="How many zones are gone.")] = 0,
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of [[service]]; several are one scenario."),
    ] = None,
    together: Annotated[bool, typer.Option("--together", help="Also all that was asked for at once.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Scenarios beside the plan as it is. From [[scenario]] of capacity.toml, or said here; from the same futures."""
    said = _said(growth or [], level or [], lose_zones, change or [])
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        wanted = chain.config.scenario if scenario or not said else ()
        known = _about(wanted, chain, set(scenario or ()))
        asked = [*_chosen(known, wanted, scenario, said), *said]
        given: list[Any] = [*asked, tuple(asked)] if together and len(asked) > 1 else asked
        result = chain.plan.what_if(given, among=known)
    findings(result.findings)
    if as_json:
        print_json({"headline": result.headline, "scenarios": records(result.frame)})
        return
    print(result)
    _tables(result)


def _tables(result: WhatIf) -> None:
    frame = result.frame
    table(frame[frame["service"] == result.whole][SHOWN].drop(columns="service"), f"{result.whole}, USD a month")
    moved = frame[(frame["service"] != result.whole) & (frame["more_tasks"] != 0)]
    if len(moved):
        table(moved[SHOWN], "Services of which the count moves")


def _said(growth: list[str], level: list[float], lose_zones: int, change: list[str]) -> list[Scenario]:
    """The scenarios of the command line itself."""
    from capacity.config import Scenario

    found = [Scenario(name=f"growth {one}", growth=one) for one in growth]
    found += [Scenario(name=f"level {one:g}", goal={"level": one}) for one in level]
    if lose_zones:
        found.append(Scenario(name=f"{lose_zones} zone{'s' if lose_zones > 1 else ''} lost", lose_zones=lose_zones))
    if change:
        found.append(Scenario(name=", ".join(change), change=dict(_pair(one) for one in change)))
    return found


def _pair(text: str) -> tuple[str, Any]:
    """KEY=VALUE, the value as TOML writes it; what is no TOML is text.

    >>> _pair("min_tasks=4"), _pair("architecture=arm64")
    (('min_tasks', 4), ('architecture', 'arm64'))
    """
    key, equals, value = text.partition("=")
    if not (key.strip() and equals and value.strip()):
        raise InputError(f"--set {text}: write KEY=VALUE, as in --set startup_seconds=45")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def _about(scenarios: tuple[Scenario, ...], chain: Chain, named: set[str]) -> list[Scenario]:
    """Those that concern the services planned here, of them alone, and that the horizon sees; who is left out is said.

    named  what was asked for by name: that it happens outside of the horizon is an error then, not a line to read
    """
    from capacity.planning.scenarios import happens

    names = {one.name for one in chain.services}
    found, others, later = [], [], []
    for one in scenarios:
        own = tuple(name for name in one.services if name in names)
        moved = {name for move in one.move for name in (move.source, move.target)}
        clocks = [service.timezone for service in chain.services if not own or service.name in own]
        if (one.services and not own) or not moved <= names:
            others.append(one.name)
        elif one.name not in named and one.windowed and not happens(one, chain.forecast, clocks):
            later.append(one.name)
        else:
            found.append(one.model_copy(update={"services": own}))
    missing = {*others, *later}
    for one in [one for one in found if missing & set(one.combines)]:
        (later if set(later) & set(one.combines) else others).append(one.name)
    for left, why in ((others, "it is of services that are not asked for"), (later, "the horizon sees nothing of it")):
        for name in left:
            say(f"left out: scenario {name!r}, {why}")
    return [one for one in found if one.name not in {*others, *later}]


def _chosen(
    known: list[Scenario], wanted: tuple[Scenario, ...], names: list[str] | None, said: list[Scenario]
) -> list[Scenario]:
    """The scenarios of the file that are asked for: those named, or all where nothing else is said."""
    if not wanted and not names and not said:
        raise InputError(
            "no scenario to ask for",
            advice='Say one, as in --growth "20%", or write [[scenario]] tables into the settings: docs/planning.md.',
        )
    if names is None:
        return [] if said else known
    by_name = {one.name: one for one in known}
    if missing := [name for name in names if name not in by_name]:
        there = ", ".join(map(repr, by_name)) or "none"
        raise InputError(f"no [[scenario]] is called {missing[0]!r}", advice=f"There are: {there}.")
    return [by_name[name] for name in names]


@app.command()
def explain(
    service: Annotated[str, typer.Argument(metavar="SERVICE", help="The service whose count is explained.")],
    at: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Which interval, as 2027-01-14T09:00Z.", show_default="of most tasks"),
    ] = None,
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    horizon: Horizon = None,
    sizes: Annotated[bool, typer.Option("--sizes", help="Also which other size of task would do.")] = False,
    scores: Annotated[
        bool, typer.Option("--scores", help="Also how right the method was over the last weeks (a backtest).")
    ] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Why that many tasks. Step by step, the next-best count, what would change it, and what each decision rests on."""
    with chain_of(config, history, [service], horizon, None, quiet) as chain:
        plan = chain.plan
        told = plan.explain(service, at, sizes=sizes, scores=chain.backtest if scores else None)
        decisions = [plan.explain_decision(one) for one in plan.decisions if one.service == service]
        why, moves = plan.why(service, at), plan.sensitivity(service, at)
    if as_json:
        answer = {"text": told, "decisions": decisions, "why": records(why), "sensitivity": records(moves)}
        print_json(answer)
        return
    print("\n\n".join([told, *decisions]))
    table(moves, "What moves it: each input low and high, tasks of this interval, USD a month")
