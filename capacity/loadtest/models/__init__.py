"""From load points to laws: how throughput follows concurrency, how long requests wait, what a request keeps in memory.

fit_usl, usl       the Universal Scalability Law: the fit with intervals that keep their promise, and the law itself
ceiling            throughput that grows in proportion until all servers are busy
choice             which of linear, ceiling, Amdahl and USL the data speak for, and where the knee is
erlang             M/M/c in closed form: waits and response times
queueing           M/G/c and G/G/c: response times, servers for a target
staffing           square-root staffing, and tasks that each have a queue of their own
service_time       lognormal, gamma or measured service, for the queues
laws               utilisation law, Little's law, asymptotic bounds, memory of requests in flight
between            a rate at the SLO by a law or a queue, where no load point lies just above it
monotone           latency that never falls with load, and where it crosses a bound
points, evidence, descent, pictures   what these stand on: checked points, intervals, least squares, charts
"""
