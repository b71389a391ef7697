"""Quants that are made on the way, by the real program where it is built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import gguf
import numpy as np
import psutil
import pytest
import quantizers
from builders import PROVENANCE
from small_disk import SmallDisk, small_disk_at

from orket_lib.artifacts.io import read_model, sha256_of_file
from orket_lib.artifacts.measurements.quantized import Quantized
from orket_lib.cli import main
from orket_lib.processes import device_lock
from orket_lib.providers.gguf.file import read_gguf
from orket_lib.providers.gguf.quantize import QuantizeRequest, expected_bytes, quantize
from orket_lib.vocabulary.errors import LoadError, QuantizeError

MODELS = Path(__file__).resolve().parents[3] / "models" / "orket-nano"
SHIPPED = ("Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "Q3_K_M", "Q2_K")
WRONG = "ORKET_SIMULATED_QUANTIZE"


@pytest.fixture(autouse=True)
def own_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give each test its own lock folder: a real measurement may run on this machine."""
    monkeypatch.setattr(device_lock, "_machine_folder", lambda: tmp_path)


def nano(quant: str) -> Path:
    return MODELS / f"orket-nano-{quant}.gguf"


def request(binary: Path | str, quant: str = "Q4_K_M", **changes: Any) -> QuantizeRequest:
    values: dict[str, Any] = {
        "quant_tag": quant,
        "base": nano("F16"),
        "base_sha256": None,
        "imatrix": None,
        "imatrix_sha256": None,
        "binary": str(binary),
        "threads": 1,
        "allow_requantize": False,
    }
    return QuantizeRequest(**(values | changes))


def make(wanted: QuantizeRequest, out: Path) -> Quantized | None:
    return quantize(wanted, out, lambda text: None, PROVENANCE)


@pytest.fixture
def simulated(tmp_path: Path) -> Path:
    return quantizers.simulated(tmp_path)


@pytest.fixture
def real() -> Path:
    program = quantizers.real()
    if program is None:
        pytest.skip(f"{quantizers.LLAMA_SERVER} names no llama-server next to a llama-quantize")
    return program


@pytest.fixture(params=["simulated", "real"])
def program(request: pytest.FixtureRequest) -> Path:
    found: Path = request.getfixturevalue(request.param)
    return found


def test_what_is_made_is_told_with_what_it_was_made_from(program: Path, tmp_path: Path) -> None:
    out = tmp_path / "deep" / "in" / "nano-Q4_K_M.gguf"
    made = make(request(program, base_sha256=sha256_of_file(nano("F16"))), out)

    assert made is not None
    # The shipped files were made by llama.cpp's own program, from this base.
    assert made.sha256 == sha256_of_file(out) == sha256_of_file(nano("Q4_K_M"))
    assert made.bytes == out.stat().st_size
    assert made.bits_per_weight == read_gguf(out).bits_per_weight
    assert (made.base.sha256, made.base_quant_tag) == (sha256_of_file(nano("F16")), "F16")
    assert made.program == str(program)
    assert made.program_says is not None
    assert made.seconds > 0
    assert [path.name for path in out.parent.iterdir()] == [out.name]


@pytest.mark.parametrize("quant", ["Q5_0", "IQ4_XS", "TQ1_0", "F32"])
def test_the_real_program_makes_what_is_not_shipped(real: Path, quant: str, tmp_path: Path) -> None:
    made = make(request(real, quant), tmp_path / "made.gguf")
    assert made is not None
    assert read_gguf(tmp_path / "made.gguf").quant_tag == quant


