"""The fleet "shop": ten services that the project generates itself, with known truth.

`load_sample("shop")` is what monitoring saw: fourteen months of hours and two weeks of minutes. `truth("shop")` is
what was put in, and `true_demand("shop", service, start, periods)` what users really wanted, also after the cutoff:
so that every estimate, forecast and plan can be held against it. How it is made: `capacity/samples/model.py`, and
`data/samples/README.md`. Nothing else in the package imports this room.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from capacity.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from capacity.history import History

__all__ = ["SAMPLES", "load_sample", "sample_path", "true_demand", "truth"]

#: Names of the samples there are.
SAMPLES: Final = ("shop",)

#: In a checkout the data lie beside the package; a wheel carries them inside it.
HOMES: Final = (Path(__file__).parents[2] / "data" / "samples", Path(__file__).parent / "data")


def sample_path(name: str = "shop") -> Path:
    """The folder with the sample's Parquet files, capacity.toml, truth.json and README.md."""
    if name not in SAMPLES:
        raise InputError(f"there is no sample {name!r}", advice=f"There are: {', '.join(SAMPLES)}.")
    for home in HOMES:
        if (home / "truth.json").is_file():
            return home
    raise InputError(
        f"the data of sample {name!r} are missing",
        advice="Write them with: python -m capacity.samples.generate --out data/samples",
    )


def load_sample(name: str = "shop") -> History:
    """The sample as a History: what monitoring saw of the fleet, gaps and all.

    >>> load_sample("bakery")
    Traceback (most recent call last):
        ...
    capacity.errors.InputError: there is no sample 'bakery'
    There are: shop.
    """
    from capacity.history import read

    return read(sample_path(name))


def truth(name: str = "shop") -> dict[str, Any]:
    """What was put into the sample: `start`, `cutoff`, and by service its growth, steps, events, costs and limits.

    >>> truth("shop")["services"]["checkout"]["growth"]
    0.6
    """
    return dict(json.loads((sample_path(name) / "truth.json").read_text(encoding="utf-8")))


def true_demand(service: str, start: pd.Timestamp | str, periods: int, *, name: str = "shop") -> pd.DataFrame:
    """Hourly demand of one service as it really was, or will be up to 92 days after the cutoff.

    Columns: expected, actual, peak (requests/s; jobs/s of a worker) and vcpu; see `capacity.samples.knowing`.
    """
    import pandas as pd

    from capacity.samples import knowing, shop

    models = {model.name: model for model in shop.SHOP}
    if name not in SAMPLES or service not in models:
        raise InputError(f"sample {name!r} has no service {service!r}", advice=f"There are: {', '.join(models)}.")
    return knowing.true_demand(models[service], pd.Timestamp(start), periods)
