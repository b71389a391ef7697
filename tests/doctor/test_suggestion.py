"""What is suggested is what is there, and the best of it."""

from __future__ import annotations

from typing import Any

import pytest

from orket_lib.artifacts.printed.doctor import SeenModel, SeenServer
from orket_lib.config.loading.parse import parse
from orket_lib.doctor.suggested import Suggestion
from orket_lib.doctor.suggestion import reasons, suggest
from orket_lib.report.doctor import suggestion_yaml

GIB = 1024**3
DEFAULT = {"ollama": 11434, "lmstudio": 1234, "llama_server": 8080, "openai": 8000}


def model(name: str, quant: str | None, **changes: Any) -> SeenModel:
    values: dict[str, Any] = {"bytes": 5 * GIB, "fits": "safe", "n_ctx": 32768}
    return SeenModel(name=name, quant_tag=quant, **(values | changes))


def server(provider: str, *models: SeenModel, **changes: Any) -> SeenServer:
    values: dict[str, Any] = {
        "provider": provider,
        "base_url": f"http://127.0.0.1:{DEFAULT[provider]}",
        "answers": True,
        "detail": "",
        "models": models,
    }
    return SeenServer(**(values | changes))


REFERENCE = tuple(
    model(f"models/orket-nano/orket-nano-{quant}.gguf", quant, bytes=2_000_000, n_ctx=2048)
    for quant in ("Q2_K", "F16", "Q4_K_M")
)
QWEN = (
    model("qwen3:8b-q4_K_M", "Q4_K_M", digest="a" * 64),
    model("qwen3:8b-q8_0", "Q8_0", digest="b" * 64, bytes=9 * GIB, fits="balanced"),
)


def suggested(
    *servers: SeenServer, files: tuple[SeenModel, ...] = REFERENCE, has_gpu: bool = True
) -> dict[str, Any]:
    found = suggest(servers, files, 4096, has_gpu)
    assert found is not None
    parse(found.config)  # every key is one, with a value that it may have
    return found.config


def test_with_nothing_else_it_is_the_reference_model() -> None:
    found = suggested()
    assert found["provider"] == "embedded"
    assert (found["models"], found["quants"]) == (["orket-nano"], ["F16", "Q4_K_M", "Q2_K"])
    assert found["artifacts"]["orket-nano"]["F16"] == "models/orket-nano/orket-nano-F16.gguf"
    assert (found["n_ctx"], found["execution_lane"], found["threads"]) == (2048, "ci", 1)


def test_a_servers_model_in_several_quants_is_suggested_by_its_tags_and_digests() -> None:
    found = suggested(server("ollama", *QWEN))
    assert (found["models"], found["quants"]) == (["qwen3:8b"], ["Q8_0", "Q4_K_M"])
    assert found["tags"] == {"qwen3:8b": {"Q8_0": "qwen3:8b-q8_0", "Q4_K_M": "qwen3:8b-q4_K_M"}}
    assert found["artifact_digest"]["qwen3:8b"] == {"Q8_0": "b" * 64, "Q4_K_M": "a" * 64}
    assert found["vram_profile"] == "balanced"  # what the larger one takes
    assert (found["execution_lane"], found["n_ctx"]) == ("lab", 4096)
    assert (found["until"], found["budget"]) == ("decided", "45m")
    assert "base_url" not in found
    assert "canary_latency_variance_threshold" not in found


def test_a_small_model_is_asked_the_easiest_tasks() -> None:
    small = [item.model_copy(update={"parameters": 135_000_000}) for item in QWEN]
    assert suggested(server("ollama", *small))["task_tiers"] == [1]
    large = [item.model_copy(update={"parameters": 8_000_000_000}) for item in QWEN]
    assert "task_tiers" not in suggested(server("ollama", small[0], large[1]))


def test_a_cpu_gets_a_canary_that_a_cpu_can_pass() -> None:
    found = suggested(server("ollama", *QWEN), has_gpu=False)
    assert found["canary_latency_variance_threshold"] == 0.1


