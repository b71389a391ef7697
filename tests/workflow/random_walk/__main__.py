"""A random walk over two sweeps that share cells, held against a sweep from scratch.

    python tests/workflow/random_walk --steps 60 --seed 1

A step is one to three edits of one of the two (its config, its files, Snakemake's memory, what is
to be measured again, a job that fails, an interruption) and one call of Snakemake. Then holds:

- whenever it ends with 0, and whenever only a verdict says no, every view is what a sweep from
  scratch over the same measurements comes to, and that one measures nothing;
- it ends with 0 exactly when the sweep from scratch does;
- what was sealed stays, byte for byte; nothing is measured twice unless it was asked for, and what
  was asked for is measured; whole answers of an unfinished measurement are kept;
- after an interruption no process is left, and the same command goes on;
- a second call has nothing to be done.

A walk whose folder is kept goes on where it was stopped (Ctrl-C or SIGTERM, after the step); with
another seed, on other code, or after its end it begins anew.
"""

from __future__ import annotations

import argparse
import hashlib
import pickle
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[1]))

from invocation import ROOT, Result, call, failing
from ledger import Asked, Ledger, change_of
from sweeps import EDITS, Step, Sweeps
from truth import Made, Truth, differences, import_what_is_slow

_HISTORIES = ("frontiers", "context_ceilings", "thermal_profiles")
_SAVED = "walk.pickle"


class Walk:
    """The sweeps, what was done to them, and what must hold.

    Args:
        folder: Empty.
        seed: Of the dice.
        slow_truth: One of how many truths is made by Snakemake.
    """

    def __init__(self, folder: Path, seed: int, slow_truth: int) -> None:
        self.dice = random.Random(seed)
        self.folder = folder / "walk"
        self.folder.mkdir()
        self.sweeps = Sweeps(self.folder, self.dice)
        self.truth = Truth(self.folder, folder / "truth")
        self.slow_truth = slow_truth
        self.ledger = Ledger()
        self.struck: Counter[str] = Counter()
        self.steps = 0
        self.problems = 0

    def step(self) -> None:
        """Edit, run, and print what is wrong then."""
        self.steps += 1
        self.problems += len(self._step(self.steps))

    def _step(self, number: int) -> list[str]:
        began = time.monotonic()
        step = Step(self.dice.choice("ab"))
        names = self._edit(step)
        self.sweeps.write(step.sweep)
        if step.first:
            call(self.folder, [*step.first, "--configfile", f"{step.sweep}.json"])
        result, problems = self._call(step)
        what = [*names, *step.first, *step.options]
        what += [f"fault {step.fault}"] if step.fault else []
        what += [f"[{step.strike}{'!' if result.struck else ''}]"] if step.strike else []
        print(f"{number:>3} {step.sweep} {' '.join(what)}: exit {result.code}", flush=True)
        if result.struck and step.strike:
            self.struck[step.strike.kind] += 1
        # A failed canary stops what is forced; without that the store has what is needed.
        refused = bool(step.asked.rules) and result.code != 0
        if refused:
            step = Step(step.sweep)
        if result.struck or step.fault or step.targets or refused:
            # The same command once more, without what broke into it; or the whole sweep.
            step = Step(step.sweep, (), () if step.targets else step.options, self._left(step))
            result, further = self._call(step)
            problems += further
            print(f"      the same command goes on: exit {result.code}", flush=True)
        problems += self._settled(step, result)
        for problem in problems:
            print(f"      PROBLEM {problem}", flush=True)
        print(f"      {time.monotonic() - began:.0f} s, {'ok' if not problems else 'NOT OK'}")
        if problems:
            print("\n".join(line[:300] for line in result.text.splitlines()[-60:]), flush=True)
        return problems

    def _left(self, step: Step) -> Asked:
        return Asked() if step.targets else step.asked

    def _edit(self, step: Step) -> list[str]:
        names = list(EDITS)
        weights = [weight for _, weight in EDITS.values()]
        chosen = self.dice.choices(names, weights, k=self.dice.randint(1, 3))
        for name in dict.fromkeys(chosen):
            EDITS[name][0](self.sweeps, step)
        return list(dict.fromkeys(chosen))

    def _call(self, step: Step) -> tuple[Result, list[str]]:
        """Run one invocation, and return how it ended with what it did wrong."""
        arguments = [*step.targets, *step.options, "--configfile", f"{step.sweep}.json"]
        arguments += ["--verbose"] if step.strike else []  # it waits for what Snakemake says
        result = call(self.folder, arguments, step.strike, failing(step.fault))
        problems = []
        if "Traceback" in result.text and not result.struck:
            problems.append("a traceback: " + result.text[-2500:])
        problems += [f"outlives Snakemake: {command}" for command in result.left]
        change = change_of(self.folder, f"{step.sweep}.json", self.ledger, step.asked)
        self.ledger = change.after
        problems += change.problems()
        if result.code == 0:
            problems += change.not_measured()
        return result, problems

    def _settled(self, step: Step, result: Result) -> list[str]:
        """Return what is wrong with a sweep after a call that nothing broke into."""
        slow = self.dice.randrange(self.slow_truth) == 0
        made = self.truth.by_snakemake(step.sweep) if slow else self.truth.make(step.sweep)
        problems = list(self._unlike(made, step.sweep))
        if (result.code == 0) == bool(made.failed):
            problems.append(f"exit {result.code}, and from scratch these fail: {made.failed}")
        again = call(self.folder, ["-n", "--configfile", f"{step.sweep}.json"])
        if result.code == 0 and "Nothing to be done" not in again.text:
            problems.append("a second call still has work: " + again.text[-1500:])
        return problems

    def _unlike(self, made: Made, sweep: str) -> Iterator[str]:
        """Yield what differs from what was made from scratch."""
        yield from differences(self.folder, made.folder, sweep)
        now = Ledger.of(made.folder / "storage")
        if new := now.files.keys() - self.ledger.files.keys():
            yield f"from scratch it has to be measured: {sorted(new)}"
        for path in (made.folder / "storage").glob("*/*.json"):
            real = self.folder / path.relative_to(made.folder)
            kept = path.parent.name in _HISTORIES
            if kept and path.read_bytes() != (real.read_bytes() if real.is_file() else b""):
                yield f"{real.relative_to(self.folder)} lacks what was found"


