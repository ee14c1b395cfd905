"""FOCUS exports: every number of a small one checked by hand, and larger ones against sums made another way."""

from __future__ import annotations

import gzip
import subprocess
import sys
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest

from capacity.errors import ConfigError, InputError
from capacity.sources import Source, Span
from capacity.sources.bills.bill import faults
from capacity.sources.bills.cost_explorer import CostExplorer
from capacity.sources.bills.focus import Focus
from tests.commands import called
from tests.sources.bills import truth
from tests.sources.bills.test_cost_explorer import DAY, LEDGER, NOW, WEEK, day, values
from tests.sources.bills.truth import FOCUS, MEMORY, VCPU, focus_rows, serving, write_focus


def row(**cells: str) -> dict[str, str]:
    usual = {
        "ChargePeriodStart": "2026-10-05T00:00:00Z",
        "ChargePeriodEnd": "2026-10-05T01:00:00Z",
        "ChargeCategory": "Usage",
        "ServiceName": "Amazon Elastic Container Service",
        "SkuMeter": VCPU,
        "ConsumedQuantity": "12",
        "ConsumedUnit": "Hours",
        "EffectiveCost": "0.6",
        "BilledCost": "0.6",
        "BillingCurrency": "USD",
        "PricingCategory": "Standard",
        "RegionId": "eu-central-1",
        "SubAccountId": "111122223333",
        "Tags": '{"Service":"web"}',
    }
    return usual | cells


#: Ends the export at midnight, so that the day before is whole.
END = row(ChargePeriodStart="2026-10-05T23:00:00Z", ChargePeriodEnd="2026-10-06T00:00:00Z", ServiceName="AmazonEC2")
COMMITTED = {"CommitmentDiscountStatus": "Used", "PricingCategory": "Committed", "BilledCost": "0"}
BY_HAND = [
    row(),
    row(ChargePeriodStart="2026-10-05T07:00:00Z", ChargePeriodEnd="2026-10-05T08:00:00Z"),
    row(ChargeClass="Correction", ConsumedQuantity="-2", EffectiveCost="-0.1", BilledCost="-0.1"),
    row(ConsumedQuantity="48", EffectiveCost="1.5", **COMMITTED),
    row(
        ConsumedQuantity="", ConsumedUnit="", EffectiveCost="0.25", **COMMITTED | {"CommitmentDiscountStatus": "Unused"}
    ),
    row(ChargeCategory="Credit", ConsumedQuantity="", ConsumedUnit="", EffectiveCost="-0.2", BilledCost="-0.2"),
    row(SkuMeter="EUC1-SpotUsage-Fargate-GB-Hours", ConsumedQuantity="240", PricingCategory="Dynamic", Tags="{}"),
    row(
        ChargeCategory="Tax",
        SkuMeter="",
        ConsumedQuantity="",
        EffectiveCost="9",
        BilledCost="9",
        ChargePeriodStart="2026-10-01T00:00:00Z",
        ChargePeriodEnd="2026-11-01T00:00:00Z",
    ),
    END,
]


def test_a_small_export_by_hand(tmp_path: Path) -> None:
    bill = Focus(write_focus(tmp_path / "october.csv", BY_HAND), "Service").bill()
    columns = ["service", "usage_type", "purchase", "quantity", "unit", "amount", "billed", "estimated"]
    rows = bill.frame[columns].astype("object").where(bill.frame[columns].notna(), None)
    assert rows.values.tolist() == [
        ["(untagged)", "EUC1-SpotUsage-Fargate-GB-Hours", "spot", 240.0, "GB-hours", 0.6, 0.6, False],
        ["web", VCPU, "", None, "", -0.2, -0.2, False],
        ["web", VCPU, "committed", 48.0, "vCPU-hours", 1.75, 0.0, False],
        ["web", VCPU, "on-demand", 22.0, "vCPU-hours", 1.1, 1.1, False],
    ]
    assert set(bill.frame["timestamp"]) == {DAY} and set(bill.frame["interval"]) == {86400}
    assert set(bill.frame["account"]) == {"111122223333"} and set(bill.frame["region"]) == {"eu-central-1"}
    assert {finding.check for finding in bill.findings} == {"other services", "charge periods", "untagged"}
    assert "9.00 in all" in str(next(finding for finding in bill.findings if finding.check == "charge periods"))


