"""One real sweep, from its config to artifacts that can be handed on; for a machine with models.

What `.github/workflows/quant-sweep-full-selfhosted.yml` runs, and `.ci/full` on the reference
model:

    python .ci/full_sweep.py config/presets/quant_sweep_mixed.json --config execution_lane=lab

Whatever the sweep came to, its products are looked through afterwards: all that the config asks for
are there, every one with a version fits its published schema and says where it comes from, and
`SHA256SUMS` lists them. The exit status is 0 only if the sweep passed, its KPI gate included, and
nothing is wrong with a product: 3 when the sweep says no and everything is in place, 1 otherwise.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from jsonschema import Draft202012Validator

from orket_lib.artifacts.io import read_json, sha256_of_file, write_text
from orket_lib.artifacts.schemas import SCHEMAS
from orket_lib.config.reading import read_overrides
from orket_lib.config.targets import Targets
from orket_lib.config.workspace import load_sweep
from orket_lib.vocabulary.errors import OrketError

POLICY_SAID_NO = 3
LEAF = ".ok"  # what only a passed verdict leaves behind
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
    swept = subprocess.run(command, check=False).returncode
    try:
        sweep = load_sweep(options.configs, read_overrides(options.config), remember=False)
    except OrketError as error:
        return _end(f"no sweep: {error}", 1)
    products = [Path(path) for path in Targets(sweep).all_files()]
    there = [path for path in products if path.is_file()]
    missing = [path for path in products if not path.is_file() and path.suffix != LEAF]
    wrong = [
        *(f"{path.as_posix()}: missing" for path in missing),
        *(line for path in there if path.suffix == ".json" for line in _violations(path)),
    ]
    sums = Path(sweep.results, "SHA256SUMS")
    write_text(sums, "".join(_sums(there)))
    for line in wrong:
        _print(line)
    _print(f"{len(there)} of {len(products)} products, listed in {sums.as_posix()}")
    if wrong:
        return _end(f"{len(wrong)} things are wrong with the products", 1)
    if swept:
        failed = [path.as_posix() for path in products if not path.is_file()]
        return _end(f"the sweep did not pass: no {', '.join(failed)}", POLICY_SAID_NO)
    return _end("the sweep passed", 0)


def _violations(path: Path) -> Iterator[str]:
    """Yield what a schema forbids in a product, and whether that says where it comes from."""
    content = read_json(path)
    version = content.get("schema_version") if isinstance(content, dict) else None
    if version is None:  # a policy or a spec, rendered from the config as it is
        return
    schema = PUBLISHED / f"{version}.schema.json"
    if not schema.is_file():
        yield f"{path.as_posix()}: there is no schema of {version}"
        return
    for error in Draft202012Validator(read_json(schema)).iter_errors(content):
        place = ".".join(map(str, error.absolute_path)) or "(whole file)"
        yield f"{path.as_posix()}: {place}: {error.message[:200]}"
    provenance = content.get("provenance")
    if not provenance or not provenance.get("ref"):
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
