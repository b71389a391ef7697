"""Providers, their traits, and the addresses of their servers.

To add a provider, write its package below `orket_lib.providers` and add one entry to `PROVIDERS`.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

LOAD_TIMEOUT_S = 1800.0  # a model of hundreds of GB, from a slow disk

_EXAMPLE = "an address such as http://127.0.0.1:8080"
_SCHEME = re.compile(r"(?i)(?P<name>https?):?/+")
_BARE_IPV6 = re.compile(r"(?i)[0-9a-f]*:[0-9a-f]*:[0-9a-f:]*(?:$|/)")
_AROUND = " \t\r\n\u00a0\u200b\ufeff<>\"'`,;\u201c\u201d\u2018\u2019"  # of a pasted address
_LISTENING = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # where a server listens
_OPENAI_ROUTES = r"/v1(/.*)?|(/chat)?/completions"

_CACHE_UNKNOWN = "CACHED_TOKENS_UNKNOWN"
_NO_TIMES = "TIMING_UNAVAILABLE"


@dataclass(frozen=True)
class ProviderTraits:
    """What the rest of the program knows about a provider.

    Attributes:
        name: As a config writes it.
        implementation: `module:class` of its `Provider`, imported when it is used.
        runtime: Python package that serves the model in a child process, on the CPU; None for a
            server that is a program of its own.
        binary: Program that is started where the config gives no `base_url`.
        default_url: Where its server listens by default; None where it is always started for a
            cell.
        needs_url: The default is only a guess, so the config must give `base_url`.
        serves_files: A cell is a GGUF file when the server is started for it.
        loads_models: A running server loads and unloads models on request.
        loads_with: Controls that a running server takes with each load.
        load_settings: Settings of the load, such as the KV cache's types, that it can apply.
        load_note: Added where one is refused.
        reports_quant: A running server reports the quant of its models.
        reports_seed: The seed that a request was sampled with can be read back.
        budgets_thinking: Its requests take a limit for the tokens of reasoning.
        gives_probabilities: The server lists probabilities of tokens.
        reports_vram: The server reports how much GPU memory a model takes.
        routes: Pattern of the paths of its own API, which people paste with the address.
        details_per_model: Each model has a page of details, one more request for each.
        start: Command that starts a server; may name `{file}`, `{tag}`, `{alias}` and `{port}`.
        pull: Command that downloads a model; may name `{tag}`, `{name}` and `{variant}`.
        unload: Command that unloads the model `{tag}`.
        key_notes: By config key, the effect of setting it where that is none or uncertain.
        never_reports: By reading, reason and meaning of the null that rows always have.
    """

    name: str
    implementation: str
    runtime: str | None = None
    binary: str | None = None
    default_url: str | None = None
    needs_url: bool = False
    serves_files: bool = False
    loads_models: bool = False
    loads_with: frozenset[str] = frozenset()
    load_settings: frozenset[str] = frozenset()
    load_note: str = ""
    reports_quant: bool = False
    reports_seed: bool = False
    budgets_thinking: bool = True
    gives_probabilities: bool = True
    reports_vram: bool = False
    details_per_model: bool = False
    routes: str = ""
    start: str | None = None
    pull: str | None = None
    unload: str | None = None
    key_notes: Mapping[str, str] = field(default_factory=dict)
    never_reports: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def on_cpu(self) -> bool:
        """Whether models are served from main memory only."""
        return self.runtime is not None

    def starts_binary(self, base_url: str | None) -> bool:
        """Tell whether the user's own program is started for each cell."""
        return self.binary is not None and base_url is None

    def starts_server(self, base_url: str | None) -> bool:
        """Tell whether a server is started for each cell, rather than used as it runs."""
        return self.runtime is not None or self.starts_binary(base_url)

    def keeps_its_model(self, base_url: str | None) -> bool:
        """Tell whether the server runs already and serves what it was started with."""
        return not self.starts_server(base_url) and not self.loads_models


ALREADY_RUNNING = ("SERVER_ALREADY_RUNNING", "the server has loaded its model before the sweep")
_OF_A_CACHE = frozenset({"cache_type_k", "cache_type_v"})
_BATCHES = frozenset({"batch_size", "ubatch_size"})
_NO_EFFECT_EMBEDDED = "no effect: provider `embedded` starts its own server on the CPU"

