"""A simulated Ollama: its native API on a loopback port, byte for byte as the real one writes it.

    python tests/simulators/ollama_server.py --models '{"orket-nano:q4_K_M": {"file": "x.gguf"}}'

prints its port and serves until its standard input is closed. Models with a file are the reference
model and answer for real; others are scripted. What it does otherwise than a current server is set
with `--behaviour` or, while it runs, at `/simulator/...`. Left out of the real one: pulling,
creating, images, embeddings, tools, and that models expire by themselves.
"""

from __future__ import annotations

import argparse
import json
import socket
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import ThreadingHTTPServer
from typing import Any

from ollama_backends import Asked, Spent
from ollama_behaviour import Behaviour
from ollama_shelf import InMemory, Kept, Shelf, details, file_facts
from ollama_wire import GoHandler, go_json, go_time

_NS = 1_000_000_000
_BUSY = "server busy, please try again.  maximum pending requests exceeded"
_CLOUD = "https://ollama.com:443"


class Handler(GoHandler):
    """One connection."""

    shelf: Shelf
    seen: list[tuple[str, Any]]

    def do_GET(self) -> None:  # noqa: N802
        routes: dict[str, Callable[[], Any]] = {
            "/": lambda: "Ollama is running",
            "/api/version": lambda: {"version": self.behaviour.version},
            "/api/tags": self._tags,
            "/api/ps": self._ps,
            "/simulator/requests": lambda: self.seen,
            "/simulator/loads": lambda: self.shelf.loads,
        }
        route = routes.get(self.path)
        if route is None:
            self.send_text(404, "404 page not found")
        else:
            found = route()
            self.send_text(200, found) if isinstance(found, str) else self.send_json(200, found)

    def do_POST(self) -> None:  # noqa: N802
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        if self.path == "/simulator/behaviour":
            self.shelf.behaviour = self.behaviour.changed(body)
            self.send_json(200, {})
        elif self.path == "/simulator/load":
            self.shelf.ready(self._kept(body), body.get("options", {}))
            self.send_json(200, {})
        elif self.path == "/simulator/unload":
            self.shelf.drop(self._kept(body).digest)
            self.send_json(200, {})
        elif self.path == "/simulator/forget":
            del self.shelf.kept[body["name"]]
            self.send_json(200, {})
        elif self.path == "/simulator/keep":
            self.shelf.kept[body["name"]] = Kept(**body)
            self.send_json(200, {})
        elif self.path in ("/api/show", "/api/generate", "/api/chat"):
            self.seen.append((self.path, body))
            kept = self.shelf.find(body.get("model", ""))
            if kept is None:
                self.send_json(404, {"error": f"model '{body.get('model')}' not found"})
            elif self.path == "/api/show":
                self._show(kept)
            else:
                self._generate(kept, body)
        else:
            self.send_text(404, "404 page not found")

    @property
    def behaviour(self) -> Behaviour:
        """How to behave now."""
        return self.shelf.behaviour

    def _kept(self, body: dict[str, Any]) -> Kept:
        found = self.shelf.find(body["model"])
        assert found is not None
        return found

    # --- what there is ---

    def _tags(self) -> dict[str, Any]:
        return {"models": [self._listed(kept) for kept in self.shelf.kept.values()]}

    def _listed(self, kept: Kept) -> dict[str, Any]:
        remote = {"remote_model": kept.name.split("-cloud")[0], "remote_host": kept.remote}
        return {
            "name": kept.name,
            "model": kept.name,
            **(remote if kept.remote else {}),
            "modified_at": "2026-09-17T15:42:59.7420965+02:00",
            "size": kept.bytes,
            "digest": kept.digest,
            "details": details(kept),
        }

    def _ps(self) -> dict[str, Any]:
        return {"models": [self._running(item) for item in list(self.shelf.memory.values())]}

    def _running(self, item: InMemory) -> dict[str, Any]:
        context = {} if self.behaviour.old else {"context_length": item.n_ctx}
        return {
            "name": item.name,
            "model": item.name,
            "size": item.kept.bytes + item.n_ctx * 512 + self.behaviour.vram,
            "digest": item.kept.digest,
            "details": details(item.kept),
            "expires_at": go_time(item.expires),
            "size_vram": self.behaviour.vram,
            **context,
        }

    def _show(self, kept: Kept) -> None:
        info, tensors = file_facts(kept)
        thinks = ["thinking"] if self.behaviour.thinking else []
        remote = {"remote_model": kept.name, "remote_host": kept.remote} if kept.remote else {}
        newer = {"tensors": tensors, "capabilities": ["completion", *thinks]}
        self.send_json(
            200,
            {
                "modelfile": f'# Modelfile generated by "ollama show"\n# FROM {kept.name}\n',
                "template": "{{ .Prompt }}",
                "details": details(kept),
                **remote,
                "model_info": {} if kept.remote else info,
                **({} if self.behaviour.old else newer),
                "modified_at": "2026-09-17T15:42:59.7420965+02:00",
            },
        )

    # --- answers ---

    def _generate(self, kept: Kept, body: dict[str, Any]) -> None:
        begin = time.perf_counter()
        chat = self.path == "/api/chat"
        messages = body.get("messages", [])
        prompt = "\n".join(item["content"] for item in messages) if chat else body.get("prompt", "")
        if not prompt and body.get("keep_alive") == 0:
            self.shelf.expire(kept)
            self.send_json(200, self._piece(kept, chat, "", done=True, done_reason="unload"))
            return
        with self.shelf.lock:
            try:
                ready = self.shelf.ready(kept, body.get("options") or {})
            except RuntimeError as error:
                self.send_json(500, {"error": str(error)})
                return
            if not prompt:
                self.send_json(200, self._piece(kept, chat, "", done=True, done_reason="load"))
                return
            self._stream(kept, ready, body, prompt, chat, begin, time.perf_counter() - begin)

    def _stream(
        self,
        kept: Kept,
        ready: InMemory,
        body: dict[str, Any],
        prompt: str,
        chat: bool,
        begin: float,
        load_s: float,
    ) -> None:
        behaviour = self.behaviour
        options = body.get("options") or {}
        raw = bool(body.get("raw"))
        length = ready.backend.count(prompt, raw)
        cut_to = behaviour.cut_prompts
        if length >= ready.n_ctx:
            if body.get("truncate", True) or behaviour.old:
                cut_to = min(cut_to or ready.n_ctx, ready.n_ctx // 2)
            else:
                # The words of llama.cpp's server are passed on as they are: JSON within a string.
                inner = {
                    "code": 400,
                    "message": f"request ({length} tokens) exceeds the available context size "
                    f"({ready.n_ctx} tokens), try increasing it",
                    "type": "exceed_context_size_error",
                    "n_prompt_tokens": length,
                    "n_ctx": ready.n_ctx,
                }
                self.send_json(400, {"error": go_json({"error": inner}).decode()})
                return
        fault = behaviour.fault if behaviour.fault_in in ("", self.path) else None
        if fault == "busy":
            self.send_json(503, {"error": _BUSY})
            return
        if fault == "hang":
            self.connection.recv(1, socket.MSG_PEEK)  # returns when the client goes
            self.close_connection = True
            return
        asked = Asked(
            prompt=prompt,
            raw=raw,
            max_tokens=min(options.get("num_predict", -1) % 10**6, ready.n_ctx - 1),
            temperature=options.get("temperature", 0.8),
            seed=options.get("seed", 0),
            endless=raw and not behaviour.stops,
            free_prompt=raw and behaviour.free_prompts,
            cut_to=cut_to,
        )
        self.bunch, self.one_byte = behaviour.bunch, behaviour.one_byte
        self.begin()
        count = 0
        prompt_s = behaviour.prompt_token_s * length
        time.sleep(prompt_s)
        for thought in behaviour.thinking.split() if chat else ():
            self.line(self._piece(kept, chat, "", thinking=f"{thought} "))
        for part in ready.backend.stream(asked):
            if isinstance(part, Spent):
                slow = (part.prompt_s + prompt_s, part.decode_s + behaviour.token_s * count)
                spent = replace(part, prompt_s=slow[0], decode_s=slow[1])
                self.line(self._last(kept, chat, spent, begin, load_s))
                break
            if fault not in (None, "cloud") and count >= behaviour.fault_after:
                self._strike(fault, kept, chat)
                return
            if part:
                count += 1
                time.sleep(behaviour.token_s)
                remote = {"remote_model": kept.name, "remote_host": _CLOUD}
                self.line(self._piece(kept, chat, part, **(remote if fault == "cloud" else {})))
        self.end()

    def _piece(self, kept: Kept, chat: bool, text: str, **more: Any) -> dict[str, Any]:
        thinking = {"thinking": more.pop("thinking")} if "thinking" in more else {}
        said: dict[str, Any] = (
            {"message": {"role": "assistant", "content": text, **thinking}}
            if chat
            else {"response": text, **thinking}
        )
        remote: dict[str, Any] = {
            key: more.pop(key) for key in ("remote_model", "remote_host") if key in more
        }
        done = more.pop("done", False)
        head = {"model": kept.name, **remote, "created_at": go_time()}
        return {**head, **said, "done": done, **more}

    def _last(
        self, kept: Kept, chat: bool, spent: Spent, begin: float, load_s: float
    ) -> dict[str, Any]:
        counts_cached = self.behaviour.cached_count and not self.behaviour.old
        numbers = {
            "total_duration": round((time.perf_counter() - begin) * _NS),
            "load_duration": round(load_s * _NS),
            "prompt_eval_count": spent.prompt,
            "prompt_eval_duration": round(spent.prompt_s * _NS),
            "eval_count": spent.output,
            "eval_duration": round(spent.decode_s * _NS),
        }
        kept_numbers: dict[str, Any] = {}
        for name, value in numbers.items():
            if value:  # Go leaves zeros out
                kept_numbers[name] = value
            if name == "prompt_eval_count" and counts_cached:  # a pointer: it may be zero
                kept_numbers["prompt_eval_cached_count"] = spent.cached
        reason = "length" if spent.limited else "stop"
        return self._piece(kept, chat, "", done=True, done_reason=reason, **kept_numbers)

    def _strike(self, fault: str, kept: Kept, chat: bool) -> None:
        if fault == "error_in_stream":
            self.line({"error": "an error was encountered while running the model: CUDA error"})
        elif fault == "not_json":
            self.write(b"<html>502 Bad Gateway</html>\n")
        elif fault == "reset":
            self.wfile.write(b"40\r\n{")
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return
        elif fault in ("endless", "trickle"):
            line = go_json(self._piece(kept, chat, "word " * 200)) + b"\n"
            try:
                while True:
                    self.write(line)
                    time.sleep(0.2 if fault == "trickle" else 0)
            except OSError:
                self.close_connection = True
                return
        self.end()


class Server(ThreadingHTTPServer):
    """Many connections; one that its client leaves is no error."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def main() -> None:
    """Serve until standard input is closed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--models", type=json.loads, default={}, help="JSON: {tag: {file, ...}}")
    parser.add_argument("--behaviour", type=json.loads, default={}, help="JSON: what differs")
    options = parser.parse_args()
    kept = {name: Kept(name=name, **facts) for name, facts in options.models.items()}
    shelf = Shelf(kept, Behaviour(**options.behaviour))
    handler = type("Bound", (Handler,), {"shelf": shelf, "seen": []})
    server = Server(("127.0.0.1", options.port), handler)
    print(server.server_port, flush=True)  # noqa: T201
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()
    shelf.close()


if __name__ == "__main__":
    main()
