"""What the config means, as files: the plan, the policies that rules depend on, the preflight."""


rule write_plan:
    input:
        template=workflow.source_path("json.j2"),
        # Written anew whenever the config says something else.
        matrix=f"{RESULTS}/policy/matrix.json",
    output:
        f"{RESULTS}/plan.json",
    log:
        f"{LOGS}/plan.log",
    params:
        # Tells the commit too: taking `output` keeps it out of what makes the plan stale.
        json=lambda wildcards, output: TARGETS.plan_json(EMBEDDING.path(RESULTS)),
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
