"""Alarms as AWS CLI commands, each safe to paste into a POSIX shell."""

from __future__ import annotations

from capacity.monitoring.alarm import Alarms
from capacity.monitoring.render.cloudwatch import boto3_calls
from capacity.monitoring.render.rendered import Rendered
from capacity.scaling.render.commands import command


def commands(alarms: Alarms) -> Rendered:
    """One command a call, in the order to run them, each in the region of its metrics. Every value is quoted."""
    made = boto3_calls(alarms)
    return Rendered({"alarms.sh": [command(call, call["region"]) for call in made.document]}, made.findings)
