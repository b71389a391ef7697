"""What the operator reads."""


rule report:
    input:
        summary=f"{RESULTS}/quant_sweep/sweep_summary.json",
    output:
        markdown=report(
            f"{RESULTS}/quant_sweep/sweep_report.md",
            category="Sweep",
            labels={"part": "report"},
        ),
        scatter=f"{RESULTS}/quant_sweep/sweep_scatter.json",
        plot=report(
            f"{RESULTS}/quant_sweep/plots/frontier.png",
            category="Sweep",
            labels={"part": "frontier"},
        ),
    log:
        f"logs/{SWEEP.config.sweep}/report.log",
    params:
        code=CODE,
    shell:
        "python -m orket_lib report --summary {input.summary} --out-md {output.markdown}"
        " --out-scatter {output.scatter} --out-plot {output.plot} --log {log}"
