"""Cost Explorer over real HTTP: what is asked, what it costs, and how its answers become a bill."""

from __future__ import annotations

from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capacity.errors import CapacityError, ConfigError, InputError, SourceDenied, SourceError
from capacity.history import Store, fetch
from capacity.sources import Source, Span
from capacity.sources.bills.bill import faults
from capacity.sources.bills.cost_explorer import CostExplorer
from capacity.sources.coverage import NOTHING
from capacity.sources.pulling import Pulled
from tests.sources.aws.fake import Complaint
from tests.sources.bills import truth
from tests.sources.bills.conftest import KEY, SECRET
from tests.sources.bills.truth import (
    MEMORY,
    SPOT_VCPU,
    STORAGE,
    VCPU,
    Item,
    answering,
    charge,
    covered,
    paid,
    serving,
    the_door,
    used,
)

NOW = pd.Timestamp("2026-11-26T09:30Z")
DAY = pd.Timestamp("2026-10-05", tz="UTC")


def day(text: str) -> pd.Timestamp:
    return pd.Timestamp(text, tz="UTC")


WEEK = Span(day("2026-10-05"), day("2026-10-12"))
#: One service with all there is on a day: on demand, Spot, covered by a plan, and a credit; another without a tag.
LEDGER = [
    used(DAY, VCPU, "web", "24", "0.05"),
    used(DAY + pd.Timedelta(hours=5), VCPU, "web", "24", "0.05"),
    *covered(DAY, VCPU, "web", "48", "0.05", "0.04"),
    used(DAY, SPOT_VCPU, "web", "96", "0.015"),
    used(DAY, MEMORY, "web", "192", "0.005"),
    used(DAY, STORAGE, "web", "12", "0.0001"),
    charge(DAY, VCPU, "web", "Credit", "-0.5"),
    used(DAY, truth.EC2, "web", "480", "0"),
    used(DAY + pd.Timedelta(days=2), MEMORY, "", "24", "0.005"),
    used(DAY, "EUC1-BoxUsage:m5.large", "web", "24", "0.1")._replace(service="Amazon Elastic Compute Cloud - Compute"),
]


def source(**fields: Any) -> CostExplorer:
    usual: dict[str, Any] = {"door": the_door(), "tag": truth.TAG, "clock": lambda: NOW}
    return CostExplorer(**(usual | fields))


def values(frame: pd.DataFrame) -> dict[tuple[str, str, str], float]:
    keys = zip(frame["service"], frame["metric"], frame["timestamp"].dt.strftime("%m-%d %H"), strict=True)
    return dict(zip(keys, frame["value"], strict=True))


def test_usage_money_spot_and_committed_parts_are_each_counted_once() -> None:
    with serving(LEDGER):
        found = values(source().read(WEEK).frame)
    assert found == pytest.approx(
        {
            ("web", "billed_vcpu", "10-05 00"): (24 + 24 + 48 + 96) / 24,
            ("web", "billed_vcpu_covered", "10-05 00"): 48 / 24,
            ("web", "billed_vcpu_spot", "10-05 00"): 96 / 24,
            ("web", "billed_memory", "10-05 00"): 192 / 24,
            ("web", "billed_storage", "10-05 00"): 12 / 24,
            ("web", "cost", "10-05 00"): (2.4 + 48 * 0.04 + 1.44 + 0.96 + 0.0012 - 0.5) / 24,
            ("(untagged)", "billed_memory", "10-07 00"): 1.0,
            ("(untagged)", "cost", "10-07 00"): 0.005,
        },
        rel=1e-12,
    )


@pytest.mark.parametrize("tag", [truth.TAG, ""])
def test_a_bill_adds_up_to_what_cost_explorer_says_without_a_record_type(tag: str) -> None:
    with serving(LEDGER):
        bill = source(tag=tag).bill(WEEK)
    ecs = [item for item in LEDGER if item.service == truth.ECS]
    assert bill.frame["amount"].sum() == pytest.approx(float(sum(item.amortized for item in ecs)), rel=1e-12)
    assert bill.frame["billed"].sum() == pytest.approx(float(sum(item.unblended for item in ecs)), rel=1e-12)
    assert faults(bill.frame) == []


