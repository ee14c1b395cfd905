"""The noun itself: it shows and draws what it holds."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from capacity.errors import InputError
from tests.makers import daily_wave, hourly, make_demand

TIMES = hourly(3)
DEMAND = make_demand({("web", "requests"): daily_wave(TIMES), ("api", "requests"): daily_wave(TIMES, 7.0)}, TIMES)


def drawn(**settings: Any) -> list[str]:
    return [json.loads(layer["transform"][0]["calculate"]) for layer in DEMAND.plot(**settings).to_dict()["layer"]]


def test_a_chart_has_a_line_for_each_service_in_the_metrics_unit() -> None:
    assert drawn() == ["web", "api"]
    assert drawn(services=["web"]) == ["web"]
    assert "requests/s" in json.dumps(DEMAND.plot().to_dict())


def test_a_metric_that_is_not_there_cannot_be_drawn() -> None:
    with pytest.raises(InputError, match="no cpu"):
        DEMAND.plot("cpu")


def test_selecting_and_cutting_keep_series_and_times_together() -> None:
    part = DEMAND.of("api").since(TIMES[24]).until(TIMES[30])
    np.testing.assert_array_equal(part.values[0], DEMAND.series("api", "requests")[24:30])
    assert part.end == TIMES[30]
