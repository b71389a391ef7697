"""`orket plan`: show what a sweep would do, without doing it."""

from __future__ import annotations

import argparse

from orket_lib.commands._common import print_json, print_text, tell
from orket_lib.commands._configs import add_config_options, sweep_of
from orket_lib.providers.llama_cpp.cpu_features import embedded_leaves_unused
from orket_lib.report.plan import plan_text
from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.git_state import checkout_state
from orket_lib.sweep.plan import make_plan
from orket_lib.workflow.estimate import estimates
from orket_lib.workflow.targets import Targets

EXAMPLES = (
    "orket plan my.yaml",
    "orket plan my.yaml --config runs_per_quant=3",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_config_options(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")


def run(options: argparse.Namespace) -> int:
    """Resolve the config and print its plan."""
    sweep = sweep_of(options)
    show_warnings(sweep)
    show_plan(sweep, as_json=options.json)
    return 0


def show_warnings(sweep: Sweep) -> None:
    """Print the warnings about a config on standard error."""
    for warning in sweep.warnings:
        tell(f"config warning: {warning}")


def show_plan(sweep: Sweep, results: str | None = None, as_json: bool = False) -> None:
    """Print a sweep's plan on standard output, as text or as JSON.

    Args:
        sweep: Sweep to plan.
        results: Folder of the views, if not the sweep's own.
        as_json: Print JSON.
    """
    plan = make_plan(sweep, *checkout_state(), results)
    expected = estimates(sweep, Targets(sweep))
    plan = plan.model_copy(
        update={"expected_seconds": expected.seconds, "expected_from": expected.basis}
    )
    embedded = any(view.traits.runtime for _, view in sweep.config.views)
    if embedded and not sweep.config.machine:
        plan = plan.model_copy(update={"unused_cpu_features": embedded_leaves_unused()})
    if as_json:
        print_json(plan)
    else:
        print_text(plan_text(plan))
