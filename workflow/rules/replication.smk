# One replication study: its experiments in slices, and what they say of the method. Everything lies
# in results/<replication>/.

SLICE = str(Path(*(f"{axis}={{{axis}}}" for axis in AXES), "{first}-{last}"))


rule replicate:
    """Draw, fit and test a slice of the experiments."""
    input:
        design=like("design.json"),
        mixed=like("mixed.json"),
        observations=like("observations.parquet"),
    output:
        sums=f"results/{{replication}}/experiments/{SLICE}.parquet",
    log:
        f"logs/{{replication}}/replicate/{SLICE}.log",
    benchmark:
        f"benchmarks/{{replication}}/replicate/{SLICE}.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("replicate"),
    params:
        replication=parameters_of,
        like=like_model_of,
        code=script_code("replicate"),
    message:
        "{wildcards.replication}: experiments {wildcards.first} to {wildcards.last} with {wildcards.subjects} subjects"
    script:
        "../scripts/replicate.py"


use rule replicate as replicate_and_keep with:
    output:
        sums=f"results/{{replication}}/experiments/{SLICE}.parquet",
        experiments=f"results/{{replication}}/experiments/{SLICE}.experiments.parquet",
    wildcard_constraints:
        replication=any_of(KEPT),


ruleorder: replicate_and_keep > replicate


rule gather_experiments:
    """Gather the experiments of a replication study that keeps them."""
    input:
        experiments=kept_of,
    output:
        experiments="results/{replication}/experiments.parquet",
    log:
        "logs/{replication}/gather_experiments.log",
    benchmark:
        "benchmarks/{replication}/gather_experiments.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("gather_experiments"),
    params:
        points=points_of,
        experiments=experiments_of,
        code=script_code("gather_experiments"),
    message:
        "{wildcards.replication}: gather the experiments"
    script:
        "../scripts/gather_experiments.py"


rule measure_performance:
    """The measures of performance at all points, with their Monte Carlo errors."""
    input:
        sums=sums_of,
        design=like("design.json"),
        mixed=like("mixed.json"),
        observations=like("observations.parquet"),
    output:
        replication="results/{replication}/replication.json",
        measures="results/{replication}/measures.parquet",
        distributions="results/{replication}/distributions.parquet",
        table=report(
            "results/{replication}/tables/measures.csv",
            category="{replication}",
            labels={"table": "measures of performance"},
        ),
    log:
        "logs/{replication}/measure_performance.log",
    benchmark:
        "benchmarks/{replication}/measure_performance.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("measure_performance"),
    params:
        replication=parameters_of,
        like=like_model_of,
        points=points_of,
        experiments=experiments_of,
        powers=powers_of,
        code=script_code("measure_performance"),
    message:
        "{wildcards.replication}: measure the performance"
    script:
        "../scripts/measure_performance.py"


rule find_subjects:
    """How many subjects it takes."""
    input:
        design=like("design.json"),
        mixed=like("mixed.json"),
        observations=like("observations.parquet"),
    output:
        subjects="results/{replication}/subjects.json",
    log:
        "logs/{replication}/find_subjects.log",
    benchmark:
        "benchmarks/{replication}/find_subjects.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("find_subjects", number_of_designs),
    params:
        replication=parameters_of,
        like=like_model_of,
        designs=designs_of,
        asked=asked_of,
        code=script_code("find_subjects"),
    message:
        "{wildcards.replication}: find how many subjects it takes"
    script:
        "../scripts/find_subjects.py"


rule plot_replication:
    """Draw what a replication study found."""
    input:
        subjects=rules.find_subjects.output.subjects,
        replication=rules.measure_performance.output.replication,
        measures=rules.measure_performance.output.measures,
        distributions=rules.measure_performance.output.distributions,
    output:
        figures=shown("figure", "figures/%s.svg", *OF_REPLICATION, of="replication"),
    log:
        "logs/{replication}/plot_replication.log",
    benchmark:
        "benchmarks/{replication}/plot_replication.tsv"
    conda:
        "../envs/twolevel.yaml"
    params:
        by_icc=by_icc_of,
        code=script_code("plot_replication", modules=drawers("of_replication", OF_REPLICATION)),
    message:
        "{wildcards.replication}: draw what was found"
    script:
        "../scripts/plot_replication.py"
