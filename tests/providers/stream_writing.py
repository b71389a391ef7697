"""Writes streams with quirks as bytes and times: what the provider fuzz is made of."""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from stream_quirks import Kind, Stream, Truth, Writes, chosen_quirks, some_truth


def make_stream(rng: random.Random, quick: bool = False) -> Stream:
    """Return a random stream with up to three quirks.

    Args:
        rng: Source of everything random.
        quick: It takes less than a second.
    """
    kind: Kind = rng.choice(("openai", "openai", "llama_cpp", "lmstudio", "ollama"))
    return build(kind, some_truth(rng, quick), chosen_quirks(rng, kind), rng)


def build(kind: Kind, truth: Truth, quirks: frozenset[str], rng: random.Random) -> Stream:
    """Return the stream of a server with these quirks."""
    stream = Stream(kind, truth, quirks)
    if "loading" in quirks:
        return _as_a_whole(stream, {"error": {"message": "Loading model"}}, 503, 0.01)
    if "err200" in quirks:
        return _as_a_whole(stream, {"error": {"message": "overloaded"}}, 200, 0.01)
    if "plain200" in quirks:
        stream.writes = [(0.01, b"Internal Server Error")]
        return replace(stream, headers={"Content-Type": "text/plain"})
    pieces = list(_pieces(stream, rng))
    stream.sent_s = pieces[0].at_s
    if "nostream" in quirks:
        return _as_a_whole(stream, _message(stream, pieces), 200, pieces[-1].at_s)
    events = _arriving(_broken(_events(stream, pieces, rng), quirks, rng), stream, rng)
    stream.writes = _split(_encoded(events, stream), rng)
    lines = kind == "ollama"
    stream.headers["Content-Type"] = "application/x-ndjson" if lines else "text/event-stream"
    if quirks & {"donelost", "reset"}:
        stream.end = "lost"
    if quirks & {"donesilent", "silent"}:
        stream.end = "silent"
    return stream


# What is said


@dataclass(frozen=True)
class _Piece:
    at_s: float
    text: str
    thought: bool = False


def _pieces(stream: Stream, rng: random.Random) -> Iterator[_Piece]:
    """Yield the pieces of the answer, when they are generated."""
    truth, quirks = stream.truth, stream.quirks
    thoughts = truth.output // 3 if "think" in quirks else 0
    unsent = truth.output * rng.randint(15, 60) // 100 if "hidden" in quirks else 0
    # Short words: what was not sent is then told by how little text there is.
    words = [
        rng.choice((" a", " lamp", " boat", " öl", " wind", " 7")) for _ in range(truth.output)
    ]
    at = 0
    while at < truth.output:
        number = rng.randint(2, 4) if "bundled" in quirks and at else 1
        number = min(number, truth.output - at)
        last = at + number - 1
        if at >= unsent:
            late_s = rng.uniform(0, min(0.3 * truth.token_s, 0.004)) if "jitter" in quirks else 0.0
            at_s = truth.first_s + last * truth.token_s + late_s
            yield _Piece(at_s, "".join(words[at : at + number]), at < thoughts)
        at += number


def _usage(stream: Stream, output: int) -> dict[str, Any] | None:
    truth, quirks = stream.truth, stream.quirks
    usage: dict[str, Any] = {"prompt_tokens": truth.prompt, "completion_tokens": output}
    if stream.kind == "openai":
        usage["prompt_tokens_details"] = {"cached_tokens": 0}
    if "nousage" in quirks:
        return None
    if "usagezero" in quirks:
        usage |= {"prompt_tokens": 0, "completion_tokens": 0}
    if "usageone" in quirks:
        usage |= {"prompt_tokens": 1, "completion_tokens": 1}
    if "usagenegative" in quirks:
        usage |= {"prompt_tokens": -1, "completion_tokens": -1}
    if "usagefloat" in quirks:
        usage |= {name: float(usage[name]) for name in ("prompt_tokens", "completion_tokens")}
    if "promptzero" in quirks:
        usage["prompt_tokens"] = 0
    if "promptone" in quirks:
        usage["prompt_tokens"] = 1
    return usage


def _message(stream: Stream, pieces: list[_Piece]) -> dict[str, Any]:
    message = {"role": "assistant", "content": "".join(piece.text for piece in pieces)}
    choice = {"index": 0, "message": message, "finish_reason": "length"}
    answer: dict[str, Any] = {"object": "chat.completion", "choices": [choice]}
    if usage := _usage(stream, stream.truth.output):
        answer["usage"] = usage
    return answer


# How it is written


@dataclass(frozen=True)
class _Event:
    at_s: float
    content: bytes


def _events(stream: Stream, pieces: list[_Piece], rng: random.Random) -> list[_Event]:
    return (_lines if stream.kind == "ollama" else _sse)(stream, pieces, rng)


