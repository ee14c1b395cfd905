"""Where demand goes: sample paths by models that compete in backtests, and scores that say how right they were.

    forecast   demand -> Forecast, by the default `auto` or any model by name, told of what people know
    backtest   how right models would have been, beside seasonal naive, always; with a verdict in words
    Event      a launch, a sale, a migration; holidays, drivers and a Scenario for them are plain arguments
    Knowing    a model that is told of them, for `backtest`: Knowing("auto", Knowledge.of(events, "DE"))

`base.py` holds the contract of a model, and each model's file its mathematics and nothing else: seasonal_naive,
profile, harmonic, last_year, ets, sarimax, prophet, boosting, and auto, which lets the quick ones compete. Those that
only say where the middle is share one way (prepare, windows, evidence, paths, ensemble; fleets, for many series) from
past errors to sample paths.
What people know (`knowledge/`) is taken out of what a model learns and put on its paths; experts' overrides and totals
over services change a `Forecast`. What a backtest is made of is in `backtesting/`.
"""

from capacity.forecasting.auto import Auto, Candidate
from capacity.forecasting.backtests import Backtest, backtest
from capacity.forecasting.base import Fan, Forecaster, model_named, model_names
from capacity.forecasting.boosting import Boosting
from capacity.forecasting.bursts import burst_known, within_interval_peaks
from capacity.forecasting.ets import Ets
from capacity.forecasting.forecasts import DEFAULT_LEVELS, Forecast
from capacity.forecasting.harmonic import Harmonic
from capacity.forecasting.knowledge import Event, Holidays, Knowing, Knowledge, Scenario
from capacity.forecasting.last_year import LastYear
from capacity.forecasting.profile import Profile
from capacity.forecasting.prophet import ProphetModel
from capacity.forecasting.run import forecast
from capacity.forecasting.sarimax import Sarimax
from capacity.forecasting.seasonal_naive import SeasonalNaive

__all__ = [
    "DEFAULT_LEVELS",
    "Auto",
    "Backtest",
    "Boosting",
    "Candidate",
    "Ets",
    "Event",
    "Fan",
    "Forecast",
    "Forecaster",
    "Harmonic",
    "Holidays",
    "Knowing",
    "Knowledge",
    "LastYear",
    "Profile",
    "ProphetModel",
    "Sarimax",
    "Scenario",
    "SeasonalNaive",
    "backtest",
    "burst_known",
    "forecast",
    "model_named",
    "model_names",
    "within_interval_peaks",
]
