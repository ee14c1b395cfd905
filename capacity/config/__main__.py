"""`python -m capacity.config` prints the reference of every key: what `docs/configuration.md` holds."""

from capacity.config.text import reference

print(reference(), end="")
