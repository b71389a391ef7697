"""The steps that make a sweep's views from its measurements, as the rules make them.

Their order and options come from the sweep's policies, never from commands in the bundle.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from orket_lib.artifacts.io import read_json, read_model
from orket_lib.artifacts.measurements.request import AskedReceipts
from orket_lib.artifacts.views.context_summary import ContextSettings
from orket_lib.artifacts.views.look import LookSettings
from orket_lib.config.loading.parse import parse
from orket_lib.config.model import SweepConfig
from orket_lib.stores.bundles import is_plain
from orket_lib.vocabulary.errors import ArtifactError
from orket_lib.vocabulary.slugs import slugs
from orket_lib.vocabulary.statuses import FidelityMode
from orket_lib.workflow.target_parts.context import ceiling_options, largest_first
from orket_lib.workflow.target_parts.thermal import profile_options

_LONGEST_CONTEXT = 2**25
NOTHING_MEASURED = "inputs/nothing_is_measured.json"
_NOT_MADE = ("inputs/", "storage/")
# Files of a sweep that its measurements can't make again; they are compared by hash only.
_BY_HASH = re.compile(
    r"(policy/\w+|preflight|plan|started|quant_sweep/(regression|baselines_recorded)"
    r"|(canary|cells|context_sweep|fidelity|thermal)/(.+/)?\w*(receipt|spec))\.json"
    r"|.+\.(ok|png)"
)


@dataclass(frozen=True)
class Step:
    """One command and the files that it makes."""

    arguments: tuple[str, ...]
    outputs: tuple[str, ...]


class Steps:
    """The steps of a sweep's views, in the order of the workflow."""

    def __init__(self, sweep: str, kpi_policy: str, files: Collection[str]) -> None:
        """Read the sweep's config and policies, below the current folder.

        Args:
            sweep: Its name.
            kpi_policy: Path of its KPI policy.
            files: Paths of its files and measurements; others aren't used.

        Raises:
            ArtifactError: They can't be read.
        """
        self.files = {path for path in files if is_plain(path)}
        self.results = f"results/{sweep}"
        self._views = f"{self.results}/quant_sweep"
        self._policy = f"{self.results}/policy"
        self._kpi_policy = kpi_policy
        self._config: SweepConfig = parse(read_json(Path(self._policy, "matrix.json")))
        self._receipts = read_model(Path(self._policy, "receipts.json"), AskedReceipts).paths
        if strange := [path for path in self._receipts if not is_plain(path)]:
            raise ArtifactError(
                f"{self._policy}/receipts.json: no path of a cell: {strange[0]!r:.80}"
            )
        self.models = tuple(slugs(self._config.models).values())

    def all(self) -> Iterator[Step]:
        """Yield every step; the files of some may be in no bundle."""
        results, policy = self.results, self._policy
        canary = f"{results}/canary"
        yield _step(
            f"views.canary_verdict --policy {policy}/canary.json --receipt {canary}/receipt.json",
            f"{canary}/verdict.json",
        )
        yield from self._cells()
        yield from self._looks()
        yield from self._rows()
        yield from self._summary()
        yield from self._further()
        yield self._report()

    def strangers(self) -> Iterator[str]:
        """Yield the files that are neither measurements nor made by a step of the sweep."""
        made = {path for step in self.all() for path in step.outputs}
        for model in self.models:
            folder = f"{self.results}/thermal/{model}"
            if f"{folder}/receipt.json" in self.files:  # names the sealed series
                made.add(f"{folder}/series.json")
        for path in sorted(self.files - made):
            known = _BY_HASH.fullmatch(path.removeprefix(f"{self.results}/"))
            if not known and not path.startswith(_NOT_MADE):
                yield path

    def _cells(self) -> Iterator[Step]:
        cells, settings = f"{self.results}/cells", f"{self._policy}/row.json"
        for receipt in self._receipts:
            yield _step(
                f"views.run_report --receipt {cells}/{receipt}"
                f" --spec {cells}/{_cell(receipt)}/spec.json --tasks {self._policy}/tasks.json",
                f"{cells}/{receipt.removesuffix('receipt.json')}run.json",
            )
        for cell in dict.fromkeys(map(_cell, self._receipts)):
            yield _step(
                f"views.sidecar_view --receipt {cells}/{cell}/sidecar_receipt.json"
                f" --settings {settings}",
                self._sidecar(cell),
            )

    def _looks(self) -> Iterator[Step]:
        for model in self.models if self._batches else ():
            for batch in range(self._batches + 1):
                yield _step(
                    f"views.look --settings {self._policy}/looks.json"
                    f" --rows {self._policy}/row.json --cells {self.results}/cells"
                    f" --model {model} --batch {batch}"
                    f"{self._started()}",
                    f"{self.results}/looks/{model}/{batch}.json",
                )

    def _rows(self) -> Iterator[Step]:
        reports: dict[str, list[str]] = {}
        for receipt in self._receipts:
            report = f"{self.results}/cells/{receipt.removesuffix('receipt.json')}run.json"
            reports.setdefault(_cell(receipt), []).append(report)
        for cell, paths in reports.items():
            view = self._sidecar(cell)
            yield _step(
                f"views.row --report {' '.join(paths)} --settings {self._policy}/row.json"
                f"{f' --sidecar {view}' if view in self.files else ''}",
                f"{self._views}/{cell}.json",
            )

    def _summary(self) -> Iterator[Step]:
        folder, canary = f"{self.results}/fidelity", f"{self.results}/canary"
        for model in self.models:
            yield _step(
                f"views.kld --receipt {folder}/{model}/receipt.json", f"{folder}/{model}/kld.json"
            )
        summary = f"{self._views}/sweep_summary.json"
        closing = f" --closing {canary}/closing_receipt.json"
        looks = f" --looks {self.results}/looks --batches {self._batches}"
        probabilities = self._config.fidelity is FidelityMode.KLD
        yield _step(
            f"views.summary --matrix {self._policy}/matrix.json --canary {canary}/verdict.json"
            f" --opening {canary}/receipt.json{closing if self._config.canary_closing else ''}"
            f"{looks if self._batches else ''}{f' --fidelity {folder}' if probabilities else ''}",
            summary,
        )
        yield _step(f"views.kpis --summary {summary}", f"{self._views}/sweep_kpis.json")
        yield Step(
            (
                *f"views.kpi_gate --summary {summary} --verdict-only".split(),
                *("--policy", self._kpi_policy),
                *(["--one-run"] if self._config.asks_once else []),
                *("--out", f"{self._views}/kpi_gate.json"),
            ),
            (f"{self._views}/kpi_gate.json",),
        )
        yield _step(f"views.frontier --summary {summary}", f"{self._views}/frontier_explorer.json")

    def _further(self) -> Iterator[Step]:
        """Yield the steps of context sweep and thermal series."""
        frontier, policy = f"{self._views}/frontier_explorer.json", Path(self._policy)
        for model in self.models:
            folder = f"{self.results}/context_sweep/{model}"
            if (policy / "context.json").is_file():
                settings = read_model(policy / "context.json", ContextSettings)
                if max(settings.contexts, default=0) > _LONGEST_CONTEXT:  # prompts are made anew
                    raise ArtifactError(f"{policy}/context.json: no model has such a context")
                look = f" --look {self.results}/looks/{model}/{self._batches}.json"
                measure = (
                    f"measure.measure_contexts --cells {policy}/cells.json"
                    f" --policy {policy}/context.json --settings {policy}/row.json"
                    f" --needs {policy}/needs.json --model {model} --preflight {NOTHING_MEASURED}"
                    f"{look + self._started() if self._config.budget else ''}"
                )
                limits = ceiling_options(settings, self._config.wanted_context)
                quants, beside = self._quants(model, settings), ""
                for quant in quants:
                    yield _contexts(
                        f"{measure} --quant {quant} --row {self._views}/{model}/{quant}.json"
                        f" --sweep {self._config.sweep} --beside{beside}",
                        f"{folder}/{quant}",
                        settings,
                    )
                    beside += f" {folder}/{quant}/receipt.json"
                if quants:
                    folders = " ".join(f"{folder}/{quant}" for quant in quants)
                    yield _step(
                        f"views.context_quants {limits} --folders {folders}",
                        f"{folder}/context_quants.json",
                    )
                whole = f" --beside{beside}" if quants else ""
                yield _contexts(f"{measure} --frontier {frontier}{whole}", folder, settings)
                yield _step(
                    f"views.context_ceiling {limits}"
                    f" --summary-template {folder}/context_{{context}}.json",
                    f"{folder}/context_ceiling.json",
                )
            folder = f"{self.results}/thermal/{model}"
            yield _step(
                f"views.thermal_profile --summaries {folder}/series.json --frontier {frontier}"
                f" {profile_options(self._config)}",
                f"{folder}/thermal_profile.json",
            )

    def _quants(self, model: str, settings: ContextSettings) -> tuple[str, ...]:
        """Return the quants of a model whose contexts are measured by themselves."""
        names = {slug: name for name, slug in slugs(self._config.models).items()}
        return largest_first(self._config, names[model], settings.quants)

    def _report(self) -> Step:
        contexts = self._there(f"{self.results}/context_sweep/{{}}/context_ceiling.json")
        compared = self._there(f"{self.results}/context_sweep/{{}}/context_quants.json")
        profiles = self._there(f"{self.results}/thermal/{{}}/thermal_profile.json")
        outputs = {
            "md": "sweep_report.md",
            "html": "sweep_report.html",
            "scatter": "sweep_scatter.json",
            "table": "sweep_table.csv",
            "wants": "sweep_wants.json",
        }
        made = {option: f"{self._views}/{name}" for option, name in outputs.items()}
        return Step(
            (
                *f"results.report --summary {self._views}/sweep_summary.json".split(),
                *("--cells", f"{self.results}/cells"),
                *(word for option, path in made.items() for word in (f"--out-{option}", path)),
                *(["--context", *contexts] if contexts else []),
                *(["--context-quants", *compared] if compared else []),
                *(["--thermal", *profiles] if profiles else []),
            ),
            tuple(made.values()),
        )

    def _there(self, path: str) -> list[str]:
        """Return the paths of a view that the bundle has, one for each model."""
        return [found for model in self.models if (found := path.format(model)) in self.files]

    @property
    def _batches(self) -> int:
        path = Path(self._policy, "looks.json")
        return len(read_model(path, LookSettings).ends) if path.is_file() else 0

    def _started(self) -> str:
        return f" --started {self.results}/started.json" if self._config.budget else ""

    def _sidecar(self, cell: str) -> str:
        return f"{self._views}/sidecar/{cell}_hardware_sidecar.json"


def _step(command: str, out: str) -> Step:
    """Return the step of a command without blanks in its arguments."""
    return Step((*command.split(), "--out", out), (out,))


def _contexts(command: str, folder: str, settings: ContextSettings) -> Step:
    """Return the step of a context sweep with its summaries."""
    summaries = tuple(f"{folder}/context_{context}.json" for context in settings.contexts)
    return Step((*command.split(), "--out-folder", folder), summaries)


def _cell(receipt: str) -> str:
    """Return `MODEL/QUANT` of a receipt's path."""
    return "/".join(receipt.split("/")[:2])
