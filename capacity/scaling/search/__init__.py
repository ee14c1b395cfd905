"""The search for a policy: few scheduled minimums compiled from demand, and what is tracked between them.

weeks      history as weeks: what a schedule is made from, and the later ones it is judged on
worth      what holding each level in each part of the week would cost, beside what target tracking runs anyway
levels     the cheapest minimums of a week with few changes a day, by dynamic programming
compiling  from loads that may come to scheduled changes
kinds      the ways to scale that are compared
judging    every kind, on weeks and on paths it was not made from
beside     step ladders and predictive scaling, tried beside the chosen kind when asked for
"""
