"""The formula of a signal, computed on arrays: what a monitor computes in its own language, here in numpy."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

import numpy as np

from capacity.monitoring.signals import BLANK

Value = np.ndarray | float

_OPERATORS: Final[dict[type[ast.operator], Callable[[Value, Value], Value]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: lambda above, below: np.divide(above, below),  # zero below is NaN or infinite, no ZeroDivisionError
}


def computed(formula: str, inputs: Mapping[str, Value]) -> np.ndarray | None:
    """The value, NaN where a part of it is, or where it is divided by zero; None where an input is not there at all.

    >>> computed("{errors} / {requests}", {"errors": np.array([1.0, 0.0]), "requests": np.array([50.0, 0.0])}).tolist()
    [0.02, nan]
    >>> computed("{errors} / {requests}", {"errors": np.array([1.0])}) is None
    True
    """
    if any(name not in inputs for name in BLANK.findall(formula)):
        return None
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.asarray(_value(_parsed(formula), inputs), dtype=float)
    return np.where(np.isfinite(value), value, np.nan)


@lru_cache(maxsize=64)
def _parsed(formula: str) -> ast.expr:
    return ast.parse(BLANK.sub(r"\1", formula), mode="eval").body


def _value(node: ast.expr, inputs: Mapping[str, Value]) -> Value:
    if isinstance(node, ast.BinOp):
        return _OPERATORS[type(node.op)](_value(node.left, inputs), _value(node.right, inputs))
    if isinstance(node, ast.Name):
        return inputs[node.id]
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        return float(node.value)
    raise ValueError(f"a formula has names, numbers and + - * /, not {ast.dump(node)}")
