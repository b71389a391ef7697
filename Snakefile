"""Measure every (model, quant) of a config and say which one to run. See README.md."""

from snakemake.utils import min_version

min_version("9.27")


# The reference sweep is the default only when no config is named: a user's config never inherits.
if not workflow.config_settings.configfiles:

    configfile: f"{workflow.basedir}/config/config.yaml"


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


# Past one machine, only what loads a model leaves it: everything else takes a second.
localrules:
    all,
    baselines,
    check_contracts,
    check_needs,
    compare_baselines,
    compute_kpis,
    context,
    contracts,
    find_context_ceiling,
    frontier,
    judge_canary,
    judge_kpis,
    keep_context_ceiling,
    keep_frontier,
    keep_thermal_profile,
    kpi_gate,
    kpis,
    make_frontier,
    make_report,
    make_row,
    make_run_report,
    make_sidecar_view,
    make_summary,
    make_thermal_profile,
    pass_canary,
    pass_kpis,
    pass_measurements,
    pass_preflight,
    pass_regression,
    record_baselines,
    regression,
    report,
    thermal,
    write_canary_spec,
    write_plan,
    write_policy,
    write_sidecar_spec,
    write_spec,


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
    atexit.register(show_result, STARTED, Path(f"{LOGS}/kpi_gate_passed.log"))
