"""Budgets: by when how many paths have passed them, worked out by hand, and as documents AWS takes."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from capacity.config import Budget, Config
from capacity.errors import ConfigError, InputError
from capacity.planning import Plan
from capacity.planning.money import Budgets
from tests.makers import make_demand
from tests.planning.inputs import BARE, CUTOFF, forecast_of, plain, planned
from tests.scaling.aws_model import problems

TASK = 0.04937
DECEMBER, JANUARY = (pd.Timestamp(day, tz="UTC") for day in ("2026-12-01", "2027-01-01"))
TOPIC = "arn:aws:sns:eu-west-1:123456789012:money"


def to_new_year(tasks: tuple[float, ...] = (10.0, 20.0, 30.0, 40.0), known_days: int = 23) -> Plan:
    """A path for each count of tasks, level by hours from 23 November to 10 January; 5 tasks in November's past."""
    paths = np.array(tasks)[:, None] * np.ones((len(tasks), 49 * 24))
    forecast = forecast_of({("web", "cpu"): paths}, past=5.0)
    times = pd.date_range(end=CUTOFF - pd.Timedelta("1h"), periods=known_days * 24, freq="h", unit="us")
    past = make_demand({("web", "cpu"): np.full(len(times), 5.0)}, times)
    return planned(replace(forecast, past=past), plain(), goal=BARE)


def looked(plan: Plan, usd: float, **said: Any) -> Budgets:
    return plan.budgets([Budget(name="web", usd_per_month=usd, **said)])


def test_each_month_is_the_sum_of_its_hours_on_every_path() -> None:
    frame = looked(to_new_year(), 1e6).frame.set_index("month")
    november = pd.Timestamp("2026-11-01", tz="UTC")
    assert list(frame.index) == [november, DECEMBER, JANUARY]
    assert frame["whole"].tolist() == [True, True, False]
    assert frame.loc[november, "so_far"] == pytest.approx(22 * 24 * 5 * TASK)
    assert frame.loc[november, "usd"] == pytest.approx((22 * 24 * 5 + 8 * 24 * 25) * TASK)
    assert frame.loc[DECEMBER, ["so_far", "usd", "p50"]].tolist() == pytest.approx([0, *[31 * 24 * 25 * TASK] * 2])
    assert frame.loc[JANUARY, "usd"] == pytest.approx(10 * 24 * 25 * TASK)
    assert (frame["probability"] == 0).all()


