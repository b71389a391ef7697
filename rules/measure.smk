"""The measurements: content-addressed, so that a changed setting is a missing file."""


rule spec:
    input:
        "rules/json.j2",
    output:
        "storage/runs/{model}/{quant}/{digest}/spec.json",
    log:
        "logs/runs/{model}/{quant}/{digest}.spec.log",
    params:
        json=lambda wildcards: TARGETS.spec_json(wildcards.digest),
    template_engine:
        "jinja2"


rule run:
    input:
        spec="storage/runs/{model}/{quant}/{digest}/spec.json",
        # A new verdict over the same machine says nothing about what was measured before.
        canary=ancient("results/canary/verdict.json"),
        preflight=ancient("results/preflight/verdict.json"),
        place=ancient(f"{RESULTS}/policy/place.json"),
        quantized=quantized_for,
    output:
        "storage/runs/{model}/{quant}/{digest}/run.json",
    log:
        "logs/runs/{model}/{quant}/{digest}.log",
    priority: turn
    threads: workflow.cores
    resources:
        gpu=1,
    params:
        # See rule canary: paths are no reason to measure again.
        artifact=lambda wildcards, output: TARGETS.artifact(wildcards.digest),
        bank=lambda wildcards, output: SWEEP.config.task_bank,
    shell:
        "python -m orket_lib run --spec {input.spec} --canary {input.canary}"
        " --preflight {input.preflight} --place {input.place}"
        " --artifact {params.artifact:q} --bank {params.bank:q} --out {output} --log {log}"


# The first round lies where it lies without rounds, so that more of them never move it.
use rule run as run_again with:
    output:
        "storage/runs/{model}/{quant}/{digest}/round-{round}/run.json",
    log:
        "logs/runs/{model}/{quant}/{digest}.round-{round}.log",


rule row:
    input:
        reports=lambda wildcards: TARGETS.run_reports(wildcards.model, wildcards.quant),
        settings=f"{RESULTS}/policy/row.json",
        sidecar=lambda wildcards: TARGETS.sidecars.view(
            wildcards.model, wildcards.quant
        ),
        # Whatever a measurement takes as `ancient` is an ordinary input of what is made from it:
        # Snakemake looks for no other change below a job that runs, and stops at ancient edges.
        canary="results/canary/verdict.json",
        preflight="results/preflight/verdict.json",
        place=f"{RESULTS}/policy/place.json",
    output:
        f"{RESULTS}/quant_sweep/{{model}}/{{quant}}.json",
    log:
        f"logs/{SWEEP.config.sweep}/rows/{{model}}/{{quant}}.log",
    params:
        code=CODE,
        sidecar=lambda wildcards: TARGETS.sidecars.option(
            wildcards.model, wildcards.quant
        ),
    shell:
        "python -m orket_lib row --report {input.reports} --settings {input.settings}"
        " {params.sidecar} --out {output} --log {log}"
