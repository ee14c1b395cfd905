"""The command line: the API, spoken. Each command reads arguments, asks the chain for one noun, prints it.

Results go to standard output, as a table for people or as JSON with `--json`; progress and messages go to standard
error. Exit codes: 0 done; 1 input, data or settings do not allow an answer; 2 wrong usage; 130 interrupted.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity._version import __version__
from capacity.errors import CapacityError

if TYPE_CHECKING:
    import pandas as pd

    from capacity.fleet import Chain

HELP = """Capacity forecasting and planning for AWS ECS: how much, how sure, and what the autoscaler should say.

Settings come from capacity.toml (write one with `capacity init`). Results go to standard output, progress to
standard error.

Exit codes: 0 done; 1 input, data or settings do not allow an answer (standard error says what and where);
2 wrong usage; 130 interrupted.
"""

app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None)

ConfigPath = Annotated[Path, typer.Option("--config", "-c", help="The settings of the fleet.")]
HistoryPath = Annotated[
    Path | None, typer.Option("--history", help="CSV or Parquet file, folder or store, instead of [data] history.")
]
Names = Annotated[
    list[str] | None, typer.Option("--service", "-s", metavar="NAME", help="Only this service; may be repeated.")
]
Horizon = Annotated[
    str | None, typer.Option("--horizon", metavar="DURATION", help="How far, as in 91d, instead of [goal] horizon.")
]
Named = Annotated[str | None, typer.Option("--service", help="Service of every row, if the file names none.")]
Metric = Annotated[str | None, typer.Option("--metric", help="Metric of every row, if the file names none.")]
Unit = Annotated[str | None, typer.Option("--unit", help="Unit of the values, if not the metric's own.")]
Timezone = Annotated[str | None, typer.Option("--timezone", help="IANA zone of stamps without an offset.")]
Columns = Annotated[
    list[str] | None,
    typer.Option("--column", metavar="THEIRS=OURS", help="Their column = ours, as in svc=service; may be repeated."),
]
IntervalSeconds = Annotated[
    int | None,
    typer.Option("--interval-seconds", min=1, help="Interval of the rows, if their stamps do not show it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table for people.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")]

DEFAULT_CONFIG = Path("capacity.toml")
MODELS = "auto, seasonal-naive, harmonic, profile, ets, sarimax, prophet, boosting"


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit


@app.command()
def init(
    history: Annotated[Path, typer.Argument(help="History to read: CSV or Parquet file, folder or store.")],
    out: Annotated[Path, typer.Option("--out", "-o", help="Where to write the settings.")] = DEFAULT_CONFIG,
    column: Columns = None,
    service: Named = None,
    metric: Metric = None,
    unit: Unit = None,
    timezone: Timezone = None,
    interval_seconds: IntervalSeconds = None,
) -> None:
    """Write a commented capacity.toml with one [[service]] for each service in the history."""
    from capacity.config import starter
    from capacity.history import read
    from capacity.schema import METRICS

    if out.exists():
        raise CapacityError(f"{out} exists already: name another file with --out, or delete it first")
    options = _reading(column, service, metric, unit, timezone, interval_seconds)
    found = read(history, **options)
    _findings(found.findings)
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("x", encoding="utf-8") as file:
        file.write(starter(history, found.services, out.parent, **options))
    count = len(found.services)
    units = ", ".join(f"{name} in {METRICS[name].unit}" for name in found.metrics())
    _say(f"Wrote {out} with {count} service{'' if count == 1 else 's'}, read as {units}.")
    _say(f"Fill in task sizes and bounds, then: capacity report --config {shlex.quote(str(out))}")


@app.command()
def fetch(
    source: Annotated[str, typer.Argument(help="Which source: files, or one that a plug-in brings.")],
    location: Annotated[str, typer.Argument(help="What to read: for files, a path.")],
    store: Annotated[Path, typer.Option("--store", help="Folder of the history store; made if absent.")],
    column: Columns = None,
    service: Named = None,
    metric: Metric = None,
    unit: Unit = None,
    timezone: Timezone = None,
    interval_seconds: IntervalSeconds = None,
    as_json: AsJson = False,
) -> None:
    """Read a source and keep what it says in a history store. Doing it twice changes nothing."""
    from capacity.history import Store
    from capacity.sources import open_source

    options = _reading(column, service, metric, unit, timezone, interval_seconds)
    observations = open_source(source, location, **options).read()
    appended = Store(store).append(observations)
    _findings(observations.findings)
    counts = {"rows_added": appended.rows_added, "rows_revised": appended.rows_revised}
    counts |= {"rows_unchanged": appended.rows_unchanged, "rows_outdated": appended.rows_outdated}
    if as_json:
        _json(counts)
    else:
        print(", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in counts.items()))


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
    """Where demand goes: mean and quantiles of every series and interval."""
    with _chain(config, history, service, horizon, model, quiet) as chain:
        result = chain.forecast
    _findings(result.findings)
    if as_json:
        _json({"cutoff": str(result.cutoff), "forecast": _records(result.frame)})
        return
    daily = result.frame.assign(day=result.frame["timestamp"].dt.floor("D"))
    measures = [column for column in result.frame.columns if column not in {"service", "metric", "timestamp"}]
    _table(daily.groupby(["service", "metric", "day"], sort=False)[measures].max().reset_index(), "Highest of each day")


@app.command()
def backtest(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            metavar="MODEL",
            help=f"Model to score; may be repeated: {MODELS}.",
            show_default="auto and seasonal-naive",
        ),
    ] = None,
    horizon: Annotated[str, typer.Option(metavar="DURATION", help="How far ahead each window looks.")] = "7d",
    windows: Annotated[int, typer.Option(min=1, help="How many rolling origins.")] = 4,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """How right models would have been, on history they were not shown."""
    from capacity.forecasting import backtest as run

    with _chain(config, history, service, None, None, quiet) as chain:
        demand = chain.demand
        chain.started("backtest")
        models = tuple(model) if model else ("auto", "seasonal-naive")
        scores = run(demand, models, horizon, windows, seed=chain.config.forecast.seed)
    if as_json:
        _json({"summary": _records(scores.summary), "scores": _records(scores.frame)})
    else:
        _table(scores.summary, f"{windows} windows of {horizon}")


@app.command()
def plan(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What to run, when limits are reached, what it costs, and what to decide."""
    with _chain(config, history, service, horizon, None, quiet) as chain:
        result = chain.plan
    _findings(result.findings)
    if as_json:
        _json(
            {
                "decisions": [_plain(vars(decision)) for decision in result.decisions],
                "limits": _records(result.limits),
                "cost": _records(result.cost),
                "plan": _records(result.frame),
            }
        )
        return
    for decision in result.decisions:
        print(f"{decision.sentence}\n    {decision.because}")
    _table(result.limits, "Limits")
    _table(result.cost, "Cost over the horizon")


