"""`orket open`: open a sweep's report in the browser."""

from __future__ import annotations

import argparse
import os
import sys
import webbrowser

from orket_lib.commands._common import print_text, tell
from orket_lib.commands._summaries import add_sweep, summary_of
from orket_lib.vocabulary.errors import ArtifactError

EXAMPLES = ("orket open", "orket open mine")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add_sweep(parser)


def run(options: argparse.Namespace) -> int:
    """Open the HTML page, and print its path, which is all that can be done without a screen."""
    page = summary_of(options.sweep).with_name("sweep_report.html")
    if not page.is_file():
        raise ArtifactError(f"{page.as_posix()}: there is no such file; the same sweep makes it")
    print_text(str(page.absolute()))
    # Without a screen, `webbrowser` would start a browser in the terminal.
    screen = sys.platform in ("win32", "darwin") or {"DISPLAY", "WAYLAND_DISPLAY"} & set(os.environ)
    if not (screen and webbrowser.open(page.absolute().as_uri())):
        tell("no browser was found here; open this file in yours")
    return 0
