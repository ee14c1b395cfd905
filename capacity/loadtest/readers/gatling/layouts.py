"""Where the fields of a record stand in Gatling's text logs, generation by generation.

The version in the RUN record is not to be trusted (loadtest.md 3.1): a layout is known by the place of the type word
and by the place of the status, which two whole numbers come before.
"""

from __future__ import annotations

from typing import Final, NamedTuple

#: Words that say what a record is. In 2.0 and 2.1 they stand in the third column, in all others in the first.
WORDS: Final = frozenset((b"RUN", b"REQUEST", b"ACTION", b"GROUP", b"USER", b"SCENARIO", b"ASSERTION", b"ERROR"))
THIRD: Final = 2
STATUSES: Final = frozenset((b"OK", b"KO"))
#: What releases before 1.5 called the actions that are a user's first and last.
_SCENARIO_EVENTS: Final = {b"start of scenario": b"START", b"end of scenario": b"END"}


class Layout(NamedTuple):
    """Places of the fields, counted from 0; None where the generation does not tell. `word` is at `at`."""

    word: bytes
    at: int
    status: int  # OK or KO; a message may follow
    start: int
    end: int
    name: int | None  # of a request; a group has none
    groups: int | None = None
    scenario: int | None = None
    user: int | None = None
    cumulated: int | None = None  # of a group: the sum of the response times inside


LAYOUTS: Final = (
    Layout(b"REQUEST", 0, status=5, start=3, end=4, name=2, groups=1),  # 3.4 - 3.12
    Layout(b"REQUEST", 0, status=6, start=4, end=5, name=3, groups=2, user=1),  # 3.0 - 3.3
    Layout(b"REQUEST", 0, status=7, start=5, end=6, name=4, groups=3, user=2, scenario=1),  # 2.2, 2.3
    Layout(b"REQUEST", THIRD, status=9, start=5, end=8, name=4, groups=3, user=1, scenario=0),  # 2.0, 2.1
    Layout(b"ACTION", 0, status=8, start=4, end=7, name=3, user=2, scenario=1),  # 1.x
    Layout(b"GROUP", 0, status=5, start=2, end=3, name=None, groups=1, cumulated=4),  # 3.4 - 3.12
    Layout(b"GROUP", 0, status=6, start=3, end=4, name=None, groups=2, user=1, cumulated=5),  # 3.0 - 3.3
    Layout(b"GROUP", 0, status=7, start=4, end=5, name=None, groups=3, user=2, scenario=1, cumulated=6),  # 2.2, 2.3
    Layout(b"GROUP", THIRD, status=9, start=4, end=5, name=None, groups=3, user=1, scenario=0, cumulated=6),  # 2.0
)


def as_in_1_5(cells: list[bytes]) -> list[bytes]:
    """An ACTION record as 1.5 writes it; earlier releases of 1.x put its end second, and wrote users as actions, too.

    Their times are start, end, end of sending, begin of receiving: known by an end that is not before the other two.
    Source: Gatling's FileDataWriter and FileDataReader of 1.0 to 1.5.

    >>> as_in_1_5(b"ACTION buyers 1 GET/ 1000 1100 1010 1090 OK".split())[4:8]
    [b'1000', b'1010', b'1090', b'1100']
    >>> as_in_1_5([b"ACTION", b"buyers", b"1", b"Start of scenario", b"1000", b"1000", b"1000", b"1000", b"OK"])
    [b'SCENARIO', b'buyers', b'1', b'START', b'1000']
    """
    if len(cells) < 9:
        return cells
    event = _SCENARIO_EVENTS.get(cells[3].lower())
    if event is not None:
        return [b"SCENARIO", cells[1], cells[2], event, cells[4]]
    if not all(is_whole(cell) for cell in cells[4:8]):
        return cells
    start, second, third, fourth = map(int, cells[4:8])
    if second > fourth >= third >= start:
        return [*cells[:5], cells[6], cells[7], cells[5], *cells[8:]]
    return cells


def layout_of(word: bytes, at: int, cells: list[bytes]) -> Layout | None:
    """The layout that this record is written in; None when it is in none of them.

    >>> found = layout_of(b"REQUEST", 0, b"REQUEST cart GET/ 1000 3000 OK".split())
    >>> (found.start, found.end, found.user) if found else None
    (3, 4, None)
    """
    for layout in LAYOUTS:
        if (layout.word, layout.at) == (word, at) and fits(layout, cells):
            return layout
    return None


def fits(layout: Layout, cells: list[bytes]) -> bool:
    """Whether the record has a status and its times where the layout has them."""
    if len(cells) <= layout.status or cells[layout.status] not in STATUSES:
        return False
    return is_whole(cells[layout.start]) and is_whole(cells[layout.end])


def is_whole(cell: bytes) -> bool:
    """Whether the cell is a whole number, perhaps negative."""
    return cell.removeprefix(b"-").isdigit()
