"""Imported by a fork server, so that its children need not read botocore's models anew, which takes half a second."""

from __future__ import annotations

from capacity.sources.aws import Door

Door("us-east-1").client("cloudwatch")
