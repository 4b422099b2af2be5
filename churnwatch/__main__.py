"""``python -m churnwatch`` is the command ``churnwatch``."""

from churnwatch.cli import main

main()
