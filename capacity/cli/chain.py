"""The verbs of the chain: forecast, backtest, plan, policy, simulate, report."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capacity.cli.options import DEFAULT_CONFIG, MODELS, AsJson, ConfigPath, HistoryPath, Horizon, Names, Quiet
from capacity.cli.printing import SHOWN, findings, print_json, record, records, say, table
from capacity.cli.snapshots import SavePath

if TYPE_CHECKING:
    from capacity.fleet import Chain

app = typer.Typer()

#: What of a backtest's summary fits on a screen; `--json` has it all.
SUMMARY = [
    *("model", "relative_wql", "relative_pinball", "beaten", "coverage", "exceeded", "above_p99"),
    *("peak_exceeded", "bias", "mase", "seconds", "series", "cutoffs"),
]

#: What of a replay fits on a screen of 120 letters; `--json` has it all.
REPLAYED = [
    *("service", "minutes", "unknown_minutes", "short_minutes", "theta_u", "theta_o"),
    *("task_hours", "usd", "changes", "max_running"),
]


@app.command()
def forecast(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    model: Annotated[str | None, typer.Option(metavar="MODEL", help=f"Instead of [forecast] model: {MODELS}.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Where demand goes. Mean and quantiles of every series and interval.

    Events and holidays of capacity.toml are on its paths; standard error says what was made of each.
    """
    with chain_of(config, history, service, horizon, model, quiet) as chain:
        result = chain.forecast
    findings(finding for finding in result.findings if finding.check != "event")
    findings((finding for finding in result.findings if finding.check == "event"), least="PASS")
    if as_json:
        print_json({"cutoff": str(result.cutoff), "forecast": records(result.frame)})
        return
    daily = result.frame.assign(day=result.frame["timestamp"].dt.floor("D"))
    measures = [column for column in result.frame.columns if column not in {"service", "metric", "timestamp"}]
    table(daily.groupby(["service", "metric", "day"], sort=False)[measures].max().reset_index(), "Highest of each day")


@app.command()
def backtest(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help=f"Model to score beside seasonal-naive; may be repeated: {MODELS}.",
            show_default="[forecast] model",
        ),
    ] = None,
    horizon: Annotated[str, typer.Option(metavar="DURATION", help="How far ahead each window looks.")] = "7d",
    windows: Annotated[int, typer.Option(min=1, help="How many rolling origins.")] = 4,
    gap: Annotated[
        str, typer.Option(metavar="DURATION", help="From the last measurement to what can still be acted on.")
    ] = "0",
    workers: Annotated[int, typer.Option(min=1, help="Processes that share the windows.")] = 1,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """How right models would have been. On history that they were not shown, with a verdict for every series.

    Models are told of the events and holidays of capacity.toml, as they are by `capacity forecast`; seasonal-naive,
    with which all are compared, is not. Intervals are those that [goal] horizon is planned by.
    """
    from capacity.forecasting import backtest as run
    from capacity.history.line import counted, how_long

    with chain_of(config, history, service, None, None, quiet) as chain:
        demand = chain.demand
        chain.started("backtest")
        models = [chain.told(name) for name in model or [chain.config.forecast.model]]
        apart = 0 if gap == "0" else gap
        level, seed = chain.config.goal.level, chain.config.forecast.seed
        result = run(demand, models, horizon, windows, gap=apart, level=level, seed=seed, workers=workers)
    findings(result.findings)
    if as_json:
        parts = {"summary": result.summary, "verdicts": result.verdicts, "scores": result.frame}
        parts |= {"calibration": result.calibration(), "by_lead": result.by_lead()}
        print_json({"about": result.about, **{name: records(part) for name, part in parts.items()}})
        return
    tested = counted(result.frame["cutoff"].nunique(), "window")
    table(result.summary[SUMMARY], f"{tested} of {horizon}, in intervals of {how_long(result.interval)}")
    shown = result.verdicts.head(SHOWN)
    more = f", the worst {SHOWN} of {len(result.verdicts):,}" if len(shown) < len(result.verdicts) else ""
    print(f"\nVerdicts{more}")
    for row in shown.itertuples():
        print(f"{row.status} {row.service} {row.metric} by {row.model}\n    {row.verdict}")


