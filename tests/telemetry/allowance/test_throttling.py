"""Throttled periods are counted in the group that stops us, in the units of both versions."""

from __future__ import annotations

from pathlib import Path

import pytest
from cgroup_tree import V1, V2, add_tree

from orket_lib.telemetry.allowance.throttling import ThrottleCounter, Throttled


def v1(periods: int, throttled: int, seconds: float) -> dict[str, str]:
    return {
        "cpu.stat": f"nr_periods {periods}\nnr_throttled {throttled}\n"
        f"throttled_time {seconds * 1e9:.0f}"
    }


def v2(periods: int, throttled: int, seconds: float) -> dict[str, str]:
    return {
        "cpu.stat": f"usage_usec 9\nnr_periods {periods}\nnr_throttled {throttled}\n"
        f"throttled_usec {seconds * 1e6:.0f}"
    }


@pytest.mark.parametrize(("kind", "stat"), [(V1, v1), (V2, v2)])
def test_counts_are_those_since_the_first_look(tmp_path: Path, kind: str, stat: object) -> None:
    assert callable(stat)
    groups = {"/a": stat(1000, 900, 50.0)}
    counter = ThrottleCounter(add_tree(tmp_path, kind, groups, "/a"))
    assert counter.look() == Throttled(0, 0, 0.0)
    (path,) = tmp_path.rglob("a/cpu.stat")
    path.write_text(stat(1010, 905, 50.25)["cpu.stat"], encoding="ascii")
    assert counter.look() == Throttled(10, 5, 0.25)
    assert counter.look() == Throttled(10, 5, 0.25)


def test_of_nested_groups_the_one_that_stopped_us_counts(tmp_path: Path) -> None:
    groups = {"/p": v2(50, 0, 0.0), "/p/c": v2(0, 0, 0.0)}
    counter = ThrottleCounter(add_tree(tmp_path, V2, groups, "/p/c"))
    (parent,) = tmp_path.rglob("p/cpu.stat")
    parent.write_text(v2(60, 9, 0.9)["cpu.stat"], encoding="ascii")
    assert counter.look() == Throttled(10, 9, 0.9)


def test_counters_that_were_reset_take_nothing_back(tmp_path: Path) -> None:
    counter = ThrottleCounter(add_tree(tmp_path, V2, {"/a": v2(50, 9, 1.0)}, "/a"))
    (path,) = tmp_path.rglob("cpu.stat")
    path.write_text(v2(1, 0, 0.0)["cpu.stat"], encoding="ascii")
    assert counter.look() == Throttled(0, 0, 0.0)


@pytest.mark.parametrize(
    "groups",
    [{}, {"/a": {}}, {"/a": {"cpu.stat": "usage_usec 9"}}],
    ids=["gone", "bare", "v2 root"],
)
def test_a_system_without_counters_has_none(
    tmp_path: Path, groups: dict[str, dict[str, str]]
) -> None:
    assert ThrottleCounter(add_tree(tmp_path, V2, groups, "/a")).look() is None
