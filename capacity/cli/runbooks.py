"""`capacity runbooks`: a page for each alarm, for whoever is woken."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.chain import chain_of
from capacity.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, HistoryPath, Horizon, Names, Quiet
from capacity.cli.printing import findings, print_json

app = typer.Typer()


@app.command()
def runbooks(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder to write them into; made if absent.")],
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """Write a page for each alarm. What it means, numbers, first checks, safe actions and how to undo each.

    Markdown; README.md is the index. Publish the folder at [monitoring] runbook_url, which alarms link to.
    """
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        paths = chain.runbooks.save(out)
    findings(chain.plan.findings, least="FAIL")
    findings(chain.alarms.findings, least="REVIEW")
    if as_json:
        print_json({"files": [str(path) for path in paths]})
        return
    for path in paths:
        print(path)
