"""The laws of tests and of intervals in complete data, for any number of subjects and of trials.

A hypothesis speaks of some directions of a subject's rows, in which subjects vary by tau times the
variance of one error (see `error_terms`). With n subjects and R observations of each in every cell,
the expected mean square of its error is 1 + R tau in units of sigma_w^2, its F has a noncentrality
in proportion to n R / (1 + R tau), and the squared standard error of an estimate is in proportion
to (1 + R tau) / (n R). Error degrees of freedom are so many for each subject, less what the model
takes. With groups, this holds for numbers of subjects that groups share as they should.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import exp, inf, lgamma, nan, sqrt

import numpy as np

from twolevel.experiments.like_scenario import AnyScenario
from twolevel.experiments.planned.error_terms import ErrorTerms
from twolevel.experiments.planned.known_measures import known_covariance
from twolevel.experiments.planned.planned_population import planned_study
from twolevel.experiments.planned.planned_study import CONDITION, PlannedStudy
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.exact_test import MOST, ExactTest, fewest
from twolevel.inference.adjustments import ADJUSTMENTS, Differences
from twolevel.numeric.tails import t_quantile, t_two_sided

# A noncentrality of MOST subjects that is 0 but for rounding.
_NOTHING = 1e-20


@dataclass(frozen=True)
class Family:
    """Differences that are adjusted together: by which of `ADJUSTMENTS`, how many, of how many."""

    adjust: str
    differences: int
    means: int

    @property
    def is_exact(self) -> bool:
        """Whether one is tested whatever the others show; by Holm's method it is not."""
        return self.differences == 1 or self.adjust != "holm"

    def level(self, level: float, df: float) -> float:
        """One less the level at which each is tested by itself; of Holm's method, the strictest."""
        if self.differences == 1 or df <= 0:
            return level
        p = np.zeros(self.differences)
        tests = Differences(p, np.full(self.differences, float(df)), p, self.means)
        quantile = ADJUSTMENTS[self.adjust].quantile(tests, 1 - level)[:1]
        return 1 - float(t_two_sided(quantile, tests.df[:1])[0])


