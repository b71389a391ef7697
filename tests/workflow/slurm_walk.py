"""Sweeps in the jobs of a real Slurm: what is lost, measured twice, or costs more than here.

    python tests/workflow/slurm_walk.py

It starts a Slurm of its own (`slurm_cluster.py`; as root, see `.ci/slurm`). The same sweep is run
here and there. There, further quants are measured, and their jobs are cancelled, run into their
time limit, lose their node, or lose the Snakemake that waits for them. A step that ends or measures
otherwise than it should is marked, and the exit status is 1 then.
"""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from slurm_cluster import HERE, OTHER, Cluster, cluster, missing
from sweep_workspace import Workspace

sys.path.append(str(Path(__file__).with_name("random_walk")))
from ledger import Asked, Change, Ledger

ALL = ["F16", "Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K"]
FIRST = ALL[:2]
JOB = ["mem_mb=1000", "runtime=10", "slurm_account=none"]
QUICK = ["--seconds-between-status-checks", "1", "--slurm-init-seconds-before-status-checks", "1"]
_LONGEST_S = 600.0
# Long enough to be struck in the middle.
LONG = {"task_limit": 60, "runs_per_quant": 5}
_BEGUN = 3  # lines of a journal after which a job is struck

Strike = Callable[[str], object]


class Walk:
    """The sweep of one folder in Slurm's jobs, and what went otherwise than it should.

    Attributes:
        seen: The environment of the last measuring process that was looked at.
        jobs: How many jobs of Slurm the last run took.
    """

    def __init__(self, slurm: Cluster, workspace: Workspace) -> None:
        self.slurm = slurm
        self.workspace = workspace
        self.wrong = 0
        self.seen: dict[str, str] = {}
        self.text = ""
        self.jobs = 0
        self._log = workspace.folder / "output.txt"
        self._snakemake: subprocess.Popen[Any]
        self._client: psutil.Process

    def run(
        self,
        quants: list[str],
        *options: str,
        node: str = HERE,
        strike: Strike | None = None,
        code: int = 0,
    ) -> float:
        """Run the sweep; return how long it took (s).

        Args:
            quants: Of the sweep.
            options: Of Snakemake.
            node: Where its jobs run.
            strike: Called with the id of the first job that is in the middle of a cell.
            code: The right exit code.
        """
        self.workspace.config["quants"] = quants
        before, first = Ledger.of(self._store), self._newest_job()
        command = self.workspace.command("--workflow-profile", "profiles/slurm", *options)
        command += ["--cores", "1", "--default-resources", *JOB, f"slurm_partition={node}"]
        began = time.monotonic()
        with self._log.open("w", encoding="utf-8") as log:
            process = subprocess.Popen(
                command,
                cwd=self.workspace.folder,
                env=self.slurm.environment,
                stdout=log,
                stderr=log,
            )
            self._snakemake = process
            try:
                if strike:
                    job = self._in_mid_cell(node, quants[-1])
                    before = Ledger.of(self._store)
                    strike(job)
                ended = process.wait(_LONGEST_S)
            finally:
                process.kill()
        took = time.monotonic() - began
        self.text = self._output()
        self.jobs = self._newest_job() - first
        self.hold(f"{quants[-1]} on {node}: exit {ended} after {took:.0f} s", ended == code)
        left = self.slurm.ask("squeue", "--noheader").strip()
        self.hold("no job is left", not left, left)
        change = Change(
            self._store,
            before,
            Ledger.of(self._store),
            Asked(frozenset({"measure_canary"} if node == OTHER else ())),
            {},
            self.workspace.folder / "results" / "small",
            frozenset(),
        )
        problems = list(change.problems())
        self.hold("nothing lost, nothing measured twice", not problems, "\n".join(problems))
        return took

    def hold(self, text: str, right: bool, more: str = "") -> None:
        """Print what is so; mark it, with the last output of Snakemake, if it should not be."""
        self.wrong += not right
        print(f"   {text}{'' if right else '   <-- WRONG'}", flush=True)
        if not right:
            print(f"{more}\n{self.text[-3000:]}", flush=True)

    def canaries(self) -> int:
        """Return how many canaries are sealed."""
        return len(list(self._store.glob("canary/*/*/canary.json")))

    def under_way(self) -> int:
        """Return how many lines of unfinished journals there are."""
        journals = self._store.glob("runs/*/*/*/open/journal.jsonl")
        return sum(path.read_bytes().count(b"\n") for path in journals)

    def go_on(self) -> None:
        """Let the client that is held go on."""
        self._client.send_signal(signal.SIGCONT)

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self._snakemake.send_signal(signal.SIGINT)

    @property
    def _store(self) -> Path:
        return self.workspace.folder / "storage"

    def _newest_job(self) -> int:
        listed = self.slurm.ask("squeue", "--noheader", "--states=all", "--format=%i")
        return max(map(int, listed.split()), default=0)

    def _in_mid_cell(self, node: str, quant: str) -> str:
        """Return the job that measures a quant, held after a few lines of its journal."""
        self._client = client = self._found(node, f"/{quant}/spec.json")
        self.seen = client.environ()
        try:
            while self.under_way() < _BEGUN:
                client.status()  # raises when it has ended
                time.sleep(0.002)
            client.send_signal(signal.SIGSTOP)  # Slurm wakes it up before it ends it
        except psutil.NoSuchProcess:
            raise SystemExit(f"not caught in the middle of its cell:\n{self._output()}") from None
        return self.seen["SLURM_JOB_ID"]

    def _found(self, node: str, spec: str) -> psutil.Process:
        end = time.monotonic() + _LONGEST_S
        while time.monotonic() < end and self._snakemake.poll() is None:
            for process in self.slurm.processes(node):
                with contextlib.suppress(psutil.Error):
                    words = process.cmdline()
                    if "measure-cell" in words and any(word.endswith(spec) for word in words):
                        return process
            time.sleep(0.05)
        raise SystemExit(f"no cell was measured:\n{self._output()}")

    def _output(self) -> str:
        return self._log.read_text(encoding="utf-8")


