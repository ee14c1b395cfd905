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
# # Were we right, and what now?
#
# Once a quarter, three services of the sample fleet: last quarter's plan is held against what happened, then the next
# one is made, with what shall wake someone. The same for a whole fleet is `capacity review` and `make report`; a
# notebook is where you look at one number more closely.

# %%
import altair as alt
import pandas as pd
from IPython.display import Markdown

import capacity
from capacity.monitoring import error_budgets
from capacity.reviewing import Snapshot, open_snapshot

alt.renderers.enable("svg")

config = capacity.load_config("data/samples/capacity.toml")
names = ["checkout", "recommendations", "search"]
services = tuple(config.service_named(name) for name in names)
config = config.model_copy(update={"service": services})
history = capacity.read([f"data/samples/{name}.parquet" for name in names])
demand = capacity.estimate_demand(history, services, interval="1h")


def planned(known: capacity.Demand) -> capacity.Plan:
    """The coming quarter, from what is known."""
    forecast = capacity.forecast(known, "91d", model="profile", paths=100, services=services)
    return capacity.plan(forecast, config)


# %% [markdown]
# ## The plan of last quarter
#
# With a fleet of your own it lies in a folder, since `capacity report` keeps each plan with all that it was made from.
# Here it is made now, as it would have been on 17 August: from the history up to that day, and nothing later.

# %%
august = planned(demand.until(pd.Timestamp("2026-08-17", tz="UTC")))
kept = Snapshot.of(august, created_at="2026-08-17T09:00Z").save("build/shop-2026Q3.plan")
print(open_snapshot(kept))
for decision in august.decisions:
    print("-", decision.sentence)

# %% [markdown]
# ## Were we right?
#
# The way from the task-hours that were planned to those that ran, one cause after the other. *Margin* is what being
# 95 % sure held in reserve: no error. *Demand* is what came otherwise than forecast, *capacity* what a request took
# otherwise than measured, *policy* what the autoscaler made of it all.

# %%
review = capacity.review(kept, history, config=config)
review.plot()

# %%
print(review)

# %% [markdown]
# Demand is the least of it. The day after the plan was made, a release made each request of `search` a fifth dearer,
# and no forecast of requests can know that:

# %%
review.plot("search")

# %% [markdown]
# The policy ran less than was planned, since nobody had told it to hold the room for a lost zone. What became of what
# was recommended, and what that cost or saved:

# %%
for fate in review.fates.itertuples():
    print(f"{fate.status} ({fate.usd:+,.0f} USD): {fate.recommended}\n    {fate.evidence}")

# %% [markdown]
# Most of what was ignored saved a little. One thing cost more than money: `recommendations` stood at its maximum every
# evening, where plan and actual are one line, and load went on above it.

# %%
review.plot("recommendations", "tasks")

# %% [markdown]
# ## What users noticed
#
# Tasks are a means. What was promised to users is an SLO, and what it leaves open is the error budget.

# %%
budgets = error_budgets(history, services)
print(budgets)

# %% [markdown]
# ## What now?
#
# The next quarter, from all that is known today. How far the forecast can be trusted is
# [another question](02-forecast-accuracy.ipynb).

# %%
plan = planned(demand)
for decision in plan.decisions:
    print(f"- {decision.sentence}\n    {decision.because}")

# %%
plan.plot("checkout")

# %% [markdown]
# ## What shall wake someone?
#
# Alarms follow from plan and promises, and each is tried on the history before anyone is woken by it: these would have
# gone off. `alarms.render("cloudformation")` writes them down; so do "prometheus" and "azure".

# %%
alarms = capacity.alarms(plan, demand=demand, history=history, settings=config)
tried = alarms.replayed
tried.loc[tried["fired"] > 0, ["service", "kind", "severity", "days", "fired", "true", "false"]].round({"days": 0})

# %%
alarms.plot("recommendations")

# %% [markdown]
# ## The answer

# %%
fleet = review.fleet
broken = " and ".join(f"`{name}`" for name in budgets.frame.query("status == 'FAIL'")["service"].unique())
first, *others = plan.decisions
pages, tickets = len(alarms.pages), len(alarms) - len(alarms.pages)
Markdown(
    f"""**Were we right?** {fleet["planned"]:,.0f} task-hours were planned and {fleet["actual"]:,.0f} ran. Demand
explains {fleet["demand"]:+,.0f} of the difference, dearer requests {fleet["capacity"]:+,.0f}, being sure
{fleet["margin"]:+,.0f}; the rest is the policy's. What hurt was no forecast but advice that nobody took:
{fleet["short"]:,.0f} task-hours were missing, and what {broken} promised is broken.

**What now?** {first.sentence} {len(others)} more decisions wait for their owners. {pages} alarms page someone,
{tickets} write a ticket. This plan is kept as the last one was, for the same question in February."""
)
