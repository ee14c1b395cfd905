"""What became of what was promised: error budgets, and the key figures beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Final

import typer

from capacity.cli.chain import chain_of
from capacity.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, HistoryPath, Names, Quiet
from capacity.cli.printing import findings, print_json, records, table

if TYPE_CHECKING:
    import pandas as pd

app = typer.Typer()

#: Of so many services every key figure is printed; of more, one line each.
FEW: Final = 3
FIGURES: Final = [
    *("latency p95", "requests, busiest hour", "error ratio", "CPU, busiest hour"),
    *("tasks of maximum, busiest hour", "slack", "cost per million requests"),
]


@app.command()
def slo(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="As of when, UTC.", show_default="end of history")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Also plan, and say how long each limit lasts.")] = False,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Error budgets and key figures. What became of each [[service.slo]], how fast its budget burns, when it is gone.

    Key figures are of seven days, beside the seven before and those of 13 weeks before. A minute of which nothing is
    known counts neither as good nor as bad.
    """
    from capacity.monitoring import error_budgets, kpis
    from capacity.monitoring.budgets import SHOWN

    with chain_of(config, history, service, None, None, quiet) as chain:
        budgets = error_budgets(chain.history, chain.services, at)
        figures = kpis(chain.history, chain.services, chain.plan if plan else None, at)
    findings(budgets.findings)
    if as_json:
        parts = {"error_budgets": budgets.frame, "kpis": figures.frame}
        parts |= {"saturation": figures.saturation} if plan else {}
        print_json({"at": budgets.at.isoformat(), **{name: records(part) for name, part in parts.items()}})
        return
    if len(budgets):
        table(budgets.frame[list(SHOWN)], f"Error budgets on {budgets.at:%Y-%m-%d %H:%M} UTC")
        print()
    table(_fitting(figures.frame), f"Key figures of the seven days to {figures.at:%Y-%m-%d %H:%M} UTC")
    if plan:
        print()
        table(figures.saturation, "How long limits last")


def _fitting(frame: pd.DataFrame) -> pd.DataFrame:
    """All figures of a few services; of more, those that are looked at first, a line a service."""
    if frame["service"].nunique() <= FEW:
        return frame[["service", "kpi", "now", "last_week", "last_quarter", "unit", "source"]]
    units = frame.drop_duplicates("kpi").set_index("kpi")["unit"]
    wide = frame.set_index(["service", "kpi"])["now"].unstack()  # noqa: PD010  (each is there once: nothing to add up)
    shown = [name for name in FIGURES if name in wide.columns]
    named = {name: name if units[name] == "1" else f"{name} ({units[name]})" for name in shown}
    return wide[shown].rename(columns=named).reset_index()
