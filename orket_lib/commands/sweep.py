"""`orket sweep`: measure, and end with the verdict. Snakemake does the work."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

from orket_lib.commands._configs import add_config_options
from orket_lib.config.shipped import workflow_file
from orket_lib.vocabulary.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add_config_options(parser, "or --reference")
    add("--reference", action="store_true", help="sweep the reference model, which comes with us")
    add("--quick", action="store_true", help="a first answer: 60 tasks, in minutes")
    add("--yes", action="store_true", help="don't ask before measuring")


def run(options: argparse.Namespace) -> int:
    """Run Snakemake with our Snakefile in the current folder."""
    if options.reference == bool(options.configs):
        raise ConfigError(
            [
                "sweep: name config files or --reference, one of the two; to get a config for the "
                "models of this machine, type: orket doctor --suggest my.yaml"
            ]
        )
    settings = [*options.config, *(["quick=true"] if options.quick else [])]
    command = [sys.executable, "-m", "snakemake", "-s", str(workflow_file())]
    command += ["--configfile", *map(str, options.configs)] if options.configs else []
    command += ["--config", *settings] if settings else []
    if os.name == "nt":
        return subprocess.call(command)
    os.execv(command[0], command)  # so that signals reach Snakemake itself
