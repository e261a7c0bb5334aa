"""Experiments of a planned study, batch by batch: one column for each thing that is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twolevel.experiments.planned.error_terms import ErrorTerms
from twolevel.experiments.planned.own_rows import OwnRows
from twolevel.experiments.planned.planned_fits import PlannedFits, PlannedTests
from twolevel.experiments.planned.planned_study import PlannedStudy
from twolevel.experiments.planned.projected_rows import ProjectedRows
from twolevel.experiments.planned.variance_intervals import variance_intervals
from twolevel.inference.adjustments import ADJUSTMENTS, Differences
from twolevel.model.effects.effect_sums import Sums, pairs
from twolevel.numeric.tails import f_quantile, f_upper, t_quantile, t_two_sided
from twolevel.text.confidence import alpha
from twolevel.text.methods import INTERCEPT_ALONE, STANDARD, Test

# Experiments of a batch, and numbers in its largest array, of complete data or not.
_MOST, _COMPLETE, _INCOMPLETE = 2_500, 400_000, 2_000_000


def rejected(quantity: str, method: str, true: bool = False) -> str:
    """The column that says whether a test rejects that a term has no effect, or what is true."""
    of = "" if quantity == "condition" else f"{quantity}: "
    return f"{of}rejected{'_true' * true}[{method}]"


@dataclass(frozen=True, eq=False)
class PlannedExperiments:
    """The experiments of a study, put to `test`, and all `methods`, at one less `level`."""

    study: PlannedStudy
    test: Test
    methods: tuple[Test, ...]
    level: float

    @cached_property
    def errors(self) -> ErrorTerms:
        """What the ANOVA tests against."""
        return ErrorTerms(self.study)

    def columns(self, size: int, generator: np.random.Generator) -> Iterator[dict[str, np.ndarray]]:
        """The columns of `size` experiments, a batch at a time.

        Whole batches are drawn, and what is too much is cut off: so an experiment's data depend on
        its number alone, not on how many there are.
        """
        for sums in self._batches(size, generator):
            yield self._columns(sums)

    def widths(
        self, rows: np.ndarray, size: int, generator: np.random.Generator
    ) -> Iterator[np.ndarray]:
        """The widths (k, B) of the intervals of rows (k, p) beta, a batch at a time.

        By `test`, in the response's unit. Data sets that cannot be fitted are left out.
        """
        for sums in self._batches(size, generator):
            if isinstance(sums, OwnRows):
                sums = sums.of_sets(np.flatnonzero(sums.regular(self.study.layout)))
            if not sums.size:
                continue
            tests = PlannedTests(self._fits(sums), self.errors)
            errors = [tests.error(row, self.test) for row in rows]
            se, df = (np.stack([np.broadcast_to(e[k], sums.size) for e in errors]) for k in (0, 1))
            yield 2 * self.study.sigma_within * t_quantile(self.level, df) * se

    def _batches(self, size: int, generator: np.random.Generator) -> Iterator[Sums]:
        batch = self._batch
        for start in range(0, size, batch):
            sums = self._drawn(batch, generator)
            if batch > size - start:
                sums = sums.of_sets(np.arange(size - start))
            yield sums

    @cached_property
    def _complete(self) -> bool:
        return self.study.absence is None or not self.study.absence.any

    @cached_property
    def _batch(self) -> int:
        """How many experiments are drawn and fitted at once."""
        S, r, _, G = self.study.directions.shape
        P, p = len(pairs(r)[0]), len(self.study.beta)
        largest = P * G * (1 + S + S * (S + 1) // 2)
        if self._complete:
            largest = max(largest, self.study.drawn.X[..., 0].size)
        else:
            n, N = len(self.study.subjects.group), self.study.design.nobs
            largest = max(
                largest // G * n, P * n * (p * p + p + 1), N * (p + self.study.random.width)
            )
        numbers = _COMPLETE if self._complete else _INCOMPLETE
        return max(1, min(_MOST, numbers // largest))

    def _drawn(self, size: int, generator: np.random.Generator) -> Sums:
        study = self.study
        if study.absence is None or self._complete:
            return study.drawn.draw(study.M, 1.0, size, generator)
        errors = generator.standard_normal((size, study.design.nobs))
        observed = study.absence.observed(size, generator)
        rows = ProjectedRows.of(study, errors, observed).with_variance(study)
        return OwnRows.of(study, rows)

    def _columns(self, sums: Sums) -> dict[str, np.ndarray]:
        if isinstance(sums, OwnRows):
            regular = np.flatnonzero(sums.regular(self.study.layout))
            if len(regular) < sums.size:
                every = np.full(sums.size, False)
                every[regular] = True
                return self._spread(sums.of_sets(regular), every)
        return self._of_regular(sums)

    def _spread(self, sums: OwnRows, regular: np.ndarray) -> dict[str, np.ndarray]:
        """The columns of data sets that can be fitted, among all (B,); the others have failed."""
        columns = {}
        one = self._of_regular(sums) if sums.size else dict.fromkeys(self._names, np.empty(0))
        for name, values in one.items():
            columns[name] = np.full(len(regular), np.nan)
            columns[name][regular] = values
        columns["failed"] = np.where(regular, columns["failed"], 1.0)
        columns["boundary"] = np.where(regular, columns["boundary"], 0.0)
        return columns

    @cached_property
    def _names(self) -> list[str]:
        complete = self.study.drawn.draw(self.study.M, 1.0, 1, np.random.default_rng(0))
        return list(self._of_regular(complete))

    def _of_regular(self, sums: Sums) -> dict[str, np.ndarray]:
        study, fits = self.study, self._fits(sums)
        tests = PlannedTests(fits, self.errors)
        failed = np.isnan(fits.theta).any(axis=0)
        columns = self._estimates(tests)
        columns["boundary"], columns["failed"] = fits.singular & ~failed, failed
        columns |= self._terms(tests)
        for family in study.families:
            columns |= self._differences(tests, *family)
        if study.own_varies:
            alone = self._intercepts(sums)
            if alone is not None:
                fits = PlannedFits.of(study, sums, study.intercept_alone, alone)
                columns |= self._rejections(
                    PlannedTests(fits, self.errors), STANDARD, INTERCEPT_ALONE
                )
        return columns

    def _fits(self, sums: Sums) -> PlannedFits:
        study = self.study
        C = study.layout.directions(sums.R) if isinstance(sums, OwnRows) else study.directions
        return PlannedFits.of(study, sums, study.layout, C)

    def _estimates(self, tests: PlannedTests) -> dict[str, np.ndarray]:
        """The estimates of `PlannedStudy.truth`, and the intervals of the fixed effects."""
        study, fits = self.study, tests.fits
        unit = study.sigma_within
        columns, ends = dict[str, np.ndarray](), dict[str, np.ndarray]()
        for name, row in study.estimands.items():
            estimate = study.truth[name] + unit * (row @ study.T @ fits.beta)
            se, df = tests.error(row, self.test)
            half = unit * t_quantile(self.level, df) * se
            columns[name] = estimate
            ends |= {f"{name}_se": unit * se, f"{name}_low": estimate - half}
            ends |= {f"{name}_high": estimate + half}
        intervals = variance_intervals(fits, self.level)
        for name in list(study.truth)[len(study.estimands) :]:
            scale = 1.0 if name.startswith("correlation") else unit**2
            columns[name], low, high = (scale * values for values in intervals[name])
            true = study.truth[name]
            covered = (low <= true * (1 + 1e-12)) & (true * (1 - 1e-12) <= high)
            ends[f"{name}_covered"] = np.where(np.isnan(columns[name]), np.nan, covered)
        return columns | ends

    def _terms(self, tests: PlannedTests) -> dict[str, np.ndarray]:
        """The F test of the condition, and which tests of each term reject."""
        rows = self.study.terms["condition"]
        F, df = tests.wald(rows, self.test)
        columns = {"F": F[0], "df_den": np.broadcast_to(df, F[0].shape)}
        columns["p"] = f_upper(F[0], len(rows), df)
        for method in self.methods:
            columns |= self._rejections(tests, method, method)
        return columns

    def _rejections(self, tests: PlannedTests, test: Test, name: str) -> dict[str, np.ndarray]:
        columns = {}
        for quantity, rows in self.study.terms.items():
            F, df = tests.wald(rows, test)
            if len(df) == 1:  # a critical value for all is faster than their p values
                found = f_quantile(self.level, len(rows), df[0]) < F
            else:
                found = f_upper(F, len(rows), df) < alpha(self.level)
            found = np.where(np.isnan(F), np.nan, found)
            for k, true in enumerate((False, True)):
                columns[rejected(quantity, name, true)] = found[k]
        return columns

    def _differences(
        self, tests: PlannedTests, n_means: int, family: dict[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Which adjusted tests of pairwise differences reject, by the test that is asked for."""
        study, B = self.study, tests.fits.sums.size
        assert study.adjust is not None
        L = np.stack(list(family.values()))
        errors = [tests.error(row, self.test) for row in L]
        se, df = (np.stack([np.broadcast_to(e[k], B) for e in errors]) for k in (0, 1))
        off = L @ study.T @ tests.fits.beta
        true = (L @ study.beta / study.sigma_within)[:, None]
        columns = {}
        for is_true, apart in ((False, off + true), (True, off)):
            t = apart / se
            p = t_two_sided(t, df)
            if len(L) > 1:
                p = ADJUSTMENTS[study.adjust].p_values(Differences(t, df, p, n_means))
            found = np.where(np.isnan(p), np.nan, p < alpha(self.level))
            for name, row in zip(family, found, strict=True):
                columns[rejected(name, self.test, is_true)] = row
        return columns

    def _intercepts(self, sums: Sums) -> np.ndarray | None:
        """The directions of the model with a random intercept alone; None where it is another."""
        study = self.study
        if isinstance(sums, OwnRows):
            one = sums.one  # (r, G, B)
        else:
            first, k = np.unique(study.subjects.group, return_index=True)[1], study.constant
            one = study.subjects.projected[first, :, k].T / study.X[0, k]  # (r, G)
            counts = np.bincount(study.design.codes)[first]
            if np.abs(np.square(one).sum(axis=0) - counts).max() > 1e-8 * counts.max():
                return None
        return one[None, :, None] * one[None, None]
