"""A policy as a document someone reviews: boto3 calls, CloudFormation, Terraform, AWS CLI commands, a plain table.

All are made from the same parts (`configurations.py`), so that they say the same. Those for other systems (Kubernetes,
KEDA, Azure) say what they cannot say. Names come from outside: each format quotes them by its own rules, and what a
format cannot hold safely is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from capacity.errors import InputError
from capacity.scaling.checks import refuse_broken
from capacity.scaling.policy import Policy
from capacity.scaling.render.azure import azure
from capacity.scaling.render.calls import boto3_calls
from capacity.scaling.render.cloudformation import cloudformation
from capacity.scaling.render.commands import commands
from capacity.scaling.render.kubernetes import hpa, keda
from capacity.scaling.render.table import table
from capacity.scaling.render.terraform import terraform

KINDS: Final[dict[str, Callable[[Policy], Any]]] = {
    "azure": azure,
    "boto3": boto3_calls,
    "cli": commands,
    "cloudformation": cloudformation,
    "hpa": hpa,
    "keda": keda,
    "table": table,
    "terraform": terraform,
}


def renderer(kind: str) -> Callable[[Policy], Any]:
    """What makes this kind of document. Raises InputError, naming the kinds there are."""
    if kind not in KINDS:
        raise InputError(f"no rendering is called {kind!r}", advice=f"There are: {', '.join(KINDS)}.")
    return KINDS[kind]


def render(policy: Policy, kind: str, service: str | None = None) -> Any:
    """See `Policy.render`."""
    make = renderer(kind)
    chosen = policy if service is None else policy.of(service)
    refuse_broken(chosen)
    return make(chosen)
