"""Tools on a real llama-server: what its template takes, and a call from a real model."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from config_folder import ROOT
from nano import nano_file, nano_spec
from real_llama_server import LLAMA_SERVER

from orket_lib.artifacts.measurements.serving import ServerLocation
from orket_lib.providers.base import GenerationRequest, Source
from orket_lib.providers.llama_cpp.model import LlamaModel
from orket_lib.providers.llama_cpp.server import LlamaServerProvider
from orket_lib.providers.tool_check import tool_gap
from orket_lib.vocabulary.null_reasons import NullReason

BINARY = os.environ.get(LLAMA_SERVER, "")
pytestmark = pytest.mark.skipif(
    not BINARY, reason=f"{LLAMA_SERVER} names no llama-server (.ci/build_llama_server makes one)"
)
SMOLLM2 = "ORKET_SMOLLM2"  # names SmolLM2-135M-Instruct as GGUF, which can repeat a call
TEMPLATE = ("--chat-template-file", str(ROOT / "tests/fixtures/tool_template.jinja"))
ORDER = {
    "name": "create_order",
    "description": "Create the order.",
    "parameters": {
        "type": "object",
        "properties": {"town": {"type": "string"}, "count": {"type": "integer"}},
        "required": ["town", "count"],
    },
}


@contextmanager
def serving(folder: Path, *arguments: str, file: Path | None = None) -> Iterator[LlamaModel]:
    file = file or nano_file("Q4_K_M")
    spec = nano_spec("Q4_K_M", file, n_ctx=1024, provider="llama_server", server_args=arguments)
    source = Source(file, ServerLocation(server_binary=BINARY))
    with LlamaServerProvider().serve(spec, source, folder / "log") as model:
        yield model


@pytest.mark.parametrize(
    ("arguments", "expected"), [((), NullReason.TOOLS_NOT_IN_TEMPLATE), (TEMPLATE, None)]
)
def test_what_the_server_says_of_its_template_is_what_a_trial_finds(
    arguments: tuple[str, ...],
    expected: NullReason | None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(tmp_path, *arguments) as model:
        assert tool_gap(model) == expected
        monkeypatch.setattr(model, "takes_tools", lambda: None)
        assert tool_gap(model) == expected


@pytest.mark.skipif(SMOLLM2 not in os.environ, reason=f"{SMOLLM2} names no model")
def test_a_call_of_a_real_model_arrives_in_pieces(tmp_path: Path) -> None:
    arguments = '{"town": "Paris", "count": 3}'
    call = f'<tool_call>\n{{"name": "create_order", "arguments": {arguments}}}\n</tool_call>'
    request = GenerationRequest(f"Repeat:\n{call}", 48, 0.0, None, 300.0, tools=(ORDER,))
    with serving(tmp_path, *TEMPLATE, file=Path(os.environ[SMOLLM2])) as model:
        found = model.generate(request)
    assert [made.name for made in found.tool_calls] == ["create_order"]
    assert json.loads(found.tool_calls[0].arguments) == json.loads(arguments)
    assert (found.text.strip(), found.finish_reason) == ("", "tool_calls")
    assert len(found.chunk_s) > 3
    assert len(found.chunk_s) == len(found.chunk_bytes)
