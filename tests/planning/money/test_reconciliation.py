"""The bill beside the price table: what leads from one to the other adds up, and says what to state."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.config import PriceSettings, Rate, config_of
from capacity.errors import HistoryError, InputError
from capacity.history import History
from capacity.planning import Plan
from capacity.planning.money import Reconciliation
from tests.planning.inputs import BARE, forecast_of, plain, planned
from tests.planning.money.bills import history_of

TASK = 0.04937
OCTOBER = pd.date_range("2026-10-01", "2026-11-22", freq="D")  # October is whole, November is not


def of_services(*names: str, prices: PriceSettings | None = None, **fields: Any) -> Plan:
    forecast = forecast_of({(name, "cpu"): np.full((2, 24), 5.0) for name in names})
    return planned(forecast, [plain(name, **fields) for name in names], goal=BARE, prices=prices)


def bill(days: pd.DatetimeIndex = OCTOBER, **metrics: float) -> dict[tuple[str, str], Any]:
    """Metric -> its mean on every day, of service web."""
    return {("web", metric): (days, np.full(len(days), value).tolist()) for metric, value in metrics.items()}


def beside(plan: Plan, series: dict[tuple[str, str], Any]) -> Reconciliation:
    return plan.reconcile(history_of(series, 86400))


def test_a_bill_at_list_prices_leaves_nothing_to_say() -> None:
    found = beside(of_services("web"), bill(cost=4 * TASK, billed_vcpu=4, billed_memory=8, running_tasks=4))
    row = found.frame.iloc[0]
    assert len(found.frame) == 1
    assert row["month"] == pd.Timestamp("2026-10-01", tz="UTC")
    assert row["table"] == pytest.approx(row["billed"]) == pytest.approx(744 * 4 * TASK)
    assert row[["quantity", "price"]].tolist() == pytest.approx([0, 0])
    assert row["of_table"] == pytest.approx(1)
    assert len(found.findings) == 0


@given(
    ran=st.floats(0.5, 50),
    more=st.floats(0.6, 1.6),
    spot=st.floats(0, 0.5),
    covered=st.floats(0, 0.4),
    paid=st.floats(0.4, 1.3),
)
@settings(deadline=None, max_examples=5)
def test_the_parts_lead_from_the_table_to_the_bill(
    ran: float, more: float, spot: float, covered: float, paid: float
) -> None:
    used = ran * more
    row = beside(
        of_services("web"),
        bill(
            running_tasks=ran,
            cost=paid * used * TASK,
            billed_vcpu=used,
            billed_memory=2 * used,
            billed_vcpu_spot=spot * used,
            billed_memory_spot=2 * spot * used,
            billed_vcpu_covered=covered * used,
            billed_memory_covered=2 * covered * used,
        ),
    ).frame.iloc[0]
    parts = row[["table", "quantity", "spot", "committed", "price"]].astype(float)
    assert parts.sum() == pytest.approx(row["billed"])
    assert row["table"] == pytest.approx(744 * ran * TASK)
    assert row["quantity"] == pytest.approx(744 * (used - ran) * TASK, abs=1e-6)
    assert row["committed"] == pytest.approx(-744 * covered * used * TASK * 0.2, abs=1e-6)
    assert row["spot"] == pytest.approx(-744 * spot * used * (TASK - 0.01288871 - 2 * 0.00141527), abs=1e-6)


def stated(found: Reconciliation) -> dict[str, Any]:
    """The settings that a finding says to state, as capacity.toml reads them."""
    (advice,) = [finding.advice for finding in found.findings]
    text = re.search(r"State it: (.*?)\.?( Where|$)", advice)
    assert text is not None
    table, _, keys = text[1].partition("] ")
    return tomllib.loads(f"{table}]\n" + keys.replace(", ", "\n"))


def test_a_discount_is_found_and_what_is_said_to_state_repairs_it() -> None:
    series = bill(cost=0.82 * 4 * TASK, billed_vcpu=4, billed_memory=8)
    settings = config_of(stated(beside(of_services("web"), series))).prices
    assert settings.discount_percent == pytest.approx(18)
    again = beside(of_services("web", prices=settings), series)
    assert again.frame["of_table"].tolist() == pytest.approx([1])
    assert len(again.findings) == 0


def test_a_dearer_price_is_said_to_be_a_rate_and_repairs_it_too() -> None:
    series = bill(cost=1.1 * 4 * TASK, billed_vcpu=4, billed_memory=8)
    settings = config_of(stated(beside(of_services("web"), series))).prices
    assert settings.rate[0].vcpu == pytest.approx(1.1 * 0.04048)
    assert settings.rate[0].date == "2026-10-31"
    assert len(beside(of_services("web", prices=settings), series).findings) == 0


def test_prices_that_were_paid_can_be_planned_with() -> None:
    series = bill(cost=0.9 * 0.8 * 4 * TASK, billed_vcpu=4, billed_memory=8)
    agreed = PriceSettings(discount_percent=10, rate=(Rate(region="mars-1", vcpu=1, memory_gb=1),))
    found = beside(of_services("web", prices=agreed), series)
    plan = of_services("web", prices=found.prices)
    assert plan.cost["usd"].sum() == pytest.approx(24 * 5 * TASK * 0.9 * 0.8)
    assert plan.rates[0].source.startswith("billed, 1 month to 2026-10")
    assert [rate.region for rate in found.prices.rate] == ["mars-1", "us-east-1"]


def test_spot_is_apart_where_its_price_is_known() -> None:
    spot = 0.01288871 + 2 * 0.00141527
    series = bill(cost=2 * TASK + 2 * spot, billed_vcpu=4, billed_memory=8, billed_vcpu_spot=2, billed_memory_spot=4)
    found = beside(of_services("web"), series)
    assert found.frame["of_table"].tolist() == pytest.approx([1])
    assert len(found.findings) == 0


def test_more_than_ran_is_said_of_the_service() -> None:
    (finding,) = beside(
        of_services("web"), bill(cost=5 * TASK, billed_vcpu=5, billed_memory=10, running_tasks=4)
    ).findings
    assert (finding.service, finding.message) == ("web", "25 % more was billed than its running tasks reserved.")


def test_without_billed_quantities_the_tasks_that_ran_are_priced() -> None:
    row = beside(of_services("web"), bill(cost=4 * TASK, cpu_reserved=4, memory_reserved=8)).frame.iloc[0]
    assert np.isnan(row["quantity"])
    assert row["of_table"] == pytest.approx(1)


def test_a_month_that_is_not_known_is_no_month_and_gaps_within_it_are_like_the_rest() -> None:
    holes = OCTOBER[[*range(10), *range(12, len(OCTOBER))]]
    found = beside(of_services("web"), bill(holes, cost=4 * TASK, billed_vcpu=4, billed_memory=8))
    assert found.frame["billed"].tolist() == pytest.approx([744 * 4 * TASK])
    with pytest.raises(HistoryError, match="no service has a whole month of cost"):
        beside(of_services("web"), bill(OCTOBER[5:25], cost=1.0))


def test_a_service_without_a_bill_is_named() -> None:
    series = bill(cost=4 * TASK, billed_vcpu=4, billed_memory=8)
    findings = beside(of_services("web", "other"), series).findings
    assert [(one.service, one.status) for one in findings] == [("other", "UNKNOWN")]


def test_nonsense_is_refused() -> None:
    history: History = history_of(bill(cost=1.0), 86400)
    with pytest.raises(InputError, match="At least one month"):
        of_services("web").reconcile(history, months=0)
