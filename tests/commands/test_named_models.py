"""What can be named in `orket sweep` and `orket init`, on a machine with nothing but that."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from canned_server import canned_server, ollama, ollama_model
from gguf import GGUFWriter
from nvml_replay import load_trace, nvml_of

from orket_lib.cli import main
from orket_lib.doctor import search
from orket_lib.preflight.memory import FreeMemory
from orket_lib.vocabulary.providers import PROVIDERS, default_urls

NANO = Path(__file__).resolve().parents[2] / "models" / "orket-nano"
SCRIPT = pytest.mark.skipif(os.name == "nt", reason="the program here is a script")
NOT_THERE = {"error": "Unexpected endpoint or method."}  # under HTTP 200
LM_STUDIO = {
    "GET /api/v1/models": NOT_THERE,
    "GET /api/v0/models": {
        "data": [
            {"id": f"qwen3-8b@{quant}", "quantization": quant.upper(), "type": "llm"}
            for quant in ("q8_0", "q4_k_m")
        ]
    },
    **{f"GET {path}": NOT_THERE for path in ("/api/version", "/api/tags", "/api/ps", "/props")},
}
LLAMA_SERVER = {
    "GET /props": {
        "default_generation_settings": {"n_ctx": 8192},
        "total_slots": 1,
        "model_path": "/models/x.gguf",
        "model_ftype": "Q4_K - Medium",
    },
    "GET /v1/models": {"data": [{"id": "x.gguf", "meta": {"n_params": 8, "size": 4912898304}}]},
}
VLLM = {"GET /v1/models": {"data": [{"id": "Qwen/Qwen3-8B", "max_model_len": 32768}]}}


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder, on a machine whose usual ports are shut and whose PATH is empty."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    for provider in default_urls():
        shut = replace(PROVIDERS[provider], default_url="http://127.0.0.1:9")
        monkeypatch.setitem(PROVIDERS, provider, shut)
    return tmp_path


def put(folder: str, *names: str) -> None:
    """Put files of the reference model, named by their quant, into a folder."""
    Path(folder).mkdir(exist_ok=True)
    for name in names:
        quant = name.rpartition("-")[2]
        source = NANO / f"orket-nano-{quant}.gguf"
        Path(folder, f"{name}.gguf").write_bytes(source.read_bytes())


def init(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[dict[str, Any], str]:
    """Return the config that is written, and what was said."""
    code = main(["init", *words])
    printed = capsys.readouterr()
    assert code == 0, printed.err
    return yaml.safe_load(Path(printed.out.strip()).read_text(encoding="utf-8")), printed.err


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """Return why nothing is written."""
    before = set(Path().glob("*.yaml"))
    assert main(["init", *words]) in (1, 3)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert set(Path().glob("*.yaml")) == before
    return printed.err


def special(path: str, **facts: str | int) -> None:
    """Write a GGUF file that is no chat model."""
    writer = GGUFWriter(path, str(facts.pop("architecture", "bert")))
    for key, value in facts.items():
        name = key.replace("__", ".")
        writer.add_string(name, value) if isinstance(value, str) else writer.add_uint32(name, value)
    writer.add_file_type(1)
    writer.add_tensor("a", np.zeros((32, 32), dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_a_folder_is_its_model_with_most_quants_and_the_rest_has_reasons(
    capsys: pytest.CaptureFixture[str],
) -> None:
    put("my models", "mine-Q8_0", "mine-Q4_K_M", "other-Q6_K")
    special("my models/mmproj-mine-F16.gguf", architecture="clip")
    special("my models/embed-F16.gguf", bert__pooling_type=2)
    config, said = init(capsys, "my models")
    assert config["artifacts"] == {
        "mine": {"Q8_0": "my models/mine-Q8_0.gguf", "Q4_K_M": "my models/mine-Q4_K_M.gguf"}
    }
    assert (config["provider"], config["quants"]) == ("embedded", ["Q8_0", "Q4_K_M"])
    assert (config["runs_per_quant"], config["task_bank"][-12:]) == (1, "general.json")
    for line in (
        "mine in 2 quants, from files, on the CPU",
        "left out: my models/embed-F16.gguf: an embedding model or a reranker, which doesn't chat",
        "left out: my models/mmproj-mine-F16.gguf: it is the vision part of a model (mmproj)",
        "left out: other: another model, in one quant; name it to sweep it",
        "mine.yaml: written",
        "to measure it, type: orket sweep mine.yaml",
    ):
        assert line in said.splitlines()


def test_settings_are_written_too_and_one_file_may_stand_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    put("a", "m-Q8_0", "m-Q4_K_M")
    more = ("--quick", "--config", "n_ctx=512", "seed=null", "sweep=x")
    config, said = init(capsys, "a/m-Q4_K_M.gguf", *more)
    assert (config["quants"], config["n_ctx"], config["quick"]) == (["Q4_K_M"], 512, True)
    assert config["seed"] is None
    assert "sweep" not in config
    assert "m in one quant, which has nothing to be compared with" in said
    assert "seed: must be" in refused(capsys, "a", "--config", "seed=many")


def test_two_models_share_a_sweep_each_with_its_own_quants(
    capsys: pytest.CaptureFixture[str],
) -> None:
    put("a", "one-Q8_0", "one-Q4_K_M")
    put("b", "two-Q4_K_M", "two-Q2_K")
    config, said = init(capsys, "a", "b")
    served = {"provider": "embedded", "threads": 1}
    assert config["models"] == {
        "one": {**served, "artifacts": {q: f"a/one-{q}.gguf" for q in ("Q8_0", "Q4_K_M")}},
        "two": {**served, "artifacts": {q: f"b/two-{q}.gguf" for q in ("Q4_K_M", "Q2_K")}},
    }
    assert "one and two in 2 quants, from files" in said
    assert "one-two.yaml: exists already, and is kept" in init(capsys, "a", "b")[1]


def test_a_model_of_ollama_is_all_its_tags_and_a_server_is_asked_what_it_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = (
        ollama_model("x:8b", "Q4_K_M"),
        ollama_model("x:8b-q8_0", "Q8_0"),
        ollama_model("y:1b", "Q4_0"),
    )
    with canned_server(ollama(*tags)) as server:
        config, _ = init(capsys, server.url)
        assert config["tags"] == {"x:8b": {"Q8_0": "x:8b-q8_0", "Q4_K_M": "x:8b"}}
        assert (config["provider"], config["base_url"]) == ("ollama", server.url)
        found = replace(PROVIDERS["ollama"], default_url=server.url)
        monkeypatch.setitem(PROVIDERS, "ollama", found)
        for name in ("ollama:x:8b-q8_0", "ollama:x", "ollama:X:8B"):
            config, said = init(capsys, name)
            assert config["models"] == ["x:8b"]
            assert "left out: y:1b: another model, in one quant" in said
        assert init(capsys, "ollama:y")[0]["tags"] == {"y:1b": {"Q4_0": "y:1b"}}
        assert "ollama:gone: no such model there; to see what is here, type: orket doctor" in (
            refused(capsys, "ollama:gone")
        )
        put("a", "one-Q8_0")
        config, _ = init(capsys, "ollama:x", "a")
        assert [own["provider"] for own in config["models"].values()] == ["ollama", "embedded"]
        # With nothing named, it is all that is here.
        config, said = init(capsys)
        assert list(config["models"]) == ["x:8b", "y:1b"]


@pytest.mark.parametrize(
    ("answers", "provider", "quants"),
    [(LM_STUDIO, "lmstudio", ["Q8_0", "Q4_K_M"]), (LLAMA_SERVER, "llama_server", ["Q4_K_M"])],
)
def test_the_kind_of_a_server_is_found_out(
    answers: dict[str, Any], provider: str, quants: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with canned_server(answers) as server:
        config, _ = init(capsys, f"{server.url}/v1/")
        assert (config["provider"], config["base_url"]) == (provider, server.url)
        assert config["quants"] == quants
        if provider == "lmstudio":
            named = init(capsys, "lmstudio:qwen3-8b", "--config", f"base_url={server.url}")[0]
            assert named["tags"] == config["tags"]


def test_a_quant_that_a_server_does_not_tell_can_be_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with canned_server(VLLM) as server:
        said = refused(capsys, server.url)
        assert "its quant is unknown; if you know it, add --config quants=[TAG]" in said
        config, _ = init(capsys, server.url, "--config", "quants=[BF16]")
    assert config["tags"] == {"Qwen/Qwen3-8B": {"BF16": "Qwen/Qwen3-8B"}}
    assert (config["provider"], config["base_url"]) == ("openai", server.url)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone"], "gone: no such file or folder; allowed: GGUF files, folders of them, ollama:M"),
        (["emtpy"], "emtpy: no such file or folder; did you mean `empty`?"),
        (["gone.gguf"], "gone.gguf: no such file; `orket doctor` lists the models here"),
        (["empty"], "empty: no model in it that can be measured here; to see what is here, type"),
        (["ollama:x"], "connection refused; to start it, type: ollama serve"),
        (["lmstudio:x"], "connection refused; to start it, type: lms server start"),
        (["http://127.0.0.1:9"], "http://127.0.0.1:9: connection refused; start the server"),
        (["http://127.0.0.1:abc"], "must be an address such as http://127.0.0.1:8080"),
        (["http://10.0.0.7:1"], "another machine; to allow it, add --config allow_remote=true"),
        (["empty", "--server", "gone"], "--server gone: no such program; name the file"),
        ([], "no model was found that can be measured here; type: orket doctor"),
    ],
    ids=str,
)
def test_what_is_missing_is_said_with_what_to_type(
    words: list[str],
    message: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("empty").mkdir()
    monkeypatch.setattr(search, "usual_places", lambda environment: ())
    assert message in refused(capsys, *words)


def test_a_config_is_nothing_to_write_one_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", "mine.yaml"]) == 1
    assert "mine.yaml: is a config already" in capsys.readouterr().err


def test_a_port_that_another_program_uses_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    with canned_server({"GET /": b"<html>my blog</html>"}) as blog:
        said = refused(capsys, blog.url)
    assert "something answers there, and no server of a kind that is known (ollama, lms" in said
    with socket.create_server(("127.0.0.1", 0)) as silent:
        said = refused(capsys, f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert "connected, but no answer; start the server" in said


def test_a_model_that_is_too_large_is_left_out_with_its_size(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    put("a", "m-F16", "m-Q2_K")
    little = FreeMemory("main memory", 310.0, on_gpu=False)
    monkeypatch.setattr("orket_lib.doctor.file_serving.free_main_memory", lambda: little)
    said = refused(capsys, "a")
    assert "m-F16.gguf: too large: it takes about 0.3 GiB, more than is free" in said
    assert "a smaller context: --config n_ctx=2048" in said


LISTED = """#!/bin/sh
case $1 in
--list-devices) echo 'Available devices:'; {devices} ;;
*) echo 'usage: --model' ;;
esac
"""


def llama_server(path: Path, devices: str = "") -> Path:
    """Make a program that lists its GPUs."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(LISTED.replace("{devices}", devices or ":"), encoding="utf-8")
    path.chmod(0o755)
    return path


