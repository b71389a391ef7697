"""KPIs: how far the sweep can be trusted. A leaf rule (`pass_kpis`) enforces the verdict."""


rule compute_kpis:
    input:
        summary=f"{RESULTS}/quant_sweep/sweep_summary.json",
    output:
        f"{RESULTS}/quant_sweep/sweep_kpis.json",
    log:
        f"{LOGS}/kpis.log",
    localrule: True
    params:
        code=code_digest("kpis"),
    shell:
        "python -m orket_lib kpis --summary {input.summary} --out {output} --log {log}"


rule judge_kpis:
    input:
        summary=f"{RESULTS}/quant_sweep/sweep_summary.json",
        policy=located(SWEEP.config.kpi_policy).as_posix(),
    output:
        f"{RESULTS}/quant_sweep/kpi_gate.json",
    log:
        f"{LOGS}/kpi_gate.log",
    localrule: True
    params:
        code=code_digest("kpi-gate"),
        one_run="--one-run" if SWEEP.config.asks_once else "",
    shell:
        "python -m orket_lib kpi-gate --summary {input.summary} --policy {input.policy:q}"
        " {params.one_run} --verdict-only --out {output} --log {log}"


rule pass_kpis:
    input:
        f"{RESULTS}/quant_sweep/kpi_gate.json",
    output:
        touch(f"{RESULTS}/quant_sweep/kpi_gate_passed.ok"),
    log:
        f"{LOGS}/kpi_gate_passed.log",
    localrule: True
    shell:
        "python -m orket_lib require --kpi-gate {input} --log {log}"


rule kpis:
    input:
        lambda wildcards: TARGETS.up_to("sweep_kpis.json"),


rule kpi_gate:
    input:
        lambda wildcards: TARGETS.up_to("kpi_gate.json", "kpi_gate_passed.ok"),
