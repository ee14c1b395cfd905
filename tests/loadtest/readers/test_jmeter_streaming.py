"""Files larger than what is held of them: rows stay whole, in order, and of the kind they are."""

from __future__ import annotations

from pathlib import Path

import pytest

from capacity.loadtest.readers.base import Reading, ResultFile
from capacity.loadtest.readers.jmeter.columns import WITHIN
from capacity.loadtest.readers.jmeter.csv import JMeterCsv
from capacity.loadtest.samples import CONTAINER, REQUEST
from tests.loadtest.readers.jmeter import table
from tests.loadtest.readers.reading import written

HEADER = "timeStamp,elapsed,label,threadName,success,responseMessage\n"


def pages(pairs: int) -> str:
    """Pages, each with its one part behind it."""
    return "".join(f"{i * 10},9,p,m 1-1,true,\n{i * 10},5,p-0,m 1-1,true,\n" for i in range(pairs))


@pytest.mark.parametrize("chunk", [100_000, 8 * 2**20])
def test_a_container_is_known_wherever_batches_are_cut(chunk: int, tmp_path: Path) -> None:
    rows, _ = table(written(tmp_path, HEADER + pages(75_000)), JMeterCsv(chunk))
    assert rows["kind"].tolist() == [CONTAINER, REQUEST] * 75_000
    assert rows["start"].tolist() == [i * 10_000 for i in range(75_000) for _ in range(2)]


@pytest.mark.parametrize(("between", "kind"), [(WITHIN - 1, CONTAINER), (WITHIN, REQUEST)])
@pytest.mark.parametrize("chunk", [5_000, 8 * 2**20])
def test_a_part_may_stand_some_thousand_rows_of_other_threads_behind(
    between: int, kind: int, chunk: int, tmp_path: Path
) -> None:
    others = "".join(f"0,9,q,m 1-{2 + i},true,\n" for i in range(between))
    text = f"{HEADER}0,9,p,m 1-1,true,\n{others}0,5,p-0,m 1-1,true,\n"
    rows, _ = table(written(tmp_path, text), JMeterCsv(chunk))
    assert rows["kind"].tolist() == [kind] + [REQUEST] * (between + 1)


def test_a_thread_for_every_arrival_and_a_label_for_every_address_are_all_kept_apart(tmp_path: Path) -> None:
    count = 10_000
    rows = "".join(f"{i},1,GET /item/{i},arrivals 1-{i},true,{'x' * (i % 7)}\n" for i in range(count))
    found, _ = table(written(tmp_path, HEADER + rows), JMeterCsv(50_000))
    assert found["label"].tolist() == [f"GET /item/{i}" for i in range(count)]
    assert set(found["group"]) == {"arrivals"}
    assert set(found["kind"]) == {REQUEST}


def test_a_text_may_be_longer_than_all_others_together(tmp_path: Path) -> None:
    label = "a" * 300_000 + ", b"
    rows, _ = table(written(tmp_path, f'{HEADER}1,1,x,m 1-1,true,\n2,1,"{label}",m 1-1,true,\n'), JMeterCsv(1_000))
    assert rows["label"].tolist() == ["x", label]


def test_batches_are_bounded_whatever_the_length_of_the_file(tmp_path: Path) -> None:
    file = ResultFile(written(tmp_path, HEADER + pages(100_000)))
    sizes = [len(batch) for batch in JMeterCsv().samples(file, Reading())]
    assert sum(sizes) == 200_000
    assert max(sizes) <= 65_536 + WITHIN
