"""What theory says of complete data: the laws of estimates and tests in replicated experiments.

SS_S / (K sigma_b^2 + sigma_w^2) and SS_E / sigma_w^2 are independent chi-squares with n - 1 and
df_E = N - n - J + 1 degrees of freedom (Searle, Casella & McCulloch 1992, sec. 4.3), and the REML
estimates are functions of the two (see `complete`). The F test of the ANOVA is a noncentral F.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import special

from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.own_effects import covariance_of, own_effects
from twolevel.experiments.planned.known_measures import grand_mean_se, known_measures
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.exact_test import ExactTest, contrasts, exact_test
from twolevel.text.confidence import LEVEL, alpha

# Points and weights of the integral over the law of MS_E, by its tail probability.
_NODES = 64

_ESTIMATES = ("grand_mean", "between_variance", "within_variance")
_BINS = 60

# What lies outside the bins' range, in each tail.
_OUTSIDE = 1e-5


@dataclass(frozen=True)
class Sampling:
    """The sampling distributions of a scenario's estimates, with no cell missing."""

    scenario: Scenario

    @property
    def n(self) -> int:
        """The number of subjects."""
        return self.scenario.subjects

    @property
    def df_num(self) -> int:
        """The degrees of freedom of the condition."""
        return 1 if self.scenario.slope is not None else len(self.scenario.cells) - 1

    @property
    def df_within(self) -> int:
        """The degrees of freedom of the error that the condition is tested against."""
        return self._df_within(self.n)

    def _df_within(self, subjects: int) -> int:
        if self.scenario.own_varies:
            return self.df_num * (subjects - 1)
        return (self.scenario.per_subject - 1) * subjects - self.df_num

    @cached_property
    def _own(self) -> np.ndarray:
        """The covariance (J, J) of what a subject has of its own."""
        return covariance_of(own_effects(self.scenario.population))

    @property
    def _centred(self) -> np.ndarray:
        """A number's values (J,), less their mean."""
        x = np.array(self.scenario.population.values)
        return x - x.mean()

    @cached_property
    def _within(self) -> float:
        """The expected mean square of the error that the condition is tested against."""
        within = self.scenario.sigma_within**2
        if not self.scenario.own_varies:
            return within
        J = len(self._own)
        directions = np.eye(J) - 1 / J
        if self.scenario.slope is not None:
            x = self._centred
            directions = np.outer(x, x) / (x @ x)
        return within + self.scenario.replicates * float(
            np.sum(directions * self._own) / self.df_num
        )

    @cached_property
    def _between(self) -> float:
        """The expected mean square between subjects."""
        return self.scenario.sigma_within**2 + self.scenario.per_subject * float(self._own.mean())

    @property
    def laws(self) -> tuple[str, ...]:
        """The estimates whose laws are known."""
        if self.scenario.missing > 0:
            return ()
        return _ESTIMATES if self.scenario.plain else _ESTIMATES[:1]

    def cdf(self, quantity: str, x: np.ndarray) -> np.ndarray:
        """P(estimate <= x) for x (m,) of grand_mean, between_variance or within_variance."""
        x = np.asarray(x, dtype=float)
        if quantity == "grand_mean":
            return special.ndtr((x - self.scenario.mean) / self.grand_mean_se)
        # The law given MS_E is that of MS_S; it is averaged over MS_E, by its tail probability.
        nodes, weights = np.polynomial.legendre.leggauss(_NODES)
        nodes, weights, df = (nodes + 1) / 2, weights / 2, self.df_within
        if quantity == "between_variance":
            ms_within = special.chdtri(df, nodes) * self._within / df
            below = self._below(self.scenario.per_subject * x[:, None] + ms_within)
            return np.where(x < 0, 0.0, below @ weights)
        if quantity == "within_variance":
            # It is MS_E, or what both are pooled to, if that is smaller.
            above = special.chdtrc(df, np.maximum(x, 0.0) * df / self._within)  # P(MS_E > x)
            ms_within = special.chdtri(df, above[:, None] * nodes) * self._within / df
            pooled = (self.n - 1 + df) * x[:, None] - df * ms_within
            return 1 - above + above * (self._below(pooled / (self.n - 1)) @ weights)
        raise ValueError(f"quantity: found {quantity!r}, whose law is not known here")

    def _below(self, ms_between: np.ndarray) -> np.ndarray:
        """P(MS_S <= x)."""
        df = self.n - 1
        return special.chdtr(df, df * np.maximum(ms_between, 0.0) / self._between)

    @property
    def grand_mean_se(self) -> float:
        """The standard deviation of the estimated grand mean."""
        return float(np.sqrt(self._between / (self.scenario.per_subject * self.n)))

    @property
    def boundary_rate(self) -> float:
        """P(MS_S <= MS_E): how often sigma_b is estimated as exactly 0."""
        return float(special.fdtr(self.n - 1, self.df_within, self._within / self._between))

    def test(self, subjects: int) -> ExactTest:
        """The law of the ANOVA's F test of the condition, with so many subjects."""
        where = self.scenario
        J = len(where.cells)
        within = contrasts(J)
        if where.slope is not None:
            within = (self._centred / np.linalg.norm(self._centred))[:, None]
        covariance = where.sigma_within**2 / where.replicates * np.eye(J)
        if where.own_varies:  # an intercept alone is in no contrast
            covariance = covariance + self._own
        sizes, df = np.array([subjects]), self._df_within(subjects)
        found = exact_test(where.effects[None], sizes, covariance, np.ones((1, 1)), within, df)
        assert found is not None  # an intercept and own effects of one factor are spherical
        return found

    def power(self, level: float = LEVEL) -> float:
        """The power of the ANOVA's F test of the condition: a noncentral F."""
        return self.test(self.n).power(level)

    def expected(self, level: float = LEVEL) -> Mapping[tuple[str, str, str], float]:
        """Known values of performance measures, by quantity, method and measure."""
        where = self.scenario
        J, K, per_cell = len(where.cells), where.per_subject, self.n * where.replicates
        known = {("grand_mean", "", "empirical_se"): self.grand_mean_se}
        for quantity in ("grand_mean", *where.estimands):
            known |= {(quantity, "", "bias"): 0.0}
        share = 1 - 1 / J if where.slope is None else 1 / float(self._centred @ self._centred)
        effect = float(np.sqrt(self._within * share / per_cell))
        for quantity in where.estimands:
            known |= {(quantity, "", "empirical_se"): effect}
        if where.plain:
            raw = self._between / K
            known |= {
                ("raw_variance", "", "bias"): where.sigma_within**2 / K,
                ("raw_variance", "", "empirical_se"): raw * float(np.sqrt(2 / (self.n - 1))),
                ("boundary", "", "rate"): self.boundary_rate,
            }
        return known | {
            ("condition", "anova", "power"): self.power(level),
            ("condition", "anova", "type_one_error"): alpha(level),
        }


