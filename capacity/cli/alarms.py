"""`capacity alarms`: what should wake someone or open a ticket, as a document."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.chain import chain_of
from capacity.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, HistoryPath, Horizon, Names, Quiet
from capacity.cli.printing import findings, say

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
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="DIR", help="Write files into this folder instead: for a fleet it takes several."
        ),
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What should wake someone, and what a ticket is for. From SLOs and plan, tried on history first.

    The document alone goes to standard output, or files into DIR and their names to standard output. Standard error
    says which alarms history refused, and what a monitor cannot say or says otherwise. docs/alarm-documents.md says
    what each kind of document holds.
    """
    from capacity.errors import InputError
    from capacity.monitoring.render import rendered, renderer, save, text_of
    from capacity.scaling.render.table import printable

    kind = "json" if as_json else kind
    renderer(kind)  # a kind that does not exist is said before the minutes that rehearsals take
    if kind == "prometheus-tests" and out is None:
        raise InputError("tests of rules are several files", advice="Say where: --out DIR, beside the rules.")
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        made = chain.alarms
        result = rendered(made, kind)
    findings(chain.plan.findings, least="FAIL")
    findings(made.findings, least="REVIEW")
    findings(result.findings, least="REVIEW")
    for alarm in made.alarms:
        if alarm.refused:
            say(printable(f"Refused {alarm.name}: {alarm.refused}"))
    if out is not None:
        for path in save(result, out):
            print(path)
        return
    print(text_of(next(iter(result.files)), result.document), end="")
