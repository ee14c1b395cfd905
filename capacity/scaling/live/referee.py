"""AWS's own model as the referee of a call, before it is made: stricter than botocore is with what it sends.

botocore checks types, required and unknown members, and minima. AWS also refuses what is outside of an enumeration,
above a maximum, or not of a pattern (reference aws.md 8.7); so does this. What no model says, such as cron text, is
checked by `scaling.checks` and `wanted`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from capacity.errors import MissingExtra

#: Ways to write a pattern that Java (AWS's models) has and Python has not.
_JAVA: Final = {r"\p{Print}": r"[ -~]", r"\uD800\uDC00-\uDBFF\uDFFF": "\U00010000-\U0010ffff"}


@cache
def model(client: str) -> Any:
    """botocore's model of a service. Raises MissingExtra where botocore is not installed."""
    try:
        import botocore.session
    except ImportError:
        raise MissingExtra("boto3", "aws", "checking calls to AWS") from None
    return botocore.session.get_session().get_service_model(client)


def call_problems(client: str, operation: str, parameters: dict[str, Any]) -> list[str]:
    """What AWS would refuse of a call as boto3 spells it; empty when there is nothing.

    >>> call_problems("application-autoscaling", "delete_scaling_policy", {"PolicyName": "a", "ServiceNamespace": "x",
    ...     "ResourceId": "service/a/b", "ScalableDimension": "ecs:service:DesiredCount"})[0].split(" is ")[0]
    "DeleteScalingPolicy.ServiceNamespace: 'x'"
    """
    from botocore.validate import ParamValidator

    name = "".join(word.capitalize() for word in operation.split("_"))
    shape = model(client).operation_model(name).input_shape
    report = ParamValidator().validate(parameters, shape).generate_report().splitlines()
    return [line for line in report if line] or list(_beyond(shape, parameters, name))


def _beyond(shape: Any, value: Any, place: str) -> Iterator[str]:
    """Enumerations, maxima and patterns, all the way down."""
    kind = shape.type_name
    if kind == "structure":
        for name, inner in value.items():
            yield from _beyond(shape.members[name], inner, f"{place}.{name}")
    elif kind == "list":
        yield from _above(shape, len(value), "items", place)
        for position, inner in enumerate(value):
            yield from _beyond(shape.member, inner, f"{place}[{position}]")
    elif kind == "map":
        for name, inner in value.items():
            yield from _beyond(shape.value, inner, f"{place}[{name!r}]")
    elif kind == "string":
        yield from _above(shape, len(value), "characters", place)
        yield from _unmatched(shape, value, place)
    elif kind in ("integer", "long", "float", "double"):
        yield from _above(shape, value, "", place)


def _above(shape: Any, size: float, unit: str, place: str) -> Iterator[str]:
    most = shape.metadata.get("max")
    if most is not None and size > most:
        yield f"{place}: {size} {unit}".rstrip() + f", at most {most}"


def _unmatched(shape: Any, value: str, place: str) -> Iterator[str]:
    allowed, pattern = shape.enum, shape.metadata.get("pattern")
    if allowed and value not in allowed:
        yield f"{place}: {value!r} is none of {', '.join(allowed)}"
    if pattern:
        for java, python in _JAVA.items():
            pattern = pattern.replace(java, python)
        if not re.fullmatch(pattern, value):
            yield f"{place}: {value!r} does not match {pattern}"
