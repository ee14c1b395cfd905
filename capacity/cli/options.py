"""Options that several commands share, each described once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from capacity.errors import CapacityError

ConfigPath = Annotated[Path, typer.Option("--config", "-c", help="The settings of the fleet.")]
HistoryPath = Annotated[
    Path | None, typer.Option("--history", help="CSV or Parquet file, folder or store, instead of [data] history.")
]
Names = Annotated[
    list[str] | None, typer.Option("--service", "-s", metavar="NAME", help="Only this service; may be repeated.")
]
Horizon = Annotated[
    str | None, typer.Option("--horizon", metavar="DURATION", help="How far, as in 91d, instead of [goal] horizon.")
]
Named = Annotated[str | None, typer.Option("--service", help="Service of every row, if the file names none.")]
Metric = Annotated[str | None, typer.Option("--metric", help="Metric of every row, if the file names none.")]
Unit = Annotated[str | None, typer.Option("--unit", help="Unit of the values, if not the metric's own.")]
Timezone = Annotated[str | None, typer.Option("--timezone", help="IANA zone of stamps without an offset.")]
Columns = Annotated[
    list[str] | None,
    typer.Option(
        "--column",
        metavar="THEIRS=OURS",
        help="Their column = ours, or the series it is (LABEL=service:metric:stat:unit), or - to leave it out; may be "
        "repeated.",
    ),
]
IntervalSeconds = Annotated[
    int | None,
    typer.Option("--interval-seconds", min=1, help="Interval of the rows, if their stamps do not show it."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs instead of a table for people.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on standard error.")]

StorePath = Annotated[Path, typer.Option("--store", help="Folder of the history store; made if absent.")]
Region = Annotated[
    str | None, typer.Option("--region", help="AWS region; default: AWS_REGION, the profile's, else us-east-1.")
]
Profile = Annotated[str | None, typer.Option("--profile", help="Profile of ~/.aws/config with the credentials.")]
RoleArn = Annotated[str | None, typer.Option("--role-arn", help="Role to assume first.")]
ExternalId = Annotated[str | None, typer.Option("--external-id", help="External id, if the role's trust asks for one.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many calls it would take, and what they cost.")]

DEFAULT_CONFIG = Path("capacity.toml")
MODELS = "auto, seasonal-naive, harmonic, profile, last-year, ets, sarimax, prophet, boosting"


def reading(
    column: list[str] | None,
    service: str | None,
    metric: str | None,
    unit: str | None,
    timezone: str | None,
    interval_seconds: int | None,
) -> dict[str, Any]:
    """What the command line says about the file, by the names that `read` and sources know; nothing unsaid."""
    columns: dict[str, str] = {}
    for pair in column or ():
        theirs, _, ours = pair.rpartition("=")
        if not (theirs and ours):
            raise CapacityError(f"--column {pair}: write THEIRS=OURS, as in --column svc=service")
        columns[theirs] = ours
    said = {"columns": columns, "service": service, "metric": metric, "unit": unit, "timezone": timezone}
    return {key: value for key, value in {**said, "interval_seconds": interval_seconds}.items() if value}
