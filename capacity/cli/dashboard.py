"""`capacity dashboard`: live metrics beside the plan, as a document."""

from __future__ import annotations

from typing import Annotated

import typer

from capacity.cli.chain import chain_of
from capacity.cli.options import DEFAULT_CONFIG, ConfigPath, HistoryPath, Horizon, Quiet
from capacity.cli.printing import findings, print_json

app = typer.Typer()


@app.command()
def dashboard(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Annotated[
        str | None, typer.Option("--service", "-s", metavar="NAME", help="Only the dashboard of this service.")
    ] = None,
    horizon: Horizon = None,
    kind: Annotated[
        str, typer.Option("--as", metavar="KIND", help="cloudwatch, grafana or cloudformation.")
    ] = "cloudwatch",
    quiet: Quiet = False,
) -> None:
    """Live metrics beside the plan. The fleet's dashboard and each service's; the document alone on standard output.

    Of several dashboards one JSON object, name to body; with --service the body alone: what PutDashboard takes, or what
    Grafana imports. cloudformation is one template. docs/dashboards.md says what is drawn, and what cannot be.
    """
    from capacity.monitoring.dashboards.making import checked_kind

    checked_kind(kind)  # a kind that does not exist is said before the minutes that rehearsals take
    with chain_of(config, history, [service] if service else None, horizon, None, quiet) as chain:
        made = chain.dashboard
        document = made.render(kind, service)
    findings(chain.plan.findings, least="FAIL")
    findings(made.findings, least="REVIEW")
    if isinstance(document, str):
        print(document, end="")
    else:
        print_json(document)
