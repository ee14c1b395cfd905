"""Dashboards as a CloudFormation template, in JSON, which CloudFormation reads as it reads YAML."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from capacity.config import Account
from capacity.errors import InputError
from capacity.monitoring.dashboards.cloudwatch import ACCOUNT, body, text
from capacity.monitoring.dashboards.naming import digest
from capacity.monitoring.dashboards.parts import Page

#: Resources, and bytes, of one template (CloudFormation quotas; a template of more than 51,200 bytes goes through S3).
MOST_RESOURCES: Final = 500
MOST_BYTES: Final = 1_048_576


def cloudformation(pages: list[Page], accounts: Mapping[str, Account], account_id: str = ACCOUNT) -> str:
    """One resource a dashboard. Where the account is not known, CloudFormation puts its own into the ARNs of alarms.

    Raises InputError for more than one template holds, and for names that CloudFormation would resolve.
    """
    resources = {
        logical(page): {
            "Type": "AWS::CloudWatch::Dashboard",
            "Properties": {"DashboardName": page.name, "DashboardBody": _body(page, accounts, account_id)},
        }
        for page in pages
    }
    document = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Dashboards: live metrics beside the plan, written by capacity.",
        "Resources": resources,
    }
    made = json.dumps(document, indent=2, ensure_ascii=False) + "\n"
    if "{{resolve:" in made:
        raise InputError(
            "a name holds {{resolve:, which CloudFormation would resolve",
            advice='Render these dashboards as "cloudwatch", for PutDashboard, which reads names as they are.',
        )
    size = len(made.encode())
    if len(resources) > MOST_RESOURCES or size > MOST_BYTES:
        raise InputError(
            f"{len(pages):,} dashboards are {size:,} bytes and {len(resources):,} resources; a template holds "
            f"{MOST_BYTES:,} and {MOST_RESOURCES}",
            advice='Render them one at a time: dashboard.render("cloudformation", service="..."), or --service NAME.',
        )
    return made


def _body(page: Page, accounts: Mapping[str, Account], account_id: str) -> Any:
    """The text of the body; with the account's own number, where `Fn::Sub` puts it in, and nothing else."""
    own = "${AWS::AccountId}"
    made = text(body(page, accounts, account_id))
    if ACCOUNT not in made:
        return made
    return {"Fn::Sub": made.replace("${", "${!").replace(f":{ACCOUNT}:", f":{own}:")}


def logical(page: Page) -> str:
    """Letters and digits, of this page alone: with others beside it, it stays the resource that it was.

    >>> logical(Page("capacity-service-web", "web", ()))
    'CapacityServiceWeb281627'
    """
    words = "".join(word[:1].upper() + word[1:] for word in re.split("[-_]", page.name))
    return words[:200] + digest(page.name)
