"""`fetch`: a source into a store, in whole batches, asking only for what the store does not know for good."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, astuple, dataclass
from pathlib import Path

from capacity.display import table_html
from capacity.findings import NO_FINDINGS, Findings
from capacity.history.store import Appended, Store
from capacity.sources.base import Source, Span
from capacity.sources.pulling import Batch, Outlay, Pulled, last_days

#: Days to fetch when nothing is said: a quarter.
DAYS = 91


@dataclass(frozen=True)
class Fetched:
    """What a fetch did: rows by their fate, calls and dollars spent, and what was remarkable."""

    appended: Appended
    outlay: Outlay
    findings: Findings = NO_FINDINGS

    def __str__(self) -> str:
        counts = ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in asdict(self.appended).items())
        return f"{counts}; {self.outlay}" if self.outlay.calls else counts

    def _repr_html_(self) -> str:
        return table_html(f"Fetched: {self}", self.findings.frame)


def fetch(
    source: Source,
    store: Store | str | Path,
    span: Span | None = None,
    *,
    progress: Callable[[Appended, Outlay], None] = lambda appended, outlay: None,
) -> Fetched:
    """Read a source and keep what it says. Doing it twice changes nothing; the second time asks only for the rest.

    source    any source. One that is pulled (CloudWatch, Prometheus ...) is asked for what the store does not cover
    store     the history store, or its folder; made if absent
    span      default: for a pulled source the last 91 days, for any other all there is
    progress  called after each batch with what was done so far

    Each batch is committed whole, with what it covers. After an error, or a kill, whole batches are kept, and the next
    fetch goes on from there. Raises InputError before mixing two services of one name, as `Store.append` does.

    >>> import tempfile
    >>> from capacity.samples import sample_path
    >>> from capacity.sources import Files
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first, again = (fetch(Files(sample_path() / "wishlist.parquet"), folder + "/store") for _ in range(2))
    >>> first.appended.rows_added == again.appended.rows_unchanged > 0
    True
    """
    store = store if isinstance(store, Store) else Store(store)
    if not isinstance(source, Pulled):
        observations = source.read(span)
        return Fetched(store.append(observations), Outlay(), observations.findings)
    done, findings = Appended(0, 0, 0), NO_FINDINGS
    for batch in _ahead(source.pull(span if span is not None else last_days(DAYS), store.coverage())):
        done = _both(done, store.append(batch.observations, batch.covered))
        findings = Findings.of(findings, batch.observations.findings)
        progress(done, source.spent)
    return Fetched(done, source.spent, findings)


def _ahead(batches: Iterator[Batch]) -> Iterator[Batch]:
    """Each batch, while the next is being fetched: the network and the disk do not wait for one another.

    Left early, by an error or an interrupt, it waits for the batch under way and then lets the source end its pull.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="fetch") as fetching:
        try:
            coming = fetching.submit(next, batches, None)
            while (batch := coming.result()) is not None:
                coming = fetching.submit(next, batches, None)
                yield batch
        finally:
            coming.exception()
            fetching.submit(getattr(batches, "close", lambda: None)).result()


def _both(first: Appended, second: Appended) -> Appended:
    """Two appends as one."""
    return Appended(*(one + other for one, other in zip(astuple(first), astuple(second), strict=True)))
