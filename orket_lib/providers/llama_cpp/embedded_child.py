"""The child process that is the embedded server; run with `python -m`.

Reads one line of JSON settings from standard input, starts llama.cpp's server, answers with one
line of JSON on standard output, and then lives until its standard input is closed. The parent holds
the other end, so the child goes when the parent goes, however that dies; on Linux the kernel is
asked for the same, which also covers a parent killed while the model is being loaded. The API key
comes over the pipe and not over the command line, which every user of the machine can read.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from typing import Any, BinaryIO

from orket_lib.processes.parent_death import die_with_parent, wait_for_end_of


def main() -> None:
    """Serve until the parent goes away."""
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which ends us
    # llama.cpp writes to file descriptor 1 as it likes; the answer needs a channel of its own.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    requests = sys.stdin.buffer
    settings = json.loads(requests.readline())
    watcher = threading.Thread(target=_exit_at_end_of, args=(requests,), daemon=True)
    watcher.start()
    try:
        answer = _start(settings)
    except Exception as error:  # whatever the runtime raises, the parent has to hear of it
        missing = isinstance(error, ImportError)  # of a package: no word on the model
        answer = {"error": f"{type(error).__name__}: {error}", "installed": not missing}
    print(json.dumps(answer), file=answers, flush=True)
    watcher.join()


def _start(settings: dict[str, Any]) -> dict[str, Any]:
    """Start the server and return where it listens; the server runs in threads of its own."""
    import psutil
    import xllamacpp

    if settings["cpus"]:
        psutil.Process().cpu_affinity(settings["cpus"])  # inherited by all threads made from now on
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
    params.fit_params = False  # may shrink the context to what it thinks fits: ours is asked for
    params.cache_prompt = False
    params.cache_ram_mib = 0
    params.endpoint_props = params.endpoint_slots = params.endpoint_metrics = True
    params.ui = False
    begin = time.perf_counter()
    server = xllamacpp.Server(params)
    _alive.append(server)
    return {"address": server.listening_address, "model_seconds": time.perf_counter() - begin}


_alive: list[Any] = []  # the server stops when its object is collected


def _exit_at_end_of(stream: BinaryIO) -> None:
    wait_for_end_of(stream)
    os._exit(0)


if __name__ == "__main__":
    main()
