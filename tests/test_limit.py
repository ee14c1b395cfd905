"""What more tasks do not lift is stated in a small table, and told apart."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from capacity.config import Limit, config_of
from capacity.errors import ConfigError

FILE = """
[[service]]
name = "web"
[[service.limit]]
name = "orders-db"
kind = "connections"
total = 700
others = 60
per_task = 20
[[service.limit]]
name = "payments"
kind = "downstream"
total = 900
"""


def test_limits_of_a_service_are_read_in_their_order() -> None:
    (web,) = config_of(tomllib.loads(FILE)).service
    assert [(limit.name, limit.kind, limit.total) for limit in web.limit] == [
        ("orders-db", "connections", 700),
        ("payments", "downstream", 900),
    ]
    assert web.limit[0] == Limit(name="orders-db", kind="connections", total=700, others=60, per_task=20)


@pytest.mark.parametrize(
    ("stated", "said"),
    [
        ({"kind": "connections", "total": 5, "retries": 3}, "kind connections makes no use of retries"),
        ({"kind": "retries", "retries": 3, "total": 5, "per_task": 1}, "kind retries makes no use of total, per_task"),
        ({"kind": "retries"}, "states retries"),
        ({"kind": "connections"}, "states its total"),
        ({"kind": "downstream", "others": 5}, "states its total"),
        ({"kind": "connections", "total": 50, "others": 50}, "others take 50 of 50"),
        ({"kind": "threads", "total": 5}, "connections"),
        ({"kind": "downstream", "total": 0}, "greater than 0"),
        ({"kind": "retries", "retries": 3, "error_share": 1.2}, "less than or equal to 1"),
    ],
)
def test_a_limit_that_says_too_little_or_too_much_is_refused_in_words(stated: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        Limit(name="x", **stated)


def test_two_limits_of_one_kind_and_name_are_refused() -> None:
    table = tomllib.loads(FILE.replace("payments", "orders-db").replace("downstream", "connections"))
    with pytest.raises(ConfigError, match=r"two \[\[service.limit\]\] of kind connections are called 'orders-db'"):
        config_of(table)