def test_a_budget_is_passed_by_each_path_in_its_hour() -> None:
    budget = 31 * 24 * 25 * TASK  # two of four paths spend more in December
    found = looked(to_new_year(), budget)
    row = found.frame.set_index("month").loc[DECEMBER]
    assert row["probability"] == 0.5
    # 40 tasks pass it after 25/40 of the month, 30 after 25/30; each in the hour that follows
    assert row["first"] == DECEMBER + pd.Timedelta(hours=31 * 24 * 25 // 40 + 1)
    assert row["median"] == DECEMBER + pd.Timedelta(hours=31 * 24 * 25 // 30 + 1)
    days = found.over_time[found.over_time["month"] == DECEMBER].set_index("day")["probability"]
    assert days[pd.Timestamp("2026-12-19", tz="UTC")] == 0
    assert days.is_monotonic_increasing
    assert days.iloc[-1] == 0.5
    (decision,) = found.decisions
    assert (decision.kind, decision.before, decision.current) == ("budget", row["first"], budget)
    assert "December 2026 passes it, 50 % sure" in decision.sentence
    assert decision.proposed is not None
    assert decision.proposed >= np.quantile([10, 20, 30, 40], 0.95) * 31 * 24 * TASK


def test_a_budget_that_may_be_passed_is_watched_and_one_that_holds_is_no_decision() -> None:
    plan = to_new_year(tuple(float(n) for n in range(1, 11)))
    (decision,) = looked(plan, 31 * 24 * 9.5 * TASK, owner="shop").decisions
    assert (decision.kind, decision.owner, decision.probability) == ("watch", "shop", 0.1)
    assert looked(plan, 31 * 24 * 10.5 * TASK).decisions == ()


def test_budgets_are_printed_as_what_becomes_of_them_and_one_that_nobody_knows_of_is_not_kept() -> None:
    plan = to_new_year()
    passed, unknown = looked(plan, 100.0), looked(plan, 1e6, services=("payments",))
    assert str(passed).startswith(passed.decisions[0].sentence)
    assert str(looked(plan, 1e6)) == "No budget is passed in as many as 5 % of the futures."
    assert str(unknown) == "\n".join(map(str, unknown.findings))
    assert str(plan.budgets([])).startswith("No budget is stated: add [[budget]]")


def test_a_month_of_which_too_little_is_known_is_left_open() -> None:
    found = looked(to_new_year(known_days=5), 100)
    row = found.frame.iloc[0]
    assert np.isnan(row["so_far"])
    assert np.isnan(row["probability"])
    assert [finding.status for finding in found.findings] == ["UNKNOWN"]
    assert found.frame["probability"].iloc[1] == 1  # December is judged all the same


def test_tasks_that_ran_count_for_the_month_so_far() -> None:
    plan = to_new_year()
    past = plan.forecast.past
    plan = replace(plan, forecast=replace(plan.forecast, past=replace(past, tasks={"web": np.full(23 * 24, 7.0)})))
    assert looked(plan, 1e6).frame["so_far"].iloc[0] == pytest.approx(22 * 24 * 7 * TASK)


def test_what_has_no_price_or_is_not_planned_is_unknown_and_not_within_the_budget() -> None:
    forecast = forecast_of({(name, "cpu"): np.full((2, 24 * 40), 3.0) for name in ("a", "b")})
    plan = planned(forecast, [plain("a"), plain("b", region="mars-1")], goal=BARE)
    found = plan.budgets([Budget(name="all", usd_per_month=1), Budget(name="a", usd_per_month=1, services=("a",))])
    assert found.frame[found.frame["budget"] == "all"]["probability"].isna().all()
    assert found.frame[found.frame["budget"] == "a"]["probability"].iloc[1] == 1
    assert ["b without a price" in finding.message for finding in found.findings].count(True) == 1
    strange = plan.budgets([Budget(name="x", usd_per_month=1, services=("nobody",))])
    assert strange.frame.empty
    assert "nobody not planned" in next(iter(strange.findings)).message
    with pytest.raises(ConfigError, match="is not a Budget"):
        plan.budgets(["x"])  # type: ignore[list-item]


def test_a_plan_of_a_config_with_budgets_decides_about_them() -> None:
    forecast = forecast_of({("web", "cpu"): np.full((2, 24 * 40), 10.0)}, past=10.0)
    config = Config(service=(plain(),), budget=(Budget(name="small", usd_per_month=5),), goal=BARE)
    plan = planned(forecast, config)
    assert "budget" in [decision.kind for decision in plan.decisions]
    assert plan.budgets().budgets == config.budget


def documents(*budgets: Budget) -> Budgets:
    return to_new_year().budgets(budgets)


ALL = (
    Budget(name="everything", usd_per_month=90_000, notify=("a@example.com", TOPIC)),
    Budget(name="web's", usd_per_month=700.5, services=("web",), tag="Service", notify=("a@example.com",)),
    Budget(name="nobody is told", usd_per_month=10),
)


def test_calls_pass_botocores_model() -> None:
    calls = documents(*ALL).render("boto3", "123456789012")
    assert [problems(call) for call in calls] == [[], [], []]
    told = calls[0]["parameters"]["NotificationsWithSubscribers"]
    december = np.quantile([10, 20, 30, 40], 0.95) * 31 * 24 * TASK
    assert told[0]["Notification"]["Threshold"] == pytest.approx(december, abs=0.01)
    assert [one["Notification"]["NotificationType"] for one in told] == ["ACTUAL", "ACTUAL", "FORECASTED"]
    assert [one["SubscriptionType"] for one in told[0]["Subscribers"]] == ["EMAIL", "SNS"]
    assert calls[1]["parameters"]["Budget"]["CostFilters"] == {"TagKeyValue": ["user:Service$web"]}
    assert calls[1]["parameters"]["Budget"]["BudgetLimit"] == {"Amount": "700.5", "Unit": "USD"}
    assert len(calls[1]["parameters"]["NotificationsWithSubscribers"]) == 2  # the budget comes first
    assert "NotificationsWithSubscribers" not in calls[2]["parameters"]


def test_cloudformations_own_linter_has_nothing_to_say_but_of_what_was_made_wrong() -> None:
    from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped, unused-ignore]

    template = json.loads(documents(*ALL).render("cloudformation"))
    wrong = json.loads(json.dumps(template["Resources"]["Budget1"]).replace('"BudgetLimit"', '"Limit"'))
    both = {**template, "Resources": {**template["Resources"], "Wrong": wrong}}
    said = lint(json.dumps(both), config=ManualArgs(regions=["us-east-1"]))
    assert {tuple(match.path[:2]) for match in said} == {("Resources", "Wrong")}


def test_commands_are_safe_to_paste() -> None:
    import shlex

    lines = documents(*ALL).render("cli", "123456789012")
    words = shlex.split(lines[1])
    assert words[:4] == ["aws", "budgets", "create-budget", "--account-id=123456789012"]
    assert json.loads(words[4].removeprefix("--budget="))["BudgetName"] == "web's"


@pytest.mark.parametrize(
    ("kind", "account", "words"),
    [("boto3", "", "is not an AWS account"), ("cli", "12", "is not an AWS account"), ("pdf", "", "no rendering")],
)
def test_what_cannot_be_rendered_is_said(kind: str, account: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        documents(*ALL).render(kind, account)


@pytest.mark.parametrize(
    "wrong",
    [
        {"usd_per_month": 0},
        {"name": "a:b"},
        {"notify": ("nobody",)},
        {"notify": (TOPIC, TOPIC.replace("money", "more"))},
        {"services": ("web", "web")},
    ],
)
def test_budgets_that_aws_would_refuse_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        Budget(**{"name": "web", "usd_per_month": 5, **wrong})
