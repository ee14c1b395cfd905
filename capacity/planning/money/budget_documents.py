"""Budgets as documents someone reviews: calls of AWS Budgets, a CloudFormation template, AWS CLI commands.

Told are: spend above what 95 % of the futures of a month stay below, which is sooner than the budget where that is far
above the forecast; spend above the budget; and AWS's own forecast above it.
Source: AWS Budgets API reference, CreateBudget (at most 5 notifications a budget, 11 subscribers a notification).
"""

from __future__ import annotations

import json
import re
import shlex
from typing import TYPE_CHECKING, Any, Final

from capacity.config import Budget
from capacity.errors import InputError

if TYPE_CHECKING:
    from capacity.planning.money.budgets import Budgets

KINDS: Final = ("boto3", "cloudformation", "cli")


def render(found: Budgets, kind: str, account_id: str = "") -> Any:
    """See `Budgets.render`. Raises InputError for another kind, and where an account id is needed and not given."""
    if kind not in KINDS:
        raise InputError(f"no rendering is called {kind!r}", advice=f"There are: {', '.join(KINDS)}.")
    if kind == "cloudformation":
        return cloudformation(found)
    if not re.fullmatch(r"\d{12}", account_id):
        raise InputError(
            f"account_id {account_id!r} is not an AWS account",
            advice="AWS Budgets belong to an account: name it by its twelve digits, or render cloudformation.",
        )
    calls = boto3_calls(found, account_id)
    return calls if kind == "boto3" else [_command(call) for call in calls]


def boto3_calls(found: Budgets, account_id: str) -> list[dict[str, Any]]:
    """One `create_budget` a budget: `{"client", "operation", "parameters"}`."""
    return [
        {
            "client": "budgets",
            "operation": "create_budget",
            "parameters": {
                "AccountId": account_id,
                "Budget": _budget(one, str),
                **({"NotificationsWithSubscribers": told} if (told := _notifications(found, one)) else {}),
            },
        }
        for one in found.budgets
    ]


def cloudformation(found: Budgets) -> str:
    """A template with one `AWS::Budgets::Budget` a budget, in JSON."""
    resources = {}
    for number, one in enumerate(found.budgets, start=1):
        told = _notifications(found, one)
        resources[f"Budget{number}"] = {
            "Type": "AWS::Budgets::Budget",
            "Properties": {
                "Budget": _budget(one, float),
                **({"NotificationsWithSubscribers": told} if told else {}),
            },
        }
    if not resources:
        raise InputError(
            "there is no budget to render", advice='State one: [[budget]] name = "...", usd_per_month = ...'
        )
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Budgets, written by capacity. Deploy it in us-east-1: not every region has budgets.",
        "Resources": resources,
    }
    return json.dumps(template, indent=2, ensure_ascii=False) + "\n"


def _budget(one: Budget, amount: type[str] | type[float]) -> dict[str, Any]:
    """Without a tag, all of Amazon ECS is watched: the console shows so."""
    values = [f"user:{one.tag}${name}" for name in one.services]
    filters = {"TagKeyValue": values} if one.tag and values else {"Service": ["Amazon Elastic Container Service"]}
    return {
        "BudgetName": one.name,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": amount(round(one.usd_per_month, 2)), "Unit": "USD"},
        "CostFilters": filters,
    }


def _notifications(found: Budgets, one: Budget) -> list[dict[str, Any]]:
    """None where nobody is to be told."""
    if not one.notify:
        return []
    subscribers = [
        {"SubscriptionType": "SNS" if address.startswith("arn:") else "EMAIL", "Address": address}
        for address in one.notify
    ]
    thresholds = [("ACTUAL", 100.0, "PERCENTAGE"), ("FORECASTED", 100.0, "PERCENTAGE")]
    unusual = _unusual(found, one)
    if unusual is not None:
        thresholds.insert(0, ("ACTUAL", unusual, "ABSOLUTE_VALUE"))
    return [
        {
            "Notification": {
                "NotificationType": kind,
                "ComparisonOperator": "GREATER_THAN",
                "Threshold": threshold,
                "ThresholdType": measure,
            },
            "Subscribers": subscribers,
        }
        for kind, threshold, measure in thresholds
    ]


def _unusual(found: Budgets, one: Budget) -> float | None:
    """USD that 95 % of the futures of every whole month stay below; None where the budget comes first, or not known."""
    rows = found.frame[(found.frame["budget"] == one.name) & found.frame["whole"].astype(bool)]
    most = rows["p95"].max()
    return float(round(most, 2)) if 0 < most < one.usd_per_month else None


def _command(call: dict[str, Any]) -> str:
    """An AWS CLI command, safe to paste into a POSIX shell."""
    words = []
    for name, value in call["parameters"].items():
        option = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()
        text = value if isinstance(value, str) else json.dumps(value)
        words.append(f"--{option}={shlex.quote(text)}")
    return " ".join(["aws budgets create-budget", *words])
