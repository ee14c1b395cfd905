"""The least that each command has to be allowed in an AWS account: a policy document each, all of them read-only.

    fetch      capacity fetch cloudwatch
    discover   capacity discover, capacity init --from-aws
    cost       capacity fetch cost-explorer
    advice     capacity advice

docs/iam.md says what each action is for. Action names: Service Authorization Reference (reference aws.md 10.1).
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from capacity.errors import InputError

#: The documents there are, and the command each is for.
PARTS: Final = ("fetch", "discover", "cost", "advice")


def policy(*parts: str) -> dict[str, Any]:
    """One IAM policy document that allows what these parts need, each action once; without a name, all parts.

    >>> policy("advice")["Statement"][0]["Action"]
    ['compute-optimizer:GetECSServiceRecommendations', 'ecs:ListClusters', 'ecs:ListServices']
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise InputError(f"there is no policy for {', '.join(unknown)}", advice=f"There are: {', '.join(PARTS)}.")
    statements = [statement for part in parts or PARTS for statement in _document(part)["Statement"]]
    actions = sorted({action for statement in statements for action in statement["Action"]})
    names = "".join(part.capitalize() for part in dict.fromkeys(parts)) or "Read"
    allow = {"Sid": f"Capacity{names}", "Effect": "Allow", "Action": actions, "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [allow]}


def allowed(*parts: str) -> frozenset[str]:
    """The actions of these parts.

    >>> "ecs:UpdateService" in allowed()
    False
    """
    return frozenset(action for statement in policy(*parts)["Statement"] for action in statement["Action"])


def _document(part: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(files(__package__).joinpath(f"{part}.json").read_text(encoding="utf-8"))
    return document
