"""What a plan was made from, in 64 letters, and by which packages."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import numpy as np

from capacity.planning.plans import Plan

#: Packages whose version can change a number.
PACKAGES: Final = ("numpy", "pandas", "scipy", "statsmodels", "scikit-learn", "numba", "prophet", "holidays")

#: Findings that say what was made of what people know.
KNOWN: Final = ("event", "driver", "override")


def fingerprint(plan: Plan) -> str:
    """SHA-256 of what the plan was made from: every demand value and stamp, every setting, what people knew, how
    paths were drawn.

    Same inputs, same print.
    """
    forecast, past = plan.forecast, plan.forecast.past
    nouns = [*plan.services, plan.goal, *plan.rates, *plan.accounts, *(plan.asked.budgets if plan.asked else ())]
    settings = [[type(noun).__name__, noun.model_dump(mode="json")] for noun in nouns]
    known = [str(finding) for finding in forecast.findings if finding.check in KNOWN]
    drawn = [*forecast.models, forecast.seed, *forecast.paths.shape]
    digest = hashlib.sha256(json.dumps([list(map(list, past.keys)), settings, known, drawn]).encode())
    digest.update(past.times.as_unit("us").asi8.astype("<i8").tobytes())
    for numbers in (past.values, past.peaks):
        digest.update(np.ascontiguousarray(numbers).astype("<f8").tobytes())
    digest.update(np.packbits(past.censored).tobytes())
    return digest.hexdigest()


def packages() -> dict[str, str]:
    """Versions of those of `PACKAGES` that are installed."""
    return {name: found for name in PACKAGES if (found := _version(name))}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
