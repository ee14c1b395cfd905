"""The same job on real input: every real trace at hand goes from its file to a report."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.real_data import CONFIGS, history_of, real_data

#: Without the traces there is nothing to run these on; the first test says so in its name and result.
FOUND = [config for config in CONFIGS if history_of(config).is_file()]


def test_either_all_real_sets_are_at_hand_or_none() -> None:
    assert len(CONFIGS) == 11
    assert FOUND == (CONFIGS if real_data().is_dir() else [])


@pytest.mark.parametrize("config", FOUND, ids=lambda path: path.stem)
def test_a_real_set_goes_from_its_file_to_a_report(config: Path, tmp_path: Path) -> None:
    from benchmarks.real_data import chain_of

    chain = chain_of(config, paths=60)
    forecast, plan = chain.forecast, chain.plan
    quantiles = forecast.frame[["p5", "p50", "p95", "p99"]].to_numpy()
    assert np.isfinite(quantiles).all()
    assert (quantiles >= 0).all()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert {service.name for service in plan.services} == {service.name for service in chain.config.service}
    assert len(plan.frame) == len(plan.services) * len(forecast.times)
    assert not plan.frame.isna().any().any()
    written = chain.report.save_all(tmp_path)
    assert {path.name for path in written} == {"report.html", "report.pdf", "report.xlsx", "report.json"}
    html = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert all(service.name in html for service in plan.services)
