"""Commands of a runbook, as values: each is checked against AWS's own model, and safe to paste into a POSIX shell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from capacity.scaling.render.commands import words

#: A command longer than this is laid out with an option a line.
LONG: Final = 110


@dataclass(frozen=True)
class Aws:
    """One call of the AWS CLI.

    parameters  as boto3 takes them; a False is left out, and True is a switch
    worked_out  option -> what the shell works out, inside double quotes: a time, or the answer of a command before
    query       JMESPath of what to show of the answer
    keep        name of a shell variable that keeps the answer; else it is shown as a table
    kept_as     text, or json for a list: a shell may or may not cut a variable into words (zsh does not)
    unless      (condition of the shell, words): where it holds, these words are shown instead
    """

    client: str
    operation: str
    region: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    worked_out: Mapping[str, str] = field(default_factory=dict)
    query: str = ""
    keep: str = ""
    kept_as: Literal["text", "json"] = "text"
    unless: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        """As it is pasted.

        >>> print(Aws("ecs", "list_clusters", "eu-west-1", query="clusterArns", keep="FOUND").text)
        FOUND=$(aws ecs list-clusters --region=eu-west-1 --query=clusterArns --output=text)
        """
        plain = {name: value for name, value in self.parameters.items() if not isinstance(value, bool)}
        switches = {name: True for name, value in self.parameters.items() if value is True}
        said = words({"client": self.client, "operation": self.operation, "parameters": plain}, self.region)
        said += [word.partition("=")[0] for word in words(_as_call(switches), "")[4:]]
        said += [f'--{option}="{value}"' for option, value in self.worked_out.items()]
        shown = {"query": self.query} if self.query else {}
        said += words(_as_call(shown), "")[4:]
        said += [f"--output={self.kept_as if self.keep else 'table'}"] if self.keep or self.query else []
        line = " ".join(said)
        if len(line) > LONG:
            line = " \\\n    ".join([" ".join(said[:4]), *said[4:]])
        if self.unless is not None:
            line = f'[ {self.unless[0]} ] && echo "{self.unless[1]}" || {line}'
        return f"{self.keep}=$({line})" if self.keep else line


def _as_call(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {"client": "", "operation": "", "parameters": parameters}


@dataclass(frozen=True)
class Shell:
    """Any other command, quoted by whoever made it."""

    text: str


@dataclass(frozen=True)
class PromQL:
    """A question to Prometheus."""

    text: str


Command = Aws | Shell | PromQL


def ago(minutes: int) -> str:
    """A moment that the shell works out, as seconds since 1970: `date -d` is not the same everywhere.

    >>> ago(60)
    '$(($(date +%s) - 3600))'
    """
    return f"$(($(date +%s) - {minutes * 60}))"


#: Now, in the same way.
NOW: Final = "$(date +%s)"
