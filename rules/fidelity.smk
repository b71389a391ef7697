"""Fidelity by probabilities: how far each quant's next tokens are from the baseline's."""


rule measure_fidelity:
    # The baseline and its answers are known only after the cells are measured, so the job reads
    # the rows. It measures only what the store lacks, and never a speed.
    input:
        rows=lambda wildcards: TARGETS.rows_of(wildcards.model),
        cells=f"{RESULTS}/policy/cells.json",
        settings=f"{RESULTS}/policy/next_tokens.json",
        tasks=f"{RESULTS}/policy/tasks.json",
        place=f"{RESULTS}/policy/place.json",
        canary=f"{RESULTS}/canary/verdict.json",
        preflight=f"{RESULTS}/preflight.json",
        # What is left of a budget.
        look=lambda wildcards: TARGETS.batches.budget_look(wildcards.model),
        started=TARGETS.batches.started(),
    output:
        f"{RESULTS}/fidelity/{{model}}/receipt.json",
    log:
        f"{LOGS}/fidelity/{{model}}/measure.log",
    threads: workflow.cores
    resources:
        gpu=GPUS,
    params:
        rows=lambda wildcards, input: Path(input.rows[0]).parent.as_posix(),
        attempt=lambda wildcards: FORCED.attempt(
            f"{RESULTS}/fidelity/{wildcards.model}/receipt.json"
        ),
        look=lambda wildcards, input: option("--look", input.look),
        started=lambda wildcards, input: option("--started", input.started),
        again=again("measure_fidelity"),
    shell:
        "python -m orket_lib measure-fidelity --rows {params.rows} --cells {input.cells}"
        " --settings {input.settings} --tasks {input.tasks} --model {wildcards.model}"
        " --place {input.place} --canary {input.canary} --preflight {input.preflight}"
        " --attempt {params.attempt} {params.again} {params.look} {params.started}"
        " --out {output} --log {log}"


rule compute_kld:
    input:
        f"{RESULTS}/fidelity/{{model}}/receipt.json",
    output:
        f"{RESULTS}/fidelity/{{model}}/kld.json",
    log:
        f"{LOGS}/fidelity/{{model}}/kld.log",
    localrule: True
    params:
        code=code_digest("kld"),
    shell:
        "python -m orket_lib kld --receipt {input} --out {output} --log {log}"


rule fidelity:
    input:
        lambda wildcards: TARGETS.fidelity_files(),
