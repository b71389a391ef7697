"""What measuring costs in addition to the graded work, in real time (T29).

    python tests/measure/measuring_cost.py [--server reference slowed] [--tasks 100]

Measures a cell of the reference model, and cells of a simulated server that works at 20 prompt and
5 decode tokens a second: one without a canary, with all tasks, and a short one after a canary.
Prints the requests and seconds before the first graded answer, and the share of the wall time that
is graded work; the exit status is 1 where the slowed server costs more than it may. A hundred tasks
take it a quarter of an hour.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path += [str(Path(__file__).resolve().parents[up]) for up in (1, 0)]
sys.path.append(str(Path(__file__).resolve().parents[1] / "simulators"))

from builders import PROVENANCE
from measured import receipt_for
from openai_server import OpenAiSimulator
from silent import Silent
from simulator_backends import WordBackend

from orket_lib.artifacts.io import write_json
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.measure.canary import measure_canary
from orket_lib.measure.session import session
from orket_lib.measure.session.known_facts import SERVER_FACTS
from orket_lib.processes import device_lock
from orket_lib.providers.base import Generation, GenerationRequest, Model, Provider, Source
from orket_lib.providers.registry import provider_for
from orket_lib.sweep.cells import Sweep
from orket_lib.sweep.load import load_sweep
from orket_lib.sweep.plan import place
from orket_lib.vocabulary.statuses import RunStatus

ROOT = Path(__file__).resolve().parents[2]
PROMPT_TPS, DECODE_TPS = 20, 5
BANK = "config/task_banks/reference.json"
BEFORE_S = 60.0
SHARE, OF_TASKS = 0.8, 100
FEW = 2  # tasks of the cell after a canary: only what comes before its first answer is looked at


@dataclass
class Watched:
    """The requests of one session, on the monotonic clock.

    Attributes:
        loading_s: When loading began.
        ready_s: When the model was loaded.
        requests: Beginning and end of each, and whether it was graded work.
    """

    loading_s: float
    ready_s: float = 0.0
    requests: list[tuple[float, float, bool]] = field(default_factory=list)

    @property
    def first_graded(self) -> int:
        """How many requests came before the first graded one."""
        return next(place for place, (*_, graded) in enumerate(self.requests) if graded)

    @property
    def before_first_s(self) -> float:
        """Time from a loaded model to its first graded request, in seconds."""
        return self.requests[self.first_graded][0] - self.ready_s

    @property
    def unloaded_s(self) -> float:
        """The same of a server that runs already: whatever it was asked was no loading."""
        return self.requests[self.first_graded][0] - self.loading_s

    @property
    def first_answer_s(self) -> float:
        """Time from a loaded model to its first graded answer, in seconds."""
        return self.requests[self.first_graded][1] - self.ready_s

    @property
    def graded_s(self) -> float:
        """Time of graded work, in seconds."""
        return sum(end_s - begin_s for begin_s, end_s, graded in self.requests if graded)


class WatchedModel:
    """A model whose requests are written down; all else is the model's own."""

    def __init__(self, model: Model, watched: Watched) -> None:
        self._model = model
        self._watched = watched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, request: GenerationRequest) -> Generation:
        begin_s = time.monotonic()
        try:
            return self._model.generate(request)
        finally:
            # Only graded work lets the model end its answer.
            graded = not request.ignore_eos
            self._watched.requests.append((begin_s, time.monotonic(), graded))


class WatchedProvider:
    """Serves what another provider serves, and watches it."""

    def __init__(self, provider: Provider, sessions: list[Watched]) -> None:
        self._provider = provider
        self._sessions = sessions

    @contextmanager
    def serve(self, spec: MeasurementSpec, source: Source, log: Path) -> Iterator[Any]:
        self._sessions.append(Watched(time.monotonic()))
        with self._provider.serve(spec, source, log) as model:
            self._sessions[-1].ready_s = time.monotonic()
            yield WatchedModel(model, self._sessions[-1])


class Bench:
    """A folder in which cells are measured, and what was too dear."""

    def __init__(self, folder: Path) -> None:
        self.failed: list[str] = []
        self._folder = folder
        self._sessions: list[Watched] = []
        setattr(  # noqa: B010
            session,
            "provider_for",
            lambda name: WatchedProvider(provider_for(name), self._sessions),
        )

    def canary(self, name: str, sweep: Sweep) -> Watched:
        """Run the first canary of a sweep."""
        spec, folder = sweep.canaries[0], self._folder / name / "canary"
        folder.mkdir(parents=True)
        tasks = [task for task in sweep.bank.tasks if task.id in spec.tasks.ids]
        source = Source(sweep.cells[0].path, place(sweep.config).of(sweep.cells[0].model_id))
        facts = self._folder / name / SERVER_FACTS
        seen = measure_canary(spec, source, tasks, folder, Silent(), PROVENANCE, facts)
        assert seen.failure is None, seen.failure
        return self._sessions[-1]

    def cell(self, name: str, sweep: Sweep) -> tuple[Watched, float]:
        """Measure the first cell of a sweep; return what was asked, and the wall time in s."""
        source = Source(sweep.cells[0].path, place(sweep.config).of(sweep.cells[0].model_id))
        facts = self._folder / name / SERVER_FACTS
        folder = self._folder / name / "cell"
        receipt = receipt_for(folder, sweep.cells[0].spec, sweep.tasks, source, facts=facts)
        assert receipt.status is RunStatus.MEASURED, receipt.status_reason
        seen = self._sessions[-1]
        return seen, time.monotonic() - seen.loading_s

    def judge(self, what: str, value: float, limit: float, at_most: bool) -> None:
        """Say how a value compares with what it may be."""
        good = value <= limit if at_most else value >= limit
        limited = f"{'at most' if at_most else 'at least'} {limit:g}"
        say(f"  {'ok    ' if good else 'FAILED'} {what}: {value:.2f}, {limited}")
        if not good:
            self.failed.append(what)


