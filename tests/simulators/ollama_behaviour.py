"""How the simulated Ollama behaves: like a current server, unless a test says otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

Fault = Literal[
    "busy",  # 503 with the server's words
    "error_in_stream",  # an error line under HTTP 200
    "cut",  # the stream ends in good order, without its last line
    "reset",  # the connection ends in the middle of a chunk
    "not_json",
    "endless",
    "trickle",  # a piece every 0.2 s, for ever
    "hang",  # nothing at all
    "cloud",  # the answer comes from another machine
]


@dataclass(frozen=True)
class Behaviour:
    """What a server does.

    Attributes:
        version: That it reports.
        old: Before context, cached counts, capabilities and tensors were there, and before a client
            could forbid it to cut a prompt.
        cached_count: Tell how much of a prompt the cache served.
        free_prompts: Bare texts cost nothing: the cache serves all but the end of them.
        context: Load with this context whatever is asked for.
        cut_prompts: Silently keep so many tokens of a prompt.
        clock: When the time of the generation begins.
        tokens: A scripted answer ends after so many.
        stops: A bare text is ended soon. The reference model would do that, having learnt nothing
            but short answers; it is kept from it, to be like the models that Ollama serves.
        vram: Bytes that it says lie on a GPU.
        thinking: Reasoning before each answer.
        load_s: A load takes at least so long.
        prompt_token_s: So does each token of a prompt.
        token_s: So does each token of an answer.
        load_error: Loads fail with this.
        never_unloads: A model stays loaded when it should be unloaded.
        renames: Lists what is loaded under another name of the same digest.
        fault: Of streamed answers; those of chats where `fault_in` says so.
        fault_in: Route of the requests that it strikes.
        fault_after: Pieces of text before it strikes.
        one_byte: Write every byte for itself.
        bunch: Write so many lines at once.
    """

    version: str = "0.33.2"
    old: bool = False
    cached_count: bool = True
    free_prompts: bool = False
    context: int | None = None
    cut_prompts: int | None = None
    clock: Literal["first_token", "prompt_end"] = "first_token"
    tokens: int | None = None
    stops: bool = False
    vram: int = 0
    thinking: str = ""
    load_s: float = 0.0
    prompt_token_s: float = 0.0
    token_s: float = 0.0
    load_error: str = ""
    never_unloads: bool = False
    renames: str = ""
    fault: Fault | None = None
    fault_in: Literal["/api/chat", "/api/generate", ""] = ""
    fault_after: int = 2
    one_byte: bool = False
    bunch: int = 1

    def changed(self, changes: dict[str, Any]) -> Behaviour:
        """Return it with some things otherwise."""
        return replace(self, **changes)
