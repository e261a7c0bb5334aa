# A start: from a table to an entry in the config. Without any output (a benchmark is one) the rule
# runs whenever it is asked for.


rule new_study:
    """Look at a table, guess what its columns are, and add a study to the config."""
    log:
        "logs/new_study.log",
    conda:
        "../envs/twolevel.yaml"
    params:
        table=asked_table,
        name=ASKED["name"],
        config=workflow.configfiles[-1],
        taken=[*STUDIES, *REPLICATIONS],
        code=script_code("new_study"),
    message:
        "look at {params.table}"
    script:
        "../scripts/new_study.py"
