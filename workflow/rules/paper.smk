# For papers and for print: figures as PNG and PDF, reports as Word documents and PDF. What of it the
# config does not name is made when it is asked for.


use rule plot_study as plot_study_for_paper with:
    output:
        png=expand("results/{{study}}/figures/{name}.png", name=OF_STUDY),
        pdf=expand("results/{{study}}/figures/{name}.pdf", name=OF_STUDY),
    log:
        "logs/{study}/plot_study_for_paper.log",
    benchmark:
        "benchmarks/{study}/plot_study_for_paper.tsv"
    message:
        "{wildcards.study}: draw the figures for paper"


use rule plot_replication as plot_replication_for_paper with:
    output:
        png=expand("results/{{replication}}/figures/{name}.png", name=OF_REPLICATION),
        pdf=expand("results/{{replication}}/figures/{name}.pdf", name=OF_REPLICATION),
    log:
        "logs/{replication}/plot_replication_for_paper.log",
    benchmark:
        "benchmarks/{replication}/plot_replication_for_paper.tsv"
    message:
        "{wildcards.replication}: draw the figures for paper"


rule figures_for_paper:
    """Every study's figures as PNG of 300 dpi and as PDF."""
    input:
        for_each(*rules.plot_study_for_paper.output, study=STUDIES),
        for_each(*rules.plot_replication_for_paper.output, replication=REPLICATIONS),
    message:
        "the figures for paper lie beside those of the pages, in results/*/figures"


# The config's formats besides the page, which is always made.
PAPERS = [
    f"results/{name}/report.{kind}"
    for name in [*STUDIES, *REPLICATIONS]
    for kind in CONFIG.report.formats
    if kind != "html"
]


use rule render_report as render_paper with:
    input:
        document=rules.write_report.output.document,
        shown=rules.render_report.input.shown,
        figures=rules.plot_study_for_paper.output.png,
    output:
        paper="results/{study}/report.{kind}",
    log:
        "logs/{study}/render_report.{kind}.log",
    benchmark:
        "benchmarks/{study}/render_report.{kind}.tsv"
    message:
        "{wildcards.study}: render the report as {wildcards.kind}"


use rule render_replication_report as render_replication_paper with:
    input:
        document=rules.write_replication_report.output.document,
        shown=rules.render_replication_report.input.shown,
        figures=rules.plot_replication_for_paper.output.png,
    output:
        paper="results/{replication}/report.{kind}",
    log:
        "logs/{replication}/render_report.{kind}.log",
    benchmark:
        "benchmarks/{replication}/render_report.{kind}.tsv"
    message:
        "{wildcards.replication}: render the report as {wildcards.kind}"
