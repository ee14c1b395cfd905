"""The command line: the API, spoken. Each command reads arguments, asks the chain for one noun, prints it.

Results go to standard output, as a table for people or as JSON with `--json`; progress and messages go to standard
error. Exit codes: 0 done; 1 input, data or settings do not allow an answer; 2 wrong usage; 3 the account differs from
the policy and was left so; 130 interrupted.

    setting_up   init, discover, iam, advice
    fetching     fetch SOURCE: one command a source
    chain        forecast, backtest, plan, policy, simulate, report
    snapshots    rerun
    review       review
    live         diff, apply, rollback
    limits       limits
    sizing       sizes, mix, instances
    loadtest     loadtest read, capacity, production, fit
    generating   loadtest generate
    whatif       what-if, explain
    money        cost
    caching      cache
    slo          slo
    alarms       alarms
    dashboard    dashboard
    runbooks     runbooks
    options      what several commands take
    interrupts   Ctrl-C
    printing     tables, JSON, progress
"""

from __future__ import annotations

from typing import Annotated

import typer

from capacity._version import __version__
from capacity.cli import (
    alarms,
    caching,
    chain,
    dashboard,
    fetching,
    limits,
    live,
    loadtest,
    money,
    review,
    runbooks,
    setting_up,
    sizing,
    slo,
    snapshots,
    whatif,
)
from capacity.cli.interrupts import interrupts_between_imports
from capacity.cli.printing import say
from capacity.errors import CapacityError

HELP = """Capacity forecasting and planning for AWS ECS: how much, how sure, and what the autoscaler should say.

Settings come from capacity.toml (write one with `capacity init`). Results go to standard output, progress to
standard error.

Exit codes: 0 done; 1 input, data or settings do not allow an answer (standard error says what and where);
2 wrong usage; 3 the account differs from the policy, and was left so (diff, apply); 130 interrupted.
"""

app = typer.Typer(help=HELP, no_args_is_help=True, add_completion=False, rich_markup_mode=None)
app.add_typer(setting_up.app)
app.add_typer(fetching.app, name="fetch")
app.add_typer(loadtest.app, name="loadtest")
app.add_typer(chain.app)
app.add_typer(snapshots.app)
app.add_typer(review.app)
app.add_typer(live.app)
app.add_typer(limits.app)
app.add_typer(slo.app)
app.add_typer(alarms.app)
app.add_typer(dashboard.app)
app.add_typer(runbooks.app)
app.add_typer(sizing.app)
app.add_typer(whatif.app)
app.add_typer(money.app)
app.add_typer(caching.app)


@app.callback(invoke_without_command=True)
def _version(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        print(__version__)
        raise typer.Exit


def main() -> None:
    """Run the command line; what went wrong is said in words, on standard error, with exit code 1."""
    try:
        with interrupts_between_imports():
            app()
    except CapacityError as error:
        say(f"capacity: {error}")
        raise SystemExit(1) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None
    except RuntimeError as error:  # DuckDB takes the signal while it reads or writes the store, and says it in this way
        if str(error) != "Query interrupted":
            raise
        raise SystemExit(130) from None
