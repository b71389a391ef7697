"""`orket contracts`: check explorer artifacts for their schemas and for contradictions."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Literal

from orket_lib.analysis.contract_names import unknown_names
from orket_lib.analysis.contracts import violations
from orket_lib.artifacts.base import Record
from orket_lib.artifacts.io import read_json
from orket_lib.artifacts.printed.contracts import CheckedArtifact, ContractCheck
from orket_lib.artifacts.schemas import version_of
from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.frontier import FrontierExplorer
from orket_lib.artifacts.views.thermal_profile import ThermalProfile
from orket_lib.commands._common import add_log, print_json, tell
from orket_lib.vocabulary.errors import Refused
from orket_lib.vocabulary.text import printable

_LONGEST = 400

_Name = Literal["frontier", "context", "thermal"]


EXAMPLES = ("orket contracts --frontier results/mine/quant_sweep/frontier_explorer.json",)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    for name, file in (
        ("frontier", "frontier_explorer.json"),
        ("context", "context_ceiling.json"),
        ("thermal", "thermal_profile.json"),
    ):
        parser.add_argument(
            f"--{name}",
            type=Path,
            nargs="+",
            default=[],
            metavar="FILE",
            help=f"files such as {file}",
        )
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_log(parser)
    parser.set_defaults(misused=parser.error)


def run(options: argparse.Namespace) -> int:
    """Check the files, and refuse with all violations."""
    models: dict[_Name, type[Record]] = {
        "frontier": FrontierExplorer,
        "context": ContextCeiling,
        "thermal": ThermalProfile,
    }
    given = [(name, path) for name in models for path in getattr(options, name)]
    if not given:
        options.misused("nothing to check: name --frontier, --context or --thermal")
    alike = Counter(name for name, _ in given)
    found = [
        violation if alike[name] == 1 else f"{path.as_posix()}: {violation}"
        for name, path in given
        for content in [read_json(path)]
        for violation in (*violations(name, content, models[name]), *unknown_names(name, content))
    ]
    if options.json:
        checked = [
            CheckedArtifact(name=name, path=path.as_posix(), needed=version_of(models[name]))
            for name, path in given
        ]
        print_json(ContractCheck(passed=not found, checked=checked, violations=found))
    if found:
        listed = "\n".join(f"  {printable(line, _LONGEST)}" for line in found)
        paths = ", ".join(path.as_posix() for _, path in given)
        raise Refused(f"violates the published contract: {paths}\n{listed}")
    names = ", ".join(dict.fromkeys(name for name, _ in given))
    tell(f"{names}: valid", routine=True)
    return 0
