"""Where demand goes: sample paths by models that compete in backtests, and scores that say how right they were.

    forecast   demand -> Forecast, by the default `auto` or any model by name
    backtest   how right models would have been, beside seasonal naive, always

`base.py` holds the contract of a model, and each model's file its mathematics and nothing else: seasonal_naive,
profile, harmonic, ets, sarimax, prophet, boosting, and auto, which lets the quick ones compete. Those that only say
where the middle is share one way (prepare, windows, evidence, paths, ensemble) from past errors to sample paths.
"""

from capacity.forecasting.auto import Auto
from capacity.forecasting.backtests import Backtest, backtest
from capacity.forecasting.base import Fan, Forecaster, model_named, model_names
from capacity.forecasting.boosting import Boosting
from capacity.forecasting.bursts import burst_known, within_interval_peaks
from capacity.forecasting.ets import Ets
from capacity.forecasting.forecasts import DEFAULT_LEVELS, Forecast
from capacity.forecasting.harmonic import Harmonic
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
    "Ets",
    "Fan",
    "Forecast",
    "Forecaster",
    "Harmonic",
    "Profile",
    "ProphetModel",
    "Sarimax",
    "SeasonalNaive",
    "backtest",
    "burst_known",
    "forecast",
    "model_named",
    "model_names",
    "within_interval_peaks",
]
