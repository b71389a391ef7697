"""`orket completion`: print what makes a shell complete our commands and options."""

from __future__ import annotations

import argparse

from orket_lib.commands._common import print_text

EXAMPLES = ('eval "$(orket completion bash)"', "orket completion fish | source")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish", "powershell"), help="your shell")


def run(options: argparse.Namespace) -> int:
    """Print the shell's code."""
    from argcomplete.shell_integration import shellcode

    print_text(shellcode(["orket"], shell=options.shell))
    return 0
