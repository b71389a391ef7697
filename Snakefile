"""Measure every (model, quant) of a config and recommend one. See README.md."""

from snakemake.utils import min_version

from orket_lib.config.shipped import shipped

min_version("9.27")


report: "rules/captions/sweep.rst"


# The reference sweep runs only if no config is given; your config never inherits from it.
# Not `workflow.basedir`, which for a module is the folder of the outer workflow. Nor
# `workflow.source_path`, which is a copy: the reference sweep is recognized by its file.
if not workflow.config_settings.configfiles:

    configfile: str(shipped() / "config/config.yaml")


include: "rules/common.smk"
include: "rules/plan.smk"
include: "rules/canary.smk"
include: "rules/measure.smk"
include: "rules/sidecar.smk"
include: "rules/summary.smk"
include: "rules/kpi.smk"
include: "rules/baselines.smk"
include: "rules/frontier.smk"
include: "rules/context.smk"
include: "rules/thermal.smk"
include: "rules/fidelity.smk"
include: "rules/contracts.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        # All outputs, intermediates included: after a failed job the old outputs of its dependents
        # still exist, and only a missing target is noticed.
        lambda wildcards: TARGETS.all_files(),


onstart:
    again_what = FORCED.again("measure_cell", ()).removeprefix("--again ")
    begin_progress(workflow, INVOCATION, SWEEP, TARGETS, again_what, tell)
    stop_on_signals(tell)


onsuccess:
    # At exit, when nothing else is on the terminal any more.
    atexit.register(show_result)


onerror:
    # At exit, so that the advice is the last thing printed.
    gate_log = Path(INVOCATION.path(f"{LOGS}/kpi_gate_passed.log"))
    atexit.register(show_result, STARTED, gate_log)
