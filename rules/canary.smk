"""The canary: measured unless the store has a fresh one, judged, and enforced.

The verdict is data, and a separate leaf rule (`pass_canary`) fails, so that reports are made even
if the canary fails.
"""


rule write_canary_spec:
    input:
        workflow.source_path("json.j2"),
    output:
        f"{RESULTS}/canary/spec.json",
    log:
        f"{LOGS}/canary/spec.log",
    params:
        json=lambda wildcards: TARGETS.canary_spec_json(),
    template_engine:
        "jinja2"


rule measure_canary:
    input:
        spec=f"{RESULTS}/canary/spec.json",
        preflight=f"{RESULTS}/preflight.json",
        place=f"{RESULTS}/policy/place.json",
    output:
        f"{RESULTS}/canary/receipt.json",
    log:
        f"{LOGS}/canary/measure.log",
    priority: 100
    threads: workflow.cores
    resources:
        gpu=GPUS,
    params:
        attempt=lambda wildcards: FORCED.canary_attempt(
            f"{RESULTS}/canary/receipt.json"
        ),
        again=again("measure_canary"),
        fresh=lambda wildcards, output: FORCED.fresh(),
    shell:
        "python -m orket_lib measure-canary --spec {input.spec} --preflight {input.preflight}"
        " --place {input.place} --attempt {params.attempt} {params.again} {params.fresh}"
        " --out {output} --log {log}"


# Measured once more, after all cells.
rule measure_closing_canary:
    input:
        spec=f"{RESULTS}/canary/spec.json",
        preflight=f"{RESULTS}/preflight.json",
        place=f"{RESULTS}/policy/place.json",
        listed=f"{RESULTS}/policy/receipts.json",
        receipts=lambda wildcards: TARGETS.receipts(),
    output:
        f"{RESULTS}/canary/closing_receipt.json",
    log:
        f"{LOGS}/canary/closing.log",
    threads: workflow.cores
    resources:
        gpu=GPUS,
    params:
        attempt=lambda wildcards: FORCED.attempt(
            f"{RESULTS}/canary/closing_receipt.json"
        ),
        again=again("measure_closing_canary"),
    shell:
        "python -m orket_lib measure-canary --spec {input.spec} --preflight {input.preflight}"
        " --place {input.place} --closing {input.listed} --attempt {params.attempt}"
        " {params.again} --out {output} --log {log}"


rule judge_canary:
    input:
        receipt=f"{RESULTS}/canary/receipt.json",
        policy=f"{RESULTS}/policy/canary.json",
    output:
        f"{RESULTS}/canary/verdict.json",
    log:
        f"{LOGS}/canary/verdict.log",
    priority: 100
    localrule: True
    params:
        code=code_digest("canary-verdict"),
    shell:
        "python -m orket_lib canary-verdict --policy {input.policy} --receipt {input.receipt}"
        " --out {output} --log {log}"


rule pass_canary:
    input:
        f"{RESULTS}/canary/verdict.json",
    output:
        touch(f"{RESULTS}/canary/passed.ok"),
    log:
        f"{LOGS}/canary/passed.log",
    priority: 100
    localrule: True
    shell:
        "python -m orket_lib require --canary {input} --log {log}"
