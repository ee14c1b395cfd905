"""From load points to laws: how throughput follows concurrency, how long requests wait, what a request keeps in memory.

usl         the Universal Scalability Law, with intervals that keep their promise
ceiling     throughput that grows in proportion until all servers are busy
choice      which of linear, ceiling, Amdahl and USL the data speak for, and where the knee is
queueing    M/M/c, M/G/c and G/G/c: waits, response times, servers for a target
staffing    square-root staffing, and tasks that each have a queue of their own
laws        utilisation law, Little's law, asymptotic bounds, memory of requests in flight
"""
