"""`orket baselines` and its subcommands."""

from orket_lib.commands.baselines.baselines import add_arguments, run

__all__ = ["add_arguments", "run"]
