"""FOCUS exports (AWS, Azure and others alike) -> the same bill that Cost Explorer gives. The second road, free."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path
from typing import Any, Final

import pandas as pd

from capacity.errors import InputError
from capacity.findings import Findings
from capacity.sources.base import Observations, Span
from capacity.sources.bills import focus_query
from capacity.sources.bills.bill import Bill
from capacity.sources.bills.cost_requests import steps
from capacity.sources.bills.focus_columns import Reading, complete, of_contracts
from capacity.sources.bills.focus_query import Rows
from capacity.sources.bills.focus_words import Told
from capacity.sources.bills.metrics import observations
from capacity.sources.bills.usage_types import usage_of
from capacity.sources.problems import Problems

NAME: Final = "focus"
#: ServiceName of tasks and their like: Amazon ECS with Fargate, by its name in a bill or its code, and Azure Container
#: Apps. Kubernetes is another room: its nodes are billed as virtual machines.
SERVICES: Final = ("Amazon Elastic Container Service", "AmazonECS", "Azure Container Apps")
_ENDINGS: Final = (".csv", ".csv.gz", ".parquet")
_BESIDE: Final = "Name the dataset of cost and usage that was delivered beside it."
#: Folder of a month in Azure's storage: its first and last day.
_AZURE_MONTH: Final = re.compile(r"\d{8}-\d{8}")


@dataclass(frozen=True)
class Focus:
    """Charges of a FOCUS export, 1.0 to 1.3: CSV, gzipped CSV or Parquet, a file, several, or a folder of them.

    path         with folders searched all the way down
    tag          key of the tag that names the service; empty: all of it as service `(account)`
    services     values of ServiceName to keep, whatever their case; empty: all. What is left out is counted
    granularity  DAILY adds hours up to days; HOURLY leaves both as they are

    Quantity is ConsumedQuantity (AWS: what was charged for, so a minimum charge counts as used), amount is
    EffectiveCost, billed is BilledCost. Charges of more than a day (a month's tax, a plan's fee) belong to no interval
    of a bill: they are left out, with a finding that says how many and how much. The last day is marked `estimated`
    when the export ends before it does.
    """

    path: Path | str | tuple[Path | str, ...]
    tag: str = ""
    services: tuple[str, ...] = SERVICES
    granularity: str = "DAILY"

    def __post_init__(self) -> None:
        steps(self.granularity)  # refuses what is neither

    @property
    def name(self) -> str:
        return NAME

    def read(self, span: Span | None = None) -> Observations:
        """The bill as observations."""
        return observations(self.bill(span))

    def bill(self, span: Span | None = None) -> Bill:
        """The bill of the intervals that begin inside a span; default: of all there are.

        Raises InputError, with everything that is wrong, for files that are no FOCUS export or cannot be read.
        """
        import duckdb

        files, problems, told = _files(self.path), Problems(), Told(bool(self.services))
        parts = []
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            connection.execute("SET preserve_insertion_order = false")  # nothing is kept for the sake of order
            for name, path in files.items():
                try:
                    columns = focus_query.columns_of(connection, path)
                    if of_contracts(columns):
                        told.contracts.append(name)
                    elif complete(name, columns, self.tag, problems):
                        rows = Rows(Reading(columns), self.services, self.tag, self.granularity, span)
                        parts.append(self._part(connection, name, path, rows, told, problems))
                except duckdb.Error as error:
                    problems.add(f"cannot be read: {str(error).splitlines()[0]}", name)
        if not (parts or len(problems)):
            problems.add("contract commitments only, and no charges", told.contracts[0], _BESIDE)
        problems.raise_any("these FOCUS exports cannot be used:")
        frame = _ours(pd.concat(parts, ignore_index=True))
        frame["estimated"] = frame["timestamp"] + pd.to_timedelta(frame["interval"], unit="s") > told.whole_until
        bill = Bill.of(frame, NAME)
        return Bill(bill.frame, NAME, Findings.of(told.findings(bill.frame, self.tag)))

    def _part(self, connection: Any, name: str, path: Path, rows: Rows, told: Told, problems: Problems) -> pd.DataFrame:
        """The charges of one file; what is wrong in it goes to the problems."""
        facts = focus_query.facts(connection, path, rows)
        for column, kind in focus_query.CHECKED.items():
            if count := facts[f"count {column}"]:
                more = f" (and {count - 1:,} more)" if count > 1 else ""
                problems.add(f"{column} {facts[column]!r} is not {kind}{more}", name)
        told.add(facts)
        return focus_query.charges(connection, path, rows)


def _ours(frame: pd.DataFrame) -> pd.DataFrame:
    """Units and usage types in our words, where they are known.

    Where the export says nothing of how a usage was bought, or the standard price, its usage type says: `SpotUsage-...`
    is Spot, and the metering of tasks on instances is not bought at all.
    """
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], utc=True)
    frame.loc[frame["quantity"].notna() & (frame["unit"] == ""), "unit"] = "N/A"
    kinds = frame.loc[frame["quantity"].notna(), ["usage_type", "unit"]].drop_duplicates()
    usages = [(*pair, usage_of(*pair)) for pair in kinds.itertuples(index=False, name=None)]
    known = [(usage_type, unit, *usage) for usage_type, unit, usage in usages if usage is not None]
    columns = ["usage_type", "unit", "resource", "architecture", "named", "ours", "hours"]
    frame = frame.merge(
        pd.DataFrame(known, columns=columns).astype({"hours": "float64"}), "left", ["usage_type", "unit"]
    )
    is_known = frame["hours"].notna()
    frame["unit"] = frame["ours"].where(is_known, frame["unit"])
    frame["quantity"] *= frame["hours"].fillna(1.0)
    open_ = is_known & frame["purchase"].isin(("", "on-demand"))
    frame["purchase"] = frame["named"].where(open_, frame["purchase"])
    return frame


def _files(path: Path | str | tuple[Path | str, ...]) -> dict[str, Path]:
    """Files by the name they are called in messages, in order."""
    given = [Path(each) for each in (path if isinstance(path, tuple) else (path,))]
    found: dict[str, Path] = {}
    for each in given:
        if each.is_dir():
            inside = sorted(file for file in each.rglob("*") if file.is_file() and file.name.endswith(_ENDINGS))
            found |= {str(file.relative_to(each)): file for file in inside}
        elif each.is_file():
            found[each.name] = each
        else:
            raise InputError(f"{each}: there is no such file or folder")
    if not found:
        raise InputError(
            f"{', '.join(map(str, given))}: no file ends in {', '.join(_ENDINGS)}",
            advice="Name a FOCUS export, or the folder it was delivered to.",
        )
    _refuse_two_deliveries(found)
    return found


def _refuse_two_deliveries(files: dict[str, Path]) -> None:
    """Each delivery of a month holds all of it so far: two of them, or a file and its copy, would count twice.

    AWS puts deliveries into folders below BILLING_PERIOD=2026-10, Azure into folders below 20261001-20261031 or, when
    it does not partition, into files there; unless they overwrite.
    """
    deliveries: dict[str, set[Path]] = {}
    for path in files.values():
        for above in path.parents:
            azure = _AZURE_MONTH.fullmatch(above.name) is not None
            if above != path.parent and (azure or above.name.startswith("BILLING_PERIOD=")):
                deliveries.setdefault(str(above), set()).add(path.parent)
            elif azure and not path.name.startswith("part"):
                deliveries.setdefault(str(above), set()).add(path)
    for month, each in sorted(deliveries.items()):
        if len(each) > 1:
            names = ", ".join(sorted(delivery.name for delivery in each))
            raise InputError(
                f"{month} holds {len(each)} deliveries of one month: {names}. Together they would count twice.",
                advice="Name the latest one, or let the export overwrite the earlier ones.",
            )
    seen: dict[tuple[int, str], str] = {}
    sizes = Counter(path.stat().st_size for path in files.values())
    for name, path in files.items():
        size = path.stat().st_size
        if sizes[size] > 1 and (first := seen.setdefault((size, _digest(path)), name)) != name:
            raise InputError(
                f"{name} is a copy of {first}: together they would count twice", advice="Keep one of them."
            )


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
