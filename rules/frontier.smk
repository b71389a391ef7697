"""Which quants are worth running, in the words of the explorer."""


rule make_frontier:
    input:
        summary=f"{RESULTS}/quant_sweep/sweep_summary.json",
    output:
        f"{RESULTS}/quant_sweep/frontier_explorer.json",
    log:
        f"logs/{SWEEP.config.sweep}/frontier.log",
    params:
        code=CODE,
    shell:
        "python -m orket_lib frontier --summary {input.summary} --out {output} --log {log}"


rule frontier:
    input:
        TARGETS.up_to("frontier_explorer.json"),