def test_without_a_tag_one_request_says_all_and_with_one_it_takes_three() -> None:
    with serving(LEDGER) as aws:
        whole = source(tag="", savings_plans=False)
        assert set(whole.bill(WEEK).frame["service"]) == {"(account)"}
        assert aws.calls("GetCostAndUsage") == 1
        source(savings_plans=False).bill(WEEK)
        assert aws.calls("GetCostAndUsage") == 1 + 3


def test_metering_of_tasks_on_instances_is_in_the_bill_and_in_no_metric() -> None:
    with serving(LEDGER):
        bill = source().bill(WEEK)
    row = bill.frame[bill.frame["usage_type"] == truth.EC2].iloc[0]
    assert (row["quantity"], row["amount"], row["resource"], row["purchase"]) == (480.0, 0.0, "", "")


def test_account_and_region_are_filters_and_columns() -> None:
    with serving(LEDGER):
        bill = source(account=truth.ACCOUNT, region=truth.REGION).bill(WEEK)
        other = source(region="us-east-1").bill(WEEK)
    assert set(bill.frame["account"]) == {truth.ACCOUNT} and set(bill.frame["region"]) == {truth.REGION}
    assert len(other) == 0 and [finding.check for finding in other.findings] == ["empty"]


hours = st.integers(0, 6 * 24 - 1).map(lambda hour: DAY + pd.Timedelta(hours=hour))
amounts = st.integers(1, 10**6).map(lambda thousandths: str(Decimal(thousandths) / 1000))
tags = st.sampled_from(["web", "api$v2", ""])
ledgers = st.lists(
    st.one_of(
        st.builds(lambda h, u, t, q: [used(h, u, t, q, "0.05")], hours, st.sampled_from([VCPU, MEMORY]), tags, amounts),
        st.builds(lambda h, t, q: [used(h, SPOT_VCPU, t, q, "0.02")], hours, tags, amounts),
        st.builds(lambda h, t, q: covered(h, VCPU, t, q, "0.05", "0.04"), hours, tags, amounts),
        st.builds(lambda h, t, q: [charge(h, VCPU, t, "Tax", q)], hours, tags, amounts),
    ),
    max_size=12,
)


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=ledgers, page=st.integers(2, 7))
def test_whatever_the_ledger_and_the_page_size_nothing_is_lost_or_doubled(parts: list[list[Item]], page: int) -> None:
    ledger = [item for part in parts for item in part]
    with serving(ledger, page=page):
        found = values(source(savings_plans=False).read(WEEK).frame)
    expected: dict[tuple[str, str, str], Decimal] = {}
    for item in ledger:
        for metric, value in meanings(item):
            key = (item.tag or "(untagged)", metric, f"{item.hour:%m-%d} 00")
            expected[key] = expected.get(key, Decimal(0)) + value / 24
    for key in [key for key, value in expected.items() if key[1] == "cost" and key not in found]:
        del expected[key]  # only a negation: a row that is not there
    assert found == pytest.approx({key: float(value) for key, value in expected.items()}, rel=1e-9, abs=1e-12)


def meanings(item: Item) -> list[tuple[str, Decimal]]:
    """What one line adds to which metrics, in so many words."""
    out = [("cost", item.amortized)] if item.record != "SavingsPlanNegation" else []
    if item.record not in ("Usage", "SavingsPlanCoveredUsage"):
        return out
    resource = "memory" if "GB" in item.usage_type else "vcpu"
    out.append((f"billed_{resource}", item.quantity))
    if "Spot" in item.usage_type:
        out.append((f"billed_{resource}_spot", item.quantity))
    if item.record == "SavingsPlanCoveredUsage":
        out.append((f"billed_{resource}_covered", item.quantity))
    return out


