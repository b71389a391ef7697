"""How far the sweep can be trusted."""


rule kpis:
    input:
        summary=f"{RESULTS}/quant_sweep/sweep_summary.json",
    output:
        f"{RESULTS}/quant_sweep/sweep_kpis.json",
    log:
        f"logs/{SWEEP.config.sweep}/kpis.log",
    params:
        code=CODE,
    shell:
        "python -m orket_lib kpis --summary {input.summary} --out {output} --log {log}"
