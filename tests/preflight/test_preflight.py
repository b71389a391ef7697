"""Everything that a sweep needs is looked at, and all that is missing is reported together."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy
import psutil
import pytest
from canned_server import Answers, CannedServer, canned_server, ollama, ollama_model
from gpu_builders import gauges, gpu

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.artifacts.measurements.spec import WITH_WALLS
from orket_lib.artifacts.views.preflight import NeededModel, Needs, PreflightCheck
from orket_lib.preflight import checks as preflight
from orket_lib.preflight import memory as preflight_memory
from orket_lib.preflight.checks import check_all
from orket_lib.preflight.memory import (
    FreeMemory,
    ModelSize,
    free_gpu_memory,
    free_memory_for,
    memory_checks,
)
from orket_lib.providers.gguf.memory_estimate import ModelShape
from orket_lib.providers.llama_cpp.binary import build_of, listed_devices
from orket_lib.sandbox.detect import Unavailable, find_sandbox
from orket_lib.telemetry.devices.opening import Devices
from orket_lib.vocabulary.statuses import VramGuard, VramProfile

NANO = Path(__file__).parents[2] / "models" / "orket-nano"
MIB = 1024**2
SHAPE = ModelShape(32768, 32768, width=4096, vocabulary=128256, n_ctx=8192, upper_bound=False)


def file_of(quant: str) -> str:
    return (NANO / f"orket-nano-{quant}.gguf").as_posix()


def cell(quant: str = "Q4_K_M", **named: str) -> NeededModel:
    return NeededModel(model_id="m", quant_tag=quant, **named)


def embedded(*models: NeededModel, **changes: Any) -> Needs:
    return Needs(provider="embedded", models=models, cpu_only=True, **changes)


def failed(checks: tuple[PreflightCheck, ...]) -> dict[str, str]:
    return {check.name: check.detail for check in checks if not check.ok}


def remedies(checks: tuple[PreflightCheck, ...]) -> list[str]:
    return [check.remedy for check in checks if check.remedy and not check.ok]


def warnings(checks: tuple[PreflightCheck, ...]) -> dict[str, str]:
    return {check.name: check.detail for check in checks if check.warning}


@pytest.fixture
def plenty(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with more memory than anything here asks for."""
    monkeypatch.setattr(
        preflight_memory, "free_memory_for", lambda _: FreeMemory("main memory", 1e6, False)
    )


def test_whole_files_pass_and_say_what_they_are(tmp_path: Path) -> None:
    checks = check_all(embedded(cell(file=file_of("Q4_K_M"))), tmp_path)
    assert failed(checks) == {}
    assert warnings(checks) == {}
    (file,) = [check for check in checks if check.name.endswith(".gguf")]
    assert file.detail == "Q4_K_M, 2.0 MiB, 4.91 bits per weight"
    (memory,) = [check for check in checks if check.name == "memory"]
    assert "orket-nano-Q4_K_M.gguf takes most: about 3" in memory.detail
    assert "free in main memory (vram_profile safe)" in memory.detail


def test_all_that_is_missing_is_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(Path(file_of("Q2_K")).read_bytes()[:-5000])
    (tmp_path / "text.gguf").write_bytes(b"GGUF is what this is not")
    names = [(tmp_path / name).as_posix() for name in ("gone.gguf", "cut.gguf", "text.gguf")]
    found = failed(check_all(embedded(*(cell(file=name) for name in names)), tmp_path))
    assert set(found) == set(names)
    assert "No such file" in found[names[0]]
    assert "it is truncated: 1308984 of 1313984 bytes" in found[names[1]]
    assert "damaged" in found[names[2]]


def test_one_bad_file_costs_its_own_cells_and_no_others(tmp_path: Path) -> None:
    (tmp_path / "cut.gguf").write_bytes(Path(file_of("Q2_K")).read_bytes()[:-5000])
    (tmp_path / "page.gguf").write_bytes(b"<!doctype html>")
    bad = [(tmp_path / name).as_posix() for name in ("cut.gguf", "page.gguf")]
    files = [*bad, file_of("Q4_K_M")]
    checks = check_all(embedded(*(cell(file=name) for name in files)), tmp_path)
    assert failed(checks) == {}
    told = warnings(checks)
    assert set(told) == set(bad)
    assert all("its own rows fail, the others are measured" in told[name] for name in bad)
    remedies = {check.name: check.remedy for check in checks}
    assert remedies[bad[0]] == "download it again"
    # A file that is not there is a mistake in the config, which stops everything.
    gone = (tmp_path / "gone.gguf").as_posix()
    needs = embedded(*(cell(file=name) for name in (gone, file_of("Q4_K_M"))))
    assert set(failed(check_all(needs, tmp_path))) == {gone}


