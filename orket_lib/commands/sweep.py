"""`orket sweep`: measure, and end with the verdict. Snakemake does the work."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from orket_lib.artifacts.io import write_text
from orket_lib.commands._common import tell
from orket_lib.commands._configs import DEFAULT_CONFIG, add_config_options
from orket_lib.config.loading.files import read_overrides, read_sources
from orket_lib.config.loading.parse import draft
from orket_lib.config.shipped import shipped, workflow_file
from orket_lib.vocabulary.errors import ConfigError, Refused
from orket_lib.vocabulary.slugs import slug
from orket_lib.workflow.job_environment import name_snakemake

EXAMPLES = (
    "orket sweep --reference --quick --yes",
    "orket sweep my.yaml",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add_config_options(parser, "none: what `orket doctor` suggests, after asking")
    add("--reference", action="store_true", help="sweep the reference model, which comes with us")
    add("--quick", action="store_true", help="a first answer: 60 tasks, in minutes")
    add("--yes", action="store_true", help="don't ask before measuring")


def run(options: argparse.Namespace) -> int:
    """Run Snakemake with our Snakefile in the current folder."""
    if options.reference and options.configs:
        raise ConfigError(["--reference: not allowed together with config files"])
    settings = [*options.config, *(["quick=true"] if options.quick else [])]
    overrides = read_overrides(settings)
    if not options.configs and not options.reference:
        options.configs = [_suggested(options.yes)]
    # Snakemake ends in a traceback where a file is missing, and runs one that is a template.
    files = options.configs or [shipped() / DEFAULT_CONFIG]
    problems = draft(read_sources(files, overrides)).problems
    if problems:
        raise ConfigError(problems)
    command = [sys.executable, "-m", "snakemake", "-s", str(workflow_file())]
    command += ["--configfile", *map(str, options.configs)] if options.configs else []
    command += ["--config", *settings] if settings else []
    name_snakemake()
    if os.name != "nt":
        os.execv(command[0], command)  # signals then reach Snakemake itself
    return subprocess.call(command)


def _suggested(yes: bool) -> Path:
    """Write the config that the doctor suggests, and return its path; a file of this name is kept.

    Raises:
        Refused: There is nothing to suggest, or it was declined.
    """
    from orket_lib.commands.doctor import examine
    from orket_lib.report.doctor import suggestion_yaml

    nothing = argparse.Namespace(configs=[], config=[], server=[], suggest=None)
    _, suggestion = examine(nothing, [])
    if suggestion is None:
        raise Refused("no model was found that can be measured here; type: orket doctor")
    path = Path(f"{slug(suggestion.config['models'][0])}.yaml")
    kept = path.exists()
    text = path.read_text("utf-8") if kept else suggestion_yaml(suggestion, path.name)
    tell(f"{text}\nThis is {path}. Ctrl-C stops, and the same command goes on.")
    if not yes and not _agreed("Measure this? [Y/n] "):
        raise Refused("nothing was measured; to do it, type: orket sweep --yes")
    if not kept:
        write_text(path, text)
    return path


def _agreed(question: str) -> bool:
    """Ask at the terminal; without one, the answer is no."""
    if not sys.stdin.isatty():
        return False
    print(question, end="", file=sys.stderr, flush=True)  # noqa: T201
    return input().strip().lower() in ("", "y", "yes")