def main() -> int:
    """Walk as the command line says; return 1 if anything was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--slow-truth", type=int, default=8, help="one of how many by Snakemake")
    parser.add_argument("--keep", type=Path, help="folder to walk in, which is kept")
    options = parser.parse_args()
    stopped = _stopped_by_signals()
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.keep or Path(temporary)).resolve()
        walk = _walk_in(folder, options)
        while walk.steps < options.steps and not stopped:
            walk.step()
            _save(walk, folder, options)
        print("interrupted:", ", ".join(f"{kind} {n}" for kind, n in sorted(walk.struck.items())))
    print(f"{walk.steps} steps, seed {options.seed}: {walk.problems} problems")
    return int(bool(walk.problems) or walk.steps < options.steps)


def _stopped_by_signals() -> list[int]:
    """Return a list that is no longer empty when a signal has asked for the end."""
    signals: list[int] = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda number, _: signals.append(number))
    return signals


def _walk_in(folder: Path, options: argparse.Namespace) -> Walk:
    """Return the walk of a folder, as it was after its last step, or a new one."""
    saved = folder / _SAVED
    if saved.is_file():
        walked, state = pickle.loads(saved.read_bytes())
        if walked == _walked(options.seed):
            import_what_is_slow()
            walk: Walk = pickle.loads(state)
            return walk
        print("of another seed or other code: begins anew", flush=True)
    shutil.rmtree(folder / "walk", ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    return Walk(folder, options.seed, options.slow_truth)


def _save(walk: Walk, folder: Path, options: argparse.Namespace) -> None:
    if walk.steps >= options.steps:
        (folder / _SAVED).unlink(missing_ok=True)
        return
    half = folder / f"{_SAVED}.part"
    half.write_bytes(pickle.dumps((_walked(options.seed), pickle.dumps(walk))))
    half.replace(folder / _SAVED)


def _walked(seed: int) -> tuple[int, str]:
    """Return what makes a walk: its seed, and a digest of the code."""
    digest = hashlib.sha256((ROOT / "Snakefile").read_bytes())
    for name in ("orket_lib", "rules", "profiles", "tests/workflow"):
        for path in sorted((ROOT / name).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(path.read_bytes())
    return seed, digest.hexdigest()


if __name__ == "__main__":
    sys.exit(main())
