"""Whether the quant that the frontier picks keeps its speed while the machine gets warm."""


rule measure_thermal:
    # Which quant, and so which measurement below storage/, is known only when this runs: it takes
    # what is there, and measures what isn't.
    input:
        frontier=f"{RESULTS}/quant_sweep/frontier_explorer.json",
        cells=f"{RESULTS}/policy/cells.json",
        settings=f"{RESULTS}/policy/thermal.json",
        place=f"{RESULTS}/policy/place.json",
        canary="results/canary/verdict.json",
        preflight="results/preflight/verdict.json",
    output:
        f"{RESULTS}/thermal/{{model}}/series.json",
    log:
        f"logs/{SWEEP.config.sweep}/thermal/{{model}}/series.log",
    threads: workflow.cores
    resources:
        gpu=1,
    shell:
        "python -m orket_lib thermal-series --frontier {input.frontier} --cells {input.cells}"
        " --settings {input.settings} --model {wildcards.model} --canary {input.canary}"
        " --preflight {input.preflight} --place {input.place} --out {output} --log {log}"


rule make_thermal_profile:
    input:
        series=f"{RESULTS}/thermal/{{model}}/series.json",
        frontier=f"{RESULTS}/quant_sweep/frontier_explorer.json",
    output:
        profile=f"{RESULTS}/thermal/{{model}}/thermal_profile.json",
        plot=report(
            f"{RESULTS}/thermal/{{model}}/thermal_profile.png",
            category="Sweep",
            labels={"part": "thermal series"},
        ),
    log:
        f"logs/{SWEEP.config.sweep}/thermal/{{model}}/profile.log",
    params:
        code=CODE,
        thresholds=TARGETS.thermal.thresholds(),
    shell:
        "python -m orket_lib thermal --summaries {input.series} --frontier {input.frontier}"
        " {params.thresholds} --out {output.profile} --out-plot {output.plot} --log {log}"


rule keep_thermal_profile:
    # See rule keep_frontier.
    input:
        f"{RESULTS}/thermal/{{model}}/thermal_profile.json",
    output:
        touch(f"{RESULTS}/thermal/{{model}}/thermal_kept.ok"),
    log:
        f"logs/{SWEEP.config.sweep}/thermal/{{model}}/kept.log",
    shell:
        "python -m orket_lib history add {input} --storage-root storage --log {log}"


rule thermal:
    input:
        TARGETS.thermal_files(),
