"""Models are found where their programs put them, once each, and quants of one model together."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from orket_lib.doctor.models import look_at_files
from orket_lib.doctor.places import given, usual_places
from orket_lib.doctor.suggestion import suggest
from orket_lib.preflight.memory import FreeMemory

NANO = Path(__file__).resolve().parents[2] / "models" / "orket-nano"
PLENTY = FreeMemory("main memory", 100_000.0, on_gpu=False)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of a user, who works in a folder without models."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def put(path: Path, quant: str) -> None:
    """Put a model file somewhere. (A link to ours would be ours.)"""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(NANO / f"orket-nano-{quant}.gguf", path)


def cached(hub: Path, repository: str, name: str, quant: str) -> None:
    """Put a file into Hugging Face's cache: a link to a blob."""
    folder = hub / f"models--{repository.replace('/', '--')}"
    put(folder / "blobs" / f"0{quant}", quant)
    link = folder / "snapshots" / "0a1b2c" / name
    link.parent.mkdir(parents=True, exist_ok=True)
    link.symlink_to(Path("..", "..", "blobs", f"0{quant}"))


def pulled(store: Path, tag: str, quant: str) -> Path:
    """Put a model into Ollama's store, and return the file of its weights."""
    name, _, last = tag.partition(":")
    blob = store / "blobs" / f"sha256-{quant}"
    if not blob.exists():
        put(blob, quant)
    manifest = store / "manifests" / "registry.ollama.ai" / "library" / name / last
    manifest.parent.mkdir(parents=True, exist_ok=True)
    kinds = {"model": f"sha256:{quant}", "license": "sha256:none"}
    layers = [
        {"mediaType": f"application/vnd.ollama.image.{kind}", "digest": digest}
        for kind, digest in kinds.items()
    ]
    manifest.write_text(json.dumps({"layers": layers}), encoding="utf-8")
    return blob


def found(**environment: str) -> dict[str, str]:
    """Return the quants by name, without the reference model of the package."""
    models, unusable = look_at_files(usual_places(environment), PLENTY, 2048)
    assert unusable == ()
    return {
        it.within: str(it.quant_tag) for it in models if not it.name.startswith("models/orket-nano")
    }


def test_each_program_s_folder_is_looked_at(home: Path) -> None:
    put(home / "work/models/mine.gguf", "F16")
    put(home / ".lmstudio/models/maker/x-GGUF/x-Q8_0.gguf", "Q8_0")
    cached(home / ".cache/huggingface/hub", "maker/y-GGUF", "y-Q6_K.gguf", "Q6_K")
    put(home / ".cache/llama.cpp/maker_z-GGUF_z-Q5_K_M.gguf", "Q5_K_M")
    pulled(home / ".ollama/models", "w:8b", "Q2_K")

    assert found(HOME=str(home)) == {
        "mine.gguf": "F16",
        "maker/x-GGUF/x-Q8_0.gguf": "Q8_0",
        "models--maker--y-GGUF/snapshots/0a1b2c/y-Q6_K.gguf": "Q6_K",
        "maker_z-GGUF_z-Q5_K_M.gguf": "Q5_K_M",
        "w:8b": "Q2_K",
    }


@pytest.mark.parametrize(
    ("variable", "folder", "file"),
    [
        ("HF_HOME", "a", "a/hub/x.gguf"),
        ("HF_HUB_CACHE", "a", "a/x.gguf"),
        ("HUGGINGFACE_HUB_CACHE", "a", "a/x.gguf"),
        ("LLAMA_CACHE", "a", "a/x.gguf"),
        ("XDG_CACHE_HOME", "a", "a/huggingface/hub/x.gguf"),
        ("XDG_CACHE_HOME", "a", "a/llama.cpp/x.gguf"),
        ("OLLAMA_MODELS", "a", "a/x.gguf"),
    ],
)
def test_a_folder_moved_by_its_variable_is_found(
    home: Path, variable: str, folder: str, file: str
) -> None:
    put(home / file, "F16")
    assert found(**{"HOME": str(home), variable: str(home / folder)}) == {"x.gguf": "F16"}


def test_lm_studio_says_where_its_folder_is(home: Path) -> None:
    put(home / "disk/models/x.gguf", "F16")
    (home / ".lmstudio-home-pointer").write_text(f"{home}/disk\n", encoding="utf-8")
    assert found(HOME=str(home)) == {"x.gguf": "F16"}
    put(home / "other/y.gguf", "F16")
    settings = {"downloadsFolder": str(home / "other")}
    (home / "disk/settings.json").write_text(json.dumps(settings), encoding="utf-8")
    assert found(HOME=str(home)) == {"y.gguf": "F16"}


def test_linked_folders_are_entered_once_and_a_file_is_listed_once(home: Path) -> None:
    put(home / "disk/x.gguf", "F16")
    (home / "work/models").mkdir()
    (home / "work/models/linked").symlink_to(home / "disk")
    (home / "disk/round").symlink_to(home / "work/models")
    (home / "work/models/y.gguf").symlink_to(home / "disk/x.gguf")
    put(home / "work/models/.hidden/z.gguf", "Q2_K")
    assert found(HOME=str(home)) == {"linked/x.gguf": "F16"}


def test_two_tags_of_ollama_for_one_file_are_one_model(home: Path) -> None:
    store = home / ".ollama/models"
    pulled(store, "x:8b", "Q2_K")
    pulled(store, "x:latest", "Q2_K")
    (store / "manifests/registry.ollama.ai/library/x/damaged").write_text("{", encoding="utf-8")
    assert found(HOME=str(home)) == {"x:8b": "Q2_K"}


def test_quants_of_one_model_are_one_suggestion_across_folders(home: Path) -> None:
    put(home / ".lmstudio/models/maker/x-GGUF/x-F16.gguf", "F16")
    cached(home / ".cache/huggingface/hub", "maker/x-GGUF", "x-Q4_K_M.gguf", "Q4_K_M")
    files, _ = look_at_files(usual_places({"HOME": str(home)}), PLENTY, 2048)
    suggestion = suggest([], files, 2048, False)
    assert suggestion is not None
    quants = suggestion.config["artifacts"]["x"]
    assert quants["F16"].endswith("models/maker/x-GGUF/x-F16.gguf")
    assert quants["Q4_K_M"].endswith("/snapshots/0a1b2c/x-Q4_K_M.gguf")
    assert all(Path(path).is_file() for path in quants.values())


def test_a_model_of_ollama_is_served_as_its_file(home: Path) -> None:
    store = home / ".ollama/models"
    blobs = {quant: str(pulled(store, f"x:8b-{quant.lower()}", quant)) for quant in ("F16", "Q2_K")}
    files, _ = look_at_files([given(store)], PLENTY, 2048)
    suggestion = suggest([], files, 2048, False)
    assert suggestion is not None
    assert suggestion.config["artifacts"] == {"x:8b": blobs}
