"""Measure every (model, quant) of a config and say which one to run. See README.md."""

from snakemake.utils import min_version

from orket_lib.config.shipped import shipped

min_version("9.27")


# The reference sweep is the default only when no config is named: a user's config never inherits.
# Not `workflow.basedir`: where this is a module, that is the folder of the workflow that uses it. Nor
# `workflow.source_path`: that is a copy, and the reference sweep is known by its file.
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
include: "rules/contracts.smk"
include: "rules/report.smk"


rule all:
    default_target: True
    input:
        # Every product is named, intermediates included: after a failed job its consumers' old
        # outputs still lie there, and only a missing target is noticed.
        lambda wildcards: TARGETS.all_files(),


onsuccess:
    show_result()


onerror:
    # At the exit, so that what to do is the last thing to be read.
    gate_log = Path(EMBEDDING.path(f"{LOGS}/kpi_gate_passed.log"))
    atexit.register(show_result, STARTED, gate_log)
