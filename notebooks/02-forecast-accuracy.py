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
from IPython.display import Markdown

import capacity
from capacity.samples import true_demand

alt.renderers.enable("svg")

config = capacity.load_config("data/samples/capacity.toml")
names = ["storefront", "checkout"]
history = capacity.read([f"data/samples/{name}.parquet" for name in names]).select(metrics=["requests"])

# %% [markdown]
# ## Rolling origins
#
# Each window hides the future from the model: it sees the history up to a cutoff, forecasts a week, and is scored on
# what happened. `relative_wql` is the weighted quantile loss over that of seasonal naive: below 1 is better than
# repeating last week. `coverage` is the share inside the central 90 %, `exceeded` the share above the 95 % line. The
# services' time zones matter: these windows hold the days on which clocks change, and a daily profile learnt in UTC is
# an hour wrong from then on.

# %%
scores = capacity.backtest(
    history, models=["auto", "seasonal-naive"], horizon="7d", windows=12, services=config.service
)
summary = scores.summary.set_index("model")
summary[["relative_wql", "coverage", "exceeded", "bias", "daily_peak_exceeded"]].round(3)

# %% [markdown]
# One verdict a service and model, worst first: how far ahead it can be trusted, which quantile fails, and whether that
# beats repeating last week. Where the windows are too few to tell, it says so, and how many to ask for.

# %%
for row in scores.verdicts.query("model == 'auto'").itertuples():
    print(f"{row.status} {row.service}\n    {row.verdict}")

# %% [markdown]
# Said and observed, with the bounds that so many independent observations allow: on the diagonal, promises are kept.

# %%
scores.plot_reliability("auto")

# %% [markdown]
# ## What people know
#
# Storefront has a sale each November: one is in the history, the next lies eleven days beyond it. A model that is not
# told repeats an ordinary Friday. Named, the sale is learnt from the one time it was seen, and put on the paths of the
# next.

# %%
storefront = history.select(services=["storefront"])
sale = capacity.Event(name="Black Friday", start="2025-11-28", dates=["2026-11-27"])
plain = capacity.forecast(storefront, horizon="14d", services=config.service)
told = capacity.forecast(storefront, horizon="14d", services=config.service, events=[sale])
truth = true_demand("storefront", told.cutoff, len(told.times))["expected"]
day = (told.times.tz_convert("America/New_York").strftime("%Y-%m-%d") == "2026-11-27").nonzero()[0]

print(*(finding for finding in told.findings if finding.check == "event"))
off = {}
for name, forecast in {"not told": plain, "told": told}.items():
    off[name] = (forecast.quantile(0.5) - truth).abs().iloc[day].sum() / truth.iloc[day].sum()
    print(f"{name}: the median of that day is {100 * off[name]:.0f} % off")
told.plot()

# %% [markdown]
# ## Against what really happened next
#
# The sample fleet's model is known beyond its last observation, so here the forecast of the next quarter can be laid
# beside the expected demand that the generator put in. (With real services, the next quarterly review does this.)

# %%
forecast = capacity.forecast(history.select(services=["checkout"]), horizon="28d", services=config.service)
truth = true_demand("checkout", forecast.cutoff, len(forecast.times))["expected"]
inside = ((truth >= forecast.quantile(0.05)) & (truth <= forecast.quantile(0.95))).mean()
print(f"{100 * inside:.0f} % of the true hourly means lie inside the central 90 % interval")
forecast.plot("checkout", "requests")

# %% [markdown]
# ## The answer

# %%
auto = summary.loc["auto"]
verdicts = scores.verdicts.query("model == 'auto'").set_index("service")
trusted = list(verdicts.index[verdicts["trust_days"] == 7])
others = [name for name in verdicts.index if name not in trusted]
better, inside, above = 100 - 100 * auto["relative_wql"], 100 * auto["coverage"], 100 * auto["exceeded"]
untold, named = 100 * off["not told"], 100 * off["told"]
Markdown(
    f"""**How far can we trust the forecast?** A week ahead for {" and ".join(trusted)}; for
{" and ".join(others) or "none"} twelve windows are too few to tell. Its loss is {better:.0f} % lower than repeating
last week's. Of the hours, {inside:.0f} % were inside its 90 % intervals, and {above:.0f} % above its 95 % line, where
5 % should be. What no history shows has to be told: a sale that is not named is missed by {untold:.0f} %, one that is
named by {named:.0f} %."""
)
