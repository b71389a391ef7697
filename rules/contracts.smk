"""Whether what explorers read is what the published schemas promise."""


rule check_contracts:
    input:
        frontier=f"{RESULTS}/quant_sweep/frontier_explorer.json",
        thermal=TARGETS.thermal.profiles(),
    output:
        touch(f"{RESULTS}/quant_sweep/contracts_passed.ok"),
    log:
        f"logs/{SWEEP.config.sweep}/contracts.log",
    params:
        # The schemas are made of these sources.
        code=CODE,
        thermal=TARGETS.thermal.option(),
    shell:
        "python -m orket_lib contracts --frontier {input.frontier} {params.thermal} --log {log}"


rule contracts:
    input:
        TARGETS.up_to("frontier_explorer.json", "contracts_passed.ok"),
        TARGETS.thermal.all_files(),
