"""Runners as they are run: real commands that behave, and real commands that don't."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from builders import STRICT, spec, task
from fake_provider import ADDRESS, FakeModel, FakeProvider, failing
from measured import measured_report

from orket_lib.analysis.rows.aggregates import determinism_rate
from orket_lib.analysis.rows.quality import row_reasons
from orket_lib.artifacts.io import read_json
from orket_lib.artifacts.measurements.runner import RunnerSettings
from orket_lib.artifacts.measurements.spec import ArtifactIdentity, RunSpec
from orket_lib.artifacts.views.run_report import Observation, RunReport, TestRun
from orket_lib.measure import cell
from orket_lib.measure.journal.journal import Journal
from orket_lib.measure.runs.runner import INHERITED
from orket_lib.providers.base import ServerAddress
from orket_lib.tasks.answers import fingerprint
from orket_lib.vocabulary.environment import PLACEHOLDERS
from orket_lib.vocabulary.errors import ConfigError, RequestFailed, ServerCrashed
from orket_lib.vocabulary.failures import Cause, Ending, FailureEvidence
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Outcome, Quality, RunStatus, TokenStatus

posix = pytest.mark.skipif(os.name == "nt", reason="signals and processes of POSIX")
LONG_S = 60.0
CRASH = FailureEvidence(Cause.ENDED, ending=Ending(-11, 2.0))
TASKS = (task(1), task(2))
RIGHT = '{"answer": "1", "telemetry": {}}'
# Reads its task and answers it: the right number, with figures.
AGENT = """
import json, sys
task = json.load(open(sys.argv[1], encoding="utf-8"))
number = next(word for word in task["prompt"].split() if word.isdigit())
telemetry = {"prompt_tokens": 64, "output_tokens": 32, "internal_model_seconds": 0.001}
print("looking at", task["test_id"])
print(json.dumps({"answer": number, "telemetry": telemetry}))
"""


def runner(code: str, *arguments: str, **environment: str) -> RunnerSettings:
    """Return a runner that is a Python program; `-S` saves time."""
    template = (sys.executable, "-S", "-c", code, "{task_file}", "{run_dir}", *arguments)
    return RunnerSettings(template=template, environment=environment)


def measure(folder: Path, wanted: RunSpec) -> RunReport:
    """Start the measurement as a new process would."""
    tasks = TASKS[: len(wanted.tasks.ids)]
    return measured_report(folder, wanted, tasks)


def once(**changes: Any) -> RunSpec:
    """Return a spec with one task, asked once, and no more probes than it takes."""
    tasks = spec().tasks.model_copy(update={"ids": (1,)})
    return spec(**{"tasks": tasks, "runs_per_task": 1, "probe_runs": 1} | changes)


def run_once(tmp_path: Path, code: str, *arguments: str, **changes: Any) -> TestRun:
    environment = changes.pop("environment", {})
    wanted = once(runner=runner(code, *arguments, **environment), **changes)
    (run,) = measure(tmp_path / "cell", wanted).test_runs
    return run


def work_of(tmp_path: Path, run: TestRun) -> Path:
    assert run.runner is not None
    (sealed,) = (tmp_path / "cell" / "parts").iterdir()
    return sealed / run.runner.folder


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LONG_S
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.01)


def is_alive(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_whole_measurement_by_runner(tmp_path: Path, provider: FakeProvider) -> None:
    found = measure(tmp_path / "cell", spec(runner=runner(AGENT)))
    assert found.status is RunStatus.MEASURED
    assert [(run.task_id, run.run_index) for run in found.test_runs] == [
        (1, 0),
        (2, 0),
        (1, 1),
        (2, 1),
    ]
    assert [run.outcome for run in found.test_runs] == [Outcome.PASS] * 4
    assert [run.answer for run in found.test_runs] == ["1", "2", "1", "2"]
    assert determinism_rate(found.test_runs) == 1.0
    assert provider.questions == []  # only the command asked
    assert len(found.probes) == 2


@posix
def test_a_program_in_the_home_folder_is_the_one_that_the_preflight_found(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    agent = tmp_path / "agent"
    agent.write_text(f"#!{sys.executable} -S\n{AGENT}", encoding="utf-8")
    agent.chmod(0o755)
    settings = RunnerSettings(template=("~/agent", "{task_file}"), environment={})
    (run,) = measure(tmp_path / "cell", once(runner=settings)).test_runs
    assert run.outcome is Outcome.PASS, run.outcome_detail


def test_what_is_ours_is_measured_and_what_is_the_runner_s_is_labelled(
    tmp_path: Path, provider: FakeProvider
) -> None:
    run = run_once(tmp_path, AGENT)
    telemetry = run.telemetry
    assert run.runner is not None
    assert (run.runner.error, run.runner.exit_status) == (None, 0)
    assert telemetry.total_latency == run.runner.seconds
    assert 0 < (telemetry.total_latency or 0) < LONG_S
    assert telemetry.score_source == "graders"
    assert [check.passed for check in run.checks] == [True]
    assert telemetry.internal_model_seconds == 0.001
    assert telemetry.orchestration_overhead_ratio == pytest.approx(
        1 - 0.001 / (telemetry.total_latency or 0)
    )
    assert telemetry.token_metrics.source == "runner"
    assert telemetry.token_metrics.counts.total_tokens == 96
    assert telemetry.token_metrics_status is TokenStatus.OK
    assert telemetry.run_quality_status is Quality.CLEAN
    assert run.runner.reported is not None
    assert run.runner.reported.null_reasons["total_latency"] == "NOT_REPORTED"


def test_a_latency_of_its_own_is_kept_beside_ours(tmp_path: Path, provider: FakeProvider) -> None:
    code = 'print(\'{"answer": "1", "telemetry": {"total_latency": 1000}}\')'
    run = run_once(tmp_path, code)
    assert run.runner is not None
    assert run.runner.reported is not None
    assert run.runner.reported.total_latency == 1000
    assert run.telemetry.token_metrics.latencies.total_turn_seconds == 1000
    assert (run.telemetry.total_latency or 0) < LONG_S


def test_every_placeholder_is_filled_in_its_own_argument(
    tmp_path: Path, provider: FakeProvider
) -> None:
    code = f"import json, sys; print({RIGHT!r}); print(json.dumps(sys.argv[1:]), file=sys.stderr)"
    template = (sys.executable, "-S", "-c", code, *(f"<{{{name}}}>" for name in PLACEHOLDERS))
    settings = RunnerSettings(
        template=(*template, "{unknown} {}"), runtime_target="{seed}; rm -rf 'x'"
    )
    (run,) = measure(tmp_path / "cell", once(runner=settings, model_id="a b")).test_runs
    *said, unknown = read_json(work_of(tmp_path, run).with_name("0.stderr.txt"))
    work = tmp_path / "cell" / "open" / "runner" / "add-0001" / "0"
    assert dict(zip(PLACEHOLDERS, said, strict=True)) == {
        "task_file": f"<{work.with_name('0.task.json')}>",
        "run_dir": f"<{work}>",
        "runtime_target": "<{seed}; rm -rf 'x'>",
        "execution_mode": "<>",
        "seed": "<7>",
        "threads": "<1>",
        "affinity_policy": "<all>",
        "warmup_steps": "<3>",
        "model_id": "<a b>",
        "quant_tag": "<Q4_K_M>",
    }
    assert unknown == "{unknown} {}"
    assert work.is_absolute()


def test_the_task_file_shows_what_is_asked_and_never_the_answer(
    tmp_path: Path, provider: FakeProvider
) -> None:
    run = run_once(tmp_path, AGENT)
    assert read_json(work_of(tmp_path, run).with_name("0.task.json")) == {
        "schema_version": "orket.task.v1",
        "id": 1,
        "test_id": "add-0001",
        "category": "add",
        "tier": 1,
        "prompt": "What number is 1 + 0?",
    }


def test_its_environment_is_small_and_names_the_model(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEBODY_S_TOKEN", "1234567")
    code = (
        f"import json, os, sys\nprint({RIGHT!r})\n"
        "json.dump(dict(os.environ), open(sys.argv[2] + '/env.json', 'w'))"
    )
    changes = {"provider": "ollama", "artifact": ArtifactIdentity(tag="nano:q4")}
    run = run_once(tmp_path, code, environment={"AGENT_DEPTH": "3"}, **changes)
    env = read_json(work_of(tmp_path, run) / "env.json")
    ours = {name: value for name, value in env.items() if name.startswith("ORKET_")}
    assert ours == {
        "ORKET_MODEL_ID": "nano",
        "ORKET_QUANT_TAG": "Q4_K_M",
        "ORKET_PROVIDER": "ollama",
        "ORKET_BASE_URL": ADDRESS.base_url,
        "ORKET_API_KEY": ADDRESS.api_key,
        "ORKET_SERVED_MODEL": "nano:q4",
        "ORKET_N_CTX": "2048",
        "ORKET_THREADS": "1",
        "ORKET_TEMPERATURE": "0.0",
        "ORKET_MAX_OUTPUT_TOKENS": "96",
        "ORKET_REQUEST_EXTRAS": "",
        "ORKET_TASK_TIMEOUT_SEC": "30.0",
    }
    assert env["AGENT_DEPTH"] == "3"
    assert env["PATH"] == os.environ["PATH"]
    # `LC_CTYPE` is what an interpreter itself sets in a bare environment.
    assert set(env) - set(ours) - {"AGENT_DEPTH", "LC_CTYPE"} <= set(INHERITED)


def test_a_secret_reaches_the_command_and_is_cut_out_of_what_is_kept(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AGENT_TOKEN", "tell-no-one")
    code = (
        "import json, os, sys\nkey, token = os.environ['ORKET_API_KEY'], os.environ['TOKEN']\n"
        "print(key); print(token, file=sys.stderr)\n"
        "print(json.dumps({'answer': key + token, 'telemetry': {}}))"
    )
    run = run_once(tmp_path, code, environment={"TOKEN": "${ENV:AGENT_TOKEN}"})
    assert run.answer == "[secret][secret]"
    assert run.answer_sha256 == fingerprint(run.answer)  # anybody can check what is kept
    assert run.outcome is Outcome.FAIL
    for path in (tmp_path / "cell").rglob("*"):
        content = path.read_bytes() if path.is_file() else b""
        assert b"fake-key" not in content, path
        assert b"tell-no-one" not in content, path


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param("'bad key ' + key", "bad key [secret]", id="a secret"),
        pytest.param("'\\n'.join(['x', key + 'y' * 500])", f"[secret]{'y' * 189}...", id="long"),
        pytest.param("'\\x1b[2J\\u202ek'", "\\x1b[2J\\u202ek", id="power over a terminal"),
        pytest.param("''", "", id="nothing"),
    ],
)
def test_its_last_words_are_told_as_they_may_be_shown(
    tmp_path: Path, provider: FakeProvider, code: str, words: str
) -> None:
    run = run_once(
        tmp_path, f"import os; key = os.environ['ORKET_API_KEY']; raise SystemExit({code} or 1)"
    )
    detail = "the runner ended with exit status 1"
    assert run.outcome_detail == (f"{detail}: {words}" if words else detail)


def test_an_answer_that_holds_a_secret_is_judged_as_it_is(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Dummy keys of local servers are ordinary words."""
    monkeypatch.setenv("DUMMY", "none")
    question = task(1, grader="exact", expected="none of them")
    code = 'print(\'{"answer": "none of them", "telemetry": {}}\')'
    wanted = once(runner=runner(code, KEY="${ENV:DUMMY}"))
    (run,) = measured_report(tmp_path / "cell", wanted, (question,)).test_runs
    assert run.outcome is Outcome.PASS
    assert run.answer == "none of them"


