"""Quants that are made on the way, from a file with all its bits."""


rule quantize:
    input:
        preflight=ancient("results/preflight/verdict.json"),
    output:
        # One for each measurement and gone after it; the file itself is no product of a rule. So
        # neither a deleted file nor one made anew is a reason to measure again.
        temp("storage/quantized/{model}/{digest}/{measurement}.ready"),
    log:
        "logs/quantized/{model}/{digest}/{measurement}.log",
    wildcard_constraints:
        measurement="[0-9a-f]{12}",
    threads: workflow.cores
    params:
        # See rule canary: paths are no reason to quantize again.
        options=lambda wildcards, output: TARGETS.quantized.options(
            wildcards.measurement
        ),
    # A change of this text would measure every cell again that was quantized; a new option belongs
    # into `QuantizedTargets.options`.
    shell:
        "python -m orket_lib quantize {params.options:q} --preflight {input.preflight}"
        " --threads {threads} --ready {output} --log {log}"
