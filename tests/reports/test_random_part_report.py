"""The report where subjects have more of their own than a mean: true for slopes and for strata."""

import re
from functools import cache

import pytest
from test_study_report import (
    Page,
    Report,
    build,
    check,
    check_prose,
    check_range,
    flat,
    real,
    summary,
)

STUDIES = {
    "slopes": real("sleepstudy.csv", "y ~ condition + (1 + condition | subject)", unit="ms"),
    "strata": real(
        "selfesteem2.csv",
        "score ~ treatment * time + (1 | id) + (1 | id:treatment) + (1 | id:time)",
        subject="id",
    ),
    "nested": real("cases/trials_two_within.csv", "rt ~ mood + (1 | subj:mood)", subject="subj"),
    "pooled": real("cases/two_within.csv", "rt ~ flanker * block + (1 | subj)", subject="subj"),
}
RANDOM = ("slopes", "strata", "nested")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A study's report, built when it is first asked for."""

    @cache
    def made(name: str) -> Report:
        folder = tmp_path_factory.mktemp(name)
        build(name, folder, STUDIES[name])
        html = (folder / "report.html").read_text("utf-8")
        return Report(name=name, folder=folder, html=html, page=Page(html))

    return made


@pytest.mark.parametrize("name", RANDOM)
def test_nothing_is_said_that_holds_of_an_intercept_alone(made, name):
    text = flat(made(name))
    for words in (
        "random-intercept",
        "random intercept for each",
        "compound symmetry",
        "also the correlation of two observations",
        "Subjects differ from one another with a standard deviation",
        "Do subjects differ at all",
    ):
        assert words not in text, words
    assert not re.search(r"\b(None|nan|NaN|Undefined)\b", text)


@pytest.mark.parametrize("name", RANDOM)
def test_names_of_strata_are_code(made, name):
    check_prose(made(name))


@pytest.mark.parametrize("name", RANDOM)
def test_all_variances_have_rows_with_intervals_and_tests(made, name):
    report, mixed = made(name), made(name).json("mixed")
    intervals = {row["parameter"]: row for row in mixed["intervals"]}
    *shown, icc = report.table("tbl-variances")
    for cells, row, ml in zip(shown, mixed["varcorr"], mixed["ml_varcorr"], strict=True):
        check(cells[1], row["sdcor"])
        check(cells[2], ml["sdcor"])
        found = intervals[row["parameter"]]
        check_range(cells[3], found["profile_low"], found["profile_high"], 3)
    check(icc[1], mixed["icc"], 3)
    tests = mixed["variance_tests"]
    assert len(tests) == sum(row["var2"] is None for row in mixed["varcorr"]) - 1
    for cells, test in zip(report.table("tbl-random"), tests, strict=True):
        check(cells[1].split(" (")[0], test["statistic"])


def test_slopes_are_told_in_words_and_in_mathematics(made):
    """Numbers of lme4 of the same data: 24.74, 5.92, 0.066, 25.59."""
    slopes = made("slopes")
    assert slopes.says("Each subject has its own mean and its own slope of condition")
    assert slopes.says("y ~ condition + (1 + condition | subject)")
    assert summary(slopes).count("Mean y rises by 10.47 ms per unit of condition") == 1
    assert (
        "Subjects’ own intercepts (where condition is 0) vary with a standard deviation of 24.7 "
        "ms, their own slopes of condition with one of 5.92 ms per unit of condition (correlation "
        "0.066), and observations around them with one of 25.6 ms (REML)."
    ) in summary(slopes).replace("\u00a0", " ")
    source = (slopes.folder / "report/report.qmd").read_text("utf-8")
    assert r"S_{i} + B_{i}\,\text{condition}_{ij}" in source
    assert r"\begin{pmatrix} 612.1 & 9.604 \\ 9.604 & 35.07 \end{pmatrix}" in source
    # What stood in for the model has nothing left to say.
    assert "Do subjects differ in the effect" not in flat(slopes)


def test_strata_have_the_tests_of_the_partitioned_anova(made):
    """R (afex): F(1, 11) = 15.54, F(2, 22) = 27.37 and 30.42."""
    strata = made("strata")
    for test in ("F(1, 11) = 15.54", "F(2, 22) = 27.37", "F(2, 22) = 30.42"):
        assert test in summary(strata)
    assert "not clearly show that subjects differ in their own effects of time" in summary(strata)
    assert not strata.says("Errors are pooled here")
    source = (strata.folder / "report/report.qmd").read_text("utf-8")
    assert r"S_{i} + S_{i,\text{treatment}} + S_{i,\text{time}}" in source


def test_without_effects_of_subjects_themselves_there_is_a_sentence(made):
    nested = made("nested")
    assert nested.says("there are no deviations of a subject as such to draw")
    assert nested.json("mixed")["sigma_between"] is None
    assert "fig-caterpillar" not in nested.page.ids


def test_what_is_pooled_stands_at_the_headline_with_the_tests_that_it_hides(made):
    found = summary(made("pooled"))
    assert "support its own effect of each level of flanker and of block too" in found
    hidden = r"flanker, F\(2, 14\) = 50\.24, p < \.001 instead of F\(2, 35\)"
    assert re.search(hidden, found)
    assert "write (1 | subj) + (1 | subj:flanker) + (1 | subj:block) in the formula" in found
