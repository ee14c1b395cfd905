"""Alarms as a document someone reviews, for every monitor; what a monitor cannot say is a finding, never dropped.

rendered            document and findings; `CannotSay`, which a renderer raises for a condition
wording             a condition in words; the description that whoever is woken reads first
burning, profile    the windows of a burn rate, a week of hours: what several monitors are told alike
cloudwatch          calls to CloudWatch (with cloudwatch_metrics and cloudwatch_parts), from which are made
                    cloudformation, terraform, commands
promql, prometheus  rules of Prometheus (with promql_text), and prometheus_tests of prometheus_cases for them
azure               an ARM template
fitting             several templates, where one does not hold it all
table, plain        for people, for programs
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from capacity.errors import InputError
from capacity.history.disk import replace_whole
from capacity.monitoring.alarm import Alarms
from capacity.monitoring.render.azure import azure
from capacity.monitoring.render.cloudformation import cloudformation
from capacity.monitoring.render.cloudwatch import boto3_calls
from capacity.monitoring.render.commands import commands
from capacity.monitoring.render.plain import plain
from capacity.monitoring.render.prometheus import prometheus
from capacity.monitoring.render.prometheus_tests import prometheus_tests
from capacity.monitoring.render.rendered import CannotSay, Rendered
from capacity.monitoring.render.table import table
from capacity.monitoring.render.terraform import terraform

__all__ = ["KINDS", "CannotSay", "Rendered", "render", "rendered", "renderer", "save", "text_of"]

KINDS: Final[dict[str, Callable[[Alarms], Rendered]]] = {
    "azure": azure,
    "boto3": boto3_calls,
    "cli": commands,
    "cloudformation": cloudformation,
    "cloudwatch": boto3_calls,
    "json": plain,
    "prometheus": prometheus,
    "prometheus-tests": prometheus_tests,
    "table": table,
    "terraform": terraform,
}


def renderer(kind: str) -> Callable[[Alarms], Rendered]:
    """What makes this kind of document. Raises InputError, naming the kinds there are."""
    if kind not in KINDS:
        raise InputError(f"no rendering is called {kind!r}", advice=f"There are: {', '.join(KINDS)}.")
    return KINDS[kind]


def rendered(alarms: Alarms, kind: str, service: str | None = None) -> Rendered:
    """The document of the alarms to use (of one service), with findings: what it leaves out or says otherwise."""
    make = renderer(kind)
    if service is not None:
        alarms = replace(alarms, alarms=tuple(one for one in alarms.alarms if one.service == service))
        if not alarms.alarms:
            raise InputError(f"no alarm is of a service {service!r}")
    return make(alarms)


def render(alarms: Alarms, kind: str, service: str | None = None) -> Any:
    """The document alone: text, or for "boto3" and "json" plain data. Raises InputError where it takes several files,
    which `save` writes."""
    return rendered(alarms, kind, service).document


def save(made: Rendered, folder: Path) -> list[Path]:
    """Write every file of a rendering into a folder, which is made if absent. Each file is whole or as it was."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, document in made.files.items():
        replace_whole(folder / name, text_of(name, document).encode("utf-8", "replace"))
    return [folder / name for name in made.files]


def text_of(name: str, document: Any) -> str:
    """A document as the file of that name holds it: text as it is, commands a line each, data as JSON.

    >>> text_of("alarms.sh", ["aws cloudwatch ...", "aws ..."]), text_of("alarms.json", [])
    ('aws cloudwatch ...\\naws ...\\n', '[]\\n')
    """
    if isinstance(document, str):
        return document
    if name.endswith(".sh"):
        return "".join(f"{line}\n" for line in document)
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
