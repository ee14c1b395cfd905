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
# # What does one task carry, and how many does that make?
#
# A forecast says how much will be asked; a plan has to know how much of it one task answers in time. We ask a load test
# and production, carry what remains unknown into the number of tasks, and write down the test that would prove it.

# %%
import altair as alt
from IPython.display import Markdown

import capacity
from capacity.demand.per_task import from_production

alt.renderers.enable("svg")

config = capacity.load_config("data/samples/capacity.toml")

# %% [markdown]
# ## A load test
#
# JMeter drove a server of four workers (20 ms each, so at most about 196 requests/s) in eight steps, the last two
# beyond what it can do. Shaded: the steady part of each step, which is all that is judged.

# %%
test = capacity.loadtest.read("data/samples/load-tests/one-task.jtl.gz")
test.plot()

# %%
test.steps[["asked_per_s", "throughput_per_s", "in_flight", "p95_ms", "saturated"]].round(1)

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
print(law)
law.plot()

# %% [markdown]
# ## What production says
#
# Nobody tested `search` since summer. Its minutes tell what a request costs, and that a release in August made it
# dearer.

# %%
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
plans = {
    name: capacity.plan(forecast, capacity.Service(name="storefront", task_capacity=known, max_tasks=60))
    for name, known in {"exact": exact, "with its interval": carries}.items()
}
peaks = {name: plan.frame["tasks"].max() for name, plan in plans.items()}
for name, tasks in peaks.items():
    print(f"{name}: {tasks} tasks at the peak")

# %%
plan = plans["with its interval"]
print(plan.bottlenecks())

# %% [markdown]
# ## The test that would prove it
#
# Load points up to the claim and beyond, a ramp as steep as the forecast's, a soak at its peak: as files for JMeter,
# Taurus (BlazeMeter) and Gatling, without a target or a secret in them.

# %%
proof = capacity.loadtest.plan_for(forecast.peak(0.95), slo_ms=60, tasks=2, claimed=carries.requests_per_second)
proof.plot()

# %% [markdown]
# ## The answer

# %%
Markdown(
    f"""**What does one task carry?** {carries.requests_per_second:.0f} requests/s within 60 ms, and between
{carries.low:.0f} and {carries.high:.0f} for all that one test can tell.

**How many does that make?** {peaks["with its interval"]} tasks at the peak of the coming two weeks, of which
{peaks["with its interval"] - peaks["exact"]} are there because one test leaves that much open. The next takes
{proof.frame["seconds"].sum() / 60:.0f} minutes."""
)
