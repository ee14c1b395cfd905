"""The noun, whatever road it came by: what it adds up, and what it refuses to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.schema import BILL
from capacity.sources.bills.bill import KEY, Bill, faults
from capacity.sources.bills.metrics import observations

DAY = pd.Timestamp("2026-10-05", tz="UTC")


def row(**cells: Any) -> dict[str, Any]:
    usual = {
        "service": "web",
        "interval": 86400,
        "timestamp": DAY,
        "usage_type": "EUC1-Fargate-vCPU-Hours:perCPU",
        "resource": "vcpu",
        "purchase": "on-demand",
        "quantity": 24.0,
        "unit": "vCPU-hours",
        "amount": 1.0,
        "billed": 1.0,
        "currency": "USD",
    }
    return usual | cells


rows = st.lists(
    st.builds(
        row,
        service=st.sampled_from(["web", "api"]),
        timestamp=st.sampled_from([DAY, DAY + pd.Timedelta("1D")]),
        quantity=st.sampled_from([1.0, 2.5, np.nan]),
        unit=st.sampled_from(["vCPU-hours", "GB"]),
        currency=st.sampled_from(["USD", "EUR"]),
        purchase=st.sampled_from(["on-demand", "spot"]),
        amount=st.sampled_from([0.5, -0.25]),
    ).map(lambda cells: cells | ({"unit": ""} if np.isnan(cells["quantity"]) else {})),
    max_size=12,
)


@settings(max_examples=15)
@given(rows)
def test_adding_up_keeps_every_dollar_and_every_hour_in_its_unit(given_rows: list[dict[str, Any]]) -> None:
    bill = Bill.of(given_rows, "test")
    assert faults(bill.frame) == []
    before = pd.DataFrame(given_rows, columns=list(row()))
    for by, value in (("currency", "amount"), ("unit", "quantity")):
        held = before.dropna(subset=value).groupby(by)[value].sum().to_dict()
        found = bill.frame.dropna(subset=value).groupby(by)[value].sum().to_dict()
        assert found == pytest.approx(held, rel=1e-12, abs=1e-12)
    assert not bill.frame.duplicated(KEY).any()


@settings(max_examples=15)
@given(rows, st.randoms())
def test_the_order_of_rows_does_not_matter(given_rows: list[dict[str, Any]], random: Any) -> None:
    shuffled = random.sample(given_rows, len(given_rows))
    pd.testing.assert_frame_equal(Bill.of(given_rows, "test").frame, Bill.of(shuffled, "test").frame)


def test_no_rows_are_a_bill_too() -> None:
    bill = Bill.of([], "test")
    assert list(bill.frame.columns) == BILL.names and len(bill) == len(bill.totals()) == len(observations(bill)) == 0


def test_totals_add_what_may_be_added() -> None:
    november = DAY + pd.Timedelta("30D")
    bill = Bill.of(
        [
            row(),
            row(timestamp=DAY + pd.Timedelta("1D"), estimated=True),
            row(usage_type="EUC1-Fargate-GB-Hours", resource="memory", unit="GB-hours", quantity=48.0),
            row(usage_type="Odd", resource="", unit="GB", quantity=7.0),
            row(timestamp=november, currency="EUR", amount=np.nan),
        ],
        "test",
    )
    totals = bill.totals()
    assert list(totals["month"].dt.strftime("%Y-%m-%d")) == ["2026-10-01", "2026-11-01"]
    assert str(totals["month"].dtype) == "datetime64[us, UTC]"
    october, other = totals.to_dict("records")
    assert (october["amount"], october["vcpu_hours"], october["gb_hours"], october["estimated"]) == (4, 48, 48, True)
    assert np.isnan(october["storage_gb_hours"]) and np.isnan(other["amount"]) and other["currency"] == "EUR"
    assert "Bill: 5 rows from test" in bill._repr_html_()


def test_hours_are_averaged_over_the_hours_of_their_interval() -> None:
    bill = Bill.of([row(interval=3600, quantity=3.0, amount=0.5)], "test")
    frame = observations(bill).frame
    assert frame[["metric", "interval", "value"]].values.tolist() == [["billed_vcpu", 3600, 3.0], ["cost", 3600, 0.5]]


def test_more_taken_back_than_used_is_left_out_and_said() -> None:
    read = observations(Bill.of([row(quantity=-3.0)], "test"))
    assert list(read.frame["metric"]) == ["cost"]
    assert [(finding.check, finding.metric) for finding in read.findings] == [("negative", "billed_vcpu")]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"interval": 60}, "neither 3600 nor 86400"),
        ({"timestamp": pd.NaT}, "a stamp is missing"),
        ({"amount": np.inf}, "a number is infinite"),
        ({"unit": ""}, "a quantity has no unit"),
    ],
)
def test_what_is_no_bill_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        Bill.of([row(**change)], "test")


def test_a_table_of_another_form_is_refused() -> None:
    frame = Bill.of([row(), row(service="api")], "test").frame
    for wrong, words in (
        (frame.drop(columns="unit"), "columns are"),
        (frame.astype({"interval": "int64"}), "interval has type int64, not int32"),
        (frame.iloc[::-1].reset_index(drop=True), "not sorted"),
        (pd.concat([frame, frame]).sort_values(KEY).reset_index(drop=True), "a key occurs twice"),
        (frame.assign(region=pd.Series([None, "x"], dtype="str")), "a text is missing"),
    ):
        with pytest.raises(InputError, match=words):
            Bill(wrong, "test")
