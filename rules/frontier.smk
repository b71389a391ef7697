"""The frontier: which quants are worth running, in the format of explorers."""


rule make_frontier:
    input:
        summary=f"{RESULTS}/quant_sweep/sweep_summary.json",
    output:
        f"{RESULTS}/quant_sweep/frontier_explorer.json",
    log:
        f"{LOGS}/frontier.log",
    localrule: True
    params:
        code=code_digest("frontier"),
    shell:
        "python -m orket_lib frontier --summary {input.summary} --out {output} --log {log}"


rule keep_frontier:
    # A separate rule, so that a history that can't be written doesn't delete the artifact. The
    # history belongs to many sweeps, so it is no output. Adding the same artifact twice has no effect.
    input:
        f"{RESULTS}/quant_sweep/frontier_explorer.json",
    output:
        touch(f"{RESULTS}/quant_sweep/frontier_kept.ok"),
    log:
        f"{LOGS}/frontier_kept.log",
    localrule: True
    shell:
        "python -m orket_lib history add {input} --storage-root storage --log {log}"


rule frontier:
    input:
        lambda wildcards: TARGETS.up_to("frontier_explorer.json", "frontier_kept.ok"),
