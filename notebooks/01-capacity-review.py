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
# # What should we decide this quarter?
#
# A capacity review for two services of the sample fleet, from usage history to decisions. Everything here is also one
# command, `make report`; a notebook is where you look at one number more closely.
#
# `shop` is a fleet that the project generates itself, so the truth behind every figure is known.

# %%
import altair as alt
import pandas as pd

import capacity

alt.renderers.enable("svg")

config = capacity.load_config("data/samples/capacity.toml")
services = [config.service_named(name) for name in ("checkout", "storefront")]
history = capacity.load_sample("shop").select(services=["checkout", "storefront"])
history

# %% [markdown]
# ## Can we trust the data?
#
# Gaps, resets, level shifts and saturation are reported as findings. Nothing is filled in silently, and a plan made
# from data that failed a check says so.

# %%
capacity.check_quality(history, services)

# %% [markdown]
# ## Demand, not utilisation
#
# CPU % and task counts are what the autoscaler made of the load: forecasting them would forecast last quarter's policy.
# Utilisation times reservation times running tasks is absolute demand, and that is what we forecast.

# %%
demand = capacity.estimate_demand(history, services)
demand.since(demand.end - pd.Timedelta("28D")).plot("requests")

# %% [markdown]
# ## Where it goes, and how sure we are
#
# A forecast is a set of sample paths: four hundred possible quarters. Quantiles, peaks, dates and dollars are all read
# from the same paths.

# %%
forecast = capacity.forecast(demand, horizon="91d", events=config.event)  # the team named its sale in November
forecast.plot("checkout", "requests")

# %%
print("busiest hour of the quarter, 95 % sure of not more than:")
forecast.peak(0.95)

# %% [markdown]
# ## What to run
#
# Paths become tasks: enough for the load, ready for the rise that comes while a task starts, enough while a deployment
# has tasks out, enough after a zone is lost. Each step stays visible.

# %%
plan = capacity.plan(forecast, services, goal=config.goal, prices=config.prices, accounts=config.account)
for decision in plan.decisions:
    print(decision.sentence, "\n   ", decision.because)

# %%
print(plan.explain("checkout"))

# %%
plan.plot("checkout")

# %%
plan.limits

# %%
plan.total_cost.round(0)

# %% [markdown]
# ## What the autoscaler should say
#
# A hundred ways to scale are replayed minute by minute over weeks of history that no schedule was made from. Here are
# today's settings and the cheapest that would have kept the promise, a zone lost at any moment included; the best are
# replayed on the forecast too, before one is chosen ([more](04-policy-rehearsal.ipynb)).

# %%
policy = capacity.recommend_policy(plan)
rehearsal = policy["checkout"].rehearsal
kept = rehearsal[rehearsal["short_share"] <= 0.0005].nsmallest(8, "usd")  # half of what a critical service may be short
shown = ["candidate", "chosen", "short_minutes", "task_hours", "usd", "theta_u", "theta_o"]
pd.concat([rehearsal.head(1), kept])[shown].round(2)

# %%
print(policy.render("table"))

# %% [markdown]
# ## The page to present

# %%
report = capacity.report(plan, policy=policy, history=history, title="Two services of the shop")
report
