"""Numbers, dates and names in words: the one place that decides how a quantity is written for people.

None and NaN are "unknown", never 0 and never blank. Times are UTC. A thin space is not used: copied text stays plain.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import pandas as pd

from capacity.forecasting.knowledge.knowing import TOLD
from capacity.planning.words import listed as listed
from capacity.planning.words import percent as _percent
from capacity.planning.words import spoken_date

UNKNOWN = "unknown"


def missing(value: float | None) -> bool:
    return value is None or not math.isfinite(value)


def known(value: Any) -> float | None:
    """A number of a table as plain data: None for what is missing."""
    return None if missing(value) else float(value)


def stamped(time: Any) -> str | None:
    """A moment of a table as plain data: ISO 8601, None for what is missing."""
    return None if time is None or pd.isna(time) else str(time.isoformat())


def number(value: float | None, digits: int = 3) -> str:
    """At least `digits` significant digits, thousands separated, no digits after the point that say nothing.

    >>> number(12345.6), number(0.04937), number(2.5), number(float("nan"))
    ('12,346', '0.0494', '2.5', 'unknown')
    >>> number(1_250_000), number(0.0), number(1e-9)
    ('1,250,000', '0', '1e-09')
    """
    if value is None or missing(value):
        return UNKNOWN
    if value < 0:
        return f"−{number(-value, digits)}"
    if value == 0:
        return "0"
    if abs(value) < 1e-4:
        return f"{value:.{digits}g}"
    decimals = max(0, digits - 1 - math.floor(math.log10(abs(value))))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def quantity(value: float | None, unit: str) -> str:
    """A number with its unit.

    >>> quantity(3, "tasks"), quantity(1, "tasks"), quantity(None, "vCPU")
    ('3 tasks', '1 task', 'unknown')
    """
    if missing(value):
        return UNKNOWN
    if unit == "tasks" and value == 1:
        unit = "task"
    return f"{number(value)} {unit}".strip()


def usd(value: float | None) -> str:
    """Dollars: whole from 10 on, cents below.

    >>> usd(12345.6), usd(4.2), usd(float("nan")), usd(-310.0)
    ('12,346 USD', '4.20 USD', 'unknown', '−310 USD')
    """
    return UNKNOWN if missing(value) else f"{amount(value)} USD"


def amount(value: float | None) -> str:
    """Dollars without the word, for a column whose heading says USD.

    >>> amount(1240.4), amount(0.5), amount(None)
    ('1,240', '0.50', 'unknown')
    """
    if value is None or missing(value):
        return UNKNOWN
    sign = "−" if round(value, 2) < 0 else ""
    return f"{sign}{abs(value):,.{2 if 0 < abs(value) < 10 else 0}f}"


def usd_change(value: float | None) -> str:
    """A change in spend, with its sign.

    >>> usd_change(1240.0), usd_change(-310.0), usd_change(0.0)
    ('+1,240 USD', '−310 USD', '0 USD')
    """
    if value is None or missing(value):
        return UNKNOWN
    return f"+{usd(value)}" if round(value, 2) > 0 else usd(value)


def percent(share: float | None) -> str:
    """A probability, rounded towards doubt as decisions are: never certain, never impossible.

    >>> percent(0.928), percent(1.0), percent(0.0), percent(None)
    ('92 %', '>99 %', '<1 %', 'unknown')
    """
    return UNKNOWN if share is None or missing(share) else _percent(share)


def share(part: float | None) -> str:
    """A measured share, to the nearest percent: 0 % is none, and 100 % is all.

    >>> share(0.914), share(0.004), share(0.0), share(1.0), share(float("nan"))
    ('91 %', '0.4 %', '0 %', '100 %', 'unknown')
    """
    if part is None or missing(part):
        return UNKNOWN
    return f"{100 * part:.1f} %" if 0 < part < 0.02 else f"{100 * part:.0f} %"


def date(time: pd.Timestamp | str | None) -> str:
    """A day.

    >>> date(pd.Timestamp("2027-01-14T05:00Z")), date(None)
    ('14 January 2027', '')
    """
    if time is None or pd.isna(time):
        return ""
    return spoken_date(_utc(time))


def last_day(end: pd.Timestamp | str) -> str:
    """The day before an end that is not included.

    >>> last_day("2027-02-22T00:00:00Z"), last_day("2027-02-22T14:00:00Z")
    ('21 February 2027', '22 February 2027')
    """
    return date(_utc(end) - pd.Timedelta(seconds=1))


def day(time: pd.Timestamp | str | None) -> str:
    """A day, short, for tables.

    >>> day("2027-01-14T00:00:00Z")
    '14 Jan 2027'
    """
    if time is None or pd.isna(time):
        return ""
    day_, month, year = spoken_date(_utc(time)).split()
    return f"{day_} {month[:3]} {year}"


def week(time: pd.Timestamp | str) -> str:
    """The Monday of a day's week, as a stamp.

    >>> week("2027-01-14T05:00:00Z")
    '2027-01-11T00:00:00+00:00'
    """
    day_ = _utc(time).normalize()
    return str((day_ - pd.Timedelta(days=day_.weekday())).isoformat())


def moment(time: pd.Timestamp | str, interval_seconds: float = 0) -> str:
    """A day with its time; the day alone when it stands for a whole day or more.

    >>> moment("2027-02-03T14:00:00Z"), moment("2027-02-03T00:00:00Z", 86400)
    ('3 February 2027, 14:00 UTC', '3 February 2027')
    """
    return date(time) if interval_seconds >= 86400 else f"{date(time)}, {_utc(time):%H:%M} UTC"


def count(amount: int, noun: str, plural: str = "") -> str:
    """How many of a thing.

    >>> count(1, "service"), count(2000, "service"), count(0, "policy", "policies")
    ('1 service', '2,000 services', 'no policies')
    """
    return f"1 {noun}" if amount == 1 else f"{f'{amount:,}' if amount else 'no'} {plural or noun + 's'}"


def interval(seconds: float) -> str:
    """Length of an interval.

    >>> interval(3600), interval(300), interval(86400)
    ('1 hour', '5 minutes', '1 day')
    """
    for size, noun in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size and seconds % size == 0:
            return count(int(seconds // size), noun)
    return f"{seconds:g} seconds"


def each(seconds: float) -> str:
    """One interval, after "each".

    >>> each(3600), each(300)
    ('hour', '5 minutes')
    """
    return interval(seconds).removeprefix("1 ")


def per(seconds: float) -> str:
    """One interval, after "one value".

    >>> per(86400), per(14400)
    ('a day', 'every 4 hours')
    """
    name = each(seconds)
    return f"every {name}" if name[0].isdigit() else f"a {name}"


def intervals(seconds: float) -> str:
    """What a number of intervals is counted in.

    >>> intervals(3600), intervals(86400), intervals(300)
    ('hours', 'days', 'intervals of 5 minutes')
    """
    return {3600: "hours", 86400: "days"}.get(round(seconds), f"intervals of {interval(seconds)}")


def days_named(seconds: float) -> str:
    """A span after "the next".

    >>> days_named(14 * 86400), days_named(7 * 86400), days_named(86400), days_named(7200)
    ('two weeks', 'week', 'day', '2 hours')
    """
    days = seconds / 86400
    if days in (7, 14):
        return "week" if days == 7 else "two weeks"
    return each(round(seconds))


def detail_span(future: Mapping[str, Any]) -> str:
    """What a detailed picture shows, by the future it holds; its past is always two weeks.

    >>> detail_span({"p50": [1.0] * 7, "step_seconds": 86400.0})
    'the last two weeks and the next week'
    """
    ahead = days_named(len(future["p50"]) * future["step_seconds"])
    return "the last and the next two weeks" if ahead == "two weeks" else f"the last two weeks and the next {ahead}"


def sentence(text: str) -> str:
    """Someone's words as a sentence among others: a capital at its start, a full stop at its end.

    >>> sentence("the level moved"), sentence("Is it gone?"), sentence("")
    ('The level moved.', 'Is it gone?', '')
    """
    text = ended(text)
    return f"{text[:1].upper()}{text[1:]}"


def ended(text: str) -> str:
    """With a full stop at its end, where nothing else ends it.

    >>> ended("it moved"), ended("Is it gone?"), ended("")
    ('it moved.', 'Is it gone?', '')
    """
    text = text.strip()
    return text if not text or text[-1] in ".?!:" else f"{text}."


#: What a mixture calls itself: auto(profile 0.48, harmonic 0.42).
_MIXTURE = re.compile(r"(?P<name>[\w-]+)\((?P<parts>[\w-]+ [0-9.e-]+(?:, [\w-]+ [0-9.e-]+)*)\)")


def model(made_by: str) -> str:
    """The model a forecast was made by; of a mixture, its parts by weight.

    >>> model("auto(harmonic 0.1, profile 0.82, seasonal-naive 0.078)")
    'a weighted mean of models: profile 82 %, harmonic 10 %, seasonal-naive 8 %'
    >>> model("auto(profile 1)"), model("ETS(season=24)")
    ('profile', 'ETS(season=24)')
    >>> model("auto(profile 1), told")
    'profile, told what is known beforehand'
    """
    if made_by.endswith(TOLD):
        return f"{model(made_by.removesuffix(TOLD))}, told what is known beforehand"
    parts = _parts(made_by)
    if len(parts) == 1:
        return parts[0][0]
    weighted = (f"{name} {share(weight)}" for name, weight in sorted(parts, key=lambda part: -part[1]))
    return f"a weighted mean of models: {', '.join(weighted)}"


def model_names(made_by: str) -> list[str]:
    """The models a forecast was made by, without their weights.

    >>> model_names("auto(harmonic 0.1, profile 0.9)"), model_names("ets")
    (['harmonic', 'profile'], ['ets'])
    """
    return [name for name, _ in _parts(made_by)]


def _parts(made_by: str) -> list[tuple[str, float]]:
    plain = made_by.removesuffix(TOLD)
    found = _MIXTURE.fullmatch(plain)
    if found is None:
        return [(plain, 1.0)]
    return [(part.split()[0], float(part.split()[1])) for part in found["parts"].split(", ")]


def _utc(time: pd.Timestamp | str) -> pd.Timestamp:
    time = pd.Timestamp(time)
    return time.tz_localize("UTC") if time.tz is None else time.tz_convert("UTC")


def grouped(value: float | None) -> str:
    """A whole number with its thousands apart.

    >>> grouped(12345), grouped(15100.4), grouped(None)
    ('12,345', '15,100', 'unknown')
    """
    if value is None or missing(value):
        return UNKNOWN
    return f"{'−' if round(value) < 0 else ''}{abs(value):,.0f}"


def share_1(part: float | None) -> str:
    """A share with one decimal.

    >>> share_1(0.0614)
    '6.1 %'
    """
    return UNKNOWN if part is None or missing(part) else f"{100 * part:.1f} %"


def share_2(part: float | None) -> str:
    """A small share; one that is not nothing is never written as 0.

    >>> share_2(0.0077), share_2(0.0), share_2(0.00004)
    ('0.77 %', '0 %', '<0.01 %')
    """
    if part is None or missing(part):
        return UNKNOWN
    return "0 %" if part == 0 else "<0.01 %" if part < 0.0001 else f"{100 * part:.2f} %"


def signed_share(part: float | None) -> str:
    """A share with its sign.

    >>> signed_share(-0.013), signed_share(0.2)
    ('−1.3 %', '+20.0 %')
    """
    if part is None or missing(part):
        return UNKNOWN
    return f"{'+' if part > 0 else '−' if part < 0 else ''}{abs(100 * part):.1f} %"


def decimals(value: float | None) -> str:
    """A ratio with two decimals.

    >>> decimals(0.9), decimals(None)
    ('0.90', 'unknown')
    """
    return UNKNOWN if value is None or missing(value) else f"{value:.2f}"


def fixed(value: float | None) -> str:
    """Two decimals, and nothing that is something becomes 0.

    >>> fixed(38.106), fixed(0.0014), fixed(0.0)
    ('38.11', '<0.01', '0')
    """
    if value is None or missing(value):
        return UNKNOWN
    return "0" if value == 0 else "<0.01" if 0 < value < 0.01 else f"{value:,.2f}"


def better(part: float) -> str:
    """How much smaller an error is than another's.

    >>> better(0.23), better(-0.04)
    ('23 % better', '4 % worse')
    """
    return f"{abs(100 * part):.0f} % {'better' if part >= 0 else 'worse'}"


def level(part: float) -> str:
    """A level as it was asked for.

    >>> level(0.999)
    '99.9 %'
    """
    return f"{100 * part:.6g} %"


def span(finding: Mapping[str, Any]) -> str:
    """When a finding is about.

    >>> span({"start": "2026-10-20T00:00:00Z", "end": "2026-11-01T00:00:00Z"}), span({"start": None, "end": None})
    ('20 Oct 2026 – 1 Nov 2026', '')
    """
    first, last = day(finding["start"]), day(finding["end"])
    return first if first == last or not last else f"{first} – {last}"
