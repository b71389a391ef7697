"""The canary: measured once for what it depends on, judged as data, enforced by a leaf."""


rule canary_spec:
    input:
        "rules/json.j2",
    output:
        "storage/canary/{digest}.spec.json",
    log:
        "logs/canary/{digest}.spec.log",
    params:
        json=lambda wildcards: TARGETS.canary_spec_json(wildcards.digest),
    template_engine:
        "jinja2"


rule canary:
    input:
        spec="storage/canary/{digest}.spec.json",
        preflight=ancient("results/preflight/verdict.json"),
        place=ancient(f"{RESULTS}/policy/place.json"),
        quantized=quantized_for,
    output:
        "storage/canary/{digest}.json",
    log:
        "logs/canary/{digest}.log",
    priority: 100
    threads: workflow.cores
    resources:
        gpu=1,
    params:
        # Where the bytes lie is not what is measured: taking `output` keeps both out of the
        # reasons to measure again, which the digest alone decides.
        artifact=lambda wildcards, output: TARGETS.canary_artifact(wildcards.digest),
        bank=lambda wildcards, output: SWEEP.config.task_bank,
    shell:
        "python -m orket_lib canary --spec {input.spec} --preflight {input.preflight}"
        " --place {input.place} --artifact {params.artifact:q} --bank {params.bank:q}"
        " --out {output} --log {log}"


# A measurement of its own for each sweep, after whatever of the sweep was measured last.
use rule canary as closing_canary with:
    input:
        spec="storage/canary/{digest}.spec.json",
        preflight=ancient("results/preflight/verdict.json"),
        place=ancient(f"{RESULTS}/policy/place.json"),
        quantized=quantized_for,
        reports=TARGETS.all_run_reports(),
    output:
        f"storage/canary/closing/{SWEEP.config.sweep}/{{digest}}.json",
    log:
        f"logs/{SWEEP.config.sweep}/closing_canary/{{digest}}.log",


rule canary_verdict:
    input:
        measurement=TARGETS.canary_measurement(),
        policy=f"{RESULTS}/policy/canary.json",
        # See rule row.
        preflight="results/preflight/verdict.json",
        place=f"{RESULTS}/policy/place.json",
    output:
        "results/canary/verdict.json",
    log:
        "logs/canary_verdict.log",
    priority: 100
    params:
        code=CODE,
        measurement=TARGETS.canary_option(),
    shell:
        "python -m orket_lib canary-verdict --policy {input.policy} {params.measurement}"
        " --out {output} --log {log}"


rule canary_passed:
    input:
        "results/canary/verdict.json",
    output:
        touch("results/canary/passed.ok"),
    log:
        "logs/canary_passed.log",
    priority: 100
    shell:
        "python -m orket_lib require --canary {input} --log {log}"