def test_estimated_days_are_marked_stored_and_not_covered() -> None:
    ledger = [used(day("2026-11-01") + pd.Timedelta(days=n), VCPU, "web", "24", "0.05") for n in range(25)]
    span = Span(day("2026-11-01"), NOW)
    with serving(ledger, estimated_from=day("2026-11-21")):
        pulling = source(savings_plans=False)
        bill = pulling.bill(span)
        batch = next(iter(pulling.pull(span)))
    assert list(bill.frame.loc[bill.frame["estimated"], "timestamp"].dt.day) == [21, 22, 23, 24, 25]
    (finding,) = bill.findings
    assert (finding.check, finding.count, finding.end) == ("estimated", 5, day("2026-11-26"))
    assert [covered for _, covered in batch.covered] == [Span(day("2026-11-01"), day("2026-11-21"))]
    assert set(batch.observations.frame["timestamp"].dt.day) == set(range(1, 26))


def test_what_is_younger_than_three_days_is_never_covered() -> None:
    ledger = [used(day("2026-11-24"), VCPU, "web", "24", "0.05")]
    with serving(ledger):
        batches = list(source(savings_plans=False).pull(Span(day("2026-11-20"), NOW)))
    assert [covered.end for batch in batches for _, covered in batch.covered] == [day("2026-11-23")]


def test_the_next_pull_asks_only_for_what_had_not_settled() -> None:
    ledger = [used(day("2026-11-01") + pd.Timedelta(days=n), VCPU, "web", "24", "0.05") for n in range(25)]
    span = Span(day("2026-11-01"), NOW)
    with serving(ledger, estimated_from=day("2026-11-21")) as aws:
        first = source(savings_plans=False)
        known = NOTHING
        for batch in first.pull(span):
            known |= batch.covered
        assert str(first.spent) == "3 GetCostAndUsage calls, at most $0.0300"
        again = source(savings_plans=False)
        assert again.outlay(span, known) == first.spent
        list(again.pull(span, known))
        assert paid(aws)[-1]["TimePeriod"] == {"Start": "2026-11-21", "End": "2026-11-26"}
        settled = Span(span.start, day("2026-11-20"))
        assert list(again.pull(settled, known)) == [] and again.outlay(settled, known).total == 0


def test_another_tag_is_another_bill_and_is_asked_for() -> None:
    with serving(LEDGER):
        first, other = source(savings_plans=False), source(tag="", savings_plans=False)
        known = NOTHING
        for batch in first.pull(WEEK):
            known |= batch.covered
        assert first.outlay(WEEK, known).total == 0
        assert other.outlay(WEEK, known).total == 1


def test_older_than_it_remembers_is_a_finding_and_is_not_asked_for() -> None:
    span = Span(day("2025-08-01"), day("2025-11-01"))
    with serving([used(day("2025-10-03"), VCPU, "web", "24", "0.05")]) as aws:
        pulling = source(savings_plans=False)
        bill = pulling.bill(span)
        read = pulling.read(span)
        assert paid(aws)[0]["TimePeriod"] == {"Start": "2025-10-01", "End": "2025-11-01"}
        calls = paid(aws)
        assert len(pulling.bill(Span(day("2024-01-01"), day("2024-02-01")))) == 0
        assert paid(aws) == calls
    for findings in (bill.findings, read.findings):
        (finding,) = findings
        assert (finding.check, finding.status, finding.count) == ("lookback", "UNKNOWN", 61)


def test_nothing_at_all_is_said_once_and_quarters_before_the_first_task_are_not() -> None:
    year = Span(day("2026-01-01"), day("2026-11-01"))
    with serving([]):
        (finding,) = source(savings_plans=False).read(year).findings
    assert (finding.check, finding.status) == ("empty", "UNKNOWN") and "2026-01-01 00:00 to 2026-11-01" in str(finding)
    with serving(LEDGER):
        assert {each.check for each in source(savings_plans=False).read(year).findings} == {"untagged"}