def expected(scenario: AnyScenario, level: float = LEVEL) -> Mapping[tuple[str, str, str], float]:
    """What is known of a scenario's measures, by quantity, method and measure: of complete data."""
    if isinstance(scenario, Scenario) and scenario.study is None:
        return {} if scenario.missing > 0 else Sampling(scenario).expected(level)
    assert scenario.study is not None
    return known_measures(scenario.study, level)


def bin_edges(scenario: AnyScenario) -> dict[str, np.ndarray]:
    """The bins (61 edges) in which the distributions of three estimates are counted.

    Their range is that of complete data with as many observations; what lies outside is counted in
    the first or last bin.
    """
    n, share = scenario.subjects, 1 - scenario.missing
    within = scenario.sigma_within**2
    if isinstance(scenario, Scenario) and scenario.study is None:
        raw = scenario.sigma_between**2 + within / max(scenario.per_subject * share, 1.0)
        spread, df_between = np.sqrt(raw / n), n - 1
        df = (scenario.per_subject * share - 1) * n - len(scenario.cells) + 1
    else:
        study = scenario.study
        assert study is not None
        spread, random = grand_mean_se(study), study.directions.shape[1]
        raw, df_between = scenario.truth["between_variance"] + n * spread**2, max(n // 2, 1)
        df = (study.design.nobs * share - n * random - len(study.beta)) / 2
    far, df = -special.ndtri(_OUTSIDE) * spread, max(df, 1.0)
    ends = {
        "grand_mean": (scenario.mean - far, scenario.mean + far),
        "between_variance": (0.0, raw * special.chdtri(df_between, _OUTSIDE) / df_between),
        "within_variance": tuple(
            within * special.chdtri(df, tail) / df for tail in (1 - _OUTSIDE, _OUTSIDE)
        ),
    }
    return {name: np.linspace(low, high, _BINS + 1) for name, (low, high) in ends.items()}