@dataclass(frozen=True)
class Law:
    """The law of a hypothesis' F, and of the interval of an estimate, which is one of one row.

    size: the noncentrality of one subject with one observation in a cell, were tau 0; spread: the
    squared standard error likewise, in the response's unit (NaN of several rows). df: what the
    error's degrees of freedom grow by with each observation in a cell of each subject, with each
    subject, and what they are less. exact: whether there is an error that makes it so; elsewhere
    the law is that of known variances at the scenario's own number of trials, and rough. family:
    that of an adjusted difference. Numbers of subjects are multiples of `unit`, `least` or more.
    """

    df_num: int
    size: float
    spread: float
    tau: float
    df: tuple[int, int, int]
    exact: bool = True
    family: Family | None = None
    unit: int = 1
    least: int = 2

    @property
    def is_nothing(self) -> bool:
        """Whether the hypothesis is true, up to rounding."""
        return self.size * MOST < _NOTHING

    def test(self, subjects: int, trials: int) -> ExactTest:
        """The law of the F with so many subjects, and trials in each cell."""
        centre = self.size * subjects * trials / (1 + trials * self.tau)
        return ExactTest(self.df_num, self._df(subjects, trials), centre)

    def power(self, subjects: int, trials: int, level: float) -> float:
        """The probability that the hypothesis is rejected."""
        test = self.test(subjects, trials)
        if self.family is not None:
            level = self.family.level(level, test.df_den)
        return test.power(level)

    def width(self, subjects: int, trials: int, level: float) -> float:
        """The expected width of the estimate's interval, not adjusted.

        2 t SE on average over the error's mean square, whose root is that of a chi-square: E
        sqrt(MS) = sqrt(E MS) sqrt(2 / df) Gamma((df + 1) / 2) / Gamma(df / 2) (Kelley & Rausch
        2006, Psychological Methods 11).
        """
        df = self._df(subjects, trials)
        if df <= 0:
            return inf
        root = exp(lgamma((df + 1) / 2) - lgamma(df / 2)) * sqrt(2 / df)
        se = sqrt(self.spread * (1 + trials * self.tau) / (subjects * trials))
        return 2 * float(t_quantile(level, np.array(df))) * se * root

    def subjects_for(self, power: float, level: float, trials: int) -> int | None:
        """The fewest subjects with this power; None beyond MOST."""
        return self._fewest(lambda n: self.power(n, trials, level) >= power)

    def subjects_for_width(self, width: float, level: float, trials: int) -> int | None:
        """The fewest with which the interval is expected to be no wider; None beyond MOST."""
        return self._fewest(lambda n: self.width(n, trials, level) <= width)

    def _fewest(self, enough: Callable[[int], bool]) -> int | None:
        unit = self.unit
        found = fewest(lambda k: enough(k * unit), -(-self.least // unit), MOST // unit)
        return None if found is None else found * unit

    def _df(self, subjects: int, trials: int) -> int:
        a_trial, each, lost = self.df
        return subjects * (trials * a_trial + each) - lost


@dataclass(frozen=True, eq=False)
class Laws:
    """The laws of a scenario's tests and estimates, where no row is absent."""

    scenario: AnyScenario

    @property
    def tests(self) -> dict[str, Law]:
        """Those of all that is tested: terms, the condition's first, and pairwise differences."""
        return self.terms | self.differences

    @cached_property
    def terms(self) -> dict[str, Law]:
        """Those of each term's F test."""
        where = self.scenario
        if isinstance(where, Scenario) and where.plain:  # known without a look at any rows
            J, size = len(where.cells), float(np.sum(where.effects**2)) / where.sigma_within**2
            return {CONDITION: Law(J - 1, size, nan, 0.0, (J, -1, J - 1))}
        return {term: self._of(rows) for term, rows in self.study.terms.items()}

    @cached_property
    def differences(self) -> dict[str, Law]:
        """Those of the pairwise differences that are tested, adjusted."""
        adjust, found = self.scenario.adjust, dict[str, Law]()
        if adjust is None:
            return found
        for means, family in self.study.families:
            together = Family(adjust, len(family), means)
            found |= {name: self._of(row[None], together) for name, row in family.items()}
        return found

    @cached_property
    def contrasts(self) -> dict[str, list[Law]]:
        """By factor those of all differences of two of its levels; of a number, of its slope."""
        return {
            name: [self._of(row[None]) for row in rows.values()]
            for name, rows in self.study.contrasts.items()
        }

    @cached_property
    def _complete(self) -> AnyScenario:
        return self.scenario.complete

    @cached_property
    def study(self) -> PlannedStudy:
        """The complete rows, and the model."""
        return study_of(self._complete)

    @cached_property
    def _errors(self) -> ErrorTerms:
        return ErrorTerms(self.study)

    def _of(self, rows: np.ndarray, family: Family | None = None) -> Law:
        """The law of the hypothesis rows (q, p), or of an estimate of one row."""
        study, errors = self.study, self._errors
        n, R = self._complete.subjects, self.scenario.replicates
        at, effect = rows @ study.T, rows @ study.beta / study.sigma_within
        stratum = errors.of(rows)
        if stratum is None:
            covariance, tau, df = known_covariance(study), 0.0, (0, 1, len(rows))
        else:
            covariance, tau = errors.covariance, (stratum.expected - 1) / R
            each = errors.df_of_a_subject(stratum)
            # More trials are more of the residual error.
            a_trial = 0 if stratum.inside is not None else self._cells
            df = (a_trial, each - R * a_trial, n * each - stratum.df)
        spread = at @ covariance @ at.T * (n * R)
        size = float(effect @ np.linalg.solve(spread, effect))
        own = study.sigma_within**2 * float(spread[0, 0]) if len(rows) == 1 else nan
        numbers = self.scenario.unit_of_subjects, self.scenario.fewest_subjects
        return Law(len(rows), size, own, tau, df, stratum is not None, family, *numbers)

    @property
    def _cells(self) -> int:
        """The cells of a design whose trials can be chosen."""
        return len(self.scenario.cells) if isinstance(self.scenario, Scenario) else 0


def study_of(scenario: AnyScenario) -> PlannedStudy:
    """The rows and the model of any scenario, of a plain one too."""
    if isinstance(scenario, Scenario) and scenario.plain:
        return planned_study(scenario)
    assert scenario.study is not None
    return scenario.study
