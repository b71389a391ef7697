"""The KPI gate's verdict: which figures miss their limits, and by what."""

from __future__ import annotations

from orket_lib.artifacts.views.kpis import KpiPolicy
from orket_lib.artifacts.views.summary import StabilityKpis
from orket_lib.vocabulary.thresholds import exceeds, reaches

_AS_ASKED = "_as_asked"
_IN_WORDS = {
    "ONE_RUN_PER_TASK": "1 run per task",
    "NO_ANSWER_SHOWN": "the runner shows no answers",
    "NOTHING_MEASURED": "nothing measured",
    "NO_SESSION": "no model",
}


def gate_failures(kpis: StabilityKpis, policy: KpiPolicy) -> tuple[str, ...]:
    """Return a sentence for each KPI that misses its limit; a null one misses it (trap T9).

    Where rows that are not valid were asked for, the models that have one of those count, too.
    """
    asked = kpis.frontier_success_rate_as_asked
    success = f"frontier_success_rate{'' if asked is None else _AS_ASKED}"
    upper = {
        "missing_telemetry_rate": policy.max_missing_telemetry_rate,
        "polluted_run_rate": policy.max_polluted_run_rate,
    }
    lower = {
        success: policy.min_frontier_success_rate,
        "determinism_rate": policy.min_determinism_rate,
    }
    failures = []
    for name, limit in {**upper, **lower}.items():
        value = getattr(kpis, name)
        if limit is None:
            continue
        if value is None:
            why = kpis.null_reasons[name]
            failures.append(f"{name}=null ({_IN_WORDS.get(why, why)})")
        elif name in upper and exceeds(value, limit):
            failures.append(f"{name}={value:.6g} exceeds max_{name}={limit:g}")
        elif name in lower and not reaches(value, limit):
            of_policy = f"min_{name.removesuffix(_AS_ASKED)}"
            failures.append(f"{name}={value:.6g} is below {of_policy}={limit:g}")
    return tuple(failures)
