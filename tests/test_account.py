"""`[account]` and its subnets: what they say, and what they refuse."""

from __future__ import annotations

import tomllib

import pytest

from capacity.config import Account, Subnet, config_of
from capacity.errors import ConfigError


def test_a_subnet_is_read_from_its_file() -> None:
    text = """
    [account]
    region = "eu-west-1"
    [[account.subnet]]
    name = "subnet-0a"
    zone = "eu-west-1a"
    cidr = "10.0.0.0/24"
    others = 51
    [[account.subnet]]
    name = "subnet-0b"
    zone = "eu-west-1b"
    free = 80
    running = 20
    """
    (account,) = config_of(tomllib.loads(text)).account
    assert [subnet.addresses for subnet in account.subnet] == [200, 100]


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({}, "states cidr and others, or free and running; stated: none"),
        ({"cidr": "10.0.0.0/24"}, r"stated: \['cidr'\]"),
        ({"free": 3}, r"stated: \['free'\]"),
        ({"cidr": "10.0.0.0/24", "others": 1, "free": 3, "running": 0}, "or free and running"),
        ({"cidr": "10.0.0.7/24", "others": 0}, "is not an IPv4 block such as"),
        ({"cidr": "2600::/64", "others": 0}, "is not an IPv4 block such as"),
        ({"cidr": "10.0.0.0/29", "others": 0}, "is a /29: subnets of AWS are a /16 to a /28"),
        ({"cidr": "10.0.0.0/28", "others": 12}, "others hold 12, and 10.0.0.0/28 has 11"),
    ],
)
def test_half_a_subnet_is_refused(said: dict[str, object], complaint: str) -> None:
    with pytest.raises(ConfigError, match=complaint):
        Subnet(name="s", zone="z", **said)


def test_two_subnets_of_one_name_are_refused() -> None:
    subnet = Subnet(name="s", zone="z", free=1, running=0)
    with pytest.raises(ConfigError, match=r"two .*account.subnet.* are called 's'"):
        Account(subnet=(subnet, subnet))
