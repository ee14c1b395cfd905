"""One file a format: what load-test tools write, read as `Samples` (every request) or `Summary` (statistics only).

`READERS` is the order in which formats are tried; each recognises its own by content.
"""

from capacity.loadtest.readers import blazemeter, gatling, jmeter, k6, locust, taurus
from capacity.loadtest.readers.base import ResultReader

READERS: tuple[ResultReader, ...] = (
    *gatling.READERS,
    *k6.READERS,
    *locust.READERS,
    *taurus.READERS,
    *blazemeter.READERS,
    *jmeter.READERS,
)