@app.command()
def plan(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    bottlenecks: Annotated[
        bool, typer.Option("--bottlenecks", help="Also say what binds first at each peak, and what would move it.")
    ] = False,
    save: SavePath = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What to run, and what to decide. When limits are reached, what it costs.

    A plan that was kept (`--save plans/2026Q4.plan`) is what `capacity review` holds against what happened.
    """
    from capacity.reviewing.keeping import plan_path

    path = None if save is None else plan_path(save)  # a name that will not do is said before the minutes of planning
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        result = chain.plan
        binding = result.bottlenecks(history=chain.history) if bottlenecks else None
        if path is not None:
            chain.snapshot(policy=False).save(path)
    findings(result.findings)
    if as_json:
        parts = {"limits": result.limits, "cost": result.cost, "plan": result.frame}
        if binding is not None:
            parts |= {"bottlenecks": binding.frame, "levers": binding.levers}
        print_json(
            {
                "decisions": [record(vars(decision)) for decision in result.decisions],
                **{name: records(part) for name, part in parts.items()},
            }
        )
        return
    if binding is not None:
        print(f"{binding}\n")
    for decision in result.decisions:
        print(f"{decision.sentence}\n    {decision.because}")
    table(result.limits, "Limits")
    table(result.cost, "Cost over the horizon")


@app.command()
def policy(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    kind: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="KIND",
            help="table, cloudformation, terraform, boto3 or cli; for Kubernetes hpa or keda; azure.",
        ),
    ] = "table",
    beside: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PART",
            help="Also try this beside target tracking and schedules: steps, predictive. Taken only where it pays; "
            "may be repeated.",
        ),
    ] = None,
    why: Annotated[
        bool, typer.Option("--why", help="Also say why, on standard error: rehearsed on what, beside what, until when.")
    ] = False,
    quiet: Quiet = False,
) -> None:
    """What the autoscaler should say. Rehearsed on history first; the document alone goes to standard output.

    docs/policies.md says what each kind of document holds, and what it cannot say.
    """
    from capacity.scaling import check_policy
    from capacity.scaling.render import renderer
    from capacity.scaling.render.table import printable
    from capacity.scaling.search.beside import asked_for

    parts = asked_for(beside or ())
    renderer(kind)  # a kind that does not exist is said before the minutes that rehearsals take
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        chain.beside = parts
        document = chain.policy.render(kind)
        checked = check_policy(chain.policy, accounts=chain.config.account, demand=chain.demand)
    findings(chain.plan.findings, least="FAIL")
    findings(checked, least="REVIEW")
    if why:
        for one in chain.policy:
            say("\n    ".join((f"`{printable(one.service.name)}`", *map(printable, one.reasons))))
    if isinstance(document, str):
        print(document, end="" if document.endswith("\n") else "\n")
    elif all(isinstance(line, str) for line in document):
        print("\n".join(document))
    else:
        print_json(document)


@app.command()
def simulate(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    days: Annotated[int, typer.Option(min=1, help="How many of the last days to replay.")] = 28,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Replay the recommended policy. Over the last days of history, minute by minute.

    The policy was chosen on this history: what it does on weeks that it was not made from, its report says.
    """
    import pandas as pd

    from capacity.scaling import simulate as run

    with chain_of(config, history, service, None, None, quiet) as chain:
        recommended, demand = chain.policy, chain.demand
        result = run(recommended, demand.since(demand.end - pd.Timedelta(days=days)), seed=chain.config.forecast.seed)
    findings(chain.plan.findings, least="FAIL")
    if as_json:
        print_json({"metrics": records(result.metrics)})
    else:
        first, last = result.frame["timestamp"].min(), result.frame["timestamp"].max()
        title = f"Under the recommended policy, {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M} UTC"
        table(result.metrics[REPLAYED], title)


@app.command()
def report(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder, instead of [report] out.")] = None,
    previous: Annotated[
        Path | None,
        typer.Option(metavar="PLAN", help="Plan kept last time, or the folder of them, instead of [report] previous."),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the capacity report. As report.html, report.pdf, report.xlsx and report.json; report.plan keeps the plan.

    Copy report.plan to where plans are kept (plans/2026Q4.plan): the next report opens with what became of it.
    """
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        chain.previous = previous
        result = chain.report
        folder = out if out is not None else Path(chain.config.report.out)
        paths = [*result.save_all(folder), chain.snapshot().save(folder / "report.plan")]
    if as_json:
        print_json({"files": [str(path) for path in paths], "seconds": chain.seconds})
        return
    for decision in chain.plan.decisions[:5]:
        print(f"• {decision.sentence}")
    if len(chain.plan.decisions) > 5:
        print(f"• and {len(chain.plan.decisions) - 5} more")
    for path in paths:
        print(path)


@contextmanager
def chain_of(
    config: Path,
    history: Path | None,
    service: list[str] | None,
    horizon: str | None,
    model: str | None,
    quiet: bool,
) -> Iterator[Chain]:
    """The chain with the command's overrides; stages are announced on standard error while the block runs."""
    from capacity.config import load_config
    from capacity.fleet import STAGES, Chain

    settings = load_config(config)
    if horizon is not None:
        settings = settings.model_copy(update={"goal": settings.goal.model_copy(update={"horizon": horizon})})
    if model is not None:
        settings = settings.model_copy(update={"forecast": settings.forecast.model_copy(update={"model": model})})
    chain = Chain(settings, source=history, only=tuple(service or ()))
    if quiet or not sys.stderr.isatty():
        if not quiet:
            chain.started = lambda stage: say(f"{STAGES[stage]} ...")
        yield chain
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("Starting", total=len(STAGES))

        def advance(stage: str) -> None:
            progress.update(task, description=STAGES[stage], completed=list(STAGES).index(stage))

        chain.started = advance
        yield chain
