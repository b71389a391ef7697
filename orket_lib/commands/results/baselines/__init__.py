"""`orket baselines` and its subcommands."""

from orket_lib.commands.results.baselines.baselines import EXAMPLES, add_arguments, run

__all__ = ["EXAMPLES", "add_arguments", "run"]
