"""A backtest in a sentence a series: how far to trust a model, where its tails fail, and whether it beats last week.

The rules, in the order in which they speak:

1. Fewer than FEWEST_WINDOWS windows tell nothing but that.
2. Trust reaches to the end of the longest band of leads (LEAD_DAYS) up to which P95 was exceeded at most TOLERATED
   times as often as promised, on at least one promised exceedance's worth of independent observations. It ends before
   the first band in which P95 is known to under-cover, the doubt being shared among the bands.
3. A quantile under-covers when it was passed more than TOLERATED times as often as promised *and* the promise lies
   below what the share is at least; it is wide when passed less than WIDE times as often and the promise lies above
   what the share is at most. Otherwise nothing is said of it.
4. A weekday is named when it under-covers, at a seventh of the doubt as there are seven, and stands out from the rest.
5. Better or worse than seasonal naive when 1 lies outside the bounds of the ratio, and the ratio is not about 1.
6. The highest load, and the bias of the median, are named when they are off by more than chance would have it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pandas as pd

from capacity.demand.demand import Key
from capacity.findings import Status
from capacity.forecasting.backtesting import comparing
from capacity.forecasting.backtesting.calibration import DOUBT, Shares
from capacity.forecasting.backtesting.case import Case, case_of, repeats
from capacity.forecasting.backtesting.grouping import WEEKDAYS
from capacity.forecasting.backtesting.rehearsal import Window
from capacity.forecasting.forecasts import level_name
from capacity.forecasting.seasons import Seasons
from capacity.history.line import counted, how_long

#: Two windows have one difference: no spread can be told from that.
FEWEST_WINDOWS: Final = 3

#: Passed one and a half times as often as promised: P95 exceeded 7.5 % of the time is where users of the plan would
#: notice; half as often is where they pay for it.
TOLERATED, WIDE = 1.5, 0.5

#: A ratio nearer to 1 than this is the same as naive, and a median this far off is biased, as shares.
ABOUT, BIASED = 0.02, 0.05

#: Tails that are spoken of, in this order: where plans are made first.
TAILS: Final = (0.95, 0.99, 0.999, 0.05)

#: What is known to be wrong comes before what is not known.
WORST: Final[tuple[Status, ...]] = ("REVIEW", "UNKNOWN", "PASS")

#: A quantile is judged when this many paths lie beyond it on average. That of 400 paths at 99.9 % is nearly their
#: largest, which the next value exceeds once in 287 draws and not once in 1,000.
BEYOND: Final = 2.5

COLUMNS: Final = ("service", "metric", "model", "status", "windows", "trust_days", "against_naive", "verdict")


class Said(NamedTuple):
    """One sentence, and how bad it is."""

    status: Status
    words: str


def verdicts(
    windows: Sequence[Window],
    frame: pd.DataFrame,
    keys: Sequence[Key],
    zones: Sequence[str],
    interval: pd.Timedelta,
    seasons: Seasons,
    paths: int,
) -> pd.DataFrame:
    """One row a series and model, worst first: COLUMNS. Seasonal naive is judged only when nothing else was tested.

    trust_days is NaN where nothing can be told, 0 where P95 is not to be trusted at all; against_naive is WQL over
    that of seasonal naive, below 1 is better.
    """
    reference = comparing.REFERENCE.name
    models = [name for name in dict.fromkeys(window.model for window in windows) if name != reference] or [reference]
    naive = repeats(seasons, interval)
    rows: list[dict[str, Any]] = []
    for model in models:
        mine = [window for window in windows if window.model == model]
        case = case_of(mine, frame, keys, zones, interval, naive, paths)
        for row, key in enumerate(keys):
            if case.windows[row]:
                rows.append({"service": key.service, "metric": key.metric, "model": model, **verdict(case, row)})
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    return table.sort_values("status", key=lambda column: column.map(WORST.index), kind="stable", ignore_index=True)


def verdict(case: Case, row: int) -> dict[str, Any]:
    """Status, numbers and words of one series."""
    windows = int(case.windows[row])
    ratio = float(case.against.ratio[row])
    numbers = {"windows": windows, "against_naive": ratio}
    if windows < FEWEST_WINDOWS:
        words = f"Not enough windows to tell: {counted(windows, 'window')}, and {FEWEST_WINDOWS} are the least. "
        words += f"Ask for windows={needed(case, row)}, or bring more history."
        return {"status": "UNKNOWN", **numbers, "trust_days": np.nan, "verdict": words}
    days, first = trust(case, row)
    said = [first, *tails(case, row), *weekday(case, row), naive(case, row), *highest(case, row), *lean(case, row)]
    status = min((one.status for one in said), key=WORST.index)
    return {"status": status, **numbers, "trust_days": days, "verdict": " ".join(one.words for one in said)}


def trust(case: Case, row: int) -> tuple[float, Said]:
    """Rule 2: days of lead up to which P95 has held, and the sentence."""
    level = case.bands.levels.index(0.95)
    bad = [band for band in range(len(case.ends)) if passes(case.bands, (level, row, band), 0.05)]
    before = range(bad[0] if bad else len(case.ends))
    share, worth = case.so_far.above[level, row], case.so_far.effective[row]
    good = [n for n in before if worth[n] * 0.05 >= 1 and share[n] <= TOLERATED * 0.05]
    doubt = ""
    if bad:
        when = f"within {how_long(case.ends[0])}" if bad[0] == 0 else f"beyond {how_long(case.ends[bad[0] - 1])}"
        seen = case.bands.above[level, row, bad[0]]
        doubt = f"P95 under-covers {when} ({percent(seen)} exceeded, 5 % promised, {said_windows(case, row)})."
    if good:
        end, last = case.ends[good[-1]], good[-1] == len(case.ends) - 1
        rest = doubt or ("" if last else beyond(case, row, good[-1] + 1))
        words = f"Trust to {how_long(end)}" + (", as far as was tested." if last else ".")
        return end / pd.Timedelta(days=1), Said("REVIEW" if bad else "PASS", f"{words} {rest}".strip())
    if bad and bad[0] > 0:
        return float("nan"), Said(
            "REVIEW", f"{doubt} Up to there, {exceeded(share[bad[0] - 1])}: too few windows to tell."
        )
    if bad:
        return 0.0, Said("REVIEW", doubt.replace("P95 under-covers", "Do not plan on its P95: it under-covers"))
    last_known = before[-1]
    words = (
        f"Not enough windows to tell how far to trust it: {exceeded(share[last_known])}, 5 % promised, and "
        f"{said_windows(case, row)} are worth {worth[last_known]:.0f} independent observations. "
        f"Ask for windows={needed(case, row)}, or bring more history."
    )
    return float("nan"), Said("UNKNOWN", words)


def beyond(case: Case, row: int, band: int) -> str:
    """What is known of leads that are neither trusted nor known to fail: usually too little."""
    share = case.bands.above[case.bands.levels.index(0.95), row, band]
    if not np.isfinite(share):
        return ""
    return f"Beyond, {exceeded(share)}: too few windows to tell."


def needed(case: Case, row: int) -> int:
    """Windows that would be worth the 20 observations in which P95 is exceeded once; twice as many where that is so."""
    windows, worth = int(case.windows[row]), float(case.overall.effective[row, 0])
    return max(FEWEST_WINDOWS, 2 * windows if worth * 0.05 >= 1 else int(np.ceil(20 * windows / worth)))


def tails(case: Case, row: int) -> list[Said]:
    """Rule 3, over all leads: the first tail that under-covers, or that P95 is wide. Those above P95 fail with it."""
    levels = case.overall.levels
    upper = levels.index(0.95)
    in_a_band = any(passes(case.bands, (upper, row, band), 0.05) for band in range(len(case.ends)))
    for level in (0.05,) if in_a_band else TAILS:
        place, promised = (levels.index(level), row, 0), min(level, 1 - level)
        name = level_name(level).upper()
        if promised * case.paths < BEYOND - 1e-9:
            continue
        if level > 0.5 and passes(case.overall, place, promised):
            share = case.overall.above[place]
            word = "exceeded"
        elif level < 0.5 and 1 - case.overall.high[place] > promised and falls(case, place) > TOLERATED * promised:
            share, word = falls(case, place), "below"
        else:
            continue
        details = f"{percent(share)} {word}, {percent(promised)} promised, {said_windows(case, row)}"
        return [Said("REVIEW", f"{name} under-covers ({details}).")]
    reached, high = case.overall.reached[upper, row, 0], case.overall.high[upper, row, 0]
    if reached < WIDE * 0.05 and high < 0.05:
        return [Said("PASS", f"P95 is wide ({percent(reached)} exceeded, 5 % promised).")]
    return []


def falls(case: Case, place: tuple[int, int, int]) -> float:
    """Share below a quantile; ties are not."""
    return float(1 - case.overall.reached[place])


def passes(shares: Shares, place: tuple[int, int, int], promised: float) -> bool:
    """Whether an upper quantile is known to under-cover, by more than is tolerated."""
    return bool(shares.low[place] > promised and shares.above[place] > TOLERATED * promised)


def weekday(case: Case, row: int) -> list[Said]:
    """Rule 4: the day of the week on which P95 is exceeded most, when it stands out."""
    if case.weekdays is None or case.weekdays.scored.shape[1] < len(WEEKDAYS):
        return []
    level = case.weekdays.levels.index(0.95)
    share, scored = case.weekdays.above[level, row], case.weekdays.scored[row]
    known = np.where(np.isfinite(share), share, -1.0)
    day = int(known.argmax())
    others = scored.sum() - scored[day]
    rest = (np.nansum(share * scored) - share[day] * scored[day]) / others if others else np.nan
    if not passes(case.weekdays, (level, row, day), 0.05) or not share[day] > TOLERATED * rest:
        return []
    details = f"{percent(share[day])} exceeded, {percent(rest)} on other days, 5 % promised, {said_windows(case, row)}"
    return [Said("REVIEW", f"P95 under-covers on {WEEKDAYS[day]}s ({details}).")]


def naive(case: Case, row: int) -> Said:
    """Rule 5."""
    ratio, low, high = (float(part[row]) for part in case.against)
    if not np.isfinite(ratio):
        return Said("PASS", f"Repeating {case.naive} was exact or could not be scored: nothing to compare with.")
    if high < 1 and ratio < 1 - ABOUT:
        return Said("PASS", f"Beats repeating {case.naive} by {percent(1 - ratio)}.")
    if low > 1 and ratio > 3:
        return Said("REVIEW", f"Loses to repeating {case.naive}: {ratio:,.0f} times its loss.")
    if low > 1 and ratio > 1 + ABOUT:
        return Said("REVIEW", f"Loses to repeating {case.naive} by {percent(ratio - 1)}.")
    if abs(ratio - 1) < 0.005:
        return Said("PASS", f"As good as repeating {case.naive}.")
    word = "better" if ratio < 1 else "worse"
    return Said("PASS", f"{percent(abs(ratio - 1))} {word} than repeating {case.naive}, which may be chance.")


def highest(case: Case, row: int) -> list[Said]:
    """Rule 6: windows whose highest load passed its P95, when so many would be chance once in twenty."""
    from scipy.special import bdtrc

    above, windows = (int(count) for count in case.peaks[row])
    if above == 0 or bdtrc(above - 1, windows, 0.05) >= DOUBT:
        return []
    return [Said("REVIEW", f"The highest load was above its P95 in {above} of {windows} windows.")]


def lean(case: Case, row: int) -> list[Said]:
    """Rule 6: a median that stands too low or too high, window after window."""
    low, high = case.bias[row]
    middle = (low + high) / 2
    if not (low > 0 or high < 0) or abs(middle) < BIASED:
        return []
    return [Said("PASS", f"Its median reads {percent(abs(middle))} too {'high' if middle > 0 else 'low'}.")]


def said_windows(case: Case, row: int) -> str:
    return counted(int(case.windows[row]), "window")


def exceeded(share: float) -> str:
    return f"P95 was exceeded {percent(share)}"


def percent(share: float) -> str:
    """Two significant digits, in per cent.

    >>> percent(0.1149), percent(0.004), percent(1.0)
    ('11 %', '0.4 %', '100 %')
    """
    return f"{float(f'{100 * share:.2g}'):g} %"
