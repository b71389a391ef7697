"""What it costs to get a server ready, and that nothing is found out twice (T29)."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from builders import MACHINE, NOW, served, spec
from slow_model import SlowModel

from orket_lib.artifacts.io import read_model
from orket_lib.artifacts.measurements.server_facts import ServerFacts
from orket_lib.artifacts.measurements.spec import ControlSettings, RunSpec
from orket_lib.measure.session.known_facts import KnownFacts
from orket_lib.measure.session.readiness import Ready, get_ready
from orket_lib.measure.speed.budget import BUDGET
from orket_lib.measure.speed.probe_prompts import FULL, OUTPUT_TOKENS, PROMPT_TOKENS

FAST = (2000.0, 100.0)  # tokens a second, of a prompt and of an answer
SLOW = (20.0, 5.0)
NOT_KNOWN = ("sha256", "build")


@dataclass
class Machine:
    """Where sessions are opened one after another."""

    facts: Path | None = None
    said: list[str] = field(default_factory=list)

    def session(self, model: SlowModel, wanted: RunSpec | None = None) -> Ready:
        self.said.clear()
        known = KnownFacts(self.facts)
        asked = wanted or spec()
        return get_ready(model, asked, MACHINE, NOW, known, BUDGET, self.said.append, model.clock)


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "server_facts")


def steps(number: int) -> RunSpec:
    return spec(controls=ControlSettings(seed=7, threads=1, warmup_steps=number))


@pytest.mark.parametrize("warmup_steps", [3, 5, 50])
@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("tells_times", [True, False])
def test_a_slow_server_is_ready_in_half_a_minute_and_twice_within_a_minute(
    machine: Machine, warmup_steps: int, counts: bool, tells_times: bool
) -> None:
    for _ in ("of the canary", "of the cell"):
        model = SlowModel(*SLOW, counts=counts, tells_times=tells_times)
        machine.session(model, steps(warmup_steps))
        assert model.now_s <= BUDGET.ready_s


def test_it_says_that_it_warms_up_before_it_asks_anything(machine: Machine) -> None:
    model = SlowModel(*FAST)
    when: list[int] = []
    get_ready(
        model,
        spec(),
        MACHINE,
        NOW,
        KnownFacts(None),
        BUDGET,
        lambda _: when.append(len(model.asked)),
    )
    assert when == [0]


def test_a_fast_server_is_warmed_up_and_probed_at_full_length(machine: Machine) -> None:
    model = SlowModel(*FAST)
    ready = machine.session(model)
    assert ready.maker.lengths == FULL
    assert not ready.probing.after_tasks
    warm_ups = model.asked[-len(ready.warmup.decode_seconds) :]
    assert {output for _, output in warm_ups} == {OUTPUT_TOKENS}
    assert min(prompt for prompt, _ in warm_ups) > PROMPT_TOKENS
    assert machine.said == ["warming up"]


def test_a_slow_server_gets_the_shortest_probes_after_the_tasks(machine: Machine) -> None:
    ready = machine.session(SlowModel(*SLOW))
    assert (ready.probing.prompt_tokens, ready.probing.output_tokens) == (64, 32)
    assert ready.probing.after_tasks
    request = ready.maker.request()
    assert request.max_tokens == 32
    assert 64 <= len(request.prompt.split()) < 80
    assert "64 prompt tokens instead of 512 and 32 output tokens instead of 128" in machine.said[1]


@pytest.mark.parametrize(
    ("pace", "lengths"),
    [((150.0, 20.0), (512, 128)), ((100.0, 10.0), (256, 64)), ((40.0, 8.0), (128, 32))],
)
def test_probes_are_only_as_short_as_they_have_to_be(
    machine: Machine, pace: tuple[float, float], lengths: tuple[int, int]
) -> None:
    probing = machine.session(SlowModel(*pace)).probing
    assert (probing.prompt_tokens, probing.output_tokens) == lengths


def test_many_full_probes_come_after_the_tasks_too(machine: Machine) -> None:
    assert not machine.session(SlowModel(200.0, 30.0), spec(probe_runs=3)).probing.after_tasks
    assert machine.session(SlowModel(200.0, 30.0), spec(probe_runs=9)).probing.after_tasks


def test_the_next_session_of_the_same_file_and_build_only_warms_up(machine: Machine) -> None:
    first = machine.session(SlowModel(*SLOW, counts=False))
    model = SlowModel(*SLOW, counts=False)
    again = machine.session(model)
    assert len(model.asked) == len(again.warmup.decode_seconds)
    assert again.findings == first.findings
    assert first.found_by is None
    assert str(again.found_by) == f"the session of nano Q4_K_M at {NOW}"
    assert again.maker.prompt_tokens == first.maker.prompt_tokens


@pytest.mark.parametrize(
    ("serving", "asking"),
    [
        pytest.param({"sha256": "b" * 64}, {}, id="another file"),
        pytest.param({"build": "newer"}, {}, id="another build"),
        pytest.param({"n_ctx": 4096}, {}, id="another context"),
        pytest.param({}, {"controls": ControlSettings(threads=8)}, id="other threads"),
        pytest.param({}, {"server_args": ("-ngl", "99")}, id="other arguments"),
        pytest.param({}, {"provider": "llama_server"}, id="another provider"),
        pytest.param({}, {"gpu_devices": ("0",)}, id="other devices"),
        pytest.param({}, {"cache_type_k": "q8_0"}, id="another KV cache"),
        pytest.param({}, {"gpu_layers": 4}, id="other layers on the GPU"),
    ],
)
def test_what_is_served_otherwise_is_found_out_anew(
    machine: Machine, serving: dict[str, Any], asking: dict[str, Any]
) -> None:
    machine.session(SlowModel(*FAST))
    model = SlowModel(*FAST, served=served(**serving))
    assert machine.session(model, spec(**asking)).found_by is None
    assert (len(model.asked) - 4) >= 3, "calibration and warm-up"


@pytest.mark.parametrize("unknown", NOT_KNOWN)
def test_of_what_may_be_another_file_or_build_nothing_is_believed(
    machine: Machine, unknown: str
) -> None:
    for _ in range(2):
        model = SlowModel(*FAST, served=served(**{unknown: None}))
        assert machine.session(model).found_by is None


def test_what_a_disturbed_session_could_not_tell_the_next_one_finds_out(machine: Machine) -> None:
    def late_s(index: int) -> float:
        torn.in_one_piece = index in (5, 7, 9)
        return 0.15 if index == 2 else 0.0

    torn = SlowModel(*SLOW, late_s=late_s)
    assert machine.session(torn).findings.decode_clock is None
    again = machine.session(SlowModel(*SLOW))
    assert (again.findings.decode_clock, again.found_by) == ("first_token", None)


def facts_of(machine: Machine) -> list[Path]:
    assert machine.facts is not None
    return sorted(machine.facts.iterdir())


@pytest.mark.parametrize("damage", [b"", b"{", b"{}", b"\xff\xfe", b'{"key": {}}'])
def test_damaged_facts_are_found_out_again_and_written_anew(
    machine: Machine, damage: bytes
) -> None:
    machine.session(SlowModel(*SLOW))
    good = {path: path.read_bytes() for path in facts_of(machine)}
    assert len(good) == 2
    for path in good:
        path.write_bytes(damage)
    assert machine.session(SlowModel(*SLOW)).found_by is None
    assert {path: path.read_bytes() for path in facts_of(machine)} == good


def test_facts_under_another_name_are_not_believed(machine: Machine) -> None:
    machine.session(SlowModel(*SLOW))
    machine.session(SlowModel(*SLOW, served=served(sha256="b" * 64)))
    written = [path for path in facts_of(machine) if b'"server"' in path.read_bytes()]
    one, other = written
    one.write_bytes(other.read_bytes())
    finders = [
        machine.session(SlowModel(*SLOW, served=served(sha256=sha * 64))).found_by for sha in "ab"
    ]
    assert [finder is None for finder in finders].count(True) == 1


def test_facts_say_which_session_found_them(machine: Machine) -> None:
    machine.session(SlowModel(*SLOW))
    (path,) = [path for path in facts_of(machine) if b'"server"' in path.read_bytes()]
    kept = read_model(path, ServerFacts)
    assert (kept.found_by.cell, kept.found_by.started_at) == ("nano Q4_K_M", NOW)
    assert path.stem == kept.key.digest()


@pytest.mark.parametrize("first", [FAST, SLOW, (40.0, 8.0)])
@pytest.mark.parametrize("later", [FAST, SLOW, (2.0, 0.5)])
def test_all_quants_of_a_model_have_probes_of_one_length(
    machine: Machine, first: tuple[float, float], later: tuple[float, float]
) -> None:
    chosen = machine.session(SlowModel(*first)).maker.lengths
    other = SlowModel(*later, served=served(sha256="b" * 64))
    ready = machine.session(other, spec(quant_tag="F16"))
    assert ready.maker.lengths == chosen
    assert ready.probing.chosen_by == f"the session of nano Q4_K_M at {NOW}"
    another = SlowModel(*FAST, served=served(sha256="c" * 64))
    assert machine.session(another, spec(model_id="another")).maker.lengths == FULL


def test_a_quant_that_is_slower_than_the_one_that_chose_says_what_it_costs(
    machine: Machine,
) -> None:
    machine.session(SlowModel(*FAST))
    ready = machine.session(SlowModel(*SLOW, served=served(sha256="b" * 64)))
    assert ready.maker.lengths == FULL
    assert ready.probing.after_tasks
    assert "a probe takes about 51 s; its lengths are those of the other quants" in machine.said


def test_a_warm_up_that_its_time_ended_says_so(machine: Machine) -> None:
    ready = machine.session(SlowModel(*SLOW), steps(50))
    assert ready.warmup.note is not None
    assert machine.said[1] == f"warm-up: {ready.warmup.note}; measuring anyway"
