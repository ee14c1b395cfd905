"""`capacity alarms`: the document alone on standard output, what it does not say on standard error."""

from __future__ import annotations

import json
import re
from pathlib import Path

import yaml  # type: ignore[import-untyped, unused-ignore]

from capacity.monitoring.render import KINDS
from capacity.monitoring.render.prometheus import RULE_FILE
from tests.commands import called
from tests.conftest import ROOT

SAMPLE = ("--config", "data/samples/capacity.toml", "--quiet")
#: One service, read from its own file: a tenth of the sample is enough to see a command at work.
WISHLIST = ("--history", "data/samples/wishlist.parquet", "--service", "wishlist")


def test_rules_for_prometheus_are_all_that_is_on_standard_output_and_data_has_the_same_alarms(tmp_path: Path) -> None:
    said = called("alarms", *SAMPLE, *WISHLIST, "--as", "prometheus")
    groups = yaml.safe_load(said.stdout)["groups"]
    alerts = [rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule]
    assert "capacity-wishlist-silence" in alerts
    assert "no [[prometheus.query]] measures requests" in said.stderr
    wrote = called("alarms", *SAMPLE, *WISHLIST, "--json", "--out", str(tmp_path / "new")).stdout.split()
    assert wrote == [str(tmp_path / "new/alarms.json")]
    again = json.loads((tmp_path / "new/alarms.json").read_text(encoding="utf-8"))
    assert set(alerts) <= {one["name"] for one in again}


def test_a_kind_that_there_is_not_is_refused_before_anything_is_read() -> None:
    said = called("alarms", "--config", "data/samples/capacity.toml", "--as", "nagios", code=1)
    assert said.stdout == ""
    assert f"There are: {', '.join(KINDS)}." in said.stderr


def test_tests_of_rules_are_files_and_that_is_said_before_anything_is_read() -> None:
    said = called("alarms", "--config", "data/samples/capacity.toml", "--as", "prometheus-tests", code=1)
    assert said.stdout == ""
    assert "tests of rules are several files" in said.stderr


def test_the_guide_names_every_kind_of_document_and_no_other() -> None:
    text = (ROOT / "docs/alarm-documents.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`[^|]*) \|", text, flags=re.M)
    named = {kind for row in rows for kind in re.findall(r"`(?:--)?([a-z0-9-]+)`", row)} - {"as"}
    assert named == set(KINDS)
    assert set(re.findall(r"capacity alarms --as ([a-z-]+)", text)) <= set(KINDS)
    assert RULE_FILE in text
