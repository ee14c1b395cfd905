"""`capacity diff`, `capacity apply`, `capacity rollback`: what is printed where, and what the exit code says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from capacity.scaling import Policy
from tests.commands import Said, called
from tests.scaling.live.account import Changing
from tests.scaling.policies import tracking, web
from tests.sources.aws.fake import FakeAws

#: No step policy: writing an alarm waits for its turn.
FLEET = Policy((tracking(web()), tracking(web(name="api"))))


@pytest.fixture
def account(keys: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Changing]:
    """An account behind AWS_ENDPOINT_URL, and the calls of a policy in `calls.json`."""
    account = Changing()
    account.running("web", "api", desired=60)
    (tmp_path / "calls.json").write_text(json.dumps(FLEET.render("boto3")), encoding="utf-8")
    with FakeAws(account.answers) as aws:
        monkeypatch.setenv("AWS_ENDPOINT_URL", aws.url)
        monkeypatch.setenv("AWS_REGION", "us-east-1")
        yield account


def test_from_reviewed_calls_to_an_account_and_back(account: Changing, tmp_path: Path) -> None:
    def run(*arguments: str, code: int = 0) -> Said:
        return called(*arguments, code=code, cwd=tmp_path)

    before = account.standing()
    seen = run("diff", "--calls", "calls.json", code=3)
    assert "STOPS 40 running tasks at once." in seen.stdout and seen.stderr == ""
    refused = run("apply", "--calls", "calls.json", code=3)
    assert refused.stdout.splitlines()[1:] == seen.stdout.splitlines()[1:]
    assert "repeat with --yes" in refused.stderr
    assert account.standing() == before and not (tmp_path / "capacity-audit.jsonl").exists()

    done = run("apply", "--calls", "calls.json", "--yes")
    assert "4 calls made, as run" in done.stderr and account.desired("web") == 40
    assert "Nothing to apply: 2 services stand as they should.\n" in run("apply", "--calls", "calls.json").stdout

    name = done.stderr.split("capacity rollback ")[1].split()[0]
    assert name in run("rollback").stdout
    assert "4 to delete" in run("rollback", name, "--yes").stdout
    assert account.standing() == before


def test_a_diff_for_programs_is_json_and_nothing_else(account: Changing, tmp_path: Path) -> None:
    said = called("diff", "--calls", "calls.json", "--service", "api", "--json", code=3, cwd=tmp_path)
    answer: dict[str, Any] = json.loads(said.stdout)
    assert {change["service"] for change in answer["changes"]} == {"service/prod/api"}
    assert answer["stops"] == 20 and [change["call"] for change in answer["changes"]] == FLEET.render("boto3", "api")


def test_calls_go_to_the_region_that_the_settings_give_their_services(account: Changing, tmp_path: Path) -> None:
    (tmp_path / "capacity.toml").write_text(
        '[data]\nhistory = "."\n[[service]]\nname = "api"\ncluster = "prod"\nregion = "eu-west-1"\nmax_tasks = 40\n',
        encoding="utf-8",
    )
    account.service("eu-west-1", "prod", "api", desiredCount=4)
    said = called("diff", "--calls", "calls.json", code=3, cwd=tmp_path).stdout
    assert "service/prod/api in eu-west-1" in said and "service/prod/web in us-east-1" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}", "is no list of calls"),
        ("nonsense", "is no JSON"),
        ('[{"client": "ecs", "operation": "delete_service", "parameters": {}}]', "is no call of a policy"),
    ],
)
def test_a_file_that_is_no_calls_changes_nothing_and_says_why(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "calls.json").write_text(text, encoding="utf-8")
    assert words in called("apply", "--calls", "calls.json", "--yes", code=1, cwd=tmp_path).stderr


def test_a_run_that_nobody_made_is_not_taken_back(tmp_path: Path) -> None:
    assert "there is no audit log" in called("rollback", "x", code=1, cwd=tmp_path).stderr
