"""What a request and a chunk cost the client, next to other clients, all on the fast server.

CPU time is counted, of the client with all its processes, so that neither a busy machine nor the
server decides. Starting cancels out: a request is the difference between many and few, a chunk the
difference between long streams and short ones.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from overhead import fast_server
from programs import NotRun, cost, program
from tables import Table, times

from orket_lib.config.shipped import located

_SCRIPT = Path(__file__).with_name("stream_client.py")
_TOKENIZER = Path("models/orket-nano/tokenizer.json")
_SHORT, _LONG = 32, 256  # chunks of a stream

# Of a port, requests, chunks, and a folder to work in.
Client = Callable[[int, int, int, Path], float]


@dataclass(frozen=True)
class ClientCost:
    """CPU milliseconds of a client.

    Attributes:
        request: Of a request with a short stream.
        chunk: Of one chunk more.
    """

    request: float
    chunk: float


def client_cost(client: Client, few: int, many: int) -> ClientCost:
    """Return what a client takes for a request and for a chunk.

    Raises:
        NotRun: It isn't there, or it fails.
    """
    base, more, longer = (
        _cpu_s(client, count, chunks)
        for count, chunks in ((few, _SHORT), (many, _SHORT), (many, _LONG))
    )
    return ClientCost(
        1000 * (more - base) / (many - few), 1000 * (longer - more) / many / (_LONG - _SHORT)
    )


def clients(few: int, many: int, guidellm: Path | None, aiperf: Path | None) -> Table:
    """Return the costs of all clients, held against the standard library's."""
    known: dict[str, Client] = {
        "http.client, parsed": _ours("http.client"),
        "orket": _ours("orket"),
        "GuideLLM": lambda *call: _guidellm(program(guidellm, "--guidellm"), *call),
        "AIPerf": lambda *call: _aiperf(program(aiperf, "--aiperf"), *call),
    }
    found, notes = {}, []
    for name, client in known.items():
        try:
            found[name] = client_cost(client, few, many)
        except NotRun as error:
            notes.append(f"{name}: not run: {error}")
    plain = found["http.client, parsed"]
    rows = tuple(
        (
            name,
            f"{it.request:.2f} ms",
            times(it.request, plain.request),
            f"{1000 * it.chunk:.1f} µs",
            times(it.chunk, plain.chunk),
        )
        for name, it in found.items()
    )
    head = ("client", f"CPU of a request, {_SHORT} chunks", "", "CPU of a chunk", "")
    return Table("What a request costs the client", head, rows, tuple(notes))


def _cpu_s(client: Client, requests: int, chunks: int) -> float:
    with fast_server(chunks) as port, tempfile.TemporaryDirectory() as folder:
        return client(port, requests, chunks, Path(folder))


def _ours(name: str) -> Client:
    def run(port: int, requests: int, chunks: int, folder: Path) -> float:
        numbers = map(str, (port, requests, chunks))
        return cost([sys.executable, _SCRIPT, name, *numbers], folder).cpu_s

    return run


def _tokenizer(folder: Path) -> Path:
    """Lay down a tokenizer as Hugging Face's library loads it, and return its folder."""
    made = folder / "tokenizer"
    made.mkdir()
    shutil.copy(located(_TOKENIZER), made / "tokenizer.json")
    names = {"tokenizer_class": "PreTrainedTokenizerFast", "model_type": "llama"}
    for name in ("tokenizer_config.json", "config.json"):
        (made / name).write_text(json.dumps(names), encoding="utf-8")
    return made


def _guidellm(path: Path, port: int, requests: int, chunks: int, folder: Path) -> float:
    command: list[str | Path] = [path, "run", "--disable-console", "--profile", "kind=synchronous"]
    command += ["--backend", f"kind=openai_http,target=http://127.0.0.1:{port},model=m"]
    command += ["--constraint", f"kind=max_requests,count={requests}"]
    command += ["--tokenizer", f"kind=hf_auto,model={_tokenizer(folder)}"]
    command += ["--data", f"kind=synthetic_text,prompt_tokens=8,output_tokens={chunks}"]
    command += ["--output", f"kind=json,path={folder / 'report.json'}"]
    # AIPerf takes the tokenizer's folder for a name in the hub, if it is told the same.
    offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
    return cost(command, folder, offline).cpu_s


def _aiperf(path: Path, port: int, requests: int, chunks: int, folder: Path) -> float:
    command: list[str | Path] = [path, "profile", "--model", "m", "--endpoint-type", "chat"]
    command += ["--url", f"http://127.0.0.1:{port}", "--streaming", "--concurrency", "1"]
    command += ["--tokenizer", _tokenizer(folder), "--use-server-token-count"]
    command += ["--isl", "8", "--osl", str(chunks), "--request-count", str(requests)]
    command += ["--artifact-dir", folder / "artifacts", "--ui", "none"]
    found = cost([*command, "--no-gpu-telemetry", "--no-server-metrics"], folder)
    told = json.loads((folder / "artifacts/profile_export_aiperf.json").read_bytes())
    if (answered := told["request_count"]["avg"]) != requests:
        raise NotRun(f"aiperf: {answered:g} of {requests} requests were answered")
    return found.cpu_s
