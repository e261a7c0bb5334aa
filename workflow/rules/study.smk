# One study, from its data to its fits and figures. Everything lies in results/<study>/.


rule simulate_data:
    """Draw a study's observations from its parameters and seed."""
    output:
        observations="results/{simulated}/observations.parquet",
        truth="results/{simulated}/truth.json",
    log:
        "logs/{simulated}/simulate_data.log",
    benchmark:
        "benchmarks/{simulated}/simulate_data.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("simulate_data"),
    params:
        simulate=simulation_of,
        code=script_code("simulate_data"),
    message:
        "{wildcards.simulated}: simulate data"
    script:
        "../scripts/simulate_data.py"


rule load_data:
    """Read and check a user's table."""
    input:
        table=table_of,
    output:
        observations="results/{real}/observations.parquet",
        loading="results/{real}/loading.json",
    log:
        "logs/{real}/load_data.log",
    benchmark:
        "benchmarks/{real}/load_data.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("load_data"),
    params:
        table=table_config_of,
        content=table_content_of,
        code=script_code("load_data"),
    message:
        "{wildcards.real}: load {params.table[data]}"
    script:
        "../scripts/load_data.py"


rule describe_design:
    """Count subjects, conditions and cells, and say what one subject's data support."""
    input:
        observations=observations_of,
    output:
        design="results/{study}/design.json",
        table=report(
            "results/{study}/tables/descriptives.csv",
            category="{study}",
            labels={"table": "n, means and standard deviations"},
        ),
    log:
        "logs/{study}/describe_design.log",
    benchmark:
        "benchmarks/{study}/describe_design.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("describe_design"),
    params:
        formula=formula_of,
        code=script_code("describe_design"),
    message:
        "{wildcards.study}: describe the design"
    script:
        "../scripts/describe_design.py"


rule fit_subjects:
    """Level 1: ordinary least squares with a mean for every subject."""
    input:
        observations=observations_of,
    output:
        subjects="results/{study}/subjects.parquet",
        residuals="results/{study}/residuals.parquet",
        level1="results/{study}/level1.json",
        table=report(
            "results/{study}/tables/subjects.csv",
            category="{study}",
            labels={"table": "subject means"},
        ),
    log:
        "logs/{study}/fit_subjects.log",
    benchmark:
        "benchmarks/{study}/fit_subjects.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("fit_subjects"),
    params:
        formula=formula_of,
        coding=coding_of,
        code=script_code("fit_subjects"),
    message:
        "{wildcards.study}: fit every subject (Level 1)"
    script:
        "../scripts/fit_subjects.py"


rule fit_hierarchical:
    """Level 2: the subject means' distribution, by the two-stage method."""
    input:
        subjects=rules.fit_subjects.output.subjects,
        residuals=rules.fit_subjects.output.residuals,
        level1=rules.fit_subjects.output.level1,
    output:
        hierarchical="results/{study}/hierarchical.json",
    log:
        "logs/{study}/fit_hierarchical.log",
    benchmark:
        "benchmarks/{study}/fit_hierarchical.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("fit_hierarchical"),
    params:
        code=script_code("fit_hierarchical"),
    message:
        "{wildcards.study}: fit the subject means (Level 2)"
    script:
        "../scripts/fit_hierarchical.py"


rule fit_mixed:
    """Collapse the two levels into one mixed model, by REML and ML."""
    input:
        observations=observations_of,
    output:
        mixed="results/{study}/mixed.json",
        random_effects="results/{study}/random_effects.parquet",
        residuals="results/{study}/conditional_residuals.parquet",
        profile="results/{study}/profile.parquet",
        influence="results/{study}/influence.parquet",
        tables=shown(
            "table",
            "tables/%s.csv",
            "coefficients",
            "tests",
            "varcorr",
            "variance_components",
            "intervals",
            "means",
            "contrasts",
            "random_effects",
            "influence",
        ),
    log:
        "logs/{study}/fit_mixed.log",
    benchmark:
        "benchmarks/{study}/fit_mixed.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("fit_mixed"),
    params:
        formula=formula_of,
        coding=coding_of,
        adjust=adjust_of,
        contrast_error=contrast_error_of,
        level=level_of,
        code=script_code("fit_mixed"),
    message:
        "{wildcards.study}: fit the mixed model"
    script:
        "../scripts/fit_mixed.py"


