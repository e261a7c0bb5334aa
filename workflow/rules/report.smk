# From a study's results to its page, and from all pages to the site.

FIGURES = rules.plot_study.output.figures
TABLES = [
    rules.describe_design.output.table,
    rules.compare_fits.output.table,
    *rules.fit_mixed.output.tables,
    rules.check_mixed.output.table,
    rules.partition_errors.output.table,
    rules.fit_subjects.output.table,
]
REPLICATION_FIGURES = rules.plot_replication.output.figures
REPLICATION_TABLES = [rules.measure_performance.output.table]
# What comes with the workflow is a parameter, and `code` tells of a change: of each input Snakemake
# takes a checksum for each output, thousands for a report, while no job starts.
BESIDE = ["_quarto.yml", "template.html", "reference.docx"]
BESIDE += ["common.lua", "equations.lua", "page.lua", "paper.lua"]
SUPPORT = [*BESIDE, "page.css", "page.js", "copying.js", "saving.js"]
SUPPORT = [template(name) for name in SUPPORT]
# What a study's page can do beyond being read; in this order, for the last starts all others.
LIVE = [
    "live.css",
    "normal_draws.js",
    "drawn_subject.js",
    "mean_squares.js",
    "address.js",
    "drawing.js",
    "histogram.js",
    "draw_again.js",
    "intraclass_picture.js",
    "choose_subject.js",
    "start.js",
]
LIVE = [template(f"live/{name}") for name in LIVE]
STEPS = sorted(path.name for path in (WORKFLOW.parent / "reports/study").iterdir())
STEPS = [template(f"study/{name}") for name in STEPS]


CITATION = os.path.relpath(WORKFLOW.parent / "CITATION.cff")
# Those that the page has rounded for people too.
ROUNDED = ["descriptives", "tests", "anova", "means", "contrasts", "varcorr"]


rule write_report:
    """Write a study's report as a Quarto document with all that it shows."""
    input:
        design=rules.describe_design.output.design,
        level1=rules.fit_subjects.output.level1,
        hierarchical=rules.fit_hierarchical.output.hierarchical,
        mixed=rules.fit_mixed.output.mixed,
        checks=rules.check_mixed.output.checks,
        anova=rules.partition_errors.output.anova,
        comparison=rules.compare_fits.output.comparison,
        truth=truth_of,
        loading=loading_of,
        observations=observations_of,
        figures=FIGURES,
        tables=TABLES,
    output:
        document=update("results/{study}/report/report.qmd"),
        provenance="results/{study}/report/provenance.json",
        support=expand("results/{{study}}/report/{name}", name=BESIDE),
        figures=expand("results/{{study}}/report/figures/{name}", name=names_of(FIGURES)),
        tables=expand("results/{{study}}/report/tables/{name}", name=names_of(TABLES)),
        rounded=expand("results/{{study}}/report/tables/{name}_rounded.csv", name=ROUNDED),
        data="results/{study}/report/tables/data.csv",
    log:
        "logs/{study}/write_report.log",
    benchmark:
        "benchmarks/{study}/write_report.tsv"
    conda:
        "../envs/twolevel.yaml"
    params:
        study=config_of,
        citation=CITATION,
        template=template("study.qmd"),
        support=[*SUPPORT, *LIVE],
        code=script_code("write_report", template("study.qmd"), *STEPS, *SUPPORT, *LIVE, CITATION),
    message:
        "{wildcards.study}: write the report"
    script:
        "../scripts/write_report.py"


rule render_report:
    """Render a study's report into one self-contained page."""
    input:
        document=rules.write_report.output.document,
        shown=[
            rules.write_report.output.provenance,
            rules.write_report.output.support,
            rules.write_report.output.figures,
            rules.write_report.output.tables,
            rules.write_report.output.rounded,
            rules.write_report.output.data,
        ],
    output:
        page=report("results/{study}/report.html", category="{study}", labels={"page": "report"}),
    log:
        "logs/{study}/render_report.log",
    benchmark:
        "benchmarks/{study}/render_report.tsv"
    conda:
        "../envs/twolevel.yaml"
    params:
        renderer=CONFIG.report.renderer,
        code=script_code("render_report"),
    message:
        "{wildcards.study}: render the report"
    script:
        "../scripts/render_report.py"


rule write_replication_report:
    """Write a replication study's report as a Quarto document with all that it shows."""
    input:
        replication=rules.measure_performance.output.replication,
        measures=rules.measure_performance.output.measures,
        subjects=rules.find_subjects.output.subjects,
        loading=like_loading,
        figures=REPLICATION_FIGURES,
        tables=REPLICATION_TABLES,
    output:
        document=update("results/{replication}/report/report.qmd"),
        provenance="results/{replication}/report/provenance.json",
        support=expand("results/{{replication}}/report/{name}", name=BESIDE),
        figures=expand(
            "results/{{replication}}/report/figures/{name}", name=names_of(REPLICATION_FIGURES)
        ),
        tables=expand(
            "results/{{replication}}/report/tables/{name}", name=names_of(REPLICATION_TABLES)
        ),
    log:
        "logs/{replication}/write_replication_report.log",
    benchmark:
        "benchmarks/{replication}/write_replication_report.tsv"
    conda:
        "../envs/twolevel.yaml"
    params:
        replication=replication_of,
        by_icc=by_icc_of,
        template=template("replication.qmd"),
        support=SUPPORT,
        like=like_config_of,
        code=script_code("write_replication_report", template("replication.qmd"), *SUPPORT),
    message:
        "{wildcards.replication}: write the report"
    script:
        "../scripts/write_replication_report.py"


use rule render_report as render_replication_report with:
    input:
        document=rules.write_replication_report.output.document,
        shown=[
            rules.write_replication_report.output.provenance,
            rules.write_replication_report.output.support,
            rules.write_replication_report.output.figures,
            rules.write_replication_report.output.tables,
        ],
    output:
        page=report(
            "results/{replication}/report.html",
            category="{replication}",
            labels={"page": "report"},
        ),
    log:
        "logs/{replication}/render_report.log",
    benchmark:
        "benchmarks/{replication}/render_report.tsv"
    message:
        "{wildcards.replication}: render the report"


rule build_site:
    """Build the site: an index over all studies with their pages."""
    input:
        pages=[
            *for_each(rules.render_report.output.page, study=STUDIES),
            *for_each(rules.render_replication_report.output.page, replication=REPLICATIONS),
        ],
        designs=for_each(rules.describe_design.output.design, study=STUDIES),
        mixed=for_each(rules.fit_mixed.output.mixed, study=STUDIES),
        means=for_each(*named("condition_means", FIGURES), study=STUDIES),
        data=for_each(*named("data_by_subject", FIGURES), study=STUDIES),
        replications=for_each(
            rules.measure_performance.output.replication, replication=REPLICATIONS
        ),
        power=for_each(*named("power_curves", REPLICATION_FIGURES), replication=REPLICATIONS),
    output:
        index=report("site/index.html", category="site", labels={"page": "index"}),
        pages=expand("site/{page}.html", page=[*STUDIES, *REPLICATIONS]),
    log:
        "logs/build_site.log",
    benchmark:
        "benchmarks/build_site.tsv"
    conda:
        "../envs/twolevel.yaml"
    params:
        renderer=CONFIG.report.renderer,
        template=template("index.qmd"),
        support=SUPPORT,
        studies={name: study_config(name) for name in STUDIES},
        titles={name: study.title or name for name, study in REPLICATIONS.items()},
        code=script_code("build_site", template("index.qmd"), *SUPPORT),
    message:
        "build the site"
    script:
        "../scripts/build_site.py"
