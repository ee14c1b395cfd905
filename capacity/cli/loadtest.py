"""`capacity loadtest ...`: read results, say what one task carries, fit how it scales, write the test for a peak."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.generating import generate
from capacity.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, HistoryPath, Timezone
from capacity.cli.printing import SHOWN, findings, print_json, records, say, table

if TYPE_CHECKING:
    import pandas as pd

    from capacity.config import TaskCapacity
    from capacity.loadtest import LoadTest

app = typer.Typer(
    no_args_is_help=True,
    help="What one task carries. From results of JMeter, Gatling, Taurus, BlazeMeter, Locust and k6, from production, "
    "or from both; and the test that would prove it for a forecast peak.",
)
app.command()(generate)

Results = Annotated[
    list[Path], typer.Argument(metavar="RESULTS...", help="Result files of one test, or a folder of them.")
]
SloMs = Annotated[float, typer.Option("--slo-ms", min=0.001, help="Latency that the SLO allows, in milliseconds.")]
Quantile = Annotated[
    float, typer.Option(min=0.01, max=0.9999, help="Which quantile of latency the SLO bounds: 0.95 is p95.")
]
ErrorBudget = Annotated[float, typer.Option(min=0, max=1, help="Share of requests that may fail.")]
Tasks = Annotated[int, typer.Option(min=1, help="Tasks that shared the load of the test.")]
AsToml = Annotated[bool, typer.Option("--toml", help="Print the table of capacity.toml to paste, and nothing else.")]

#: Columns of the load points that fit on a screen; `--json` has all.
STEP = [
    *("step", "group", "seconds", "asked_per_s", "throughput_per_s", "in_flight", "error_share"),
    *("mean_ms", "p50_ms", "p95_ms", "p99_ms", "dispersion", "loop", "steady", "saturated"),
]

#: Columns of an epoch that fit on a screen.
EPOCH = [
    *("start", "end", "began", "n", "vcpu_seconds_per_request", "cost_low", "cost_high"),
    *("requests_per_second", "low", "high", "at_least"),
]


@app.command()
def read(
    results: Results,
    timezone: Timezone = None,
    as_json: AsJson = False,
) -> None:
    """What a test measured. Labels, load points, errors, and what to beware of."""
    test = _read(results, timezone)
    findings(test.findings, least="REVIEW")
    if as_json:
        parts = {"summary": test.summary.reset_index(), "steps": test.steps, "errors": test.errors}
        print_json({**{name: records(part) for name, part in parts.items()}, "findings": records(test.findings.frame)})
        return
    labels = test.summary.reset_index()
    shown = labels if len(labels) <= SHOWN + 1 else _largest(labels)
    table(shown, _title(test, len(labels) - 1))
    if len(test.steps):
        table(test.steps[STEP], "Load points")
    if len(test.errors):
        table(test.errors.head(SHOWN), "Errors")


@app.command()
def capacity(
    results: Results,
    slo_ms: SloMs,
    quantile: Quantile = 0.95,
    error_budget: ErrorBudget = 0.01,
    tasks: Tasks = 1,
    timezone: Timezone = None,
    as_toml: AsToml = False,
    as_json: AsJson = False,
) -> None:
    """What one task carries within the SLO. With its interval and the load points behind it."""
    from capacity.loadtest import task_capacity

    test = _read(results, timezone)
    findings(test.findings, least="REVIEW")
    carries = task_capacity(test, slo_ms=slo_ms, quantile=quantile, error_budget=error_budget, tasks=tasks)
    _tell(carries, as_toml, as_json)


@app.command()
def production(
    service: Annotated[str, typer.Option("--service", "-s", metavar="NAME", help="The service looked at.")],
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    slo_ms: Annotated[
        float | None, typer.Option("--slo-ms", min=0.001, help="Latency that the SLO allows; else CPU alone decides.")
    ] = None,
    quantile: Quantile = 0.95,
    deploy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIME", help="When a release went out, as 2026-08-18T14:00Z; may be repeated; else found."
        ),
    ] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option(metavar="RESULTS", help="Results of a load test to lay beside it; may be repeated."),
    ] = None,
    as_toml: AsToml = False,
    as_json: AsJson = False,
) -> None:
    """What one task carried in production. Release by release, and beside a load test."""
    from datetime import UTC, datetime

    from capacity.cli.chain import chain_of
    from capacity.demand.per_task import from_production, reconcile
    from capacity.loadtest import task_capacity

    if test and slo_ms is None:
        raise typer.BadParameter("a load test needs the SLO it is read by", param_hint="--slo-ms")
    with chain_of(config, history, [service], None, None, quiet=True) as chain:
        one, data = chain.services[0], chain.history
        seen = from_production(data, one, slo_ms=slo_ms, quantile=quantile, deploys=deploy or ())
    findings(seen.findings, least="REVIEW")
    if not as_toml and not as_json:
        table(seen.epochs[EPOCH], f"{service}: what a request cost, release by release")
    if test and slo_ms is not None:
        tested = task_capacity(_read(test, None), slo_ms=slo_ms, quantile=quantile)
        both = reconcile(tested, seen.task_capacity, today=datetime.now(UTC).date(), service=service)
        findings(both.findings, least="REVIEW")
        _tell(both.task_capacity, as_toml, as_json, service)
    else:
        _tell(seen.task_capacity, as_toml, as_json, service)


@app.command()
def fit(
    results: Results,
    timezone: Timezone = None,
    as_json: AsJson = False,
) -> None:
    """How throughput grows with concurrency. The Universal Scalability Law beside simpler laws.

    RESULTS is a test with load points, or a CSV file with the columns concurrency and throughput.
    """
    from capacity.loadtest import fit_scaling

    concurrency, throughput = _points(results, timezone)
    scaling = fit_scaling(concurrency, throughput)
    best = scaling.table["model"].iloc[0]
    findings(scaling.findings, least="REVIEW")
    if as_json:
        print_json({"best": best, "models": records(scaling.table), "knees": records(scaling.knees)})
        return
    table(scaling.table.drop(columns="model"), f"{len(concurrency)} points; best by AICc: {best}")
    table(scaling.knees, "Where it bends, by definition of a knee")


def _read(results: list[Path], timezone: str | None) -> LoadTest:
    from capacity.loadtest import read

    return read(results[0] if len(results) == 1 else results, timezone=timezone)


def _points(results: list[Path], timezone: str | None) -> tuple[Any, Any]:
    """(n,) concurrency and (n,) throughput: columns of a CSV file, or the load points of a test."""
    import pandas as pd

    if len(results) == 1 and results[0].is_file():
        with results[0].open(encoding="utf-8", errors="replace") as file:
            head = {name.strip().lower() for name in file.readline().split(",")}
        if {"concurrency", "throughput"} <= head:
            frame = pd.read_csv(results[0]).rename(columns=lambda name: str(name).strip().lower())
            return frame["concurrency"].to_numpy(float), frame["throughput"].to_numpy(float)
    test = _read(results, timezone)
    findings(test.findings, least="REVIEW")
    usable = test.steps[test.steps["in_flight"].notna()]
    return usable["in_flight"].to_numpy(float), usable["throughput_per_s"].to_numpy(float)


def _tell(carries: TaskCapacity, as_toml: bool, as_json: bool, service: str = "") -> None:
    from capacity.config import carried

    if as_toml:
        print(carried(carries, service))
    elif as_json:
        print_json(carries.model_dump(mode="json"))
    else:
        print(carries)
        for sentence in carries.evidence:
            print(f"  {sentence}")
        say("As a table of capacity.toml: --toml")


def _title(test: LoadTest, labels: int) -> str:
    many = f", the largest {SHOWN} of {labels:,} labels" if labels > SHOWN else ""
    return f"{test.sentence}{many}"


def _largest(labels: pd.DataFrame) -> pd.DataFrame:
    """The labels with most samples, and the total."""
    import pandas as pd

    return pd.concat([labels[:-1].nlargest(SHOWN, "samples"), labels[-1:]])
