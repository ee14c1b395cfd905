"""What every table of `capacity.toml` has in common: frozen, no unknown keys, and errors that are ours."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from capacity.errors import ConfigError, Problem

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(gt=0, lt=1)]


class Settings(BaseModel):
    """Base of every table: frozen, no unknown keys, and errors that are ours."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        """Errors are ours, and a ValueError too, so that pydantic collects them when this table is part of another."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            name = f" {values['name']!r}" if values.get("name") else ""
            problems = problems_of(error)
            raise ConfigError(
                f"{type(self).__name__}{name} cannot be used:", problems, _advice(type(self), problems)
            ) from error


def problems_of(error: ValidationError) -> list[Problem]:
    """Each complaint of pydantic as a Problem; those of a table inside this one keep their own place.

    A constraint between fields (minimum above maximum) has no place of its own: its message names the fields.
    """
    problems = []
    for item in error.errors():
        place = " ".join(str(part) for part in item["loc"])
        inner = item.get("ctx", {}).get("error")
        if isinstance(inner, ConfigError):
            problems += [Problem(p.message, where=f"{place} {p.where}".strip()) for p in inner.problems]
            continue
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key"
        elif item["type"] == "missing":
            message = "is required"
        elif item["type"] != "value_error":
            message = f"{message}, got {item['input']!r}"
        problems.append(Problem(message, where=place))
    return problems


def _advice(model: type[BaseModel], problems: list[Problem]) -> str:
    if not any(problem.message == "unknown key" for problem in problems):
        return ""
    return f"Known keys of {model.__name__}: {', '.join(name for name in model.model_fields if name != 'path')}."
