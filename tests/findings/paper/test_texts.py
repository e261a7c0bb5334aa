"""Methods, results and tables for a paper: right for every kind of study, in APA style."""

import io
import re
from dataclasses import replace

import pandas as pd
import pytest
from example_summaries import POOLED, checks
from study_results import results_of
from test_analysis_scripts import NAMES, found

from twolevel.findings.paper.cited_works import SOURCES, bibliography
from twolevel.findings.paper.for_paper import for_paper
from twolevel.findings.paper.in_italics import F_in_text, t_in_text, with_interval
from twolevel.findings.paper.methods_text import methods_text
from twolevel.findings.paper.paper_table import PaperTable
from twolevel.findings.paper.results_text import results_text
from twolevel.findings.paper.rounded import anova_table, contrasts_table, rounded_tables
from twolevel.summaries.loading_summary import LoadingSummary
from twolevel.text.markdown import Markdown

VERSIONS = {"twolevel": "0.1.0", "snakemake": "9.0", "Python": "3.11", "numpy": "2", "scipy": "1"}
CITATION = {"title": "twolevel", "version": "0.1.0", "authors": [{"name": "The developers"}]}


def frame(table: PaperTable) -> pd.DataFrame:
    """A table's file, whose cells are texts."""
    return pd.read_csv(io.StringIO(table.csv), dtype=str, keep_default_na=False)


def said(name: str) -> str:
    """The results of a study, without escapes."""
    return "\n".join(results_text(found(name))).replace("\\", "")


def test_statistics_have_their_letters_in_italics():
    assert F_in_text(2.897, 1, 18.0, 0.106) == "*F*(1, 18) = 2.90, *p* = .106"
    assert t_in_text(-8.1, 41.366, 1e-9) == r"*t*(41.37) = −8.10, *p* \< .001"
    shown = with_interval("*η*²~G~", 0.1786, 0.11, 0.2345, 0.9, within_one=True)
    assert shown == "*η*²~G~ = .18, 90% CI [.11, .23]"
    assert with_interval("*b*", -2.5, None, 1.0, 0.95, unit=" ms") == "*b* = −2.50 ms"


def test_results_are_those_of_afex_and_emmeans():
    """R: afex 1.2 (ges of anxiety), emmeans 1.8 (Holm; Bonferroni's intervals)."""
    text = said("groups")
    assert (
        "effect of condition was significant, *F*(2, 84) = 394.91, *p* < .001, *η*²~G~ = .18"
        in text
    )
    assert "The effect of group was significant, *F*(2, 42) = 4.35, *p* = .019" in text
    assert "t1 - t3, *MD* = 1.72, 95% CI [1.57, 1.87], *t*(84) = 28.06, *p* < .001" in text
    assert "grp1 - grp3, *MD* = 1.64, 95% CI [0.24, 3.05], *t*(42) = 2.92, *p* = .017" in text
    assert "Between levels of condition where group is grp2 (*p* Holm-adjusted): " in text
    assert "(*p* Tukey-adjusted)" in said("tukey")


def test_results_of_numbers_and_of_a_mean():
    assert (
        "Per unit of condition, mean y rose, *b* = 10.47, 95% CI [7.21, 13.73], "
        "*t*(17) = 6.77, *p* < .001."
    ) in said("slopes")
    assert "Between levels" not in said("slopes")
    assert "correlation of intercepts and slopes of condition, *r* = .07, 95% CI" in said("slopes")
    assert said("mean").startswith("The grand mean of y was *M* = 1527.50, 95% CI [1477.")
    assert "where age is 0 was" in said("covariates")


def test_a_boundary_is_said():
    assert "singular: REML estimated the variance of subjects’ own effects of flanker" in said(
        "strata"
    )
    assert "singular (on the boundary)" in methods_text(found("strata"), None, VERSIONS)


def test_the_test_that_decides_is_reported():
    results = found("groups")
    other = {"term": "condition", "F": 1.5, "df_num": 2, "df_den": 30.5, "p": 0.24}
    pooled = POOLED | {"tests": [other, *(row.model_dump() for row in results.mixed.anova[1:])]}
    held = results_of_checks("groups", pooled=pooled)
    first = results_text(held)[0].replace("\\", "")
    assert first.startswith(
        "The effect of condition was not significant, in the model with all random effects that "
        "subjects’ data support, *F*(2, 30.50) = 1.50, *p* = .240"
    )
    methods = methods_text(held, None, VERSIONS)
    assert "gives another test, that test is reported" in methods
    assert "where the model leaves out nothing of how subjects differ in them" in methods
    of_levels = "\n".join(results_text(held)).replace("\\", "")
    assert "Between levels of condition: t1 - t2, *MD* = 0.78, *d*~z~ = 2.12, 95% CI" in of_levels
    assert "grp1 - grp2, *MD* = 0.63, 95% CI [−0.78, 2.03], *t*(42)" in of_levels
    corrected = said("days")
    assert re.search(
        r"Greenhouse and Geisser’s correction \(\*ε\* = \.37\), \*F\*\(3\.32, 56\.46\)", corrected
    )


