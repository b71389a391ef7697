"""The summary: all rows of the sweep, with frontier and recommendation."""


rule make_summary:
    input:
        rows=lambda wildcards: TARGETS.rows(),
        matrix=f"{RESULTS}/policy/matrix.json",
        canary=f"{RESULTS}/canary/verdict.json",
        opening=f"{RESULTS}/canary/receipt.json",
        closing=TARGETS.closing_receipt(),
        looks=TARGETS.batches.last_looks(),
        kld=TARGETS.fidelity.files("kld.json"),
    output:
        f"{RESULTS}/quant_sweep/sweep_summary.json",
    log:
        f"{LOGS}/summary.log",
    localrule: True
    params:
        code=code_digest("summary"),
        closing=lambda wildcards, input: option("--closing", input.closing),
        looks=TARGETS.batches.looks_option(),
        fidelity=TARGETS.fidelity.summary_option(),
    shell:
        "python -m orket_lib summary --matrix {input.matrix} --canary {input.canary}"
        " --opening {input.opening} {params.closing} {params.looks} {params.fidelity}"
        " --out {output} --log {log}"
