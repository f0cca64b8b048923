"""The command line: verbs that call the Python API. No logic of their own."""

from gatewise.cli.app import main

__all__ = ["main"]