def test_a_key_that_a_variable_holds_is_looked_up(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    provider.address = ServerAddress("http://x", "${ENV:SERVER_KEY}")
    monkeypatch.setenv("SERVER_KEY", "in-a-variable")
    code = (
        f"import os, sys; print({RIGHT!r}); "
        "sys.exit(os.environ['ORKET_API_KEY'] != 'in-a-' + 'variable')"
    )
    assert run_once(tmp_path, code).outcome is Outcome.PASS


def test_a_wrong_answer_is_a_fail(tmp_path: Path, provider: FakeProvider) -> None:
    run = run_once(tmp_path, 'print(\'{"answer": "7", "telemetry": {"adherence_score": 1}}\')')
    assert (run.outcome, run.telemetry.adherence_score) == (Outcome.FAIL, 0.0)
    assert run.telemetry.score_source == "graders"  # its own opinion is kept and doesn't count
    assert run.runner is not None
    assert run.runner.reported is not None
    assert run.runner.reported.adherence_score == 1


@pytest.mark.parametrize(
    ("score", "outcome"),
    [("1", Outcome.PASS), ("1.0", Outcome.PASS), ("0.75", Outcome.FAIL), ("0", Outcome.FAIL)],
)
def test_without_an_answer_its_own_score_counts_and_is_labelled(
    tmp_path: Path, provider: FakeProvider, score: str, outcome: Outcome
) -> None:
    run = run_once(tmp_path, f'print(\'{{"telemetry": {{"adherence_score": {score}}}}}\')')
    assert (run.outcome, run.telemetry.adherence_score) == (outcome, float(score))
    assert run.telemetry.score_source == "runner"
    assert (run.answer, run.answer_sha256, run.checks) == (None, None, ())
    reasons = [item.reason for item in run.telemetry.run_quality_reasons]
    assert reasons == [Reason.MISSING_TOKEN_TIMINGS, Reason.SCORE_REPORTED_BY_RUNNER]


def test_a_row_of_such_scores_says_so_and_has_no_determinism(
    tmp_path: Path, provider: FakeProvider
) -> None:
    code = 'print(\'{"telemetry": {"adherence_score": 1, "internal_model_seconds": 1}}\')'
    found = measure(tmp_path / "cell", once(runner=runner(code), runs_per_task=2))
    rate = determinism_rate(found.test_runs)
    assert getattr(rate, "reason", None) == "NO_ANSWER_SHOWN"
    (note,) = [
        item
        for item in row_reasons(found, STRICT, 0.0)
        if item.reason is Reason.SCORE_REPORTED_BY_RUNNER
    ]
    assert note.evidence.startswith("2 of 3 runs and probes")


@pytest.mark.parametrize(
    ("code", "detail"),
    [
        pytest.param("pass", "there is no line with a JSON object in its output", id="silence"),
        pytest.param(
            "import os; os.write(1, bytes(range(256)) * 300)", "there is no line", id="garbage"
        ),
        pytest.param(
            'print(\'{"telemetry": {"adherence_score": NaN}}\')', "neither `answer`", id="NaN"
        ),
        pytest.param(
            f"print({RIGHT!r}); raise SystemExit(1)", "exit status 1", id="a pass and a bad end"
        ),
        pytest.param(
            f"import os; print({RIGHT!r}, flush=True); os.abort()",
            "exit status -6",
            id="a pass and a crash",
            marks=posix,
        ),
        pytest.param(
            "print('{\"answer\": \"' + 'x' * 10**6 + '\", \"telemetry\": {}}')",
            "characters of its 1000",
            id="a line longer than what is kept",
        ),
        pytest.param(
            f"import os\nprint({RIGHT!r}, flush=True)\nwhile True: os.write(1, bytes(65536))",
            "the runner was ended: output_limit",
            id="a pass and a flood",
        ),
        pytest.param(
            'import os; os.write(1, b\'{"answer": "gr\\xfcn", "telemetry": {}}\')',
            "not UTF-8",
            id="Latin-1",
        ),
        pytest.param(
            f"import os; print({RIGHT!r}, flush=True); os.kill(os.getppid(), 9)",
            "the runner was ended: runner_killed",
            id="kills who watches it",
            marks=posix,
        ),
    ],
)
def test_what_brings_no_result_is_an_error_with_a_score_of_zero(
    tmp_path: Path, provider: FakeProvider, code: str, detail: str
) -> None:
    run = run_once(tmp_path, code)
    assert run.outcome is Outcome.ERROR
    assert detail in run.outcome_detail
    assert run.telemetry.adherence_score == 0.0
    assert run.telemetry.null_reasons["total_latency"] == "RUN_ERROR"
    assert (run.answer, run.answer_sha256) == (None, None)
    assert run.telemetry.token_metrics_status is TokenStatus.NOTHING


@pytest.mark.parametrize(
    "code",
    [
        pytest.param("import time; time.sleep(1000)", id="hangs"),
        pytest.param(
            "import signal, time\nfor n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)\n"
            "time.sleep(1000)",
            id="ignores being asked",
            marks=posix,
        ),
        pytest.param(
            f"import time; print({RIGHT!r}, flush=True); time.sleep(1000)", id="a pass before"
        ),
    ],
)
def test_what_does_not_end_is_a_timeout(tmp_path: Path, provider: FakeProvider, code: str) -> None:
    run = run_once(tmp_path, code, task_timeout_sec=1.0)
    assert (run.outcome, run.outcome_detail) == (
        Outcome.TIMEOUT,
        "the runner did not end within 1 s",
    )
    assert run.telemetry.null_reasons["total_latency"] == "RUN_TIMEOUT"
    assert run.runner is not None
    assert run.runner.exit_status is None
    assert run.runner.seconds == pytest.approx(1.0, abs=0.9)


@posix
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux lets us adopt a daemon")
def test_a_daemon_does_not_outlive_its_run(tmp_path: Path, provider: FakeProvider) -> None:
    code = (
        "import os, subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-S', '-c', 'import time; time.sleep(1000)'],"
        " start_new_session=True, stdout=subprocess.DEVNULL)\n"
        "open(sys.argv[2] + '/pid', 'w').write(str(child.pid))\n"
        f"print({RIGHT!r})"
    )
    begin = time.monotonic()
    run = run_once(tmp_path, code)
    assert run.outcome is Outcome.PASS
    assert not is_alive(int((work_of(tmp_path, run) / "pid").read_text()))
    assert time.monotonic() - begin < LONG_S


def test_what_it_plants_outside_of_its_folder_is_gone_when_another_run_begins(
    tmp_path: Path, provider: FakeProvider
) -> None:
    code = (
        "import os, sys, pathlib\n"
        "work = pathlib.Path(sys.argv[2])\n"
        "planted = work.parent / '1'\n"
        "cheated = (work / 'answer').exists()\n"
        "planted.mkdir(exist_ok=True); (planted / 'answer').write_text('1')\n"
        f"print({RIGHT!r})\n"
        "sys.exit(cheated)"
    )
    found = measure(tmp_path / "cell", once(runner=runner(code), runs_per_task=2))
    assert [run.outcome for run in found.test_runs] == [Outcome.PASS, Outcome.PASS]


@posix
@pytest.mark.parametrize(
    "sabotage",
    [
        pytest.param("shutil.rmtree(work)", id="removes it"),
        pytest.param("shutil.rmtree(work); work.symlink_to('/')", id="points it elsewhere"),
        pytest.param("shutil.rmtree(work); work.write_text('x')", id="makes it a file"),
    ],
)
def test_a_command_that_spoils_its_folder_spoils_nothing_else(
    tmp_path: Path, provider: FakeProvider, sabotage: str
) -> None:
    code = (
        "import pathlib, shutil, sys\nwork = pathlib.Path(sys.argv[2])\n"
        f"{sabotage}\nprint({RIGHT!r})"
    )
    wanted = once(runner=runner(code))
    first = measure(tmp_path / "cell", wanted)
    assert [run.outcome for run in first.test_runs] == [Outcome.PASS]
    # Whatever lies there now, the next measurement begins with a fresh folder.
    again = measured_report(tmp_path / "cell", wanted, TASKS[:1], again="all")
    assert [run.outcome for run in again.test_runs] == [Outcome.PASS]
    assert Path("/etc").is_dir()


@pytest.mark.parametrize("code", ["print('{}', flush=True)", "raise SystemExit(3)"])
def test_a_failed_run_after_which_the_server_is_gone_is_the_server_s(
    tmp_path: Path, provider: FakeProvider, code: str
) -> None:
    """Else every run after a crash would be a wrong answer of the model."""
    provider.fault = failing(
        ServerCrashed("exit status -11", CRASH), lambda _: (tmp_path / "cell/open/runner").exists()
    )
    found = measure(tmp_path / "cell", once(runner=runner(code)))
    assert found.status is RunStatus.CRASHED
    assert found.test_runs == ()


def test_a_server_that_answers_nobody_leaves_the_cell_incomplete(
    tmp_path: Path, provider: FakeProvider
) -> None:
    dead = failing(RequestFailed("HTTP 500"), lambda _: (tmp_path / "cell/open/runner").exists())
    provider.fault = dead
    found = measure(tmp_path / "cell", once(runner=runner("raise SystemExit(3)")))
    assert (found.status, found.retry) == (RunStatus.INCOMPLETE, True)
    assert str(found.status_reason).startswith("HTTP 500")


def test_its_own_requests_are_no_foreign_ones_and_everything_else_is_seen(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = (
        Observation.of(Reason.FOREIGN_REQUESTS, "2 requests"),
        Observation.of(Reason.CONTEXT_MISMATCH, "loaded again with 4096"),
    )
    monkeypatch.setattr(FakeModel, "disturbances", lambda _: seen)
    run = run_once(tmp_path, AGENT)
    assert run.telemetry.run_quality_reasons == seen[1:]
    assert run.telemetry.run_quality_status is Quality.POLLUTED


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        pytest.param(
            RunnerSettings(template=("no-such-agent", "{task_file}")),
            "runner_template: `no-such-agent`: there is no such program",
            id="no program",
        ),
        pytest.param(
            RunnerSettings(template=(sys.executable, "\0{task_file}")),
            f"runner_template: `{sys.executable}`: can't be started",
            id="can't be started",
        ),
        pytest.param(
            RunnerSettings(template=("x",), environment={"KEY": "${ENV:NO_SUCH_VARIABLE_HERE}"}),
            "runtime_env: there is no variable NO_SUCH_VARIABLE_HERE",
            id="no variable",
        ),
    ],
)
def test_a_command_that_cannot_be_started_says_nothing_about_a_model(
    tmp_path: Path, provider: FakeProvider, settings: RunnerSettings, problem: str
) -> None:
    with pytest.raises(ConfigError) as error:
        measure(tmp_path / "cell", once(runner=settings))
    assert error.value.problems == (problem,)
    # Put right, the measurement goes on; a template that is put right is another measurement.
    assert not (tmp_path / "cell" / "parts").exists()


