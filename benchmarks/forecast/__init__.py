"""How good the forecasts are on real load, beside the best that others offer: `python -m benchmarks.forecast`."""
