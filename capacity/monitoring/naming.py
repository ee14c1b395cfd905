"""Names of alarms and of the files of their pages: plain, whatever a service is called, and told apart.

An alarm's name stands in ARNs, in rules of composite alarms, in links and in shells. So it holds letters, digits, dots,
dashes and underscores; what a service is really called, the alarm says in `service`.
"""

from __future__ import annotations

import re
from typing import Final
from zlib import crc32

#: Longest name of an alarm, in letters. Source: CloudWatch API, PutMetricAlarm, "AlarmName" (aws.md 7.1).
LONGEST_NAME: Final = 255

#: Longest part of a name that comes from a service, or from an SLO: an alarm's name then fits with any prefix, and a
#: file's name into the 255 bytes that most file systems allow.
LONGEST_PART: Final = 90


def named(prefix: str, service: str, ending: str) -> str:
    """An alarm's name: the same for the same service in every plan.

    >>> named("capacity", "web", "burn_fast"), named("capacity", "web api", "leak"), named("capacity", "", "quota")
    ('capacity-web-burn_fast', 'capacity-web_api-fd1e253c-leak', 'capacity-quota')
    """
    return "-".join(part for part in (prefix, plain(service), plain(ending)) if part)


def page(service: str, ending: str) -> str:
    """File name of a runbook's page.

    >>> page("web", "burn_fast"), page("a/../b", "leak")
    ('web--burn_fast.md', 'a_.._b-f2654e77--leak.md')
    """
    return f"{plain(service) or 'account'}--{plain(ending)}.md"


def plain(text: str) -> str:
    """Without what is not plain; a text that cannot stand as it is gets a checksum, so that no two become one."""
    kept = re.sub(r"[^A-Za-z0-9._-]", "_", text)[:LONGEST_PART]
    return kept if kept == text else f"{kept}-{crc32(text.encode('utf-8', 'surrogatepass')):08x}"
