"""Predicted random effects, by their definition in (N, N) matrices."""

import numpy as np
import pandas as pd
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from random_designs import bars, with_times
from random_part_references import dense_covariance, effect_column, terms

import twolevel as tl


def tables_of(fit) -> dict[tuple[str, ...], pd.DataFrame]:
    """The effects by the grouping factors of their term."""
    found = {tuple(name.split(":")): table for name, table in fit.nested_effects.items()}
    return {("id",): fit.random_effects} | found


@examples(60)
@given(data=with_times, bar=bars, method=st.sampled_from(["REML", "ML"]))
def test_blups_and_their_covariances(data, bar, method):
    """Of each term G Z' V^-1 r, with the conditional covariance G - G Z' V^-1 Z G.

    Of (1 + x | id), (x || id), strata, own effects of a factor, and slopes with strata.
    """
    try:
        fit = tl.fit_mixed(f"y ~ x + a + {bar}", data, method=method)
    except tl.InputError:  # the rows that are left do not tell the effects apart
        assume(False)
    parts = terms(fit)
    V = dense_covariance(parts, data) + fit.sigma_within**2 * np.eye(len(data))
    residual = fit.design.response - fit.design.X @ fit.params.to_numpy()
    whitened, unit = np.linalg.solve(V, residual), data["y"].std()
    predicted = np.zeros(len(data))
    for grouping, covariance in parts:
        table, effects = tables_of(fit)[tuple(grouping)], list(covariance.index)
        level = pd.MultiIndex.from_frame(data[grouping]) if grouping[1:] else data[grouping[0]]
        G = covariance.to_numpy()
        for key in table.index:
            own = np.asarray(level == key)
            Z = np.column_stack([effect_column(name, data) * own for name in effects])
            blup = G @ Z.T @ whitened
            np.testing.assert_allclose(
                table.loc[key, effects].astype(float), blup, atol=1e-7 * unit
            )
            left = G - G @ Z.T @ np.linalg.solve(V, Z) @ G
            sds = table.loc[key, [f"se_{name}" for name in effects]].astype(float)
            np.testing.assert_allclose(sds**2, np.diag(left), atol=1e-7 * unit**2)
            if "cov_(Intercept).x" in table and effects == ["(Intercept)", "x"]:
                np.testing.assert_allclose(
                    table.loc[key, "cov_(Intercept).x"], left[0, 1], atol=1e-7 * unit**2
                )
            predicted += Z @ blup
    np.testing.assert_allclose(
        fit.fittedvalues - fit.fixed_part, predicted, atol=1e-6 * max(unit, 1.0)
    )
