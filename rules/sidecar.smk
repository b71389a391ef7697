"""The hardware sidecar of each cell, for diagnosis only. It affects no measurement."""


rule write_sidecar_spec:
    input:
        workflow.source_path("json.j2"),
    output:
        f"{CELL}/sidecar_spec.json",
    log:
        f"{LOGS}/cells/{{model}}/{{quant}}/sidecar_spec.log",
    params:
        json=lambda wildcards: TARGETS.content(
            f"{CELL}/sidecar_spec.json".format(**wildcards)
        ),
    template_engine:
        "jinja2"


rule measure_sidecar:
    input:
        spec=f"{CELL}/sidecar_spec.json",
        place=f"{RESULTS}/policy/place.json",
        canary=f"{RESULTS}/canary/verdict.json",
        preflight=f"{RESULTS}/preflight.json",
    output:
        f"{CELL}/sidecar_receipt.json",
    log:
        f"{LOGS}/cells/{{model}}/{{quant}}/sidecar.log",
    # Lower than that of the cells, which the sweep is for.
    priority: -1
    threads: workflow.cores
    resources:
        gpu=GPUS,
    params:
        again=again("measure_sidecar"),
    shell:
        "python -m orket_lib measure-sidecar --spec {input.spec} --canary {input.canary}"
        " --preflight {input.preflight} --place {input.place} {params.again}"
        " --out {output} --log {log}"


rule make_sidecar_view:
    input:
        receipt=f"{CELL}/sidecar_receipt.json",
        settings=f"{RESULTS}/policy/row.json",
    output:
        f"{RESULTS}/quant_sweep/sidecar/{{model}}/{{quant}}_hardware_sidecar.json",
    log:
        f"{LOGS}/sidecar/{{model}}/{{quant}}.log",
    localrule: True
    params:
        code=code_digest("sidecar-view"),
    shell:
        "python -m orket_lib sidecar-view --receipt {input.receipt}"
        " --settings {input.settings} --out {output} --log {log}"
