"""Do the alarms catch what goes wrong? A simulated year of services with incidents whose truth is known.

    nature     what a service is like, and what its users want of it minute by minute
    incidents  what goes wrong: kinds, when, how hard; and what looks like trouble and is none
    running    how tasks carry the load: autoscaler, start-up, quota, latency, errors
    world      one service's year: incidents strengthened until they hurt, and when that began
    observed   what monitoring saw of it, as a history
    judging    caught or not, how early, and who was woken for nothing: rules written before any result
    static     the usual alarm, "CPU > 80 %", judged beside
    ours       `capacity.alarms`, made each quarter from what was known then

The world and the judge import nothing of `capacity`, so that a mistake there is no mistake here.
"""
