"""Breaks the guard against each measurement trap on purpose, and requires that a test fails.

Each mutation is applied alone to a copy of the tree, where only the tests named after its trap run.
A test that still passes would not catch the real mistake either.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("orket_lib", "tests", "pyproject.toml")
LINKED = ("models", "config")  # read only
TIMEOUT_S = 300
_FAILED = re.compile(r"^(?:FAILED|ERROR) \S+::(test_\w+)(?:\[.*?\])?(?: - (.*))?$", re.MULTILINE)


@dataclass(frozen=True)
class Mutation:
    """One way to fall into a trap.

    Attributes:
        trap: `T4`; tests named `test_t04_...` must fail.
        says: What the mutation does, in a few words.
        path: The file, from the root.
        old: Text that occurs exactly once in it.
        new: The text that replaces it.
        tests: Where the trap's tests are.
    """

    trap: str
    says: str
    path: str
    old: str
    new: str
    tests: str = "tests/traps"

    @property
    def prefix(self) -> str:
        """The prefix of the names of the trap's tests."""
        return f"test_t{int(self.trap[1:]):02d}_"


EMBEDDED = "orket_lib/providers/llama_cpp/embedded.py"
CHILD = "orket_lib/providers/llama_cpp/embedded_child.py"
CLIENT = "orket_lib/providers/llama_cpp/client.py"
HTTP = "orket_lib/providers/wire/http.py"
OLLAMA = "orket_lib/providers/ollama/provider.py"
OLLAMA_STREAM = "orket_lib/providers/ollama/stream.py"
STREAM = "orket_lib/providers/wire/chat_stream.py"
OPENAI = "orket_lib/providers/openai/provider.py"
LMSTUDIO = "orket_lib/providers/lmstudio/provider.py"
ATTACHED = "orket_lib/providers/llama_cpp/attached_model.py"
IDENTITY = "orket_lib/measure/session/identity.py"
ARRIVALS = "orket_lib/measure/speed/arrivals.py"
TOKENS = "orket_lib/measure/speed/token_metrics.py"
RATES = "orket_lib/vocabulary/rates.py"
PROBES = "orket_lib/measure/speed/probes.py"
REQUESTS = "orket_lib/measure/speed/probe_prompts.py"
FILLED = "orket_lib/measure/runs/filled_prompts.py"
ANSWERS = "orket_lib/measure/runs/answers.py"
AGGREGATES = "orket_lib/analysis/rows/aggregates.py"
WINDOWS = "orket_lib/telemetry/windows.py"
WARMUP = "orket_lib/measure/speed/warmup.py"
COOLDOWN = "orket_lib/measure/session/cooldown.py"
THERMAL_TREND = "orket_lib/analysis/thermal/trend.py"
GPU_WINDOWS = "orket_lib/telemetry/gpu/windows.py"
CHAT_ANSWERS = "tests/reading/test_chat_answers.py"
_READ_BACK = """unused=left_unused(answer["system_info"]),
                    )"""
_FOREIGN = """    busy = last.busy_s - first.busy_s
    ours = (last.own_s - first.own_s) + (last.server_s - first.server_s)"""

