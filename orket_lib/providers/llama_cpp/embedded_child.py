"""The child process that is the embedded server; run with `python -m`.

Reads one line of JSON settings from standard input, starts llama.cpp's server, answers with one
line of JSON on standard output, and runs until its standard input is closed. The parent holds the
other end, so the child ends when the parent does, however that dies; on Linux the kernel does the
same, which also covers a parent killed while the model is loading. The API key comes through the
pipe because every user of the machine can read a command line.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, BinaryIO

import psutil

from orket_lib.processes.parent_death import die_with_parent, wait_for_end_of

_WITHOUT_CAUSE = "Failed to init server"  # llama.cpp's log has the cause


def main() -> None:
    """Serve until the parent ends."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    # llama.cpp may write to file descriptor 1; the answer needs its own channel.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    settings = json.loads(requests.readline())
    watcher = threading.Thread(target=_exit_at_end_of, args=(requests,), daemon=True)
    watcher.start()
    try:
        answer = _start(settings)
    except Exception as error:  # the parent reports whatever the runtime raises
        missing = isinstance(error, ImportError)  # of the package, not a fault of the model
        said = f"{type(error).__name__}: {error}"
        if _WITHOUT_CAUSE in said:
            said = "llama.cpp did not load it"
        answer = {"error": said, "installed": not missing}
    print(json.dumps(answer), file=answers, flush=True)
    watcher.join()


def _start(settings: dict[str, Any]) -> dict[str, Any]:
    """Start the server and return its address; the server runs in its own threads."""
    import xllamacpp

    if settings["cpus"]:
        psutil.Process().cpu_affinity(settings["cpus"])  # inherited by all new threads
    params = xllamacpp.CommonParams()
    params.model.path = settings["model"]
    params.n_ctx = settings["n_ctx"]
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = settings["threads"]
    if hasattr(params, "hostnames"):
        params.hostnames = ["127.0.0.1"]
    else:  # before xllamacpp 2026.10
        params.hostname = "127.0.0.1"
    params.port = 0
    params.api_keys = [settings["api_key"]]
    params.n_parallel = 1
    params.n_gpu_layers = 0
    params.fit_params = False  # else the context may be reduced to what is thought to fit
    params.verbosity = 4  # the level at which llama.cpp logs how it has loaded a model
    for name, value in _load_settings(xllamacpp, settings.get("load", {})):
        setattr(params, name, value)
    params.cache_prompt = False
    params.cache_ram_mib = 0
    params.endpoint_props = params.endpoint_slots = params.endpoint_metrics = True
    params.ui = False
    begin = time.perf_counter()
    server = xllamacpp.Server(params)
    model_s = time.perf_counter() - begin
    _alive.append(server)
    return {
        "address": server.listening_address,
        "model_seconds": model_s,
        # Not in every version of the package.
        "system_info": getattr(xllamacpp, "get_system_info", str)(),
    }


def _load_settings(xllamacpp: Any, load: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Yield the parameters of the runtime for settings of the load that are not null."""
    if load.get("flash_attn") is not None:
        word = {"on": "ENABLED", "off": "DISABLED", "auto": "AUTO"}[load["flash_attn"]]
        kinds = xllamacpp.llama_flash_attn_type
        yield "flash_attn_type", getattr(kinds, f"LLAMA_FLASH_ATTN_TYPE_{word}")
    for name in ("cache_type_k", "cache_type_v"):
        if load.get(name) is not None:
            yield name, getattr(xllamacpp.ggml_type, f"GGML_TYPE_{load[name].upper()}")
    for name, key in (("n_batch", "batch_size"), ("n_ubatch", "ubatch_size")):
        if load.get(key) is not None:
            yield name, load[key]


_alive: list[Any] = []  # the server stops when its object is collected


def _exit_at_end_of(stream: BinaryIO) -> None:
    wait_for_end_of(stream)
    os._exit(0)


if __name__ == "__main__":
    main()
