"""`capacity cost`: what a plan costs, item by item and by request; commitments, budgets, and the bill beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from capacity.cli.chain import chain_of
from capacity.cli.options import DEFAULT_CONFIG, AsJson, ConfigPath, HistoryPath, Horizon, Names, Quiet
from capacity.cli.printing import findings, print_json, record, records, say, table

if TYPE_CHECKING:
    from capacity.fleet import Chain
    from capacity.planning.money import Budgets, Commitment, Reconciliation, UnitCosts

app = typer.Typer()

#: What of each answer fits on a screen; `--json` has it all.
_UNITS = ["service", "requests", "usd_per_million", "p5", "p95", "usd_per_task_hour", "past_usd_per_million"]
_OPTIONS = ["option", "usd_per_hour", "saving", "saving_p5", "saving_p95", "loses", "utilization", "coverage", "why"]
_BUDGETS = ["budget", "month", "whole", "limit", "so_far", "usd", "p5", "p95", "probability", "first"]


@app.command()
def cost(
    config: ConfigPath = DEFAULT_CONFIG,
    history: HistoryPath = None,
    service: Names = None,
    horizon: Horizon = None,
    term_years: Annotated[int, typer.Option("--term", help="Years of the Savings Plan: 1 or 3.")] = 1,
    payment: Annotated[
        str, typer.Option("--payment", help="Its payment: 'no upfront', 'partial upfront' or 'all upfront'.")
    ] = "no upfront",
    growth: Annotated[
        float, typer.Option("--growth", help="Yearly growth past the horizon that is certain: 0.2 for a fifth.")
    ] = 0.0,
    budget_documents: Annotated[
        str | None,
        typer.Option("--budgets-as", help="Print only the budgets: cloudformation, boto3 or cli.", metavar="KIND"),
    ] = None,
    account_id: Annotated[str, typer.Option("--account", help="The account, for --budgets-as boto3 or cli.")] = "",
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> None:
    """What it costs, and what to commit to. Items, unit costs, Savings Plan, budgets, and the bill beside the table."""
    with chain_of(config, history, service, horizon, None, quiet) as chain:
        plan = chain.plan
        if budget_documents is not None:
            _print_document(plan.budgets().render(budget_documents, account_id))
            return
        units = plan.unit_costs(chain.history)
        priced = any(plan.rates)
        bought = plan.commitment(term_years=term_years, payment=payment, growth=growth) if priced else None
        budgets = plan.budgets()
        bill = _bill(chain)
    dated = "; ".join(dict.fromkeys(f"{rate.source}, {rate.date or 'no date'}" for rate in plan.rates)) or "no price"
    findings((one for one in plan.findings if one.check == "price"), least="REVIEW")
    for part in (units, bought, budgets, bill):
        findings(part.findings if part is not None else (), least="REVIEW")
    if as_json:
        print_json(_json(chain, units, bought, budgets, bill) | {"prices": dated})
        return
    table(plan.cost.drop(columns=["p50"]), f"Cost over the horizon ({dated})")
    table(plan.total_cost.reset_index(), "The fleet, and a month of it (730 h)")
    table(units.frame[_UNITS], "USD per million requests and per task-hour")
    table(_idle(units), "What the plan's own counts are for")
    if bought is not None:
        print(f"\n{bought}\n")
        table(bought.frame[_OPTIONS], "Savings Plans; savings in USD a month")
        if not bought.ladder.empty:
            table(bought.ladder, "The same amount bought in steps")
    if budgets.budgets:
        table(budgets.frame[_BUDGETS], "Budgets")
    if bill is not None:
        table(bill.frame, "The last whole months: the price table, and what leads from it to the bill")


def _bill(chain: Chain) -> Reconciliation | None:
    """The bill beside the price table; None where the history holds no whole month of cost."""
    from capacity.errors import HistoryError

    try:
        return chain.plan.reconcile(chain.history)
    except HistoryError as error:
        say(f"not reconciled: {error}")
        return None


def _idle(units: UnitCosts) -> Any:
    """One row a service and one of the fleet: the share of each part."""
    shares = units.headroom.pivot_table(index="service", columns="part", values="share", sort=False)
    return shares.reset_index().rename_axis(columns=None)


def _json(
    chain: Chain, units: UnitCosts, bought: Commitment | None, budgets: Budgets, bill: Reconciliation | None
) -> dict[str, Any]:
    plan = chain.plan
    return {
        "cost": records(plan.cost),
        "total": records(plan.total_cost.reset_index()),
        "unit_costs": records(units.frame),
        "headroom": records(units.headroom),
        "commitment": None
        if bought is None
        else {
            "usd_per_hour": bought.usd_per_hour,
            "offer": str(bought.offer),
            "way": bought.way,
            "sentence": bought.sentence,
            "because": bought.because,
            "options": records(bought.frame),
            "ladder": records(bought.ladder),
        },
        "budgets": records(budgets.frame),
        "budget_decisions": [record(vars(one)) for one in budgets.decisions],
        "reconciliation": None if bill is None else records(bill.frame),
        "paid_rates": [] if bill is None else [rate.model_dump() for rate in bill.rates],
    }


def _print_document(document: Any) -> None:
    if isinstance(document, str):
        print(document, end="")
    elif all(isinstance(line, str) for line in document):
        print("\n".join(document))
    else:
        print_json(document)
