"""capacity.toml: everything wrong is named at once, with its place; what is right is kept to the letter."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from capacity.config import FARGATE_SIZES, Config, Goal, Service, config_of, load_config, reference, starter
from capacity.errors import CapacityError, ConfigError

ROOT = Path(__file__).parent.parent


def problems(table: dict[str, object]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        config_of(table)
    return [str(problem) for problem in caught.value.problems]


def test_everything_wrong_in_a_file_is_reported_together_and_by_service_name() -> None:
    found = problems(
        {
            "service": [{"name": "web", "task_vcpu": 3}, {"name": "api", "min_tasks": -1, "colour": "red"}],
            "goal": {"level": 2},
            "gaol": {},
        }
    )
    assert [line.split(":")[0] for line in found] == [
        "goal level",
        "service 'web'",
        "service 'api' min_tasks",
        "service 'api' colour",
        "gaol",
    ]
    assert "0.25, 0.5, 1, 2, 4, 8, 16" in found[1]


def test_two_services_of_one_name_are_refused() -> None:
    found = problems({"service": [{"name": "web", "cluster": "a"}, {"name": "web", "cluster": "b"}]})
    assert found == ["two services are called 'web' (clusters 'a' and 'b'): give each its own name, as in the history"]


def test_two_accounts_of_one_region_are_refused() -> None:
    assert "region 'eu-west-1'" in problems({"account": [{"region": "eu-west-1"}, {"region": "eu-west-1"}]})[0]


def test_a_services_own_field_wins_over_the_defaults() -> None:
    config = config_of({"defaults": {"zones": 2, "max_tasks": 7}, "service": [{"name": "web", "zones": 3}]})
    assert (config.service[0].zones, config.service[0].max_tasks) == (3, 7)


def test_one_account_table_is_a_list_of_one() -> None:
    assert config_of({"account": {"fargate_vcpu_quota": 500}}).account[0].fargate_vcpu_quota == 500


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"name": ""}, "at least 1 character"),
        ({"name": "web", "min_tasks": 5, "max_tasks": 2}, r"min_tasks \(5\) is above max_tasks \(2\)"),
        ({"name": "web", "task_vcpu": 1, "task_memory_gib": 16}, "does not exist beside 1 vCPU: 2, 3, 4"),
        ({"name": "web", "timezone": "Mars/Olympus"}, "not an IANA zone"),
        ({"name": "web", "minimum_healthy_percent": 100, "maximum_percent": 100}, "no deployment could move"),
        ({"name": "web", "requests_per_second_per_task": 0}, "greater than 0"),
        ({"name": "web", "requests_per_second_per_task": float("nan")}, "greater than 0|finite"),
        ({"name": "web", "rps": 1}, "unknown key"),
    ],
)
def test_a_service_that_cannot_be_says_why(fields: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Service(**fields)


def test_a_config_error_is_ours_and_a_value_error() -> None:
    with pytest.raises(CapacityError):
        Goal(level=1.5)
    with pytest.raises(ValueError, match="level"):
        Goal(level=1.5)


def test_there_are_the_74_fargate_sizes_aws_documents() -> None:
    assert sum(len(sizes) for sizes in FARGATE_SIZES.values()) == 74


def test_broken_toml_and_a_missing_file_are_named(tmp_path: Path) -> None:
    path = tmp_path / "capacity.toml"
    with pytest.raises(ConfigError, match="does not exist"):
        load_config(path)
    path.write_text("[goal\nlevel = 1", encoding="utf-8")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load_config(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match="is not valid TOML"):
        load_config(path)


def test_history_is_found_beside_the_file_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "capacity.toml"
    path.write_text('[data]\nhistory = "usage.csv"\n', encoding="utf-8")
    assert load_config(path).history_path == tmp_path / "usage.csv"
    assert Config().history_path is None


NAMES = st.text(min_size=1, max_size=255).filter(lambda name: re.search(r"\S", name) is not None)


@given(st.lists(NAMES, unique=True, max_size=4))
def test_a_starting_file_loads_whatever_the_services_are_called(names: list[str]) -> None:
    config = config_of(tomllib.loads(starter(Path("usage.csv"), names, Path())))
    assert [service.name for service in config.service] == names


@pytest.mark.parametrize(("page", "module"), [("configuration", "config"), ("data-dictionary", "schema")])
def test_the_generated_pages_are_current(page: str, module: str) -> None:
    command = [sys.executable, "-m", f"capacity.{module}"]
    text = subprocess.run(command, capture_output=True, text=True, check=True, encoding="utf-8").stdout
    assert (ROOT / "docs" / f"{page}.md").read_text(encoding="utf-8") == text, "run `make docs`"


def test_every_key_is_documented() -> None:
    text = reference()
    for model in (Service, Goal):
        for name, field in model.model_fields.items():
            assert f"| `{name}` |" in text
            assert field.description
