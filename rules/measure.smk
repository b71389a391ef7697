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
        # Whether this batch of tasks is still asked; and when the time of a budget began.
        look=lambda wildcards: TARGETS.batches.look_before(*wildcards),
        started=TARGETS.batches.started(),
    output:
        f"{CELL}{{part}}/receipt.json",
    log:
        f"{LOGS}/cells/{{model}}/{{quant}}{{part}}/measure.log",
    priority: lambda wildcards: TARGETS.priority(*wildcards)
    threads: workflow.cores
    resources:
        gpu=GPUS,
    params:
        number=lambda wildcards: round_of(wildcards.part),
        batch=lambda wildcards: TARGETS.batches.batch_option(wildcards.part),
        look=lambda wildcards, input: option("--look", input.look),
        # A receipt with a temporary problem is due again; a complete one is not.
        attempt=lambda wildcards: FORCED.attempt(
            f"{CELL}{{part}}/receipt.json".format(**wildcards)
        ),
        again=again("measure_cell"),
    shell:
        "python -m orket_lib measure-cell --spec {input.spec} --tasks {input.tasks}"
        " --round {params.number} {params.batch} {params.look} --canary {input.canary} --preflight {input.preflight}"
        " --place {input.place} --attempt {params.attempt} {params.again}"
        " --out {output} --log {log}"


rule make_run_report:
    input:
        receipt=f"{CELL}{{part}}/receipt.json",
        spec=f"{CELL}/spec.json",
        tasks=f"{RESULTS}/policy/tasks.json",
    output:
        f"{CELL}{{part}}/run.json",
    log:
        f"{LOGS}/cells/{{model}}/{{quant}}{{part}}/report.log",
    localrule: True
    params:
        code=code_digest("run-report"),
    shell:
        "python -m orket_lib run-report --receipt {input.receipt} --spec {input.spec}"
        " --tasks {input.tasks} --out {output} --log {log}"


rule start_budget:
    # Never made again: measurements from before the start cost the budget nothing.
    output:
        f"{RESULTS}/started.json",
    log:
        f"{LOGS}/started.log",
    localrule: True
    shell:
        "python -m orket_lib start --out {output} --log {log}"


rule make_look:
    # After a batch of tasks: which quants are decided, or matter no more for the pick.
    input:
        reports=lambda wildcards: TARGETS.batches.reports_before(
            wildcards.model, int(wildcards.batch)
        ),
        settings=f"{RESULTS}/policy/looks.json",
        rows=f"{RESULTS}/policy/row.json",
        started=TARGETS.batches.started(),
    output:
        f"{RESULTS}/looks/{{model}}/{{batch}}.json",
    log:
        f"{LOGS}/looks/{{model}}/{{batch}}.log",
    localrule: True
    params:
        code=code_digest("look"),
        cells=lambda wildcards, input: cells_folder(input.settings),
        started=lambda wildcards, input: option("--started", input.started),
    shell:
        "python -m orket_lib look --settings {input.settings} --rows {input.rows}"
        " --cells {params.cells} --model {wildcards.model} --batch {wildcards.batch}"
        " {params.started} --out {output} --log {log}"


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
        # It comes first, so tasks that it can't answer are known before all others were asked.
        baseline=lambda wildcards: TARGETS.batches.baseline_option(*wildcards),
    shell:
        "python -m orket_lib row --report {input.reports} --settings {input.settings}"
        " {params.sidecar} {params.baseline} --out {output} --log {log}"


rule pass_measurements:
    # Fails the sweep if measurements had temporary problems, such as a killed server.
    input:
        receipts=lambda wildcards: TARGETS.receipts(),
        listed=f"{RESULTS}/policy/receipts.json",
        further=[
            *TARGETS.contexts.files("receipt.json"),
            *TARGETS.contexts.quant_receipts(),
            *TARGETS.thermal.files("receipt.json"),
            *TARGETS.fidelity.files("receipt.json"),
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
