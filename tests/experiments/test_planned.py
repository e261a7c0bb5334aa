"""Experiments of any design against `fit_mixed` and the ANOVA, one after the other, and theory."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from planned_studies import (
    ABSENT,
    DAYS,
    KINDS,
    TWO,
    absent_kinds,
    between,
    formula,
    kinds,
    scenario,
    table,
)

import twolevel as tl
from twolevel.experiments.between_subjects import Group
from twolevel.experiments.blocks import BLOCK
from twolevel.experiments.performance import block_sums, performance, with_theory
from twolevel.experiments.planned.error_terms import ErrorTerms
from twolevel.experiments.planned.own_rows import OwnRows
from twolevel.experiments.planned.planned_fits import PlannedFits, PlannedTests
from twolevel.experiments.planned.projected_rows import ProjectedRows
from twolevel.experiments.planned.variance_intervals import variance_intervals
from twolevel.experiments.run import replicate_block
from twolevel.model.effects.effect_criterion import relative_variance
from twolevel.model.effects.effect_sums import EffectSums, pairs
from twolevel.text.methods import INTERCEPT_ALONE

FAR = 6  # standard errors: of each number a false alarm in 10^8 runs
seeds = st.integers(0, 2**32 - 1)


def rows_of(study, seed, size, share=None):
    """Responses (B, N) that vary as the study has it, and which are observed."""
    generator = np.random.default_rng(seed)
    y = generator.standard_normal((size, study.design.nobs))
    for root, each in zip(study.roots, study.random.terms, strict=True):
        own = generator.standard_normal(
            (size, len(study.design.subjects), each.most_levels, len(root))
        )
        level = np.zeros(study.design.nobs, dtype=int) if each.levels is None else each.levels
        effects = (own @ root.T)[:, study.design.codes, level] / study.sigma_within
        y += np.einsum("nq,bnq->bn", each.values @ np.linalg.inv(each.back), effects)
    if study.absence is None or not study.absence.any:
        return y, np.ones(y.shape, dtype=bool)
    return y, study.absence.observed(size, generator)


def fitted(study, sums):
    C = study.directions if isinstance(sums, EffectSums) else study.layout.directions(sums.R)
    return PlannedTests(PlannedFits.of(study, sums, study.layout, C), ErrorTerms(study))


def complete_sums(study, y):
    """The sums of responses y (B, N) of subjects who all have the same rows."""
    found = ProjectedRows.of(study, y, np.ones(y.shape, dtype=bool))
    z = np.moveaxis(found.z[:, :, study.subjects.used], (0, 1), (-1, 1))  # (r, n, q, B)
    a, b = pairs(len(z))
    both = (1 + (a != b))[:, None, None, None, None] / 2
    outer = z[a][:, :, :, None] * z[b][:, :, None] + z[b][:, :, :, None] * z[a][:, :, None]
    outer = (both * outer).sum(axis=1)[:, None]
    p = len(found.rest) - 1
    return EffectSums(
        study.subjects.R,
        np.array([z.shape[1]]),
        study.design.nobs,
        found.rest[:p, :p, 0],
        found.rest[:p, p],
        found.rest[p, p],
        outer[:, :, :p, :p, 0],
        outer[:, :, :p, p],
        outer[:, :, p, p],
    )


def same_as_single_fits(study, y, observed, sums):
    tests = fitted(study, sums)
    fits = tests.fits
    intervals = variance_intervals(fits, 0.95)
    for b in range(len(y)):
        data = table(study, y[b])[observed[b]]
        fit = tl.fit_mixed(formula(study), data)
        scale = study.sigma_within
        assert fits.singular[b] == fit.boundary
        variance(fits.sigma2[b] * scale**2, fit.sigma_within**2, fit)
        sds = fit.varcorr["vcov"][fit.varcorr["var2"].isna()]
        names = [name for name, each in study.parameters.items() if each.is_deviation]
        for name, expected in zip(names, sds, strict=False):
            variance(intervals[name][0][b] * scale**2, expected, fit)
        anova = fit.anova()
        for df in ("kenward-roger", "satterthwaite") if observed.all() else ("kenward-roger",):
            anova = fit.anova(df)
            for (term, rows), own in zip(in_order(study), anova.index, strict=True):
                F, df_den = tests.wald(rows, df)
                close(F[0, b], anova.loc[own, "F"], 1e-5, term)
                close(np.broadcast_to(df_den, y.shape[0])[b], anova.loc[own, "df_den"], 1e-4, term)


def in_order(study):
    """The terms in the order of the formula."""
    own = study.design.term_of(study.condition)
    names = {("condition" if name == own else name): None for name in study.design.tested_terms}
    return [(name, study.terms[name]) for name in names]


def close(found, expected, rtol, words=""):
    np.testing.assert_allclose(found, expected, rtol=rtol, atol=1e-8, err_msg=words)


def variance(found, expected, fit):
    """To the digits that a search of the likelihood leaves."""
    assert abs(found - expected) < 1e-6 * (fit.sigma_within**2 + expected)


@examples(30)
@given(kinds, seeds)
def test_each_data_set_is_fitted_as_fit_mixed_does(kind, seed):
    study = KINDS[kind].study
    y, observed = rows_of(study, seed, 3)
    same_as_single_fits(study, y, observed, complete_sums(study, y))


@examples(20)
@given(absent_kinds, seeds)
def test_so_are_data_sets_with_rows_of_their_own(kind, seed):
    study = ABSENT[kind].study
    y, observed = rows_of(study, seed, 3)
    sums = OwnRows.of(study, ProjectedRows.of(study, y, observed))
    fits = np.flatnonzero(sums.regular(study.layout))
    if len(fits):
        same_as_single_fits(study, y[fits], observed[fits], sums.of_sets(fits))


@pytest.mark.parametrize("kind", ["groups", "two factors", "interaction", "trials", "covariate"])
def test_the_anova_is_that_of_partitioned_errors(kind):
    study = KINDS[kind].study
    y, _ = rows_of(study, 1, 3)
    tests = fitted(study, complete_sums(study, y))
    for b in range(3):
        expected = tl.partition_errors(study.design.formula, table(study, y[b]), "subject").table
        for (term, rows), own in zip(in_order(study), expected.index, strict=True):
            F, df = tests.wald(rows, "anova")
            close(F[0, b], expected.loc[own, "F"], 1e-8, term)
            assert df[0] == expected.loc[own, "df_den"]


def test_the_anova_of_lines_is_the_t_test_of_own_slopes():
    study = KINDS["lines"].study
    y, _ = rows_of(study, 1, 3)
    F, df = fitted(study, complete_sums(study, y)).wald(study.terms["condition"], "anova")
    for b in range(3):
        responses = table(study, y[b])["response"].to_numpy().reshape(9, 4)
        slopes = np.polyfit(DAYS["day"], responses.T, 1)[0]
        close(F[0, b], (slopes.mean() / slopes.std(ddof=1)) ** 2 * 9, 1e-8)
        assert df[0] == 8


@pytest.mark.parametrize("kind", KINDS)
def test_known_measures_are_met(kind):
    """All that theory knows within 6 Monte Carlo errors; tests and intervals keep their level."""
    where = KINDS[kind]
    experiments = replicate_block(where, 0, BLOCK // 2, 5, "kenward-roger")
    found = with_theory(performance(block_sums(where, experiments, "kenward-roger")), where)
    known = found[found["theory"].notna()]
    assert len(known) == 4 + 2 * (len(where.estimands) - 1) + 2 * len(where.tested)
    far = np.abs(known["value"] - known["theory"]) > FAR * known["mcse"] + 1e-9
    assert not far.any(), known[far]
    errors = found[found["measure"] == "type_one_error"].set_index(["quantity", "method"])["value"]
    spread = np.sqrt(0.05 * 0.95 / (BLOCK // 2))
    assert (errors.xs("kenward-roger", level="method") < 0.06 + FAR * spread).all()
    covered = found[(found["measure"] == "coverage") & found["quantity"].str.contains("variance")]
    assert (covered["value"] > 0.85).all()


@pytest.mark.parametrize("kind", ["lines", "trials"])
def test_a_random_intercept_alone_is_too_sure(kind):
    where = KINDS[kind]
    experiments = replicate_block(where, 0, 2_000, 5, "kenward-roger")
    found = performance(block_sums(where, experiments, "kenward-roger"))
    errors = found[found["measure"] == "type_one_error"].set_index("method")["value"]
    assert errors[INTERCEPT_ALONE] > 0.05 + 10 * np.sqrt(0.05 * 0.95 / 2_000)
    y, _ = rows_of(where.study, 3, 1)
    data = table(where.study, y[0])
    alone = tl.fit_mixed(f"{where.study.design.formula} + (1 | subject)", data).anova().iloc[0]
    one = (
        where.study.subjects.projected[:1, :, where.study.constant].T
        / where.study.X[0, where.study.constant]
    )
    sums = complete_sums(where.study, y)
    layout = where.study.intercept_alone
    fits = PlannedFits.of(where.study, sums, layout, one[None, :, None] * one[None, None])
    F, df = PlannedTests(fits, ErrorTerms(where.study)).wald(
        where.study.terms["condition"], "kenward-roger"
    )
    close([F[0, 0], df[0]], alone[["F", "df_den"]].to_numpy(float), 1e-6)


@pytest.mark.parametrize("kind", ["lines of those who leave", "trials"])
def test_absent_rows_leave_estimates_unbiased_and_tests_at_their_level(kind):
    where = ABSENT[kind]
    experiments = replicate_block(where, 0, 600, 5, "kenward-roger")
    found = performance(block_sums(where, experiments, "kenward-roger"))
    bias = found[(found["measure"] == "bias") & found["quantity"].isin(where.estimands)]
    assert (np.abs(bias["value"]) < FAR * bias["mcse"]).all()
    errors = found[(found["measure"] == "type_one_error") & (found["method"] == "kenward-roger")]
    assert (errors["value"] < 0.05 + FAR * np.sqrt(0.05 * 0.95 / 600)).all()
    assert found[found["method"] == "anova"]["value"].isna().all()
    assert not experiments["failed"].any()


def test_drawn_rows_have_the_variance_of_the_model():
    """What `with_variance` makes of errors, against the implied covariance of each subject."""
    where = scenario(
        DAYS, slope=0.3, random={"day": 0.4, "correlation": 0.3}, missing=0.2, subjects=40
    )
    study = where.study
    generator = np.random.default_rng(2)
    y = generator.standard_normal((400, study.design.nobs))
    drawn = ProjectedRows.of(study, y, study.absence.observed(400, generator)).with_variance(study)
    R = np.moveaxis(drawn.R, (0, 1), (-1, -2))  # (Q, Q, n, B)
    M = relative_variance(study.layout.directions(R), study.psi[:, None])
    root = np.linalg.cholesky(np.transpose(M, (3, 2, 0, 1)))
    white = np.linalg.solve(root, drawn.z[..., -1:])[..., 0]
    white = white[(np.abs(drawn.R).max(axis=-1) > 0).all(axis=-1)]
    covariance = np.cov(white.T)
    assert np.abs(covariance - np.eye(len(covariance))).max() < FAR * np.sqrt(2 / len(white))
    left = np.isclose(drawn.nobs.mean(), 0.8 * study.design.nobs, rtol=0.02)
    assert left


def test_who_has_left_stays_away():
    where = scenario(DAYS, slope=0.3, subjects=500, between=between(dropout={"1": 0.1, "5": 0.6}))
    study = where.study
    seen = study.absence.observed(50, np.random.default_rng(1)).reshape(50, 500, 4)
    assert (seen[:, :, 1:] <= seen[:, :, :-1]).all()
    close(1 - seen.mean(axis=(0, 1)), [0, 0.1, 0.1, 0.6], 0.05)


@examples(20)
@given(kinds, st.integers(1, 30))
def test_an_experiment_does_not_depend_on_how_many_there_are(kind, some):
    one, other = (replicate_block(KINDS[kind], 0, size, 1, "satterthwaite") for size in (some, 30))
    pd.testing.assert_frame_equal(one, other.iloc[:some], rtol=1e-10)


def test_what_cannot_be_fitted_has_failed():
    where = scenario(subjects=4, strata={"condition": 0.5}, replicates=2, missing=0.7)
    experiments = replicate_block(where, 0, 60, 1, "kenward-roger")
    failed = experiments["failed"]
    assert 0 < failed.sum() < 60
    assert (
        experiments.loc[failed, ["grand_mean", "F", "p", "within_variance"]].isna().all(axis=None)
    )
    assert experiments.loc[~failed, ["grand_mean", "F", "within_variance"]].notna().all(axis=None)


def test_groups_have_sizes_and_means_of_their_own():
    where = KINDS["groups"]
    data = table(where.study, np.zeros(where.study.design.nobs))
    means = data.groupby(["group", "condition"], observed=True)["response"].mean().unstack()
    close(means.loc["c"], [5, 5.4, 6], 1e-10)
    close(means.loc["d"], [5.4, 6.4, 5.9], 1e-10)
    assert data.groupby("group", observed=True)["subject"].nunique().to_dict() == {"c": 3, "d": 6}
    assert where.tested == ["condition", "group", "group:condition"]


def test_pairwise_differences_are_those_of_the_fit():
    """Adjusted by each method, in data sets of which each is fitted alone."""
    for adjust in ("holm", "tukey", "bonferroni", "none"):
        where = scenario(
            adjust=adjust, between=between(groups={"c": Group(), "d": Group(effect=2)})
        )
        found = replicate_block(where, 0, 400, 1, "kenward-roger")
        pairs_of = ["t1 - t2", "t1 - t3", "t2 - t3"]
        families = [[f"{of}{pair}" for pair in pairs_of] for of in ("", "group c: ", "group d: ")]
        every = ["group: c - d", *(name for names in families for name in names)]
        assert sorted(where.differences) == sorted(every)
        for names in families:
            power = [found[f"{name}: rejected[kenward-roger]"].mean() for name in names]
            assert power[1] > max(power[0], power[2])
            wrong = np.stack([found[f"{name}: rejected_true[kenward-roger]"] for name in names])
            family = wrong.any(axis=0).mean()
            level = 0.05 if adjust != "none" else 0.12
            assert abs(family - level) < 0.02 + FAR * np.sqrt(level / 400)


# Power in percent as the authors of R's Superpower publish it, with their simulations' number.
SUPERPOWER = {
    "README, 2b*2w": (
        scenario(
            {"cheerful": 1.03, "sad": 1.41},
            subjects=80,
            sigma_between=1.03 * np.sqrt(0.8),
            sigma_within=1.03 * np.sqrt(0.2),
            between=between(
                groups={
                    "human": Group(),
                    "robot": Group(conditions={"cheerful": 0.98, "sad": 1.01}),
                }
            ),
        ),
        {"group": 17.593, "condition": 79.520, "group:condition": 65.915},
    ),
    "validation 3.2, 2w*2w": (
        scenario(
            {"a": {"a1": 0.0, "a2": 0.0}, "b": {"b1": 0.0, "b2": 0.0}},
            subjects=25,
            sigma_between=150 * np.sqrt(0.75),
            sigma_within=150 * np.sqrt(0.25),
            between=between(interactions={"a:b": {"a1:b2": -30.0, "a2:b1": -30.0}}),
        ),
        {"condition": 5.0, "b": 5.0, "a:b": 49.0},
    ),
}


@pytest.mark.parametrize("name", SUPERPOWER)
def test_superpowers_published_examples_are_met(name):
    where, published = SUPERPOWER[name]
    experiments = replicate_block(where, 0, 4_000, 1, "anova")
    found = with_theory(performance(block_sums(where, experiments, "anova")), where)
    power = found[(found["measure"] == "power") & (found["method"] == "anova")]
    power = power.set_index("quantity")
    for term, percent in published.items():
        row = power.loc[term]
        assert abs(row["value"] - percent / 100) < FAR * row["mcse"] + 0.005
        assert abs(row["theory"] - percent / 100) < 0.006


def test_simrs_published_example_is_met():
    """Power of simr's vignette "Power Analysis from Scratch", from 20 simulations."""
    where = scenario(
        {"x": list(range(1, 11))},
        slope=-0.1,
        subjects=3,
        sigma_between=np.sqrt(0.5),
        sigma_within=1.0,
    )
    power = replicate_block(where, 0, 4_000, 1, "kenward-roger")["rejected[kenward-roger]"].mean()
    assert 0.1189 < power < 0.5428


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"random": {"intercept": 1, "x": 1}}, "random: found intercept, which is sigma_between"),
        ({"between": {"groups": {"a": Group()}}}, "groups: found 1 group, expected at least 2"),
        (
            {"between": {"groups": {"a": Group(), "b": Group(conditions={"t1": 0, "t2": 1})}}},
            "groups: b: conditions: found .* expected the cells",
        ),
        ({"between": {"interactions": {"f": {"x": 1}}}}, "interactions: found .* joined as"),
        (
            {"conditions": TWO, "between": {"interactions": {"f:g": {"x": 1}}}},
            'found the cell "x", expected a level of each of f, g, joined as in y:w',
        ),
        ({"between": {"dropout": {"t9": 0.1}}}, 'dropout: found "t9"'),
        ({"between": {"dropout": {"t2": 0.3, "t3": 0.1}}}, "dropout: t3: found 0.1, expected"),
        (
            {"subjects": 3, "between": {"groups": {"a": Group(), "b": Group()}}},
            "at least 2 in each",
        ),
    ],
)
def test_what_cannot_be_planned_is_refused(keys, words):
    keys = dict(keys)
    if "between" in keys:
        keys["between"] = between(**keys["between"])
    with pytest.raises(tl.InputError, match=words):
        scenario(**keys)
