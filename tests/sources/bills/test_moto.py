"""Cost Explorer of moto, over real HTTP: pages as they were seeded, told of by environment variables alone."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

from capacity.history import Store
from capacity.sources.aws import Door
from capacity.sources.bills.cost_explorer import CostExplorer
from tests.sources.bills.test_cost_explorer import NOW, WEEK, values

pytestmark = pytest.mark.xdist_group("moto")


@pytest.fixture
def moto(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a moto server, where AWS's own variable points."""
    import logging

    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.CRITICAL)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    yield f"http://{host}:{port}"
    server.stop()


def seed(moto: str, results: list[dict[str, Any]]) -> None:
    """Answers for the next requests: each distinct one takes the next, and keeps it."""
    request = urllib.request.Request(
        f"{moto}/moto-api/static/ce/cost-and-usage-results",
        data=json.dumps({"results": results}).encode(),
        headers={"Content-Type": "application/json"},
        method="POST",
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201


def period(day: str, *groups: tuple[str, str, str, str]) -> dict[str, Any]:
    """A day, of which each group has a usage type, record type, quantity and cost."""
    return {
        "TimePeriod": {"Start": f"2026-10-{day}", "End": f"2026-10-{int(day) + 1:02}"},
        "Total": {},
        "Estimated": False,
        "Groups": [
            {
                "Keys": [usage_type, record],
                "Metrics": {
                    "UsageQuantity": {"Amount": quantity, "Unit": "Hrs"},
                    "UnblendedCost": {"Amount": cost, "Unit": "USD"},
                    "AmortizedCost": {"Amount": cost, "Unit": "USD"},
                },
            }
            for usage_type, record, quantity, cost in groups
        ],
    }


def test_pages_of_moto_become_a_history_and_a_second_fetch_asks_for_nothing(moto: str, tmp_path: Any) -> None:
    pages = [
        period("05", ("USE1-Fargate-vCPU-Hours:perCPU", "Usage", "96", "3.8861"), ("USE1-Odd", "Usage", "1", "0.1")),
        period("06", ("USE1-SpotUsage-Fargate-GB-Hours", "Usage", "12.5", "0.03")),
        period("06", ("USE1-Fargate-ARM-GB-Hours", "Usage", "120", "0.4")),
    ]
    seed(moto, [{"NextPageToken": f"p{n}", "ResultsByTime": [page]} for n, page in enumerate(pages)])
    source = CostExplorer(clock=lambda: NOW, savings_plans=False)
    store = Store(tmp_path / "store")
    for batch in source.pull(WEEK, store.coverage()):
        store.append(batch.observations, batch.covered)
    found = values(store.history().frame)
    assert found == pytest.approx(
        {
            ("(account)", "billed_vcpu", "10-05 00"): 4.0,
            ("(account)", "cost", "10-05 00"): 3.9861 / 24,
            ("(account)", "billed_memory", "10-06 00"): 132.5 / 24,
            ("(account)", "billed_memory_spot", "10-06 00"): 12.5 / 24,
            ("(account)", "cost", "10-06 00"): 0.43 / 24,
        },
        rel=1e-12,
    )
    assert source.spent.calls == {"GetCostAndUsage": 4}  # moto answers a fourth page, which is empty
    answered = pd.date_range("2026-10-05", periods=2, tz="UTC")
    again = CostExplorer(clock=lambda: NOW, savings_plans=False)
    assert again.outlay(type(WEEK)(answered[0], answered[1] + pd.Timedelta("1D")), store.coverage()).total == 0


def test_a_server_without_savings_plans_still_gives_the_bill(moto: str) -> None:
    seed(moto, [{"ResultsByTime": [period("05", ("EUC1-Fargate-vCPU-Hours:perCPU", "Usage", "24", "1.2"))]}])
    source = CostExplorer(Door(sleep=lambda seconds: None), clock=lambda: NOW)
    observations = source.read(WEEK)
    assert "billed_vcpu" in set(observations.frame["metric"])
    told = [finding for finding in observations.findings if finding.check == "commitments"]
    assert len(told) == 2
    assert all("--no-savings-plans" in finding.advice for finding in told)