CARD = "echo '  CUDA0: NVIDIA H100 (81920 MiB, 71680 MiB free)'"


@SCRIPT
def test_on_a_machine_with_a_gpu_the_cpu_has_to_be_asked_for(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put("a", "m-Q8_0", "m-Q4_K_M")
    with nvml_of(load_trace("two_cards")):
        said = refused(capsys, "a")
        for words in (
            "this would run on the CPU only: NVIDIA H100",
            "-DGGML_CUDA=ON",
            "orket sweep a --server llama.cpp/build/bin/llama-server",
            "lms import --symbolic-link a/m-Q8_0.gguf",
            "ollama create m:Q8_0 -f Modelfile",
            "on the CPU all the same: orket sweep a --cpu",
        ):
            assert words in said
        assert main(["doctor", "a"]) == 3
        assert "nothing to suggest: this would run on the CPU only" in capsys.readouterr().err
        assert init(capsys, "a", "--cpu")[0]["provider"] == "embedded"
        Path("m.yaml").unlink()

        blind = llama_server(machine / "bin" / "llama-server")
        assert "this would run on the CPU only" in refused(capsys, "a")
        assert "CPU only" in refused(capsys, "a", "--server", str(blind))
        config, said = init(capsys, "a", "--server", str(blind), "--cpu")
        assert (config["server_binary"], config["server_args"]) == (str(blind), ["-ngl", "0"])
        Path("m.yaml").unlink()

        llama_server(machine / "bin" / "llama-server", CARD)
        config, said = init(capsys, "a")
        assert config["provider"] == "llama_server"
        assert (config["server_binary"], config["server_args"]) == ("llama-server", ["-ngl", "99"])
        assert "from files, by llama-server on NVIDIA H100" in said


@SCRIPT
def test_a_server_that_does_not_run_is_said(
    machine: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    put("a", "m-Q8_0")
    broken = machine / "broken"
    broken.write_text("#!/bin/sh\necho 'libcuda.so.1: cannot open'; exit 127\n", encoding="utf-8")
    broken.chmod(0o755)
    said = refused(capsys, "a", "--server", str(broken))
    assert "doesn't run" in said
    assert "libcuda.so.1: cannot open" in said
