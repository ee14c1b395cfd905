"""Alarms as plain data, for programs: every field, and each condition with the name of its kind."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from math import isfinite
from typing import Any

from capacity.monitoring.alarm import Alarms
from capacity.monitoring.render.rendered import Rendered
from capacity.monitoring.render.wording import runbook_link, sentence


def plain(alarms: Alarms) -> Rendered:
    """One mapping an alarm, the refused ones with them; what is not known is None."""
    made = [
        {**_plain(alarm), "when": sentence(alarm.condition), "runbook": runbook_link(alarm, alarms)}
        for alarm in alarms.alarms
    ]
    return Rendered({"alarms.json": made})


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        named = {field.name: _plain(getattr(value, field.name)) for field in fields(value)}
        module = type(value).__module__
        return {"kind": type(value).__name__, **_renamed(named)} if module.endswith(".conditions") else named
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float):
        return value if isfinite(value) else None
    return value.isoformat() if hasattr(value, "isoformat") else value


def _renamed(named: dict[str, Any]) -> dict[str, Any]:
    """`kind` of a burn rate says what it is a rate of."""
    return {("of_what" if name == "kind" else name): value for name, value in named.items()}
