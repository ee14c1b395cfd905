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
# # What if it comes otherwise?
#
# A plan takes for granted that nothing is done and nothing breaks. Here the same futures are asked about a launch, a
# lost zone, faster code and a worse cache, side by side; then one count is taken apart.

# %%
import altair as alt
from IPython.display import Markdown

import capacity
from capacity.config import Scenario

alt.renderers.enable("svg")

config = capacity.load_config("data/samples/capacity.toml")
services = [config.service_named(name) for name in ("checkout", "partner-api")]
history = capacity.read([f"data/samples/{service.name}.parquet" for service in services])
demand = capacity.estimate_demand(history, services, interval="1h")
forecast = capacity.forecast(demand, "21d", model="profile", paths=200, services=services)
plan = capacity.plan(forecast, services, goal=config.goal)

# %% [markdown]
# ## Side by side
#
# What a scenario does not say stays as it is. All are planned from the same paths, so that a difference, and its
# interval, is of the scenario alone: path 17 of two scenarios is one future.

# %%
launch = Scenario(name="launch", services=["checkout"], start="2026-11-23", end="2026-12-01", ramp="1d", uplift=1.6)
zone = Scenario(name="a zone lost", lose_zones=1)
scenarios = [
    Scenario(name="a good year", growth="25%"),
    launch,
    zone,
    (launch, zone),
    Scenario(name="faster code", vcpu_per_request_times=0.8, requests_per_task_times=1.2),
    Scenario(name="a worse cache", services=["partner-api"], hit_ratio_from=0.90, hit_ratio_to=0.85),
    Scenario(name="arm64", change={"architecture": "arm64"}),
    Scenario(name="surer", goal={"level": 0.99}),
]
found = plan.what_if(scenarios)
found.plot()

# %%
print(found)

# %% [markdown]
# ## One service
#
# The launch is of `checkout` alone: its bars move, and those of the others would not.

# %%
found.plot("checkout")

# %% [markdown]
# Which limits does the worst of them pass that the plan as it is does not?

# %%
found.newly("launch + a zone lost")

# %% [markdown]
# Each scenario is a plan like any other, with decisions of its own.

# %%
worst = found.plans["launch + a zone lost"]
for decision in worst.decisions[:3]:
    print(worst.explain_decision(decision), end="\n\n")

# %% [markdown]
# ## Why that many?
#
# The steps that led to a count, the next-best one and its risk, and what would change it: each found by planning the
# interval again with that one thing changed.

# %%
print(plan.explain("checkout"))

# %% [markdown]
# ## The answer

# %%
whole = found.frame[found.frame["service"] == found.whole].set_index("scenario")
hardest, cheapest = whole["tasks"].idxmax(), whole["usd_per_month"].idxmin()
Markdown(
    f"""**What if it comes otherwise?** As it is, {whole["tasks"]["as is"]:.0f} tasks hold. The hardest is *{hardest}*:
{whole["tasks"][hardest]:.0f} tasks, and {whole["more_usd_per_month"][hardest]:,.0f} USD a month more while it lasts. To
be ready for it: {worst.decisions[0].sentence} What saves most is *{cheapest}*, if it is as fast:
{-whole["more_usd_per_month"][cheapest]:,.0f} USD a month less."""
)
