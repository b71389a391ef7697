"""What is found out about a server, and with how little."""

from __future__ import annotations

import pytest
from builders import spec
from slow_model import TEMPLATE, SlowModel

from orket_lib.artifacts.measurements.server_facts import Findings
from orket_lib.measure.speed.calibration import calibrate
from orket_lib.measure.speed.probe_prompts import FULL, ProbeMaker


def found_out(model: SlowModel) -> Findings:
    return calibrate(model, ProbeMaker(model, spec()))


@pytest.mark.parametrize("decode_tps", [5.0, 500.0])
@pytest.mark.parametrize(
    ("first_token_counts", "clock"), [(False, "first_token"), (True, "prompt_end")]
)
def test_the_clock_is_told_by_prompts_of_one_sentence(
    decode_tps: float, first_token_counts: bool, clock: str
) -> None:
    model = SlowModel(100 * decode_tps, decode_tps, first_token_counts=first_token_counts)
    found = found_out(model)
    assert found.decode_clock == clock, found.decode_clock_evidence
    assert found.template_tokens == TEMPLATE
    assert max(prompt for prompt, _ in model.asked) < 20
    assert len(model.asked) <= 6


def test_a_slow_server_generates_few_tokens_and_a_quick_one_more() -> None:
    slow, quick = SlowModel(20.0, 5.0), SlowModel(2000.0, 500.0)
    for model in (slow, quick):
        found_out(model)
    assert [output for _, output in slow.asked] == [1, 8] * 2
    assert [output for _, output in quick.asked] == [1, 8] + [1, 32] * 2
    assert slow.now_s < 10.0


@pytest.mark.parametrize("disturbed", range(4))
def test_one_disturbed_generation_decides_nothing(disturbed: int) -> None:
    model = SlowModel(late_s=lambda index: 0.15 if index == disturbed else 0.0)
    assert found_out(model).decode_clock == "first_token"


def test_a_clock_is_found_although_the_first_tokens_of_each_answer_are_read_late() -> None:
    model = SlowModel(2000.0, 500.0, unread_s=0.1)
    assert found_out(model).decode_clock == "first_token"
    assert [output for _, output in model.asked] == [1, 8, 1, 32, 1, 64, 1, 128, 1, 128]


def test_generations_that_disagree_and_no_third_one_tell_no_clock() -> None:
    def late_s(index: int) -> float:
        model.in_one_piece = index > 4
        return 0.15 if index == 2 else 0.0

    model = SlowModel(late_s=late_s)
    found = found_out(model)
    assert len(model.asked) == 10
    assert found.decode_clock is None
    assert "sometimes no time, sometimes that of a token" in found.decode_clock_evidence
    assert not found.settled


def test_arrivals_all_at_the_end_tell_no_clock() -> None:
    found = found_out(SlowModel(in_one_piece=True, first_token_counts=True))
    assert found.decode_clock is None
    assert "in one piece" in found.decode_clock_evidence
    assert found.settled


def test_a_server_that_tells_no_times_is_not_asked_for_them_again() -> None:
    model = SlowModel(tells_times=False)
    found = found_out(model)
    assert found.decode_clock is None
    assert "no generation time" in found.decode_clock_evidence
    assert len(model.asked) == 2


@pytest.mark.parametrize("tells_times", [True, False])
@pytest.mark.parametrize("in_one_piece", [True, False])
def test_the_pace_of_a_server_is_known_whatever_it_tells(
    tells_times: bool, in_one_piece: bool
) -> None:
    model = SlowModel(tells_times=tells_times, in_one_piece=in_one_piece)
    whole_s = found_out(model).pace.seconds(FULL)
    assert whole_s == pytest.approx(512 / 20 + 127 / 5, rel=0.02)


def test_a_first_request_that_takes_long_makes_no_slow_server() -> None:
    model = SlowModel(2000.0, 500.0, late_s=lambda index: 20.0 if index == 0 else 0.0)
    assert found_out(model).pace.seconds(FULL) < 1.0
