"""Load tests: results of JMeter, Gatling, Taurus, BlazeMeter, Locust and k6 -> what one task carries, and back.

`read` turns a result file into a `LoadTest` with `.summary` by label, `.steps` (load points) and `.findings`.
`fit_usl` and its peers explain throughput by concurrency; `generate` writes the test that would prove a plan.
"""
