"""The report of a sweep."""


rule make_report:
    input:
        summary=f"{RESULTS}/quant_sweep/sweep_summary.json",
        contexts=TARGETS.contexts.files("context_ceiling.json"),
        compared=TARGETS.contexts.compared(),
        thermal=TARGETS.thermal.files("thermal_profile.json"),
    output:
        markdown=report(
            f"{RESULTS}/quant_sweep/sweep_report.md",
            caption="captions/summary.rst",
            category="Sweep",
            labels={"part": "short report", "model": "all"},
        ),
        page=report(
            f"{RESULTS}/quant_sweep/sweep_report.html",
            caption="captions/page.rst",
            category="Sweep",
            labels={"part": "page", "model": "all"},
        ),
        scatter=f"{RESULTS}/quant_sweep/sweep_scatter.json",
        table=f"{RESULTS}/quant_sweep/sweep_table.csv",
        wants=f"{RESULTS}/quant_sweep/sweep_wants.json",
        plot=report(
            f"{RESULTS}/quant_sweep/plots/frontier.png",
            caption="captions/frontier.rst",
            category="Sweep",
            labels={"part": "frontier", "model": "all"},
        ),
        fidelity=report(
            f"{RESULTS}/quant_sweep/plots/fidelity.png",
            caption="captions/fidelity.rst",
            category="Sweep",
            labels={"part": "fidelity", "model": "all"},
        ),
    log:
        f"{LOGS}/report.log",
    localrule: True
    params:
        code=code_digest("report"),
        cells=f"{RESULTS}/cells",
        contexts=lambda wildcards, input: option("--context", input.contexts),
        compared=lambda wildcards, input: option("--context-quants", input.compared),
        thermal=lambda wildcards, input: option("--thermal", input.thermal),
    shell:
        "python -m orket_lib report --summary {input.summary} --out-md {output.markdown}"
        " --out-html {output.page} --cells {params.cells}"
        " --out-scatter {output.scatter} --out-table {output.table} --out-plot {output.plot}"
        " --out-wants {output.wants}"
        " {params.contexts} {params.compared} {params.thermal} --log {log}"


rule report:
    input:
        lambda wildcards: TARGETS.up_to(
            "sweep_report.md",
            "sweep_report.html",
            "sweep_scatter.json",
            "sweep_table.csv",
            "sweep_wants.json",
            "plots/frontier.png",
            "plots/fidelity.png",
        ),
        TARGETS.contexts.all_files(),
        TARGETS.thermal.all_files(),