def test_hours_are_asked_for_with_their_hour_and_remembered_for_two_weeks() -> None:
    start = day("2026-11-20T03:00")
    ledger = [used(start + pd.Timedelta(hours=n), VCPU, "web", "2", "0.05") for n in range(30)]
    with serving(ledger) as aws:
        hourly = source(granularity="HOURLY", savings_plans=False)
        frame = hourly.read(Span(day("2026-11-20T04:30"), day("2026-11-21T02:00"))).frame
        period = paid(aws)[0]["TimePeriod"]
        assert period == {"Start": "2026-11-20T05:00:00Z", "End": "2026-11-21T02:00:00Z"}
        old = hourly.bill(Span(day("2026-11-01"), day("2026-11-12T11:00")))
    vcpu = frame[frame["metric"] == "billed_vcpu"]
    assert (vcpu["value"] == 2.0).all() and (vcpu["interval"] == 3600).all() and len(vcpu) == 21
    assert {finding.check for finding in old.findings} == {"lookback", "empty"}


def test_a_finished_answer_is_paid_for_once_and_found_again_by_another_store(tmp_path: Path) -> None:
    with serving(LEDGER, page=2) as aws:
        first = source(cache=tmp_path / "paid", savings_plans=False)
        bill = first.bill(WEEK)
        paid = aws.calls("GetCostAndUsage")
        assert first.spent.calls == {"GetCostAndUsage": paid} and paid > 3
        again = source(cache=tmp_path / "paid", savings_plans=False)
        assert again.outlay(WEEK).total == 0
        pd.testing.assert_frame_equal(again.bill(WEEK).frame, bill.frame)
        assert aws.calls("GetCostAndUsage") == paid and again.spent.total == 0
    kept = [path.read_text() for path in (tmp_path / "paid").iterdir()]
    assert len(kept) == paid and not any(KEY in text or SECRET in text for text in kept)


def test_an_answer_that_may_still_change_is_never_kept(tmp_path: Path) -> None:
    ledger = [used(DAY, VCPU, "web", "24", "0.05")]
    recent, past = Span(day("2026-11-20"), day("2026-11-25")), WEEK
    with serving(ledger, estimated_from=day("2026-11-24")):
        source(cache=tmp_path, savings_plans=False).bill(recent)
    with serving(ledger, estimated_from=DAY):
        source(cache=tmp_path, savings_plans=False).bill(past)
    assert list(tmp_path.iterdir()) == []
    with serving(ledger):
        source(cache=tmp_path, savings_plans=False).bill(recent)  # final, it says; but of yesterday
        assert list(tmp_path.iterdir()) == []
        source(cache=tmp_path, savings_plans=False).bill(past)
        assert len(list(tmp_path.iterdir())) == 3


def test_it_keeps_the_promises_of_a_pulled_source() -> None:
    with serving(LEDGER):
        pulling = source()
        assert isinstance(pulling, Pulled) and isinstance(pulling, Source) and pulling.name == "cost-explorer"
        read = pulling.read(Span(day("2026-10-04T12:00"), day("2026-10-06")))
    assert str(read.frame["timestamp"].dtype) == "datetime64[us, UTC]"
    assert (read.frame["timestamp"] == DAY).all() and np.isfinite(read.frame["value"]).all()
    assert SECRET not in repr(pulling) and KEY not in repr(pulling)


def test_read_without_a_span_is_all_that_cost_explorer_remembers() -> None:
    with serving(LEDGER) as aws:
        pulling = source(tag="", savings_plans=False)
        assert values(pulling.read().frame)["(account)", "billed_memory", "10-07 00"] == 1.0
        asked = [params["TimePeriod"] for params in paid(aws)]
    assert asked[0]["Start"] == "2025-10-01" and asked[-1]["End"] == "2026-11-26" and len(asked) == 5
    assert all(one["End"] == two["Start"] for one, two in pairwise(asked))


