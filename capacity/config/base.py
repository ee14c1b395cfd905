"""What every table of `capacity.toml` has in common: frozen, no unknown keys, and errors that are ours."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from capacity.errors import ConfigError, Problem

Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]
Share = Annotated[float, Field(gt=0, le=1)]
Probability = Annotated[float, Field(gt=0, lt=1)]

#: Places whose values are not repeated in errors: someone may have written the secret itself.
_SECRET: Final = re.compile(r"header|token|secret|passw|auth|key|credential|url")


class Settings(BaseModel):
    """Base of every table: frozen, no unknown keys, and errors that are ours."""

    # What was given may be a secret that stands in the wrong place: no traceback repeats it.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    def __init__(self, **values: Any) -> None:
        """Errors are ours, and a ValueError too, so that pydantic collects them when this table is part of another."""
        try:
            super().__init__(**values)
        except ValidationError as error:
            name = f" {values['name']!r}" if values.get("name") else ""
            problems = problems_of(error)
            raise ConfigError(
                f"{type(self).__name__}{name} cannot be used:", problems, _advice(type(self), error)
            ) from error

    def _repr_html_(self) -> str:
        """A row a key that is stated: tables by their names, and nothing of what may be secret."""
        import pandas as pd

        from capacity.display import table_html

        stated = [key for key in type(self).model_fields if key in self.model_fields_set]
        values = ["(not shown)" if _SECRET.search(key) else _told(getattr(self, key)) for key in stated]
        named = f" {getattr(self, 'name', '')}".rstrip()
        frame = pd.DataFrame({"key": stated, "stated": values})
        return table_html(f"{type(self).__name__}{named}", frame, rows=len(frame))


def _told(value: object) -> str:
    """A value as a table shows it: of other tables the name, where they have one.

    >>> _told(("a", "b")), _told(60.0)
    ('a, b', '60.0')
    """
    if isinstance(value, tuple | list):
        return ", ".join(map(_told, value))
    if isinstance(value, Settings):
        name = getattr(value, "name", "")
        return name if isinstance(name, str) and name else type(value).__name__
    return str(value)


def problems_of(error: ValidationError) -> list[Problem]:
    """Each complaint of pydantic as a Problem; those of a table inside this one keep their own place.

    A constraint between fields (minimum above maximum) has no place of its own: its message names the fields.
    """
    problems = []
    for item in error.errors():
        place = " ".join(f"#{part + 1}" if isinstance(part, int) else part for part in item["loc"])
        inner = item.get("ctx", {}).get("error")
        if isinstance(inner, ConfigError):
            problems += [Problem(p.message, where=f"{place} {p.where}".strip()) for p in inner.problems]
            continue
        message = item["msg"].removeprefix("Value error, ")
        if item["type"] == "extra_forbidden":
            message = "unknown key"
        elif item["type"] == "missing":
            message = "is required"
        elif item["type"] != "value_error" and not _SECRET.search(place):
            message = f"{message}, got {item['input']!r}"
        problems.append(Problem(message, where=place))
    return problems


def _advice(model: type[BaseModel], error: ValidationError) -> str:
    """The keys there are, of each table that was given another one."""
    told = []
    for item in error.errors():
        inner = item.get("ctx", {}).get("error")
        if isinstance(inner, ConfigError):
            told.append(inner.advice)
        elif item["type"] == "extra_forbidden":
            told.append(f"Known keys of {model.__name__}: {', '.join(_keys(model))}.")
    return "\n".join(dict.fromkeys(advice for advice in told if advice))


def _keys(model: type[BaseModel]) -> list[str]:
    """The keys of a table that stand in a file."""
    return [name for name, field in model.model_fields.items() if not field.exclude]
