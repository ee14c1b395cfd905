"""What a real shell makes of a runbook's commands, with programs that only write down how they are called."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped, unused-ignore]
from botocore import xform_name
from botocore.validate import ParamValidator

from tests.scaling.aws_model import model, problems

#: What every command answers: enough for the commands after it.
REGION = "eu-west-1"
ANSWER = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7"

#: Functions of the shell in the place of programs: each call is written down as its count of words, and the words.
_RECORDERS = """set -eu
aws() { printf '%s\\0' $(($# + 1)) aws "$@" >> calls; echo "$ANSWER"; }
date() { [ "$*" = +%s ] && echo 1790000000; }  # one process less for each of a thousand times
capacity() { printf '%s\\0' $(($# + 1)) capacity "$@" >> calls; }
"""


def blocks(page: str, language: str = "sh") -> list[str]:
    """The fenced blocks of a page, as Markdown reads them."""
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").parse(page)
    return [token.content for token in tokens if token.type == "fence" and token.info == language]


def called(scripts: list[str], folder: Path) -> list[list[str]]:
    """Every call of `aws` and `capacity` that the scripts make, in order: program and arguments, as they arrive."""
    (folder / "calls").write_text("", encoding="utf-8")
    place = {"PATH": os.environ["PATH"], "ANSWER": ANSWER}
    script = _RECORDERS + "\n".join(scripts)
    done = subprocess.run(["sh"], input=script.encode(), capture_output=True, env=place, cwd=folder, timeout=60)
    assert done.returncode == 0, done.stderr
    assert [one.name for one in folder.iterdir()] == ["calls"]
    words = iter((folder / "calls").read_text(encoding="utf-8").split("\0")[:-1])
    return [[next(words) for _ in range(int(count))] for count in words]


def faults(arguments: list[str]) -> list[str]:
    """What AWS's own model has against a call of its command line; nothing is against a good one."""
    _, service, operation, *options = arguments
    shape = _operation(service, operation)
    if shape is None:
        return [f"{service} has no {operation}"]
    members = {xform_name(name, "-"): (name, one) for name, one in shape.input_shape.members.items()}
    parameters: dict[str, Any] = {}
    for name, value in _pairs(options):
        if name == "region":
            if value != REGION:
                return [f"{value} is not where it is"]
        elif name == "query":
            jmespath.compile(value)
        elif name == "output":
            if value not in ("text", "table", "json"):
                return [f"no output is called {value}"]
        elif name not in members:
            return [f"{operation} has no --{name}"]
        else:
            member, one = members[name]
            parameters[member] = _typed(one, value)
    report = ParamValidator().validate(parameters, shape.input_shape).generate_report()
    call = {"client": service, "operation": xform_name(shape.name), "parameters": parameters}
    return [report] if report else problems(call)


def _operation(client: str, operation: str) -> Any:
    known = {xform_name(name, "-"): name for name in model(client).operation_names}
    return model(client).operation_model(known[operation]) if operation in known else None


def _pairs(options: list[str]) -> list[tuple[str, str]]:
    """`--name=value`, `--switch`, and `--name value value`."""
    found: list[tuple[str, str]] = []
    for word in options:
        if word.startswith("--"):
            name, _, value = word[2:].partition("=")
            found.append((name, value))
        else:
            name, value = found.pop()
            found.append((name, f"{value} {word}".strip()))
    return found


def _typed(shape: Any, value: str) -> Any:
    kind = shape.type_name
    if kind in ("structure", "list"):
        return json.loads(value) if value[:1] in "[{" else value.split(" ")
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("double", "float"):
        return float(value)
    if kind == "timestamp":
        assert re.fullmatch(r"1[0-9]{9}|2[0-9]{9}", value), value
        return int(value)
    if kind == "boolean":
        assert value == ""
        return True
    return value
