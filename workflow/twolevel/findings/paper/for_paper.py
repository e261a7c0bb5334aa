"""All that a study's page offers to a paper, each part made by a function of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twolevel.findings.paper.cited_works import bibliography
from twolevel.findings.paper.code.analysis import analysis
from twolevel.findings.paper.code.in_jasp import in_jasp
from twolevel.findings.paper.code.python_script import python_script
from twolevel.findings.paper.code.r_script import r_script
from twolevel.findings.paper.methods_text import methods_text
from twolevel.findings.paper.paper_table import PaperTable
from twolevel.findings.paper.results_text import results_text
from twolevel.findings.paper.rounded import rounded_tables
from twolevel.findings.results import Results
from twolevel.summaries.loading_summary import LoadingSummary
from twolevel.text.markdown import Markdown


@dataclass(frozen=True)
class ForPaper:
    """Text, tables, references and code; r is None where R has no counterpart of the formula."""

    methods: Markdown
    results: list[Markdown]
    tables: list[PaperTable]
    bibtex: str
    r: str | None
    python: str
    jasp: list[Markdown]


def for_paper(
    found: Results,
    loading: LoadingSummary | None,
    versions: Mapping[str, str],
    citation: Mapping[str, object],
) -> ForPaper:
    """What a paper takes of a study; citation is what CITATION.cff says."""
    methods, same = methods_text(found, loading, versions), analysis(found)
    return ForPaper(
        methods=methods,
        results=results_text(found),
        tables=rounded_tables(found),
        bibtex=bibliography([methods], citation),
        r=r_script(same),
        python=python_script(same),
        jasp=in_jasp(same),
    )
