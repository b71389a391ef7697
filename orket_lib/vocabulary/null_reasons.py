"""Why a number is missing: the one table of reasons for nulls, with the meaning of each.

Code writes `Null("NO_GPU")`; a test fails for a code that is not in this table.
"""

from __future__ import annotations

from enum import StrEnum


class NullReason(StrEnum):
    """A reason in `null_reasons`.

    Attributes:
        meaning: Shown by the report and the doctor, and listed in docs/reference/metrics.md.
    """

    meaning: str

    def __new__(cls, code: str, meaning: str) -> NullReason:
        """Return a member whose value is its code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    # Requests and their tokens
    CACHED_TOKENS_UNKNOWN = (
        "CACHED_TOKENS_UNKNOWN",
        "the server does not report cached prompt tokens",
    )
    DECODE_CLOCK_UNKNOWN = "DECODE_CLOCK_UNKNOWN", "start of the server's generation clock unknown"
    INVALID_VALUE = "INVALID_VALUE", "the runner's command reported no number in the allowed range"
    NO_CONTENT = "NO_CONTENT", "the server sent no text"
    NO_TIME = "NO_TIME", "the time is 0, so there is no ratio"
    NOT_OBSERVED = "NOT_OBSERVED", "the client did not see the event that the time is measured from"
    NOT_STREAMED = "NOT_STREAMED", "the server sends answers as a whole, although asked to stream"
    NOT_REPORTED = "NOT_REPORTED", "the server, or the runner's command, does not report it"
    PROMPT_FULLY_CACHED = "PROMPT_FULLY_CACHED", "the server took the whole prompt from its cache"
    NO_THINKING_SENT = "NO_THINKING_SENT", "no answer began with reasoning that the server sent"
    RUN_ERROR = "RUN_ERROR", "the request failed"
    RUN_TIMEOUT = "RUN_TIMEOUT", "the request exceeded its time limit"
    STREAM_BUFFERED = "STREAM_BUFFERED", "the stream arrived in pieces, not as it was generated"
    THINKING_NOT_COUNTED = (
        "THINKING_NOT_COUNTED",
        "the server counts reasoning with the answer, and has no tokenizer to ask",
    )
    TIMING_UNAVAILABLE = "TIMING_UNAVAILABLE", "the server reported no usable times"
    TOKEN_COUNT_UNAVAILABLE = "TOKEN_COUNT_UNAVAILABLE", "the server reported no usable token count"
    TOKENS_NOT_STREAMED = "TOKENS_NOT_STREAMED", "the server counts tokens that it did not send"
    TOO_FEW_OUTPUT_TOKENS = "TOO_FEW_OUTPUT_TOKENS", "fewer than 16 output tokens give no rate"

    # Models and servers
    NO_LOCAL_FILE = "NO_LOCAL_FILE", "the model file belongs to the server and can't be read here"
    NOT_SERVED = "NOT_SERVED", "the model was never served"
    PROCESS_GONE = "PROCESS_GONE", "the server had ended before it was sampled"
    REMOTE_SERVER = "REMOTE_SERVER", "the server is on another machine, or was not found here"
    SERVER_ALREADY_RUNNING = "SERVER_ALREADY_RUNNING", "the server had loaded its model before"
    UNKNOWN_QUANT_TYPE = (
        "UNKNOWN_QUANT_TYPE",
        "the file has tensors of a type that is not known here, so their size is unknown",
    )
    UNKNOWN_TAG = "UNKNOWN_TAG", "bits per weight are unknown; `quant_bits` in the config sets them"

    TOOLS_NOT_IN_TEMPLATE = "TOOLS_NOT_IN_TEMPLATE", "the model's chat template takes no tools"
    TOOLS_REFUSED = "TOOLS_REFUSED", "the server refuses requests with tools"

    MEASURED_AT_THE_PICK = (
        "MEASURED_AT_THE_PICK",
        "contexts are measured after the decision, at the recommended quant",
    )

    # The host
    CANARY_LATENCY = (
        "CANARY_LATENCY",
        "the canary found the machine too unsteady for times (`canary_on_latency: quality_only`)",
    )
    ENERGY_COUNTER_RESET = "ENERGY_COUNTER_RESET", "the energy counter restarted in the meantime"
    ENERGY_COUNTER_STUCK = "ENERGY_COUNTER_STUCK", "the energy counter does not advance"
    NO_ENERGY_COUNTER = "NO_ENERGY_COUNTER", "no energy counter that this user may read"
    NO_FREQUENCY_COUNTER = "NO_FREQUENCY_COUNTER", "the system does not show the CPU's clock"
    NO_LOAD_AVERAGE = "NO_LOAD_AVERAGE", "no load average of the CPUs that may be used"
    NO_PEAK_COUNTER = "NO_PEAK_COUNTER", "the system does not record a process's peak memory"
    NO_PSI = "NO_PSI", "the kernel does not record pressure stall times"
    NO_STEAL_COUNTER = "NO_STEAL_COUNTER", "the system does not show CPU time of the hypervisor"
    NO_THROTTLE_COUNTER = "NO_THROTTLE_COUNTER", "the system does not count CPU throttling"
    NO_SWAP_COUNTER = "NO_SWAP_COUNTER", "the system does not count swapping"
    NO_TEMPERATURE = "NO_TEMPERATURE", "no run has a temperature"
    NO_TEMPERATURE_SENSOR = "NO_TEMPERATURE_SENSOR", "this machine shows no CPU temperature"
    NOT_SAMPLED = "NOT_SAMPLED", "no sample was taken at that moment"
    TELEMETRY_GAP = "TELEMETRY_GAP", "no sample was taken for more than 3 s"

    # GPUs
    ANOTHER_SENSOR_RESTED = "ANOTHER_SENSOR_RESTED", "the rest was measured by another sensor"
    GPU_LOST = "GPU_LOST", "the GPU was there and stopped answering"
    GPU_NOT_WATCHED = "GPU_NOT_WATCHED", "no GPU was sampled during the measurement"
    NO_DEVICE = "NO_DEVICE", "the driver is installed and shows no GPU"
    NO_DRIVER = "NO_DRIVER", "the driver of this vendor is not installed"
    NO_GPU = "NO_GPU", "no driver on this machine shows a GPU"
    NO_GPU_USED = "NO_GPU_USED", "the model was served from main memory only"
    NO_IDLE_SECOND = "NO_IDLE_SECOND", "a GPU was never idle for a second: idle power unknown"
    NO_PERMISSION = "NO_PERMISSION", "the driver does not show it to this user"
    NO_PROCESS_LIST = "NO_PROCESS_LIST", "the driver does not list processes"
    NO_SENSOR = "NO_SENSOR", "the device has no such sensor"
    NOT_ABOVE_IDLE = "NOT_ABOVE_IDLE", "the GPUs used no more energy than when idle"
    NOT_SEEN_ON_A_GPU = (
        "NOT_SEEN_ON_A_GPU",
        "the server was not seen on a GPU; it may still use one",
    )
    NOT_SUPPORTED = "NOT_SUPPORTED", "the card or its driver does not report it"
    PROCESS_MEMORY_NOT_AVAILABLE = (
        "PROCESS_MEMORY_NOT_AVAILABLE",
        "the system does not report GPU memory per process",
    )
    SERVER_NOT_SEEN_ON_A_GPU = (
        "SERVER_NOT_SEEN_ON_A_GPU",
        "there are several GPUs, and it is unknown which of them serve",
    )
    SHARED_BY_MIG_INSTANCES = "SHARED_BY_MIG_INSTANCES", "only that of the whole card is known"
    UTILIZATION_NOT_TOLD = (
        "UTILIZATION_NOT_TOLD",
        "the driver does not report utilization, so idle seconds are unknown",
    )
    VRAM_NOT_MEASURED = "VRAM_NOT_MEASURED", "GPU memory was not measured, and may be in use"
    WINDOW_TOO_SHORT = (
        "WINDOW_TOO_SHORT",
        "the measured times are too short for the resolution of the energy counter",
    )

    # Memory at a failure
    NO_PROCESS = "NO_PROCESS", "the server has no process on this machine"
    NOBODY_ELSE = "NOBODY_ELSE", "no other process holds memory"
    NOT_COUNTED = "NOT_COUNTED", "the peak memory was not recorded"
    NOT_ESTIMATED = "NOT_ESTIMATED", "there is no estimate of the model's memory"
    NOT_READABLE = "NOT_READABLE", "the system log can't be read"

    # Rows and summaries
    ANSWERS_DISTURBED = (
        "ANSWERS_DISTURBED",
        "its answers may have been disturbed, so they are compared with no others",
    )
    CANARY_NOT_MEASURED = "CANARY_NOT_MEASURED", "the canary's model could not be served"
    CANARY_OFF = "CANARY_OFF", "the sweep ran without a canary"
    FIDELITY_OFF = "FIDELITY_OFF", "the config has `fidelity: off`"
    FEWER_THAN_2_SAMPLES = "FEWER_THAN_2_SAMPLES", "at least two samples are needed"
    MEMORY_UNKNOWN = "MEMORY_UNKNOWN", "the memory of this quant or of the baseline is unknown"
    NO_ANSWER_SHOWN = (
        "NO_ANSWER_SHOWN",
        "the runner reports scores without answers, so there is nothing to compare",
    )
    NO_ANSWERS_TO_COMPARE = (
        "NO_ANSWERS_TO_COMPARE",
        "neither of the two has an answer to a task that both were asked",
    )
    NO_CELL_MEASURED = (
        "NO_CELL_MEASURED",
        "no cell is measured yet that the time can be estimated from, and nothing has a known size",
    )
    NO_CORRECT_ANSWER = "NO_CORRECT_ANSWER", "no graded run passed"
    NO_EXPECTED_ANSWER = (
        "NO_EXPECTED_ANSWER",
        "the tasks have no expected answers: only agreement with the baseline is known",
    )
    NO_MEMORY_SAVED = "NO_MEMORY_SAVED", "the quant needs no less memory than the baseline"
    NO_PROBE = "NO_PROBE", "no speed probe was run"
    NO_RUN = "NO_RUN", "no graded run took place"
    NO_FORM_ASKED = "NO_FORM_ASKED", "no task that was answered asks for a form of the answer"
    NO_RUN_ANSWERED = "NO_RUN_ANSWERED", "every run ended in an error or a timeout"
    NO_SESSION = "NO_SESSION", "the sweep has no model"
    NO_VALID_BASELINE = "NO_VALID_BASELINE", "there is no valid row to compare with"
    NOT_AROUND_THE_SWEEP = "NOT_AROUND_THE_SWEEP", "the opening canary was measured again since"
    NO_KLD = "NO_KLD", "its probabilities were not compared (`fidelity: kld` compares them)"
    NOT_MEASURED = "NOT_MEASURED", "it was not measured"
    NOT_OF_THIS_KIND = "NOT_OF_THIS_KIND", "a run of this kind has no such number"
    NOTHING_MEASURED = "NOTHING_MEASURED", "no row was measured"
    OLDER_FILE = "OLDER_FILE", "the file was written before this reading existed"
    ONE_RUN_PER_TASK = "ONE_RUN_PER_TASK", "determinism needs at least two runs of each task"
    TIMES_DISTURBED = "TIMES_DISTURBED", "the row is not valid, so its speeds don't count"

    # Sidecars
    NOT_APPLICABLE = "NOT_APPLICABLE", "the sidecar's hardware or tool is not on this machine"
    NOT_PRINTED = "NOT_PRINTED", "the sidecar's command did not print it"

    # Baselines
    FEWER_THAN_3_BASELINES = "FEWER_THAN_3_BASELINES", "at least 3 baselines are needed"
    FEWER_THAN_3_BASELINES_HAVE_IT = (
        "FEWER_THAN_3_BASELINES_HAVE_IT",
        "fewer than 3 comparable baselines have this figure",
    )
    FEWER_THAN_3_CLEAN_BASELINES = "FEWER_THAN_3_CLEAN_BASELINES", "fewer than 3 clean baselines"
    NO_TASK_ANSWERED_IN_ALL = (
        "NO_TASK_ANSWERED_IN_ALL",
        "no task was answered in this sweep and in all baselines",
    )
    NOT_ABOVE_0 = "NOT_ABOVE_0", "the value is not above 0, so it has no logarithm"

    # Contexts
    FOLLOW_UP_FAILED = "FOLLOW_UP_FAILED", "a follow-up request failed"
    NO_CONTEXT_PASSED = "NO_CONTEXT_PASSED", "no context passed"
    NO_CONTEXT_TRIED = "NO_CONTEXT_TRIED", "no context was tried"
    NO_FOLLOW_UP = "NO_FOLLOW_UP", "no follow-up was sent"
    SMALLEST_CONTEXT_FAILED = "SMALLEST_CONTEXT_FAILED", "the smallest context already failed"
    SWEEP_DOES_NOT_FILL_THE_CONTEXT = (
        "SWEEP_DOES_NOT_FILL_THE_CONTEXT",
        "the prompts of an ordinary sweep do not fill the context",
    )
    SWEEP_HAS_NO_FOLLOW_UP = "SWEEP_HAS_NO_FOLLOW_UP", "an ordinary sweep sends no follow-ups"

    # Probabilities of tokens
    NO_PROBABILITIES = "NO_PROBABILITIES", "the server gives no probabilities of tokens"
    WRONG_PROBABILITIES = (
        "WRONG_PROBABILITIES",
        "the server's probabilities of a token's alternatives don't add up",
    )
    OTHER_TOKENS = (
        "OTHER_TOKENS",
        "the quant's server cuts the texts into other tokens than the baseline's",
    )
    NOT_SERVED_AS_PLANNED = (
        "NOT_SERVED_AS_PLANNED",
        "model, server or settings were not as planned, of the quant or of the baseline",
    )

    # Thermal series
    CLOCKS_DIFFER = "CLOCKS_DIFFER", "the rates come from different clocks"
    NO_GENERATION_ANSWERED = "NO_GENERATION_ANSWERED", "every generation of the run failed"
    BUDGET_SPENT = "BUDGET_SPENT", "the budget of the sweep had no time left for it"
    NO_QUANT_CHOSEN = "NO_QUANT_CHOSEN", "no quant is recommended, so none is measured further"
    NO_RUN_COUNTS = "NO_RUN_COUNTS", "every run was disturbed by something other than heat"
    NOT_IN_SUMMARY = "NOT_IN_SUMMARY", "a sweep summary does not hold it"
    ONE_VALUE_ONLY = "ONE_VALUE_ONLY", "one value has no standard error"
    SIDECAR_OF_AN_EARLIER_RUN = (
        "SIDECAR_OF_AN_EARLIER_RUN",
        "the sidecar was measured once and belongs to an earlier run",
    )
    TOO_FEW_RUNS = "TOO_FEW_RUNS", "at least 3 runs are needed"


# Reasons that end in a status, an error code or a version.
_BY_PREFIX = {
    "STATUS_": "the cell has no measurement, see failed rows",
    "EXIT_STATUS_": "the sidecar's command failed with this exit status",
    "NVML_ERROR_": "NVIDIA's library returned this error code",
    "AMDSMI_ERROR_": "AMD's library returned this error code",
    "GPU_METRICS_V": "this version of the AMD driver's metrics can't be read",
}


def meaning_of(reason: str) -> str:
    """Return what a reason means, "" for the error of a sidecar's command, in upper case."""
    if found := NullReason.__members__.get(reason):
        return found.meaning
    return next((text for start, text in _BY_PREFIX.items() if reason.startswith(start)), "")
