"""A folder with a sweep, its calls, and what must hold after each."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from invocation import ROOT, BreakIn, Result, call
from ledger import Asked, Ledger, change_of
from small_disk import SmallDisk
from sweep_workspace import SMALL, Workspace

NAME = "small"
QUANTS = ("F16", "Q2_K")
_SWEEP = SMALL | {"quants": list(QUANTS), "task_limit": 30, "probe_runs": 2, "n_ctx": 1024}
STEPS = len(QUANTS) * (_SWEEP["task_limit"] * _SWEEP["runs_per_quant"] + _SWEEP["probe_runs"])
_GONE_WITHIN_S = 5.0
# The real server is the script's child: no kernel ends it with the script.
_SCRIPT = """#!/bin/sh
"{binary}" "$@"
exit $?
"""
# What a message says to type; commands stand at its end.
_TO_TYPE = re.compile(
    r"(?:type|run|rerun|then)\b[^:\n]*: ((?:snakemake|orket) [^\n]+)$", re.MULTILINE
)
# Of a row, what no clock has to do with.
_MEASURED = (
    *("quant_tag", "status", "adherence_score", "adherence_by_family", "format_rate"),
    *("output_tokens_per_answer", "determinism_rate", "tasks", "test_runs", "failed_runs"),
    *("failures", "not_asked"),
)


@dataclass
class Bed:
    """A sweep under test.

    Attributes:
        base: A folder of its own, and for root a disk of its own.
        folder: In which the sweep is run.
        scripted: Whether a script starts a real llama-server, given its path; empty for embedded.
        disk: The disk, where there can be one.
    """

    base: Path
    scripted: str = ""
    disk: SmallDisk | None = None
    folder: Path = field(init=False)
    ledger: Ledger = field(init=False, default_factory=Ledger)

    def __post_init__(self) -> None:
        self.folder = self.base / "sweep"
        self.folder.mkdir(parents=True)
        workspace = Workspace(self.folder)
        config = dict(_SWEEP)
        if self.scripted:
            script = self.folder / "serve.sh"
            script.write_text(_SCRIPT.format(binary=self.scripted), encoding="utf-8")
            script.chmod(0o755)
            config |= {"provider": "llama_server", "server_binary": "./serve.sh"}
        workspace.config = config
        (self.folder / f"{NAME}.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")

    @property
    def log(self) -> Path:
        """What its calls print, on another disk."""
        return self.base.with_suffix(".log")

    @property
    def locks(self) -> Path:
        """The folder of locks, which all users share."""
        return self.base / "locks"

    def call(self, strike: BreakIn | None = None, env: Mapping[str, str] | None = None) -> Result:
        """Run `orket sweep`, to its end or to that of what breaks into it."""
        given = {"PYTHONPATH": str(ROOT), "ORKET_LOCK_DIR": str(self.locks), **(env or {})}
        return call(
            self.folder,
            ["sweep", f"{NAME}.yaml"],
            strike,
            given,
            module="orket_lib",
            log=self.log,
            last_breath_s=_GONE_WITHIN_S,
        )

    def type(self, line: str) -> int:
        """Do what a message said."""
        words = shlex.split(line)
        name = {"snakemake": "snakemake", "orket": "orket_lib"}[words[0]]
        return call(self.folder, words[1:], module=name, log=self.log).code

    def problems(self, result: Result, days: bool = False) -> list[str]:
        """Return what a call did wrong to what was measured, or left behind.

        Args:
            result: Of the call.
            days: Whether it saw days pass, after which the canary is due again.
        """
        asked = Asked(frozenset({"measure_canary"} if days else ()))
        change = change_of(self.folder, f"{NAME}.yaml", self.ledger, asked)
        self.ledger = change.after
        found = list(change.problems())
        found += [f"alive after {_GONE_WITHIN_S:g} s: {command}" for command in result.left]
        _, traceback, rest = result.text.partition("Traceback")
        if traceback and "KeyboardInterrupt" not in rest:  # of a SIGINT before it is handled
            found.append(f"a traceback: {rest[:1500]}")
        return found

    def steps_done(self) -> int:
        """Return how many probes and answers are on the disk, of all cells."""
        store = self.folder / "storage" / "runs"
        done = 0
        for path in store.glob("*/*/*/open/journal.jsonl"):
            lines = _content(path).splitlines()
            done += sum(
                line.startswith((b'{"kind": "probe"', b'{"kind": "answer"')) for line in lines
            )
        for path in store.glob("*/*/*/parts/*/index.json"):
            parts = json.loads(_content(path) or b'{"parts": []}')["parts"]
            done += sum(len(part["items"]) for part in parts)
        return done

    def jobs_begun(self, head: int) -> int:
        """Return how many jobs a call has begun, given its process."""
        content = _content(self.folder / "logs" / NAME / "progress.jsonl")
        of_it = content.startswith(b'{"sweep":"%s","pid":%d,' % (NAME.encode(), head))
        return content.count(b'"kind":"started"') if of_it else 0

    def found(self) -> dict[str, Any]:
        """Return what a sweep found that depends on no clock."""
        views = self.folder / "results" / NAME / "quant_sweep"
        summary = json.loads((views / "sweep_summary.json").read_bytes())
        (session,) = summary["sessions"]
        rows = [
            json.loads((views / "orket-nano" / f"{quant}.json").read_bytes()) for quant in QUANTS
        ]
        return {
            "answers": dict(self._answers()),
            "rows": [{key: row["metrics"][key] for key in _MEASURED} for row in rows],
            "grades": [row["task_scores"] for row in rows],
            "verdicts": session["verdicts"],
        }

    def _answers(self) -> dict[str, str]:
        sealed = {}
        for path in sorted(self.folder.glob("storage/runs/*/*/*/parts/*/answers.json")):
            for it in json.loads(path.read_bytes())["answers"]:
                name = f"{path.parents[3].name} {it['key']} {it['round']} {it['run_index']}"
                sealed[name] = it["answer_sha256"]
        return sealed

    def undo(self) -> None:
        """Take the views and one quant's measurement away, as a user may."""
        shutil.rmtree(self.folder / "results" / NAME)
        shutil.rmtree(self.folder / "storage" / "runs" / "orket-nano" / QUANTS[-1])
        self.ledger = Ledger.of(self.folder / "storage")

    def move(self) -> None:
        """Give the folder a name that a script may stumble over."""
        target = self.base / "Ünïcode, blanks & 'quotes' 量化"
        self.folder = self.folder.rename(target)


def line_to_type(text: str) -> str | None:
    """Return the line that a message says to type, if it is another than the same command."""
    found = _TO_TYPE.findall(text)
    return found[-1] if found else None


def differences(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> list[str]:
    """Return what differs from an undisturbed sweep."""
    return [
        f"{name} are not those of an undisturbed sweep: {_first(found[name], wanted[name])}"
        for name in wanted
        if found[name] != wanted[name]
    ]


def _first(found: Any, wanted: Any) -> str:
    """Return the first place where two values of one shape differ."""
    if isinstance(wanted, Mapping) and isinstance(found, Mapping):
        pairs = [(key, found.get(key), wanted.get(key)) for key in {**wanted, **found}]
    elif isinstance(wanted, list) and isinstance(found, list) and len(found) == len(wanted):
        pairs = [(str(index), *pair) for index, pair in enumerate(zip(found, wanted, strict=True))]
    else:
        return f"{found!r}, not {wanted!r}"[:300]
    return next(f"{key}: {_first(one, other)}" for key, one, other in pairs if one != other)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""
