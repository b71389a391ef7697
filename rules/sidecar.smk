"""The hardware sidecar of each cell, apart from its run: a changed probe measures no run again."""


rule sidecar_spec:
    input:
        "rules/json.j2",
    output:
        "storage/sidecars/{model}/{quant}/{digest}/spec.json",
    log:
        "logs/sidecars/{model}/{quant}/{digest}.spec.log",
    params:
        json=lambda wildcards: TARGETS.sidecars.spec_json(wildcards.digest),
    template_engine:
        "jinja2"


rule sidecar:
    input:
        spec="storage/sidecars/{model}/{quant}/{digest}/spec.json",
        # See rule run.
        canary=ancient("results/canary/verdict.json"),
        preflight=ancient("results/preflight/verdict.json"),
        place=ancient(f"{RESULTS}/policy/place.json"),
        quantized=quantized_for,
    output:
        "storage/sidecars/{model}/{quant}/{digest}/sidecar.json",
    log:
        "logs/sidecars/{model}/{quant}/{digest}.log",
    # The runs are what a sweep is for: they go first.
    priority: -1
    threads: workflow.cores
    resources:
        gpu=1,
    params:
        # See rule canary: paths are no reason to measure again.
        artifact=lambda wildcards, output: TARGETS.sidecars.artifact(wildcards.digest),
    shell:
        "python -m orket_lib sidecar --spec {input.spec} --canary {input.canary}"
        " --preflight {input.preflight} --place {input.place}"
        " --artifact {params.artifact:q} --out {output} --log {log}"


rule sidecar_view:
    input:
        measurement=lambda wildcards: TARGETS.sidecars.measurement(
            wildcards.model, wildcards.quant
        ),
        settings=f"{RESULTS}/policy/row.json",
        # See rule row.
        canary="results/canary/verdict.json",
        preflight="results/preflight/verdict.json",
        place=f"{RESULTS}/policy/place.json",
    output:
        f"{RESULTS}/quant_sweep/sidecar/{{model}}/{{quant}}_hardware_sidecar.json",
    log:
        f"logs/{SWEEP.config.sweep}/sidecar/{{model}}/{{quant}}.log",
    params:
        code=CODE,
    shell:
        "python -m orket_lib sidecar-view --measurement {input.measurement}"
        " --settings {input.settings} --out {output} --log {log}"
