"""Subjects' own effects and their covariance: against dense algebra, and against REML."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

import twolevel as tl
from twolevel.levels.hierarchical import effect_covariance
from twolevel.levels.own_fits import own_effects
from twolevel.levels.stratum_variances import NotEstimable
from twolevel.mixed import fit_design
from twolevel.random.mixed_design import mixed_design

SLEEPSTUDY = pd.read_csv(Path(__file__).parents[1] / "data" / "sleepstudy.csv").astype(
    {"subject": str}
)


def table(seed, subjects, missing, trials=1):
    """Subjects at 3 x 4 times with slopes, effects and trials of their own; a share is missing."""
    rng = np.random.default_rng(seed)
    subject, a, x, _ = np.indices((subjects, 3, 4, trials)).reshape(4, -1)
    slope, effect = rng.normal(0, 0.7, subjects), rng.normal(0, 1.5, (subjects, 3))
    y = 5 + rng.normal(0, 2, subjects)[subject] + (1 + slope[subject]) * x + effect[subject, a]
    data = pd.DataFrame(
        {
            "id": pd.Series(subject).map("s{}".format),
            "a": pd.Series(a).map("a{}".format),
            "x": x * 1.0,
            "b": pd.Series(x).map("b{}".format),
            "group": np.where(subject % 2 == 0, "g", "h"),
            "y": y + rng.normal(size=len(y)),
        }
    )
    return data[rng.random(len(data)) >= missing].reset_index(drop=True)


seeds = st.integers(0, 2**32 - 1)
complete = st.builds(table, seed=seeds, subjects=st.integers(6, 10), missing=st.just(0.0))
incomplete = st.builds(table, seed=seeds, subjects=st.integers(8, 12), missing=st.just(0.2))


def found_in(formula, data):
    design, random = mixed_design(formula, data, None, "treatment")
    return design, random, own_effects(design, random)


def reml(formula, data):
    """The variances of a fit by REML, indexed by grp, var1 and var2, and whether it is singular."""
    design, random = mixed_design(formula, data, None, "treatment")
    fit = fit_design(design, random, "REML")
    likelihood, best = fit.estimates.likelihood, fit.estimates.best
    sigma = fit.estimates.unit * np.sqrt(best.rss / likelihood.degrees_of_freedom)
    found = random.part.varcorr(best.theta, sigma)
    return found.set_index(["grp", "var1", "var2"])["vcov"], fit.boundary


def columns_of(term, codes):
    """A random term's columns (N, n * levels * q), a block for each subject."""
    level = np.zeros(len(codes), dtype=int) if term.levels is None else term.levels
    _, block = np.unique(np.column_stack([codes, level]), axis=0, return_inverse=True)
    block = block.ravel()
    wide = np.zeros((len(codes), block.max() + 1, term.values.shape[1]))
    wide[np.arange(len(codes)), block] = term.values
    return wide.reshape(len(codes), -1)


def residual_projection(*blocks):
    blocks = [block for block in blocks if block.shape[1]]
    N = len(blocks[0])
    u, s, _ = np.linalg.svd(np.column_stack(blocks), full_matrices=False)
    u = u[:, s > 1e-9 * s[0]]
    return np.eye(N) - u @ u.T


@pytest.mark.parametrize("bars", ["(1 + x | id)", "(x || id)"])
def test_own_lines_of_sleepstudy(bars):
    data = SLEEPSTUDY.rename(columns={"subject": "id", "condition": "x"})
    _, _, own = found_in(f"y ~ x + {bars}", data)
    for subject, rows in data.groupby("id", sort=False):
        slope, intercept = np.polyfit(rows["x"], rows["y"], 1)
        np.testing.assert_allclose(own.effects.loc[subject], [intercept, slope], rtol=1e-9)
    # The lines' own residuals: lmList's pooled error.
    assert own.df_resid == 18 * 8
    assert own.sigma_within == pytest.approx(25.5918157, rel=1e-8)


