"""`Reconciliation`: what was billed in the last whole months, beside what the price table says of what ran."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from capacity.config import PriceSettings, Rate, Service
from capacity.display import table_html
from capacity.errors import HistoryError, InputError
from capacity.findings import Finding, Findings
from capacity.planning.matching import Match
from capacity.planning.money.billed import COMMITTED, QUANTITIES, SPOT, at, monthly, ran_hours
from capacity.planning.money.offers import COVERED, Offer, ratios
from capacity.planning.money.spend import asked_of, matches_of, rate_of
from capacity.planning.prices import billed, price_of
from capacity.planning.words import counted, share, spoken_date, usd
from capacity.sources.base import Span

if TYPE_CHECKING:
    from capacity.history.history import History
    from capacity.planning.plans import Plan

#: Places whose discounts are this close have one discount.
ALIKE: Final = 0.01

#: Parts of the difference between the table and the bill, in the order in which they are told.
PARTS: Final = ("quantity", "spot", "committed", "price")


@dataclass(frozen=True, eq=False)
class Reconciliation:
    """The bill of each service and whole month beside the plan's price table. Money is in USD.

    frame   one row a service and month: `table` (what ran, at the table's on-demand prices), then what leads from it to
            `billed`: `quantity` (more or less was billed than ran), `spot` and `committed` (what those cost less),
            `price` (what remains: discounts, or a table that is wrong). table + the four = billed. NaN where a part is
            not known: it is then in `price`. `of_table` is the price that was paid, Spot apart, over the table's
    rates   the same by region and architecture: the rates that were paid, to be stated or planned with
    """

    frame: pd.DataFrame
    rates: tuple[Rate, ...]
    findings: Findings
    settings: PriceSettings

    @property
    def prices(self) -> PriceSettings:
        """The prices that were paid, for `capacity.plan(..., prices=...)`: what is spent, discounts included.

        Savings Plans are in them, so do not size a commitment by a plan that has these prices.
        """
        paid = {(rate.region, rate.architecture) for rate in self.rates}
        kept = tuple(rate for rate in self.settings.rate if (rate.region, rate.architecture) not in paid)
        keep = 1 - self.settings.discount_percent / 100
        gross = tuple(_scaled(rate, 1 / keep, rate.source) for rate in self.rates)  # the discount is taken off again
        return self.settings.model_copy(update={"rate": (*kept, *gross)})

    def plot(self) -> Any:
        """Two bars a month, of all services together: what ran by the price table, and what was billed."""
        from capacity import charts

        months = self.frame.groupby("month")[["table", "billed"]].sum(min_count=1)
        labels = [f"{month:%Y-%m} {name}" for month in months.index for name in ("by the table", "billed")]
        return charts.bars(labels, months.to_numpy(dtype=float).ravel(), "USD", "The bill beside the price table")

    def __str__(self) -> str:
        months = counted(self.frame["month"].nunique(), "month")
        billed, table = self.frame["billed"].sum(), self.frame["table"].sum()
        return f"{months} of bills: {usd(billed)} were billed, and what ran is {usd(table)} by the price table"

    def _repr_html_(self) -> str:
        return table_html(str(self), self.frame)


def reconcile(plan: Plan, history: History, *, months: int = 3, tolerance: float = 0.05) -> Reconciliation:
    """What was billed in the last whole months, item by item beside what the price table says of what ran.

    history    holds `cost` by service, and best also `billed_vcpu` ... (Cost Explorer or FOCUS) and running tasks
    months     at most so many, the newest
    tolerance  a difference from which on a finding says what to state instead

    Raises HistoryError when no service has a whole month of cost.
    """
    if months < 1 or not 0 <= tolerance < 1:
        raise InputError(f"months={months}, tolerance={tolerance}", advice="At least one month; tolerance as 0.05.")
    rows, findings = [], []
    recent = _recent(history, months)
    for found in matches_of(plan):
        rate = rate_of(plan, found.service)
        own = [] if rate is None else _rows(plan, recent, found, rate, months)
        rows += own
        if rate is not None and not own:
            findings.append(_no_bill(found.service))
    if not rows:
        raise HistoryError(
            "no service has a whole month of cost: fetch the bill (Cost Explorer or FOCUS exports) with the tag that "
            "names services"
        )
    frame = pd.DataFrame(rows)
    rates = _paid_rates(plan, frame)
    findings += _price_findings(plan, frame, rates, tolerance)
    findings += _quantity_findings(frame, tolerance)
    shown = frame.drop(columns=["region", "architecture", "list", "paid"])
    return Reconciliation(shown, rates, Findings.of(findings), asked_of(plan).prices.settings)


def _recent(history: History, months: int) -> History:
    """Enough of it to hold so many whole months; a month or two that are not known to nine tenths do not matter."""
    end = history.span.end
    return history.select(span=Span(end - pd.DateOffset(months=months + 2), end))


def _rows(plan: Plan, history: History, found: Match, rate: Rate, months: int) -> list[dict[str, Any]]:
    service, name = found.service, found.name
    cost = monthly(history, name, "cost")
    ran = ran_hours(history, name, service)
    quantity = {item: monthly(history, name, metric) for item, metric in QUANTITIES.items()}
    spot = {item: monthly(history, name, metric) for item, metric in SPOT.items()}
    committed = {item: monthly(history, name, metric) for item, metric in COMMITTED.items()}
    ratio = ratios(rate, Offer(), asked_of(plan).prices.settings) or {}
    rows = []
    for month in cost.index[-months:]:
        said = {item: at(series, month) for item, series in quantity.items()}
        used = {item: at(ran[item], month) for item in COVERED}
        storage = billed(service).get("storage", 0.0) / service.task_vcpu
        used["storage"] = used["vcpu"] * storage if storage else 0.0
        said["storage"] = used["storage"] if np.isnan(said["storage"]) else said["storage"]
        known = said if not np.isnan(said["vcpu"] + said["memory"]) else used
        table, gross = _worth(rate, used), _worth(rate, known)
        table = gross if np.isnan(table) else table
        if np.isnan(gross) or gross <= 0:
            continue
        on_spot = {item: at(spot[item], month) for item in COVERED}
        less_spot = _less(rate, on_spot, {item: _spot_ratio(rate, item) for item in COVERED})
        less_committed = _less(rate, {item: at(committed[item], month) for item in COVERED}, ratio)
        amount = float(cost[month])
        apart = 0.0 if np.isnan(less_spot) else _worth(rate, on_spot)  # Spot, where its price is known
        on_demand, paid = gross - apart, amount - apart - np.nansum([less_spot])
        rows.append(
            {
                "service": service.name,
                "month": month,
                "table": table,
                "quantity": gross - table if known is said and not np.isnan(used["vcpu"]) else np.nan,
                "spot": less_spot,
                "committed": less_committed,
                "price": amount - gross - np.nansum([less_spot, less_committed]),
                "billed": amount,
                "of_table": paid / on_demand if on_demand > 0 else np.nan,
                "region": service.region,
                "architecture": service.architecture,
                "list": on_demand,
                "paid": paid,
            }
        )
    return rows


def _worth(rate: Rate, quantities: dict[str, float]) -> float:
    """USD on demand by the table; NaN where a quantity is not known."""
    return float(sum(amount * price_of(rate, item) for item, amount in quantities.items()))


def _spot_ratio(rate: Rate, item: str) -> float:
    return price_of(rate, f"spot_{item}") / price_of(rate, item)


def _less(rate: Rate, quantities: dict[str, float], ratio: dict[str, float]) -> float:
    """What these quantities cost less than on demand (at most 0): at so much of its price. NaN where not known."""
    return float(
        sum(amount * price_of(rate, item) * (ratio.get(item, np.nan) - 1) for item, amount in quantities.items())
    )


def _paid_rates(plan: Plan, frame: pd.DataFrame) -> tuple[Rate, ...]:
    """The rate of each place times the share of it that was paid, over all of its services and months."""
    found = []
    table = {(rate.region, rate.architecture): rate for rate in plan.rates}
    for place, rows in frame[frame["list"] > 0].groupby(["region", "architecture"]):
        factor, last = float(rows["paid"].sum() / rows["list"].sum()), rows["month"].max()
        if factor > 0:
            source = f"billed, {counted(rows['month'].nunique(), 'month')} to {last:%Y-%m}"
            rate = _scaled(table[place], factor, source)
            found.append(rate.model_copy(update={"date": f"{last + pd.offsets.MonthEnd(1):%Y-%m-%d}"}))
    return tuple(found)


def _scaled(rate: Rate, factor: float, source: str) -> Rate:
    """Spot prices stay: they were taken out of what was paid."""
    money = {name: getattr(rate, name) * factor for name in ("vcpu", "memory_gb", "storage_gb", "public_ipv4")}
    return rate.model_copy(update={**money, "source": source})


def _price_findings(plan: Plan, frame: pd.DataFrame, rates: tuple[Rate, ...], tolerance: float) -> list[Finding]:
    """Where the price that was paid is another than the table's: what to state."""
    table = {(rate.region, rate.architecture): rate for rate in plan.rates}
    factors = {
        (rate.region, rate.architecture): rate.vcpu / table[rate.region, rate.architecture].vcpu for rate in rates
    }
    off = {place: factor for place, factor in factors.items() if abs(factor - 1) > tolerance}
    if not off:
        return []
    one_discount = len(off) == len(factors) and max(off.values()) - min(off.values()) <= ALIKE and max(off.values()) < 1
    if one_discount:
        whole = frame["paid"].sum() / frame["list"].sum()
        keep = 1 - asked_of(plan).prices.settings.discount_percent / 100
        return [_finding("", whole, f"State it: [prices] discount_percent = {100 * (1 - keep * whole):.1f}", frame)]
    stated = {(rate.region, rate.architecture): rate for rate in rates}
    found = []
    for place, factor in off.items():
        rate = stated[place]
        keep = 1 - asked_of(plan).prices.settings.discount_percent / 100
        advice = (
            f'State it: [[prices.rate]] region = "{rate.region}", architecture = "{rate.architecture}", '
            f'vcpu = {rate.vcpu / keep:.6g}, memory_gb = {rate.memory_gb / keep:.6g}, date = "{rate.date}"'
        )
        found.append(_finding(f" in {rate.region} ({rate.architecture})", factor, advice, frame))
    return found


def _finding(where: str, factor: float, advice: str, frame: pd.DataFrame) -> Finding:
    first, last = frame["month"].min(), frame["month"].max() + pd.offsets.MonthEnd(1)
    side = "below" if factor < 1 else "above"
    message = (
        f"From {spoken_date(first)} to {spoken_date(last)} what ran{where} was paid {share(abs(factor - 1))} {side} "
        "the price table, Spot apart."
    )
    reason = (
        "" if frame["committed"].isna().all() else " Where a Savings Plan is the reason, state [[prices.commitment]]."
    )
    return Finding("", "cost", "reconciliation", "REVIEW", message, advice + ("." + reason if reason else ""))


def _quantity_findings(frame: pd.DataFrame, tolerance: float) -> list[Finding]:
    """Services of which much more or less was billed than ran."""
    found = []
    for name, rows in frame.dropna(subset=["quantity"]).groupby("service"):
        off = rows["quantity"].sum() / rows["table"].sum()
        if abs(off) > tolerance:
            found.append(
                Finding(
                    str(name),
                    "cost",
                    "reconciliation",
                    "REVIEW",
                    f"{share(abs(off))} {'more' if off > 0 else 'less'} was billed than its running tasks reserved.",
                    "More: tasks outside of the service carry its tag, or were too short-lived to be counted. "
                    "Less: not all of its tasks carry the tag, or its task size is stated too large.",
                )
            )
    return found


def _no_bill(service: Service) -> Finding:
    return Finding(
        service.name,
        "cost",
        "reconciliation",
        "UNKNOWN",
        "No whole month of its cost is known, so its price is not compared with the bill.",
        "Fetch the bill with the tag that names services.",
    )
