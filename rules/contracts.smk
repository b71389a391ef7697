"""Whether what explorers read is what the published schemas promise."""


rule check_contracts:
    input:
        frontier=f"{RESULTS}/quant_sweep/frontier_explorer.json",
        contexts=TARGETS.contexts.ceilings(),
        thermal=TARGETS.thermal.profiles(),
    output:
        touch(f"{RESULTS}/quant_sweep/contracts_passed.ok"),
    log:
        f"{LOGS}/contracts.log",
    localrule: True
    params:
        # The schemas are made of these sources.
        code=code_digest("contracts"),
        contexts=lambda wildcards, input: option("--context", input.contexts),
        thermal=lambda wildcards, input: option("--thermal", input.thermal),
    shell:
        "python -m orket_lib contracts --frontier {input.frontier} {params.contexts}"
        " {params.thermal} --log {log}"


rule contracts:
    input:
        lambda wildcards: TARGETS.up_to("frontier_explorer.json", "contracts_passed.ok"),
        TARGETS.contexts.all_files(),
        TARGETS.thermal.all_files(),
