"""What we claim, measured: each file prints its table with `python benchmarks/NAME.py`; `make bench` runs them all."""
