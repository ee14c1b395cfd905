"""A stored plan is opened whole or not at all; it is opened for ever, and nothing that is made to harm is believed."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from capacity.errors import InputError
from capacity.reviewing import open_snapshot, open_snapshots
from capacity.reviewing.container import MOST_BYTES, packed, unpacked
from capacity.reviewing.formats import migrated, restated
from capacity.reviewing.keeping import parts
from capacity.reviewing.plain import config_of
from capacity.reviewing.tables import MOST_LETTERS, parquet
from tests.commands import called
from tests.conftest import ROOT
from tests.reviewing.golden import FOLDER
from tests.reviewing.kept import THEN

GOLDEN = FOLDER / "format-1.plan"


@cache
def content() -> bytes:
    return GOLDEN.read_bytes()


@cache
def golden_parts() -> tuple[dict[str, Any], dict[str, bytes]]:
    return unpacked(GOLDEN)


def damaged(folder: Path, content: bytes, words: str) -> None:
    path = folder / "one.plan"
    path.write_bytes(content)
    with pytest.raises(InputError, match=words) as raised:
        open_snapshot(path)
    assert "one.plan" in str(raised.value)


def changed(change: Callable[[dict[str, Any], dict[str, bytes]], Any]) -> bytes:
    """The golden file, its parts changed and its sums made right again: what no accident does, and people can."""
    about, found = golden_parts()
    about, found = dict(about), dict(found)
    change(about, found)
    return packed(about, found)


def of_entries(entries: Mapping[str, bytes] | list[tuple[str, bytes]]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in entries.items() if isinstance(entries, Mapping) else entries:
            archive.writestr(name, part)
    return buffer.getvalue()


def whole() -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content())) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("path", sorted(FOLDER.glob("format-*.plan")), ids=lambda path: path.stem)
def test_a_plan_of_every_format_there_was_opens_and_is_run_again(path: Path) -> None:
    kept = open_snapshot(path)
    assert str(kept).startswith("Plan of 2026-08-24 09:00 UTC for 2026-08-24 to 2026-08-31: 1 service, 2 decisions, ")
    (service,) = kept.config.service
    assert (service.name, service.zones, service.owner) == ("checkout", 3, "Shop team")
    assert "zones" in service.model_fields_set
    assert "tier" not in service.model_fields_set
    assert kept.config.event[0].uplift == 1.5
    assert kept.demand.values[0, :2].tolist() == [188.37036534391422, 136.5046323629492]
    assert np.flatnonzero(np.isnan(kept.demand.values[0])).tolist() == [40, 41, 42, 43]
    assert int(kept.plan["tasks"].sum()) == 1849
    assert kept.decisions[0].sentence == "Raise `checkout` max from 12 to 36 now, >99 % sure."
    assert kept.decisions[0].before is None or kept.decisions[0].before.tz is not None
    assert kept.policy["checkout"].tracking.target == 1700
    assert len(kept.policy["checkout"].schedule) == 30
    assert float(kept.quantiles["p95"].max()) == 836.6796875
    run = replace(kept, policies={}).rerun(created_at=THEN)
    assert run.config == kept.config
    np.testing.assert_allclose(run.plan["tasks"], kept.plan["tasks"], atol=1)


def test_files_do_not_know_when_or_where_they_were_written() -> None:
    with zipfile.ZipFile(io.BytesIO(packed({"format": 1}, {"b.json": b"1", "a.parquet": b"2"}))) as archive:
        assert archive.namelist() == ["about.json", "a.parquet", "b.json"]
        for entry in archive.infolist():
            assert (entry.date_time, entry.create_system) == ((1980, 1, 1, 0, 0, 0), 3)
            assert entry.external_attr == 0o644 << 16


@given(st.integers(0, 2**31), st.integers(1, 255))
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_a_flipped_byte_is_seen_or_means_nothing(tmp_path: Path, place: int, flip: int) -> None:
    flipped = bytearray(content())
    flipped[place % len(flipped)] ^= flip
    path = tmp_path / "one.plan"
    path.write_bytes(flipped)
    try:
        found = unpacked(path)
    except InputError as error:
        assert "one.plan is not a whole plan" in str(error)
    else:
        assert found == golden_parts()


@given(st.floats(0, 1, exclude_max=True))
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
def test_a_file_that_was_cut_off_is_refused(tmp_path: Path, share: float) -> None:
    damaged(tmp_path, content()[: int(share * len(content()))], "not a whole plan")


@given(st.binary(max_size=200))
@examples(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=15)
def test_anything_else_is_refused(tmp_path: Path, junk: bytes) -> None:
    damaged(tmp_path, junk, "not a whole plan")


@pytest.mark.parametrize(
    ("entries", "words"),
    [
        ({**whole(), "../../../tmp/evil.json": b"{}"}, "evil.json' is no part of a plan"),
        ({**whole(), "/etc/cron.json": b"{}"}, "'/etc/cron.json' is no part of a plan"),
        ({**whole(), "more.json": b"{}"}, "more.json: is there and not listed"),
        ({name: part for name, part in whole().items() if name != "cost.parquet"}, "cost.parquet: is listed and not"),
        ({name: part for name, part in whole().items() if name != "about.json"}, "about.json: is not there"),
        ({**whole(), "plan.parquet": whole()["limits.parquet"]}, "plan.parquet: is not what was written"),
        ({**whole(), "about.json": b"[]"}, "about.json: cannot be understood"),
        ({**whole(), "about.json": b"[" * 100_000}, "about.json: cannot be understood"),
        ({**whole(), "about.json": b'{"format": "1", "parts": {}}'}, "about.json: cannot be understood"),
        ({"notes.txt": b"a zip of something else"}, "'notes.txt' is no part of a plan"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parts_that_do_not_belong_together_are_refused(entries: dict[str, bytes], words: str, tmp_path: Path) -> None:
    damaged(tmp_path, of_entries(entries), words)


def test_a_part_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        twice = of_entries([*whole().items(), ("plan.parquet", b"another")])
    damaged(tmp_path, twice, "plan.parquet: stands in it twice")


def test_a_file_that_would_fill_the_memory_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """Sizes stand in the archive's directory: 4 GiB each, said of parts of a few bytes."""
    bomb = bytearray(content())
    for place in [place for place in range(len(bomb) - 4) if bomb[place : place + 4] == b"PK\x01\x02"]:
        bomb[place + 24 : place + 28] = (2**32 - 2).to_bytes(4, "little")
    assert 17 * 2**32 > MOST_BYTES
    damaged(tmp_path, bytes(bomb), "would unpack to more than any plan has")
    long = pd.DataFrame({"service": ["w" * (MOST_LETTERS + 1)]})
    damaged(tmp_path, changed(lambda about, found: found.update(parquet({"cost.parquet": long}))), "more than any plan")


