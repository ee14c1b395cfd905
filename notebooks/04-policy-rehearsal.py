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
# # How would that policy have done?
#
# An autoscaler is told a target and perhaps a schedule, and what follows is seen when it happens. Here the recommended
# policy of one service is replayed on weeks that have passed, minute by minute with ECS's clocks, beside all that could
# have been said instead: what would each have cost, and how often would too few tasks have served?

# %%
import altair as alt
import pandas as pd
from IPython.display import Markdown

import capacity
from capacity.scaling import ServicePolicy, TargetTracking

alt.renderers.enable("svg")

config = capacity.load_config("data/samples/capacity.toml")
service = config.service_named("wishlist")
history = capacity.read("data/samples/wishlist.parquet")
demand = capacity.estimate_demand(history, [service], interval="1h")
forecast = capacity.forecast(demand, "14d", model="profile", paths=100)
plan = capacity.plan(forecast, service, goal=config.goal)
policy = capacity.recommend_policy(plan)

# %% [markdown]
# ## The choice, in sentences

# %%
for reason in policy["wishlist"].reasons:
    print("-", reason)

# %%
print(policy.render("table"))

# %%
policy.plot()

# %% [markdown]
# ## What each alternative would have cost
#
# Every candidate ran the same four weeks; each week's schedule was made from the weeks before it. A minute is short
# when its tasks could not have carried it after the loss of a zone: the settings ask for that room. The upper line is
# what the tier accepts; a candidate has to stay below the lower one, since weeks to come are seldom kinder.

# %%
rehearsal = policy.rehearsals
names = {"daily": "daily schedule", "weekday and weekend": "weekend schedule", "each day": "schedule of each day"}
how = rehearsal["candidate"].str.extract("(daily|weekday and weekend|each day|today)", expand=False)
rehearsal["how"] = how.replace(names).fillna("tracking alone")
points = alt.Chart(rehearsal).encode(
    x=alt.X("usd", title="USD in four weeks", scale=alt.Scale(zero=False)),
    y=alt.Y(
        "short_share",
        title="share of minutes with too few tasks",
        axis=alt.Axis(format="%"),
        scale=alt.Scale(type="symlog", constant=0.001),
    ),
    tooltip=["candidate", "usd", "short_share"],
)
accepted = alt.Chart(alt.Data(values=[{"y": 0.005}, {"y": 0.0025}])).mark_rule(strokeDash=[4, 4]).encode(y="y:Q")
chosen = points.transform_filter("datum.chosen").mark_point(size=220, color="black", shape="diamond")
every = points.mark_point().encode(color=alt.Color("how", title=None))
(every + chosen + accepted).properties(width=560, height=320, title="Every candidate, and the chosen one")

# %% [markdown]
# The cheapest of each way to scale among those that would have kept the promise, and what stands today.

# %%
kept = rehearsal[(rehearsal["short_share"] <= 0.0025) | (rehearsal["how"] == "today")]
columns = ["candidate", "usd", "short_minutes", "missing_task_hours", "changes", "theta_u", "theta_o", "chosen"]
kept.sort_values("usd").groupby("how", sort=False).first()[columns].round(2)

# %% [markdown]
# ## The last week
#
# The policy as it would be applied, on the last week of history. Its own schedule was made from the forecast, so this
# is a picture and no score; the scores are above. Here a minute is short when tasks are more than full, zone or not.

# %%
lately = demand.since(demand.end - pd.Timedelta("7D"))
result = capacity.simulate(policy, lately)
result.plot()

# %% [markdown]
# Beside it what stands today, as far as the settings tell: 60 % CPU between 2 and 32 tasks. It saves the room that a
# zone would take.

# %%
today = ServicePolicy(service, service.min_tasks, service.max_tasks, TargetTracking("cpu", service.target_value))
both = {"recommended": result, "today": capacity.simulate(today, lately)}
columns = ["short_minutes", "missing_task_hours", "theta_u", "theta_o", "task_hours", "usd", "changes"]
pd.concat({name: one.metrics[columns] for name, one in both.items()}).droplevel(1).round(2)

# %% [markdown]
# ## The answer

# %%
chosen, today = rehearsal[rehearsal["chosen"]].iloc[0], rehearsal[rehearsal["how"] == "today"].iloc[0]
alone = rehearsal[(rehearsal["how"] == "tracking alone") & (rehearsal["short_share"] <= 0.0025)]["usd"].min()
Markdown(
    f"""**How would that policy have done?** Over four weeks it would have cost {chosen["usd"]:.0f} USD and been short
of what survives a lost zone in {100 * chosen["short_share"]:.2f} % of the minutes. Today's settings cost
{today["usd"]:.0f} USD and were short of it in {100 * today["short_share"]:.0f} %. As safe by tracking alone would have
cost {alone:.0f} USD: the schedule is worth the difference, as long as it is made anew before it ends."""
)
