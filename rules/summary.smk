"""All rows of the sweep, with frontier and recommendation."""


rule summary:
    input:
        rows=TARGETS.rows(),
        matrix=f"{RESULTS}/policy/matrix.json",
        canary="results/canary/verdict.json",
        closing=TARGETS.closing_canaries(),
    output:
        f"{RESULTS}/quant_sweep/sweep_summary.json",
    log:
        f"logs/{SWEEP.config.sweep}/summary.log",
    params:
        code=CODE,
        drift=TARGETS.drift_option(),
    shell:
        "python -m orket_lib summary --matrix {input.matrix} --canary {input.canary}"
        " {params.drift}"
        " --out {output} --log {log}"