def settings_said(found: dict[str, bytes], **more: Any) -> None:
    found["settings.json"] = json.dumps({**json.loads(found["settings.json"]), **more}).encode()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda about, found: found.update({"plan.parquet": b"PAR1 no table PAR1"}), "a table cannot be read"),
        (lambda about, found: found.update({"demand.json": b"{}"}), "cannot be understood: KeyError"),
        (lambda about, found: found.update({"demand.json": b"[" * 100_000}), "cannot be understood"),
        (lambda about, found: found.update({"demand.parquet": found["cost.parquet"]}), "a table without value, peak"),
        (lambda about, found: found.pop("peaks.parquet"), "cannot be understood: KeyError"),
        (lambda about, found: settings_said(found, colour="red"), "unknown key"),
        (lambda about, found: found.update({"decisions.json": b'[{"kind": "watch"}]'}), "cannot be understood"),
    ],
)
def test_what_is_whole_and_makes_no_sense_is_refused(change: Any, words: str, tmp_path: Path) -> None:
    damaged(tmp_path, changed(change), words)


def test_what_a_later_version_added_is_said_to_need_it(tmp_path: Path) -> None:
    def later(about: dict[str, Any], found: dict[str, bytes]) -> None:
        about["capacity_version"] = "9.1.0"
        settings_said(found, colour="red")

    damaged(tmp_path, changed(later), r"was written by capacity 9\.1\.0 and cannot be understood .*\n.*colour")
    damaged(
        tmp_path,
        changed(lambda about, found: about.update(format=99, capacity_version="9.1.0")),
        r"written by capacity 9\.1\.0, in format 99; capacity .* reads formats up to \d+\nOpen it with that version",
    )
    damaged(tmp_path, changed(lambda about, found: about.update(format=0)), "format 0, which never was")


def test_an_older_format_is_brought_up_step_by_step() -> None:
    steps = {1: lambda parts: {**parts, "two": b"2"}, 2: lambda parts: {**parts, "three": parts["two"] + b"3"}}
    assert migrated(Path("x.plan"), {"format": 1}, {}, steps) == {"two": b"2", "three": b"23"}
    assert migrated(Path("x.plan"), {"format": 3}, {"a": b""}, steps) == {"a": b""}
    with pytest.raises(InputError, match=r"format 4; capacity .* up to 3"):
        migrated(Path("x.plan"), {"format": 4}, {}, steps)


