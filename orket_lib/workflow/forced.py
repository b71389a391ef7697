"""What an invocation of Snakemake is told to measure again, whatever the store has.

`-R measure_cell`, `-f RECEIPT`, `-F` and `--config again=...` mean that. The process that was
started by hand decides it once: under an executor that gives each job a Snakemake of its own
(Slurm, cluster-generic) those know nothing of the options, and read what was decided from a file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from orket_lib.artifacts.io import read_json, write_json
from orket_lib.preflight.gates import is_fresh
from orket_lib.sweep.cells import Sweep
from orket_lib.telemetry.fingerprint import boot_id
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.slugs import slug
from orket_lib.workflow.embedding import Embedding
from orket_lib.workflow.receipts import receipt_state

_MEASURING = ("measure_cell", "measure_sidecar", "measure_contexts", "measure_thermal")
_CANARIES = ("/canary/receipt.json", "/canary/closing_receipt.json")


class Forced:
    """What is measured again in this invocation.

    Args:
        workflow: Snakemake's; its `dag_settings` are set only when params are evaluated.
        sweep: That it runs.
        embedding: What its rules are called, and where its products lie.
    """

    def __init__(self, workflow: Any, sweep: Sweep, embedding: Embedding) -> None:
        self._workflow = workflow
        self._sweep = sweep
        self._embedding = embedding
        name = slug(_normal(embedding.path(sweep.results)))
        self._file = Path(".snakemake", "orket", f"{name}.json")
        self._decided: dict[str, Any] = {}

    def again(self, rule: str, outputs: Iterable[str]) -> str:
        """Return the option that measures a job's part again; nothing where it takes the store's.

        Args:
            rule: Of the job.
            outputs: Of the job.
        """
        if self._forces(rule, outputs):
            return "--again all"
        again = self._sweep.config.again
        return f"--again {again}" if again and rule == "measure_cell" else ""

    def attempt(self, receipt: str, rule: str = "") -> int:
        """Return the number that a job's receipt is to carry; a higher one makes the job due.

        Args:
            receipt: Path of the receipt.
            rule: Of the job.
        """
        number, retry = self._state(receipt)
        again = rule == "measure_cell" and self._sweep.config.again is not None
        return number + int(retry or again)

    def canary_attempt(self, receipt: str) -> int:
        """Return the same for the canaries, which are due when they are stale and anything is."""
        number, retry = self._state(receipt)
        return number + int(retry or (not self._canary_is_fresh(receipt) and self.anything_due()))

    def fresh(self) -> str:
        """Return the option that takes no stale canary; nothing where nothing is measured."""
        return "--fresh" if self.anything_due() else ""

    def anything_due(self) -> bool:
        """Tell whether any cell of the sweep is to be measured."""
        return bool(self._settled()["due"])

    def _state(self, receipt: str) -> tuple[int, bool]:
        return receipt_state(Path(self._embedding.path(receipt)))

    def _canary_is_fresh(self, receipt: str) -> bool:
        try:
            path = Path(self._embedding.path(receipt))
            content = json.loads(path.read_text(encoding="utf-8"))
            when = (content["measured_at"], content["boot_id"])
            limit = self._sweep.config.canary_policy.max_age_hours
            return is_fresh(*when, limit, utc_now(), boot_id())
        except (OSError, ValueError, KeyError, TypeError):
            return True  # there is none, so its job is due anyway

    def _forces(self, rule: str, outputs: Iterable[str]) -> bool:
        decided = self._settled()
        names = {self._embedding.rule(rule), *map(_normal, outputs)}
        return bool(decided["all"] or names & set(decided["names"]))

    def _settled(self) -> dict[str, Any]:
        """Return what was decided: here, or by the Snakemake that this one is a job of."""
        if not self._decided:
            if self._workflow.is_main_process:
                self._decided = self._decide()
                if not self._workflow.output_settings.dryrun:
                    write_json(self._file, self._decided)
            else:
                self._decided = read_json(self._file)
        return self._decided

    def _decide(self) -> dict[str, Any]:
        settings = self._workflow.dag_settings
        names = {str(name) for name in settings.forcerun}
        if settings.forcetargets:
            names |= {str(target) for target in settings.targets}
        names |= {_normal(name) for name in names}
        forced = bool(settings.forceall or self._sweep.config.again)
        # A forced receipt, or rule, measures; a forced canary is fresh by itself.
        measuring = {self._embedding.rule(rule) for rule in _MEASURING}
        measured = any(
            name in measuring or (name.endswith("receipt.json") and not name.endswith(_CANARIES))
            for name in names
        )
        due = forced or measured or not all(cell.measured for cell in self._sweep.cells)
        return {"all": settings.forceall, "names": sorted(names), "due": due}


def _normal(path: str) -> str:
    """Return a path as the workflow writes it."""
    relative = os.path.relpath(path) if Path(path).is_absolute() else os.path.normpath(path)
    return relative.replace(os.sep, "/")