def matrix(folder: Path) -> Path:
    """Return an importance matrix to which every weight is as important as any other."""
    path = folder / "nano-imatrix.gguf"
    writer = gguf.GGUFWriter(path, arch="")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", ["none"])
    writer.add_uint32("imatrix.chunk_count", 1)
    writer.add_uint32("imatrix.chunk_size", 512)
    for tensor in gguf.GGUFReader(nano("F16")).tensors:
        if len(tensor.shape) == 2:
            writer.add_tensor(f"{tensor.name}.in_sum2", np.ones((1, tensor.shape[0]), np.float32))
            writer.add_tensor(f"{tensor.name}.counts", np.ones((1, 1), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_a_quant_that_takes_a_matrix_is_made_with_it_and_refused_without(
    real: Path, tmp_path: Path
) -> None:
    out, importance = tmp_path / "out.gguf", matrix(tmp_path)
    with pytest.raises(QuantizeError, match="requires an i"):
        make(request(real, "IQ2_XS"), out)
    assert not out.exists()

    made = make(request(real, "IQ2_XS", imatrix=importance), out)
    assert made is not None
    assert made.imatrix is not None
    assert made.imatrix.sha256 == sha256_of_file(importance)
    assert read_gguf(out).quant_tag == "IQ2_XS"


def test_a_base_that_is_quantized_already_takes_a_word(program: Path, tmp_path: Path) -> None:
    out, base = tmp_path / "out.gguf", nano("Q8_0")
    with pytest.raises(QuantizeError, match="requantizing from type q8_0 is disabled"):
        make(request(program, "Q2_K", base=base), out)
    assert not out.exists()
    made = make(request(program, "Q2_K", base=base, allow_requantize=True), out)
    assert made is not None
    assert (made.base_quant_tag, made.quant_tag) == ("Q8_0", "Q2_K")


def test_a_quant_that_the_program_does_not_know_is_refused_in_its_words(
    program: Path, tmp_path: Path
) -> None:
    with pytest.raises(QuantizeError, match=r"failed with exit status 1:\n.*invalid ftype 'Q9_Z'"):
        make(request(program, "Q9_Z"), tmp_path / "out.gguf")
    assert not list(tmp_path.glob("out*"))


def test_a_file_that_is_there_is_looked_at_and_kept(simulated: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.gguf"
    make(request(simulated), out)
    before = out.stat().st_mtime_ns
    assert make(request("no such program"), out) is None
    assert out.stat().st_mtime_ns == before
    with pytest.raises(QuantizeError, match=r"says Q4_K_M, requested was Q6_K.*delete it"):
        make(request(simulated, "Q6_K"), out)
    assert out.stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("other", "its header says Q2_K, requested was Q4_K_M"),
        ("lie", "it has 3.13 bits per weight, Q4_K_M has about 4.89"),
        ("cut", "it is truncated: 1024864 of 2049728 bytes"),
        ("full", "iostream error"),
        ("killed", "was killed by signal 9"),
    ],
)
def test_what_went_wrong_leaves_nothing_that_looks_finished(
    wrong: str, says: str, simulated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(WRONG, wrong)
    with pytest.raises(QuantizeError, match=says):
        make(request(simulated), tmp_path / "out.gguf")
    assert not list(tmp_path.glob("out*"))


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(QuantizeError, match="llama-quantise: no such program in PATH"):
        make(request("llama-quantise"), tmp_path / "out.gguf")


def test_a_base_that_is_no_model_is_named(simulated: Path, tmp_path: Path) -> None:
    with pytest.raises(LoadError, match="does not begin with GGUF"):
        make(request(simulated, base=simulated), tmp_path / "out.gguf")


@pytest.mark.parametrize("which", ["base", "imatrix"])
def test_a_file_that_changed_since_it_was_planned_is_named(
    which: str, simulated: Path, tmp_path: Path
) -> None:
    changes: dict[str, Any] = {"imatrix": nano("Q2_K"), f"{which}_sha256": "a" * 64}
    with pytest.raises(QuantizeError, match=r"\.gguf: changed since the plan was made"):
        make(request(simulated, **changes), tmp_path / "out.gguf")


@pytest.mark.parametrize("quant", SHIPPED)
def test_the_size_of_a_quant_is_known_beforehand(quant: str) -> None:
    expected = expected_bytes(read_gguf(nano("F16")), quant)
    assert expected == pytest.approx(nano(quant).stat().st_size, rel=0.03)


def test_of_a_tag_of_ones_own_it_is_the_size_of_the_base() -> None:
    base = read_gguf(nano("F16"))
    assert expected_bytes(base, "MINE") == base.bytes
    assert expected_bytes(base, "F32") == base.bytes  # never more than is known


def test_a_disk_without_room_is_seen_before_anything_is_written(
    simulated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Disk(NamedTuple):
        free: int

    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Disk(2**20))
    with pytest.raises(QuantizeError, match="needs about 2 MiB, and the disk has 1 MiB free"):
        make(request(simulated), tmp_path / "out.gguf")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk_at(tmp_path / "disk", 3) as disk:
        yield disk


def test_a_disk_that_fills_up_meanwhile_is_named(
    program: Path, small_disk: SmallDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def filled_by_another(text: str) -> None:
        if "quantizing" in text:
            small_disk.fill(left=256 * 1024)

    out = small_disk.folder / "out.gguf"
    monkeypatch.setenv(WRONG, "")
    with pytest.raises(QuantizeError, match=r"the disk is full: .* of about 2 MiB written"):
        quantize(request(program), out, filled_by_another, PROVENANCE)
    assert not list(small_disk.folder.glob("out*"))


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is POSIX")
def test_killed_in_the_middle_it_leaves_no_program_and_no_file(
    simulated: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.gguf"
    part = out.with_name("out.gguf.part")
    words = ["--base", str(nano("F16")), "--quant", "Q4_K_M", "--binary", str(simulated)]
    words += ["--out", str(out)]
    script = (
        "import sys\n"
        "from pathlib import Path\n"
        "from orket_lib import cli\n"
        "from orket_lib.processes import device_lock\n"
        f"device_lock._machine_folder = lambda: Path({str(tmp_path)!r})\n"
        "sys.exit(cli.main(['quantize', *sys.argv[1:]]))\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script, *words], env={**os.environ, WRONG: "hang"}
    )
    deadline = time.monotonic() + 60
    while not (part.is_file() and part.stat().st_size) and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    family = psutil.Process(process.pid).children(recursive=True)
    assert any("llama_quantize" in " ".join(_command(member)) for member in family)

    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(family, timeout=10)
    assert alive == []
    assert not out.exists()

    assert main(["quantize", *words]) == 0
    assert sha256_of_file(out) == sha256_of_file(nano("Q4_K_M"))
    assert not part.exists()
    assert read_model(out.with_suffix(".json"), Quantized).quant_tag == "Q4_K_M"


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def test_it_waits_while_another_process_measures(
    simulated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked: list[str] = []
    lock = device_lock.device_lock

    def watched(device: str, purpose: str, waiting: Any) -> Any:
        locked.append(f"{device}: {purpose}")
        return lock(device, purpose, waiting)

    monkeypatch.setattr("orket_lib.providers.gguf.quantize.device_lock", watched)
    make(request(simulated), tmp_path / "nano-Q4_K_M.gguf")
    assert locked == ["cpu: quantizing nano-Q4_K_M.gguf"]


def test_the_command_says_in_one_line_what_went_wrong(
    simulated: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["--base", str(tmp_path / "no.gguf"), "--quant", "q4_k_m", "--binary", str(simulated)]
    assert main(["quantize", *words, "--out", str(tmp_path / "out.gguf")]) == 1
    said = capsys.readouterr().err
    assert said == (
        f"error: {tmp_path / 'no.gguf'}: not a readable GGUF file: No such file or directory; "
        "check its path and permissions\n"
    )
