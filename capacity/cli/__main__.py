"""`python -m capacity.cli` is the command `capacity`."""

from capacity.cli import main

main()