MUTATIONS = (
    Mutation(
        "T1",
        "the served quant is repeated from the label",
        EMBEDDED,
        _READ_BACK,
        f"{_READ_BACK}.model_copy(\n"
        '            update={"quant_tag": spec.quant_tag, "file_quant_tag": spec.quant_tag}\n'
        "        )",
    ),
    Mutation(
        "T1",
        "the header is believed, the weights are not counted",
        IDENTITY,
        "    yield from _bits_observations(spec.quant_tag, served)",
        "    yield from ()",
    ),
    Mutation(
        "T1",
        "the planned hash is reported, the served file is not hashed",
        EMBEDDED,
        _READ_BACK,
        f'{_READ_BACK}.model_copy(update={{"sha256": spec.artifact.sha256}})',
    ),
    Mutation(
        "T1",
        "LM Studio's quant is repeated from the label",
        LMSTUDIO,
        "self.served = _read_back(client, listed, instance)",
        "self.served = _read_back(client, listed, instance).model_copy(\n"
        '            update={"quant_tag": spec.quant_tag}\n'
        "        )",
    ),
    Mutation(
        "T2",
        "the context of a server that runs already is repeated from the label",
        OPENAI,
        "self.served = served_model(facts, self.pid, extras)",
        "self.served = served_model(facts, self.pid, extras).model_copy(\n"
        '            update={"n_ctx": spec.n_ctx}\n'
        "        )",
    ),
    Mutation(
        "T2",
        "the context is repeated from the label",
        EMBEDDED,
        _READ_BACK,
        f'{_READ_BACK}.model_copy(update={{"n_ctx": spec.n_ctx}})',
    ),
    Mutation(
        "T1",
        "the file of a llama-server that runs already is taken to be the cell's",
        ATTACHED,
        "served = read_back(props, artifact, build)",
        "served = read_back(props, source.artifact, build)",
    ),
    Mutation(
        "T2",
        "the context of a llama-server that runs already is repeated from the label",
        ATTACHED,
        "served = read_back(props, artifact, build)",
        "served = read_back(props, artifact, build).model_copy(\n"
        '        update={"n_ctx": spec.n_ctx}\n'
        "    )",
    ),
    Mutation(
        "T8",
        "what a llama-server counts is all ours",
        "orket_lib/providers/llama_cpp/traffic.py",
        "if counted and (prompt > 0 or output > 0):",
        "if False:",
    ),
    Mutation(
        "T8",
        "who is on a GPU is asked once, at the start of a run",
        GPU_WINDOWS,
        """    looks = window(record.lists, *window_s)
    lists =""",
        """    looks = window(record.lists, *window_s)[:1]
    lists =""",
    ),
    Mutation(
        "T8",
        "what can't be attributed on a GPU is clean",
        "orket_lib/measure/quality/gpu_verdicts.py",
        "        if unknown:",
        "        if False:",
    ),
    Mutation(
        "T9",
        "a GPU without an energy counter has used nothing",
        "orket_lib/telemetry/gpu/energy.py",
        """        if isinstance(value, Null):
            return value
        points.append((sample.at_s, value))""",
        "        points.append((sample.at_s, 0.0 if isinstance(value, Null) else value))",
    ),
    Mutation(
        "T12",
        "all that is in use on a GPU is the server's",
        GPU_WINDOWS,
        'for item in processes if item.whose == "server"',
        "for item in processes",
    ),
    Mutation(
        "T2",
        "the context is not handed to the server",
        CHILD,
        'params.n_ctx = settings["n_ctx"]',
        "params.n_ctx = 0",
    ),
    Mutation(
        "T1",
        "Ollama's tensors are not counted",
        OLLAMA,
        "bits_per_weight=reported(details.bits_per_weight)",
        "bits_per_weight=reported(None)",
    ),
    Mutation(
        "T2",
        "a context sweep takes a smaller context for the one that it asked for",
        "orket_lib/measure/cell.py",
        "                if self.spec.context:",
        "                if False:",
    ),
    Mutation(
        "T2",
        "a context sweep doesn't fill its context",
        FILLED,
        "self.sizer.pieces(task.prompt_of, self.prompt_tokens)",
        "9",
    ),
    Mutation(
        "T2",
        "the context is not sent to Ollama",
        OLLAMA_STREAM,
        '"num_ctx": n_ctx,',
        '"num_ctx": None,',
    ),
    Mutation(
        "T3",
        "Ollama's cached tokens count as processed",
        OLLAMA_STREAM,
        "uncached = prompt - cached",
        "uncached = prompt",
    ),
    Mutation(
        "T3",
        "tokens of an unknown cache state count as processed",
        OLLAMA_STREAM,
        "    uncached = None\n",
        "    uncached = prompt\n",
    ),
    Mutation(
        "T4",
        "decode intervals = n",
        RATES,
        'return output_tokens - 1 if clock == "first_token" else output_tokens',
        "return output_tokens",
    ),
    Mutation(
        "T4",
        "every server is assumed to start its clock at the first token",
        "orket_lib/measure/speed/calibration.py",
        'return "first_token" if one_s < token_s / 2 else "prompt_end"',
        'return "first_token"',
    ),
    Mutation(
        "T5",
        "tokens = chunks",
        TOKENS,
        "output = _or_null(said.output, NO_COUNT)",
        "output = len(chunks)",
    ),
    Mutation(
        "T6",
        "TTFT = first chunk, empty or not",
        STREAM,
        "            if content or thought or called:",
        "            if True:",
    ),
    Mutation(
        "T6",
        "the clock is read after parsing",
        STREAM,
        "reading.add(chunk, event.at_s - stream.written_s, times)",
        'reading.add(chunk, __import__("time").perf_counter() - stream.written_s, times)',
    ),
    Mutation(
        "T7",
        "the server may use its prompt cache",
        CLIENT,
        'body = {**chat_body(request), "cache_prompt": request.reuse_cache}',
        'body = {**chat_body(request), "cache_prompt": True}',
    ),
    Mutation(
        "T7",
        "the nonce is at the end",
        REQUESTS,
        'prompt = f"{nonce} {probe_text(sentences)}"',
        'prompt = f"{probe_text(sentences)} {nonce}"',
    ),
    Mutation(
        "T7",
        "a follow-up may not use what its probe left in the cache",
        FILLED,
        "reuse_cache=True",
        "reuse_cache=False",
    ),
    Mutation(
        "T7",
        "all probes have one text",
        REQUESTS,
        "secrets.choice(_NOUNS)",
        "_NOUNS[0]",
    ),
    Mutation(
        "T7",
        "vLLM may serve a question from its own earlier run",
        "orket_lib/providers/openai/client.py",
        "    if CACHE_SALT in extras:",
        "    if False:",
    ),
    Mutation(
        "T7",
        "what only a server's counters tell of its cache is not read",
        OPENAI,
        "return _with_cached(generation, self._watch.after())",
        "return _with_cached(generation, None)",
    ),
    Mutation(
        "T7",
        "cached tokens are recorded and not judged",
        PROBES,
        "    if tokens.cached > allowed:",
        "    if False:",
    ),
    Mutation(
        "T9",
        "a missing steal counter is no steal",
        WINDOWS,
        'return Null("NO_STEAL_COUNTER")',
        "return 0.0",
    ),
    Mutation(
        "T9",
        "a missing energy counter is no energy",
        "orket_lib/measure/quality/host_summary.py",
        'return Null("NO_ENERGY_COUNTER")',
        "return 0.0",
    ),
    Mutation(
        "T9",
        "a time that was not sent took no time",
        "orket_lib/providers/wire/json_fields.py",
        "not isinstance(value, int | float):\n        return None",
        "not isinstance(value, int | float):\n        return 0.0",
    ),
    Mutation(
        "T9",
        "artifacts accept a null without a reason",
        "orket_lib/artifacts/base.py",
        "        if nulls != set(self.null_reasons):",
        "        if False:",
    ),
    Mutation(
        "T9",
        "a gate passes a null",
        "orket_lib/analysis/canary.py",
        "    if cv is None:",
        "    if cv is None and False:",
    ),
    Mutation(
        "T10",
        "failed runs are left out of the score",
        AGGREGATES,
        "for group in _by_task(runs)",
        "for group in _by_task([run for run in runs if answered(run)])",
    ),
    Mutation(
        "T10",
        "the times of failed runs count as latency",
        ANSWERS,
        'total = Null(f"RUN_{failure.outcome.upper()}") if failure else reply.total_s',
        "total = 0.0 if failure else reply.total_s",
    ),
    Mutation(
        "T11",
        "our own work and the server's count as foreign",
        WINDOWS,
        _FOREIGN,
        "    busy = last.busy_s - first.busy_s\n    ours = 0.0",
    ),
    Mutation(
        "T11",
        "the server's tree is forgotten",
        WINDOWS,
        _FOREIGN,
        "    busy = last.busy_s - first.busy_s\n    ours = last.own_s - first.own_s",
    ),
    Mutation(
        "T11",
        "the load average is taken as it is",
        WINDOWS,
        "last.load_1min - ours / (last.at_s - first.at_s)",
        "last.load_1min - 0 * ours / (last.at_s - first.at_s)",
    ),
    Mutation(
        "T11",
        "the host is judged once, at the start",
        "orket_lib/measure/quality/host_verdicts.py",
        "windows.window(samples, *window_s)",
        "samples[:2]",
    ),
    Mutation(
        "T12",
        "the server's estimate of its VRAM is the peak",
        ANSWERS,
        'return Null(NO_GPU_USED if unused else "VRAM_NOT_MEASURED")',
        "return session.served.server_vram_mib or Null(NO_GPU_USED)",
    ),
    Mutation(
        "T12",
        "unmeasured VRAM counts as unused VRAM",
        ANSWERS,
        'return Null(NO_GPU_USED if unused else "VRAM_NOT_MEASURED")',
        "return Null(NO_GPU_USED)",
    ),
    Mutation(
        "T12",
        "the server's estimate of its memory is the peak",
        ANSWERS,
        "peak_memory_rss=peak_rss_mib(model.pid)",
        "peak_memory_rss=session.served.server_memory_mib or peak_rss_mib(model.pid)",
    ),
    Mutation(
        "T13",
        "a fixed number of warm-ups",
        WARMUP,
        "max(required, _WINDOW) and is_steady(seconds):",
        "max(required, _WINDOW):",
    ),
    Mutation(
        "T14",
        "a repeat begins as hot as the one before it ended",
        COOLDOWN,
        "while not isinstance(now, Null) and now > target_c",
        "while False and not isinstance(now, Null) and now > target_c",
    ),
    Mutation(
        "T14",
        "only what varies within the runs counts as noise",
        THERMAL_TREND,
        "reach = _t_quantile(chance, self.freedom[0]) * self.between",
        "reach = 0.0",
    ),
    Mutation(
        "T15",
        "the client's memory is reported",
        ANSWERS,
        "peak_memory_rss=peak_rss_mib(model.pid)",
        'peak_memory_rss=peak_rss_mib(__import__("os").getpid())',
    ),
    Mutation(
        "T15",
        "the peak is read from whoever asks",
        "orket_lib/telemetry/host.py",
        'f"/proc/{pid}/status"',
        '"/proc/self/status"',
    ),
    Mutation(
        "T16",
        "the determinism hash takes in the times",
        ANSWERS,
        "fingerprint(text),",
        "fingerprint(f'{text}{reply.metrics}'),",
    ),
    Mutation(
        "T16",
        "one run is deterministic",
        AGGREGATES,
        "    if min(map(len, groups)) < 2:",
        "    if False:",
    ),
    Mutation(
        "T18",
        "the rank is a regex over the tag",
        "orket_lib/analysis/rows/row.py",
        "return session.served.bits_per_weight * 100",
        'return float(__import__("re").search(r"Q(\\d)|$", report.spec.quant_tag)[1] or 0)',
    ),
    Mutation(
        "T18",
        "nominal bits are the digit of the tag",
        "orket_lib/vocabulary/quants.py",
        "return None if base is None else NOMINAL_BITS[base]",
        'return float((re.findall(r"[QF](\\d+)", tag) or [0])[0])',
    ),
    Mutation(
        "T19",
        "two tokens make a rate",
        RATES,
        "MIN_OUTPUT_TOKENS = 16",
        "MIN_OUTPUT_TOKENS = 2",
    ),
    Mutation(
        "T19",
        "probes end when the model likes",
        CLIENT,
        "    if request.ignore_eos:",
        "    if False:",
    ),
    Mutation(
        "T20",
        "thresholds are compared exactly",
        "orket_lib/vocabulary/thresholds.py",
        "TOLERANCE = 1e-9",
        "TOLERANCE = 0.0",
    ),
    Mutation(
        "T20",
        "seconds are rounded before dividing",
        RATES,
        "return intervals / seconds if seconds > 0",
        "return intervals / round(seconds, 2) if seconds > 0",
    ),
    Mutation(
        "T21",
        "connections are kept alive",
        HTTP,
        "limits=httpx.Limits(max_keepalive_connections=0),",
        "limits=httpx.Limits(),",
    ),
    Mutation(
        "T21",
        "the request's clock starts before the connection is open",
        HTTP,
        'marks.get("http11.send_request_headers.started", begun_s),',
        "begun_s,",
    ),
    Mutation(
        "T17",
        "the smallest quant has the best value, whatever was measured",
        "orket_lib/analysis/frontier.py",
        "        return value, adherence, -latency, row.quant_rank or 0.0",
        "        return -(row.quant_rank or 0.0), value, adherence, -latency",
        "tests/analysis/test_frontier.py",
    ),
    Mutation(
        "T22",
        "any report is taken for the one that a summary quotes",
        "orket_lib/commands/_reports.py",
        "for report in reports for part in report.parts)",
        "for part in row.parts)",
        "tests/commands/test_reports.py",
    ),
    Mutation(
        "T23",
        "the toy bank is the default for every model",
        "orket_lib/config/sections/matrix.py",
        "if only else values",
        "if models else values",
        "tests/sweep/test_cells.py",
    ),
    Mutation(
        "T24",
        "an answer is right only in the form that was expected",
        "orket_lib/reading/texts.py",
        "    if text == expected or len(text) > _MOST_CHARS:\n        return same(text)\n",
        "    if True:\n        return text == expected\n",
        CHAT_ANSWERS,
    ),
    Mutation(
        "T24",
        "a label is right only if it is the whole answer",
        "orket_lib/tasks/grading/text_graders.py",
        "    found = stated_label(normalize(answer), asked.labels)",
        "    found = next((it for it in asked.labels if it == normalize(answer)), None)",
        CHAT_ANSWERS,
    ),
    Mutation(
        "T24",
        "a text is right wherever it occurs",
        "orket_lib/reading/texts.py",
        "        if folded == wanted or ",
        "        if wanted in folded or ",
        CHAT_ANSWERS,
    ),
    Mutation(
        "T25",
        "no lost task proves that everything is kept",
        "orket_lib/analysis/verdict/kept_share.py",
        "PRIOR = 0.5",
        "PRIOR = 1e-6",
        "tests/analysis/verdict/test_kept_share.py",
    ),
    Mutation(
        "T26",
        "a single task is enough for a verdict",
        "orket_lib/analysis/verdict/judged_tasks.py",
        "return len(self.counted) < FEWEST_TASKS",
        "return not self.counted",
        "tests/analysis/verdict/test_judged_tasks.py",
    ),
    Mutation(
        "T27",
        "a quant that did not load is left out of the sentence",
        "orket_lib/analysis/verdict/sentences.py",
        "        *_absent(verdicts),\n",
        "",
        "tests/analysis/verdict/test_sentences.py",
    ),
    Mutation(
        "T28",
        "a row that was disturbed in its times has no verdict",
        "orket_lib/analysis/verdict/baseline.py",
        "judged = row.may_be_judged(include_invalid)",
        "judged = row.valid or include_invalid",
        "tests/analysis/verdict/test_sentences.py",
    ),
    Mutation(
        "T30",
        "an answer that was cut is a wrong one",
        "orket_lib/analysis/rows/answer_failures.py",
        "    if finish in _AT_A_LIMIT or reached:",
        "    if False:",
        "tests/analysis/rows/test_answer_failures.py",
    ),
    Mutation(
        "T32",
        "whatever a server says now, it is the one of last time",
        "orket_lib/artifacts/measurements/spec.py",
        "if before is not None and after is not None and before != after",
        "if False and before != after",
        "tests/sweep/test_servers.py",
    ),
    Mutation(
        "T33",
        "a CPU quota is not seen",
        "orket_lib/telemetry/allowance/cpus.py",
        "quota = min(_quotas(root), key=lambda found: found.cpus, default=None)",
        "quota = None",
        "tests/telemetry/allowance/test_cpus.py",
    ),
    Mutation(
        "T34",
        "all ARM boards have the name of their architecture",
        "orket_lib/telemetry/cpu_model.py",
        "words = [_board(root, found), _cores(found)]",
        "words: list[str] = []",
        "tests/telemetry/test_cpu_model.py",
    ),
    Mutation(
        "T35",
        "a server that was killed has crashed by itself",
        "orket_lib/vocabulary/failures.py",
        "return self.signal is None or self.signal in _OWN_FAULTS or self.code >= _WINDOWS_FAULT",
        "return True",
        "tests/measure/test_failures.py",
    ),
    Mutation(
        "T29",
        "warm-up goes on until it is steady and complete, however long that takes",
        WARMUP,
        "elif clock() - begun_s + longest_s > limit_s:",
        "elif False:",
    ),
    Mutation(
        "T29",
        "a slow server is probed at full length",
        "orket_lib/measure/session/readiness.py",
        "if pace.seconds(each) <= budget.probe_s)",
        "if True)",
    ),
    Mutation(
        "T29",
        "probes come before the tasks, however long they take",
        "orket_lib/measure/cell.py",
        "            if session.probes_last:",
        "            if False:",
    ),
    Mutation(
        "T31",
        "the first chunk is believed, however many tokens it brings",
        ARRIVALS,
        "chunks[0] if late_s <= max(_MOST_LATE * chunks[0], _JITTER_S) else BUFFERED",
        "chunks[0]",
    ),
    Mutation(
        "T31",
        "any distance of the first and the last chunk is the time of generation",
        ARRIVALS,
        "        if self._late_s > _MOST_LATE * self._span_s:",
        "        if False:",
    ),
    Mutation(
        "T36",
        "a run after a sampler's end is judged by its last readings",
        WINDOWS,
        "samples[0].at_s > start_s or samples[-1].at_s < end_s:",
        "samples[0].at_s > start_s + LEAST_S or samples[-1].at_s < end_s - LEAST_S:",
    ),
)


