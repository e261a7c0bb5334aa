# The way back: from a published page to the same numbers. As new_study, the rule has no output and
# runs whenever it is asked for. It starts Snakemake by the Python that runs this one.


rule reproduce:
    """Make a published page again from its own provenance, and confirm its checksums."""
    log:
        "logs/reproduce.log",
    conda:
        "../envs/twolevel.yaml"
    threads: 1_000_000  # all there are
    params:
        page=asked_page,
        table=asked_table,
        tables=own_tables,
        python=sys.executable,
        snakefile=str(WORKFLOW / "Snakefile"),
        code=script_code("reproduce"),
    message:
        "reproduce {params.page}"
    script:
        "../scripts/reproduce.py"
