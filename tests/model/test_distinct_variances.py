"""Variances that the data cannot tell apart, and rows that leave no residuals, are refused."""

import warnings

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st
from random_designs import table_with_times
from scipy.linalg import null_space

import twolevel as tl
from twolevel.random.mixed_design import mixed_design

DATA = table_with_times(1, 8, 1.0, 1.0).assign(b=lambda t: np.where(t.index % 2, "p", "q"))
DATA["g"] = np.where(DATA["id"] % 2, "here", "there")


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize(
    ("bars", "found"),
    [
        ("(a || id)", r"of (0 + a | id) from those of (1 | id), .* leave one of these terms out"),
        ("(0 + a | id) + (0 + b | id)", r"of (0 + b | id) from those of (0 + a | id)"),
        ("(a | id) + (1 | id:a)", r"of (1 | id:a) from those of (1 + a | id)"),
        ("(g | id)", r"of (1 + g | id) from each other, .* leave it out, or effects out left of"),
    ],
)
def test_what_lme4_shares_out_at_will(bars, found, method):
    message = found.replace("(", r"\(").replace(")", r"\)").replace("|", r"\|").replace("+", r"\+")
    with pytest.raises(tl.InputError, match=message):
        tl.fit_mixed(f"y ~ a + x + {bars}", DATA, method=method)


def test_what_the_fixed_effects_leave_nothing_of():
    """Three subjects, and three columns that differ between subjects."""
    data = DATA[DATA["id"] < 3].assign(age=lambda t: 30 + t["id"] ** 2)
    for bars in ("(1 + x | id)", "(1 | id) + (1 | id:a)"):
        with pytest.raises(tl.InputError, match="the data say nothing of the variances of"):
            tl.fit_mixed(f"y ~ x + g + age + {bars}", data)
        tl.fit_mixed(f"y ~ x + g + {bars}", data)  # with the remedy


def directions(columns, codes):
    """dV (N, N) by each variance and covariance of the terms, and by that of the residual."""
    parts = [np.eye(len(codes))]
    for each in columns.terms:
        level = codes if each.levels is None else codes * each.most_levels + each.levels
        same = level[:, None] == level
        for i in range(each.values.shape[1]):
            for j in range(i + 1):
                one = np.outer(each.values[:, i], each.values[:, j])
                parts.append(same * (one + one.T))
    return parts


BARS = ["(1 | id) + (0 + a | id)", "(a | id)", "(x | id)", "(g | id)", "(x | id) + (1 | id:a)"]
BARS += [
    "(1 | id) + (1 | id:a)",
    "(x | id:a)",
    "(a | id) + (1 | id:a)",
    "(x || id) + (0 + x | id:a)",
]


@examples(60)
@given(
    bars=st.sampled_from(BARS),
    fixed=st.sampled_from(["x", "a * x", "x + g + age", "a * g + age"]),
    subjects=st.integers(3, 5),
    seed=st.integers(0, 2**32 - 1),
    method=st.sampled_from(["REML", "ML"]),
)
def test_refused_where_the_derivatives_of_the_variance_depend_on_each_other(
    bars, fixed, subjects, seed, method
):
    """In the space of error contrasts under REML, in that of all rows under ML."""
    data = table_with_times(seed, subjects, 0.9, 1.0).assign(
        g=lambda t: np.where(t["id"] % 2, "here", "there"), age=lambda t: 30 + t["id"] ** 2
    )
    formula = f"y ~ {fixed} + {bars}"
    try:
        design, columns = mixed_design(formula, data, None, "treatment")
    except tl.InputError:  # rows that are too few even to ask
        return
    K = null_space(design.X.T) if method == "REML" else np.eye(len(data))
    parts = np.array(
        [(K.T @ G @ K).ravel() / np.linalg.norm(G) for G in directions(columns, design.codes)]
    )
    sizes = np.linalg.svd(parts, compute_uv=False)
    try:
        tl.fit_mixed(formula, data, method=method)
        refused = False
    except tl.InputError as error:
        refused = "random part: the data" in str(error)
    assert refused == (sizes.min() < 1e-6)


ROWS = pd.DataFrame(
    {
        "id": list("kkkmmmmmnnnnpppp"),
        "s": list("vuwwvwuvuvvvwuvw"),
        "a": list("uvwuvvwwuuvwuvww"),
    }
)


@pytest.mark.parametrize(
    ("fixed", "bars", "unbounded"),
    [
        ("s * a", "(1 | id) + (1 | id:s) + (1 | id:a)", False),
        ("x * w + a + s", "(1 | id) + (1 | id:s)", True),
    ],
)
@examples(30)
@given(seed=st.integers(0, 2**32 - 1))
def test_rows_that_are_all_explained_may_leave_no_residuals(fixed, bars, unbounded, seed):
    """The likelihood may be largest at sigma_w = 0; by ML, it grows without bound where X helps."""
    generator = np.random.default_rng(seed)
    own, y, x, w = generator.normal(size=(4, 16))
    data = ROWS.assign(y=y + 3 * x * own[pd.factorize(ROWS["id"])[0]], x=x, w=w)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for method in ("REML", "ML"):
            try:
                fit = tl.fit_mixed(f"y ~ {fixed} + {bars}", data, method=method)
            except tl.InputError as error:
                found = str(error)
            else:
                found = ""
                assert fit.sigma_within > 1e-3 * np.std(data["y"] - fit.fixed_part)
            assert found.startswith("the residuals within subjects are all 0") or not found
        assert found or not unbounded
        tl.fit_mixed(f"y ~ {fixed} + (1 | id)", data, method="ML")  # with the remedy


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize(
    ("fixed", "bars", "y"),
    [
        ("x", "(x | id)", lambda t: t["id"] * (1 + t["x"])),
        ("a", "(1 | id) + (1 | id:a)", lambda t: t["id"] * t["a"].map({"u": 1, "v": 2, "w": 7})),
        ("a * x", "(1 | id) + (1 | id:a)", lambda t: t["x"] + t["id"] ** 2),
    ],
)
def test_a_response_that_is_explained_has_no_residuals(fixed, bars, y, method):
    data = DATA.assign(y=y)
    with pytest.raises(tl.InputError, match="the residuals within subjects are all 0"):
        tl.fit_mixed(f"y ~ {fixed} + {bars}", data, method=method)
    tiny = 1e-2 * np.random.default_rng(1).normal(size=len(data))
    assert (
        tl.fit_mixed(f"y ~ {fixed} + {bars}", data.assign(y=data["y"] + tiny)).sigma_within > 5e-3
    )
