"""The resolved sweep, and the paths that rules are made of."""

import sys
from pathlib import Path

from orket_lib.commands.guard import refuse_forgotten_views
from orket_lib.commands.interpreter import use_this_interpreter
from orket_lib.config.code import pure_code_digest
from orket_lib.config.targets import Targets
from orket_lib.config.workspace import load_sweep
from orket_lib.vocabulary.errors import ConfigError, Refused

use_this_interpreter()
DRY_RUN = workflow.output_settings.dryrun

try:
    SWEEP = load_sweep(config, workflow.configfiles, remember=not DRY_RUN)
except ConfigError as error:
    sys.exit(f"config error:\n{error}")

if workflow.is_main_process:
    try:
        refuse_forgotten_views(Path(SWEEP.results), sys.argv)
    except Refused as error:
        sys.exit(f"error: {error}")

TARGETS = Targets(SWEEP)
SWEEP_FILES = TARGETS.all_files()
CODE = pure_code_digest()
RESULTS = SWEEP.results


wildcard_constraints:
    model="[A-Za-z0-9_.-]+",
    quant="[A-Za-z0-9_.-]+",
    digest="[0-9a-f]{12}",


def show_result():
    from orket_lib.commands.show import show_summary

    show_summary(Path(RESULTS))


if DRY_RUN:
    from orket_lib.commands.plan import show_plan

    show_plan(SWEEP)