COMPLAINTS = {
    "Cost Explorer is not enabled": Complaint("AccessDeniedException", "User not enabled for cost explorer access"),
    "capacity iam": Complaint("AccessDeniedException", "User: x is not authorized to perform: ce:GetCostAndUsage"),
    "has no data for this time": Complaint("DataUnavailableException", "Data is not available."),
    "Ask for fewer days": Complaint("ValidationException", "You haven't enabled historical data beyond 14 months."),
    "has expired": Complaint("BillExpirationException", "expired"),
    "Hourly and resource level data": Complaint("ValidationException", "Hourly granularity is not enabled"),
    "slow down": Complaint("LimitExceededException", "Rate limit exceeded"),
    "kept failing": Complaint("InternalFailure", "oh no", 500),
}


@pytest.mark.parametrize("words", COMPLAINTS)
def test_a_complaint_says_what_to_do_and_is_not_paid_for(words: str) -> None:
    with answering({("ce", "GetCostAndUsage"): COMPLAINTS[words]}):
        pulling = source()
        with pytest.raises(SourceError, match=words) as raised:
            pulling.bill(WEEK)
    assert isinstance(raised.value, CapacityError) and "\n" not in str(raised.value)
    assert pulling.spent.total == 0 and SECRET not in str(raised.value)
    assert isinstance(raised.value, SourceDenied) == (COMPLAINTS[words].code == "AccessDeniedException")


@pytest.mark.parametrize(
    "answer",
    [
        {"ResultsByTime": [{"TimePeriod": {"Start": "2026-10-05", "End": "2026-10-06"}, "Groups": [{"Keys": ["x"]}]}]},
        {"ResultsByTime": [{"Groups": []}]},
        {},
    ],
)
def test_an_answer_of_another_form_is_said_to_be_one(answer: dict[str, Any]) -> None:
    with answering({("ce", "GetCostAndUsage"): answer}), pytest.raises(SourceError, match="documented form"):
        source().bill(WEEK)


def test_a_granularity_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(ConfigError, match="MONTHLY"):
        CostExplorer(granularity="MONTHLY")


def test_the_bills_of_two_accounts_are_not_taken_for_one() -> None:
    """Their series have the same names: what one has answered must not keep the other from being asked."""
    known = NOTHING
    for account in ("111111111111", "222222222222"):
        with serving(LEDGER) as aws:
            who = {"Account": account, "UserId": "A", "Arn": f"arn:aws:iam::{account}:user/a"}
            aws.answers = {**aws.answers, ("sts", "GetCallerIdentity"): who}
            source = CostExplorer(the_door(), clock=lambda: NOW, savings_plans=False)
            (batch,) = source.pull(WEEK, known)
        assert batch.observations.source == f"cost-explorer:{account}"
        known = known | batch.covered
    assert {asked.source for asked in known.spans} == {"cost-explorer:111111111111", "cost-explorer:222222222222"}


def test_two_parts_of_a_bill_in_one_store_are_refused_before_one_overwrites_the_other(tmp_path: Path) -> None:
    """A service that runs in two regions has one name and one cost a day in each."""
    with serving(LEDGER):
        here = source(region=truth.REGION, savings_plans=False)
        fetch(here, tmp_path, WEEK)
        before = Store(tmp_path).history().frame
        for other in (source(region="us-east-1", savings_plans=False), source(savings_plans=False)):
            with pytest.raises(InputError, match=rf"(?s)region {truth.REGION}.*give each its own store"):
                fetch(other, tmp_path, WEEK)
        assert source(region=truth.REGION, savings_plans=False).outlay(WEEK, Store(tmp_path).coverage()).total == 0
    pd.testing.assert_frame_equal(Store(tmp_path).history().frame, before)
