"""How the numbers were made, from what, and with which prices: enough to make them again."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from typing import Any, Final

from capacity.planning.fingerprint import fingerprint
from capacity.reporting import words
from capacity.reporting.sections.base import Block, Document, Nouns, Section
from capacity.reporting.sections.blocks import facts, note, table, text
from capacity.reporting.tables import cell, column, row
from capacity.reporting.tables import table as grid

#: Significant digits of every number in the document; arrays to draw have `series.DIGITS`.
DIGITS: Final = 9

#: Packages whose version can change a number.
PACKAGES: Final = ("numpy", "pandas", "scipy", "statsmodels", "scikit-learn", "prophet", "holidays")


def part(nouns: Nouns, document: Document) -> dict[str, Any]:
    """Goal, seed, models and versions: what the numbers depend on."""
    plan, scores = nouns.plan, nouns.scores
    forecast = plan.forecast
    return {
        "goal": {
            "level": plan.goal.level,
            "survive_zone_loss": plan.goal.survive_zone_loss,
            "survive_deployment": plan.goal.survive_deployment,
            "horizon": plan.goal.horizon,
        },
        "seed": forecast.seed,
        "paths": forecast.paths.shape[1],
        "models": sorted(set(forecast.models)),
        "backtested": scores is not None and len(scores) > 0,
        "rehearsed": nouns.policy is not None,
        "series": len(forecast.keys),
        "intervals": len(forecast.past.times),
        "censored_share": float(forecast.past.censored.mean()) if forecast.past.censored.size else 0.0,
        "fingerprint": fingerprint(plan),
        "digits": DIGITS,
        "packages": {name: found for name in PACKAGES if (found := _version(name))},
    }


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def view(document: Document) -> list[Block]:
    """Two paragraphs, the prices, and the facts to make it again."""
    said, goal = document["method"], document["method"]["goal"]
    deployment = ", during a rolling deployment" if goal["survive_deployment"] else ""
    zone = " and after the loss of one zone" if goal["survive_zone_loss"] else ""
    censored = (
        f" In {words.share(said['censored_share'])} of the history a service was saturated; its true demand is known "
        "only from below."
        if said["censored_share"] > 0
        else ""
    )
    prices = _prices(document["cost"]["rates"])
    return [
        text(
            f"Demand, never utilisation, is forecast as {words.grouped(said['paths'])} sample paths. Tasks, dates and "
            "dollars are computed on each path and read as shares of paths, so a probability means the same everywhere "
            f"in this report. A count holds for the load of its interval at {words.level(goal['level'])}{deployment}"
            f"{zone}; a quarter has many intervals, and some will exceed theirs."
        ),
        text(
            "Not in these numbers: demand without precedent in the history that no event names (launches, migrations, "
            f"campaigns), outages of AWS itself, changes of price, and spend other than Fargate tasks.{censored}"
        ),
        *([table(prices)] if prices else []),
        facts(_facts(document)),
        note(
            "Times are UTC. A gap in a line is a gap in the data. A month has "
            f"{document['cost']['hours_per_month']} hours. The same numbers are in report.xlsx and report.json."
        ),
    ]


def _facts(document: Document) -> list[list[str]]:
    said, period = document["method"], document["period"]
    models = words.listed(sorted({name for made_by in said["models"] for name in words.model_names(made_by)}))
    return [
        [
            "History",
            f"{words.count(said['series'], 'series', 'series')}, {words.grouped(said['intervals'])} intervals of "
            f"{words.interval(period['interval_seconds'])}, {words.date(period['history_start'])} to "
            f"{words.moment(period['cutoff'])}",
        ],
        ["Horizon", f"{words.number(period['horizon_days'])} days, to {words.moment(period['horizon_end'])}"],
        ["Models", models + ("" if said["backtested"] else "; not backtested here")],
        ["Random seed", str(said["seed"])],
        ["Inputs, SHA-256", said["fingerprint"]],
        ["Versions", ", ".join(f"{name} {found}" for name, found in _versions(document))],
    ]


def _versions(document: dict[str, Any]) -> list[tuple[str, str]]:
    return [("capacity", document["capacity_version"]), *document["method"]["packages"].items()]


def _prices(rates: list[dict[str, Any]]) -> dict[str, Any] | None:
    columns = [
        column("Prices, USD", wide=1),
        column("vCPU-hour", number=True),
        column("GB-hour", number=True),
        column("Storage GB-hour", number=True),
        column("Source", wide=0),
        column("Date", wide=0),
    ]
    rows = [
        row(
            cell(f"{rate['region']}, {rate['architecture']}"),
            *(cell(words.number(rate[name], 5)) for name in ("vcpu", "memory_gb", "storage_gb")),
            cell(rate["source"]),
            cell(words.day(rate["date"] or None) or "not stated"),
        )
        for rate in rates
    ]
    return grid("Prices", columns, rows) if rows else None


SECTION: Final = Section("method", "Method and sources", view, part, new_page=False)
