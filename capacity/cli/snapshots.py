"""Plans that were kept: run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from capacity.cli.options import AsJson
from capacity.cli.printing import findings, print_json, records, table

app = typer.Typer()

#: Where `plan` keeps a plan.
SavePath = Annotated[
    Path | None,
    typer.Option(
        "--save",
        metavar="PATH",
        help="Also keep the plan with all it was made from; PATH ends in .plan. See docs/reviewing.md.",
    ),
]


@app.command()
def rerun(
    plan: Annotated[Path, typer.Argument(metavar="PLAN", help="A plan that was kept, such as plans/2026Q4.plan.")],
    save: Annotated[
        Path | None, typer.Option("--save", metavar="PATH", help="Keep what came out; PATH ends in .plan.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a stored plan again. From what is in its file; whatever comes out otherwise is listed.

    With the packages it was made with nothing does. Others are named, with the numbers that they moved.
    """
    from capacity.reviewing import open_snapshot
    from capacity.reviewing.keeping import plan_path

    path = None if save is None else plan_path(save)
    stored = open_snapshot(plan)
    again = stored.rerun()
    found = stored.differs(again)
    findings((finding for finding in again.findings if finding.check == "run again"), least="PASS")
    if path is not None:
        again.save(path)
    if as_json:
        print_json({"differences": records(found)})
        return
    print(stored)
    if len(found):
        table(found, "What came out otherwise")
    else:
        print("Run again, it is the same.")
