"""`orket run-task` as people and sweeps type it, on a server that says what a test wants."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from canned_server import CannedServer, canned_server

from orket_lib.artifacts.io import read_json
from orket_lib.artifacts.measurements.sidecar import CapturedText
from orket_lib.artifacts.measurements.tool_calls import ToolCall
from orket_lib.cli import main
from orket_lib.measure.runs.runner_result import read_result, token_metrics

CHAT = "POST /v1/chat/completions"
TASK = {"id": 1, "test_id": "add-0001", "category": "add", "tier": 1, "prompt": "What is 2 + 3?"}
USAGE = {"prompt_tokens": 9, "completion_tokens": 1, "total_tokens": 10}
TIMINGS = {"cache_n": 0, "prompt_n": 9, "prompt_ms": 20.0, "predicted_n": 1, "predicted_ms": 0.5}


def stream(*chunks: dict[str, Any]) -> bytes:
    lines = [f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return "".join([*lines, "data: [DONE]\n\n"]).encode()


def saying(text: str, **last: Any) -> bytes:
    delta = {"choices": [{"delta": {"content": text}, "finish_reason": "stop"}]}
    return stream(delta, {"choices": [], "usage": USAGE, **last})


@pytest.fixture(autouse=True)
def task_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with a task, and no sweep around it."""
    for name in [name for name in os.environ if name.startswith("ORKET_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    Path("task.json").write_text(json.dumps(TASK), encoding="utf-8")


def run_task(*options: str) -> int:
    return main(["run-task", "--task", "task.json", "--run-dir", "work", *options])


def by_hand(server: CannedServer, *options: str, provider: str = "openai") -> int:
    return run_task(
        *("--provider", provider, "--base-url", server.url, "--model", "nano", *options)
    )


def test_the_last_line_is_what_a_runner_prints(capsys: pytest.CaptureFixture[str]) -> None:
    with canned_server({CHAT: saying("5 ü", timings=TIMINGS)}) as server:
        assert by_hand(server, "--seed", "3") == 0
    printed = capsys.readouterr().out
    result = read_result(CapturedText(text=printed, bytes=len(printed)))
    assert result.answer == "5 ü"
    assert result.reported.internal_model_seconds == pytest.approx(0.0205)
    assert (result.reported.prompt_tokens, result.reported.output_tokens) == (9, 1)
    assert result.reported.ttft_ms is not None
    assert 0 < (result.reported.total_latency or 0) < 60
    assert token_metrics(result.reported).status.value == "OK"
    assert "INVALID_VALUE" not in result.reported.null_reasons.values()


def test_tools_are_offered_and_calls_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    tool = {"name": "add", "description": "Add.", "parameters": {"type": "object"}}
    Path("task.json").write_text(json.dumps({**TASK, "tools": [tool]}), encoding="utf-8")
    call = {"index": 0, "function": {"name": "add", "arguments": "{}"}}
    delta = {"choices": [{"delta": {"tool_calls": [call]}, "finish_reason": "tool_calls"}]}
    seen: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> bytes:
        seen.append(body)
        return stream(delta)

    with canned_server({CHAT: answer}) as server:
        assert by_hand(server) == 0
    assert seen[0]["tools"] == [{"type": "function", "function": tool}]
    printed = capsys.readouterr().out
    result = read_result(CapturedText(text=printed, bytes=len(printed)))
    assert (result.answer, result.tool_calls) == ("", (ToolCall(name="add", arguments="{}"),))


def test_answer_and_details_are_kept_in_the_folder() -> None:
    with canned_server({CHAT: saying("5\n", timings=TIMINGS)}) as server:
        assert by_hand(server) == 0
    assert Path("work/answer.txt").read_bytes() == b"5\n"
    details = read_json(Path("work/details.json"))
    assert (details["finish_reason"], details["usage"]) == ("stop", USAGE)
    assert len(details["chunk_s"]) == 1


def bodies(*options: str, **environment: Any) -> dict[str, Any]:
    """Return what is sent."""
    seen: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> bytes:
        seen.append(body)
        return saying("5")

    with canned_server({CHAT: answer}) as server, pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(f"ORKET_{name.upper()}", str(value))
        assert by_hand(server, *options) == 0
    (body,) = seen
    return body


def test_what_is_asked_is_said_by_options() -> None:
    body = bodies("--seed", "3", "--max-tokens", "7", "--temperature", "0.5")
    assert body["messages"] == [{"role": "user", "content": TASK["prompt"]}]
    assert (body["model"], body["seed"]) == ("nano", 3)
    assert (body["max_tokens"], body["temperature"]) == (7, 0.5)


def test_what_is_asked_is_said_by_the_environment() -> None:
    body = bodies("--seed", "", max_output_tokens=7, temperature=0.5, request_extras="seed")
    assert "seed" not in body  # a sweep without one fills in nothing
    assert "stream_options" not in body  # this server does not take it
    assert (body["max_tokens"], body["temperature"]) == (7, 0.5)


def test_an_option_wins_over_the_environment() -> None:
    assert bodies("--max-tokens", "7", max_output_tokens=9)["max_tokens"] == 7


def test_the_key_comes_from_a_variable_and_is_not_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MY_KEY", "tell-no-one")
    with canned_server({CHAT: saying("5")}) as server:
        assert by_hand(server, "--api-key-env", "MY_KEY") == 0
        assert server.keys == ["Bearer tell-no-one"]
    assert "tell-no-one" not in "".join(capsys.readouterr())
    assert all(b"tell-no-one" not in path.read_bytes() for path in Path("work").iterdir())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param((401, {"error": {"message": "no key"}}), "HTTP 401: no key", id="no key"),
        pytest.param((404, {"error": "no model"}), "HTTP 404: no model", id="no model"),
        pytest.param(saying("5")[:20], "cut after 0 chunks", id="cut stream"),
        pytest.param(stream({"error": "boom"}), "error in mid-stream: boom", id="error line"),
    ],
)
def test_a_request_that_fails_is_one_message_and_no_result(
    answer: Any, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with canned_server({CHAT: answer}) as server:
        assert by_hand(server) == 1
        assert server.asked == [CHAT]  # asked once
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert "Traceback" not in captured.err
    assert not Path("work").exists()


def test_nobody_there_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with canned_server({}) as server:
        pass
    assert by_hand(server) == 1
    assert capsys.readouterr().err.startswith(f"error: {server.url}: ConnectError")


def test_a_server_that_hangs_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    with canned_server({CHAT: "hang"}) as server:
        assert by_hand(server, "--timeout", "0.3") == 1
    assert "silent for 0.3 s" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "task.json: there is no such file", id="missing"),
        pytest.param("{", "task.json: not valid JSON", id="no JSON"),
        pytest.param('{"prompt": "x"}', "id, test_id, category, tier: missing", id="half a task"),
    ],
)
def test_a_task_file_that_is_none_is_named(
    content: str | None, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("task.json").unlink()
    if content is not None:
        Path("task.json").write_text(content, encoding="utf-8")
    with canned_server({CHAT: saying("5")}) as server:
        assert by_hand(server) == 1
        assert server.asked == []
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--provider, --base-url, --model"),
        (("--provider", "olama"), "invalid choice: 'olama'"),
        (("--seed", "-1"), "must be a whole number >= 0 (got '-1')"),
        (("--seed", "x"), "must be a whole number >= 0 (got 'x')"),
        (("--max-tokens", "0"), "must be a whole number >= 1 (got '0')"),
        (("--temperature", "nan"), "must be a number >= 0 (got 'nan')"),
        (("--timeout", "-1"), "must be a number >= 0 (got '-1')"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_wrong_usage_is_told(
    options: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as end:
        run_task(*options)
    assert end.value.code == 2
    assert message in capsys.readouterr().err
