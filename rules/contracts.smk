"""Checks that the files for explorers match their published schemas."""


rule check_contracts:
    input:
        frontier=f"{RESULTS}/quant_sweep/frontier_explorer.json",
        contexts=TARGETS.contexts.files("context_ceiling.json"),
        thermal=TARGETS.thermal.files("thermal_profile.json"),
    output:
        touch(f"{RESULTS}/quant_sweep/contracts_passed.ok"),
    log:
        f"{LOGS}/contracts.log",
    localrule: True
    params:
        # The schemas are generated from these sources.
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