def test_a_file_of_another_quant_is_told_before_hours_are_spent_on_it(tmp_path: Path) -> None:
    checks = check_all(embedded(cell("Q8_0", file=file_of("Q4_K_M"))), tmp_path)
    assert failed(checks) == {}
    assert warnings(checks) == {
        file_of("Q4_K_M"): "its header says Q4_K_M, asked for Q8_0: invalid rows"
    }


def test_a_file_that_serves_two_cells_is_looked_at_once(tmp_path: Path) -> None:
    one = file_of("Q8_0")
    checks = check_all(embedded(cell("Q8_0", file=one), cell("Q8_0", file=one)), tmp_path)
    assert [check.name for check in checks].count(one) == 1


def test_without_the_runtime_its_line_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orket_lib.preflight.checks.find_spec", lambda _: None)
    checks = check_all(embedded(cell(file=file_of("Q8_0"))), tmp_path)
    assert failed(checks) == {"embedded llama.cpp": "not installed"}
    assert remedies(checks) == ["pip install xllamacpp"]


# --- programs ---


def program(folder: Path, name: str, *lines: str) -> str:
    """Write a program that prints lines, in the tongue that every system with Python speaks."""
    path = folder / name
    path.write_text(f"#!{sys.executable}\n" + "\n".join(lines), encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def started(binary: str, **changes: Any) -> Needs:
    values: dict[str, Any] = {
        "provider": "llama_server",
        "programs": {"server_binary": binary},
        "models": (cell(file=file_of("Q4_K_M")),),
    }
    return Needs(**(values | changes))


def test_a_program_is_looked_up_and_the_way_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    checks = check_all(started("llama-server"), tmp_path)
    assert failed(checks) == {
        "llama-server": f"no such program, looked for in PATH: {tmp_path}",
    }
    assert remedies(checks) == ["set server_binary to its path"]
    program(tmp_path, "llama-server", "raise SystemExit(1)")
    checks = check_all(started("llama-server"), tmp_path)
    assert failed(checks) == {}
    assert str(tmp_path / "llama-server") in [check.detail for check in checks]


def test_a_file_that_cannot_be_run_is_no_program(tmp_path: Path) -> None:
    path = tmp_path / "llama-server"
    path.write_text("text", encoding="utf-8")
    assert failed(check_all(started(str(path)), tmp_path)) == {
        str(path): f"no such program, looked for at {path}"
    }


LISTED = """print('''Available devices:
  CUDA0: NVIDIA GeForce RTX 4090 (24080 MiB, 23512 MiB free)
  ROCm1: AMD Radeon (TM) Pro: W7900 (46064 MiB, 45000 MiB free)''')"""


@pytest.mark.skipif(os.name == "nt", reason="the program here is a script")
def test_the_room_is_that_of_the_build_that_will_serve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    program(tmp_path, "server", LISTED)
    room = free_memory_for(started("~/server"))
    assert (room.on_gpu, room.free_mib) == (True, 23512.0 + 45000.0)


def test_a_build_tells_its_gpus_and_a_build_without_any_has_none(tmp_path: Path) -> None:
    two = listed_devices(program(tmp_path, "two", LISTED))
    assert two is not None
    assert [(d.name, d.description, d.free_mib) for d in two] == [
        ("CUDA0", "NVIDIA GeForce RTX 4090", 23512.0),
        ("ROCm1", "AMD Radeon (TM) Pro: W7900", 45000.0),
    ]
    on_windows = program(tmp_path, "crlf", LISTED.replace("free)", "free)\\r"))
    assert listed_devices(on_windows) == two
    blas = "print('Available devices:\\n  BLAS: OpenBLAS (0 MiB, 0 MiB free)')"
    assert listed_devices(program(tmp_path, "blas", blas)) == ()
    assert listed_devices(program(tmp_path, "none", "print('Available devices:')")) == ()
    assert listed_devices(program(tmp_path, "old", "raise SystemExit('error: invalid')")) is None
    assert listed_devices(str(tmp_path / "gone")) is None


def test_a_build_tells_its_version(tmp_path: Path) -> None:
    said = "import sys; print('version: 6200 (0fd90db5)', file=sys.stderr)"
    assert build_of(program(tmp_path, "one", said)) == "6200 (0fd90db5)"
    assert build_of(program(tmp_path, "two", "print('hello')")) is None


def test_models_are_held_against_the_gpus_that_the_build_can_use(tmp_path: Path) -> None:
    (found,) = memory_checks(started(program(tmp_path, "two", LISTED)), [model(1000)])
    assert "50% of 68512 MiB free in NVIDIA GeForce RTX 4090 + AMD Radeon" in found.detail
    (found,) = memory_checks(
        started(program(tmp_path, "none", "print('Available devices:')")), [model(1000)]
    )
    assert "free in main memory" in found.detail


# --- memory ---


def model(mib: int, name: str = "m.gguf") -> ModelSize:
    return ModelSize(name, mib * MIB, SHAPE)


@pytest.mark.parametrize(
    ("profile", "fits"),
    [(VramProfile.SAFE, False), (VramProfile.BALANCED, True), (VramProfile.STRESS, True)],
)
def test_the_profile_says_what_share_of_the_free_memory_may_be_taken(
    profile: VramProfile, fits: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # 4000 + 1024 (KV cache) + 258.5 (compute) + 300 (runtime) = 5582.5 MiB
    monkeypatch.setattr(
        preflight_memory, "free_memory_for", lambda _: FreeMemory("GPU", 8000, True)
    )
    needs = started("x", vram_profile=profile, n_ctx=8192)
    (check,) = memory_checks(needs, [model(4000), model(100, "small.gguf")])
    assert check.ok
    assert check.warning is not fits
    assert ("m.gguf takes most" in check.detail) is fits
    assert "about 5582 MiB (weights 4000 + KV cache 1024 + compute 258 + runtime 300)" in (
        check.detail
    )
    assert (check.remedy == "--config vram_profile=balanced") is not fits


def test_the_guard_refuses_where_the_config_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        preflight_memory, "free_memory_for", lambda _: FreeMemory("GPU", 4000, True)
    )
    needs = started("x", vram_guard=VramGuard.REFUSE)
    one, two = memory_checks(needs, [model(4000), model(100), model(8000, "large.gguf")])
    assert (one.ok, two.ok) == (False, False)
    assert two.detail.startswith("large.gguf takes about")
    assert "may put the rest into main memory" in two.detail
    assert two.remedy == "a smaller quant or n_ctx"


def test_the_servers_of_others_are_not_guessed_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preflight_memory, "free_memory_for", lambda _: pytest.fail("it looked"))
    far = ServerLocation(base_url="http://10.0.0.7:11434")
    near = ServerLocation(base_url="http://127.0.0.1:8000")
    (remote,) = memory_checks(Needs(provider="ollama", place=far), [model(1)])
    (loaded,) = memory_checks(Needs(provider="openai", place=near), [model(1)])
    (silent,) = memory_checks(Needs(provider="lmstudio", place=near), [])
    assert remote.detail == "not checked: 10.0.0.7 is another machine"
    assert "has already loaded its model" in loaded.detail
    assert "sizes of the models are unknown" in silent.detail
    assert all(check.ok and not check.warning for check in (remote, loaded, silent))