def _sse(stream: Stream, pieces: list[_Piece], rng: random.Random) -> list[_Event]:
    truth, quirks = stream.truth, stream.quirks
    nl = "\r\n" if "crlf" in quirks else "\r" if "cr" in quirks else "\n"
    blank, name = (
        "" if "nospace" in quirks else " ",
        f"event: message{nl}" if "event" in quirks else "",
    )
    field_name = "reasoning" if "thinkfield" in quirks else "reasoning_content"
    events: list[_Event] = []

    def send(at_s: float, value: dict[str, Any] | str, tail: str = nl * 2) -> None:
        text = value if isinstance(value, str) else _json(value, quirks, rng)
        mark = "\ufeff" if "bom" in quirks and not events else ""
        events.append(_Event(at_s, f"{mark}{name}data:{blank}{text}{tail}".encode()))

    def choice(
        delta: dict[str, Any] | None, finish: str | None = None, **more: Any
    ) -> dict[str, Any]:
        choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
        usage = {"usage": None} if "usagenull" in quirks else {}
        return {"id": "c", "object": "chat.completion.chunk", **usage, "choices": choices, **more}

    if "norole" not in quirks:
        content = None if "rolenull" in quirks else ""
        send(0.001, choice({"role": "assistant", "content": content}))
    usage = _usage(stream, truth.output)
    last_s = pieces[-1].at_s
    for index, piece in enumerate(pieces):
        if "ping" in quirks and rng.random() < 0.2:
            events.append(_Event(piece.at_s, f": ping{nl}{nl}".encode()))
        delta: dict[str, Any] = {field_name if piece.thought else "content": piece.text}
        if piece.thought and "nothinkcontent" in quirks:
            delta["content"] = None
        if "empty" in quirks and rng.random() < 0.1:
            send(piece.at_s, choice({"content": ""}))
        more: dict[str, Any] = {}
        if "usageeach" in quirks and usage:
            more["usage"] = {**usage, "completion_tokens": index + 1}
        ended = "finishlast" in quirks and piece is pieces[-1]
        send(piece.at_s, choice(delta, "length" if ended else None, **more))
    if "error" in quirks:
        send(last_s, {"error": {"message": "boom", "code": 500}})
    if "errorline" in quirks:
        events.append(_Event(last_s, f'error: {{"message": "boom"}}{nl}{nl}'.encode()))
    final: dict[str, Any] = {"usage": usage} if usage else {}
    final |= _times(stream)
    if "usagefirst" in quirks and final:
        send(last_s, choice(None, **final))
    if "finishlast" not in quirks and "cut" not in quirks:
        send(last_s, choice({}, "length", **(final if "usagefinish" in quirks else {})))
    if final and not quirks & {"usagefirst", "usagefinish"}:
        send(last_s, choice(None, **final))
    if quirks & {"cut", "nodone"}:
        return events
    tail = {"donenonl": "", "doneonenl": nl}
    send(last_s, "[DONE]", next((tail[each] for each in tail if each in quirks), nl * 2))
    if "costafter" in quirks:
        send(last_s, {"choices": [], "cost": 1})
    return events


def _times(stream: Stream) -> dict[str, Any]:
    truth = stream.truth
    prompt_s, decode_s = truth.first_s, (truth.output - 1) * truth.token_s
    if stream.kind == "llama_cpp":
        times = {"prompt_n": truth.prompt, "cache_n": 0, "prompt_ms": 1000 * prompt_s}
        return {"timings": {**times, "predicted_n": truth.output, "predicted_ms": 1000 * decode_s}}
    if stream.kind == "lmstudio":
        return {"stats": {"time_to_first_token": prompt_s, "generation_time": decode_s}}
    return {}


def _lines(stream: Stream, pieces: list[_Piece], rng: random.Random) -> list[_Event]:
    truth, quirks = stream.truth, stream.quirks
    nl = "\r\n" if "crlf" in quirks else "\n"
    nl *= 1 + ("blanklines" in quirks)
    events: list[_Event] = []

    def send(at_s: float, value: dict[str, Any], tail: str = nl) -> None:
        events.append(_Event(at_s, f"{_json({'model': 'm', **value}, quirks, rng)}{tail}".encode()))

    for piece in pieces:
        message: dict[str, Any] = {"role": "assistant", "content": piece.text}
        if piece.thought:
            message = {"role": "assistant", "content": "", "thinking": piece.text}
        if "empty" in quirks and rng.random() < 0.1:
            send(piece.at_s, {"message": {"role": "assistant", "content": ""}, "done": False})
        send(piece.at_s, {"message": message, "done": False})
    last_s = pieces[-1].at_s
    if "error" in quirks:
        send(last_s, {"error": "boom"})
    if "cut" in quirks:
        return events
    usage = _usage(stream, truth.output) or {}
    counts = {
        "prompt_eval_count": usage.get("prompt_tokens"),
        "eval_count": usage.get("completion_tokens"),
        "prompt_eval_cached_count": 0,
    }
    last: dict[str, Any] = {"message": {"role": "assistant", "content": ""}, "done": True}
    last |= {"done_reason": "length", **{k: v for k, v in counts.items() if v is not None}}
    last |= {
        "prompt_eval_duration": int(truth.first_s * 1e9),
        "eval_duration": int((truth.output - 1) * truth.token_s * 1e9),
    }
    send(last_s, last, "" if "nolineend" in quirks else nl)
    return events


