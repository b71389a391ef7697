"""Plan, policies and preflight: the resolved config, split into the parts that rules depend on."""


rule write_plan:
    input:
        template=workflow.source_path("json.j2"),
        # Changes whenever the config does.
        matrix=f"{RESULTS}/policy/matrix.json",
    output:
        f"{RESULTS}/plan.json",
    log:
        f"{LOGS}/plan.log",
    params:
        # Contains the commit: taking `output` keeps it out of the rerun triggers.
        json=lambda wildcards, output: TARGETS.plan_json(INVOCATION.path(RESULTS)),
    template_engine:
        "jinja2"


rule write_policy:
    input:
        workflow.source_path("json.j2"),
    output:
        f"{RESULTS}/policy/{{policy}}.json",
    log:
        f"{LOGS}/policy/{{policy}}.log",
    params:
        json=lambda wildcards: TARGETS.policy_json(wildcards.policy),
    template_engine:
        "jinja2"


rule check_needs:
    input:
        needs=f"{RESULTS}/policy/needs.json",
    output:
        f"{RESULTS}/preflight.json",
    log:
        f"{LOGS}/preflight.log",
    priority: 200
    localrule: True
    shell:
        "python -m orket_lib preflight --needs {input.needs} --out {output} --log {log}"


rule pass_preflight:
    input:
        f"{RESULTS}/preflight.json",
    output:
        touch(f"{RESULTS}/preflight_passed.ok"),
    log:
        f"{LOGS}/preflight_passed.log",
    priority: 200
    localrule: True
    shell:
        "python -m orket_lib require --preflight {input} --log {log}"
