"""The thermal series: whether the recommended quant keeps its speed while the machine heats up."""


rule measure_thermal:
    # The quant is known only after the frontier is made, so the job reads it.
    input:
        frontier=f"{RESULTS}/quant_sweep/frontier_explorer.json",
        cells=f"{RESULTS}/policy/cells.json",
        settings=f"{RESULTS}/policy/thermal.json",
        place=f"{RESULTS}/policy/place.json",
        canary=f"{RESULTS}/canary/verdict.json",
        preflight=f"{RESULTS}/preflight.json",
        # What is left of a budget.
        look=lambda wildcards: TARGETS.batches.budget_look(wildcards.model),
        started=TARGETS.batches.started(),
        contexts=lambda wildcards: TARGETS.contexts_before(wildcards.model),
    output:
        series=f"{RESULTS}/thermal/{{model}}/series.json",
        receipt=f"{RESULTS}/thermal/{{model}}/receipt.json",
    log:
        f"{LOGS}/thermal/{{model}}/series.log",
    threads: workflow.cores
    resources:
        gpu=GPUS,
    params:
        attempt=lambda wildcards: FORCED.attempt(
            f"{RESULTS}/thermal/{wildcards.model}/receipt.json"
        ),
        look=lambda wildcards, input: option("--look", input.look),
        started=lambda wildcards, input: option("--started", input.started),
        contexts=lambda wildcards, input: option("--contexts", input.contexts),
        again=again("measure_thermal"),
    shell:
        "python -m orket_lib measure-thermal --frontier {input.frontier} --cells {input.cells}"
        " --settings {input.settings} --model {wildcards.model} --canary {input.canary}"
        " --preflight {input.preflight} --place {input.place} --attempt {params.attempt} {params.again}"
        " {params.look} {params.started} {params.contexts}"
        " --receipt {output.receipt} --out {output.series} --log {log}"


rule make_thermal_profile:
    input:
        series=f"{RESULTS}/thermal/{{model}}/series.json",
        frontier=f"{RESULTS}/quant_sweep/frontier_explorer.json",
    output:
        profile=f"{RESULTS}/thermal/{{model}}/thermal_profile.json",
        plot=report(
            f"{RESULTS}/thermal/{{model}}/thermal_profile.png",
            caption="captions/thermal.rst",
            category="Sweep",
            labels={"part": "thermal series", "model": "{model}"},
        ),
    log:
        f"{LOGS}/thermal/{{model}}/profile.log",
    localrule: True
    params:
        code=code_digest("thermal-profile"),
        thresholds=TARGETS.thermal.profile_options(),
    shell:
        "python -m orket_lib thermal-profile --summaries {input.series} --frontier {input.frontier}"
        " {params.thresholds} --out {output.profile} --out-plot {output.plot} --log {log}"


rule keep_thermal_profile:
    # See rule keep_frontier.
    input:
        f"{RESULTS}/thermal/{{model}}/thermal_profile.json",
    output:
        touch(f"{RESULTS}/thermal/{{model}}/thermal_kept.ok"),
    log:
        f"{LOGS}/thermal/{{model}}/kept.log",
    localrule: True
    shell:
        "python -m orket_lib history add {input} --storage-root storage --log {log}"


rule thermal:
    input:
        lambda wildcards: TARGETS.thermal_files(),
