"""The mixed model y_ij = x_ij' beta + S_i + eta_ij, fitted by REML or ML from grouped moments.

Constants, criteria and definitions are those of lme4 (Bates, Maechler, Bolker & Walker 2015), whose
results on the reference data sets these functions reproduce.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import pandas as pd

from twolevel.design.coding import Coding
from twolevel.design.design_matrix import DesignMatrix, design_matrix, design_of_arrays
from twolevel.design.identifiability import refuse_explained
from twolevel.design.moments import Coordinates
from twolevel.inference.adjustments import ADJUSTMENTS, STANDARD, adjusted
from twolevel.inference.bootstrap import Bootstrap, parametric_bootstrap
from twolevel.inference.deletion import cooks_distance, leave_one_out
from twolevel.inference.explained_variance import design_effect, r_squared
from twolevel.inference.hypotheses import coefficient_rows
from twolevel.inference.means import (
    At,
    difference,
    mean_rows,
    pairwise_rows,
    slope_rows,
    weighted_rows,
)
from twolevel.inference.prediction import Subjects, predict, simulate
from twolevel.inference.printout import Summary, model_text, summary_text
from twolevel.inference.profile_likelihood import ProfileLikelihood
from twolevel.inference.type3 import type3_rows
from twolevel.inference.variance_test import BetweenVarianceTest, between_variance_test
from twolevel.inference.wald import Df, Estimates
from twolevel.model.likelihood import Likelihood, Method
from twolevel.model.random_intercept import RandomIntercept
from twolevel.model.random_part import RandomPart
from twolevel.text.errors import InputError


@dataclass(frozen=True, eq=False, repr=False)
class MixedFit:
    """A fitted random-intercept model.

    params, bse (p,) and cov_params (p, p) are the fixed effects in the order of the formula;
    sigma_between and sigma_within are standard deviations in the response's unit; lambda_ is
    sigma_between^2 / sigma_within^2; boundary says that sigma_between is estimated as exactly 0.
    """

    design: DesignMatrix
    random_part: RandomPart
    estimates: Estimates

    @property
    def method(self) -> Method:
        """REML or ML."""
        return self.estimates.likelihood.method

    @cached_property
    def params(self) -> pd.Series:
        """The fixed effects (p,)."""
        index = pd.Index(self.design.names, name="term")
        return pd.Series(self.design.encoding.formula_rows @ self.estimates.params, index=index)

    @cached_property
    def cov_params(self) -> pd.DataFrame:
        """The covariance (p, p) of the fixed effects, not adjusted."""
        return self.covariance("asymptotic")

    @property
    def random(self) -> str:
        """The random part as lme4 writes it in a formula."""
        return str(self.random_part)

    @property
    def theta(self) -> np.ndarray:
        """What the random part's covariance is made of, relative to sigma_within (k,)."""
        return self.estimates.best.theta

    @property
    def lambda_(self) -> float:
        """sigma_between^2 / sigma_within^2."""
        return float(self.estimates.best.lambda_)

    @property
    def sigma_within(self) -> float:
        """The standard deviation within subjects."""
        return self.estimates.unit * float(np.sqrt(self.estimates.sigma2))

    @property
    def sigma_between(self) -> float:
        """The standard deviation of subjects."""
        return float(self.theta[0]) * self.sigma_within

    @property
    def varcorr(self) -> pd.DataFrame:
        """All variances, as lme4's VarCorr: grp, var1, var2, vcov, sdcor (see `random_part`)."""
        return self.random_part.varcorr(self.theta, self.sigma_within)

    @property
    def boundary(self) -> bool:
        """Whether sigma_between is estimated as exactly 0."""
        return self.random_part.on_boundary(self.theta)

    @cached_property
    def llf(self) -> float:
        """The log-likelihood, restricted under REML."""
        # In the response's unit, and under REML for the formula's own columns.
        f, best = self.estimates.likelihood.degrees_of_freedom, self.estimates.best
        llf = -float(best.deviance) / 2 - f * np.log(self.estimates.unit)
        return float(llf - (self.design.encoding.log_scale if self.method == "REML" else 0.0))

    @property
    def nobs(self) -> int:
        """The number of observations N."""
        return self.design.nobs

    @property
    def bse(self) -> pd.Series:
        """Standard errors of the fixed effects (p,)."""
        return pd.Series(np.sqrt(np.diag(self.cov_params)), index=self.params.index)

    @property
    def icc(self) -> float:
        """sigma_b^2 / (sigma_b^2 + sigma_w^2): the correlation of two observations of a subject."""
        return float(self.estimates.best.icc)

    @property
    def n_parameters(self) -> int:
        """Fixed effects, theta and sigma_within, as lme4 counts them."""
        return len(self.design.names) + len(self.theta) + 1

    @property
    def aic(self) -> float:
        """-2 llf + 2 k, with the REML likelihood under REML, as lme4."""
        return -2 * self.llf + 2 * self.n_parameters

    @property
    def bic(self) -> float:
        """-2 llf + k log N, as lme4 (nlme uses log(N - p) under REML)."""
        return -2 * self.llf + self.n_parameters * float(np.log(self.nobs))

    @cached_property
    def random_effects(self) -> pd.DataFrame:
        """n, deviation (ybar_i - xbar_i' beta), random_effect S_i and its se, of n subjects."""
        found, unit = self.estimates.random_effects, self.estimates.unit
        return pd.DataFrame(
            {
                "n": found.subjects.counts,
                "deviation": unit * found.deviation,
                "random_effect": unit * found.effect,
                "se": unit * found.se,
            },
            index=self.design.all_subjects,
        )

    @property
    def fixed_part(self) -> np.ndarray:
        """What the fixed effects predict of each observation, x_ij' beta (N,)."""
        return self.design.cells.times(self.estimates.params)

    @cached_property
    def fittedvalues(self) -> np.ndarray:
        """Conditional fitted values x_ij' beta + S_i (N,)."""
        subject = self.random_effects["random_effect"].to_numpy()[self.design.positions]
        return self.fixed_part + subject[self.design.codes]

    @cached_property
    def resid(self) -> np.ndarray:
        """Conditional residuals, the predicted eta_ij (N,)."""
        return self.design.response - self.fittedvalues

    @property
    def design_effect(self) -> float:
        """By how much clustering multiplies the variance of a plain mean (see `explained`)."""
        return design_effect(self.design.working_moments()[0].counts, self.icc)

    @property
    def grand_mean(self) -> pd.Series:
        """The grand mean (estimate, se, ...): all factors averaged, covariates at their means."""
        index, L = mean_rows(self.design)
        return self.estimates.table(L, index, self.standard_df).iloc[0]

    @property
    def standard_df(self) -> Df:
        """The degrees of freedom of tests: Kenward-Roger's, which ML does not have."""
        return "kenward-roger" if self.method == "REML" else "satterthwaite"

    def covariance(self, df: Df | None = None) -> pd.DataFrame:
        """The covariance (p, p) of the fixed effects: `cov_params`, adjusted for Kenward-Roger."""
        # Multiplied before it is squared, as the unit's square may be too large.
        root = self.estimates.unit * self.design.encoding.formula_rows
        cov = root @ self.estimates.covariance(df or self.standard_df) @ root.T
        return pd.DataFrame(cov, index=self.params.index, columns=self.params.index)

    def coef_table(self, df: Df | None = None, level: float = 0.95) -> pd.DataFrame:
        """Wald tests and intervals of the fixed effects, indexed by formulaic's names."""
        rows = self.design.encoding.formula_rows
        return self.estimates.table(rows, self.params.index, df or self.standard_df, level)

    def conf_int(self, level: float = 0.95, df: Df | None = None) -> pd.DataFrame:
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
        _, rows = coefficient_rows(L, self.params.index)
        if np.linalg.matrix_rank(rows) < len(rows):
            raise InputError(
                f"test: the {len(rows)} rows of L are linearly dependent, or one is 0; expected "
                "independent ones; leave out those that follow from others"
            )
        L = rows @ self.design.encoding.formula_rows
        return pd.Series(self.estimates.test(L, df or self.standard_df))

    def combinations(self, L: Any, df: Df | None = None, level: float = 0.95) -> pd.DataFrame:
        """Each of the combinations L (q, p) of coefficients by itself: estimate, se, ..., by name.

        See `hypotheses.coefficient_rows` for L.
        """
        names, rows = coefficient_rows(L, self.params.index)
        L = rows @ self.design.encoding.formula_rows
        return self.estimates.table(L, names, df or self.standard_df, level)

    def predict(
        self, new_data: Any, subjects: Subjects = "known", level: float = 0.95
    ) -> pd.DataFrame:
        """The mean response at the rows of a table: estimate, se, ci_low, ci_high.

        Of "known" subjects, of "new" ones, or of the "mean" subject (see `predicted.predict`).
        """
        return predict(self, new_data, subjects, level)

    def simulate(self, seed: int) -> np.ndarray:
        """A response (N,) drawn from the fitted model, with subjects drawn anew."""
        return simulate(self, seed)

    @cached_property
    def hypotheses(self) -> dict[str, np.ndarray]:
        """Rows L (q, p) of every term's Type III hypothesis L beta = 0 (see `type3`)."""
        p = len(self.params)
        back = np.linalg.inv(self.estimates.T)
        gram = back.T @ self.estimates.likelihood.total[:p, :p] @ back
        return type3_rows(self.design, gram)

    def anova(self, df: Df | None = None) -> pd.DataFrame:
        """Type III F tests (F, df_num, df_den, p), indexed by term (see `wald`)."""
        df = df or self.standard_df
        rows = {term: self.estimates.test(L, df) for term, L in self.hypotheses.items()}
        return pd.DataFrame.from_dict(
            rows, orient="index", columns=["F", "df_num", "df_den", "p"]
        ).rename_axis("term")

    def means(
        self,
        variable: str,
        df: Df | None = None,
        by: str | None = None,
        at: At | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Marginal means of a variable's levels, as emmeans defines them (see `means`).

        With `by`, of its levels within each level of another variable; with `at`, where other
        variables have these values.
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
        level: float = 0.95,
        weights: Mapping[str, Sequence[float]] | None = None,
    ) -> pd.DataFrame:
        """All pairwise differences of a variable's marginal means (see `adjustments`).

        With `by`, within each level of another variable, and adjusted within it; `at` as in
        `means`. `weights` names contrasts of the means instead, each with a weight for every level,
        as {"linear": [-1, 0, 1]}.
        """
        levels, L = mean_rows(self.design, variable, by, at)
        index, rows = (
            pairwise_rows(levels, L) if weights is None else weighted_rows(levels, L, weights)
        )
        table = self.estimates.table(rows, index, df or self.standard_df, level)
        n_means = levels.get_level_values(-1).nunique()
        if weights is not None and adjust in ADJUSTMENTS and ADJUSTMENTS[adjust].pairs:
            others = ", ".join(repr(n) for n, other in ADJUSTMENTS.items() if not other.pairs)
            raise ValueError(
                f"adjust: {adjust!r} is for all pairwise differences; for other contrasts say one "
                f"of {others}"
            )
        if by is None:
            return adjusted(table, adjust, n_means, level)
        groups = table.groupby(level=0, sort=False)
        return pd.concat([adjusted(part, adjust, n_means, level) for _, part in groups])

    def slopes(
        self,
        variable: str,
        df: Df | None = None,
        by: str | None = None,
        level: float = 0.95,
    ) -> pd.DataFrame | None:
        """By how much the marginal means rise per unit of a number; None where they are no line.

        With `by`, within each level of another variable (see `means.slope_rows`).
        """
        found = slope_rows(self.design, variable, by)
        if found is None:
            return None
        return self.estimates.table(found[1], found[0], df or self.standard_df, level)

    def condition_effects(
        self, variable: str, df: Df | None = None, level: float = 0.95
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
            self._coefficient_names,
        )

    def profile(
        self, level: float = 0.95, parameters: Collection[str] | None = None
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
        level: float = 0.95,
    ) -> pd.DataFrame:
        """Parametric bootstrap intervals (estimate, se, ci_low, ci_high) of all parameters.

        "percentile" or "bca"; columns refits and boundary_refits say how many there were, and how
        many estimated sigma_between as exactly 0 (see `bootstrap`).
        """
        if kind not in ("percentile", "bca"):
            raise ValueError(f"kind: found {kind!r}, expected 'percentile' or 'bca'")
        drawn = self.parametric_bootstrap(refits, seed)
        percentile = kind == "percentile"
        table = drawn.percentile(level) if percentile else drawn.bca(self.without_subject, level)
        return table.assign(refits=refits, boundary_refits=drawn.boundary_refits)

    def between_variance_test(self, draws: int = 100_000, seed: int = 1) -> BetweenVarianceTest:
        """The exact test of sigma_between = 0, whose table `test_between_variance` gives."""
        return between_variance_test(self.estimates.likelihood, draws, seed)

    def test_between_variance(self, draws: int = 100_000, seed: int = 1) -> pd.DataFrame:
        """Test sigma_between = 0: statistic and p, exact and by the chi-square mixture.

        Always by REML (see `between_variance`).
        """
        return self.between_variance_test(draws, seed).table()

    def r2(self) -> pd.DataFrame:
        """Marginal and conditional R^2, the shares of variance explained (see `explained`)."""
        return r_squared(self.estimates, self.nobs, self.sigma_between**2, self.sigma_within**2)

    @cached_property
    def _without_subject(self) -> tuple[pd.DataFrame, np.ndarray]:
        def refit(design: DesignMatrix, method: Method) -> tuple[pd.Series, np.ndarray]:
            fit = fit_design(design, method)
            return fit.variances, fit.estimates.params

        return leave_one_out(self.design, self.estimates, refit)

    @cached_property
    def without_subject(self) -> pd.DataFrame:
        """The estimates of all parameters without each subject (see `influence`)."""
        variances, beta = self._without_subject
        rows = self.design.encoding.formula_rows
        beta = beta @ rows.T + rows @ self.estimates.coordinates.shift
        return variances.assign(**dict(zip(self._coefficient_names, beta.T, strict=True)))

    def influence(self) -> pd.DataFrame:
        """Each subject's Cook's distance, and the change of each parameter when it is left out.

        Columns cooks_distance, then change_<parameter>: the estimate without the subject less that
        with all. NaN where the model cannot be fitted without the subject (see `influence`).
        """
        variances, beta = self._without_subject
        coordinates, unit = self.estimates.coordinates, self.estimates.unit
        changes = beta - unit * (coordinates.T @ self.estimates.best.beta)
        covariance = self.estimates.covariance("asymptotic")
        table = pd.DataFrame(
            {"cooks_distance": cooks_distance(changes / unit, covariance)}, index=variances.index
        )
        own = changes @ self.design.encoding.formula_rows.T
        for name in variances:
            table[f"change_{name}"] = variances[name] - self.variances[name]
        names = [f"change_{name}" for name in self._coefficient_names]
        return pd.concat([table, pd.DataFrame(own, table.index, names)], axis=1)

    @property
    def variances(self) -> pd.Series:
        """sigma_between, sigma_within and icc."""
        sigmas = {"sigma_between": self.sigma_between, "sigma_within": self.sigma_within}
        return pd.Series({**sigmas, "icc": self.icc})

    @property
    def _coefficient_names(self) -> pd.Index:
        """What the fixed effects are called beside the variances: `icc` where a column is icc."""
        taken = self.variances.index
        names = [f"`{name}`" if name in taken else name for name in self.params.index]
        return pd.Index(names, name="term")

    @property
    def estimated(self) -> pd.Series:
        """All parameters: sigma_between, sigma_within, icc and the fixed effects."""
        return pd.concat([self.variances, self.params.set_axis(self._coefficient_names)])

    def variance_components(self) -> dict:
        """Both standard deviations with what is derived from them, and the likelihood."""
        return {
            "method": self.method,
            "sigma_between": self.sigma_between,
            "sigma_within": self.sigma_within,
            "lambda_": self.lambda_,
            "icc": self.icc,
            "design_effect": self.design_effect,
            "boundary": self.boundary,
            "llf": self.llf,
            "aic": self.aic,
            "bic": self.bic,
        }

    def __repr__(self) -> str:
        """The model, its criterion, variances and coefficients."""
        return model_text(self)

    def summary(self) -> Summary:
        """Everything but what belongs to single rows and subjects, as plain values and as text."""
        values = {
            "formula": self.design.formula,
            "n_subjects": len(self.design.all_subjects),
            "nobs": self.nobs,
            **self.variance_components(),
            "r2": self.r2()["r2"],
            "grand_mean": self.grand_mean,
            "coefficients": self.coef_table(),
            "cov_params": self.cov_params,
            "anova": self.anova(),
        }
        return Summary(values, summary_text(self, values))


