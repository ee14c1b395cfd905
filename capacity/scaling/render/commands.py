"""A policy as AWS CLI commands, each safe to paste into a POSIX shell."""

from __future__ import annotations

import json
import re
import shlex
from typing import Any

from capacity.scaling.policy import Policy
from capacity.scaling.render.calls import Call, boto3_calls


def commands(policy: Policy) -> list[str]:
    """One command a call, in the order to run them. Every value is quoted, and joined to its option by `=`.

    The alarm of a step policy waits for the ARN that the command before it prints: put it in for `PUT-ARN-OF-...-HERE`.

    >>> from capacity import Service
    >>> from capacity.scaling.policy import ServicePolicy, TargetTracking
    >>> web = ServicePolicy(Service(name="a'b"), 2, 40, TargetTracking("cpu", 60))
    >>> print(commands(Policy((web,)))[0].split(" --")[3])
    resource-id='service/default/a'"'"'b'
    """
    lines = []
    for one in policy.services:
        for call in boto3_calls(Policy((one,))):
            lines.append(command(call, one.service.region))
    return lines


def command(call: Call, region: str) -> str:
    """One call of boto3 as a command."""
    return " ".join(words(call, region))


def words(call: Call, region: str) -> list[str]:
    """The words of the command, each quoted as it has to be."""
    said = ["aws", call["client"], call["operation"].replace("_", "-"), f"--region={region}"]
    said += [f"--{_option(name)}={_text(value)}" for name, value in call["parameters"].items()]
    return [_quoted(word) for word in said]


def _option(name: str) -> str:
    """`ScalableTargetAction` -> `scalable-target-action`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def _text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, (dict, list)) else str(value)


def _quoted(word: str) -> str:
    """The option's name stays readable; only what needs it is quoted."""
    option, sign, value = word.partition("=")
    return f"{option}{sign}{shlex.quote(value)}" if sign else shlex.quote(word)
