"""The cells: measured as far as the store lacks them, then graded and judged."""


rule write_spec:
    input:
        workflow.source_path("json.j2"),
    output:
        f"{CELL}/spec.json",
    log:
        f"{LOGS}/cells/{{model}}/{{quant}}/spec.log",
    params:
        json=lambda wildcards: TARGETS.spec_json(wildcards.model, wildcards.quant),
    template_engine:
        "jinja2"


rule measure_cell:
    # Rerunning this measures only what the store lacks.
    input:
        spec=f"{CELL}/spec.json",
        tasks=f"{RESULTS}/policy/tasks.json",
        place=f"{RESULTS}/policy/place.json",
        canary=f"{RESULTS}/canary/verdict.json",
        preflight=f"{RESULTS}/preflight.json",
    output:
        f"{CELL}{{round}}/receipt.json",
    log:
        f"{LOGS}/cells/{{model}}/{{quant}}{{round}}/measure.log",
    priority: lambda wildcards: TARGETS.priority(*wildcards)
    threads: workflow.cores
    resources:
        gpu=1,
    params:
        number=lambda wildcards: round_of(wildcards.round),
        # A receipt with a temporary problem is due again; a complete one is not.
        attempt=lambda wildcards: FORCED.attempt(
            f"{CELL}{{round}}/receipt.json".format(**wildcards), "measure_cell"
        ),
        again=again("measure_cell"),
    shell:
        "python -m orket_lib measure-cell --spec {input.spec} --tasks {input.tasks}"
        " --round {params.number} --canary {input.canary} --preflight {input.preflight}"
        " --place {input.place} --attempt {params.attempt} {params.again}"
        " --out {output} --log {log}"


rule make_run_report:
    input:
        receipt=f"{CELL}{{round}}/receipt.json",
        spec=f"{CELL}/spec.json",
        tasks=f"{RESULTS}/policy/tasks.json",
    output:
        f"{CELL}{{round}}/run.json",
    log:
        f"{LOGS}/cells/{{model}}/{{quant}}{{round}}/report.log",
    localrule: True
    params:
        code=code_digest("run-report"),
    shell:
        "python -m orket_lib run-report --receipt {input.receipt} --spec {input.spec}"
        " --tasks {input.tasks} --out {output} --log {log}"


rule make_row:
    input:
        reports=lambda wildcards: TARGETS.run_reports(wildcards.model, wildcards.quant),
        settings=f"{RESULTS}/policy/row.json",
        sidecar=lambda wildcards: TARGETS.sidecars.view(
            wildcards.model, wildcards.quant
        ),
    output:
        f"{RESULTS}/quant_sweep/{{model}}/{{quant}}.json",
    log:
        f"{LOGS}/rows/{{model}}/{{quant}}.log",
    localrule: True
    params:
        code=code_digest("row"),
        sidecar=lambda wildcards, input: option("--sidecar", input.sidecar),
    shell:
        "python -m orket_lib row --report {input.reports} --settings {input.settings}"
        " {params.sidecar} --out {output} --log {log}"


rule pass_measurements:
    # Fails the sweep if measurements had temporary problems, such as a killed server.
    input:
        receipts=lambda wildcards: TARGETS.receipts(),
        listed=f"{RESULTS}/policy/receipts.json",
        further=[
            *TARGETS.contexts.files("receipt.json"),
            *TARGETS.thermal.files("receipt.json"),
        ],
    output:
        touch(f"{RESULTS}/measurements_passed.ok"),
    log:
        f"{LOGS}/measurements_passed.log",
    localrule: True
    params:
        further=lambda wildcards, input: option("--receipts", input.further),
    shell:
        "python -m orket_lib require --cells {input.listed} {params.further} --log {log}"