@examples(30)
@given(data=complete)
def test_balanced_covariance_of_slopes_is_reml(data):
    formula = "y ~ x * group + (1 + x | id)"
    _, _, own = found_in(formula, data)
    covariance = effect_covariance(own)
    found, boundary = reml(formula, data)
    if not boundary:
        expected = found.to_numpy()[[0, 2, 2, 1]].reshape(2, 2)
        np.testing.assert_allclose(covariance.corrected, expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(own.sigma_within**2, found.iloc[-1], rtol=1e-7)
    assert covariance.proper != boundary


@examples(30)
@given(data=complete)
def test_balanced_strata_are_reml_and_the_anova(data):
    formula = "y ~ a * b * group + (1 | id) + (1 | id:a) + (1 | id:b)"
    _, _, own = found_in(formula, data)
    found, _ = reml(formula, data)
    corrected = [effect_covariance(own).corrected[0, 0], *(s.corrected for s in own.strata)]
    assert (min(corrected) > 0) != (found.min() < 1e-12)
    if min(corrected) > 0:
        np.testing.assert_allclose(corrected, found.to_numpy()[:-1], rtol=1e-5)
        np.testing.assert_allclose(own.sigma_within**2, found.iloc[-1], rtol=1e-7)
    n = data["id"].nunique()
    assert [s.df for s in own.strata] == [2 * (n - 2), 3 * (n - 2)]
    np.testing.assert_allclose([s.per_level for s in own.strata], [4, 3], rtol=1e-9)
    # The stratum of id:a, from the means of its cells.
    cells = data.groupby(["group", "id", "a"])["y"].mean().unstack()
    cells = cells.sub(cells.mean(axis=1), axis=0)
    left = cells - cells.groupby("group").transform("mean")
    assert own.strata[0].mean_square == pytest.approx(4 * (left**2).sum().sum() / own.strata[0].df)


@examples(25)
@given(data=incomplete)
@pytest.mark.parametrize(
    ("formula", "shared", "between"),
    [
        ("y ~ x * group + a + (1 + x | id)", "a", "x group"),
        ("y ~ a + b + group + (1 | id) + (1 | id:a)", "a b", "group"),
        ("y ~ x + a + (x | id) + (1 | id:a)", "a", "x"),
    ],
)
def test_sampling_covariance_is_what_is_expected(data, formula, shared, between):
    """E(raw) - cov(b), from the estimates as dense linear functions of the response."""
    design, random, own = found_in(formula, data)
    codes, n = design.codes, len(design.subjects)
    subject = [term for term in random.terms if term.levels is None]
    back = subject[0].back
    X = pd.DataFrame(design.X, columns=design.names)
    X = X[[name for name in X if name.split("[")[0] in shared.split() and ":" not in name]]
    X = X.to_numpy() - X.to_numpy().mean(axis=0)
    Z = columns_of(subject[0], codes)
    M = residual_projection(Z)
    of_shared = np.linalg.pinv(M @ X, rcond=1e-9) @ M  # (k, N)
    maps = np.zeros((n, len(back), len(codes)))
    for i in range(n):
        rows = codes == i
        own_map = back @ np.linalg.pinv(subject[0].values[rows])
        maps[i, :, rows] += own_map.T
        maps[i] -= own_map @ X[rows] @ of_shared
    groups = [np.ones(n)]
    if "group" in between:
        groups.append(np.array([data["group"][codes == i].iloc[0] == "h" for i in range(n)]) * 1.0)
    B = np.column_stack(groups)
    left = np.tensordot(np.eye(n) - B @ np.linalg.pinv(B), maps, 1)
    assert own.df_level2 == n - B.shape[1]
    np.testing.assert_allclose(
        own.deviations.to_numpy(), left @ design.response, atol=1e-8 * np.ptp(design.response)
    )
    V = own.sigma_within**2 * np.eye(len(codes))
    nested = [term for term in random.terms if term.levels is not None]
    for term, stratum in zip(nested, own.strata, strict=True):
        wide = columns_of(term, codes)
        V += stratum.corrected * wide @ wide.T
    expected = np.einsum("mas,st,mbt->ab", left, V, left) / own.df_level2
    np.testing.assert_allclose(
        own.sampling_covariance, expected, rtol=1e-7, atol=1e-9 * np.abs(expected).max()
    )


@examples(25)
@given(
    data=st.builds(table, seed=seeds, subjects=st.just(7), missing=st.just(0.2), trials=st.just(2))
)
@pytest.mark.parametrize(
    "bars", ["(1 | id) + (1 | id:a) + (1 | id:b) + (1 | id:a:b)", "(1 | id/a/b)", "(x | id/a)"]
)
def test_mean_squares_are_what_is_expected(data, bars):
    """E(MS) at the estimated variances is the mean square, by dense projections."""
    if bars == "(x | id/a)":
        bars = "(x | id) + (1 | id:a)"
    design, random, own = found_in(f"y ~ a + b + {bars}", data)
    nested = [term for term in random.terms if term.levels is not None]
    wide = {term: columns_of(term, design.codes) for term in random.terms}
    for term, stratum in zip(nested, own.strata, strict=True):
        finer = [t for t in nested if set(t.term.grouping) > set(term.term.grouping)]
        beside = [wide[t] for t in random.terms if t is not term and t not in finer]
        one = residual_projection(design.X, *beside)
        G = one - residual_projection(design.X, *beside, wide[term])
        assert stratum.df == round(np.trace(G))
        mean_square = design.response @ G @ design.response / stratum.df
        assert stratum.mean_square == pytest.approx(mean_square, rel=1e-7)
        expected = own.sigma_within**2
        for t in (term, *finer):
            variance = own.strata[nested.index(t)].corrected
            expected += variance * np.trace(wide[t].T @ G @ wide[t]) / stratum.df
        assert expected == pytest.approx(mean_square, rel=1e-6)


def test_names_say_nothing_of_what_is_nested():
    """Levels with names of their own are as fine as those that are named after coarser ones."""
    data = table(1, 8, 0.0, trials=2)
    named = data.assign(cell=data["id"] + data["a"], trial=data["id"] + data["a"] + data["b"])
    one = found_in("y ~ a + (1 | id) + (1 | id:a) + (1 | id:a:b)", data)[2]
    other = found_in("y ~ a + (1 | id) + (1 | cell) + (1 | trial)", named)[2]
    for ours, theirs in zip(one.strata, other.strata, strict=True):
        assert ours.corrected == pytest.approx(theirs.corrected)


def test_subjects_whose_rows_cannot_tell_are_left_out_of_level_2():
    data = SLEEPSTUDY
    short = data[(data["subject"] != "308") | (data["condition"] == 3)]
    level1 = tl.fit_subjects("y ~ condition + (condition | subject)", short)
    assert level1.own.effects.isna().all(axis=1).sum() == 1
    assert level1.own.df_level2 == 16
    assert tl.fit_hierarchical(level1).own.proper


@examples(20)
@given(data=incomplete, offset=st.sampled_from([0.0, 1e9]), scale=st.sampled_from([1e-6, 1.0, 1e6]))
def test_origin_and_unit_of_the_response_do_not_matter(data, offset, scale):
    formula = "y ~ x + a + (x | id) + (1 | id:a)"
    plain = found_in(formula, data)[2]
    moved = found_in(formula, data.assign(y=(data["y"] + offset) * scale))[2]
    tolerance = 1e-6 if offset else 1e-9
    for name in ("deviations", "sampling_covariance"):
        one, other = np.asarray(getattr(plain, name)), np.asarray(getattr(moved, name))
        by = scale if name == "deviations" else scale**2
        np.testing.assert_allclose(other, one * by, atol=tolerance * by * np.abs(one).max())


def test_the_origin_of_a_number_moves_the_intercepts_alone():
    data = table(3, 9, 0.1)
    plain = found_in("y ~ x + (x | id)", data)[2]
    moved = found_in("y ~ x + (x | id)", data.assign(x=data["x"] + 1.7e9))[2]
    np.testing.assert_allclose(moved.effects["x"], plain.effects["x"], rtol=1e-6)


def test_level1_and_level2_take_own_effects():
    data = SLEEPSTUDY
    level1 = tl.fit_subjects("y ~ condition + (condition | subject)", data, None, "condition")
    level2 = tl.fit_hierarchical(level1, "precision")
    assert level1.sigma_within == level1.own.sigma_within
    assert level1.condition_effects.empty
    assert level2.sigma_between == pytest.approx(24.7404514644, rel=1e-10)
    assert level2.raw_variance == pytest.approx(level1.own.effects["(Intercept)"].var())
    # lme4's standard error of the mean at the mean day (emmeans).
    assert level2.grand_mean_se == pytest.approx(
        np.sqrt(data.groupby("subject")["y"].mean().var() / 18)
    )


def test_an_intercept_alone_has_no_further_effects():
    intercept, lines, plain = (
        tl.fit_subjects(f"y ~ condition{random}", SLEEPSTUDY, "subject", "condition").summary()
        for random in (" + (1 | subject)", " + (1 + condition | subject)", "")
    )
    assert "own" not in intercept
    assert "own" in plain
    assert str(lines) == str(plain)


@pytest.mark.parametrize(
    ("bars", "reason"),
    [
        ("(1 | id:a)", "no effects of the subject itself"),
        ("(1 | id) + (x | id:a)", "single nested effects only"),
    ],
)
def test_what_the_two_stage_fit_does_not_estimate_is_said(bars, reason):
    data = table(1, 6, 0.0, trials=2)
    with pytest.raises(NotEstimable, match=reason):
        found_in(f"y ~ a + {bars}", data)
    level1 = tl.fit_subjects(f"y ~ a + {bars}", data, "id")
    assert level1.own is None
    assert reason in level1.no_own
