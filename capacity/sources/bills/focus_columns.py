"""Which columns a FOCUS export has, which version that makes it, and how each is read in SQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from capacity.sources.problems import Problems

#: Without these there is no bill. Every version from 1.0 on has them (FinOps Open Cost and Usage Specification).
NEEDED: Final = (
    *("ChargePeriodStart", "ChargePeriodEnd", "ChargeCategory", "ServiceName", "ConsumedQuantity", "ConsumedUnit"),
    *("EffectiveCost", "BilledCost", "BillingCurrency"),
)
#: Where the kind of usage stands, best first: AWS 1.0 has `x_UsageType`, which "is now the SkuMeter column" in 1.2;
#: Azure has `x_SkuMeterName` in 1.0.
USAGE_TYPE: Final = ("x_UsageType", "SkuMeter", "x_SkuMeterName", "SkuId")
#: A column that came with each version, newest first.
_CAME_WITH: Final = {"1.3": "ServiceProviderName", "1.2": "PricingCurrency", "1.1": "SkuMeter"}
#: Columns of the drafts before 1.0, which have other names for most things.
_DRAFT: Final = {"chargetype", "amortizedcost", "chargesubcategory"}


def version_of(columns: Iterable[str]) -> str:
    """The newest version whose columns are there; "1.0" if it has none of the later ones, "" if it is no FOCUS export.

    >>> version_of([*NEEDED]), version_of([*NEEDED, "SkuMeter", "PricingCurrency"]), version_of(["lineItem/UsageType"])
    ('1.0', '1.2', '')
    """
    have = {column.lower() for column in columns}
    if not have & {name.lower() for name in NEEDED}:
        return ""
    return next((version for version, name in _CAME_WITH.items() if name.lower() in have), "1.0")


def complete(name: str, columns: Iterable[str], tag: str, problems: Problems) -> bool:
    """Whether a file has all columns; else one of the problems says which it lacks, and what kind of file it is."""
    columns = list(columns)
    have = {column.lower() for column in columns}
    lacking = [column for column in (*NEEDED, *(["Tags"] if tag else [])) if column.lower() not in have]
    if not lacking:
        return True
    version = version_of(columns)
    kind = f"FOCUS {version}" if version else "not a FOCUS export"
    kind = "a draft of FOCUS before 1.0" if have & _DRAFT else kind
    problems.add(
        f"columns are missing: {', '.join(lacking)} ({kind}; it has {len(columns)} columns)",
        name,
        "Export with all columns of FOCUS 1.0 or later: AWS Data Exports `FOCUS 1.2 with AWS columns`, Azure Cost "
        "Management `Cost and usage details (FOCUS)`.",
    )
    return False


def of_contracts(columns: Iterable[str]) -> bool:
    """Whether this is the other dataset of FOCUS 1.3, which is delivered beside the charges and has none.

    >>> of_contracts(["ContractId", "ContractCommitmentId", "ContractCommitmentCost"]), of_contracts(NEEDED)
    (True, False)
    """
    have = {column.lower() for column in columns}
    return "contractcommitmentid" in have and "chargeperiodstart" not in have


class Reading:
    """SQL for the columns of one file, whatever their types: an absent column reads as an absent value."""

    def __init__(self, types: Mapping[str, str]) -> None:
        self._types = {name.lower(): (name, kind.upper()) for name, kind in types.items()}

    def text(self, name: str) -> str:
        """Text without blanks around it; '' where there is none."""
        if name.lower() not in self._types:
            return "''"
        return f"coalesce(trim(CAST({self._named(name)} AS VARCHAR)), '')"

    def number(self, name: str) -> str:
        """An exact decimal: sums do not depend on the order of rows. NULL where there is none, or no number."""
        return f"TRY_CAST(nullif({self.text(name)}, '') AS DECIMAL(38, 18))"

    def stamp(self, name: str) -> str:
        """UTC, without a zone; NULL where it cannot be read. The session's time zone has to be UTC."""
        return f"(TRY_CAST(nullif({self.text(name)}, '') AS TIMESTAMPTZ) AT TIME ZONE 'UTC')"

    def first(self, names: Iterable[str]) -> str:
        """The first of some columns that says something."""
        return f"coalesce({', '.join(f'nullif({self.text(name)}, {EMPTY})' for name in names)}, '')"

    def tag(self, key: str) -> str:
        """The value of a tag; '' where there is none. Tags are a map, or JSON, also without its braces (Azure)."""
        if not key or "tags" not in self._types:
            return "''"
        spelt = (key, f"user:{key}", f"user_{key.lower()}")
        name, kind = self._types["tags"]
        if kind.startswith("MAP"):
            values = [f"CAST({quoted(name)}[{literal(each)}] AS VARCHAR)" for each in spelt]
        else:
            values = [f"json_extract_string({self.tags_json()}, {literal(_pointer(each))})" for each in spelt]
        return f"coalesce({', '.join(f'nullif(trim({value}), {EMPTY})' for value in values)}, '')"

    def tags_json(self) -> str:
        """Tags as JSON; NULL where they are none."""
        text = self.text("Tags")
        braced = f"'{{' || {text} || '}}'"
        return f"CASE WHEN json_valid({text}) THEN {text} WHEN json_valid({braced}) THEN {braced} END"

    def tags_unreadable(self) -> str:
        """Whether there are tags, and they cannot be read."""
        if "tags" not in self._types or self._types["tags"][1].startswith("MAP"):
            return "false"
        return f"({self.text('Tags')} <> '' AND {self.tags_json()} IS NULL)"

    def _named(self, name: str) -> str:
        return quoted(self._types[name.lower()][0])


EMPTY: Final = "''"


def quoted(name: str) -> str:
    """A name of a column in SQL."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """Text in SQL.

    >>> literal("o'clock")
    "'o''clock'"
    """
    return "'" + text.replace("'", "''") + "'"


def _pointer(key: str) -> str:
    """A JSON pointer to a key (RFC 6901), for a tag may hold dots, dollars and slashes."""
    return "/" + key.replace("~", "~0").replace("/", "~1")
