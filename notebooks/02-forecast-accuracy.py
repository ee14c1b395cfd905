# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # How far can we trust the forecast?
#
# Capacity is bought on the upper quantiles. So we ask three things of every model: is its loss over the quantiles lower
# than repeating last week, do its 90 % intervals hold 90 %, and is the 95 % line passed 5 % of the time?

# %%
import altair as alt

import capacity

alt.renderers.enable("svg")

config = capacity.load_config("data/samples/capacity.toml")
history = capacity.load_sample("shop").select(
    services=["storefront", "checkout", "accounts", "partner-api"], metrics=["requests"]
)

# %% [markdown]
# ## Rolling origins
#
# Each window hides the future from the model: it sees the history up to a cutoff, forecasts a week, and is scored on
# what happened. `relative_wql` is the weighted quantile loss over that of seasonal naive: below 1 is better than
# repeating last week. The services' time zones matter: these windows hold the days on which clocks change, and a daily
# profile learnt in UTC is an hour wrong from then on.

# %%
scores = capacity.backtest(
    history, models=["auto", "harmonic", "profile", "seasonal-naive"], horizon="7d", windows=6, services=config.service
)
scores.summary.round(3)

# %%
scores.plot()

# %% [markdown]
# ## Against what really happened next
#
# The sample fleet's model is known beyond its last observation, so here the forecast of the next quarter can be laid
# beside the expected demand that the generator put in. (With real services, the next quarterly review does this.)

# %%
from capacity.samples import true_demand

forecast = capacity.forecast(history.select(services=["checkout"]), horizon="28d", services=config.service)
truth = true_demand("checkout", forecast.cutoff, len(forecast.times))["expected"]
inside = ((truth >= forecast.quantile(0.05)) & (truth <= forecast.quantile(0.95))).mean()
print(f"{inside:.0%} of the true hourly means lie inside the central 90 % interval")
forecast.plot("checkout", "requests")
