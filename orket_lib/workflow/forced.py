"""Forced jobs: what is measured again even if it is in the store.

`-R measure_cell`, `-f RECEIPT`, `-F` and `--config again=...` force jobs. With some executors
(Slurm, cluster-generic) each job runs its own Snakemake, which doesn't see these options. So the
main process decides once and writes the decision to a file, which the others read.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Any

from orket_lib.artifacts.io import json_value, read_json, write_json
from orket_lib.preflight.gates import is_fresh
from orket_lib.sweep.cells import Sweep
from orket_lib.telemetry.fingerprint import boot_id
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.slugs import slug
from orket_lib.workflow.invocation import Invocation
from orket_lib.workflow.receipts import receipt_state

_MEASURING = (
    "measure_cell",
    "measure_sidecar",
    "measure_contexts",
    "measure_quant_contexts",
    "measure_thermal",
    "measure_fidelity",
)
_CANARIES = ("/canary/receipt.json", "/canary/closing_receipt.json")


class Forced:
    """Forced jobs of one invocation.

    Args:
        workflow: Snakemake's `workflow`; its `dag_settings` are set only when params are evaluated.
        sweep: The sweep.
        invocation: Rule names and paths.
    """

    def __init__(self, workflow: Any, sweep: Sweep, invocation: Invocation) -> None:
        self._workflow = workflow
        self._sweep = sweep
        self._invocation = invocation
        name = slug(_normal(invocation.path(sweep.results)))
        self._file = Path(".snakemake", "orket", f"{name}.json")
        self._decided: dict[str, Any] = {}

    def again(self, rule: str, outputs: Iterable[str]) -> str:
        """Return the option that makes a job measure again; nothing if it may use the store.

        Args:
            rule: Of the job.
            outputs: Of the job.
        """
        outputs = list(outputs)
        if self._forces(rule, outputs) or (rule == "measure_canary" and self._repeats_canary()):
            return "--again all"
        again = not self._repeated.isdisjoint(map(_normal, outputs))
        return f"--again {self._sweep.config.again}" if again else ""

    def attempt(self, receipt: str) -> int:
        """Return the attempt of a job's receipt; raising it makes Snakemake rerun the job.

        Args:
            receipt: Path of the receipt.
        """
        number, retry = self._state(receipt)
        return number + int(retry or _normal(self._invocation.path(receipt)) in self._repeated)

    def canary_attempt(self, receipt: str) -> int:
        """Return the attempt of a canary receipt.

        If anything is measured, a canary is due that is stale, or that cost the sweep its speeds.
        """
        number, retry = self._state(receipt)
        stale = not self._canary_is_fresh(receipt) and self.anything_due()
        return number + int(retry or stale or self._repeats_canary())

    def fresh(self) -> str:
        """Return the option that refuses a stale canary; nothing if nothing is measured."""
        return "--fresh" if self.anything_due() else ""

    def anything_due(self) -> bool:
        """Tell whether anything of the sweep will be measured."""
        return bool(self._settled()["due"])

    @cached_property
    def _repeated(self) -> frozenset[str]:
        """The receipts of cells of which the config measures a part again."""
        results = self._invocation.path(self._sweep.results)
        part = self._sweep.config.again
        return frozenset(
            _normal(receipt)
            for cell in (self._sweep.cells if part else ())
            for wanted, receipt in zip(cell.wanted, cell.receipts(results), strict=True)
            if wanted.again(part)
        )

    def _repeats_canary(self) -> bool:
        return bool(self._settled()["canary"])

    def _state(self, receipt: str) -> tuple[int, bool]:
        return receipt_state(Path(self._invocation.path(receipt)))

    def _canary_is_fresh(self, receipt: str) -> bool:
        try:
            path = Path(self._invocation.path(receipt))
            content = json_value(path.read_text(encoding="utf-8"))
            when = (content["measured_at"], content["boot_id"])
            limit = self._sweep.config.canary_policy.max_age_hours
            # Jobs of a batch system run on other machines, where `opened_gates` looks at the boot.
            # If it counted here, each call would take a canary, and submit every finished cell.
            boot = boot_id() if self._workflow.local_exec else when[1]
            return is_fresh(*when, limit, utc_now(), boot)
        except (OSError, ValueError, KeyError, TypeError):
            return True  # no receipt: its job is due anyway

    def _forces(self, rule: str, outputs: Iterable[str]) -> bool:
        decided = self._settled()
        names = {self._invocation.rule(rule), *map(_normal, outputs)}
        return bool(decided["all"] or names & set(decided["names"]))

    def _settled(self) -> dict[str, Any]:
        """Return the decision, made by this process or by the main Snakemake process."""
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
        # A forced receipt or rule measures. A forced canary is measured and thus not stale.
        measuring = {self._invocation.rule(rule) for rule in _MEASURING}
        measured = any(
            name in measuring or (name.endswith("receipt.json") and not name.endswith(_CANARIES))
            for name in names
        )
        results = self._invocation.path(self._sweep.results)
        again, cells = self._sweep.config.again, self._sweep.cells
        due = settings.forceall or measured or not all(it.measured(results, again) for it in cells)
        return {
            "all": settings.forceall,
            "names": sorted(names),
            "due": due,
            "canary": due and self._speeds_left_out(),
        }

    def _speeds_left_out(self) -> bool:
        """Tell whether the last canary allowed no speeds."""
        path = Path(self._invocation.path(f"{self._sweep.results}/canary/verdict.json"))
        try:
            return bool(json_value(path.read_text(encoding="utf-8")).get("quality_only"))
        except (OSError, ValueError, AttributeError):
            return False  # no verdict


def _normal(path: str) -> str:
    """Return a path relative to the working folder, with forward slashes."""
    relative = os.path.relpath(path) if Path(path).is_absolute() else os.path.normpath(path)
    return relative.replace(os.sep, "/")
