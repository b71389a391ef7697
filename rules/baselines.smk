"""The sweep and the earlier ones: compared where the config asks for it, and kept for later ones.

What is in storage/baselines/ is no input: a sweep adds to it, and every addition would make every
comparison due again. A comparison looks only at what was measured before its own sweep, so it comes
out the same whenever it is made; `-R compare_baselines` makes it again.
"""


rule compare_baselines:
    input:
        summary=f"{RESULTS}/quant_sweep/sweep_summary.json",
    output:
        f"{RESULTS}/quant_sweep/regression.json",
    log:
        f"{LOGS}/regression.log",
    localrule: True
    params:
        code=code_digest("baselines"),
        bank=located(SWEEP.config.task_bank).as_posix(),
    shell:
        "python -m orket_lib baselines compare --summary {input.summary} --bank {params.bank:q}"
        " --verdict-only --out {output} --log {log}"


rule pass_regression:
    input:
        f"{RESULTS}/quant_sweep/regression.json",
    output:
        touch(f"{RESULTS}/quant_sweep/regression_passed.ok"),
    log:
        f"{LOGS}/regression_passed.log",
    localrule: True
    shell:
        "python -m orket_lib require --regression {input} --log {log}"


rule record_baselines:
    input:
        summary=f"{RESULTS}/quant_sweep/sweep_summary.json",
        # A cell that got worse is not what later ones should be held to.
        regression=(
            [f"{RESULTS}/quant_sweep/regression.json"]
            if SWEEP.config.compares_baselines
            else []
        ),
    output:
        f"{RESULTS}/quant_sweep/baselines_recorded.json",
    log:
        f"{LOGS}/baselines.log",
    localrule: True
    params:
        code=code_digest("baselines"),
        bank=located(SWEEP.config.task_bank).as_posix(),
        regression=lambda wildcards, input: option("--regression", input.regression),
    shell:
        "python -m orket_lib baselines record --summary {input.summary} --bank {params.bank:q}"
        " {params.regression} --out {output} --log {log}"


rule regression:
    input:
        lambda wildcards: TARGETS.up_to(
            *(TARGETS.regression_views() or ["regression.json"])
        ),


rule baselines:
    input:
        lambda wildcards: TARGETS.up_to("baselines_recorded.json"),
