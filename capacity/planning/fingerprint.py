"""What a plan was made from, in 64 letters, and by which packages."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from typing import Final

import numpy as np

from capacity.planning.plans import Plan

#: Packages whose version can change a number.
PACKAGES: Final = ("numpy", "pandas", "scipy", "statsmodels", "scikit-learn", "prophet", "holidays")

#: Findings that say what was made of what people know.
KNOWN: Final = ("event", "driver", "override")


def fingerprint(plan: Plan) -> str:
    """SHA-256 of what the plan was made from: every demand value and stamp, every setting, what people knew.

    Same inputs, same print.
    """
    past = plan.forecast.past
    stated = [service.model_dump(mode="json") for service in plan.services]
    settings = [stated, plan.goal.model_dump(mode="json"), [rate.model_dump(mode="json") for rate in plan.rates]]
    known = [str(finding) for finding in plan.forecast.findings if finding.check in KNOWN]
    digest = hashlib.sha256(json.dumps([list(map(list, past.keys)), settings, known, plan.forecast.seed]).encode())
    digest.update(past.times.as_unit("us").asi8.astype("<i8").tobytes())
    digest.update(np.ascontiguousarray(past.values).astype("<f8").tobytes())
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