rule check_mixed:
    """Ask whether the mixed model is to be believed: what it assumes, what other programs find."""
    input:
        observations=observations_of,
    output:
        checks="results/{study}/checks.json",
        quantiles="results/{study}/quantiles.parquet",
        table=report(
            "results/{study}/tables/witnesses.csv",
            category="{study}",
            labels={"table": "witnesses"},
        ),
    log:
        "logs/{study}/check_mixed.log",
    benchmark:
        "benchmarks/{study}/check_mixed.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("check_mixed"),
    params:
        formula=formula_of,
        level=level_of,
        code=script_code("check_mixed"),
    message:
        "{wildcards.study}: check the mixed model"
    script:
        "../scripts/check_mixed.py"


rule partition_errors:
    """The repeated-measures ANOVA with partitioned errors, where the design allows it."""
    input:
        observations=observations_of,
    output:
        anova="results/{study}/anova.json",
        table=report(
            "results/{study}/tables/anova.csv",
            category="{study}",
            labels={"table": "ANOVA"},
        ),
    log:
        "logs/{study}/partition_errors.log",
    benchmark:
        "benchmarks/{study}/partition_errors.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("partition_errors"),
    params:
        formula=fixed_formula_of,
        level=level_of,
        code=script_code("partition_errors"),
    message:
        "{wildcards.study}: partition the errors (ANOVA)"
    script:
        "../scripts/partition_errors.py"


rule compare_fits:
    """The same model three times, side by side."""
    input:
        level1=rules.fit_subjects.output.level1,
        hierarchical=rules.fit_hierarchical.output.hierarchical,
        mixed=rules.fit_mixed.output.mixed,
        anova=rules.partition_errors.output.anova,
    output:
        comparison="results/{study}/comparison.json",
        table=report(
            "results/{study}/tables/comparison.csv",
            category="{study}",
            labels={"table": "three methods compared"},
        ),
    log:
        "logs/{study}/compare_fits.log",
    benchmark:
        "benchmarks/{study}/compare_fits.tsv"
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("compare_fits"),
    params:
        code=script_code("compare_fits"),
    message:
        "{wildcards.study}: compare the three fits"
    script:
        "../scripts/compare_fits.py"


rule plot_study:
    """Draw the data, the distributions and what the mixed model says."""
    input:
        observations=observations_of,
        truth=truth_of,
        design=rules.describe_design.output.design,
        subjects=rules.fit_subjects.output.subjects,
        residuals=rules.fit_subjects.output.residuals,
        level1=rules.fit_subjects.output.level1,
        hierarchical=rules.fit_hierarchical.output.hierarchical,
        mixed=rules.fit_mixed.output.mixed,
        random_effects=rules.fit_mixed.output.random_effects,
        conditional_residuals=rules.fit_mixed.output.residuals,
        profile=rules.fit_mixed.output.profile,
        influence=rules.fit_mixed.output.influence,
        checks=rules.check_mixed.output.checks,
        quantiles=rules.check_mixed.output.quantiles,
    output:
        figures=shown("figure", "figures/%s.svg", *OF_STUDY),
    log:
        "logs/{study}/plot_study.log",
    benchmark:
        "benchmarks/{study}/plot_study.tsv"
    group:
        DRAWN_IN
    conda:
        "../envs/twolevel.yaml"
    resources:
        **asks("plot_study"),
    params:
        unit=unit_of,
        code=script_code("plot_study", modules=drawers("of_study", OF_STUDY)),
    message:
        "{wildcards.study}: draw the figures"
    script:
        "../scripts/plot_study.py"
