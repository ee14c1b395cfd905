"""k6's `--out json`: a line of JSON a measurement."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar, Final

from capacity.loadtest.readers.base import Reading, ResultFile
from capacity.loadtest.readers.k6.requests import DURATION, FAILED, OTHERS, USERS, Requests
from capacity.loadtest.readers.lines import Damage, whole_lines
from capacity.loadtest.samples import Samples

_KNOWN: Final = re.compile(r'^\{[^\n]*"type"\s*:\s*"(Metric|Point)"')
_WANTED: Final = re.compile("|".join(f'"{metric}"' for metric in (DURATION, FAILED, USERS, *OTHERS)).encode())


class K6JsonLines:
    """Requests of k6's JSON lines, as `K6Csv` has them; their stamps are fine."""

    name: ClassVar[str] = "k6 JSON lines"

    def recognises(self, file: ResultFile) -> bool:
        return _KNOWN.match(file.text) is not None and '"metric"' in file.text

    def samples(self, file: ResultFile, reading: Reading) -> Iterator[Samples]:
        requests, damage = Requests(reading), Damage()
        count = 0
        for lines in whole_lines(file, reading):
            for line in lines:
                count += 1
                if _WANTED.search(line) and not _add(requests, line):
                    damage.add(count)
            if len(requests):
                yield requests.taken()
        if count and not lines[-1].rstrip().endswith(b"}") and damage.last != count:
            damage.add(count)  # of a measurement that is not read, or cut before its name
        damage.note(file.path, reading, count)
        requests.note(file.path, reading)


def _add(requests: Requests, line: bytes) -> bool:
    """Hand a measurement over; False where the line is not whole."""
    try:
        point: Any = json.loads(line.decode("utf-8", errors="replace"))
        if point["type"] != "Point":
            return True
        metric, data = point["metric"], point["data"]
        stamp, value, tags = data["time"], data["value"], data.get("tags") or {}
    except (ValueError, RecursionError, KeyError, TypeError, AttributeError):  # cut short, or of another shape
        return False
    if not (isinstance(tags, dict) and isinstance(stamp, str)):
        return False
    return requests.add(metric, stamp, value, {name: str(tag) for name, tag in tags.items()})
