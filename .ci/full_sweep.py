"""One real sweep, from its config to artifacts that can be handed on; for a machine with models.

What `.github/workflows/quant-sweep-full-selfhosted.yml` runs, and `.ci/full` on the reference
model:

    python .ci/full_sweep.py config/presets/quant_sweep_mixed.json --config execution_lane=lab

Whatever the sweep came to, its products are looked through afterwards: all that the config asks for
are there, every one fits its published schema and says where it comes from, and `SHA256SUMS` lists
them. The exit status is 0 only if the sweep passed, its KPI gate included, and nothing is wrong
with a product: 3 when a verdict of this sweep says no and everything is in place, 1 otherwise.
Products may be there of an earlier time: a sweep that could not even begin is no verdict.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from jsonschema import Draft202012Validator

from orket_lib.artifacts.io import read_json, sha256_of_file, write_text
from orket_lib.artifacts.schemas import SCHEMAS
from orket_lib.config.loading.files import read_overrides
from orket_lib.sweep.load import load_sweep
from orket_lib.vocabulary.errors import OrketError
from orket_lib.workflow.targets import Targets

POLICY_SAID_NO = 3
# What only a passed verdict leaves behind. Other leaves say that a job did its work, whose failure
# is no verdict: a history that can't be written, a contract that is broken.
LEAVES = (
    "passed.ok",
    "preflight_passed.ok",
    "kpi_gate_passed.ok",
    "regression_passed.ok",
)
# Verdicts, and the logs of the jobs that enforce them.
GATES = {
    "results/{sweep}/preflight.json": "logs/{sweep}/preflight_passed.log",
    "results/{sweep}/canary/verdict.json": "logs/{sweep}/canary/passed.log",
    "results/{sweep}/quant_sweep/kpi_gate.json": "logs/{sweep}/kpi_gate_passed.log",
    "results/{sweep}/quant_sweep/regression.json": "logs/{sweep}/regression_passed.log",
}
PUBLISHED = Path(__file__).resolve().parents[1] / SCHEMAS


def main() -> int:
    """Sweep, look through what came of it, and say how it ended."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("configs", nargs="+", type=Path, help="config files, later ones win")
    parser.add_argument("--config", nargs="+", default=[], metavar="KEY=VALUE", help="wins")
    options = parser.parse_args()
    command = [sys.executable, "-m", "snakemake", "--configfile", *map(str, options.configs)]
    if options.config:
        command += ["--config", *options.config]
    began = time.time()
    swept = subprocess.run(command, check=False).returncode
    try:
        sweep = load_sweep(options.configs, read_overrides(options.config), remember=False)
    except OrketError as error:
        return _end(f"no sweep: {error}", 1)
    products = [Path(path) for path in Targets(sweep).all_files()]
    there = [path for path in products if path.is_file()]
    wrong = [
        *(f"{path.as_posix()}: missing" for path in missing(products)),
        *(line for path in there if path.suffix == ".json" for line in violations(path)),
    ]
    sums = Path(sweep.results, "SHA256SUMS")
    write_text(sums, "".join(_sums(there)))
    for line in wrong:
        _print(line)
    _print(f"{len(there)} of {len(products)} products, listed in {sums.as_posix()}")
    if wrong:
        return _end(f"{len(wrong)} things are wrong with the products", 1)
    if swept:
        refusals = list(refused(sweep.config.sweep, began))
        if not refusals:
            return _end(
                "the sweep failed, and no verdict of it says why; its products may be old", 1
            )
        return _end(f"the sweep did not pass: {', '.join(refusals)}", POLICY_SAID_NO)
    return _end("the sweep passed", 0)


def missing(products: Iterable[Path]) -> Iterator[Path]:
    """Yield the products that are not there, but for those that a refusal keeps from being made."""
    return (path for path in products if not path.is_file() and path.name not in LEAVES)


def refused(sweep: str, began: float) -> Iterator[str]:
    """Yield the verdicts that say no and were enforced since a time (s since the epoch)."""
    for verdict, log in GATES.items():
        path, logged = Path(verdict.format(sweep=sweep)), Path(log.format(sweep=sweep))
        if path.is_file() and logged.is_file() and logged.stat().st_mtime >= began:
            content = read_json(path)
            if content.get("passed") is False or content.get("verdict") == "FAIL":
                yield path.as_posix()


def violations(path: Path) -> Iterator[str]:
    """Yield what a schema forbids in a product, and whether that says where it comes from."""
    if path.parent.name == "policy" or path.name in (
        "spec.json",
        "sidecar_spec.json",
    ):  # the config's, as it is
        return
    try:
        content = read_json(path)
    except OrketError as error:
        yield str(error)
        return
    version = content.get("schema_version") if isinstance(content, dict) else None
    schema = PUBLISHED / f"{version}.schema.json"
    if not isinstance(version, str):
        yield f"{path.as_posix()}: no schema_version"
        return
    if not schema.is_file():
        yield f"{path.as_posix()}: there is no schema of {version}"
        return
    for error in Draft202012Validator(read_json(schema)).iter_errors(content):
        place = ".".join(map(str, error.absolute_path)) or "(whole file)"
        yield f"{path.as_posix()}: {place}: {error.message[:200]}"
    provenance = content.get("provenance")
    if not isinstance(provenance, dict) or not provenance.get("ref"):
        yield f"{path.as_posix()}: no provenance"


def _sums(paths: Iterable[Path]) -> Iterator[str]:
    return (f"{sha256_of_file(path)}  {path.as_posix()}\n" for path in sorted(paths))


def _end(text: str, code: int) -> int:
    _print(text)
    return code


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
