"""AWS's own model as the referee of a request or an answer, stricter than botocore is with what it sends.

botocore checks types, required and unknown keys, and minima. AWS also refuses what is outside of an enumeration,
above a maximum, or not of a pattern; so does this.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

#: Ways to write a pattern that Java (AWS's models) has and Python has not, as the ASCII part of the same.
_JAVA = {r"\p{Print}": r"[ -~]", r"\p{L}": "a-zA-Z", r"\p{Z}": " ", r"\p{N}": "0-9"}


@cache
def model(service: str) -> Any:
    """botocore's model of a service."""
    import botocore.session

    return botocore.session.get_session().get_service_model(service)


def request_problems(service: str, operation: str, params: dict[str, Any]) -> list[str]:
    """What AWS would not accept of a request; empty when there is nothing."""
    return _problems(model(service).operation_model(operation).input_shape, params, operation)


def answer_problems(service: str, operation: str, answer: dict[str, Any]) -> list[str]:
    """What AWS would never answer: a fake that passes cannot drift from the real one's form."""
    return _problems(model(service).operation_model(operation).output_shape, answer, operation)


def _problems(shape: Any, value: dict[str, Any], place: str) -> list[str]:
    from botocore.validate import ParamValidator

    if shape is None:
        return []
    report = ParamValidator().validate(value, shape).generate_report().splitlines()
    return [line for line in report if line] or list(_beyond(shape, value, place))


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
    if pattern and "\\u" not in pattern:  # those are all of "any text but control characters"
        for java, python in _JAVA.items():
            pattern = pattern.replace(java, python)
        if not re.fullmatch(pattern, value):
            yield f"{place}: {value!r} does not match {pattern}"
