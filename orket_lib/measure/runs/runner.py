"""Asks a task through a runner: a command of the user's that answers it.

We serve the model as usual, and measure its identity, probes and memory; the command finds its
address in the environment. It gets a fresh folder, a minimal environment and a time limit, and all
its processes are ended with it. Whatever it does is an outcome of the run. Only a command that
can't be started stops the measurement, because that is not the model's fault.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orket_lib.artifacts.measurements.runner import RunnerRun
from orket_lib.artifacts.measurements.spec import MeasurementSpec
from orket_lib.artifacts.views.run_report import Observation
from orket_lib.measure.runs.ask_model import Failure, Reply
from orket_lib.measure.runs.runner_folders import RunFolder, make_folder
from orket_lib.measure.runs.runner_result import (
    NoResult,
    RunnerResult,
    internal_seconds,
    nothing_reported,
    read_result,
    token_metrics,
)
from orket_lib.measure.session.session import OpenSession
from orket_lib.processes.bounded_command import Ended, run_bounded
from orket_lib.processes.command_template import (
    cut_secrets,
    filled,
    resolved_environment,
    without_secrets,
)
from orket_lib.processes.which import find_program
from orket_lib.providers.base import Model
from orket_lib.tasks.bank import Task
from orket_lib.vocabulary import environment as names
from orket_lib.vocabulary.errors import ConfigError
from orket_lib.vocabulary.nulls import Null
from orket_lib.vocabulary.reasons import Reason
from orket_lib.vocabulary.statuses import Outcome, TokenStatus
from orket_lib.vocabulary.text import printable

# Environment variables that a command inherits, because most programs need them. All others belong
# in `runtime_env`, which is part of the measurement's spec.
INHERITED = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR"),
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERNAME"),
    *("USERPROFILE", "HOMEDRIVE", "HOMEPATH", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA"),
    *("PROGRAMFILES", "PSMODULEPATH", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"),
)
_UNSTARTED = {
    "command_not_found": "there is no such program",
    "command_not_executable": "can't be started",
}
_LONGEST = 200  # characters of its error message in an outcome


def ask_runner(
    opened: OpenSession, spec: MeasurementSpec, task: Task, run_index: int, runs: Path
) -> Reply:
    """Let the spec's runner answer a task, and return its reply.

    Args:
        opened: The session, with the model that the command asks.
        spec: With a runner.
        task: The task.
        run_index: Index of the repetition.
        runs: Parent folder of the runs.

    Raises:
        ConfigError: The command can't be started, or a variable that it needs is not set.
    """
    folder = make_folder(runs, task, run_index)
    command = _command(spec, folder)
    environment, secrets = runner_environment(spec, opened.model)
    ended = run_bounded(command, environment, spec.task_timeout_sec, inherited=INHERITED)
    folder.keep(without_secrets(ended.stdout, secrets), without_secrets(ended.stderr, secrets))
    if ended.error in _UNSTARTED:
        raise ConfigError([f"runner_template: `{command[0]}`: {_UNSTARTED[ended.error]}"])
    result = None
    failure = _failure(ended, spec.task_timeout_sec, secrets)
    if failure is None:
        try:
            result = read_result(ended.stdout)
        except NoResult as error:
            failure = Failure(Outcome.ERROR, str(error))
    return _reply(ended, folder, result, failure, tuple(secrets))


def runner_environment(spec: MeasurementSpec, model: Model) -> tuple[dict[str, str], list[str]]:
    """Return the environment that a command gets in addition, and the secrets in it.

    Raises:
        ConfigError: A variable that holds a secret is not set.
    """
    assert spec.runner is not None
    address = model.address
    known: dict[str, object] = {
        names.MODEL_ID: spec.model_id,
        names.QUANT_TAG: spec.quant_tag,
        names.PROVIDER: spec.provider,
        names.BASE_URL: address.base_url,
        names.SERVED_MODEL: spec.artifact.tag or spec.model_id,
        names.N_CTX: spec.n_ctx,
        names.THREADS: spec.controls.threads,
        names.TEMPERATURE: spec.temperature,
        names.MAX_OUTPUT_TOKENS: spec.max_output_tokens,
        names.THINKING: spec.thinking,
        names.THINKING_BUDGET: spec.thinking_budget,
        names.REQUEST_EXTRAS: ",".join(model.served.request_extras),
        names.TASK_TIMEOUT_SEC: spec.task_timeout_sec,
    }
    keyed = {names.API_KEY: address.api_key} if address.api_key else {}
    try:
        environment, secrets = resolved_environment({**spec.runner.environment, **keyed})
    except KeyError as error:
        raise ConfigError([f"runtime_env: there is no variable {error.args[0]}"]) from None
    if keyed:  # a literal key is a secret as well
        secrets.append(environment[names.API_KEY])
    ours = {name: str(value) for name, value in known.items() if value is not None}
    return {**environment, **ours}, secrets


def require_served(opened: OpenSession) -> None:
    """Check after a failed command that the model still answers, with a request for one token.

    Raises:
        ProviderError: It doesn't: the server failed, not the command.
    """
    opened.model.generate(opened.maker.request(1))


def _reply(
    ended: Ended,
    folder: RunFolder,
    result: RunnerResult | None,
    failure: Failure | None,
    secrets: tuple[str, ...],
) -> Reply:
    reported = result.reported if result else nothing_reported()
    metrics = token_metrics(reported)
    seen = []
    if result and metrics.status is not TokenStatus.OK:
        evidence = f"{metrics.status.value}: not reported by the runner"
        seen.append(Observation.of(Reason.MISSING_TOKEN_TIMINGS, evidence))
    if result and result.answer is None:
        evidence = f"the runner returned no answer, and the score {reported.adherence_score:g}"
        seen.append(Observation.of(Reason.SCORE_REPORTED_BY_RUNNER, evidence))
    return Reply(
        metrics=metrics,
        total_s=Null("NOT_OBSERVED") if ended.seconds is None else ended.seconds,
        internal_s=internal_seconds(reported),
        text=result.answer if result else None,
        tool_calls=result.tool_calls if result else (),
        own_score=reported.adherence_score,
        failure=failure,
        seen=tuple(seen),
        secrets=secrets,
        runner=RunnerRun(
            folder=folder.name,
            error=ended.error,
            exit_status=ended.exit_status,
            seconds=ended.seconds,
            reported=result.reported if result else None,
        ),
    )


def _failure(ended: Ended, timeout_s: float, secrets: Sequence[str]) -> Failure | None:
    """Return why a command failed, whatever it printed; None if it didn't."""
    if ended.error == "timeout":
        return Failure(Outcome.TIMEOUT, f"the runner did not end within {timeout_s:g} s")
    if ended.error is not None:
        return Failure(Outcome.ERROR, f"the runner was ended: {ended.error}")
    if ended.exit_status:
        last = (ended.stderr.end or ended.stderr.text).strip().split("\n")[-1]
        words = printable(cut_secrets(last, secrets), _LONGEST)
        detail = f"the runner ended with exit status {ended.exit_status}"
        return Failure(Outcome.ERROR, f"{detail}: {words}" if words else detail)
    return None


def _command(spec: MeasurementSpec, folder: RunFolder) -> tuple[str, ...]:
    assert spec.runner is not None
    known = {
        "task_file": folder.task_file,
        "run_dir": folder.work,
        **spec.model_dump(),
        **spec.runner.model_dump(),
        **spec.controls.model_dump(),
    }
    values = {name: "" if known[name] is None else str(known[name]) for name in names.PLACEHOLDERS}
    name, *rest = filled(spec.runner.template, values)
    return (find_program(name) or name, *rest)  # as the preflight found it