def fit_mixed(
    formula: str,
    data: Any,
    subject: str,
    method: Method = "REML",
    coding: Coding = "treatment",
) -> MixedFit:
    """Fit the random-intercept model by REML (default) or ML.

    `formula` is the fixed part (formulaic), `subject` the column that names the N rows' subjects.
    Factors are coded as the formula says (by treatments, unless it says otherwise, with the first
    level as the reference); `coding="sum"` codes all to sum to zero, and a mapping such as
    {"time": "t2"} names other reference levels.
    The random effects are best linear unbiased predictions,
    S_i = n_i lambda / (1 + n_i lambda) (ybar_i - xbar_i' beta), with the conditional standard
    deviation sigma_b / sqrt(1 + n_i lambda) (Robinson 1991; lme4's condVar).

    Raises InputError for data or formulas the model cannot be fitted to.
    """
    if method not in ("REML", "ML"):
        raise ValueError(f"method: found {method!r}, expected 'REML' or 'ML'")
    return fit_design(design_matrix(formula, data, subject, coding), method)


def fit_arrays(
    response: np.ndarray, subjects: np.ndarray, conditions: np.ndarray, method: Method = "REML"
) -> MixedFit:
    """Fit `response ~ condition` to arrays (N,) in long form.

    subjects and conditions are integer codes that count from 0 without gaps. The results are those
    of `fit_mixed` for a table with these columns, the conditions as a factor. Fastest where the
    rows of a subject stand together, in the same order of conditions for all.

    Raises InputError for arrays that are not so, or that the model cannot be fitted to.
    """
    return fit_design(design_of_arrays(response, subjects, conditions), method)


def fit_design(design: DesignMatrix, method: Method) -> MixedFit:
    """Fit the random-intercept model to a formula already evaluated: see `fit_mixed`."""
    subjects, coordinates = design.working_moments()
    likelihood = RandomIntercept(subjects, method)
    return fit_likelihood(design, RandomPart.intercept(design.subject), likelihood, coordinates)


def fit_likelihood(
    design: DesignMatrix, random_part: RandomPart, likelihood: Likelihood, coordinates: Coordinates
) -> MixedFit:
    """Maximise the likelihood of a design's model with a random part."""
    unit = coordinates.unit
    refuse_explained(design, unit * np.sqrt(likelihood.total[-1, -1] / design.nobs))
    best = likelihood.maximise()
    params = unit * (coordinates.T @ best.beta) + coordinates.shift
    return MixedFit(design, random_part, Estimates(params, coordinates, likelihood, best))
