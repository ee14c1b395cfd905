"""Our nouns as plain data, and back: what a stored plan's JSON holds. Numbers come back to the last bit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any, Final, TypeVar

import numpy as np
import pandas as pd

from capacity.config import Config, Service, Settings
from capacity.errors import InputError
from capacity.findings import Finding
from capacity.forecasting.knowledge.overrides import Override
from capacity.planning.plans import Decision
from capacity.scaling.policy import (
    Policy,
    PredictiveScaling,
    ScheduledAction,
    ServicePolicy,
    Step,
    StepScaling,
    TargetTracking,
)

#: Tables of capacity.toml that a plan follows from. How history is read, and where results go, is not kept: paths,
#: URLs and names of secrets have no place in a file that is passed on.
KEPT: Final = ("goal", "prices", "account", "forecast", "event", "budget", "service")

Noun = TypeVar("Noun", Decision, Finding, Override, ScheduledAction, TargetTracking, PredictiveScaling, Step)

#: Fields that hold a moment, of any noun.
_MOMENTS: Final = frozenset({"before", "start", "end"})


def plain(value: Any) -> Any:
    """A noun, or what it holds, as JSON has it: moments as ISO 8601, what is not known as None.

    >>> plain({"a": (np.int64(3), float("nan")), "b": pd.Timestamp("2026-11-27T00:00Z")})
    {'a': [3, None], 'b': '2026-11-27T00:00:00+00:00'}
    """
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(name): plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(part) for part in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, pd.Timestamp):
        return None if value is pd.NaT else value.isoformat()
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not np.isfinite(value) else value


def noun(kind: type[Noun], said: Mapping[str, Any]) -> Noun:
    """A noun from its plain data. What a later version says beside it is left out, what it does not say is as always.

    >>> said = plain(Decision("watch", "web", "Watch `web`.", "It grows.", 0.2, pd.Timestamp("2027-01-14T00:00Z")))
    >>> noun(Decision, {**said, "colour": "red"}).before
    Timestamp('2027-01-14 00:00:00+0000', tz='UTC')
    """
    known = {one.name for one in fields(kind)}
    return kind(**{name: _moment(name, value) for name, value in said.items() if name in known})


def _moment(name: str, value: Any) -> Any:
    return pd.Timestamp(value) if name in _MOMENTS and isinstance(value, str) else value


def settings(config: Config) -> dict[str, Any]:
    """The tables in `KEPT` with every key, as they were in force: defaults of a later version do not creep in."""
    return dict(config.model_dump(mode="json", include=set(KEPT)))


def stated(config: Config) -> dict[str, Any]:
    """Of these, what people wrote: a promise that is only a default is kept at less expense (`kept_share`)."""
    return dict(config.model_dump(mode="json", include=set(KEPT), exclude_unset=True))


def config_of(said: Mapping[str, Any], written: Mapping[str, Any]) -> Config:
    """Settings from what `settings` and `stated` gave, checked as a capacity.toml is.

    >>> ours = Config(service=(Service(name="web", zones=3),))
    >>> again = config_of(settings(ours), stated(ours))
    >>> again == ours, sorted(again.service[0].model_fields_set)
    (True, ['name', 'zones'])
    """
    return _as_stated(Config(**said), written)


def _as_stated(value: Any, written: Any) -> Any:
    """The same settings, knowing which of them were written."""
    if isinstance(value, tuple) and isinstance(written, list):
        return tuple(_as_stated(one, other) for one, other in zip(value, written, strict=True))
    if not isinstance(value, Settings):
        return value
    parts = {name: _as_stated(getattr(value, name), written.get(name, {})) for name in type(value).model_fields}
    return type(value).model_construct(_fields_set=set(written), **parts)


def policies(policy: Policy | None, services: Mapping[str, Service]) -> dict[str, Any]:
    """Each service's policy as plain data, its rehearsal column by column.

    services  by name; a policy of another one, or of one that is set otherwise, is not of this plan: InputError
    """
    strangers = [one.service.name for one in policy or () if services.get(one.service.name) != one.service]
    if strangers:
        raise InputError(
            f"the policy is of services that this plan does not have: {', '.join(map(repr, strangers[:5]))}",
            advice="Make it from the plan: recommend_policy(plan).",
        )
    return {one.service.name: _policy(one) for one in policy or ()}


def _policy(one: ServicePolicy) -> dict[str, Any]:
    said = {name.name: getattr(one, name.name) for name in fields(one) if name.name not in ("service", "rehearsal")}
    table = one.rehearsal
    rehearsal = None
    if table is not None:
        rehearsal = [{"name": n, "type": str(table[n].dtype), "values": table[n].tolist()} for n in table]
    return dict(plain({**said, "rehearsal": rehearsal}))


def policy_of(said: Mapping[str, Any], services: Mapping[str, Service]) -> Policy:
    """The policy again from its plain data, its services in the order of `services`."""
    return Policy(tuple(_service_policy(said[name], one) for name, one in services.items() if name in said))


def _service_policy(said: Mapping[str, Any], service: Service) -> ServicePolicy:
    steps, predictive, rehearsal = said["steps"], said["predictive"], said["rehearsal"]
    return ServicePolicy(
        service=service,
        min_tasks=said["min_tasks"],
        max_tasks=said["max_tasks"],
        tracking=noun(TargetTracking, said["tracking"]),
        schedule=tuple(noun(ScheduledAction, one) for one in said["schedule"]),
        steps=None
        if steps is None
        else StepScaling(**{**steps, "steps": tuple(noun(Step, s) for s in steps["steps"])}),
        predictive=None if predictive is None else noun(PredictiveScaling, predictive),
        reasons=tuple(said["reasons"]),
        rehearsal=None if rehearsal is None else _frame(rehearsal),
        per_task=said["per_task"],
    )


def _frame(said: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame({column["name"]: pd.Series(column["values"], dtype=column["type"]) for column in said})


def written(value: Any) -> bytes:
    """Plain data as JSON text: the same data, the same bytes; names in order, one a line where people would look.

    >>> written({"b": 1, "a": [0.1]})
    b'{"a":[0.1],"b":1}\\n'
    """
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return f"{text}\n".encode()
