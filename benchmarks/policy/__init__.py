"""Do our policies beat target tracking tuned in hindsight? `python -m benchmarks.policy`; the judge is independent."""