def test_the_same_export_as_observations(tmp_path: Path) -> None:
    found = values(Focus(write_focus(tmp_path / "october.csv", BY_HAND), "Service").read().frame)
    assert found == pytest.approx(
        {
            ("web", "billed_vcpu", "10-05 00"): (22 + 48) / 24,
            ("web", "billed_vcpu_covered", "10-05 00"): 2.0,
            ("web", "cost", "10-05 00"): (1.1 + 1.75 - 0.2) / 24,
            ("(untagged)", "billed_memory", "10-05 00"): 10.0,
            ("(untagged)", "billed_memory_spot", "10-05 00"): 10.0,
            ("(untagged)", "cost", "10-05 00"): 0.6 / 24,
        },
        rel=1e-12,
    )


def _parquet(path: Path, tags: str) -> Path:
    """The export as AWS delivers it: numbers and stamps with types, tags as a map."""
    write_focus(path.with_suffix(".csv"), BY_HAND)
    typed = ", ".join(
        f"CAST(nullif({name}, '') AS {kind}) AS {name}"
        for name, kind in {
            "ChargePeriodStart": "TIMESTAMP_MS",
            "ChargePeriodEnd": "TIMESTAMP_MS",
            "ConsumedQuantity": "DOUBLE",
            "EffectiveCost": "DOUBLE",
            "BilledCost": "DOUBLE",
        }.items()
    )
    with duckdb.connect() as connection:
        csv = f"read_csv('{path.with_suffix('.csv')}', all_varchar = true, header = true)"
        connection.execute(f"COPY (SELECT * REPLACE ({typed}, {tags} AS Tags) FROM {csv}) TO '{path}' (FORMAT parquet)")
    path.with_suffix(".csv").unlink()
    return path


@pytest.mark.parametrize(
    "form", ["csv.gz", "map", "prefixed map", "json without braces", "two files", "zones", "odd names"]
)
def test_every_form_of_an_export_is_the_same_bill(form: str, tmp_path: Path) -> None:
    expected = Focus(write_focus(tmp_path / "plain.csv", BY_HAND), "Service").bill()
    folder = tmp_path / "export [1] *"
    folder.mkdir()
    if form == "csv.gz":
        (folder / "a.csv.gz").write_bytes(gzip.compress((tmp_path / "plain.csv").read_bytes()))
    elif form in ("map", "prefixed map"):
        key = "user:Service" if "prefixed" in form else "Service"
        _parquet(folder / "a.parquet", f"CASE WHEN Tags = '{{}}' THEN MAP {{}} ELSE MAP {{'{key}': 'web'}} END")
    elif form == "json without braces":
        bare = [cells | {"Tags": cells["Tags"].strip("{}")} for cells in BY_HAND]
        write_focus(folder / "a.csv", bare)
    elif form == "two files":
        write_focus(folder / "a.csv", BY_HAND[:3])
        write_focus(folder / "b.csv", BY_HAND[3:])
    elif form == "zones":
        moved = [
            cells
            | {
                name: pd.Timestamp(cells[name]).tz_convert("Asia/Kolkata").isoformat()
                for name in ("ChargePeriodStart", "ChargePeriodEnd")
            }
            for cells in BY_HAND
        ]
        write_focus(folder / "a.csv", moved)
    else:
        lines = (tmp_path / "plain.csv").read_text().splitlines()
        (folder / "a.csv").write_text("\n".join([lines[0].replace("SkuMeter", "x_UsageType").upper(), *lines[1:]]))
    bill = Focus(folder, "Service").bill()
    pd.testing.assert_frame_equal(bill.frame, expected.frame, rtol=1e-12)
    assert faults(bill.frame) == []


@pytest.mark.parametrize("granularity", ["DAILY", "HOURLY"])
def test_both_roads_lead_to_the_same_bill(granularity: str, tmp_path: Path) -> None:
    ledger = [item for item in LEDGER if item.hour >= DAY]
    ledger += [item._replace(hour=item.hour + pd.Timedelta(days=43)) for item in ledger]
    span = WEEK if granularity == "DAILY" else Span(day("2026-11-13"), day("2026-11-24"))
    with serving(ledger):
        source = CostExplorer(
            truth.the_door(),
            truth.TAG,
            granularity,
            clock=lambda: NOW,
            account=truth.ACCOUNT,
            region=truth.REGION,
        )
        asked = source.bill(span)
    path = write_focus(tmp_path / "export.csv", focus_rows(ledger))
    exported = Focus(path, truth.TAG, granularity=granularity).bill(span)
    assert len(asked) > 5
    pd.testing.assert_frame_equal(
        exported.frame.drop(columns="estimated"), asked.frame.drop(columns="estimated"), rtol=1e-12
    )


