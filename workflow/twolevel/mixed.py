"""The mixed model y_ij = x_ij' beta + z_ij' b_i + eta_ij, fitted by REML or ML: what users call."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from twolevel.design.coding import Coding
from twolevel.design.design_matrix import DesignMatrix, design_of_arrays
from twolevel.inference.adjustments import STANDARD, adjusted
from twolevel.inference.bootstrap import Bootstrap, parametric_bootstrap
from twolevel.inference.deletion import LeftOut, leave_one_out
from twolevel.inference.fitted import Fitted
from twolevel.inference.hypotheses import coefficient_rows, independent_rows
from twolevel.inference.means import (
    At,
    difference,
    mean_rows,
    pairwise_rows,
    slope_rows,
    weighted_rows,
)
from twolevel.inference.predicted.prediction import Subjects, predict, simulate
from twolevel.inference.printout import Summary, model_text, summary
from twolevel.inference.profile_likelihood import ProfileLikelihood
from twolevel.inference.type3 import type3_rows
from twolevel.inference.variance_test import VarianceTest, variance_test, variance_tests
from twolevel.model.random_intercept import RandomIntercept
from twolevel.model.subject_effects import SubjectEffects
from twolevel.random.effect_names import INTERCEPT
from twolevel.random.mixed_design import mixed_design, supported_columns
from twolevel.random.random_columns import RandomColumns
from twolevel.text.confidence import LEVEL
from twolevel.text.errors import InputError, one_of
from twolevel.text.methods import Df, Method


class MixedFit(Fitted):
    """A fitted mixed model with all that is inferred from it (see also `Fitted`)."""

    def by(self, method: Method) -> MixedFit:
        """The same model by REML or ML, from the sums that there are of the rows."""
        likelihood, coordinates = self.estimates.likelihood.by(method), self.estimates.coordinates
        return MixedFit.of(self.design, self.random_columns, likelihood, coordinates)

    @property
    def grand_mean(self) -> pd.Series:
        """The grand mean (estimate, se, ...): all factors averaged, covariates at their means."""
        return self.means().iloc[0]

    def coef_table(self, df: Df | None = None, level: float = LEVEL) -> pd.DataFrame:
        """Wald tests and intervals of the fixed effects, indexed by formulaic's names."""
        rows = self.design.encoding.formula_rows
        return self.estimates.table(rows, self.params.index, df or self.standard_df, level)

    def conf_int(self, level: float = LEVEL, df: Df | None = None) -> pd.DataFrame:
        """Intervals (ci_low, ci_high) of the fixed effects: see `coef_table`."""
        return self.coef_table(df, level)[["ci_low", "ci_high"]]

    @property
    def pvalues(self) -> pd.Series:
        """Two-sided p values of the fixed effects (p,): see `coef_table`."""
        return self.coef_table()["p"]

    def test(self, L: Any, df: Df | None = None) -> pd.Series:
        """The F test (F, df_num, df_den, p) that all combinations L (q, p) of coefficients are 0.

        L is an array, or has names (see `hypotheses.coefficient_rows`).

        Raises InputError where L does not fit the coefficients, or its rows depend on each other.
        """
        L = independent_rows(L, self.params.index) @ self.design.encoding.formula_rows
        return pd.Series(self.estimates.test(L, df or self.standard_df))

    def combinations(self, L: Any, df: Df | None = None, level: float = LEVEL) -> pd.DataFrame:
        """Each of the combinations L (q, p) of coefficients by itself: estimate, se, ..., by name.

        See `hypotheses.coefficient_rows` for L.
        """
        names, rows = coefficient_rows(L, self.params.index)
        L = rows @ self.design.encoding.formula_rows
        return self.estimates.table(L, names, df or self.standard_df, level)

    def predict(
        self, new_data: Any, subjects: Subjects = "known", level: float = LEVEL
    ) -> pd.DataFrame:
        """The mean response at the rows of a table: estimate, se, ci_low, ci_high.

        Of "known" subjects, of "new" ones, or of the "mean" subject (see `prediction`).
        """
        return predict(self, new_data, subjects, level)

    def simulate(self, seed: int) -> np.ndarray:
        """A response (N,) drawn from the fitted model, with subjects drawn anew."""
        return simulate(self, seed)

    @cached_property
    def hypotheses(self) -> dict[str, np.ndarray]:
        """Rows L (q, p) of every term's Type III hypothesis L beta = 0 (see `type3`)."""
        return type3_rows(self.design, self.estimates.gram)

    def anova(self, df: Df | None = None) -> pd.DataFrame:
        """Type III F tests (F, df_num, df_den, p), indexed by term (see `wald`)."""
        df = df or self.standard_df
        rows = {term: self.estimates.test(L, df) for term, L in self.hypotheses.items()}
        return pd.DataFrame.from_dict(
            rows, orient="index", columns=["F", "df_num", "df_den", "p"]
        ).rename_axis("term")

    def means(
        self,
        variable: str | None = None,
        df: Df | None = None,
        by: str | None = None,
        at: At | None = None,
        level: float = LEVEL,
    ) -> pd.DataFrame:
        """Marginal means of a variable's levels, as emmeans defines them (see `means`).

        Without a variable, the grand mean. With `by`, of its levels within each level of another
        variable; with `at`, where other variables have these values.
        """
        index, L = mean_rows(self.design, variable, by, at)
        return self.estimates.table(L, index, df or self.standard_df, level)

    def contrasts(
        self,
        variable: str,
        df: Df | None = None,
        adjust: str = STANDARD,
        by: str | None = None,
        at: At | None = None,
        level: float = LEVEL,
        weights: Mapping[str, Sequence[float]] | None = None,
    ) -> pd.DataFrame:
        """All pairwise differences of a variable's marginal means (see `adjustments`).

        With `by`, within each level of another variable, and adjusted within it; `at` as in
        `means`. `weights` names contrasts of the means instead, each with a weight for every level,
        as {"linear": [-1, 0, 1]}.
        """
        levels, L = mean_rows(self.design, variable, by, at)
        if weights is None:
            index, rows = pairwise_rows(levels, L)
        else:
            index, rows = weighted_rows(levels, L, weights)
        table = self.estimates.table(rows, index, df or self.standard_df, level)
        n_means = levels.get_level_values(-1).nunique()
        return adjusted(table, adjust, n_means, level, pairs=weights is None, within=by is not None)

    def slopes(
        self,
        variable: str,
        df: Df | None = None,
        by: str | None = None,
        level: float = LEVEL,
    ) -> pd.DataFrame | None:
        """By how much the marginal means rise per unit of a number; None where they are no line.

        With `by`, within each level of another variable (see `means.slope_rows`).
        """
        found = slope_rows(self.design, variable, by)
        if found is None:
            return None
        return self.estimates.table(found[1], found[0], df or self.standard_df, level)

    def condition_effects(
        self, variable: str, df: Df | None = None, level: float = LEVEL
    ) -> pd.DataFrame:
        """alpha_j (estimate, se, ...): a variable's marginal means less the grand mean."""
        index, L = mean_rows(self.design, variable)
        L = difference(L, mean_rows(self.design)[1])
        return self.estimates.table(L, index, df or self.standard_df, level)

    @cached_property
    def profile_likelihood(self) -> ProfileLikelihood:
        """The ML profiles of all parameters, whose intervals `profile` gives."""
        return ProfileLikelihood(
            self.estimates.likelihood.held_parameters,
            self.estimates.coordinates,
            self.design.encoding.formula_rows,
            self.coefficient_names,
        )

    def profile(
        self, level: float = LEVEL, parameters: Collection[str] | None = None
    ) -> pd.DataFrame:
        """Profile-likelihood intervals (estimate, ci_low, ci_high) of all parameters, or of some.

        They belong to the ML fit, by whose estimates they stand, also where this fit is by REML
        (as lme4's `confint`); see `profile_likelihood`.
        """
        return self.profile_likelihood.intervals(level, parameters)

    def parametric_bootstrap(self, refits: int = 10_000, seed: int = 1) -> Bootstrap:
        """Refits to data drawn from this fit, whose intervals `bootstrap` gives."""
        rows = self.design.encoding.formula_rows
        return parametric_bootstrap(self.estimates, rows, self.estimated, refits, seed)

    def bootstrap(
        self,
        kind: Literal["percentile", "bca"] = "percentile",
        refits: int = 10_000,
        seed: int = 1,
        level: float = LEVEL,
    ) -> pd.DataFrame:
        """Parametric bootstrap intervals (estimate, se, ci_low, ci_high) of all parameters.

        "percentile" or "bca"; columns refits and boundary_refits say how many there were, and how
        many ended on the boundary (see `bootstrap`).
        """
        if kind not in ("percentile", "bca"):
            raise ValueError(f"kind: found {kind!r}, expected 'percentile' or 'bca'")
        drawn = self.parametric_bootstrap(refits, seed)
        percentile = kind == "percentile"
        table = drawn.percentile(level) if percentile else drawn.bca(self.without_subject, level)
        return table.assign(refits=refits, boundary_refits=drawn.boundary_refits)

    def between_variance_test(self, draws: int | None = None, seed: int = 1) -> VarianceTest:
        """The test of sigma_between = 0, whose table `test_between_variance` gives.

        Raises InputError where subjects have no random intercept.
        """
        effects = [(t.grouping, effect) for t in self.random_part.terms for effect in t.effects]
        own = ((self.design.subject,), INTERCEPT)
        if own not in effects:
            raise InputError(
                f"random part {self.random}: subjects have no intercept of their own, whose "
                "variance could be tested; take test_variances() for what is random here"
            )
        return variance_test(self.estimates.likelihood.reductions, effects.index(own), draws, seed)

    def test_between_variance(self, draws: int | None = None, seed: int = 1) -> pd.DataFrame:
        """Test sigma_between = 0: statistic and p, by simulation and by the chi-square mixture.

        Always by REML. The first row is "exact" for an intercept alone, else "approximate" or
        "bootstrap" (see `variance_test`, also for how many draws there are if `draws` does not
        say it).
        """
        return self.between_variance_test(draws, seed).table()

    def test_variances(self, refits: int | None = None, seed: int = 1) -> pd.DataFrame:
        """Test each random effect against the model without it and its covariances, by REML.

        One row for each: grouping, effect, statistic, df (how many parameters it has), p with its
        Monte Carlo standard error p_se, by what p was found (exact where nothing else is random;
        approximate, as RLRsim, beside others that clearly differ; else a bootstrap of so many
        refits; see `variance_test`), and p_mixture by chi-square distributions. Without the
        intercept of a line the test depends on the origin of its x.
        """
        return variance_tests(self.estimates.likelihood, self.random_part, refits, seed)

    @cached_property
    def _left_out(self) -> LeftOut:
        return leave_one_out(self, self.refitted_without)

    def refitted_without(self, position: int) -> MixedFit:
        """The same model of all rows but those of the subject at a position of `design.subjects`.

        Raises InputError where the others' data do not support it.
        """
        others = self.random_columns.of_rows(self.design.codes != position)
        return fit_design(self.design.without(position), others, self.method)

    @cached_property
    def without_subject(self) -> pd.DataFrame:
        """The estimates of all parameters without each subject (see `influence`)."""
        return self._left_out.parameters(self)

    def influence(self) -> pd.DataFrame:
        """Each subject's Cook's distance, and the change of each parameter when it is left out.

        Columns cooks_distance, then change_<parameter>: the estimate without the subject less that
        with all. NaN where the model cannot be fitted without the subject (see `deletion`).
        """
        return self._left_out.influence(self)

    def __repr__(self) -> str:
        """The model, its criterion, variances and coefficients."""
        return model_text(self)

    def summary(self, level: float = LEVEL) -> Summary:
        """Everything but what belongs to single rows and subjects, as plain values and as text."""
        return summary(self, level)