def _json(value: dict[str, Any], quirks: frozenset[str], rng: random.Random) -> str:
    if "shuffled" in quirks:
        value = dict(rng.sample(sorted(value.items()), len(value)))
    return json.dumps(value, ensure_ascii="ascii" in quirks)


def _as_a_whole(stream: Stream, value: dict[str, Any], status: int, at_s: float) -> Stream:
    stream.writes = [(at_s, json.dumps(value).encode())]
    return replace(stream, status=status, headers={"Content-Type": "application/json"})


# What breaks it


def _broken(events: list[_Event], quirks: frozenset[str], rng: random.Random) -> list[_Event]:
    if quirks & {"torn", "reset", "silent"}:
        # Before the last piece of text, so that neither `[DONE]` nor a finish is left.
        events = events[: max(2, len(events) // 2)]
    if "torn" in quirks:
        last = events[-1]
        events = [*events[:-1], replace(last, content=last.content[: len(last.content) // 2])]
    return events


# How it arrives


def _arriving(events: list[_Event], stream: Stream, rng: random.Random) -> list[_Event]:
    quirks, token_s = stream.quirks, stream.truth.token_s
    end_s = events[-1].at_s
    if "buffer" in quirks:
        return _in_sizes(events, rng.choice((512, 1024, 4096, 8192, 16384)))
    if "ticks" in quirks:
        tick_s = token_s * rng.choice((3, 5, 10, 40))
        return [replace(each, at_s=(int(each.at_s / tick_s) + 1) * tick_s) for each in events]
    if "burst" in quirks:
        content = b"".join(each.content for each in events)
        size = rng.choice((512, 4096, 65536))
        return [
            _Event(end_s + 0.0005 * number, content[at : at + size])
            for number, at in enumerate(range(0, len(content), size))
        ]
    if "frames" in quirks:
        gap_s = min(rng.choice((0.00002, 0.0002, 0.001)), 0.02 * token_s)
        return [_Event(end_s + gap_s * i, each.content) for i, each in enumerate(events)]
    if "heldfirst" in quirks:
        until_s = events[min(len(events) - 1, rng.randint(4, 40))].at_s
        return [replace(each, at_s=max(each.at_s, until_s)) for each in events]
    return events


def _in_sizes(events: list[_Event], size: int) -> list[_Event]:
    passed, held = [], b""
    for each in events:
        held += each.content
        if len(held) >= size:
            passed.append(_Event(each.at_s, held))
            held = b""
    return [*passed, _Event(events[-1].at_s, held)] if held else passed


def _encoded(events: list[_Event], stream: Stream) -> Writes:
    if not stream.quirks & {"gzip", "deflate"}:
        return [(each.at_s, each.content) for each in events]
    stream.headers["Content-Encoding"] = "gzip" if "gzip" in stream.quirks else "deflate"
    pack = zlib.compressobj(wbits=31 if "gzip" in stream.quirks else 15)
    writes = [
        (each.at_s, pack.compress(each.content) + pack.flush(zlib.Z_SYNC_FLUSH)) for each in events
    ]
    return [*writes, (events[-1].at_s, pack.flush())]


def _split(writes: Writes, rng: random.Random) -> Writes:
    """Return writes as the network cuts and joins them; none of it takes time."""
    way = rng.choice(("as written", "joined", "cut", "cut", "bytes"))
    if way == "as written":
        return writes
    if way == "joined":  # those of one moment come in one read
        joined: dict[float, bytes] = {}
        for at_s, content in writes:
            joined[at_s] = joined.get(at_s, b"") + content
        return sorted(joined.items())
    found: Writes = []
    for at_s, content in writes:
        most = len(content) - 1
        number = most if way == "bytes" and most < 60 else min(2, most)
        cuts = sorted(rng.sample(range(1, most + 1), max(0, number)))
        found += [(at_s, content[a:b]) for a, b in pairwise((0, *cuts, len(content))) if a < b]
    return found
