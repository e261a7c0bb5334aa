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
