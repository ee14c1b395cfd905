"""Fetching: whole batches, only what is not known yet, and never two services under one name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest

from capacity.errors import InputError, StoreError
from capacity.history import Store, fetch
from capacity.history.disk import one_writer
from capacity.history.manifest import LOCK
from capacity.sources import Observations, Span
from capacity.sources.coverage import NOTHING, Asked, Coverage
from capacity.sources.pulling import Batch, Outlay, Pulled, last_days, pulled

START = pd.Timestamp("2026-08-03", tz="UTC").as_unit("us")
DAY = pd.Timedelta(days=1)


@dataclass
class Clockwork:
    """A source of the simplest kind: the hour's number at every hour up to `now`, one call and one batch a service.

    The last three hours have not settled: they are stored, read again, and worth one more each time they are read.
    """

    services: tuple[str, ...]
    now: pd.Timestamp
    cluster: str = "shop"
    fail_at: str = ""
    asked: list[tuple[str, Span]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"clockwork:{self.cluster}"

    @property
    def spent(self) -> Outlay:
        return Outlay({"Tick": len(self.asked)}, usd=0.01 * len(self.asked))

    def outlay(self, span: Span, known: Coverage = NOTHING) -> Outlay:
        return Outlay({"Tick": len(self.services)})

    def pull(self, span: Span, known: Coverage = NOTHING) -> Iterator[Batch]:
        settled = self.now - pd.Timedelta(hours=3)
        for service in self.services:
            asked = Asked(self.name, service, "requests", "mean", 3600)
            for part in known.missing(asked, span):
                if service == self.fail_at:
                    raise ConnectionError("the other side hung up")
                self.asked.append((service, part))
                stamps = pd.date_range(part.start, part.end, freq="h", inclusive="left", unit="us")
                values = (stamps - START) / pd.Timedelta(hours=1) + (stamps >= settled) * len(self.asked)
                rows = pd.DataFrame(
                    {
                        "service": service,
                        "metric": "requests",
                        "stat": "mean",
                        "interval": 3600,
                        "timestamp": stamps,
                        "value": values,
                    }
                )
                covered = Coverage.of([(asked, Span(part.start, min(part.end, settled)))])
                yield Batch(Observations.of(rows, self.name), covered)

    def read(self, span: Span | None = None) -> Observations:
        return pulled(self, span if span is not None else last_days(1, self.now))


def test_the_second_fetch_asks_only_for_the_rest_and_leaves_settled_rows_alone(tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    first = fetch(Clockwork(("api", "web"), START + DAY), store, Span(START, START + DAY))
    assert (first.appended.rows_added, first.outlay.total) == (48, 2)
    before = store.history().frame
    later = Clockwork(("api", "web"), START + 2 * DAY)
    again = fetch(later, store, Span(START, START + 2 * DAY))
    assert [span for _, span in later.asked] == [Span(START + pd.Timedelta(hours=21), START + 2 * DAY)] * 2
    assert (again.appended.rows_added, again.appended.rows_unchanged + again.appended.rows_revised) == (48, 6)
    settled = before[before["timestamp"] < START + pd.Timedelta(hours=21)]
    kept = store.history().frame
    merged = settled.merge(kept, on=["service", "timestamp"], suffixes=("", "_now"))
    assert len(merged) == 42
    assert (merged["value"] == merged["value_now"]).all()
    assert (merged["fetched_at"] == merged["fetched_at_now"]).all()


def test_a_source_that_is_pulled_can_also_simply_be_read() -> None:
    source = Clockwork(("web", "api"), START + DAY)
    assert isinstance(source, Pulled)
    assert list(source.read(Span(START, START + DAY)).frame["service"].unique()) == ["api", "web"]
    assert len(source.read(Span(START, START))) == 0


def test_what_came_before_an_error_stays_and_is_not_asked_for_again(tmp_path: Path) -> None:
    store, span = Store(tmp_path / "store"), Span(START, START + DAY)
    with pytest.raises(ConnectionError):
        fetch(Clockwork(("api", "shop", "web"), START + 2 * DAY, fail_at="shop"), store, span)
    assert store.history().services == ["api"]
    source = Clockwork(("api", "shop", "web"), START + 2 * DAY)
    fetch(source, store, span)
    assert [service for service, _ in source.asked] == ["shop", "web"]
    assert len(store.history()) == 72


def test_two_services_of_one_name_are_refused_before_they_mix(tmp_path: Path) -> None:
    store, span = Store(tmp_path / "store"), Span(START, START + DAY)
    fetch(Clockwork(("web",), START + DAY, cluster="blue"), store, span)
    with pytest.raises(InputError, match=r"from clockwork:blue already.*two services with one name") as caught:
        fetch(Clockwork(("web",), START + DAY, cluster="green"), store, span)
    assert "--prefix" in str(caught.value)
    assert set(store.history().frame["source"]) == {"clockwork:blue"}


def test_two_services_of_one_name_do_not_mix_when_they_are_fetched_at_the_same_time(tmp_path: Path) -> None:
    """Each began when the store knew of neither."""
    store, span = Store(tmp_path / "store"), Span(START, START + DAY)

    class Slow(Clockwork):
        def pull(self, span: Span, known: Coverage = NOTHING) -> Iterator[Batch]:
            fetch(Clockwork(("web",), START + DAY, cluster="blue"), store, span)
            yield from super().pull(span, known)

    with pytest.raises(InputError, match=r"from clockwork:blue already.*two services with one name"):
        fetch(Slow(("web",), START + DAY, cluster="green"), store, span)
    assert set(store.history().frame["source"]) == {"clockwork:blue"}
    assert store.info().commits == 1
    assert fetch(Clockwork(("web",), START + 2 * DAY, cluster="blue"), store, span).appended.rows_revised == 3


def test_progress_is_told_after_each_batch(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    source = Clockwork(("api", "web"), START + DAY)
    fetch(
        source,
        tmp_path / "store",
        Span(START, START + DAY),
        progress=lambda appended, outlay: told.append((appended.rows_added, outlay.total)),
    )
    assert [rows for rows, _ in told] == [24, 48]
    assert all(calls >= place + 1 for place, (_, calls) in enumerate(told))  # the next batch may be under way
    assert told[-1][1] == 2


def test_a_fetch_says_what_it_did_and_what_it_cost(tmp_path: Path) -> None:
    fetched = fetch(Clockwork(("api",), START + DAY), tmp_path / "store", Span(START, START + DAY))
    assert str(fetched) == (
        "24 rows added, 0 rows revised, 0 rows unchanged, 0 rows outdated; 1 Tick call, at most $0.0100"
    )


def test_an_error_of_the_store_ends_the_pull(tmp_path: Path) -> None:
    """Nothing goes on asking, and paying, for a store that cannot keep what comes."""
    ended: list[str] = []

    class Watched(Clockwork):
        def pull(self, span: Span, known: Coverage = NOTHING) -> Iterator[Batch]:
            try:
                yield from super().pull(span, known)
            finally:
                ended.append("ended")

    source = Watched(tuple(f"service-{number}" for number in range(9)), START + DAY)
    store = Store(tmp_path / "store", wait=0.1)
    store.append(Clockwork(("api",), START + DAY).read())
    with one_writer(tmp_path / "store" / LOCK, 1), pytest.raises(StoreError, match="another process"):
        fetch(source, store, Span(START, START + DAY))
    assert ended == ["ended"]
    assert len(source.asked) <= 2
