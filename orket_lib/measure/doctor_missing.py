"""What will be null on a machine and with a provider, with the reasons that artifacts will give."""

from __future__ import annotations

from collections.abc import Iterator

from orket_lib.artifacts.doctor import MissingReading
from orket_lib.telemetry import counters

_Why = tuple[str, str]  # reason and meaning
_NO_GPU = ("NO_GPU_USED", "models are served from main memory")
_NO_VRAM = ("VRAM_NOT_MEASURED", "this version samples no GPU memory per process")
_ATTACHED = ("SERVER_ALREADY_RUNNING", "the server has loaded its model before we come")
# What a provider's server doesn't tell, beside what is true of all of them.
_OF_PROVIDERS: dict[str, dict[str, _Why]] = {
    "ollama": {
        "prompt_tokens_per_second": (
            "CACHED_TOKENS_UNKNOWN",
            "with versions that don't tell how much of a prompt came from the cache",
        ),
    },
    "lmstudio": {
        "prompt_tokens_per_second": (
            "CACHED_TOKENS_UNKNOWN",
            "the server doesn't tell how much of a prompt came from the cache",
        ),
        "orchestration_overhead_ratio": (
            "TIMING_UNAVAILABLE",
            "the server tells no time of the prompt",
        ),
    },
    "openai": {
        "init_latency": _ATTACHED,
        "orchestration_overhead_ratio": (
            "TIMING_UNAVAILABLE",
            "the server tells no times; rates are by our own clock",
        ),
    },
}


def missing_on_machine() -> Iterator[MissingReading]:
    """Yield what this machine's sensors don't tell."""
    host = counters.host()
    for reading, value, reason, meaning in (
        ("temperature", host.temperature_c, "NO_TEMPERATURE_SENSOR", "no sensor is shown"),
        ("frequency", host.frequency_mhz, "NO_FREQUENCY_COUNTER", "the CPU's clock is not shown"),
        (
            "energy",
            host.energy_uj,
            "NO_ENERGY_COUNTER",
            "no counter of the CPU's energy that this user may read",
        ),
        ("steal", host.steal_s, "NO_STEAL_COUNTER", "a hypervisor's share is not shown"),
        ("load", host.load_1min, "NO_LOAD_AVERAGE", "the system keeps no load average"),
        ("swapping", host.swapped, "NO_SWAP_COUNTER", "the system doesn't count it"),
        ("pressure", host.psi_cpu_some_us, "NO_PSI", "the kernel keeps no stall times"),
    ):
        if value is None:
            yield MissingReading(reading=reading, reason=reason, meaning=meaning)


def missing_with(
    provider: str, attached: bool, remote: bool, has_gpu: bool
) -> Iterator[MissingReading]:
    """Yield what rows lack with a provider.

    Args:
        provider: The provider.
        attached: Its server runs already, where the provider could start one.
        remote: It is on another machine.
        has_gpu: Whether this machine shows a GPU.
    """
    table = {"peak_vram_mib": _NO_VRAM if has_gpu and provider != "embedded" else _NO_GPU}
    table |= _OF_PROVIDERS.get(provider, {})
    if attached and provider == "llama_server":
        table["init_latency"] = _ATTACHED
    if remote:
        table["peak_memory_rss"] = ("REMOTE_SERVER", "the server is on another machine")
    for reading, (reason, meaning) in sorted(table.items()):
        yield MissingReading(reading=reading, reason=reason, meaning=meaning)
