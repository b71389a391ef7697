"""The contract of a served model: what it says of itself, and what it answers."""

from __future__ import annotations

import time
from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from contract_subjects import N_CTX, Can, Stage, Subject
from nano import bank

from orket_lib.artifacts.measurements.readiness import Warmup
from orket_lib.artifacts.views.run_report import Session
from orket_lib.measure.session.identity import identity_observations
from orket_lib.measure.speed.probe_prompts import ProbeMaker
from orket_lib.providers.base import Generation, GenerationRequest, Model
from orket_lib.providers.tool_check import tool_gap
from orket_lib.tasks.grading.graders import grade
from orket_lib.telemetry.fingerprint import hardware_fingerprint
from orket_lib.vocabulary.clock import utc_now
from orket_lib.vocabulary.errors import RequestFailed, RequestTimedOut
from orket_lib.vocabulary.null_reasons import NullReason
from orket_lib.vocabulary.reasons import Reason

MIB = 1024**2
QUESTIONS = bank().tasks[:6]
LONG = GenerationRequest("Count.", 256, 0.0, seed=7, timeout_s=60.0, ignore_eos=True)


def ask(model: Model, prompt: str, **changes: Any) -> Generation:
    request = GenerationRequest(prompt, max_tokens=64, temperature=0.0, seed=7, timeout_s=60.0)
    return model.generate(replace(request, **changes))


def test_what_is_served_is_read_back(model: Model, stage: Stage, subject: Subject) -> None:
    served = model.served
    if Can.TELL_QUANT in subject.can:
        assert served.quant_tag == stage.spec.quant_tag
        assert served.quant_source
    else:
        assert served.quant_tag is None
    if Can.SET_CONTEXT in subject.can:
        assert served.n_ctx == N_CTX
    for name in served.readings():
        value = getattr(served, name)
        nothing = name == "server_vram_mib" and value == 0  # a server on the CPU says so
        assert value is None or value > 0 or nothing, f"{name} is {value}: what is missing is null"


def test_nothing_that_is_served_contradicts_the_spec(
    model: Model, stage: Stage, subject: Subject
) -> None:
    session = Session(
        index=0,
        machine=hardware_fingerprint(),
        started_at=utc_now(),
        server_pid=model.pid,
        served=model.served,
        controls=model.controls,
        load=model.load,
        warmup=Warmup(decode_seconds=(), required=0, cap=0, steady=True),
        decode_clock=None,
        decode_clock_evidence="",
        template_tokens=None,
    )
    reasons = {seen.reason for seen in identity_observations(stage.spec, session)}
    if Can.SET_CONTEXT not in subject.can:
        reasons.discard(Reason.CONTEXT_MISMATCH)
    if Can.HOLD_SEED not in subject.can:
        reasons.discard(Reason.MISSING_EXPERIMENTAL_CONTROLS)
    assert reasons <= {Reason.QUANT_IDENTITY_UNVERIFIED}
    assert not (reasons and Can.TELL_QUANT in subject.can)


def test_each_control_that_is_named_is_accounted_for(model: Model, subject: Subject) -> None:
    read_back = {control.name: control for control in model.controls}
    assert set(read_back) <= {"seed", "threads", "affinity_policy"}
    if Can.HOLD_SEED in subject.can:
        assert read_back["seed"].held
        assert read_back["seed"].requested == "7"
    for control in model.controls:
        assert control.source
        assert not control.held or control.applied is not None, "held is what was read back"


def test_loading_took_some_time_or_nobody_knows(model: Model, subject: Subject) -> None:
    load = model.load
    if Can.LOAD in subject.can:
        assert load.load_seconds is not None
        assert 0 < load.load_seconds < 120
        assert load.model_seconds is None or load.model_seconds <= load.load_seconds
    else:
        assert load.null_reasons["load_seconds"] == "SERVER_ALREADY_RUNNING"


def test_the_serving_process_is_a_process_with_a_model_in_it(
    model: Model, subject: Subject
) -> None:
    import psutil

    if model.pid is None:
        assert Can.OWN_PROCESS not in subject.can
        return
    process = psutil.Process(model.pid)
    assert process.is_running()
    assert process.memory_info().rss > 2 * MIB


def test_tools_that_its_template_drops_are_not_offered(model: Model) -> None:
    assert tool_gap(model) is NullReason.TOOLS_NOT_IN_TEMPLATE


def test_others_can_reach_it_where_it_says(model: Model) -> None:
    import httpx

    address = model.address
    assert address.base_url.startswith("http")
    assert not address.base_url.endswith("/")
    with httpx.Client(trust_env=False) as client:
        assert client.get(address.base_url).status_code < 600, "a server answers"


