"""What the config means, as files: the plan, the policies that rules depend on, the preflight."""


rule write_plan:
    input:
        "rules/json.j2",
    output:
        f"{RESULTS}/plan.json",
    log:
        f"logs/{SWEEP.config.sweep}/plan.log",
    params:
        config=SWEEP.config_sha256,
        # Tells the commit too: taking `output` keeps it out of what makes the plan stale.
        json=lambda wildcards, output: TARGETS.plan_json(),
    template_engine:
        "jinja2"


rule write_policy:
    input:
        "rules/json.j2",
    output:
        f"{RESULTS}/policy/{{policy}}.json",
    log:
        f"logs/{SWEEP.config.sweep}/policy/{{policy}}.log",
    params:
        json=lambda wildcards: TARGETS.policy_json(wildcards.policy),
    template_engine:
        "jinja2"


rule preflight:
    input:
        needs=f"{RESULTS}/policy/needs.json",
    output:
        "results/preflight/verdict.json",
    log:
        "logs/preflight.log",
    priority: 200
    shell:
        "python -m orket_lib preflight --needs {input.needs} --out {output} --log {log}"


rule preflight_passed:
    input:
        "results/preflight/verdict.json",
    output:
        touch("results/preflight/passed.ok"),
    log:
        "logs/preflight_passed.log",
    priority: 200
    shell:
        "python -m orket_lib require --preflight {input} --log {log}"