# Two GPUs and one that shares the main memory.
GPUS = Devices(
    (
        gpu(0, [gauges(memory_free_mib=6000.0)], name="one"),
        gpu(1, [gauges(memory_free_mib=15000.0)], name="two"),
        gpu(2, name="three"),
    )
)


@pytest.mark.parametrize(
    ("chosen", "name", "free"),
    [
        (None, "one + two", 21000.0),
        (("1",), "two", 15000.0),
        (("GPU-0",), "one", 6000.0),
        (("2",), "main memory", None),
        (("7",), "main memory", None),
    ],
)
def test_only_the_chosen_gpus_count_and_shared_memory_is_main_memory(
    chosen: tuple[str, ...] | None,
    name: str,
    free: float | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr(preflight_memory, "open_devices", lambda _: nullcontext(GPUS))
    room = free_gpu_memory(chosen)
    assert room.name == name
    assert room.on_gpu is (free is not None)
    if free is None:
        assert room.free_mib == pytest.approx(psutil.virtual_memory().available / MIB, rel=0.2)
    else:
        assert room.free_mib == free


@pytest.mark.parametrize(
    ("devices", "named", "missing"),
    [
        (GPUS, ("1", "GPU-0"), set()),
        (GPUS, ("1", "7"), {"GPU 7"}),
        (GPUS, ("GPU-77",), {"GPU GPU-77"}),
        (Devices(), ("0",), set()),
    ],
)
def test_a_gpu_that_is_named_must_be_there(
    devices: Devices,
    named: tuple[str, ...],
    missing: set[str],
    tmp_path: Path,
    plenty: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from contextlib import nullcontext

    monkeypatch.setattr(preflight, "open_devices", lambda _: nullcontext(devices))
    needs = started(program(tmp_path, "two", LISTED)).model_copy(update={"gpu_devices": named})
    checks = check_all(needs, tmp_path)
    assert set(failed(checks)) == missing
    assert all("found: 0 one (GPU-0), 1 two" in failed(checks)[name] for name in missing)
    assert set(warnings(checks)) == (set() if devices.devices else {"GPU 0"})
    attached = needs.model_copy(update={"place": ServerLocation(base_url="http://127.0.0.1:9")})
    assert not any(item.name.startswith("GPU") for item in check_all(attached, tmp_path, 0.1))


# --- servers ---

Q4, Q8 = "llama3.1:8b-instruct-q4_K_M", "llama3.1:8b-instruct-q8_0"
CELLS = (cell("Q4_K_M", tag=Q4), cell("Q8_0", tag=Q8))
BOTH = (ollama_model(Q4, "Q4_K_M"), ollama_model(Q8, "Q8_0", 8.0))


def served(
    server: CannedServer, *models: NeededModel, provider: str = "ollama", **place: Any
) -> Needs:
    return Needs(
        provider=provider, place=ServerLocation(base_url=server.url, **place), models=models
    )


def checked(answers: Answers, *models: NeededModel, **options: Any) -> tuple[PreflightCheck, ...]:
    with canned_server(answers) as server:
        return check_all(served(server, *models, **options), Path(), 10)


@pytest.mark.usefixtures("plenty")
def test_a_server_that_has_every_tag_passes() -> None:
    checks = checked(ollama(*BOTH), *CELLS)
    assert failed(checks) == warnings(checks) == {}
    details = {check.name: check.detail for check in checks}
    assert details[Q4] == f"Q4_K_M, digest {BOTH[0]['digest'][:12]}"
    assert details["memory"].startswith(f"{Q8} takes most: about ")
    assert "KV cache 16384" in details["memory"]  # of the whole context that it was trained with


@pytest.mark.usefixtures("plenty")
def test_every_missing_tag_has_the_line_that_gets_it() -> None:
    checks = checked(ollama(ollama_model("x:1b", "Q4_0")), *CELLS)
    assert failed(checks) == dict.fromkeys([Q4, Q8], "not found; on offer: x:1b")
    assert remedies(checks) == [f"ollama pull {Q4}", f"ollama pull {Q8}"]


@pytest.mark.usefixtures("plenty")
@pytest.mark.parametrize(
    ("change", "needed", "words"),
    [
        (
            {"remote_host": "https://far.example"},
            {},
            "a cloud model: https://far.example serves it",
        ),
        ({"capabilities": ["embedding"]}, {}, "an embedding model"),
        ({"digest": "sha256:" + "b" * 64}, {"pin": "a" * 12}, "artifact_digest requires aaaaaaaa"),
    ],
)
def test_a_tag_that_cannot_be_measured_is_refused(
    change: dict[str, Any], needed: dict[str, str], words: str
) -> None:
    checks = checked(ollama(ollama_model(Q4, "Q4_K_M", **change)), cell(tag=Q4, **needed))
    assert list(failed(checks)) == [Q4]
    assert words in failed(checks)[Q4]


@pytest.mark.usefixtures("plenty")
def test_a_tag_of_another_quant_is_told() -> None:
    checks = checked(ollama(ollama_model(Q4, "Q8_0")), cell(tag=Q4))
    assert failed(checks) == {}
    assert warnings(checks) == {Q4: "the server says Q8_0, asked for Q4_K_M: invalid rows"}


@pytest.mark.usefixtures("plenty")
@pytest.mark.parametrize("exclusive", [False, True])
def test_a_model_that_somebody_has_loaded_is_named(exclusive: bool) -> None:
    checks = checked(ollama(*BOTH, loaded=(Q8,)), cell(tag=Q4), exclusive=exclusive)
    assert failed(checks) == {}
    assert list(warnings(checks)) == ([] if exclusive else [Q8])
    lines = [check.remedy for check in checks if check.warning]
    assert lines == ([] if exclusive else [f"ollama stop {Q8}"])


@pytest.mark.usefixtures("plenty")
def test_what_lm_studio_lacks_is_got_by_its_own_program() -> None:
    answers: dict[str, Any] = {"GET /api/v0/models": {"data": []}}
    checks = checked(answers, cell(tag="qwen3-8b"), cell(tag="qwen3-8b@q8_0"), provider="lmstudio")
    assert failed(checks)["qwen3-8b"] == "not found; on offer: nothing"
    assert remedies(checks) == ["lms get qwen3-8b@q4_k_m", "lms get qwen3-8b@q8_0"]


@pytest.mark.parametrize(
    ("provider", "line"),
    [
        ("ollama", "ollama serve"),
        ("lmstudio", "lms server start"),
        (
            "llama_server",
            "llama-server -m MODEL.gguf --port 9 --alias x --metrics --slots --parallel 1",
        ),
        ("openai", "vllm serve x --port 9"),
    ],
)
def test_where_nobody_answers_the_line_that_starts_a_server_is_told(
    provider: str, line: str
) -> None:
    place = ServerLocation(base_url="http://127.0.0.1:9")
    checks = check_all(Needs(provider=provider, place=place, models=(cell(tag="x"),)), Path(), 10)
    assert failed(checks) == {f"{provider} at http://127.0.0.1:9": "connection refused"}
    assert remedies(checks) == [line]


LLAMA = {"build_info": "b1", "model_ftype": "Q4_K - Medium"}
TWO_NAMES = {"data": [{"id": "one", "aliases": ["one", "two"]}]}


@pytest.mark.usefixtures("plenty")
@pytest.mark.parametrize("name", ["one", "two"])
def test_every_name_of_a_served_model_is_on_offer(name: str) -> None:
    answers = {"GET /props": LLAMA, "GET /v1/models": TWO_NAMES}
    checks = checked(answers, cell(tag=name), provider="llama_server")
    assert failed(checks) == {}


@pytest.mark.usefixtures("plenty")
def test_a_server_that_is_loading_is_waited_for() -> None:
    loading = [(503, {"error": {"message": "Loading model"}})]
    answers = {
        "GET /props": lambda _: loading.pop() if loading else LLAMA,
        "GET /v1/models": TWO_NAMES,
    }
    checks = checked(answers, cell(tag="one"), provider="llama_server")
    assert (failed(checks), loading) == ({}, [])


def test_a_server_that_never_ends_loading_is_given_up() -> None:
    answers = {"GET /props": (503, {"error": {"message": "Loading model"}})}
    with canned_server(answers) as server:
        needs = served(server, cell(tag="one"), provider="llama_server")
        checks = check_all(needs, Path(), 2.0)
    assert failed(checks) == {
        f"llama_server at {server.url}": f"GET {server.url}/props: HTTP 503: Loading model"
    }


def test_a_server_that_hangs_is_given_up() -> None:
    with canned_server({"GET /api/version": "hang"}) as server:
        checks = check_all(served(server, cell(tag="x")), Path(), 0.2)
    assert failed(checks) == {f"ollama at {server.url}": "no answer within 0.2 s"}


def test_a_key_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_SUCH_KEY", raising=False)
    checks = checked({}, cell(tag="x"), provider="openai", api_key="${ENV:NO_SUCH_KEY}")
    assert "has no variable NO_SUCH_KEY" in "".join(failed(checks).values())


def test_a_sandbox_is_looked_for_when_answers_are_run(tmp_path: Path) -> None:
    def of(**changes: Any) -> list[PreflightCheck]:
        checks = check_all(embedded(cell(file=file_of("Q4_K_M")), **changes), tmp_path)
        return [check for check in checks if check.name == "sandbox"]

    assert of() == []
    (nothing_allowed,) = of(code_sandbox=())
    assert nothing_allowed.ok and nothing_allowed.warning
    assert "rows will be incomplete: no kind of sandbox is allowed" in nothing_allowed.detail
    assert nothing_allowed.remedy is not None and "code_sandbox" in nothing_allowed.remedy
    found = find_sandbox()
    (check,) = of(code_sandbox=WITH_WALLS)
    assert check.warning == isinstance(found, Unavailable)
    assert isinstance(found, Unavailable) or check.detail == found.description


def test_a_file_without_a_chat_template_is_told_before_its_answers_are_graded(
    tmp_path: Path,
) -> None:
    """As Gemma 3 270M is, which then repeats the question to the end."""
    path = tmp_path / "base-Q4_K_M.gguf"
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q4_K_M)
    writer.add_tensor("token_embd.weight", numpy.ones((2, 4), dtype=numpy.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    told = warnings(check_all(embedded(cell(file=str(path))), tmp_path))
    assert "it has no chat template" in told[str(path)]