def results_of_checks(name, **changes):
    """A study's results with other checks."""
    return replace(found(name), checks=checks(**changes))


@pytest.mark.parametrize("name", NAMES)
def test_every_study_has_whole_text_and_its_sources(name):
    paper = for_paper(found(name), None, VERSIONS, CITATION)
    text = " ".join([paper.methods, *paper.results])
    assert not re.search(r"None|nan|  |\.\.|,,|p\* = 0", text)
    assert not re.search(r"\d-\d|[ (]-\d", text.replace("\\", "").replace(" - ", ""))
    cited = {key for key, source in SOURCES.items() if source.cited in paper.methods}
    assert cited == set(re.findall(r"@article\{(\w+)", paper.bibtex))
    assert paper.bibtex.count("{") == paper.bibtex.count("}")
    assert {"kenward1997", "bates2015", "laird1982"} <= cited


def test_rows_left_out_are_counted():
    nothing = {"facts": {}, "coded": {}, "likely_codes": [], "levels": {}, "inputs": []}
    loading = LoadingSummary.of({"rows_read": 137, "dropped": {"y": 2}} | nothing)
    assert "2 rows without a value were left out." in methods_text(
        found("groups"), loading, VERSIONS
    )
    assert "left out" not in methods_text(found("groups"), None, VERSIONS)


@pytest.mark.parametrize("name", NAMES)
def test_tables_hold_what_they_head(name):
    for table in rounded_tables(found(name)):
        assert all(len(row) == len(table.headings) for row in table.rows)
        read = frame(table)
        assert list(read) == [heading.plain for heading in table.headings]
        assert len(read) == len(table.rows)
        assert read.map(lambda cell: "−" not in cell).all(axis=None)
        assert all(type(cell) is Markdown for row in table.markdown_rows for cell in row)


def test_tables_are_the_numbers_rounded():
    anova = frame(anova_table(found("groups"))).set_index("Effect")
    assert anova.loc["group"].tolist()[:6] == ["2", "42", "4.35", ".019", "", ""]
    assert anova.loc["condition", ["ges", "pes"]].tolist() == [".18", ".90"]
    assert anova.loc["condition and group", "df1"] == "4"
    ours = found("groups").mixed.contrasts
    rows = frame(contrasts_table(found("groups")))
    values = pd.to_numeric(rows["MD"][: len(ours)])
    assert values.tolist() == [pytest.approx(row.estimate, abs=0.00501) for row in ours]
    assert rows["d_z"][0] == f"{ours[0].d_z:.2f}"
    assert contrasts_table(found("slopes")).rows == []


def test_descriptives_say_what_n_and_sd_are_of():
    of_means = "M and SD are of their means"
    for name in ("trials", "mean"):
        assert of_means in rounded_tables(found(name))[0].note
    for name in ("groups", "strata", "slopes"):
        assert of_means not in rounded_tables(found(name))[0].note
    rows = rounded_tables(found("groups"))[0].rows
    assert rows[0][:3] == ["grp1", "t1", "15"]
    assert rows[-1][:3] == ["all", "all", "45"]


def test_what_has_no_anova_says_why():
    table = anova_table(found("missing"))
    assert table.rows == []
    assert table.note.startswith("There is no exact ANOVA: ")


def test_a_small_scale_has_decimals_enough():
    data = found_data() * [1, 1, 1e-4]
    table = frame(rounded_tables(results_of("y ~ x", data, "id", "x"))[0])
    assert all(len(cell.partition(".")[2]) >= 5 for cell in table["M"])


def found_data():
    """Nine rows of three subjects."""
    rows = [(i, j, 3 * i + j + (i * j) % 3 / 7 + (i == j) / 5) for i in range(5) for j in range(3)]
    return pd.DataFrame(rows, columns=["id", "x", "y"])


def test_this_software_is_cited_as_it_asks():
    people = [{"family-names": "Doe", "given-names": "Jo"}, {"name": "A group"}]
    entry = bibliography([], CITATION | {"authors": people, "doi": "10.1/x"})
    assert "author = {Doe, Jo and {A group}}" in entry
    assert "doi = {10.1/x}" in entry


def test_a_slope_that_the_model_pools_has_no_test_of_its_own():
    held = results_of_checks("slopes", pooled=POOLED)
    assert "mean y rose, *b* = 10.47." in "\n".join(results_text(held))