def test_the_same_question_has_the_same_answer(model: Model) -> None:
    for task in QUESTIONS:
        first, second = ask(model, task.prompt), ask(model, task.prompt)
        assert first.text
        assert first.text == second.text
        assert first.finish_reason == "stop"
        assert not first.truncated


def test_graded_tasks_are_mostly_right(model: Model) -> None:
    passed = [
        all(check.passed for check in grade(task, ask(model, task.prompt).text))
        for task in QUESTIONS
    ]
    assert sum(passed) >= len(QUESTIONS) - 1


def test_an_answer_is_no_longer_than_allowed(model: Model) -> None:
    found = ask(model, QUESTIONS[0].prompt, max_tokens=1)
    assert found.tokens.output in (1, None)
    assert found.finish_reason == "length"


def test_a_fixed_length_is_kept_or_told(model: Model, subject: Subject) -> None:
    found = model.generate(LONG)
    if Can.IGNORE_EOS in subject.can:
        assert found.tokens.output == LONG.max_tokens
    else:
        assert found.tokens.output is None or 0 < found.tokens.output <= LONG.max_tokens


def test_counts_add_up(model: Model, subject: Subject) -> None:
    extra = set()
    for task in QUESTIONS:
        tokens = ask(model, task.prompt).tokens
        assert tokens.output is None or tokens.output > 0
        if tokens.prompt is not None and tokens.cached is not None and tokens.uncached is not None:
            assert tokens.cached + tokens.uncached == tokens.prompt
        counted = model.count_tokens(task.prompt)
        if Can.COUNT_TOKENS not in subject.can:
            assert counted is None
            continue
        assert counted is not None
        assert tokens.prompt is not None
        extra.add(tokens.prompt - counted)
    # The chat template adds the same to each prompt.
    assert len(extra) == (Can.COUNT_TOKENS in subject.can)
    assert all(0 <= count < 64 for count in extra)


def test_a_longer_prompt_has_more_tokens(model: Model) -> None:
    short, long = (ask(model, "the boat " * count, max_tokens=4).tokens for count in (5, 50))
    if short.prompt is not None:
        assert long.prompt is not None
        assert long.prompt >= short.prompt + 45


def test_no_request_profits_from_the_one_before(
    model: Model, stage: Stage, subject: Subject
) -> None:
    request = ProbeMaker(model, stage.spec).request(8)
    found = [model.generate(request).tokens for _ in range(2)]
    if Can.TELL_CACHED in subject.can:
        assert found[1].cached is not None
        assert found[1].uncached == found[1].prompt or found[1].cached > 0
    else:
        assert found[1].cached is None


def test_the_servers_times_fit_into_ours(model: Model, subject: Subject) -> None:
    begin = time.perf_counter()
    found = model.generate(LONG)
    wall_s = time.perf_counter() - begin
    if Can.TELL_TIMES in subject.can:
        assert found.tokens.prefill_s is not None
        assert found.tokens.decode_s is not None
        assert found.tokens.prefill_s > 0
        assert 0 < found.tokens.decode_s <= wall_s
        assert found.tokens.prefill_s + found.tokens.decode_s <= wall_s
    else:
        assert found.tokens.prefill_s is None
        assert found.tokens.decode_s is None or 0 < found.tokens.decode_s <= wall_s


def test_arrivals_are_in_order_and_within_the_request(model: Model) -> None:
    begin = time.perf_counter()
    found = model.generate(LONG)
    wall_s = time.perf_counter() - begin
    assert len(found.chunk_s) > 1
    assert all(before <= after for before, after in pairwise(found.chunk_s))
    assert found.chunk_s[0] > 0
    assert found.chunk_s[-1] <= wall_s
    assert found.connect_s is None or 0 <= found.connect_s <= wall_s


def test_a_request_past_its_time_limit_ends_there(model: Model) -> None:
    begin = time.perf_counter()
    with pytest.raises(RequestTimedOut):
        model.generate(replace(LONG, max_tokens=600, timeout_s=0.05))
    assert time.perf_counter() - begin < 10
    assert ask(model, QUESTIONS[0].prompt).text, "the next one is answered"


def test_a_prompt_that_is_longer_than_the_context_is_no_ordinary_answer(
    model: Model, subject: Subject
) -> None:
    if Can.SET_CONTEXT not in subject.can:
        pytest.skip("its context is not ours to set")
    try:
        found = ask(model, "the boat " * N_CTX, max_tokens=4)
    except RequestFailed as error:
        assert error.fault is not None
        return
    assert found.truncated or found.tokens.prompt is None or found.tokens.prompt < N_CTX


def test_a_quiet_server_has_no_disturbances(model: Model) -> None:
    model.disturbances()
    for task in QUESTIONS[:3]:
        ask(model, task.prompt)
        assert model.disturbances() == ()
