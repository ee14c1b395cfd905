"""`capacity alarms`: what should wake someone or open a ticket, as a document."""

from __future__ import annotations

from typing import Annotated

import typer

from capacity.cli.chain import chain_of
from capacity.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, HistoryPath, Horizon, Names, Quiet
from capacity.cli.printing import findings, print_json, say

app = typer.Typer()


@app.command()
def alarms(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    kind: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="KIND",
            help="table, cloudformation, terraform, boto3 or cli for CloudWatch; prometheus, prometheus-tests; azure.",
        ),
    ] = "table",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What should wake someone, and what a ticket is for. From SLOs and plan, tried on history first.

    The document alone goes to standard output. Standard error says which alarms history refused, and what a monitor
    cannot say or says otherwise. docs/alarm-documents.md says what each kind of document holds.
    """
    from capacity.monitoring.render import rendered, renderer
    from capacity.scaling.render.table import printable

    kind = "json" if as_json else kind
    renderer(kind)  # a kind that does not exist is said before the minutes that rehearsals take
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        made = chain.alarms
        result = rendered(made, kind)
    findings(chain.plan.findings, least="FAIL")
    findings(made.findings, least="REVIEW")
    findings(result.findings, least="REVIEW")
    for alarm in made.alarms:
        if alarm.refused:
            say(printable(f"Refused {alarm.name}: {alarm.refused}"))
    if isinstance(result.document, str):
        print(result.document, end="")
    elif all(isinstance(line, str) for line in result.document):
        print("\n".join(result.document))
    else:
        print_json(result.document)
