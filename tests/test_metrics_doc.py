"""docs/reference/metrics.md names every reading of every artifact."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import orket_lib.artifacts
from orket_lib.artifacts.base import Measured
from orket_lib.vocabulary.null_reasons import NullReason

DOC = Path(__file__).parents[1] / "docs" / "reference" / "metrics.md"


def _measured_models() -> set[type[Measured]]:
    for module in pkgutil.walk_packages(orket_lib.artifacts.__path__, "orket_lib.artifacts."):
        importlib.import_module(module.name)
    found: set[type[Measured]] = set()
    waiting = [Measured]
    while waiting:
        children = waiting.pop().__subclasses__()
        found.update(children)
        waiting += children
    return {model for model in found if model.__module__.startswith("orket_lib.")}


def test_every_reading_is_documented() -> None:
    named = set(re.findall(r"`([a-z0-9_]+)`", DOC.read_text(encoding="utf-8")))
    readings = {name for model in _measured_models() for name in model.readings()}
    assert len(readings) > 50
    assert readings - named == set()


def test_every_null_reason_is_listed_with_its_meaning() -> None:
    rows = re.findall(r"^\| `([A-Z0-9_]+)` \| (.+) \|$", DOC.read_text(encoding="utf-8"), re.M)
    listed = dict(rows)
    assert {reason: listed.get(reason) for reason in NullReason} == {
        reason: reason.meaning for reason in NullReason
    }
