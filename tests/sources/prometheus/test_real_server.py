"""What a real Prometheus server says of a month that we know to the last digit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pandas as pd
import pytest

from capacity.errors import InputError, SourceDenied, SourceError
from capacity.history import Store, fetch
from capacity.sources.base import Observations, Span
from capacity.sources.prometheus import Basic, Prometheus, Query, preset
from capacity.sources.pulling import Pulled
from tests.sources.prometheus import month
from tests.sources.prometheus.server import Server, free_port

MONTH = Span(month.START, month.END)
#: Newer servers heed lookback_delta; Debian's repeats a gauge for five minutes after its last scrape, as documented.
LOOKBACK = 300

pytestmark = pytest.mark.xdist_group("prometheus")  # one server for all of them
GAUGE = Query("cpu", "vcpu_in_use", step=15)


def source(server: Server, *queries: Query, **settings: object) -> Prometheus:
    return Prometheus(server.url, queries or (GAUGE,), clock=lambda: month.NOW, **settings)  # type: ignore[arg-type]


def series(observations: Observations, service: str) -> pd.Series:
    """Stamp of the end of each interval, seconds -> value."""
    frame = observations.frame[observations.frame["service"] == service]
    ends = frame["timestamp"].array.asi8 // 1_000_000 + frame["interval"].to_numpy()
    return pd.Series(frame["value"].to_numpy(), index=ends)


def test_thirty_days_at_fifteen_seconds_come_back_to_the_last_digit(server: Server, tmp_path: Path) -> None:
    pulled = source(server)
    assert isinstance(pulled, Pulled)
    estimate = pulled.outlay(MONTH)
    fetched = fetch(pulled, Store(tmp_path / "store", clock=lambda: month.NOW), MONTH)
    kept = Store(tmp_path / "store").history().frame
    assert fetched.appended.rows_added == len(kept) > 2 * 170_000
    assert estimate.calls == fetched.outlay.calls == fetched.outlay.least == {"query_range": -(-172_800 // 11_000)}
    assert (kept["source"].astype("str") == f"prometheus:127.0.0.1:{server.port}").all()
    for service in month.SERVICES:
        found = series(Observations.of(kept, "store"), service)
        expected = pd.Series(month.gauge(service)[month.SCRAPED], index=month.STAMPS[month.SCRAPED])
        outside = found[(found.index <= month.GAP[0]) | (found.index > month.GAP[1])]
        pd.testing.assert_series_equal(outside, expected, check_exact=True)


def test_a_gap_of_the_scrapes_is_a_gap(server: Server) -> None:
    around = Span(pd.Timestamp(month.GAP[0] - 3600, unit="s", tz="UTC"), pd.Timestamp(month.GAP[1], unit="s", tz="UTC"))
    raw = series(source(server).read(around), "search")
    assert raw.index.max() <= month.GAP[0] + LOOKBACK
    averaged = Query("cpu", "avg_over_time(vcpu_in_use[$__interval])", step=60)
    assert series(source(server, averaged).read(around), "search").index.max() <= month.GAP[0] + 60


def test_a_counter_is_read_as_the_rate_of_its_own_interval(server: Server) -> None:
    """The pace changes at every full hour: a value stamped one step off would show it."""
    day = Span(month.START + pd.Timedelta(days=2), month.START + pd.Timedelta(days=3))
    rates = series(source(server, preset("http-requests", step=60)).read(day), "search")
    pace = pd.Series(month.increments("search") / 15, index=month.STAMPS)
    expected = pace.groupby(-(-pace.index.to_numpy() // 60) * 60).mean()
    pd.testing.assert_series_equal(rates, expected[rates.index], check_names=False, rtol=1e-9)
    assert len(rates) == 1440


def test_the_second_fetch_asks_only_for_the_new_tail(server: Server, tmp_path: Path) -> None:
    store = Store(tmp_path / "store", clock=lambda: month.NOW)
    early = month.START + pd.Timedelta(days=3)
    hourly = Query("cpu", "avg_over_time(vcpu_in_use[1h])", step=3600)

    def at(now: pd.Timestamp) -> Prometheus:
        return Prometheus(server.url, (hourly,), clock=lambda: now)

    fetch(at(early), store, Span(month.START, early))
    settled = store.history().frame
    again = fetch(at(early), store, Span(month.START, early))
    assert again.outlay.calls == {"query_range": 1}  # the last hour ended less than five minutes ago
    assert again.appended.rows_unchanged == len(month.SERVICES)
    later = early + pd.Timedelta("2h30min")
    more = fetch(at(later), store, Span(month.START, later))
    assert more.appended.rows_added == 2 * len(month.SERVICES)
    assert more.appended.rows_unchanged == len(month.SERVICES)
    frame = store.history().frame
    pd.testing.assert_frame_equal(frame[frame["timestamp"] < early].reset_index(drop=True), settled)


def test_the_step_that_has_not_ended_is_left_out_and_the_newest_are_not_settled(server: Server) -> None:
    now = month.START + pd.Timedelta("2h10min20s")
    pulled = Prometheus(server.url, (GAUGE,), clock=lambda: now)
    (batch,) = pulled.pull(Span(month.START, month.END))
    last = batch.observations.frame["timestamp"].max()
    assert last == month.START + pd.Timedelta("2h10min")  # the one that ended at 2:10:15
    ((_, covered),) = batch.covered
    assert covered == Span(month.START, month.START + pd.Timedelta("2h5min15s"))


def test_a_restart_in_the_middle_of_a_pull_is_survived(server: Server, tmp_path: Path) -> None:
    days = Span(month.START + pd.Timedelta(days=9), month.START + pd.Timedelta(days=12))
    mine, waits = Server(_copied(server, tmp_path)).start(), []

    def wait(seconds: float) -> None:
        """It is back when we have waited for the second time."""
        waits.append(seconds)
        if len(waits) == 2:
            mine.start()

    pulled, found = source(mine, max_points=1000, sleep=wait), []
    try:
        for number, batch in enumerate(pulled.pull(days)):
            found.append(batch.observations.frame)
            if number == 3:
                mine.stop()
    finally:
        mine.stop()
    assert len(waits) == 2
    assert pulled.spent.calls["query_range"] == pulled.spent.least["query_range"] + 2 == 18 + 2
    frame = pd.concat(found).astype({"service": "str"}).sort_values(["service", "timestamp"], ignore_index=True)
    undisturbed = source(server).read(days).frame.astype({"service": "str"})
    pd.testing.assert_frame_equal(frame, undisturbed, check_exact=True)


def _copied(server: Server, folder: Path) -> Path:
    """The blocks of a running server, which it never changes."""
    data = folder / "server" / "data"
    for block in server.data.glob("01*"):
        shutil.copytree(block, data / block.name)
    return data


def test_a_server_that_was_never_there_is_told_at_once(tmp_path: Path) -> None:
    waits: list[float] = []
    pulled = Prometheus(f"http://127.0.0.1:{free_port()}", (GAUGE,), clock=lambda: month.NOW, sleep=waits.append)
    with pytest.raises(SourceError, match="no connection") as caught:
        pulled.read(MONTH)
    assert "Does the server run" in str(caught.value)
    assert len(waits) == 4


@pytest.fixture(scope="module")
def guarded(month_of_data: Server, tmp_path_factory: pytest.TempPathFactory) -> Server:
    """A second server over the same blocks: it lets in one user, and reads no more than 25,000 samples a query."""
    import bcrypt

    folder = tmp_path_factory.mktemp("guarded")
    hashed = bcrypt.hashpw(b"s3cret-w0rd", bcrypt.gensalt(4)).decode()
    (folder / "web.yml").write_text(f'basic_auth_users:\n  reader: "{hashed}"\n', encoding="utf-8")
    flags = {"web.config.file": str(folder / "web.yml"), "query.max-samples": "25000"}
    return Server(_copied(month_of_data, folder), flags)


def test_a_limit_on_samples_halves_the_calls_and_loses_nothing(
    guarded: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PROMETHEUS_PASSWORD", "s3cret-w0rd")
    week = Span(month.START, month.START + pd.Timedelta(days=7))
    guarded.start()
    try:
        pulled = source(guarded, GAUGE, preset("http-requests", step=60), access=Basic("reader", "PROMETHEUS_PASSWORD"))
        found = pulled.read(week)
        with pytest.raises(SourceDenied) as caught:
            source(guarded, access=Basic("reader", "PATH")).read(week)
    finally:
        guarded.stop()
    values = series(Observations.of(found.frame[found.frame["metric"] == "cpu"], "cpu"), "checkout")
    pd.testing.assert_series_equal(
        values, pd.Series(month.gauge("checkout"), index=month.STAMPS)[: 7 * 5760], check_exact=True
    )
    assert pulled.spent.calls["query_range"] > pulled.spent.least["query_range"]
    assert "s3cret" not in repr(pulled) + str(caught.value)
    assert "not let in (HTTP 401)" in str(caught.value)


def test_what_is_wrong_with_a_query_is_said_by_the_server_itself(server: Server) -> None:
    with pytest.raises(InputError, match="parse error") as caught:
        source(server, Query("cpu", "sum by (service (vcpu_in_use)")).read(MONTH)
    assert "sum by (service (vcpu_in_use)" in str(caught.value)
    with pytest.raises(InputError, match="several series of service 'checkout'"):
        source(server, Query("cpu", 'label_replace({service="checkout"}, "a", "$1", "__name__", "(.*)")')).read(MONTH)


def test_a_label_called_limit_is_no_limit(server: Server) -> None:
    paired = 'vcpu_in_use + on() group_left() label_replace(vcpu_in_use, "memory_limit", "1", "", "")'
    with pytest.raises(InputError, match=r"cannot answer this query\. The server said: found duplicate series"):
        source(server, Query("cpu", paired)).read(Span(month.START, month.START + pd.Timedelta("1h")))
