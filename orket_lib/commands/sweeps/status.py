"""`orket status`: show what is current, what is stale and why, and what a run would cost."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from tempfile import TemporaryFile

from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.measurements.canary import CanaryVerdict
from orket_lib.artifacts.printed.status import CellStatus, RunningSweep, SweepStatus
from orket_lib.artifacts.progress import PROGRESS
from orket_lib.artifacts.views.preflight import Preflight
from orket_lib.commands._common import print_json, print_text
from orket_lib.commands._configs import DEFAULT_CONFIG, add_config_options, settings_of, sweep_of
from orket_lib.commands.sweeps.plan import show_warnings
from orket_lib.config.shipped import located
from orket_lib.measure.cell_state import cell_state
from orket_lib.preflight.gates import is_fresh, require_canary, require_preflight
from orket_lib.processes.process_end import is_alive
from orket_lib.processes.time_limit import within
from orket_lib.report.progress import progress_of
from orket_lib.report.status import status_text
from orket_lib.sweep.batches import why_dropped
from orket_lib.sweep.cells import Sweep
from orket_lib.telemetry.fingerprint import boot_id
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import OrketError
from orket_lib.vocabulary.nulls import Null
from orket_lib.workflow.estimate import estimates
from orket_lib.workflow.job_environment import elsewhere
from orket_lib.workflow.receipts import interruptions
from orket_lib.workflow.targets import Targets

_LONGEST_S = 1800.0  # 10,000 cells take a minute or two


EXAMPLES = ("orket status my.yaml",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_config_options(parser)
    parser.add_argument("--json", action="store_true", help="print the status as JSON")


def run(options: argparse.Namespace) -> int:
    """Print the state of storage and views, and the jobs that Snakemake would run."""
    sweep = sweep_of(options)
    show_warnings(sweep)  # a server that could not be asked may be another one by now
    status = _status(sweep, options)
    if options.json:
        print_json(status)
    else:
        print_text(status_text(status))
    return 0


def _status(sweep: Sweep, options: argparse.Namespace) -> SweepStatus:
    running = _running(Path("logs", sweep.config.sweep, PROGRESS))
    with ThreadPoolExecutor(1) as pool:
        # A dry run would disturb a measurement. It takes as long as all else: both at once.
        dry_run = None if running else pool.submit(_planned_jobs, options)
        status = _of_store(sweep, running)
        jobs, note = dry_run.result() if dry_run else (None, "the sweep runs")
    return status.model_copy(update={"jobs": jobs, "jobs_note": note})


def _of_store(sweep: Sweep, running: RunningSweep | None) -> SweepStatus:
    """Return what storage and results say, without the jobs that Snakemake would run."""
    targets, cells, missing = Targets(sweep), [], 0
    for cell in sweep.cells:
        receipts = targets.part_files(cell.model_slug, cell.quant_tag, "receipt.json")
        asked = zip(receipts, cell.wanted, strict=True)
        for number, (receipt, wanted) in enumerate(asked, start=1):
            state, detail, lacking = cell_state(cell.store, cell.spec, wanted)
            if lacking and (why := why_dropped(Path(receipt))):
                state, detail, lacking = "not asked", why, 0
            again = wanted.again(sweep.config.again)
            if again and state == "measured":
                detail += f", to be measured again: again={sweep.config.again}"
                detail, lacking = detail.removeprefix(", "), len(again.answers)
            interrupted = interruptions(Path(receipt)) if state != "measured" else ()
            cells.append(
                CellStatus(
                    model_id=cell.model_id,
                    quant_tag=cell.quant_tag,
                    round=1 if cell.batches else number,
                    batch=number if cell.batches else None,
                    state="to be tried again" if interrupted else state,
                    detail="; ".join([*interrupted, detail]),
                    store=cell.store.folder.as_posix(),
                )
            )
            missing += lacking
    expected = estimates(sweep, targets)
    return SweepStatus.of(
        sweep=sweep.config.sweep,
        preflight=_preflight(Path(sweep.results, "preflight.json")),
        canary=_canary(Path(sweep.results, "canary", "verdict.json")),
        cells=cells,
        jobs=None,
        jobs_note=None,
        missing_runs=missing,
        expected_seconds=Null("NO_CELL_MEASURED") if expected.seconds is None else expected.seconds,
        expected_from=expected.basis,
        running=running,
    )


def _running(path: Path) -> RunningSweep | None:
    """Return how far a running sweep is; None if it does not run."""
    progress = progress_of(path)
    if progress is None or not is_alive(progress.start.pid, progress.start.started_s):
        return None
    left_s = progress.left_s(time.time())
    current = progress.current
    words = f" ({current.words})" if current and current.words else ""
    return RunningSweep.of(
        pid=progress.start.pid,
        now=f"{progress.place()}{words}",
        measured=progress.measured,
        measurements=len(progress.start.measuring),
        seconds_left=Null("NO_CELL_MEASURED") if left_s is None else left_s,
    )


def _preflight(path: Path) -> str:
    """Return the preflight's verdict, with its warnings."""
    if not path.is_file():
        return "not run"
    try:
        verdict = read_model(path, Preflight)
        require_preflight(verdict)
    except OrketError as error:
        return str(error)
    warned = [f"{check.name}: {check.detail}" for check in verdict.checks if check.warning]
    return f"passed with a warning: {'; '.join(warned)}" if warned else "passed"


def _canary(path: Path) -> str:
    """Return the canary's verdict, and whether it is still fresh."""
    if not path.is_file():
        return "not measured"
    try:
        verdict = read_model(path, CanaryVerdict)
        require_canary(verdict)
    except OrketError as error:
        return str(error)
    if not verdict.policy.enabled:
        return "off"
    if verdict.quality_only:
        return f"failed by latency alone, so speeds are left out: {'; '.join(verdict.explanations)}"
    when = (verdict.measured_at, verdict.boot_id, verdict.policy.max_age_hours)
    if is_fresh(*when, utc_now(), boot_id()):
        return "passed"
    return "passed, but too old: it is measured again before anything else"


def _planned_jobs(options: argparse.Namespace) -> tuple[dict[str, int] | None, str | None]:
    """Return the number of jobs by rule of a dry run, or Snakemake's error."""
    files = [str(path) for path in options.configs or [located(DEFAULT_CONFIG)]]
    quiet = ["--quiet", "rules"]  # its table is read, but neither plan nor jobs
    command = [sys.executable, "-m", "snakemake", "-n", *quiet, *elsewhere()]
    command += ["--configfile", *files]
    settings = settings_of(options)
    command += ["--config", *settings] if settings else []
    with (
        TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process,
    ):
        assert process.stdout is not None
        try:
            jobs = within(_LONGEST_S, partial(job_table, process.stdout))
        except TimeoutError:
            process.kill()
            return None, f"Snakemake did not finish planning within {_LONGEST_S / 60:g} min"
        if jobs:
            # The table comes first. The description of every job would take longer.
            process.kill()
        elif process.wait():
            errors.seek(0)
            said = errors.read().strip().splitlines()
            return None, said[-1] if said else None
    return jobs, None


def job_table(output: Iterable[str]) -> dict[str, int]:
    """Return the number of jobs of each rule from a dry run's output; empty if nothing is due.

    Reads only to the end of the table.
    """
    jobs: dict[str, int] = {}
    lines = iter(output)
    for line in lines:
        if line.startswith("Job stats:"):
            for row in takewhile(str.strip, islice(lines, 2, None)):
                name, count = row.split()
                jobs[name] = int(count)
            break
    return {name: count for name, count in jobs.items() if name not in ("all", "total")}