# In the order in which the doctor asks them and prefers what they serve.
PROVIDERS: dict[str, ProviderTraits] = {
    traits.name: traits
    for traits in (
        ProviderTraits(
            name="embedded",
            implementation="orket_lib.providers.llama_cpp.embedded:EmbeddedProvider",
            runtime="xllamacpp",
            serves_files=True,
            load_settings=_OF_A_CACHE | _BATCHES | {"flash_attn"},
            load_note=", and serves on the CPU",
            reports_seed=True,
            key_notes=dict.fromkeys(
                ("base_url", "api_key", "exclusive", "gpu_devices"), _NO_EFFECT_EMBEDDED
            ),
        ),
        ProviderTraits(
            name="ollama",
            implementation="orket_lib.providers.ollama.provider:OllamaProvider",
            default_url="http://127.0.0.1:11434",
            loads_models=True,
            loads_with=frozenset({"threads"}),
            load_settings=frozenset({"gpu_layers", "batch_size"}),
            load_note=(
                "; OLLAMA_KV_CACHE_TYPE and OLLAMA_FLASH_ATTENTION are of the whole server, and "
                "set when it is started"
            ),
            reports_quant=True,
            reports_vram=True,
            budgets_thinking=False,
            details_per_model=True,
            routes=r"/api(/(tags|chat|generate|version|show|ps|pull|embed|embeddings))?",
            start="ollama serve",
            pull="ollama pull {tag}",
            unload="ollama stop {tag}",
            key_notes={
                "threads": (
                    "provider `ollama` sends it and reads it back from the command line of the "
                    "process that holds the model; where that is not visible, rows say "
                    "MISSING_EXPERIMENTAL_CONTROLS"
                )
            },
            never_reports={
                "prompt_tokens_per_second": (
                    _CACHE_UNKNOWN,
                    "with versions that don't report how much of a prompt came from the cache",
                )
            },
        ),
        ProviderTraits(
            name="lmstudio",
            implementation="orket_lib.providers.lmstudio.provider:LmStudioProvider",
            default_url="http://127.0.0.1:1234",
            routes=r"/api/v[01](/.*)?",
            loads_models=True,
            load_settings=frozenset({"flash_attn", "batch_size"}),
            budgets_thinking=False,
            gives_probabilities=False,
            reports_quant=True,
            start="lms server start",
            pull="lms get {name}@{variant}",
            unload="lms unload {tag}",
            never_reports={
                "prompt_tokens_per_second": (
                    _CACHE_UNKNOWN,
                    "the server doesn't report how much of a prompt came from the cache",
                ),
                "orchestration_overhead_ratio": (_NO_TIMES, "it doesn't report a prompt's time"),
            },
        ),
        ProviderTraits(
            name="llama_server",
            implementation="orket_lib.providers.llama_cpp.server:LlamaServerProvider",
            binary="llama-server",
            load_settings=_OF_A_CACHE | _BATCHES | {"flash_attn", "gpu_layers"},
            default_url="http://127.0.0.1:8080",
            routes=r"/(props|health|metrics|slots|completion|tokenize|models)",
            serves_files=True,
            reports_quant=True,
            reports_seed=True,
            start="llama-server -m {file} --port {port}{alias} --metrics --slots --parallel 1",
        ),
        ProviderTraits(
            name="openai",
            implementation="orket_lib.providers.openai.provider:OpenAiProvider",
            default_url="http://127.0.0.1:8000",  # vLLM
            needs_url=True,
            start="vllm serve {tag} --port {port}",
            key_notes={
                "exclusive": "no effect: provider `openai` loads and unloads nothing",
                "n_ctx": (
                    "provider `openai` can't set it; rows of a server that has less, or doesn't "
                    "report its context, say CONTEXT_MISMATCH"
                ),
            },
            never_reports={
                "init_latency": ALREADY_RUNNING,
                "orchestration_overhead_ratio": (
                    _NO_TIMES,
                    "the server reports no times; rates come from the client's clock",
                ),
            },
        ),
    )
}

# Of a server: a model that names another provider doesn't inherit them.
OF_A_SERVER = (
    *("base_url", "allow_remote", "exclusive", "api_key", "server_binary", "server_args"),
    *("gpu_devices", "artifact_template", "tag_template", "threads", "affinity_policy"),
)


def typed(name: str) -> str:
    """Return a model's name as an argument of a command for people to type."""
    return f"{'-- ' if name.startswith('-') else ''}{shlex.quote(name)}"


def default_urls() -> dict[str, str]:
    """Return where the server of each provider listens by default, by provider."""
    return {name: found.default_url for name, found in PROVIDERS.items() if found.default_url}


def server_address(url: str, provider: str | None = None) -> str:
    """Return the address of a server from what people type or paste.

    A missing `http://`, quotes, blanks, and the route that a client or a browser was given
    (`/v1/chat/completions`, `/api/tags`) make no difference; a prefix of a proxy is kept. An
    address to listen on (`0.0.0.0`) becomes this machine's own.

    Args:
        url: The address.
        provider: Which API the server has; its own routes are taken away, too.

    Raises:
        ValueError: It is not an HTTP address, or contains a user, a password or a query; says what
            is allowed.
    """
    text = url.strip(_AROUND).replace("\\", "/")
    scheme = _SCHEME.match(text)
    if scheme is None and "://" in text:
        raise ValueError(f"must begin with http:// or https://, {_EXAMPLE}")
    rest = text[scheme.end() :] if scheme else text
    name = (scheme["name"] if scheme else "http").lower()
    if _BARE_IPV6.match(rest):
        raise ValueError(f"must hold an IPv6 address in brackets, as in {name}://[::1]:8080")
    try:
        parts = urlsplit(f"{name}://{rest}")
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port = "", None
    if not host or port == 0 or any(it.isspace() or not it.isprintable() for it in rest):
        raise ValueError(f"must be {_EXAMPLE}")
    if parts.username or parts.password:
        raise ValueError("must not hold a user or password")
    if parts.query:
        raise ValueError(f"must not hold a query (`?...`), must be {_EXAMPLE}")
    host = _LISTENING.get(host, host.removesuffix("."))
    shown = f"[{host}]" if ":" in host else host
    return f"{name}://{shown}{f':{port}' if port else ''}{_prefix(parts.path, provider)}"


def _prefix(path: str, provider: str | None) -> str:
    """Return a path without the routes of a server."""
    routes = PROVIDERS[provider].routes if provider in PROVIDERS else ""
    found = re.search(rf"({_OPENAI_ROUTES}{'|' if routes else ''}{routes})/*$", path)
    return (path[: found.start()] if found else path).rstrip("/")


def same_server(url: str | None) -> str | None:
    """Return one spelling for all addresses that reach the same server from this machine."""
    if url is None:
        return None
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    named = "127.0.0.1" if host == "localhost" else host
    return (
        f"{parts.scheme}://{f'[{named}]' if ':' in named else named}:{port}{parts.path.rstrip('/')}"
    )


def remote_host(url: str | None) -> str | None:
    """Return the host of an address if it is another machine, else None."""
    host = urlsplit(url or "").hostname
    return host if host and not is_loopback(host) else None


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine, without a DNS lookup."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