def test_a_killed_measurement_goes_on_with_what_is_missing(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, wanted = tmp_path / "cell", spec(runner=runner(AGENT))
    appended = Journal.append

    def dies(self: Journal, kind: str, data: Any) -> None:
        if kind == "answer" and data.task_id == 2:
            raise KeyboardInterrupt
        appended(self, kind, data)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Journal, "append", dies)
        measure(folder, wanted)
    left_over = folder / "open/runner/add-0002/0/half"
    left_over.write_text("of an answer", encoding="utf-8")
    kept = folder / "open/runner/add-0001/0/mine"
    kept.write_text("of a run that is journalled", encoding="utf-8")
    found = measure(folder, wanted)
    assert [(run.task_id, run.run_index) for run in found.test_runs] == [
        (1, 0),
        (2, 0),
        (1, 1),
        (2, 1),
    ]
    (sealed,) = (folder / "parts").iterdir()
    assert not (sealed / "runner/add-0002/0/half").exists()
    assert (sealed / "runner/add-0001/0/mine").exists()


def test_a_measurement_anew_keeps_the_older_runs_with_their_attempt(
    tmp_path: Path, provider: FakeProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter(f"2026-11-23T15:04:{second:02d}.000Z" for second in range(60))
    monkeypatch.setattr(cell, "utc_now", lambda: next(moments))
    folder, wanted = tmp_path / "cell", once(runner=runner(AGENT))
    measure(folder, wanted)
    (first,) = (folder / "parts").iterdir()
    (first / "runner/add-0001/0/note").write_text("first", encoding="utf-8")
    measured_report(folder, wanted, TASKS[:1], again="all")
    _, second = sorted((folder / "parts").iterdir())
    assert (first / "runner/add-0001/0/note").read_text(encoding="utf-8") == "first"
    assert list((second / "runner/add-0001/0").iterdir()) == []


def test_a_runner_is_in_the_digest_and_none_leaves_it_as_it_was() -> None:
    plain = spec()
    assert "runner" not in json.loads(plain.canonical())
    changed = [
        spec(runner=RunnerSettings(template=("a", "{task_file}"))),
        spec(runner=RunnerSettings(template=("b", "{task_file}"))),
        spec(runner=RunnerSettings(template=("a", "{task_file}"), runtime_target="edge")),
        spec(runner=RunnerSettings(template=("a", "{task_file}"), environment={"A": "1"})),
    ]
    assert len({one.digest() for one in (plain, *changed)}) == 5
    assert RunSpec.model_validate_json(changed[3].canonical()) == changed[3]
