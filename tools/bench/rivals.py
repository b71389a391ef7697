"""A verdict on a folder of quants beside those of quantdiff and fituna: its time, and the claim.

All get the same files, threads and machine, one after another. quantdiff compares servers that run
already, so the time that they need to start is counted with it, as ours is with us.
"""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from decode import thread_count
from programs import ORKET, SNAKEMAKE, NotRun, cost, program
from tables import Table, times

from orket_lib.artifacts.io import read_model, write_json
from orket_lib.artifacts.views.run_report import RunReport
from orket_lib.artifacts.views.summary import Summary
from orket_lib.config.shipped import workflow_file
from orket_lib.processes.json_child import kill
from orket_lib.providers.gguf.file import read_gguf
from orket_lib.providers.llama_cpp.client import LlamaClient

_DOCS = Path(__file__).resolve().parents[2] / "docs"
_STARTING_S = 120.0
_SHORTENED = 200  # characters of a claim


def rivals(
    files: Sequence[Path],
    prompts: int,
    llama: Path | None,
    quantdiff: Path | None,
    fituna: Path | None,
) -> Table:
    """Return what each program takes for one model, and what it says in the end.

    Args:
        files: Quants of one model, the largest first.
        prompts: That each quant is asked.
        llama: Folder with `llama-server`, `llama-bench` and so on.
        quantdiff: The program.
        fituna: The program.
    """
    files = [path.absolute() for path in files]
    entries: dict[str, Callable[[Path], tuple[float, str]]] = {
        "orket sweep --quick": lambda it: _sweep(files, ["--quick"], it),
        f"orket, {prompts} tasks, loads and graded time": lambda it: _graded(files, prompts, it),
        f"quantdiff, {prompts} prompts, with the starts of its servers": lambda it: _quantdiff(
            program(quantdiff, "--quantdiff"), _server(llama), files, prompts, it
        ),
        "fituna, which makes its own quants": lambda it: _fituna(
            program(fituna, "--fituna"), _server(llama).parent, files, it
        ),
    }
    found: dict[str, tuple[float, str]] = {}
    notes = []
    for name, run in entries.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                found[name] = run(Path(folder))
            except NotRun as error:
                notes.append(f"{name}: not run: {error}")
    quick = next(iter(found.values()))[0]
    rows = tuple(
        (name, f"{seconds:.0f} s", times(seconds, quick), claim[:_SHORTENED])
        for name, (seconds, claim) in found.items()
    )
    names = ", ".join(path.name for path in files)
    head = ("program", "time", "", "what it says in the end")
    return Table("A verdict", head, rows, (names, *notes))


def _server(llama: Path | None) -> Path:
    return program(llama and llama / "llama-server", "--llama")


def _tags(files: Sequence[Path]) -> dict[str, Path]:
    return {str(read_gguf(path).quant_tag): path for path in files}


def _config(files: Sequence[Path], folder: Path, **settings: object) -> Path:
    model = files[0].stem.rpartition("-")[0] or files[0].stem
    artifacts = {tag: path.as_posix() for tag, path in _tags(files).items()}
    config = {
        "models": [model],
        "quants": list(artifacts),
        "artifacts": {model: artifacts},
        "threads": thread_count(),
        "n_ctx": 2048,
        **settings,
    }
    path = folder / "verdict.yaml"
    write_json(path, config)
    return path


def _sweep(files: Sequence[Path], options: list[str], folder: Path) -> tuple[float, str]:
    path = _config(files, folder)
    took = cost([*ORKET, "sweep", path.name, *options, "--yes"], folder).wall_s
    return took, _sweep_claim(folder)


def _graded(files: Sequence[Path], prompts: int, folder: Path) -> tuple[float, str]:
    """Sweep without a canary, and return the time of loads and graded runs, without probes."""
    off = {"probe_runs": 1, "canary": {"runs": 0}, "runs_per_quant": 1, "task_limit": prompts}
    path = _config(files, folder, **off)
    # Not all of it: the KPI gate would end it with an error where the machine is not quiet.
    command: list[str | Path] = [
        *SNAKEMAKE,
        "-s",
        workflow_file(),
        "-c1",
        "report",
        "--configfile",
        path.name,
    ]
    cost(command, folder)
    reports = [
        read_model(it, RunReport) for it in folder.glob("results/verdict/cells/*/*/run.json")
    ]
    loads = [it.load.load_seconds or 0.0 for report in reports for it in report.sessions]
    graded = [run.window_s[1] - run.window_s[0] for report in reports for run in report.test_runs]
    return sum(loads) + sum(graded), _sweep_claim(folder)


def _sweep_claim(folder: Path) -> str:
    summary = read_model(folder / "results/verdict/quant_sweep/sweep_summary.json", Summary)
    decision = summary.sessions[0].decision
    if decision is None:
        return "nothing"
    sure = "" if decision.probability is None else f" (P = {decision.probability:.3g})"
    return f"{decision.status.value} {decision.pick}{sure}; next: {decision.next or 'nothing'}"


def _quantdiff(
    path: Path, server: Path, files: Sequence[Path], prompts: int, folder: Path
) -> tuple[float, str]:
    with ExitStack() as stack:
        began = time.monotonic()
        urls = [stack.enter_context(_serving(server, it, folder)) for it in files]
        started = time.monotonic() - began
        tags = list(_tags(files))
        command: list[str | Path] = [path, "run", "--ref", f"{tags[0]}=llamacpp:{urls[0]}"]
        for tag, url in zip(tags[1:], urls[1:], strict=True):
            command += ["--cand", f"{tag}=llamacpp:{url}"]
        command += ["--suite", "json", "--max-cases", str(prompts), "--offline", "--no-png"]
        ran = cost([*command, "--no-cache", "--quiet", "--out", folder / "out"], folder)
    return started + ran.wall_s, ran.said.strip().splitlines()[-1]


def _fituna(path: Path, programs: Path, files: Sequence[Path], folder: Path) -> tuple[float, str]:
    command: list[str | Path] = [path, "run", "--model", files[0], "--gpu", "none"]
    command += ["--quant", ",".join(list(_tags(files))[1:]), "--ctx", "512"]
    command += ["--target-tps", "1", "--max-quality-loss", "5", "--llama-bin-dir", programs]
    corpus = folder / "corpus.txt"  # enough for the 32 chunks that it reads by default
    corpus.write_text(
        "\n".join(it.read_text("utf-8") for it in sorted(_DOCS.rglob("*.md"))), encoding="utf-8"
    )
    command += ["--quality-corpus", corpus, "--out", folder / "out"]
    ran = cost(command, folder)
    return ran.wall_s, ran.said.strip().splitlines()[-1]


@contextmanager
def _serving(server: Path, model: Path, folder: Path) -> Iterator[str]:
    """Start a server of a file, wait until it is ready, and yield its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["--ctx-size", "2048", "--parallel", "1", "--threads", str(thread_count())]
    with (folder / f"{model.stem}.log").open("wb") as log:
        child = subprocess.Popen(
            [server, "-m", model, "--port", str(port), *words], stdout=log, stderr=log
        )
    client = LlamaClient(f"http://127.0.0.1:{port}")
    try:
        until = time.monotonic() + _STARTING_S
        while not client.healthy():
            if child.poll() is not None or time.monotonic() > until:
                raise NotRun(f"llama-server doesn't serve {model.name}")
            time.sleep(0.05)
        yield client.address.base_url
    finally:
        client.close()
        kill(child)
