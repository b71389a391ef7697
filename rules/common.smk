"""The resolved sweep, and what all rules share."""

import atexit
import contextlib
import gc
import sys
import time
from pathlib import Path

from orket_lib.commands._common import tell
from orket_lib.commands.sweeps.plan import show_plan, show_warnings
from orket_lib.config.shipped import located
from orket_lib.processes.snakemake_lock import take_over
from orket_lib.workflow.targets import Targets, round_of
from orket_lib.sweep.load import load_sweep
from orket_lib.sweep.plan import cpu_only
from orket_lib.vocabulary.errors import ConfigError, OrketError, Refused
from orket_lib.vocabulary.text import visible
from orket_lib.workflow.code_digest import code_digest
from orket_lib.workflow.invocation import Invocation
from orket_lib.workflow.forced import Forced
from orket_lib.workflow.full_disk import watch_disks
from orket_lib.workflow.job_environment import prepare_environment
from orket_lib.workflow.migration import known_banks, migrate
from orket_lib.workflow.named_files import refuse_unknown_files
from orket_lib.workflow.running import begin_progress
from orket_lib.workflow.stale_views import (
    date_back,
    delete_stale,
    outdated,
    refuse_touch,
    runs_no_jobs,
)
from orket_lib.workflow.stopping import stop_on_signals

STARTED = time.time()
FOLDER = Path.cwd()
DRY_RUN = workflow.output_settings.dryrun
if DRY_RUN:
    # The job graph lives until the end, and garbage collection would take a fifth of the time.
    gc.disable()
    atexit.register(gc.freeze)

try:
    INVOCATION = Invocation(workflow, config)
    if workflow.is_main_process and not DRY_RUN:
        watch_disks(tell)
    SWEEP = load_sweep(
        INVOCATION.files,
        INVOCATION.settings,
        remember=not DRY_RUN,
        ask_servers=workflow.is_main_process,
    )
except ConfigError as error:
    sys.exit(visible(f"config error:\n{error}"))
except OrketError as error:
    sys.exit(visible(f"error: {error}"))

TARGETS = Targets(SWEEP)
FORCED = Forced(workflow, SWEEP, INVOCATION)
prepare_environment(INVOCATION)
if workflow.is_main_process:
    try:
        refuse_touch(sys.argv)
        refuse_unknown_files(
            sys.argv,
            INVOCATION.path(SWEEP.results),
            [INVOCATION.path(path) for path in TARGETS.all_files()],
        )
        if not DRY_RUN and not runs_no_jobs(sys.argv[1:]):
            take_over(INVOCATION.path(SWEEP.results), tell)
    except Refused as error:
        sys.exit(visible(f"error: {error}"))
    show_warnings(SWEEP)
    OUTDATED = outdated(
        {INVOCATION.path(path): text for path, text in TARGETS.rendered().items()}
    )
    if not DRY_RUN:
        migrate(Path("storage"), known_banks(SWEEP.bank_path), tell)
        if not runs_no_jobs(sys.argv[1:]):
            delete_stale(OUTDATED)
            date_back(Path(INVOCATION.path(SWEEP.results)))
    elif OUTDATED:
        place = INVOCATION.path(SWEEP.results)
        tell(
            f"{place}: {len(OUTDATED)} files are of another config; a run remakes them"
        )

RESULTS = SWEEP.results
LOGS = f"logs/{SWEEP.config.sweep}"
CELL = f"{RESULTS}/cells/{{model}}/{{quant}}"
# A batch system would refuse a job that asks for a GPU where there is none.
GPUS = 0 if all(cpu_only(view) for _, view in SWEEP.config.views) else 1


wildcard_constraints:
    model="[A-Za-z0-9_.-]+",
    quant="[A-Za-z0-9_.@-]+",
    # The first round or batch has the same paths as without rounds and batches.
    part="(/(round|batch)-[1-9][0-9]*)?",
    batch="[0-9]+",


def again(rule):
    """Return the param of a forced job; taking `output` keeps it out of the rerun triggers."""
    return lambda wildcards, output: FORCED.again(rule, output)


def option(name, files):
    """Return an option that lists input files; nothing if there are none."""
    return f"{name} {files}" if files else ""


def cells_folder(policy):
    """Return the folder of the sweep's cells, given the path of a policy file."""
    return Path(policy).parents[1].joinpath("cells").as_posix()


def show_result(since=0.0, gate_log=None):
    from orket_lib.commands.closing_message import show_summary

    # At exit, Snakemake has left the working folder (`-d`).
    with contextlib.chdir(FOLDER):
        show_summary(Path(INVOCATION.path(RESULTS)), since, gate_log)


if DRY_RUN and not workflow.output_settings.quiet:
    show_plan(SWEEP, INVOCATION.path(RESULTS))
