"""The referee: botocore's own model, with the constraints its validator skips (reference aws.md 8.7)."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import botocore.session
from botocore.validate import ParamValidator


@cache
def model(client: str) -> Any:
    return botocore.session.get_session().get_service_model(client)


def problems(call: dict[str, Any]) -> list[str]:
    """What is wrong with a rendered call: types, required and unknown keys, enums, maxima, patterns."""
    operation = "".join(word.capitalize() for word in call["operation"].split("_"))
    shape = model(call["client"]).operation_model(operation).input_shape
    report = ParamValidator().validate(call["parameters"], shape).generate_report()
    found = [line for line in report.splitlines() if line]
    if not found:
        walk(shape, call["parameters"], operation, found)
    return found


def walk(shape: Any, value: Any, path: str, found: list[str]) -> None:
    kind, limits = shape.type_name, shape.metadata
    if kind == "structure":
        for key, child in value.items():
            walk(shape.members[key], child, f"{path}.{key}", found)
    elif kind == "list":
        if "max" in limits and len(value) > limits["max"]:
            found.append(f"{path}: {len(value)} items, at most {limits['max']}")
        for index, child in enumerate(value):
            walk(shape.member, child, f"{path}[{index}]", found)
    elif kind == "string":
        enum = getattr(shape, "enum", None) or limits.get("enum")
        if enum and value not in enum:
            found.append(f"{path}: {value!r} is not one of {sorted(enum)}")
        if "max" in limits and len(value) > limits["max"]:
            found.append(f"{path}: {len(value)} characters, at most {limits['max']}")
        pattern = limits.get("pattern")
        if pattern and not re.fullmatch(python_pattern(pattern), value):
            found.append(f"{path}: {value!r} does not match {pattern}")
    elif kind in ("integer", "long", "double", "float") and "max" in limits and value > limits["max"]:
        found.append(f"{path}: {value} is above {limits['max']}")


def python_pattern(pattern: str) -> str:
    """Java's character classes in Python's words."""
    pattern = pattern.replace("(?i)", "")  # Java takes it in the middle of a pattern
    return pattern.replace(r"\p{Print}", r"[ -~]").replace(r"\uD800\uDC00-\uDBFF\uDFFF", "\U00010000-\U0010ffff")