def main() -> int:
    """Try every mutation and print a line for each; return 1 if one survives."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("traps", nargs="*", metavar="TRAP", help="only these, as in `T4 T11`")
    wanted = parser.parse_args().traps
    chosen = [item for item in MUTATIONS if not wanted or item.trap in wanted]
    survivors = 0
    with tempfile.TemporaryDirectory(prefix="orket-mutations-") as name:
        tree = _copy(Path(name))
        print(_without_mutation(tree, chosen), flush=True)  # noqa: T201
        for mutation in chosen:
            verdict = _try(tree, mutation)
            survivors += verdict.startswith("SURVIVES")
            line = f"{mutation.trap:<4} mutation: {mutation.says}  ->  {verdict}"
            print(line, flush=True)  # noqa: T201
    print(f"{len(chosen) - survivors} of {len(chosen)} mutations caught")  # noqa: T201
    return 1 if survivors else 0


def _copy(tree: Path) -> Path:
    """Copy what the tests need into an empty folder."""
    skip = shutil.ignore_patterns("__pycache__")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, tree / name, ignore=skip)
        else:
            shutil.copy2(source, tree / name)
    for name in LINKED:
        (tree / name).symlink_to(ROOT / name, target_is_directory=True)
    return tree


def _without_mutation(tree: Path, chosen: list[Mutation]) -> str:
    """Check that the tests pass in the unchanged copy, and that they test the copy."""
    where = _python(tree, "-c", "import orket_lib; print(orket_lib.__file__)").stdout.strip()
    if Path(where).resolve() != (tree / "orket_lib" / "__init__.py").resolve():
        raise SystemExit(f"the tests would import {where}, not the copy")
    result = _tests(tree, chosen, stop=False)
    if result.returncode:
        raise SystemExit(f"the tests of traps fail without any mutation:\n{result.stdout[-6000:]}")
    return f"without a mutation: {result.stdout.strip().splitlines()[-1]}"


def _try(tree: Path, mutation: Mutation) -> str:
    """Apply a mutation, run its trap's tests, revert it, and return the verdict."""
    path = tree / mutation.path
    original = path.read_text(encoding="utf-8")
    found = original.count(mutation.old)
    if found != 1:
        return f"SURVIVES: its text occurs {found} times in {mutation.path}, must be once"
    try:
        _write(path, original.replace(mutation.old, mutation.new))
        result = _tests(tree, [mutation], stop=True)
    except subprocess.TimeoutExpired:
        return f"SURVIVES: no verdict after {TIMEOUT_S} s"
    finally:
        _write(path, original)
    failure = _FAILED.search(result.stdout)
    if result.returncode != 1 or failure is None:
        return f"SURVIVES: {(result.stdout.strip().splitlines() or ['no output'])[-1]}"
    return f"caught by {failure[1]}: {failure[2] or 'failed'}"


def _write(path: Path, text: str) -> None:
    """Write a module whose time, in whole seconds, is no earlier one's: byte code goes by it."""
    before_s = path.stat().st_mtime
    path.write_text(text, encoding="utf-8")
    os.utime(path, (before_s + 2, before_s + 2))


def _tests(tree: Path, chosen: list[Mutation], stop: bool) -> subprocess.CompletedProcess[str]:
    """Run the tests of some mutations' traps."""
    options = ["-x"] if stop else []
    places, prefixes = ({getattr(it, name) for it in chosen} for name in ("tests", "prefix"))
    return _python(
        tree,
        *("-m", "pytest", *sorted(places), "-q", "-rfE", "-p", "no:cacheprovider", "-m", ""),
        *options,
        *("-k", " or ".join(sorted(prefixes))),
    )


def _python(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in the copy, which child processes import as well."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=tree,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
        env={**os.environ, "PYTHONPATH": str(tree), "COLUMNS": "200"},
    )


if __name__ == "__main__":
    sys.exit(main())