def fit_mixed(
    formula: str,
    data: Any,
    subject: str | None = None,
    method: Method = "REML",
    coding: Coding = "treatment",
) -> MixedFit:
    """Fit a mixed model by REML (default) or ML.

    `formula` is the fixed part (formulaic) with what is random in bars, as lme4 writes it: `score ~
    day + (1 + day | id)`. All grouping factors are nested in one, the subject. Without bars what
    is random is what one subject's data support (see `random.supported`), and `subject` is the
    column that names the N rows' subjects.
    Factors are coded as the formula says (by treatments, unless it says otherwise, with the first
    level as the reference); `coding="sum"` codes all to sum to zero, and a mapping such as
    {"time": "t2"} names other reference levels.
    The random effects are best linear unbiased predictions (see `model.random_effects`).

    Raises InputError for data or formulas the model cannot be fitted to.
    """
    if method not in get_args(Method):
        raise ValueError(f"method: found {method!r}, expected {one_of(get_args(Method))}")
    design, random_columns = mixed_design(formula, data, subject, coding)
    return fit_design(design, random_columns, method)


def fit_arrays(
    response: np.ndarray, subjects: np.ndarray, conditions: np.ndarray, method: Method = "REML"
) -> MixedFit:
    """Fit `response ~ condition` to arrays (N,) in long form.

    subjects and conditions are integer codes that count from 0 without gaps. The results are those
    of `fit_mixed` for a table with these columns, the conditions as a factor. Fastest where the
    rows of a subject stand together, in the same order of conditions for all.

    Raises InputError for arrays that are not so, or that the model cannot be fitted to.
    """
    design = design_of_arrays(response, subjects, conditions)
    return fit_design(design, supported_columns(design), method)


def fit_design(design: DesignMatrix, random_columns: RandomColumns, method: Method) -> MixedFit:
    """Fit a formula already evaluated, with what is random on the same rows: see `fit_mixed`."""
    if random_columns.part.is_intercept:
        subjects, coordinates = design.working_moments()
        intercept = RandomIntercept(subjects, method)
        return MixedFit.of(design, random_columns, intercept, coordinates)
    coordinates = design.working_moments()[1]
    effects = SubjectEffects.of(design, random_columns, method)
    return MixedFit.of(design, random_columns, effects, coordinates)
