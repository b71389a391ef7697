"""Shows a running sweep: two bars below what has been found, or plain lines without a terminal."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from orket_lib.artifacts.progress import Event, ProgressFile
from orket_lib.commands._common import reader_may_leave
from orket_lib.report.progress import WAITING, SweepProgress, failure_texts, follows_from_another
from orket_lib.vocabulary.text import printable, visible

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.live import Live

_POLL_S = 0.25
_MOST_RESULTS = 12  # lines about measurements without a terminal
_BAR, _NAME = 18, 34  # columns
_END_S = 2.0  # a terminal that the user has stopped (Ctrl-S) takes no more


class _Unbreakable:
    """A stream that loses what can't be written: a screen must never end a sweep."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError), reader_may_leave(self._stream):
            self._stream.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError), reader_may_leave(self._stream):
            self._stream.flush()


class Screen:
    """Follows a progress file in a thread of its own.

    Args:
        find: Returns the file, once there is one.
        hint: Last line on the terminal.
        console: Where to print; None means standard error.

    Attributes:
        progress: What the file says; None until it has been read.
    """

    def __init__(
        self, find: Callable[[], Path | None], hint: str, console: Console | None = None
    ) -> None:
        from rich.console import Console

        stream = cast(IO[str], _Unbreakable(sys.stderr))
        self._console = console or Console(file=stream, highlight=False, markup=False, emoji=False)
        self._live = self._console.is_terminal and not self._console.is_dumb_terminal
        self._find = find
        self._hint = hint
        self._file: ProgressFile | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._results = 0
        self._waits: set[str] = set()
        self.progress: SweepProgress | None = None

    def begin(self) -> None:
        """Start to follow the file."""
        self._thread.start()

    def end(self) -> None:
        """Show the rest of the file, and leave the terminal as it was."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(_END_S)

    def print(self, text: str, style: str = "") -> None:
        """Print lines above the bars; they are wrapped on a terminal only."""
        from rich.text import Text

        self._console.print(Text(visible(text), style), soft_wrap=not self._live)

    def print_failures(self, failed: Sequence[Event], log: str) -> None:
        """Print each failure in a box without sides, so that commands can be copied."""
        from rich.text import Text

        for failure in failure_texts(failed, log):
            if not failure.title:
                self.print(failure.text, "red")
            elif self._live:
                self._console.rule(Text(failure.title, "bold red"), style="red")
                self._console.print(Text(visible(failure.text)), soft_wrap=True)
                self._console.rule(style="red")
            else:
                self.print(f"{failure.title}\n{failure.text}")

    def _follow(self) -> None:
        live = self._started() if self._live else None
        try:
            self._show_until_over(live)
        except Exception as error:  # the sweep goes on without us
            self.print(f"the progress is no longer shown: {error!r}", "yellow")
        finally:
            if live:
                live.stop()

    def _show_until_over(self, live: Live | None) -> None:
        last = False
        while not last:
            last = self._over.is_set()
            self._take_in()
            if live and self.progress:
                live.update(self._bars(self.progress), refresh=True)
            if not last:
                self._over.wait(_POLL_S)

    def _started(self) -> Live:
        from rich.live import Live

        live = Live(console=self._console, auto_refresh=False, transient=True)
        live.start()
        return live

    def _take_in(self) -> None:
        """Read what is new, and print what remains on the screen."""
        path = None if self._file else self._find()
        if path:
            self._file = ProgressFile(path)
        if self._file is None:
            return
        for event in self._file.new_events():
            self._show_start()
            assert self.progress
            self.progress.add(event)
            self._show(event, self.progress)
        self._show_start()

    def _show_start(self) -> None:
        if self.progress is None and self._file and self._file.start:
            start = self._file.start
            self.progress = SweepProgress(start)
            due = "nothing to measure"
            if start.measuring:
                number = len(start.measuring)
                due = f"{number} measurement{'s' * (number > 1)}, "
                due += self.progress.time_left(start.at_s)
            self.print(f"sweep {start.sweep}: {due}")

    def _show(self, event: Event, progress: SweepProgress) -> None:
        if event.kind == "tell":
            self.print(event.text)
        elif event.kind == "result":
            self._show_result(event, progress)
        elif event.kind == "say" and event.text.startswith(WAITING):
            # It is repeated with other minutes; on a terminal the bars have the newest.
            if event.title not in self._waits:
                self._waits.add(event.title)
                self.print(f"{event.title}: {event.text}", "yellow")
        elif event.kind == "failed" and self._live and not follows_from_another(event):
            why = " ".join(event.text.removeprefix("error: ").split())
            # One line: the box at the end has all of it.
            name = event.title.replace("_", " ")
            self.print(printable(f"failed: {name}: {why}", self._console.width), "red")

    def _show_result(self, event: Event, progress: SweepProgress) -> None:
        if self._live:
            self.print(event.text)
            return
        every = -(-len(progress.start.measuring) // _MOST_RESULTS)
        self._results += 1
        if self._results % every == 0:
            how_far = f"{progress.count(1)} measured, {progress.time_left(time.time())}"
            self.print(f"{event.text}  [{how_far}]")

    def _bars(self, progress: SweepProgress) -> RenderableType:
        from rich.console import Group
        from rich.text import Text

        now_s, current = time.time(), progress.current
        how_far = f"{progress.count()} measured, {progress.time_left(now_s)}"
        whole = _bar("sweep", progress.share(now_s), how_far)
        if current and current.waits:
            waits = visible(f"{current.title} is {current.words}", "")
            return Group(whole, Text(waits, "yellow"))
        name, total, done, words = "results", progress.start.others, progress.others_done, ""
        if not progress.measured:
            name, total = "checks", 0
        if current:
            name, total, done, words = current.title, current.total, current.done, current.words
        steps = f"{done} of {total}" if total else ""
        text = ", ".join(filter(None, [steps, words]))
        return Group(whole, _bar(name, done / (total or 1), text), Text(self._hint, "dim"))


def _bar(name: str, share: float, text: str) -> RenderableType:
    from rich.progress_bar import ProgressBar
    from rich.table import Table
    from rich.text import Text

    line = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        line.add_column(no_wrap=True, overflow="ellipsis")
    bar = ProgressBar(total=1.0, completed=share, width=_BAR)
    line.add_row(Text(printable(name, _NAME)), bar, Text(visible(text, "")))
    return line
