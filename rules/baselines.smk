"""Baselines: comparing the sweep with earlier ones, and recording it for later ones.

storage/baselines/ is no input: every sweep adds to it, which would make all comparisons due again.
A comparison uses only measurements from before its own sweep, so its result doesn't depend on when it
runs. `-R compare_baselines` repeats it.
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
        bank=SWEEP.bank_path,
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
        # Cells that regressed are not recorded.
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
        bank=SWEEP.bank_path,
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