@pytest.mark.parametrize(
    "spoiled",
    [
        {"remote": "https://cloud.example"},
        {"chats": False},
        {"fits": "no"},
        {"quant_tag": None},
        {"quant_tag": "Q9_Z"},
    ],
    ids=str,
)
def test_what_cannot_be_measured_here_is_never_suggested(spoiled: dict[str, Any]) -> None:
    bad = [item.model_copy(update=spoiled) for item in QWEN]
    assert suggested(server("ollama", *bad))["provider"] == "embedded"


def test_variants_of_a_model_are_not_taken_for_quants_of_one() -> None:
    base, instruct = model("x:7b-base-q4_0", "Q4_0"), model("x:7b-instruct-q8_0", "Q8_0")
    more = model("x:7b-base-q8_0", "Q8_0")
    found = suggested(server("ollama", base, instruct, more), files=())["models"]
    assert found["x:7b-base"]["tags"] == {"Q8_0": "x:7b-base-q8_0", "Q4_0": "x:7b-base-q4_0"}
    assert found["x:7b-instruct"]["tags"] == {"Q8_0": "x:7b-instruct-q8_0"}


def test_all_own_models_are_swept_each_with_its_server_and_its_quants() -> None:
    mine = (model("models/Mine.Q6_K.gguf", "Q6_K"), model("models/Mine.q4_k_m.gguf", "Q4_K_M"))
    lm = server("lmstudio", model("gemma@q4_k_m", "Q4_K_M", bytes=3 * GIB))
    found = suggest([server("ollama", *QWEN), lm], (*REFERENCE, *mine), 4096, True)
    assert found is not None
    assert found.config["models"] == {
        "qwen3:8b": {
            "provider": "ollama",
            "tags": {"Q8_0": "qwen3:8b-q8_0", "Q4_K_M": "qwen3:8b-q4_K_M"},
            "artifact_digest": {"Q8_0": "b" * 64, "Q4_K_M": "a" * 64},
        },
        "gemma": {"provider": "lmstudio", "tags": {"Q4_K_M": "gemma@q4_k_m"}},
        "Mine": {
            "provider": "embedded",
            "artifacts": {"Q6_K": "models/Mine.Q6_K.gguf", "Q4_K_M": "models/Mine.q4_k_m.gguf"},
        },
    }
    assert "quants" not in found.config
    assert found.why == (
        "qwen3:8b in 2 quants, on the ollama server at http://127.0.0.1:11434; gemma in one quant, "
        "on the lmstudio server at http://127.0.0.1:1234; Mine in 2 quants, from files, on the CPU"
    )
    read = parse(found.config)
    assert read.quants == ("Q8_0", "Q6_K", "Q4_K_M")
    assert read.pairs == (
        *(("qwen3:8b", quant) for quant in ("Q8_0", "Q4_K_M")),
        ("gemma", "Q4_K_M"),
        *(("Mine", quant) for quant in ("Q6_K", "Q4_K_M")),
    )


def test_a_second_copy_of_a_model_is_left_out() -> None:
    copies = tuple(
        model(f"store/qwen3-8b-{it.quant_tag}.gguf", it.quant_tag, bytes=it.bytes) for it in QWEN
    )
    found = suggest([server("ollama", *QWEN)], copies, 4096, True)
    assert found is not None
    assert found.config["models"] == ["qwen3:8b"]
    assert found.left_out[-1].name == "qwen3-8b"
    assert found.left_out[-1].reason == "the same files as qwen3:8b, which is swept"


def test_a_server_elsewhere_is_named_and_allowed() -> None:
    far = server("ollama", *QWEN, base_url="http://172.27.16.1:11434")
    found = suggested(far)
    assert (found["base_url"], found["allow_remote"]) == ("http://172.27.16.1:11434", True)


