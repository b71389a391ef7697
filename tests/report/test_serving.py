"""The line that serves the pick, and the device that the headline names."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
from builders import offload
from gpu_replay import record_of
from nvml_replay import load_trace
from report_summaries import row, section, summary

from orket_lib.artifacts.views.context_ceiling import ContextCeiling
from orket_lib.artifacts.views.row import RowArtifact
from orket_lib.artifacts.views.summary import ModelSession, Summary
from orket_lib.measure.quality.gpu_summary import summarize_gpus
from orket_lib.measure.quality.gpu_verdicts import WatchedGpus
from orket_lib.report.markdown import render_markdown
from orket_lib.report.serving import measured_on, serving_lines
from orket_lib.report.terminal import terminal_summary
from orket_lib.vocabulary.nulls import Null

FILE = "/my models/it's $1 & more/m-Q4_K_M.gguf"
WINDOWS = r"C:\Program Files\a&b\m-Q4_K_M.gguf"


def of(tag: str | None = None, path: str | None = None, **changes: Any) -> Summary:
    """A summary whose pick is Q4_K_M, from this file or tag."""
    source = RowArtifact(sha256=None, digest=None, path=path, tag=tag, bytes=1)
    return summary([row("F16", 16.0, 0.976), row("Q4_K_M", 4.9, 0.976, artifact=source, **changes)])


def lines(found: Summary, windows: bool = False, **matrix: Any) -> list[str]:
    return serving_lines(found.sessions[0], matrix, windows=windows)


def test_a_file_is_served_by_llama_server_at_the_context_that_was_measured() -> None:
    (line,) = lines(of(path=FILE), provider="embedded", n_ctx=4096)
    assert shlex.split(line) == ["llama-server", "-m", FILE, "-c", "4096"]
    (line,) = lines(of(path=FILE), provider="embedded", n_ctx=None)
    assert shlex.split(line)[-2:] == ["-c", "0"]  # the model's own
    serving: dict[str, Any] = {"server_binary": "/opt/llama server", "server_args": ("-ngl", "99")}
    (line,) = lines(of(path=FILE), provider="llama_server", n_ctx=512, **serving)
    assert shlex.split(line) == ["/opt/llama server", "-m", FILE, "-c", "512", "-ngl", "99"]


def test_windows_has_its_own_quotes() -> None:
    (line,) = lines(of(path=WINDOWS), windows=True, provider="embedded", n_ctx=1)
    assert line == rf'llama-server -m "{WINDOWS}" -c 1'
    (line,) = lines(of(path=r"C:\a&b\m.gguf"), windows=True, provider="embedded", n_ctx=1)
    assert line == r'llama-server -m "C:\a&b\m.gguf" -c 1'


def test_ollama_keeps_a_context_in_a_modelfile() -> None:
    found = of("x:8b-q4_K_M")
    assert lines(found, provider="ollama") == ["ollama run x:8b-q4_K_M"]
    run, context = lines(found, provider="ollama", n_ctx=8192)
    assert run == "ollama run x:8b-q4_K_M"
    assert "`FROM x:8b-q4_K_M` and `PARAMETER num_ctx 8192`" in context
    assert context.endswith("ollama create x-8b-q4_K_M-8192 -f Modelfile")
    (run,) = lines(found, provider="ollama", base_url="http://127.0.0.1:11500")
    assert run == "ollama run x:8b-q4_K_M (with OLLAMA_HOST=http://127.0.0.1:11500)"
    assert lines(found, provider="ollama", base_url="http://localhost:11434") == [
        "ollama run x:8b-q4_K_M"
    ]


def test_a_model_with_settings_of_its_own_is_served_by_them() -> None:
    own = {"orket-nano": {"provider": "ollama", "tags": {"orket-nano": {"Q4_K_M": "x:4b"}}}}
    matrix = {"provider": "llama_server", "base_url": "http://127.0.0.1:8080", "n_ctx": 512}
    found = of(tag="x:4b").model_copy(update={"matrix": matrix | {"model_settings": own}})
    line, *_ = serving_lines(found.sessions[0], found.settings_of("orket-nano"))
    assert line == "ollama run x:4b"  # without the address of the sweep's own server
    assert found.settings_of("another")["provider"] == "llama_server"


def test_lm_studio_loads_and_other_servers_serve_it_already() -> None:
    found = of("qwen 3@q4_k_m")
    assert lines(found, provider="lmstudio", n_ctx=4096) == [
        "lms load 'qwen 3@q4_k_m' --context-length 4096"
    ]
    assert lines(found, provider="openai", base_url="http://h:8000") == [
        "the server at http://h:8000 serves qwen 3@q4_k_m already"
    ]


@pytest.mark.parametrize("matrix", [{}, {"provider": "gone"}, {"provider": "embedded"}])
def test_where_something_is_unknown_there_is_no_line(matrix: dict[str, Any]) -> None:
    assert lines(of("x"), **matrix) == []  # no file
    assert lines(summary([row("F16", 16.0, 0.1)]), **matrix) == []  # no pick


def test_terminal_and_report_have_it_unbroken() -> None:
    path = f"/models/{'x' * 120}.gguf"
    found = of(path=path).model_copy(update={"matrix": {"provider": "embedded", "n_ctx": 2048}})
    line = f"to serve it: llama-server -m {path} -c 2048"
    assert line in terminal_summary(found, "r.md", width=80).splitlines()
    shown = section(render_markdown(found, []), "Recommendation")
    assert f"  - To serve it: llama-server -m {path} -c 2048" in shown.splitlines()


def session_of(*rows: Any) -> ModelSession:
    return summary(rows).sessions[0]


def test_the_headline_names_the_device() -> None:
    assert measured_on(session_of(row("F16", 16.0, 1.0))) == "the CPU"
    cards = summarize_gpus(WatchedGpus(record_of(load_trace("two_cards"))), 0)  # one is not used
    on_gpu = row("F16", 16.0, 1.0, peak_vram_mib=900.0, gpus=cards)
    assert measured_on(session_of(on_gpu)) == "NVIDIA H100 80GB HBM3"
    headline = terminal_summary(summary([on_gpu]), "r").splitlines()[0]
    assert headline == "orket-nano on NVIDIA H100 80GB HBM3"
    unknown = row("F16", 16.0, 1.0, peak_vram_mib=Null("REMOTE_SERVER"))
    assert measured_on(session_of(unknown)) is None
    assert terminal_summary(summary([unknown]), "r").startswith("orket-nano\n")


def context_sweep(quant: str, ceiling: int | None) -> ContextCeiling:
    fields: dict[str, Any] = {"quant_tag": quant, "safe_context_ceiling": ceiling}
    return ContextCeiling.model_construct(model_id="orket-nano", **fields)


def test_a_context_sweep_of_the_pick_gives_the_context() -> None:
    found = of(path=FILE)
    sweeps = [context_sweep("F16", 8192), context_sweep("Q4_K_M", 1024)]
    (line,) = serving_lines(found.sessions[0], {"provider": "embedded", "n_ctx": 2048}, sweeps)
    assert shlex.split(line)[-2:] == ["-c", "1024"]
    failed = [context_sweep("Q4_K_M", None)]
    (line,) = serving_lines(found.sessions[0], {"provider": "embedded", "n_ctx": 2048}, failed)
    assert shlex.split(line)[-2:] == ["-c", "2048"], "no context passed: as the tasks were asked"


def test_the_settings_of_the_load_are_served_again() -> None:
    variants = {"kv8": {"cache_type_k": "q8_0", "flash_attn": True}}
    (line,) = lines(
        of(path=FILE, variant="kv8"), provider="embedded", n_ctx=4096, variants=variants
    )
    assert shlex.split(line)[5:] == ["--cache-type-k", "q8_0", "--flash-attn", "on"]
    found = offload()
    (line,) = lines(
        of(path=FILE, offload=found), provider="llama_server", n_ctx=4096, gpu_layers="search"
    )
    assert shlex.split(line)[5:] == ["--n-gpu-layers", "22"]
    (line,) = lines(of(path=FILE), provider="embedded", n_ctx=4096, batch_size=64)
    assert shlex.split(line)[5:] == ["--batch-size", "64"]
