"""The command line of a server that we start: what is asked of builds that know more or less."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import spec

from orket_lib.artifacts.measurements.spec import ControlSettings, MeasurementSpec
from orket_lib.providers.llama_cpp import binary as llama_binary
from orket_lib.providers.llama_cpp.binary import find_binary
from orket_lib.providers.llama_cpp.command_line import command_line, environment
from orket_lib.vocabulary.errors import LoadError

OLD = "usage: server [options]\n  -m FNAME, --model FNAME   path\n  --metrics  enable\n  --slots\n"
NEW = (
    OLD + "  --jinja, --no-jinja   use\n  -cram, --cache-ram N   cache\n  --ui, --webui, --no-ui, "
)
NEW += "--no-webui\n  --context-shift, --no-context-shift  whether\n"
MODEL = Path("models/nano.gguf")


def program(folder: Path, text: str, status: int = 0) -> str:
    """Return a program that prints a help text."""
    path = folder / "llama-server"
    path.write_text(
        f"#!{sys.executable}\nimport sys\nprint({text!r})\nsys.exit({status})\n", encoding="utf-8"
    )
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def command(folder: Path, text: str = NEW, **changes: Any) -> list[str]:
    wanted: MeasurementSpec = spec(**changes)
    return command_line(program(folder, text), wanted, MODEL, 4321)


def value(words: list[str], flag: str) -> str:
    (at,) = [index for index, word in enumerate(words) if word == flag]
    return words[at + 1]


pytestmark = pytest.mark.skipif(os.name == "nt", reason="the programs here are scripts")


def test_what_a_measurement_needs_is_asked_of_every_build(tmp_path: Path) -> None:
    controls = ControlSettings(threads=3)
    words = command(tmp_path, OLD, n_ctx=4096, controls=controls)
    assert words[0] == str(tmp_path / "llama-server")
    assert value(words, "--model") == str(MODEL)
    assert (value(words, "--host"), value(words, "--port")) == ("127.0.0.1", "4321")
    assert value(words, "--ctx-size") == "4096"
    assert value(words, "--parallel") == "1"
    assert (value(words, "--threads"), value(words, "--threads-batch")) == ("3", "3")
    assert {"--metrics", "--slots"} <= set(words)


def test_the_models_own_context_is_asked_for_where_none_is_named(tmp_path: Path) -> None:
    assert value(command(tmp_path, n_ctx=None), "--ctx-size") == "0"


def test_a_full_machine_does_not_get_less_context_than_the_models_own(tmp_path: Path) -> None:
    fits = "  --fit [on|off]   whether to adjust unset arguments to fit in device memory"
    assert value(command(tmp_path, fits, n_ctx=None), "--fit") == "off"
    assert "--fit" not in command(tmp_path, fits, n_ctx=4096), "it leaves what is asked for alone"
    (tmp_path / "old").mkdir()
    assert "--fit" not in command(tmp_path / "old", n_ctx=None), "an older build has none"


def test_a_build_is_asked_for_what_its_help_names_and_for_nothing_else(tmp_path: Path) -> None:
    optional = {"--jinja", "--cache-ram", "--no-webui", "--no-context-shift"}
    (tmp_path / "old").mkdir()
    assert not optional & set(command(tmp_path / "old", OLD))
    new = command(tmp_path, NEW)
    assert optional <= set(new)
    assert value(new, "--cache-ram") == "0"


def test_the_users_arguments_come_last_and_as_they_are(tmp_path: Path) -> None:
    arguments = ("-ngl", "99", "--override-tensor", "a b=CPU")
    assert tuple(command(tmp_path, server_args=arguments)[-4:]) == arguments


@pytest.mark.parametrize(
    ("status", "says"), [(127, "libcuda.so.1: cannot open shared object"), (1, "")]
)
def test_a_program_that_does_not_run_says_why(tmp_path: Path, status: int, says: str) -> None:
    broken = program(tmp_path, f"loading\n{says}" if says else "", status)
    with pytest.raises(LoadError) as caught:
        command_line(broken, spec(), MODEL, 1)
    assert f"exit status {status}" in str(caught.value)
    assert (says or "no output") in str(caught.value)


def test_a_program_that_hangs_is_not_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(llama_binary, "_HELP_TIMEOUT_S", 0.2)
    path = tmp_path / "llama-server"
    path.write_text("#!/bin/sh\nexec sleep 60\n", encoding="utf-8")
    path.chmod(0o755)
    with pytest.raises(LoadError, match=r"--help: no answer in 0\.2 s"):
        command_line(str(path), spec(), MODEL, 1)


def test_the_binary_is_looked_up_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = program(tmp_path, NEW)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_binary("llama-server") == path
    assert find_binary(path) == path
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_binary("~/llama-server") == path


@pytest.mark.parametrize("name", ["no-such-server", "folder/no-such-server"])
def test_a_binary_that_is_not_there_is_named(name: str) -> None:
    with pytest.raises(LoadError, match=f"server_binary: there is no program {name}"):
        find_binary(name)


def test_a_file_that_is_no_program_is_not_one(tmp_path: Path) -> None:
    path = tmp_path / "llama-server"
    path.write_text("text", encoding="utf-8")
    with pytest.raises(LoadError, match="there is no program"):
        find_binary(str(path))


def test_the_key_is_in_the_environment_and_settings_of_our_own_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LLAMA_ARG_CTX_SIZE", "99")
    monkeypatch.setenv("LLAMA_API_KEY", "the user's own")
    monkeypatch.setenv("LD_LIBRARY_PATH", "/opt/lib")
    found = environment(spec(), "secret")
    assert found["LLAMA_API_KEY"] == "secret"
    assert "LLAMA_ARG_CTX_SIZE" not in found
    assert found["LD_LIBRARY_PATH"] == "/opt/lib"


@pytest.mark.parametrize(
    ("devices", "visible"), [(("1",), "1"), (("GPU-1a2b", "GPU-3c4d"), "GPU-1a2b,GPU-3c4d")]
)
def test_the_gpus_are_those_of_the_spec(devices: tuple[str, ...], visible: str) -> None:
    found = environment(spec(gpu_devices=devices), "secret")
    assert found["CUDA_VISIBLE_DEVICES"] == found["HIP_VISIBLE_DEVICES"] == visible
    assert found["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_all_gpus_are_visible_where_none_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3")
    assert environment(spec(), "secret")["CUDA_VISIBLE_DEVICES"] == "3"


def test_settings_of_the_load_are_arguments_and_the_log_tells_them(tmp_path: Path) -> None:
    words = command(tmp_path, cache_type_k="q8_0", flash_attn="on", gpu_layers=0)
    assert value(words, "--cache-type-k") == "q8_0"
    assert (value(words, "--flash-attn"), value(words, "--n-gpu-layers")) == ("on", "0")
    assert not {"--cache-type-v", "--batch-size", "--log-verbosity"} & set(words)
    newest = tmp_path / "newest"
    newest.mkdir()
    assert value(command(newest, f"{NEW}\n   - 4: trace (more info)\n"), "--log-verbosity") == "4"
