"""Everything wrong with an input, collected before anything is said."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from capacity.errors import InputError, Problem

#: How many rows with the same complaint are listed one by one; further ones are counted in one sentence.
LISTED = 1000


class Problems:
    """A growing list of Problem, and the advice that goes with them.

    >>> found = Problems()
    >>> found.rows("usage.csv", np.array([17, 21]), lambda i: "value 'n/a?' is not a number")
    >>> [str(problem) for problem in found]
    ["usage.csv row 17: value 'n/a?' is not a number", "usage.csv row 21: value 'n/a?' is not a number"]
    """

    def __init__(self) -> None:
        self._found: list[Problem] = []
        self._advice: dict[str, None] = {}

    def __iter__(self) -> Iterator[Problem]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def add(self, message: str, where: str = "", advice: str = "") -> None:
        """One problem, and what to do about it."""
        self._found.append(Problem(message, where))
        if advice:
            self._advice[advice] = None

    def rows(self, file: str, rows: np.ndarray, message: Callable[[int], str], advice: str = "") -> None:
        """One problem a row; `message` is given the position within `rows`."""
        for position, row in enumerate(rows[:LISTED].tolist()):
            self.add(message(position), f"{file} row {row}", advice)
        if len(rows) > LISTED:
            last = f"{file} row {rows[LISTED]}"
            self.add(f"and {len(rows) - LISTED:,} further rows with the like: {message(LISTED)}", last)

    def words(
        self, file: str, rows: np.ndarray, codes: np.ndarray, message: Callable[[int], str], advice: str = ""
    ) -> None:
        """One problem for each distinct word among the rows, at the first of them; `message` is given its code."""
        for code in dict.fromkeys(codes.tolist()):
            having = rows[codes == code]
            more = f" (and {len(having) - 1:,} rows more)" if len(having) > 1 else ""
            self.add(f"{message(code)}{more}", f"{file} row {having[0]}", advice)

    def raise_any(self, message: str) -> None:
        """Raise InputError with all of them, in order of file and row, if there are any."""
        if self._found:
            raise InputError(message, sorted(self._found, key=_place), "\n".join(self._advice))


def _place(problem: Problem) -> tuple[str, int]:
    """File and row; what concerns a whole file comes first."""
    file, _, row = problem.where.rpartition(" row ")
    return (file, int(row)) if file and row.isdigit() else (problem.where, 0)
