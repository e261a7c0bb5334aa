"""The walk in the lecture's symbols: what changes, two levels, the ANOVA's rows, the truth."""

from dataclasses import replace

import example_summaries
import pytest
from example_summaries import anova, design, mixed
from test_headline import study as without_levels

from twolevel.findings.compared import why_apart
from twolevel.findings.walk.again import what_changes
from twolevel.findings.walk.alone import mean_in_numbers
from twolevel.findings.walk.error_rows import error_rows
from twolevel.findings.walk.of_truth import truth_in_words
from twolevel.findings.walk.two_levels import random_variables, two_levels
from twolevel.summaries.truth_summary import TruthSummary


def study(**changes):
    """The headline's study with its two stages."""
    stages = {"level1": example_summaries.level1(), "two_stage": example_summaries.two_stage()}
    return replace(without_levels(**changes), **stages)


STRATA = [
    {"stratum": "id", "ss": 90.0, "df": 9, "ms": 10.0, "variance": 3.0},
    {"stratum": "id:time", "ss": 18.0, "df": 18, "ms": 1.0, "variance": 1.0},
]
SLOPES = {
    "random_terms": [{"formula": "1 + day", "within": [], "effects": ["(Intercept)", "day"]}],
    "varcorr": [
        {"parameter": "a", "grp": "id", "var1": "(Intercept)", "var2": None, "vcov": 4, "sdcor": 2},
        {"parameter": "b", "grp": "id", "var1": "day", "var2": None, "vcov": 1, "sdcor": 1},
        {
            "parameter": "c",
            "grp": "id",
            "var1": "(Intercept)",
            "var2": "day",
            "vcov": 0.5,
            "sdcor": 0.25,
        },
        {"parameter": "d", "grp": "Residual", "var1": None, "var2": None, "vcov": 9, "sdcor": 3},
    ],
    "slopes": [
        {"variable": "day", "term": "day", "estimate": 2.0}
        | dict.fromkeys(("se", "df", "t", "p", "ci_low", "ci_high"))
    ],
    "terms": {"day": ["day"]},
    "anova": [example_summaries.term("day", 0.001)],
}


def test_the_lectures_equations():
    found = two_levels(study())
    assert found.collapsed == r"y_{ij} = \mu + S_{i} + \alpha_j + \eta_{ij}"
    assert found.substituted == r"y_{ij} = (\mu + S_{i}) + \alpha_j + \eta_{ij}"
    for line in (
        r"y_{ij} &= \mu_i + \alpha_j + \eta_{ij}",
        r"\eta_{ij} &\sim N(0,\, \sigma_w^2)",
        r"\mu_i &= \mu + S_{i}",
        r"S_{i} &\sim N(0,\, \sigma_b^2)",
    ):
        assert line in found.in_symbols
    assert random_variables(study()) == (
        r"\mu_i \sim N(\mu,\, \sigma_b^2), \qquad \eta_{ij} \sim N(0,\, \sigma_w^2)"
    )


def test_both_levels_in_numbers_are_those_of_two_stages():
    found = study()
    numbers = two_levels(found).in_numbers
    assert rf"\mu_i &= {found.two_stage.grand_mean.estimate:.3f}" in numbers
    assert rf"S_{{i}} &\sim N(0,\, {found.two_stage.between_variance:.3f})" in numbers


def test_own_slopes_stand_where_means_do():
    columns = {"subject": "id", "condition": "day", "response": "y"}
    found = replace(study(**SLOPES), design=design(columns=columns))
    levels = two_levels(found)
    day = r"\,\text{day}_{ij}"
    assert levels.collapsed == (
        rf"y_{{ij}} = \mu_0 + \beta{day} + S_{{i}} + B_{{i}}{day} + \eta_{{ij}}"
    )
    assert levels.substituted == (
        rf"y_{{ij}} = (\mu_0 + S_{{i}}) + (\beta + B_{{i}}){day} + \eta_{{ij}}"
    )
    assert r"\begin{pmatrix} \mu_0 \\ \beta \end{pmatrix},\, \Sigma" in random_variables(found)


def test_own_effects_of_levels_are_each_subjects_alpha():
    nested = [*mixed().model_dump()["random_terms"]]
    nested.append({"formula": "1", "within": ["dose"], "effects": ["(Intercept)"]})
    rows = mixed().model_dump()["varcorr"]
    rows.insert(1, rows[0] | {"parameter": "dose", "grp": "id:dose", "vcov": 2.0})
    levels = two_levels(study(random_terms=nested, varcorr=rows))
    assert r"\alpha_{ij} &= \alpha_j + S_{i,\text{dose}}" in levels.in_symbols
    assert r"(\alpha_j + S_{i,\text{dose}})" in levels.substituted


def test_effects_of_another_kind_are_vectors():
    terms = [{"formula": "0 + f", "within": [], "effects": ["f[a]", "f[b]"]}]
    rows = [SLOPES["varcorr"][0] | {"var1": "f[a]"}, SLOPES["varcorr"][1] | {"var1": "f[b]"}]
    rows += [SLOPES["varcorr"][2] | {"var1": "f[a]", "var2": "f[b]"}, SLOPES["varcorr"][3]]
    found = study(random_terms=terms, varcorr=rows)
    assert r"z_{ij}'\theta_i" in two_levels(found).in_symbols
    assert random_variables(found).startswith(r"\theta_i \sim")
    assert two_levels(found).in_numbers is None