def test_a_server_that_does_not_answer_has_nothing() -> None:
    assert suggested(server("ollama", *QWEN, answers=False))["provider"] == "embedded"


def test_lm_studios_variants_are_quants_of_one_model() -> None:
    found = suggested(
        server("lmstudio", model("qwen3-8b@q8_0", "Q8_0"), model("qwen3-8b@q4_k_m", "Q4_K_M"))
    )
    assert found["provider"] == "lmstudio"
    assert found["tags"] == {"qwen3-8b": {"Q8_0": "qwen3-8b@q8_0", "Q4_K_M": "qwen3-8b@q4_k_m"}}


def test_a_running_llama_server_is_used_and_no_other_started() -> None:
    found = suggested(
        server("llama_server", model("x-Q4_K_M.gguf", "Q4_K_M", n_ctx=2048)), files=()
    )
    assert (found["provider"], found["base_url"]) == ("llama_server", "http://127.0.0.1:8080")
    assert found["n_ctx"] == 2048


def test_own_files_come_before_the_reference_model() -> None:
    mine = (model("models/a/Mine.Q6_K.gguf", "Q6_K"), model("models/a/Mine.q4_k_m.gguf", "Q4_K_M"))
    found = suggested(files=(*REFERENCE, *mine))
    assert found["artifacts"] == {
        "Mine": {"Q6_K": "models/a/Mine.Q6_K.gguf", "Q4_K_M": "models/a/Mine.q4_k_m.gguf"}
    }


def test_with_nothing_at_all_nothing_is_suggested() -> None:
    assert suggest([], [], 4096, True) is None
    assert suggest([server("openai", model("vllm", None))], [], 4096, True) is None


def test_the_yaml_means_what_was_suggested() -> None:
    import yaml

    found = suggest([server("ollama", *QWEN)], (), 4096, False)
    assert found is not None
    text = suggestion_yaml(found, "mine.yaml")
    assert yaml.safe_load(text) == found.config
    assert "#   orket sweep mine.yaml " in text
    for key, comment in found.comments.items():
        assert f"# {comment}:\n{key}:" in text


def test_a_name_cannot_leave_its_comment() -> None:
    import yaml

    evil = "x\nprovider: openai\n\x1b[2J"
    text = suggestion_yaml(Suggestion(evil, {"models": [evil]}, {}))
    assert yaml.safe_load(text) == {"models": [evil]}
    assert "\x1b" not in text


def test_t23_only_the_reference_model_gets_the_reference_bank() -> None:
    own = suggest([server("ollama", *QWEN)], (), 4096, False)
    assert own is not None
    assert own.config["task_bank"] == "config/task_banks/general.json"
    reference = suggest([], REFERENCE, 4096, False)
    assert reference is not None
    assert reference.config["task_bank"] == "config/task_banks/reference.json"


def test_everything_that_is_left_out_has_its_reason_and_many_are_counted() -> None:
    twice = model("models/z/Mine.Q8_0.gguf", "Q8_0", place="models/z")
    mine = model("models/b/Mine.Q8_0.gguf", "Q8_0", place="models/b")
    cloud = model("big:cloud", "Q8_0", remote="https://cloud.example")
    odd = model("odd", "Q9_Z")
    silent = model("silent", None)
    found = suggest([server("ollama", cloud, odd, silent)], (mine, twice), 4096, False)
    assert found is not None
    assert {item.name: item.reason.partition(";")[0] for item in found.left_out} == {
        "big:cloud": "a cloud model: https://cloud.example serves it, not this machine",
        "odd": "Q9_Z is no quant that is known here",
        "silent": "its quant is unknown",
        "models/z/Mine.Q8_0.gguf": "the same quant as models/b/Mine.Q8_0.gguf",
    }
    assert len(reasons(found.left_out)) == 4
    many = reasons(found.left_out * 3)
    assert (len(many), many[-1]) == (9, "and 4 more; `orket doctor` shows them")