def answers(workspace: Workspace) -> dict[str, Any]:
    """Return what does not depend on time: each quant's answers with their outcomes."""
    found = {}
    for path in workspace.runs():
        runs = json.loads(path.read_bytes())["test_runs"]
        found[path.parent.name] = [
            [run[key] for key in ("test_id", "run_index", "outcome", "answer")] for run in runs
        ]
    return found


def walk(it: Walk, here: Workspace) -> None:
    """Walk; each step measures another quant."""
    slurm = it.slurm

    def say(text: str) -> None:
        print(text, flush=True)

    say("the same sweep here and in Slurm's jobs, with the profile's own waits")
    here.config["quants"] = FIRST
    began = time.monotonic()
    ended = here.run()
    local_s = time.monotonic() - began
    it.hold(f"here: exit {ended.code} after {local_s:.0f} s", ended.code == 0, ended.text)
    slurm_s = it.run(FIRST)
    cost_s = (slurm_s - local_s) / (len(FIRST) + 1)
    print(f"   a job of Slurm costs {cost_s:.0f} s more than one here", flush=True)
    it.run(FIRST, *QUICK)
    it.hold("nothing is left to do", "Nothing to be done" in it.text)

    say("another node of the same kind, with a GPU")
    gpu = ["--set-resources", "measure_cell:gpu=1"]
    it.run(["F16", "Q6_K"], *QUICK, *gpu, node=OTHER, strike=lambda job: it.go_on())
    it.hold(f"it has a canary of its own: {it.canaries()}", it.canaries() == 2)
    gpus = it.seen.get("CUDA_VISIBLE_DEVICES")
    it.hold(f"Slurm granted the GPU {gpus}", gpus == "0")

    say("there, a job cancelled in the middle of a cell; again on the first node; again there")
    quants = ["F16", "Q5_K_M"]
    it.run(quants, *QUICK, node=OTHER, strike=lambda job: slurm.ask("scancel", job), code=1)
    it.hold("the end says so", "CANCELLED" in it.text)
    it.run(quants, *QUICK, code=1)
    refused = "the canary was measured on another node" in it.text
    it.hold("refused, because the canary is of the other node", refused)
    it.run(quants, *QUICK, node=OTHER)
    it.hold(f"jobs: {it.jobs}", it.jobs == 1)

    say("a job at its time limit; then again")
    quants = ["F16", "Q4_K_M"]

    def limit(job: str) -> None:
        slurm.ask("scontrol", "update", f"JobId={job}", "TimeLimit=1")

    it.run(quants, *QUICK, node=OTHER, strike=limit, code=1)
    it.hold("the end says so", "TIMEOUT" in it.text)
    it.run(quants, *QUICK, node=OTHER)

    say("a node lost and back; its job is queued again")

    def lose(job: str) -> None:
        slurm.lose_node(HERE)
        slurm.until(lambda: "DOWN" in slurm.state_of(HERE), f"the loss of {HERE}")
        slurm.start_node(HERE)

    it.run(["F16", "Q3_K_M"], *QUICK, strike=lose)

    say("Ctrl-C; then again")
    quants = ["F16", "Q2_K"]
    it.run(quants, *QUICK, strike=lambda job: it.interrupt(), code=130)
    it.run(quants, *QUICK)

    say("all quants, without Slurm: there from the store, here measured")
    for workspace in (here, it.workspace):
        workspace.config["quants"] = ALL
    sealed = it.workspace.sealed()
    for name, workspace in (("there", it.workspace), ("here", here)):
        ended = workspace.run()
        it.hold(f"{name}: exit {ended.code}", ended.code == 0, ended.text)
    it.hold("nothing was measured there", it.workspace.sealed() == sealed and it.canaries() == 2)
    found, there = answers(here), answers(it.workspace)
    it.hold(f"{len(there)} quants answered the same", len(there) == len(ALL) and found == there)


def main() -> int:
    """Walk; return 1 if anything was wrong, and 2 if there is no Slurm."""
    # A shell that starts us in the background has SIGINT ignored, which Snakemake would inherit.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if why := missing():
        print(f"no Slurm: {why}")
        return 2
    with tempfile.TemporaryDirectory() as name:
        folders = [Path(name, part) for part in ("slurm", "here", "there")]
        for folder in folders:
            folder.mkdir()
        with cluster(folders[0]) as slurm:
            here, there = map(Workspace, folders[1:])
            for workspace in (here, there):
                workspace.config |= LONG
            it = Walk(slurm, there)
            walk(it, here)
    print(f"slurm: {it.wrong} things went wrong")
    return int(bool(it.wrong))


if __name__ == "__main__":
    sys.exit(main())