def test_the_rows_of_the_anova_are_random_variables():
    found = error_rows(replace(study(), anova=anova(strata=STRATA, per_subject=3)))
    assert found.symbols == {"id": "$S_{i}$", "id:time": r"$\eta_{ij}$"}
    assert r"$\hat\sigma_b^2 = (10.00 - 1.000)/3.000 = 3.000$" in found.said[0]
    assert found.said[1].endswith(r"the variance, $\hat\sigma_w^2 = 1.000$.")
    assert found.absent == []
    assert error_rows(study()).said == []


def test_another_variance_of_the_mixed_model_stands_beside_that_of_the_anova():
    found = error_rows(study(partitioned={"strata": STRATA}, sigma_within=2.0))
    assert found.said[1].endswith("= 1.000$, where the mixed model has $4.000$.")


def test_what_the_anova_has_no_row_for_is_said():
    columns = {"subject": "id", "condition": "day", "response": "y"}
    found = replace(
        study(**SLOPES), design=design(columns=columns), anova=anova(strata=STRATA, per_subject=3)
    )
    assert error_rows(found).absent == ["$B_{i}$"]
    assert "has no row for $B_{i}$" in error_rows(found).said[-1]


def test_errors_that_the_model_pools_are_one_random_variable():
    """Its variance is none of the mean squares that the ANOVA has of them."""
    rows = [STRATA[0], STRATA[1], STRATA[1] | {"stratum": "within"}]
    found = study(comparison={"pooled": ["id:time"]}, partitioned={"strata": rows})
    error = "$\\eta_{ij}$"
    assert error_rows(found).symbols == {"id": "$S_{i}$", "id:time": error, "within": error}
    assert error_rows(found).said[1:] == [
        f"{error} is the error of `id:time` and `within` together, whose mean squares the ANOVA "
        "keeps apart."
    ]


def test_free_effects_of_levels_are_all_errors_at_once():
    terms = [{"formula": "0 + f", "within": [], "effects": ["f[a]", "f[b]"]}]
    rows = [*STRATA, STRATA[1] | {"stratum": "within"}]
    found = study(random_terms=terms, partitioned={"strata": rows})
    assert error_rows(found).symbols == {}
    assert error_rows(found).free == ["$B^{(1)}_{i}$", "$B^{(2)}_{i}$"]
    assert "makes the errors of `id` and `id:time`: the model" in error_rows(found).said[0]
    (reason,) = why_apart(found, error_rows(found))
    assert reason.endswith("the ANOVA takes all contrasts of levels to vary alike")


def test_a_variance_below_0_is_said_to_be_none():
    strata = [STRATA[0] | {"ms": 0.5, "variance": -1 / 6}, STRATA[1]]
    found = error_rows(replace(study(), anova=anova(strata=strata, per_subject=3)))
    assert "below 0, which no variance can be" in found.said[0]


def test_what_changes_from_subject_to_subject_and_what_does_not():
    means, effects, errors = what_changes(study())
    assert [row.quantity for row in (means, effects, errors)] == [
        r"$\mu_i$",
        r"$\alpha_j$",
        r"$\eta_{ij}$",
    ]
    assert [row.changes for row in (means, effects, errors)] == [
        "yes",
        "no: shared by assumption",
        "yes",
    ]
    assert len(set(means.values)) == len(means.values)
    assert len(set(effects.values)) == 1


def truth(**changes):
    values = {"grand_mean": 17 / 3, "condition_effects": {"a": -8 / 3, "b": 1 / 3, "c": 7 / 3}}
    values |= {"sigma_between": 3**0.5, "sigma_within": 2**0.5}
    values["entered"] = {"grand_mean": 5, "effects": {"time": {"a": -2, "b": 1, "c": 3}}}
    return replace(study(), truth=TruthSummary.of(values | changes))


def test_the_truth_stands_as_entered_beside_the_centred_one():
    entered, centred = truth_in_words(truth())
    assert r"$\mu = 5$, $\alpha = ({-2},\, 1,\, 3)$ for a, b and c" in entered
    assert r"$\sigma_b^2 = 3$ and $\sigma_w^2 = 2$." in entered
    assert r"\mu = 5.667" in centred
    assert r"{-2.667},\, 0.3333,\, 2.333" in centred
    assert truth_in_words(study()) == []


def test_effects_that_sum_to_zero_need_no_second_sentence():
    entered = {"grand_mean": 5, "effects": {"time": {"a": -1, "b": 0, "c": 1}}}
    assert len(truth_in_words(truth(entered=entered))) == 1


@pytest.mark.parametrize(
    ("rows", "shown"),
    [
        ([1.5, 2.5], r"\frac{1.500 + 2.500}{2} = 2.000"),
        ([1.5, -2.5, 7], r"\frac{1.500 - 2.500 + 7.000}{3} = 2.000"),
        ([2.0] * 9, r"\hat\mu_i = \bar y_i = 2.000"),
    ],
)
def test_the_mean_of_one_subject_is_written_out(rows, shown):
    one = design().one_subject.model_dump()
    one["observations"] = [{"condition": "a", "response": row} for row in rows]
    found = replace(study(), design=design(one_subject=one | {"intercept": 2.0}))
    assert shown in mean_in_numbers(found)


def test_further_effects_within_subjects_are_dots_that_all_share():
    """Of 30 rows, ten means and two effects of time leave 18 degrees of freedom; others, fewer."""
    level1 = example_summaries.level1(df_resid=16)
    found = replace(study(), level1=level1)
    quantities = [row.quantity for row in what_changes(found)]
    assert quantities[2] == r"$\cdots$ (other effects)"
    assert two_levels(found).collapsed.endswith(r"+ \alpha_j + \cdots + \eta_{ij}")
    assert r"\cdots" not in two_levels(study()).collapsed
