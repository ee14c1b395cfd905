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
# # What does one task carry?
#
# A forecast says how much will be asked; a plan has to know how much of it one task answers in time. We ask a load test
# and production, lay the two side by side, and carry what remains unknown into the number of tasks.

# %%
import altair as alt

import capacity
from capacity.demand.per_task import from_production

alt.renderers.enable("svg")

# %% [markdown]
# ## A load test
#
# JMeter drove a server of four workers (20 ms each, so at most about 196 requests/s) in eight steps, the last two
# beyond what it can do. Shaded: the steady part of each step, which is all that is judged.

# %%
test = capacity.loadtest.read("data/samples/load-tests/one-task.jtl.gz")
test.plot()

# %%
test.steps[["group", "asked_per_s", "throughput_per_s", "in_flight", "p95_ms", "loop", "saturated", "reason"]].round(1)

# %%
for finding in test.findings:
    print(finding)

# %% [markdown]
# Within which rate does the 95th percentile stay below 60 ms? The interval holds the noise of the latencies and the
# distance between the last step that met the bound and the first that did not.

# %%
carries = capacity.loadtest.task_capacity(test, slo_ms=60, task_vcpu=1, task_memory_gib=2)
print(carries, *carries.evidence, sep="\n  ")

# %%
test.plot("curve")

# %% [markdown]
# ## How throughput follows concurrency
#
# The Universal Scalability Law has no term for a fixed number of workers; a straight line with a ceiling explains these
# points better, and says where the ceiling is.

# %%
law = capacity.loadtest.fit_scaling(test.steps["in_flight"], test.steps["throughput_per_s"])
law.table.round(3)

# %% [markdown]
# ## What production says
#
# Nobody tested `search` since summer. Its minutes tell what a request costs, and that a release in August made it
# dearer.

# %%
config = capacity.load_config("data/samples/capacity.toml")
search = config.service_named("search")
seen = from_production(capacity.read("data/samples/search.parquet"), search)
for finding in seen.findings:
    print(finding)

# %%
seen.plot()

# %% [markdown]
# ## What not knowing costs
#
# The same forecast, planned with the measured rate as if it were exact, and with its interval: the difference is what a
# longer test could save.

# %%
storefront = capacity.read("data/samples/storefront.parquet").select(metrics=["requests"])
forecast = capacity.forecast(storefront, "14d", paths=200)
exact = carries.model_copy(update={"low": None, "high": None})
for name, known in {"exact": exact, "with its interval": carries}.items():
    plan = capacity.plan(forecast, capacity.Service(name="storefront", task_capacity=known, max_tasks=60))
    print(f"{name}: {plan.frame['tasks'].max()} tasks at the peak")

# %%
print(plan.bottlenecks())

# %% [markdown]
# ## The test that would prove it
#
# Load points up to the claim and beyond, a ramp as steep as the forecast's, a soak at its peak: as files for JMeter,
# Taurus (BlazeMeter) and Gatling, without a target or a secret in them.

# %%
proof = capacity.loadtest.plan_for(forecast.peak(0.95), slo_ms=60, tasks=2, claimed=carries.requests_per_second)
proof.frame
