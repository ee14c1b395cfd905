"""The other way round: from a peak to the load test that would prove it, for JMeter, Taurus (BlazeMeter) and Gatling.

requests   what is asked for, with shares; no secrets
mixing     shares from a measured test, a file, or words
plan       `LoadPlan` and its stages
building   `plan_for`: the stages that prove a peak
threads    JMeter threads and pauses for a rate
words      the arithmetic, in sentences
jmx, taurus, gatling, readme
           one file each
writing    all of them, in one folder
"""

from capacity.loadtest.generate.building import plan_for
from capacity.loadtest.generate.plan import Level, LoadPlan, Slo, Stage
from capacity.loadtest.generate.requests import Header, Request

__all__ = ["Header", "Level", "LoadPlan", "Request", "Slo", "Stage", "plan_for"]