def test_a_key_that_was_renamed_since_is_moved_where_it_was_in_force_and_where_it_was_written() -> None:
    def named_before(said: dict[str, Any]) -> None:
        for service in said["service"]:
            service |= {"spread": service.pop("zones")} if "zones" in service else {}
            service |= {"colour": "red"}

    def brought_up(said: dict[str, Any]) -> None:
        for service in said["service"]:
            service |= {"zones": service.pop("spread")} if "spread" in service else {}
            del service["colour"]

    about, now = golden_parts()
    then = restated(now, named_before)
    with pytest.raises(InputError, match="colour"):
        config_of(json.loads(then["settings.json"]), json.loads(then["stated.json"]))
    found = migrated(Path("x.plan"), about, then, {1: lambda parts: restated(parts, brought_up)})
    config = config_of(json.loads(found["settings.json"]), json.loads(found["stated.json"]))
    assert config == open_snapshot(GOLDEN).config
    assert "zones" in config.service[0].model_fields_set
    assert "tier" not in config.service[0].model_fields_set


def test_what_a_later_version_says_of_a_file_beside_is_kept_and_harms_nothing(tmp_path: Path) -> None:
    path = tmp_path / "one.plan"
    path.write_bytes(changed(lambda about, found: about.update(capacity_version="9.1.0", mood="good")))
    assert open_snapshot(path).about["mood"] == "good"


def test_names_that_lead_nowhere_are_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"'2026Q4' is no name for a plan\nEnd it in \.plan, as in 2026Q4\.plan"):
        open_snapshot(GOLDEN).save(tmp_path / "2026Q4")
    for path, words in (
        (tmp_path / "no.plan", "does not exist\nPlans are written by: capacity plan --save PATH"),
        (tmp_path, r"is a folder\nName one plan in it"),
    ):
        with pytest.raises(InputError, match=words):
            open_snapshot(path)
    with pytest.raises(InputError, match="holds no plan"):
        open_snapshots(tmp_path)
    with pytest.raises(InputError, match="is not a folder"):
        open_snapshots(tmp_path / "no.plan")


def test_all_plans_of_a_folder_come_oldest_first(tmp_path: Path) -> None:
    kept = open_snapshot(GOLDEN)
    for name, moment in (("a", "2026-09-02"), ("b", "2026-09-01")):
        about = {**kept.about, "created_at": f"{moment}T00:00:00+00:00"}
        replace(kept, about=about).save(tmp_path / f"{name}.plan")
    (tmp_path / "notes.txt").write_text("no plan")
    assert [one.created_at.day for one in open_snapshots(tmp_path)] == [1, 2]


def test_the_command_keeps_a_plan_and_runs_it_again(tmp_path: Path) -> None:
    rows = [f"web,2026-08-{3 + hour // 24:02}T{hour % 24:02}:00:00Z,{50 + hour % 24}" for hour in range(15 * 24)]
    (tmp_path / "usage.csv").write_text("\n".join(["service,timestamp,value", *rows]), encoding="utf-8")
    (tmp_path / "capacity.toml").write_text(
        '[data]\nhistory = "usage.csv"\nmetric = "requests"\n[goal]\nhorizon = "1d"\n'
        '[forecast]\nmodel = "seasonal-naive"\npaths = 40\n'
        '[[service]]\nname = "web"\nrequests_per_second_per_task = 20\nmax_tasks = 3\n',
        encoding="utf-8",
    )
    told = called("plan", "--save", "plan.json", "-q", code=1, cwd=tmp_path)
    assert "'plan.json' is no name for a plan" in told.stderr
    called("plan", "--save", "plans/q4.plan", "-q", cwd=tmp_path)
    assert "Run again, it is the same." in called("rerun", "plans/q4.plan", cwd=tmp_path).stdout
    out = called("rerun", "plans/q4.plan", "--json", "--save", "plans/again.plan", cwd=tmp_path).stdout
    assert json.loads(out) == {"differences": []}
    first, second = open_snapshots(tmp_path / "plans")
    assert parts(first) == parts(second)


def test_the_guide_to_keeping_plans_runs_as_it_stands(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(ROOT)
    section = (ROOT / "docs/reviewing.md").read_text(encoding="utf-8").split("## Keeping plans")[1].split("\n## ")[0]
    for block in re.findall(r"^```python\n(.*?)^```", section, flags=re.S | re.M):
        exec(compile(block, "docs/reviewing.md", "exec"), {})
    assert re.search(
        r"^Plan of .* for 2026-11-16 to 2026-11-23: 1 service, .*\n0 differences$", capsys.readouterr().out
    )
