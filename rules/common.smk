"""The resolved sweep, and the paths that rules are made of."""

import atexit
import sys
import time
from pathlib import Path

from orket_lib.commands.guard import refuse_forgotten_views
from orket_lib.commands.invocation import prepare_environment, rerun_command
from orket_lib.commands.plan import show_plan, show_warnings
from orket_lib.config.code import pure_code_digest
from orket_lib.config.targets import Targets
from orket_lib.config.workspace import load_sweep
from orket_lib.vocabulary.errors import ConfigError, Refused

STARTED = time.time()
DRY_RUN = workflow.output_settings.dryrun

try:
    # Files and command line, not their merge: only so does `canary_runs` win over `canary: {runs}`.
    SWEEP = load_sweep(
        workflow.configfiles, workflow.config_settings.config, remember=not DRY_RUN
    )
except ConfigError as error:
    sys.exit(f"config error:\n{error}")

TARGETS = Targets(SWEEP)
prepare_environment(
    workflow.config_settings.configfiles, workflow.config_settings.config
)
if workflow.is_main_process:
    show_warnings(SWEEP)
    try:
        refuse_forgotten_views(TARGETS.policies(), sys.argv)
    except Refused as error:
        sys.exit(f"error: {error}\ntype: {rerun_command(error.rerun)}")

SWEEP_FILES = TARGETS.all_files()
CODE = pure_code_digest()
RESULTS = SWEEP.results


wildcard_constraints:
    model="[A-Za-z0-9_.-]+",
    quant="[A-Za-z0-9_.-]+",
    digest="[0-9a-f]{12}",
    round="[1-9][0-9]*",


def quantized_for(wildcards):
    """Return what a measurement waits for when its model file is made on the way."""
    return [ancient(path) for path in TARGETS.quantized.marker(wildcards.digest)]


def turn(wildcards):
    """Return the priority of a measurement: quants and rounds have an order."""
    return TARGETS.priority(wildcards.digest, wildcards.get("round", 1))


def show_result(since=0.0, gate_log=None):
    from orket_lib.commands.show import show_summary

    show_summary(Path(RESULTS), since, gate_log)


if DRY_RUN:
    show_plan(SWEEP)
