"""The least that each command has to be allowed in an AWS account: a policy document each.

    fetch      capacity fetch cloudwatch
    discover   capacity discover, capacity init --from-aws
    cost       capacity fetch cost-explorer
    advice     capacity advice
    diff       capacity diff
    apply      capacity apply, capacity rollback: what they change; what they read is `diff`

All but the last only read. docs/iam.md says what each action is for. Action names: Service Authorization Reference
(reference aws.md 10.1 and 10.2).
"""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any, Final

from capacity.errors import InputError

#: The documents that only read, and those that change something, which nobody gets without naming them.
READING: Final = ("fetch", "discover", "cost", "advice", "diff")
WRITING: Final = ("apply",)
PARTS: Final = READING + WRITING


def policy(*parts: str) -> dict[str, Any]:
    """One IAM policy document that allows what these parts need; without a name, all that only read.

    What is read is one statement, each action once. What is changed keeps its own statements, with their resources and
    conditions: REGION, ACCOUNT and CLUSTER stand where yours go.

    >>> policy("advice")["Statement"][0]["Action"]
    ['compute-optimizer:GetECSServiceRecommendations', 'ecs:ListClusters', 'ecs:ListServices']
    >>> [statement["Sid"] for statement in policy("diff", "apply")["Statement"]][:2]
    ['CapacityDiff', 'CapacityScaleEcsServices']
    """
    unknown = [part for part in parts if part not in PARTS]
    if unknown:
        raise InputError(f"there is no policy for {', '.join(unknown)}", advice=f"There are: {', '.join(PARTS)}.")
    reading = [part for part in parts or READING if part in READING]
    read = sorted({action for part in reading for each in _document(part)["Statement"] for action in each["Action"]})
    names = "".join(part.capitalize() for part in dict.fromkeys(reading)) if parts else "Read"
    statements = [{"Sid": f"Capacity{names}", "Effect": "Allow", "Action": read, "Resource": "*"}] if read else []
    statements += [each for part in WRITING if part in parts for each in _document(part)["Statement"]]
    return {"Version": "2012-10-17", "Statement": statements}


def allowed(*parts: str) -> frozenset[str]:
    """The actions of these parts; without a name, of all that only read.

    >>> "ecs:UpdateService" in allowed(), "ecs:UpdateService" in allowed("apply")
    (False, True)
    """
    return frozenset(action for statement in policy(*parts)["Statement"] for action in statement["Action"])


def statement_for(action: str, region: str) -> dict[str, Any] | None:
    """The statement of the writing parts that allows an action, for a region; None when none of them does.

    >>> statement_for("cloudwatch:PutMetricAlarm", "eu-west-1")["Resource"][1]
    'arn:aws:cloudwatch:eu-west-1:ACCOUNT:alarm:capacity-*'
    """
    for statement in (each for part in WRITING for each in _document(part)["Statement"]):
        if action in statement["Action"]:
            there: dict[str, Any] = json.loads(json.dumps(statement).replace(":REGION:", f":{region}:"))
            return there
    return None


def _document(part: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(files(__package__).joinpath(f"{part}.json").read_text(encoding="utf-8"))
    return document
