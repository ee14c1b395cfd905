"""Write the sample fleet: `python -m capacity.samples.generate --out data/samples`, under a minute on one core.

The same code gives the same numbers: every service has its own seed, and nothing reads the clock.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from capacity.samples.knowing import facts, window
from capacity.samples.model import ServiceModel
from capacity.samples.observing import lived, observed
from capacity.samples.shop import SHOP


def generate(out: Path, models: Sequence[ServiceModel] = SHOP) -> None:
    """One Parquet file a service, and truth.json, into `out`."""
    out.mkdir(parents=True, exist_ok=True)
    services = {}
    for model in models:
        life = lived(model)
        write_parquet(observed(model, life), out / f"{model.name}.parquet")
        services[model.name] = facts(model, life)
        print(f"{model.name}: {model.character}", file=sys.stderr)
    text = json.dumps({"fleet": "shop", **window(), "services": services}, indent=1)
    (out / "truth.json").write_text(text + "\n", encoding="utf-8")


def write_parquet(table: pd.DataFrame, path: Path) -> None:
    """Zstandard Parquet, whole or not at all."""
    import duckdb

    half = path.with_suffix(".parquet.part")
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        connection.register("observations", table)
        connection.execute(
            "COPY (SELECT * FROM observations) TO ? "
            "(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 19, PARQUET_VERSION V2, ROW_GROUP_SIZE 1000000)",
            [str(half)],
        )
    half.replace(path)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Generate the sample fleet `shop` with its truth.")
    parser.add_argument("--out", type=Path, default=Path("data/samples"), help="folder to write into")
    generate(parser.parse_args(arguments).out)


if __name__ == "__main__":
    main()
