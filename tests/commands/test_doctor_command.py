"""`orket doctor` as a person calls it."""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from canned_server import canned_server, ollama, ollama_model
from gguf import GGUFWriter

from orket_lib.cli import main
from orket_lib.vocabulary.providers import PROVIDERS, default_urls

ROOT = Path(__file__).resolve().parents[2]
MINIMAL = """
models: [orket-nano]
quants: [F16, Q4_K_M]
artifact_template: models/{model}/{model}-{quant}.gguf
task_bank: config/task_banks/reference.json
"""
TWO = (ollama_model("x:8b-q4_K_M", "Q4_K_M"), ollama_model("x:8b-q8_0", "Q8_0", 8.0))


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with what a clone holds, on a machine whose usual ports are shut."""
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "models").symlink_to(ROOT / "models")
    monkeypatch.chdir(tmp_path)
    for name in ("XDG_CACHE_HOME", "HF_HOME", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("LLAMA_CACHE", "OLLAMA_MODELS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for provider in default_urls():
        shut = replace(PROVIDERS[provider], default_url="http://127.0.0.1:9")
        monkeypatch.setitem(PROVIDERS, provider, shut)


@pytest.fixture
def hanging() -> Iterator[str]:
    """An address where a connection is taken and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


def looked(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    assert main(["doctor", "--json", *arguments]) == code
    content: dict[str, Any] = json.loads(capsys.readouterr().out)
    return content


def test_with_nothing_running_the_reference_model_is_suggested(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor"]) == 0
    printed = capsys.readouterr()
    assert yaml.safe_load(printed.out)["models"] == ["orket-nano"]
    for words in (
        "ollama        http://127.0.0.1:9  connection refused",
        "llama-quantize",
        "sandbox for code",
        "orket-nano/orket-nano-Q4_K_M.gguf  Q4_K_M  2 MiB  2048     308 MiB  safe",
        "peak_vram_mib",
        "suggestion: the reference model in 7 quants, from files, on the CPU",
    ):
        assert words in printed.err


def test_a_suggestion_is_written_once_and_is_a_config_that_can_be_run(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["doctor", "--suggest", "mine.yaml"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "written to mine.yaml; next: orket plan mine.yaml" in printed.err
    assert main(["plan", "mine.yaml"]) == 0
    assert main(["doctor", "mine.yaml"]) == 0
    assert "this config can be run" in capsys.readouterr().err
    assert main(["doctor", "--suggest", "mine.yaml"]) == 1
    assert "mine.yaml: exists already" in capsys.readouterr().err


def test_an_ollama_with_several_quants_is_suggested(capsys: pytest.CaptureFixture[str]) -> None:
    with canned_server(ollama(*TWO, ollama_model("y:1b", "Q4_0", 1.0))) as server:
        found = looked(capsys, "--server", f"ollama={server.url}")
    (seen,) = [item for item in found["servers"] if item["provider"] == "ollama"]
    assert (seen["build"], len(seen["models"])) == ("0.12.3", 3)
    takes = {model["name"]: model["takes_mib"] for model in seen["models"]}
    # weights + 512 MiB of KV cache at 4096 tokens + 258.5 of compute + 300
    assert takes["x:8b-q4_K_M"] == pytest.approx(4096 + 512 + 258.5 + 300)
    suggestion = yaml.safe_load(found["suggestion"])
    assert list(suggestion["models"]) == ["x:8b", "y:1b"]
    first = suggestion["models"]["x:8b"]
    assert first["tags"] == {"Q8_0": "x:8b-q8_0", "Q4_K_M": "x:8b-q4_K_M"}
    assert first["base_url"] == server.url


def test_ports_that_hang_and_ports_with_something_else_take_two_seconds(
    hanging: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with canned_server({"GET /v1/models": b"<html>my blog</html>"}) as blog:
        servers = [f"--server={name}={hanging}" for name in ("ollama", "lmstudio", "llama_server")]
        began = time.monotonic()
        found = looked(capsys, *servers, f"--server=openai={blog.url}")
        seconds = time.monotonic() - began
    details = {item["provider"]: item["detail"] for item in found["servers"]}
    assert details["ollama"] == details["lmstudio"] == "connected, but no answer"
    assert "not this kind of server" in details["openai"]
    assert yaml.safe_load(found["suggestion"])["provider"] == "embedded"
    assert seconds < 8  # 2 s of patience with all of them at once, on a machine that may be busy


def test_a_server_that_does_not_tell_of_single_models_is_still_listed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with canned_server({**ollama(*TWO), "POST /api/show": "hang"}) as server:
        found = looked(capsys, "--server", f"ollama={server.url}")
    models = next(item for item in found["servers"] if item["provider"] == "ollama")["models"]
    assert [(model["name"], model["at_least"]) for model in models] == [
        ("x:8b-q4_K_M", True),
        ("x:8b-q8_0", True),
    ]


def test_a_config_is_checked_and_what_it_lacks_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text(MINIMAL, encoding="utf-8")
    found = looked(capsys, "mine.yaml")
    assert found["suggestion"] is None
    assert all(check["ok"] for check in found["checks"])

    tags = ["provider=ollama", "tag_template=x:8b-{quant}", "base_url=http://127.0.0.1:9"]
    overrides = [f"--config={pair}" for pair in tags]
    found = looked(capsys, "mine.yaml", *overrides, code=3)
    (bad,) = [check for check in found["checks"] if not check["ok"]]
    assert (bad["detail"], bad["remedy"]) == ("connection refused", "ollama serve")
    assert main(["doctor", "mine.yaml", *overrides]) == 3
    said = capsys.readouterr().err
    assert "  FAIL  ollama at http://127.0.0.1:9: connection refused\n        ollama serve" in said
    assert said.endswith("this config can't be run\n")


def test_settings_may_follow_one_config_option_or_several(
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = ("--config", "seed=many", "threads=few", "--config", "n_ctx=1")
    found = looked(capsys, *options, code=3)
    said = "\n".join(check["detail"] for check in found["checks"])
    assert 'seed, threads: must be a whole number >= 0 or null (got "many", "few")' in said
    assert "n_ctx: must be a whole number >= 256" in said


def test_a_config_with_mistakes_cannot_be_run_and_all_of_them_are_told(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("mine.yaml").write_text(f"{MINIMAL}seed: many\nquants: [Q5_0]\n", encoding="utf-8")
    found = looked(capsys, "mine.yaml", code=3)
    said = "".join(check["detail"] for check in found["checks"])
    assert "seed: must be a whole number" in said
    assert "duplicate key: quants" in said


def test_settings_that_do_nothing_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    Path("mine.yaml").write_text(f"{MINIMAL}exclusive: true\n", encoding="utf-8")
    found = looked(capsys, "mine.yaml")
    assert any(
        check["warning"] and check["detail"].startswith("exclusive: no effect")
        for check in found["checks"]
    )


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--server", "olama=http://127.0.0.1:1"], 2, "`olama` is not one of ollama, lmstudio"),
        (["--server", "ollama=ftp://localhost"], 2, "must begin with http:// or https://"),
        (["--server", "ollama=http://127.0.0.1:abc"], 2, "must be an address such as http://"),
        (["--server", "ollama=http://me:pw@localhost"], 2, "must not hold a user or password"),
        (["--server", "ollama=http://10.0.0.7:1"], 1, "needs --allow-remote"),
        (["x.yaml", "--suggest", "y.yaml"], 1, "not allowed together with a config"),
    ],
)
def test_wrong_usage_is_told(
    arguments: list[str], code: int, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        assert main(["doctor", *arguments]) == code
    except SystemExit as exit_:
        assert exit_.code == code
    assert message in capsys.readouterr().err


def test_something_else_that_lists_no_models_is_no_reason_to_fail(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with canned_server({"GET /props": {}, "GET /v1/models": {"data": 7}}) as server:
        found = looked(capsys, "--server", f"llama_server={server.url}")
    (seen,) = [item for item in found["servers"] if item["provider"] == "llama_server"]
    assert seen["models"] == []


def written(path: Path, facts: dict[str, str | int]) -> None:
    """Write a GGUF file of one tensor, with more facts in its header."""
    writer = GGUFWriter(path, "bert")
    for key, value in facts.items():
        if isinstance(value, str):
            writer.add_string(key, value)
        else:
            writer.add_uint32(key, value)
    writer.add_file_type(1)
    writer.add_tensor("a", np.zeros((32, 32), dtype=np.float16))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


@pytest.mark.skipif(os.name == "nt", reason="a named pipe")
def test_what_answers_nothing_is_not_suggested(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "models").unlink()
    (tmp_path / "models").mkdir()
    os.mkfifo(tmp_path / "models" / "pipe.gguf")
    nano = ROOT / "models" / "orket-nano" / "orket-nano-Q4_K_M.gguf"
    (tmp_path / "models" / "real-Q4_K_M.gguf").write_bytes(nano.read_bytes())
    for quant in ("F16", "F32"):
        written(tmp_path / "models" / f"lora-{quant}.gguf", {"general.type": "adapter"})
        written(tmp_path / "models" / f"embed-{quant}.gguf", {"bert.pooling_type": 2})
    found = looked(capsys)
    mine = [it for it in found["files"] if not it["name"].startswith("models/orket-nano/")]
    assert {item["name"]: item["chats"] for item in mine} == {
        "models/embed-F16.gguf": False,
        "models/embed-F32.gguf": False,
        "models/real-Q4_K_M.gguf": True,
    }
    assert yaml.safe_load(found["suggestion"])["models"] == ["real"]


def test_names_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    evil = ollama_model("x:\x1b[31m8b", "Q4_0")
    with canned_server(ollama(evil)) as server:
        assert main(["doctor", "--server", f"ollama={server.url}"]) == 0
    printed = capsys.readouterr()
    assert "\x1b" not in printed.err + printed.out


def test_a_folder_without_anything_to_serve_has_no_suggestion(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    assert main(["doctor", "empty"]) == 3
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "nothing to suggest: no server that tells its models' quants" in printed.err


def test_the_models_of_a_folder_are_suggested_and_no_others(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    mine = tmp_path / "my folder"
    mine.mkdir()
    nano = ROOT / "models" / "orket-nano" / "orket-nano-Q4_K_M.gguf"
    (mine / "x-Q4_K_M.gguf").symlink_to(nano)
    with canned_server(ollama(*TWO)) as server:
        found = looked(capsys, "my folder", "--server", f"ollama={server.url}")
        alone = looked(capsys, "my folder/x-Q4_K_M.gguf")
    assert [item["name"] for item in found["files"]] == ["my folder/x-Q4_K_M.gguf"]
    assert found["files"] == [alone["files"][0] | {"place": "my folder"}]
    suggestion = yaml.safe_load(found["suggestion"])
    assert suggestion["artifacts"] == {"x": {"Q4_K_M": "my folder/x-Q4_K_M.gguf"}}


def test_a_file_that_there_is_not_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "none.gguf"]) == 1
    assert "none.gguf: no such file" in capsys.readouterr().err
