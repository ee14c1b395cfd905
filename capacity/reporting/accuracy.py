"""How right the method was before: backtest scores of one service, chosen model beside seasonal naive."""

from __future__ import annotations

from typing import Any, Final

import pandas as pd

from capacity.forecasting.knowledge.knowing import TOLD
from capacity.planning.plans import Plan

#: The model every other has to beat.
BASELINE: Final = "seasonal-naive"

FIGURES: Final = ("wql", "mase", "coverage", "exceeded", "peak_ratio", "bias")


def scores_frame(scores: Any) -> pd.DataFrame | None:
    """`schema.SCORES` from whatever the caller holds: the frame itself, or a Backtest."""
    if scores is None or isinstance(scores, pd.DataFrame):
        return scores
    return scores.frame


def accuracy(plan: Plan, service: str, scores: pd.DataFrame | None) -> list[dict[str, Any]]:
    """One row a metric and model: means over the windows. `used` marks the model the forecast was made with.

    The model asked for may have been `auto`: then its row stands for the model it chose.
    """
    if scores is None or not len(scores):
        return []
    forecast = plan.forecast
    rows = []
    for (metric, model), held in scores[scores["service"] == service].groupby(["metric", "model"], sort=True):
        made = [by for key, by in zip(forecast.keys, forecast.models, strict=True) if key == (service, metric)]
        rows.append(
            {
                "metric": str(metric),
                "model": str(model),
                "baseline": model == BASELINE,
                "used": any(_made_by(str(model), label) for label in made),
                "windows": int(held["cutoff"].nunique()),
                "steps": int(held["steps"].sum()),
                **{name: float(held[name].mean()) for name in FIGURES if name in held},
            }
        )
    for row in rows:
        tried = [other for other in rows if other["metric"] == row["metric"]]
        row["used"] |= row["model"].removesuffix(TOLD) == "auto" and not any(other["used"] for other in tried)
    return [row | {"against_naive": _against(row, rows)} for row in rows]


def _made_by(model: str, label: str) -> bool:
    """Whether a label is of what this model makes.

    >>> _made_by("auto", "auto(profile 0.9)"), _made_by("auto, told", "auto(profile 0.9), told")
    (True, True)
    >>> _made_by("auto", "auto(profile 0.9), told")
    False
    """
    family, told = model.removesuffix(TOLD), TOLD if model.endswith(TOLD) else ""
    return label == model or (label.startswith(f"{family}(") and label.endswith(f"){told}"))


def _against(row: dict[str, Any], rows: list[dict[str, Any]]) -> float | None:
    """Quantile loss less than seasonal naive's, as a share of it: 0.2 is a fifth better; None without a comparison."""
    naive = [other["wql"] for other in rows if other["metric"] == row["metric"] and other["baseline"]]
    return 1 - row["wql"] / naive[0] if naive and naive[0] > 0 and not row["baseline"] else None
