"""The contract of serving: from the load to the end, whichever it is."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import replace
from pathlib import Path

import httpx
import psutil
import pytest
from contract_subjects import Can, Stage, Subject
from nano import bank

from orket_lib.providers.base import GenerationRequest, Model
from orket_lib.vocabulary.errors import LoadError, ProviderError, RequestFailed, ServerCrashed

QUESTION = GenerationRequest(bank().tasks[0].prompt, 32, 0.0, seed=7, timeout_s=60.0)
LONG = GenerationRequest("Count.", 900, 0.0, seed=7, timeout_s=60.0, ignore_eos=True)
DEADLINE_S = 20.0
TRAINED = 2048  # the reference model's own context


def wait_until(condition: object, what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.02)


def is_gone(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.mark.slow
def test_two_sessions_in_a_row_are_two_loads_of_one_model(
    stage: Stage, subject: Subject, tmp_path: Path
) -> None:
    answers, served, pids = [], [], []
    for index in range(2):
        with stage.provider.serve(stage.spec, stage.source, tmp_path / f"{index}.log") as model:
            answers.append(model.generate(QUESTION).text)
            served.append(model.served)
            pids.append(model.pid)
    assert answers[0] == answers[1] != ""
    assert served[0] == served[1]
    if Can.OWN_PROCESS in subject.can:
        assert pids[0] != pids[1]


def test_after_the_end_nothing_is_left_of_a_server_that_we_started(
    stage: Stage, subject: Subject, tmp_path: Path
) -> None:
    if Can.OWN_PROCESS not in subject.can:
        pytest.skip("its server is not ours to end")
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    with stage.provider.serve(stage.spec, stage.source, tmp_path / "server.log") as model:
        pid = model.pid
        assert pid is not None
        assert not is_gone(pid)
    assert is_gone(pid), "gone when the context ends, not some time later"
    assert {child.pid for child in psutil.Process().children(recursive=True)} <= before


def test_the_server_of_somebody_else_outlives_us(
    stage: Stage, subject: Subject, tmp_path: Path
) -> None:
    if Can.OWN_PROCESS in subject.can:
        pytest.skip("its server is ours, and ends with us")
    for index in range(2):
        with stage.provider.serve(stage.spec, stage.source, tmp_path / f"{index}.log") as model:
            address = model.address.base_url
            model.generate(QUESTION)
        with httpx.Client(trust_env=False) as client:
            assert client.get(address).status_code < 600, "a server answers"


def test_an_error_of_ours_ends_the_server_too(
    stage: Stage, subject: Subject, tmp_path: Path
) -> None:
    pid = None
    with (
        pytest.raises(RuntimeError, match="ours"),
        stage.provider.serve(stage.spec, stage.source, tmp_path / "server.log") as model,
    ):
        pid = model.pid
        raise RuntimeError("ours")
    if Can.OWN_PROCESS in subject.can:
        assert pid is not None
        assert is_gone(pid)


def _connected() -> bool:
    return any(
        item.status == psutil.CONN_ESTABLISHED for item in psutil.Process().net_connections("tcp")
    )


def test_ctrl_c_in_the_middle_of_an_answer_ends_the_server(
    stage: Stage, subject: Subject, tmp_path: Path
) -> None:
    pid = None

    def interrupt() -> None:
        wait_until(asking.is_set, "a request")
        wait_until(_connected, "its connection")
        signal.raise_signal(signal.SIGINT) if os.name == "nt" else os.kill(
            os.getpid(), signal.SIGINT
        )

    asking = threading.Event()
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with (
            pytest.raises(KeyboardInterrupt),
            stage.provider.serve(stage.spec, stage.source, tmp_path / "server.log") as model,
        ):
            pid = model.pid
            asking.set()
            while True:
                model.generate(LONG)
    finally:
        asking.set()
        thread.join()
    if Can.OWN_PROCESS in subject.can:
        assert pid is not None
        assert is_gone(pid)


def test_what_can_not_be_loaded_is_a_load_error_with_words(
    stage: Stage, subject: Subject, tmp_path: Path
) -> None:
    if not stage.refused:
        pytest.skip("it loads nothing")
    for name, (spec, source) in stage.refused.items():
        begin = time.monotonic()
        with (
            pytest.raises(LoadError) as caught,
            stage.provider.serve(spec, source, tmp_path / "server.log"),
        ):
            pytest.fail(f"{name} was served")
        assert str(caught.value), name
        assert time.monotonic() - begin < DEADLINE_S, name


def test_a_context_that_the_model_does_not_have_is_not_claimed(
    stage: Stage, subject: Subject, tmp_path: Path
) -> None:
    if Can.SET_CONTEXT not in subject.can:
        pytest.skip("its context is not ours to set")
    spec = stage.spec.model_copy(update={"n_ctx": 2 * TRAINED})
    try:
        with stage.provider.serve(spec, stage.source, tmp_path / "server.log") as model:
            n_ctx = model.served.n_ctx
            assert n_ctx is not None
            full = replace(QUESTION, prompt="the boat " * n_ctx, max_tokens=4)
            with pytest.raises(RequestFailed):
                model.generate(full)
    except LoadError as error:
        assert str(error)


@pytest.mark.parametrize(
    "at", [pytest.param("between two answers", marks=pytest.mark.slow), "in the middle of one"]
)
def test_a_server_that_dies_is_said_and_not_waited_for(
    subject: Subject, tmp_path: Path, at: str
) -> None:
    with (
        subject.stage(tmp_path) as stage,
        stage.provider.serve(stage.spec, stage.source, tmp_path / "server.log") as model,
    ):
        model.generate(QUESTION)
        begin = time.monotonic()
        if at == "between two answers":
            stage.kill(model)
            wait_for_death(model)
            error = failure_of(model)
        else:
            killer = threading.Timer(0.05, stage.kill, (model,))
            killer.start()
            error = failure_of(model)
            killer.join()
        assert isinstance(error, ServerCrashed), f"{type(error).__name__}: {error}"
        assert str(error)
        assert time.monotonic() - begin < DEADLINE_S


def wait_for_death(model: Model) -> None:
    if model.pid is not None:
        pid = model.pid
        wait_until(lambda: is_gone(pid), "the server is dead")


def failure_of(model: Model) -> ProviderError:
    """Ask until it fails: a kill needs a moment to reach the server."""
    deadline = time.monotonic() + DEADLINE_S
    while time.monotonic() < deadline:
        try:
            model.generate(LONG)
        except (ServerCrashed, RequestFailed) as error:
            return error
    raise AssertionError("a dead server goes on answering")
