"""The context sweep: the largest context at which the recommended quant, or each, passes its limits."""


rule measure_contexts:
    # The quant is known only after the frontier is made, so the job reads it. It measures only what
    # the store lacks.
    input:
        frontier=f"{RESULTS}/quant_sweep/frontier_explorer.json",
        cells=f"{RESULTS}/policy/cells.json",
        policy=f"{RESULTS}/policy/context.json",
        settings=f"{RESULTS}/policy/row.json",
        needs=f"{RESULTS}/policy/needs.json",
        place=f"{RESULTS}/policy/place.json",
        canary=f"{RESULTS}/canary/verdict.json",
        preflight=f"{RESULTS}/preflight.json",
        # If several quants are measured, they leave little or nothing to measure here.
        beside=lambda wildcards: TARGETS.contexts.receipts_before(wildcards.model),
        # What is left of a budget.
        look=lambda wildcards: TARGETS.batches.budget_look(wildcards.model),
        started=TARGETS.batches.started(),
    output:
        summaries=TARGETS.contexts.summary_pattern(),
        receipt=f"{RESULTS}/context_sweep/{{model}}/receipt.json",
    log:
        f"{LOGS}/context_sweep/{{model}}/contexts.log",
    threads: workflow.cores
    resources:
        gpu=GPUS,
    params:
        code=code_digest("measure-contexts"),
        folder=lambda wildcards, output: Path(output.receipt).parent.as_posix(),
        attempt=lambda wildcards: FORCED.attempt(
            f"{RESULTS}/context_sweep/{wildcards.model}/receipt.json"
        ),
        look=lambda wildcards, input: option("--look", input.look),
        started=lambda wildcards, input: option("--started", input.started),
        beside=lambda wildcards: TARGETS.contexts.beside_option(wildcards.model),
        again=again("measure_contexts"),
    shell:
        "python -m orket_lib measure-contexts --frontier {input.frontier} --cells {input.cells}"
        " --policy {input.policy} --settings {input.settings} --needs {input.needs}"
        " --place {input.place} --canary {input.canary} --preflight {input.preflight}"
        " --model {wildcards.model} --attempt {params.attempt} {params.again}"
        " {params.look} {params.started} {params.beside}"
        " --receipt {output.receipt} --out-folder {params.folder} --log {log}"


rule measure_quant_contexts:
    # One of several quants. It begins where the next larger one ended.
    input:
        row=f"{RESULTS}/quant_sweep/{{model}}/{{quant}}.json",
        cells=f"{RESULTS}/policy/cells.json",
        policy=f"{RESULTS}/policy/context.json",
        settings=f"{RESULTS}/policy/row.json",
        needs=f"{RESULTS}/policy/needs.json",
        place=f"{RESULTS}/policy/place.json",
        canary=f"{RESULTS}/canary/verdict.json",
        preflight=f"{RESULTS}/preflight.json",
        beside=lambda wildcards: TARGETS.contexts.receipts_before(*wildcards),
        look=lambda wildcards: TARGETS.batches.budget_look(wildcards.model),
        started=TARGETS.batches.started(),
    output:
        summaries=TARGETS.contexts.quant_pattern(),
        receipt=f"{RESULTS}/context_sweep/{{model}}/{{quant}}/receipt.json",
    log:
        f"{LOGS}/context_sweep/{{model}}/{{quant}}.log",
    threads: workflow.cores
    resources:
        gpu=GPUS,
    params:
        code=code_digest("measure-contexts"),
        sweep=SWEEP.config.sweep,
        folder=lambda wildcards, output: Path(output.receipt).parent.as_posix(),
        attempt=lambda wildcards: FORCED.attempt(
            f"{RESULTS}/context_sweep/{wildcards.model}/{wildcards.quant}/receipt.json"
        ),
        look=lambda wildcards, input: option("--look", input.look),
        started=lambda wildcards, input: option("--started", input.started),
        beside=lambda wildcards: TARGETS.contexts.beside_option(*wildcards),
        again=again("measure_quant_contexts"),
    shell:
        "python -m orket_lib measure-contexts --quant {wildcards.quant} --row {input.row}"
        " --sweep {params.sweep:q} --cells {input.cells}"
        " --policy {input.policy} --settings {input.settings} --needs {input.needs}"
        " --place {input.place} --canary {input.canary} --preflight {input.preflight}"
        " --model {wildcards.model} --attempt {params.attempt} {params.again}"
        " {params.look} {params.started} {params.beside}"
        " --receipt {output.receipt} --out-folder {params.folder} --log {log}"


rule compare_contexts:
    input:
        lambda wildcards: TARGETS.contexts.quant_summaries(wildcards.model),
    output:
        compared=f"{RESULTS}/context_sweep/{{model}}/context_quants.json",
        plot=report(
            f"{RESULTS}/context_sweep/{{model}}/context_quants.png",
            caption="captions/context_quants.rst",
            category="Sweep",
            labels={"part": "contexts of all quants", "model": "{model}"},
        ),
    log:
        f"{LOGS}/context_sweep/{{model}}/compared.log",
    localrule: True
    params:
        code=code_digest("context-quants"),
        limits=TARGETS.contexts.ceiling_options(),
        folders=lambda wildcards: TARGETS.contexts.quant_folders(wildcards.model),
    shell:
        "python -m orket_lib context-quants {params.limits} --folders {params.folders}"
        " --out {output.compared} --out-plot {output.plot} --log {log}"


rule find_context_ceiling:
    input:
        TARGETS.contexts.summary_pattern(),
    output:
        ceiling=f"{RESULTS}/context_sweep/{{model}}/context_ceiling.json",
        plot=report(
            f"{RESULTS}/context_sweep/{{model}}/context_ceiling.png",
            caption="captions/context.rst",
            category="Sweep",
            labels={"part": "context", "model": "{model}"},
        ),
    log:
        f"{LOGS}/context_sweep/{{model}}/ceiling.log",
    localrule: True
    params:
        code=code_digest("context-ceiling"),
        limits=TARGETS.contexts.ceiling_options(),
        template=lambda wildcards, output: (
            f"{Path(output.ceiling).parent.as_posix()}/context_{{context}}.json"
        ),
    shell:
        "python -m orket_lib context-ceiling {params.limits} --summary-template {params.template:q}"
        " --out {output.ceiling} --out-plot {output.plot} --log {log}"


rule keep_context_ceiling:
    # See rule keep_frontier.
    input:
        f"{RESULTS}/context_sweep/{{model}}/context_ceiling.json",
    output:
        touch(f"{RESULTS}/context_sweep/{{model}}/context_kept.ok"),
    log:
        f"{LOGS}/context_sweep/{{model}}/kept.log",
    localrule: True
    shell:
        "python -m orket_lib history add {input} --storage-root storage --log {log}"


rule context:
    input:
        lambda wildcards: TARGETS.context_files(),
