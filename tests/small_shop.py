"""A small shop to run the commands of the documentation in: four services of the sample fleet, four weeks, quick.

The folder looks as a reader's does who followed the pages: capacity.toml, the sample under data/samples, a store,
results of a load test, a CSV of usage, a log of a cache, and a plan that was kept two weeks ago.
"""

from __future__ import annotations

import gzip
import re
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from capacity.config import load_config
from capacity.demand import estimate_demand
from capacity.forecasting import forecast
from capacity.history import Store, read
from capacity.planning import plan
from capacity.reviewing import Snapshot
from tests.conftest import ROOT
from tests.sources.cloudwatch.seeding import client, seed

#: Those that pages name.
SERVICES: Final = ("checkout", "partner-api", "storefront", "wishlist")
REGION: Final = "eu-west-1"
#: The hours that are kept: four weeks, of which a policy is rehearsed on.
SPAN: Final = (pd.Timestamp("2026-10-19", tz="UTC"), pd.Timestamp("2026-11-16", tz="UTC"))
#: A plan made then has two weeks to be held against.
PLANNED: Final = pd.Timestamp("2026-11-02", tz="UTC")
#: What of the sample's settings costs time, and what does here: 21 days reach 1 December, of which pages ask.
QUICKER: Final = {
    'horizon = "91d"': 'horizon = "21d"',
    'model = "auto"': 'model = "profile"',
    "paths = 400": "paths = 60",
    'services = ["checkout", "search"]': 'services = ["checkout"]',
}
#: What commands ask for that the sample does not state.
MORE: Final = """
[[instance]]
name = "m7g.2xlarge"
vcpu = 8
memory_gib = 32
usd_per_hour = 0.35

[[budget]]
name = "shop"
usd_per_month = 9000
"""


def build(folder: Path) -> Path:
    """Write the shop into `folder`, which exists."""
    samples = folder / "data" / "samples"
    samples.mkdir(parents=True)
    text = settings()
    (samples / "capacity.toml").write_text(text, encoding="utf-8")
    (folder / "capacity.toml").write_text(text.replace('history = "."', 'history = "data/samples"'), encoding="utf-8")
    hours(samples)
    seen = read(samples)
    cdn(seen.series("storefront", "requests"), samples / "cdn.csv")
    Store(folder / "history").append(seen)
    seen.series("checkout", "requests").rename("checkout").to_csv(folder / "usage.csv", index_label="timestamp")
    packed = (ROOT / "data" / "samples" / "load-tests" / "one-task.jtl.gz").read_bytes()
    (folder / "results.jtl").write_bytes(gzip.decompress(packed))
    (folder / "logs").mkdir()
    (folder / "logs" / "access.log").write_text("\n".join(asked(3000)) + "\n", encoding="utf-8")
    keep(folder)
    return folder


def settings() -> str:
    """The sample's capacity.toml, of these services, quick."""
    head, *services = (ROOT / "data" / "samples" / "capacity.toml").read_text(encoding="utf-8").split("[[service]]\n")
    for slow, quick in QUICKER.items():
        assert slow in head, slow
        head = head.replace(slow, quick)
    ours = [text for text in services if re.findall(r'^name = "(.*)"', text)[0] in SERVICES]
    return "[[service]]\n".join((head, *ours)) + MORE


def hours(samples: Path) -> None:
    """The services' own files, cut to the span and to hours."""
    import duckdb

    first, last = (moment.isoformat() for moment in SPAN)
    with duckdb.connect() as connection:
        for name in SERVICES:
            whole, kept = ROOT / "data" / "samples" / f"{name}.parquet", samples / f"{name}.parquet"
            within = f"interval = 3600 AND timestamp >= '{first}' AND timestamp < '{last}'"
            connection.execute(f"COPY (SELECT * FROM '{whole}' WHERE {within}) TO '{kept}' (FORMAT parquet)")


def cdn(behind: pd.Series, path: Path) -> None:
    """What came to the CDN of which a fifth or so went through to the service."""
    before = behind * np.random.default_rng(5).normal(5, 0.1, len(behind))
    table = pd.DataFrame(
        {"service": "storefront", "metric": "cdn_requests", "timestamp": before.index, "value": before}
    )
    table.to_csv(path, index=False)


def asked(lines: int) -> list[str]:
    """An access log in the common log format: keys by Zipf's law, ten requests a second."""
    keys = np.minimum(np.random.default_rng(6).zipf(1.5, lines), 500)
    start = pd.Timestamp("2026-11-15T12:00:00Z")
    stamps = [f"{start + pd.Timedelta(seconds=line // 10):%d/%b/%Y:%H:%M:%S +0000}" for line in range(lines)]
    return [
        f'10.0.0.1 - - [{stamp}] "GET /item/{key} HTTP/1.1" 200 512' for stamp, key in zip(stamps, keys, strict=True)
    ]


def keep(folder: Path) -> None:
    """The plan of two weeks ago, as it would have been kept then."""
    config = load_config(folder / "capacity.toml")
    known = estimate_demand(read(folder / "data" / "samples"), config.service, interval="1h").until(PLANNED)
    told: Any = {"services": config.service, "events": config.event}
    ahead = forecast(known, config.goal.horizon, model=config.forecast.model, paths=config.forecast.paths, **told)
    (folder / "plans").mkdir()
    Snapshot.of(plan(ahead, config), config, demand=known).save(folder / "plans" / "2026Q4.plan")


def credentials(address: str) -> dict[str, str]:
    """What a shell has set that works with this account, and no other."""
    nowhere = {"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null"}
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
    return {"AWS_ENDPOINT_URL": address, "AWS_REGION": REGION, **keys, **nowhere}


def open_account(address: str) -> None:
    """The cluster `shop` with its first service, and an hour of what CloudWatch measured; what stood there is gone.

    moto takes more than a second to answer for the 455 days of a service: the others `join`.
    """
    urllib.request.urlopen(urllib.request.Request(f"{address}/moto-api/reset", method="POST")).close()
    ecs = client("ecs", address, REGION)
    ecs.create_cluster(clusterName="shop")
    ecs.register_task_definition(
        family="web", cpu="1024", memory="2048", containerDefinitions=[{"name": "web", "image": "web", "memory": 512}]
    )
    join(address, SERVICES[:1])
    of = {"ClusterName": "shop", "ServiceName": SERVICES[0]}
    stamps = pd.date_range(end=pd.Timestamp.now(tz="UTC").floor("min") - pd.Timedelta("10min"), periods=60, freq="min")
    for metric in ("CPUUtilization", "MemoryUtilization"):
        seed(address, "AWS/ECS", metric, of, stamps, lambda n: (4, 4 * (30 + n / 4), 20, 50), REGION)


def join(address: str, names: Sequence[str] = SERVICES[1:]) -> None:
    """Services of the cluster that measure nothing: enough to be compared with a policy."""
    ecs = client("ecs", address, REGION)
    for name in names:
        ecs.create_service(cluster="shop", serviceName=name, taskDefinition="web", desiredCount=4)