def say(text: str) -> None:
    """Print a line at once: the next one may be minutes away."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def tell(name: str, seen: Watched, wall_s: float) -> None:
    """Print what a cell cost."""
    others = [end_s - begin_s for begin_s, end_s, graded in seen.requests if not graded]
    later = len(others) - seen.first_graded
    say(
        f"{name}: loaded in {seen.ready_s - seen.loading_s:.1f} s; {seen.first_graded} requests and"
        f" {seen.before_first_s:.1f} s before the first graded one, which is answered after"
        f" {seen.first_answer_s:.1f} s\n  {len(seen.requests) - len(others)} graded requests,"
        f" {seen.graded_s:.1f} s; {len(others)} others, {sum(others):.1f} s, {later} of them after"
        f" the first graded; wall time {wall_s:.1f} s, {seen.graded_s / wall_s:.1%} of it graded",
    )


def tell_canary(name: str, seen: Watched) -> None:
    """Print what a canary cost."""
    own = seen.requests[seen.first_graded :]
    say(
        f"{name}, canary: {seen.first_graded} requests and {seen.before_first_s:.1f} s before its"
        f" own {len(own)}, which take {own[-1][1] - own[0][0]:.1f} s"
    )


def reference(bench: Bench) -> None:
    """Measure a cell of the reference sweep, without a canary and after one."""
    chosen = {
        "quants": ["Q4_K_M"],
        "artifact_template": f"{ROOT}/models/{{model}}/{{model}}-{{quant}}.gguf",
    }
    sweep = load_sweep([ROOT / "config" / "config.yaml"], {**chosen, "task_bank": BANK}, False)
    tell("reference model", *bench.cell("reference", sweep))
    canary = bench.canary("reference-canary", sweep)
    tell_canary("reference model", canary)
    tell("  and the cell after it", *bench.cell("reference-canary", sweep))


def slowed(bench: Bench, folder: Path, tasks: int) -> None:
    """Measure cells of the slowed server."""
    setattr(device_lock, "_machine_folder", lambda: folder)  # noqa: B010
    backend = WordBackend(piece_s=1 / DECODE_TPS, word_s=1 / PROMPT_TPS, before="well " * 30)
    # Of all kinds it is the one that tells the least, so the most is to be found out.
    server = OpenAiSimulator(backend, ["lamp-7b"], kind="plain")
    with server.running():
        alone, wall_s = bench.cell("slowed", _slowed(folder, server, tasks, canary_runs=0))
        tell("slowed server", alone, wall_s)
        bench.judge("seconds before the first graded request", alone.unloaded_s, BEFORE_S, True)
        # What is no graded work stays the same however many tasks there are.
        graded_s = alone.graded_s * OF_TASKS / tasks
        share = graded_s / (wall_s - alone.graded_s + graded_s)
        bench.judge(f"graded share of the wall time with {OF_TASKS} tasks", share, SHARE, False)

        short = _slowed(folder, server, FEW)
        canary = bench.canary("after-canary", short)
        seen, wall_s = bench.cell("after-canary", short)
        tell_canary("slowed server", canary)
        tell("  and the cell after it", seen, wall_s)
        both_s = canary.unloaded_s + seen.unloaded_s
        bench.judge("seconds before it besides the canary's runs", both_s, BEFORE_S, True)


def _slowed(folder: Path, server: OpenAiSimulator, tasks: int, **changes: Any) -> Sweep:
    """Return the sweep of the slowed server: defaults, but for what the limits are stated for."""
    config = folder / "slowed.json"
    write_json(
        config,
        {
            "models": ["lamp"],
            "quants": ["Q4_K_M"],
            "provider": "openai",
            "base_url": server.base_url,
            "tags": {"lamp": {"Q4_K_M": "lamp-7b"}},
            "task_bank": BANK,
            "task_limit": tasks,
            "runs_per_quant": 1,
            "canary_task_limit": 1,
            **changes,
        },
    )
    return load_sweep([config], {}, False)


def main() -> int:
    """Measure, print, and judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    servers = ("reference", "slowed")
    parser.add_argument("--server", nargs="+", choices=servers, default=servers)
    parser.add_argument("--tasks", type=int, default=OF_TASKS, help="of the slowed server's cell")
    options = parser.parse_args()
    os.chdir(ROOT)  # paths of configs are relative to it; nothing is written there
    with tempfile.TemporaryDirectory() as scratch:
        bench = Bench(Path(scratch))
        if "reference" in options.server:
            reference(bench)
        if "slowed" in options.server:
            slowed(bench, Path(scratch), options.tasks)
    say("failed: " + "; ".join(bench.failed) if bench.failed else "within the budget")
    return 1 if bench.failed else 0


if __name__ == "__main__":
    sys.exit(main())
