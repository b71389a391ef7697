"""A stand-in for a `llama-server` that is built for a GPU: its arguments, log, routes and speed.

Each layer takes a time per token, on the CPU or on the GPU, and a place in the GPU's memory. What
does not fit fails with the words of CUDA. `binary` makes the program that a config can name.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import threading
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from simulator_backends import Question, WordBackend
from simulator_http import Exchange, Lies, Simulator, SseWriter

Lie = Literal["ignores", "others", "silent"]
_HELP = "--log-verbosity N\n  - 4: trace\n--n-gpu-layers N\n--metrics\n--slots\n--list-devices\n"


@dataclass(frozen=True)
class Gpu:
    """A machine with a GPU, and a model on it.

    Attributes:
        layers: Of the model, the output layer included.
        cpu_ms, gpu_ms: Time of a layer for one token.
        free_mib: Memory that is free on the GPU.
        layer_mib: What each layer takes of it.
        noise: Standard deviation of the time of a request, as a share of it.
        lie: `ignores`: it leaves all layers on the CPU, and logs what it was asked for; `others`:
            it logs fewer; `silent`: it logs nothing of layers, as a build without GPU.
    """

    layers: int = 5
    cpu_ms: float = 4.0
    gpu_ms: float = 0.5
    free_mib: int = 24_000
    layer_mib: float = 1_000.0
    noise: float = 0.0
    lie: Lie | None = None

    def token_s(self, layers: int) -> float:
        """Return the time of a token with so many layers on the GPU, without noise."""
        there = 0 if self.lie == "ignores" else min(layers, self.layers)
        return (there * self.gpu_ms + (self.layers - there) * self.cpu_ms) / 1000

    def fits(self, layers: int) -> bool:
        return layers * self.layer_mib <= self.free_mib

    def fewest(self, wanted: float | None) -> int | None:
        """Return the layers of an exhaustive search; see `bisect_layers`."""
        fitting = [it for it in range(self.layers + 1) if self.fits(it)]
        fast = [it for it in fitting if wanted is not None and 1 / self.token_s(it) >= wanted]
        return min(fast, default=max(fitting, default=None))


def binary(folder: Path, gpu: Gpu) -> Path:
    """Return a program that a config can name as its `server_binary`."""
    path = folder / "gpu-llama-server"
    words = f'"{sys.executable}" "{Path(__file__)}" --machine \'{json.dumps(asdict(gpu))}\''
    path.write_text(f'#!/bin/sh\nexec {words} "$@"\n', encoding="utf-8")
    path.chmod(0o755)
    return path


class GpuLlamaSimulator(Simulator):
    """The server, with its model loaded."""

    def __init__(self, gpu: Gpu, layers: int, model: str, n_ctx: int, port: int) -> None:
        super().__init__(Lies(api_key=os.environ.get("LLAMA_API_KEY")), port)
        self._token_s = gpu.token_s(layers)
        self._noise = gpu.noise
        self._model, self._n_ctx = model, n_ctx
        self._words = WordBackend(piece_s=self._token_s)

    def handle(self, exchange: Exchange) -> None:
        path = exchange.path
        if path == "/health":
            exchange.json({"status": "ok"})
        elif path == "/props":
            settings = {"n_ctx": self._n_ctx}
            exchange.json(
                {
                    "default_generation_settings": settings,
                    "model_path": self._model,
                    "build_info": "b9999-simulated",
                }
            )
        elif path == "/tokenize":
            count = self._words.count("", exchange.body["content"])
            exchange.json({"tokens": list(range(count))})
        elif path == "/completion":
            exchange.json({"generation_settings": {"seed": exchange.body.get("seed")}})
        elif path == "/v1/chat/completions":
            self._chat(exchange)
        else:
            exchange.json({"error": "Not Found"}, 404)

    def _chat(self, exchange: Exchange) -> None:
        body = exchange.body
        question = Question(
            body["messages"][0]["content"],
            body["max_tokens"],
            ignore_eos=body.get("ignore_eos", False),
        )
        answer = self._words.answer("", question)
        out = SseWriter(exchange, self.lies)
        for piece in answer.pieces:
            out.event({"choices": [{"index": 0, "delta": {"content": piece}}]})
        count, prompt = answer.output_tokens, answer.prompt_tokens
        noise = max(0.1, random.gauss(1.0, self._noise)) if self._noise else 1.0
        timings: dict[str, Any] = {"cache_n": 0, "prompt_n": prompt, "prompt_ms": 1.0}
        timings |= {
            "predicted_n": count,
            "predicted_ms": noise * 1000 * self._token_s * (count - 1),
        }
        ending = {"choices": [{"index": 0, "delta": {}, "finish_reason": answer.finish_reason}]}
        out.event(ending | {"timings": timings})
        usage = {"prompt_tokens": prompt, "completion_tokens": count}
        out.event({"choices": [], "usage": usage | {"total_tokens": prompt + count}})
        out.end()


def main() -> int:
    """Serve as the arguments say."""
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("--machine", type=json.loads)
    for flag in ("--help", "--list-devices", "--version"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--model")
    for flag in ("--n-gpu-layers", "--ctx-size", "--threads", "--port"):
        parser.add_argument(flag, type=int, default=0)
    asked, _ = parser.parse_known_args()
    gpu = Gpu(**asked.machine)
    if asked.help:
        sys.stdout.write(_HELP)
        return 0
    if asked.list_devices or asked.version:
        device = f"  CUDA0: Simulated ({gpu.free_mib} MiB, {gpu.free_mib} MiB free)\n"
        sys.stdout.write(f"version: 9999\nAvailable devices:\n{device}")
        return 0
    layers = asked.n_gpu_layers
    if not gpu.fits(layers):
        _log("ggml_backend_cuda_buffer_type_alloc_buffer: cudaMalloc failed: out of memory")
        _log("llama_model_load: error loading model: unable to allocate CUDA0 buffer")
        return 1
    if gpu.lie != "silent":
        said = max(0, layers - 1) if gpu.lie == "others" else min(layers, gpu.layers)
        _log(f"load_tensors: offloaded {said}/{gpu.layers} layers to GPU")
    _log(f"system_info: n_threads = {asked.threads}")
    server = GpuLlamaSimulator(gpu, layers, asked.model, asked.ctx_size or 2048, asked.port)
    with server.running():
        threading.Event().wait()
    return 0


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