@pytest.fixture(scope="module", params=["aws", "azure"])
def generated(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A FOCUS 1.2 file that another tool made."""
    folder = tmp_path_factory.mktemp(request.param)
    tool = Path(sys.executable).parent / "focus-toolkit"
    settings = ["--focus-version", "1.2", "--rows", "5000", "--seed", "1", "--out", str(folder)]
    subprocess.run([tool, "generate", "--provider", request.param, *settings], check=True, capture_output=True)
    (path,) = folder.glob("*.csv")
    return path


@pytest.mark.xdist_group("generated bills")
def test_a_generated_export_adds_up_to_what_pandas_says(generated: Path) -> None:
    cells = pd.read_csv(generated, dtype="str", keep_default_na=False)
    length = pd.to_datetime(cells["ChargePeriodEnd"]) - pd.to_datetime(cells["ChargePeriodStart"])
    within = cells[length <= pd.Timedelta(days=1)]
    for service, rows in list(within.groupby("ServiceName"))[:2]:
        bill = Focus(generated, services=(str(service),)).bill()
        assert bill.frame["amount"].sum() == pytest.approx(float(_sum(rows["EffectiveCost"])), rel=1e-12)
        assert bill.frame["billed"].sum() == pytest.approx(float(_sum(rows["BilledCost"])), rel=1e-12)
    everything = Focus(generated, services=()).bill()
    assert everything.totals()["amount"].sum() == pytest.approx(float(_sum(within["EffectiveCost"])), rel=1e-12)
    usage = within[(within["ChargeCategory"] == "Usage") & (within["CommitmentDiscountStatus"] != "Unused")]
    expected = {unit: float(_sum(rows["ConsumedQuantity"])) for unit, rows in usage.groupby("ConsumedUnit") if unit}
    used = everything.frame[everything.frame["unit"] != ""]
    assert used.groupby("unit")["quantity"].sum().to_dict() == pytest.approx(expected, rel=1e-12)
    (finding,) = [finding for finding in everything.findings if finding.check == "charge periods"]
    assert finding.count == len(cells) - len(within) > 0


@pytest.mark.xdist_group("generated bills")
def test_a_generated_export_by_tag_adds_up_too(generated: Path) -> None:
    cells = pd.read_csv(generated, dtype="str", keep_default_na=False)
    length = pd.to_datetime(cells["ChargePeriodEnd"]) - pd.to_datetime(cells["ChargePeriodStart"])
    within = cells[length <= pd.Timedelta(days=1)]
    expected: dict[str, Decimal] = defaultdict(Decimal)
    for tags, cost in zip(within["Tags"], within["EffectiveCost"], strict=True):
        key = '"Environment":"'
        expected[tags.split(key)[1].split('"')[0] if key in tags else "(untagged)"] += Decimal(cost)
    bill = Focus(generated, "Environment", services=()).bill()
    found = bill.totals().groupby("service")["amount"].sum().to_dict()
    assert found == pytest.approx({key: float(value) for key, value in expected.items()}, rel=1e-12)


def _sum(texts: pd.Series) -> Decimal:
    return sum((Decimal(text) for text in texts if text), Decimal(0))


def test_azure_container_apps_count_in_seconds(tmp_path: Path) -> None:
    usual: dict[str, Any] = {"ServiceName": "Azure Container Apps", "Tags": '"Service":"web"'}
    rows = [
        row(**usual, SkuMeter="Standard vCPU Active Usage", ConsumedUnit="Seconds", ConsumedQuantity="3600"),
        row(**usual, SkuMeter="Standard vCPU Idle Usage", ConsumedUnit="1 Second", ConsumedQuantity="82800"),
        row(**usual, SkuMeter="Standard Memory Active Usage", ConsumedUnit="GiB Seconds", ConsumedQuantity="172800"),
        row(**usual, SkuMeter="Standard Requests", ConsumedUnit="1M", ConsumedQuantity="3"),
        END,
    ]
    read = Focus(write_focus(tmp_path / "azure.csv", rows), "Service").read()
    found = {metric: value for (_, metric, _), value in values(read.frame).items()}
    assert found == pytest.approx({"billed_vcpu": 1.0, "billed_memory": 2.0, "cost": 4 * 0.6 / 24})
    (finding,) = [finding for finding in read.findings if finding.check == "usage types"]
    assert "Standard Requests" in finding.message


def test_another_currency_is_no_cost_and_its_quantity_passes(tmp_path: Path) -> None:
    read = Focus(write_focus(tmp_path / "euro.csv", [row(BillingCurrency="EUR"), END]), "Service").read()
    assert values(read.frame) == {("web", "billed_vcpu", "10-05 00"): 0.5}
    (finding,) = [finding for finding in read.findings if finding.check == "currency"]
    assert "EUR (0.60 in all)" in finding.message


def test_units_and_currencies_of_one_name_stay_apart(tmp_path: Path) -> None:
    rows = [
        row(SkuMeter="Odd", ConsumedUnit="GB", ConsumedQuantity="5"),
        row(SkuMeter="Odd", ConsumedUnit="Hours", ConsumedQuantity="7"),
        row(SkuMeter="Money", BillingCurrency="EUR"),
        row(SkuMeter="Money", BillingCurrency="USD"),
    ]
    frame = Focus(write_focus(tmp_path / "odd.csv", rows)).bill().frame
    assert dict(zip(frame["usage_type"], frame["quantity"], strict=True)) == {
        "Money [EUR]": 12.0,
        "Money [USD]": 12.0,
        "Odd [GB]": 5.0,
        "Odd [Hours]": 7.0,
    }


def test_a_day_that_the_export_ends_in_is_marked(tmp_path: Path) -> None:
    later = {"ChargePeriodStart": "2026-10-06T10:00:00Z", "ChargePeriodEnd": "2026-10-06T11:00:00Z"}
    bill = Focus(write_focus(tmp_path / "a.csv", [row(), row(**later)])).bill()
    assert dict(zip(bill.frame["timestamp"], bill.frame["estimated"], strict=True)) == {
        DAY: False,
        DAY + pd.Timedelta(days=1): True,
    }
    assert [finding.check for finding in bill.findings] == ["estimated"]


def test_hours_stay_hours_when_asked_for(tmp_path: Path) -> None:
    whole_day = {"ChargePeriodEnd": "2026-10-06T00:00:00Z", "SkuMeter": MEMORY}
    bill = Focus(write_focus(tmp_path / "a.csv", [row(), row(**whole_day)]), granularity="HOURLY").bill()
    assert sorted(zip(bill.frame["usage_type"], bill.frame["interval"], strict=True)) == [(MEMORY, 86400), (VCPU, 3600)]


def test_nothing_from_outside_the_span(tmp_path: Path) -> None:
    source = Focus(write_focus(tmp_path / "a.csv", BY_HAND), "Service")
    assert isinstance(source, Source) and source.name == "focus"
    pd.testing.assert_frame_equal(source.read(WEEK).frame, source.read().frame)
    assert len(source.read(Span(day("2026-10-05T00:00:01"), day("2026-10-12")))) == 0
    assert len(source.read(Span(day("2026-10-01"), day("2026-10-05")))) == 0


def test_what_is_missing_or_wrong_is_said_all_at_once(tmp_path: Path) -> None:
    write_focus(tmp_path / "a.csv", [row(EffectiveCost="n/a"), row(EffectiveCost="n/a"), row(ChargePeriodEnd="soon")])
    lines = (tmp_path / "a.csv").read_text().splitlines()
    (tmp_path / "b.csv").write_text("\n".join([lines[0].replace("EffectiveCost", "Cost").replace("Tags", "Labels")]))
    (tmp_path / "c.csv").write_text("lineItem/UsageType,lineItem/UnblendedCost\nx,1\n")
    (tmp_path / "d.csv").write_text("ChargePeriodStart,ChargeType,AmortizedCost\n")
    (tmp_path / "e.parquet").write_bytes(b"PAR1 not really PAR1")
    with pytest.raises(InputError) as raised:
        Focus(tmp_path, "Service").bill()
    text = str(raised.value)
    assert "a.csv: EffectiveCost 'n/a' is not a number (and 1 more)" in text
    assert "a.csv: ChargePeriodEnd 'soon' is not a time" in text
    assert "b.csv: columns are missing: EffectiveCost, Tags (FOCUS 1.1" in text
    assert "c.csv: columns are missing: ChargePeriodStart" in text and "not a FOCUS export" in text
    assert "d.csv" in text and "a draft of FOCUS before 1.0" in text
    assert "e.parquet: cannot be read" in text and "AWS Data Exports" in text


def test_an_amount_that_is_not_said_is_not_a_smaller_sum(tmp_path: Path) -> None:
    read = Focus(write_focus(tmp_path / "a.csv", [row(), row(EffectiveCost=""), END]), "Service").read()
    assert values(read.frame) == {("web", "billed_vcpu", "10-05 00"): 1.0}
    assert {finding.check for finding in read.findings} == {"amounts", "other services"}


def test_two_deliveries_of_one_month_are_not_added_up(tmp_path: Path) -> None:
    for delivery in ("20261101T0000-a", "20261102T0000-b"):
        folder = tmp_path / "BILLING_PERIOD=2026-10" / delivery
        folder.mkdir(parents=True)
        write_focus(folder / "a.csv", BY_HAND)
    with pytest.raises(InputError, match="2 deliveries of one month"):
        Focus(tmp_path).bill()
    assert len(Focus(tmp_path / "BILLING_PERIOD=2026-10" / "20261102T0000-b").bill()) > 0


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("20261001-20261031/run-1/part_0_0001.csv", "20261001-20261031/run-2/part_0_0001.csv"),
        ("20261001-20261031/202611010600/a1/part_0.csv", "20261001-20261031/202611020600/b2/part_0.csv"),
        ("20261001-20261031/daily_a1.csv", "20261001-20261031/daily_b2.csv"),
    ],
)
def test_azure_delivers_the_whole_month_each_day_and_it_counts_once(tmp_path: Path, first: str, second: str) -> None:
    for name, rows in ((first, BY_HAND[:2]), (second, BY_HAND)):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_focus(tmp_path / name, rows)
    with pytest.raises(InputError, match="2 deliveries of one month"):
        Focus(tmp_path).bill()
    assert len(Focus(tmp_path / second).bill()) > 0


def test_contract_commitments_beside_the_charges_are_left_out_and_told(tmp_path: Path) -> None:
    alone = tmp_path / "contracts.csv"
    alone.write_text("ContractId,ContractCommitmentId,ContractCommitmentCost,BillingCurrency\nc,d,5,USD\n")
    with pytest.raises(InputError, match=r"contracts\.csv: contract commitments only, and no charges"):
        Focus(alone).bill()
    write_focus(tmp_path / "usage.csv", BY_HAND)
    both = Focus(tmp_path).bill()
    pd.testing.assert_frame_equal(both.frame, Focus(tmp_path / "usage.csv").bill().frame)
    assert [finding.message for finding in both.findings if finding.check == "datasets"] == [
        "contract commitments, which are no charges: contracts.csv not read"
    ]


def test_a_copy_of_a_file_does_not_count_and_parts_do(tmp_path: Path) -> None:
    folder = tmp_path / "20261001-20261031" / "run"
    folder.mkdir(parents=True)
    write_focus(folder / "part_0_0001.csv", BY_HAND)
    write_focus(folder / "part_0_0002.csv", [END])
    assert len(Focus(tmp_path).bill()) == len(Focus(folder / "part_0_0001.csv").bill()) > 0
    write_focus(folder / "part_0_0001 (1).csv", BY_HAND)
    with pytest.raises(InputError, match=r"part_0_0001.csv is a copy of .*part_0_0001 \(1\).csv: .* count twice"):
        Focus(tmp_path).bill()


def test_an_export_of_other_services_says_which_and_how_to_keep_them(tmp_path: Path) -> None:
    write_focus(tmp_path / "focus.csv", [END])
    command = ("fetch", "focus", str(tmp_path), "--store", str(tmp_path / "store"))
    done = called(*command, code=1)
    for word in ("no charge of the services asked for", "AmazonEC2", "--service-name"):
        assert word in done.stderr


def test_no_files_no_bill(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no file ends in"):
        Focus(tmp_path).bill()
    with pytest.raises(InputError, match="no such file"):
        Focus(tmp_path / "nothing.csv").bill()
    with pytest.raises(ConfigError, match="WEEKLY"):
        Focus(tmp_path, granularity="WEEKLY")


def test_tags_that_are_no_json_are_counted(tmp_path: Path) -> None:
    hostile = {"Tags": '{"Service": "a\\"b <script>"}'}
    bill = Focus(write_focus(tmp_path / "a.csv", [row(Tags="Service=web"), row(**hostile)]), "Service").bill()
    assert set(bill.frame["service"]) == {"(untagged)", 'a"b <script>'}
    assert "<script>" not in bill._repr_html_()
    (finding,) = [finding for finding in bill.findings if finding.check == "tags"]
    assert finding.count == 1


def test_columns_are_those_of_the_export(tmp_path: Path) -> None:
    assert len(FOCUS) == len(set(FOCUS)) == 17
