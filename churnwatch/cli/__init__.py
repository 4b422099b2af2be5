"""The command line: parses, injects the clock, prints; every heavy import happens inside a command."""

from churnwatch.cli.app import app, main

__all__ = ["app", "main"]