@app.command()
def policy(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    kind: Annotated[str, typer.Option("--as", help="table, cloudformation, terraform, boto3 or cli.")] = "table",
    quiet: Quiet = False,
) -> None:
    """What the autoscaler should say, rehearsed on history first. The document alone goes to standard output."""
    with _chain(config, history, service, horizon, None, quiet) as chain:
        document = chain.policy.render(kind)
    if isinstance(document, str):
        print(document, end="" if document.endswith("\n") else "\n")
    elif all(isinstance(line, str) for line in document):
        print("\n".join(document))
    else:
        _json(document)


@app.command()
def simulate(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    days: Annotated[int, typer.Option(min=1, help="How many of the last days to replay.")] = 28,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Replay the recommended policy over the last days of history, minute by minute."""
    import pandas as pd

    from capacity.scaling import simulate as run

    with _chain(config, history, service, None, None, quiet) as chain:
        recommended, demand = chain.policy, chain.demand
        result = run(recommended, demand.since(demand.end - pd.Timedelta(days=days)), seed=chain.config.forecast.seed)
    if as_json:
        _json({"metrics": _records(result.metrics)})
    else:
        _table(result.metrics, f"The last {days} days under the recommended policy")


@app.command()
def report(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Folder, instead of [report] out.")] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write the capacity report: report.html, report.pdf, report.xlsx and report.json."""
    with _chain(config, history, service, horizon, None, quiet) as chain:
        result = chain.report
        paths = result.save_all(out if out is not None else Path(chain.config.report.out))
    if as_json:
        _json({"files": [str(path) for path in paths], "seconds": chain.seconds})
        return
    for decision in chain.plan.decisions[:5]:
        print(f"• {decision.sentence}")
    if len(chain.plan.decisions) > 5:
        print(f"• and {len(chain.plan.decisions) - 5} more")
    for path in paths:
        print(path)


def _reading(
    column: list[str] | None,
    service: str | None,
    metric: str | None,
    unit: str | None,
    timezone: str | None,
    interval_seconds: int | None,
) -> dict[str, Any]:
    """What the command line says about the file, by the names that `read` and sources know; nothing unsaid."""
    columns: dict[str, str] = {}
    for pair in column or ():
        theirs, _, ours = pair.rpartition("=")
        if not (theirs and ours):
            raise CapacityError(f"--column {pair}: write THEIRS=OURS, as in --column svc=service")
        columns[theirs] = ours
    said = {"columns": columns, "service": service, "metric": metric, "unit": unit, "timezone": timezone}
    return {key: value for key, value in {**said, "interval_seconds": interval_seconds}.items() if value}


@contextmanager
def _chain(
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
            chain.started = lambda stage: _say(f"{STAGES[stage]} ...")
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


def _say(message: str) -> None:
    print(message, file=sys.stderr)


def _findings(findings: Any) -> None:
    """What a person must know before using the result: failures and unknowns, on standard error."""
    for finding in findings:
        if finding.status in {"FAIL", "UNKNOWN"}:
            _say(str(finding))


def _table(frame: pd.DataFrame, title: str) -> None:
    import pandas as pd
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=escape(title), title_justify="left", box=None, pad_edge=False, header_style="bold")
    numeric = {column for column in frame.columns if pd.api.types.is_numeric_dtype(frame[column])}
    for column in frame.columns:
        table.add_column(escape(str(column)), justify="right" if column in numeric else "left")
    for row in frame.itertuples(index=False):
        table.add_row(*(escape(_cell(value)) for value in row))
    Console(width=None if sys.stdout.isatty() else 200).print(table)


def _cell(value: Any) -> str:
    import pandas as pd

    if isinstance(value, pd.Timestamp):
        return f"{value:%Y-%m-%d}" if value == value.normalize() else f"{value:%Y-%m-%d %H:%M}"
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return "–"
    if isinstance(value, float):
        return f"{value:,.4g}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def _records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [_plain(row) for row in frame.to_dict(orient="records")]


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON can hold it: stamps as ISO 8601, missing values as null."""
    import pandas as pd

    def plain(value: Any) -> Any:
        if isinstance(value, pd.Timestamp):
            return value.isoformat()
        if not isinstance(value, (list, tuple, dict)) and pd.isna(value):
            return None
        return value.item() if hasattr(value, "item") else value

    return {str(key): plain(value) for key, value in row.items()}


def _json(value: Any) -> None:
    import json

    print(json.dumps(value, ensure_ascii=False, allow_nan=False, indent=None, default=str))


def main() -> None:
    """Run the command line; what went wrong is said in words, on standard error, with exit code 1."""
    try:
        app()
    except CapacityError as error:
        _say(f"capacity: {error}")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


if __name__ == "__main__":
    main()
