"""What experiments of any design are drawn from and fitted by: its rows, its model, the truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from twolevel.design.design_matrix import DesignMatrix
from twolevel.experiments.planned.absence import Absence
from twolevel.inference.means import difference, mean_rows, pairwise_rows, slope_rows
from twolevel.inference.type3 import type3_rows
from twolevel.model.effects.drawn_sums import DrawnSums
from twolevel.model.effects.effect_criterion import relative_variance
from twolevel.model.effects.effect_variances import EffectParameter, effect_parameters
from twolevel.model.effects.relative_covariance import RelativeCovariance
from twolevel.model.subject_sums import SubjectSums, subject_sums
from twolevel.random.effect_names import INTERCEPT
from twolevel.random.random_columns import RandomColumns, TermColumns
from twolevel.random.random_part import RandomTerm

# The test of the variable that subjects are observed under, whatever it is called.
CONDITION = "condition"


@dataclass(frozen=True, eq=False)
class PlannedStudy:
    """The rows of a design with the model that responses are drawn from, and fitted by.

    `design` has N rows, those of a subject together, whose responses say nothing. The truth, in
    the response's unit: the fixed part is `mean` + X beta with beta (p,) of the design's columns;
    roots (q, q) of each random term's covariance, for the effects as the formula has them; and
    `sigma_within`. `condition` is the variable within subjects that is looked at first, `absence`
    says which rows are not observed, and with `adjust`, a name of `ADJUSTMENTS`, pairwise
    differences are tested too.
    """

    design: DesignMatrix
    random: RandomColumns
    mean: float
    beta: np.ndarray
    roots: Sequence[np.ndarray]
    sigma_within: float
    condition: str | None
    absence: Absence | None = None
    adjust: str | None = None

    @cached_property
    def T(self) -> np.ndarray:
        """What turns rows L of the design's columns into rows L T of the working ones (p, p)."""
        return self.design.working_moments()[1].T

    @cached_property
    def X(self) -> np.ndarray:
        """The working columns (N, p)."""
        cells = self.design.working_columns()[0]
        return cells.spread(cells.X)

    @cached_property
    def constant(self) -> int:
        """The working column that is the same in all rows."""
        return int(np.argmin(np.ptp(self.X, axis=0)))

    @cached_property
    def subjects(self) -> SubjectSums:
        """The design's subjects, each projected on its random columns."""
        return subject_sums(self.design, self.random)

    @cached_property
    def layout(self) -> RelativeCovariance:
        """How the random columns share variances."""
        return RelativeCovariance.of(self.random)

    @cached_property
    def intercept_alone(self) -> RelativeCovariance:
        """The layout of a random intercept and nothing else."""
        term = RandomTerm("1", (self.design.subject,), (INTERCEPT,))
        alone = TermColumns(term, np.ones((self.design.nobs, 1)), np.eye(1))
        return RelativeCovariance.of(RandomColumns((alone,)))

    @cached_property
    def psi(self) -> np.ndarray:
        """The true variances and covariances (S,) of the working effects, relative to sigma_w^2."""
        covariances = []
        for root, each in zip(self.roots, self.random.terms, strict=True):
            own = np.linalg.solve(each.back, root) / self.sigma_within
            covariances.append(own @ own.T)
        return self.layout.entries(covariances)

    @cached_property
    def drawn(self) -> DrawnSums:
        """What complete data are drawn from."""
        return DrawnSums.of(self.subjects, self.subjects.pooled())

    @cached_property
    def directions(self) -> np.ndarray:
        """The derivatives (S, r, r, G) of M by psi, where nothing is missing."""
        return self.layout.directions(self.subjects.R)

    @cached_property
    def M(self) -> np.ndarray:
        """The true M (r, r, G) of complete data."""
        return relative_variance(self.directions, self.psi)

    @cached_property
    def gram(self) -> np.ndarray:
        """The cross-products (p, p) of the working columns over all rows."""
        return self.X.T @ self.X

    @cached_property
    def terms(self) -> dict[str, np.ndarray]:
        """The rows L (q, p) of each term's hypothesis by name; the first is the condition's own."""
        back = np.linalg.inv(self.T)
        found = type3_rows(self.design, back.T @ self.gram @ back)
        own = self.design.term_of(self.condition) if self.condition else None
        first = own if own in found else next(iter(found))
        return {CONDITION: found.pop(first), **found}

    @cached_property
    def estimands(self) -> dict[str, np.ndarray]:
        """The rows L (p,) of the grand mean, and of the condition's effects or slope, by name."""
        grand = mean_rows(self.design)[1]
        rows = {"grand_mean": grand[0]}
        if self.condition is None:
            return rows
        if not self.design.is_factor(self.condition):
            line = slope_rows(self.design, self.condition)
            return rows if line is None else rows | {"slope": line[1][0]}
        levels, means = mean_rows(self.design, self.condition)
        apart = difference(means, grand)
        return rows | {f"alpha[{name}]": row for name, row in zip(levels, apart, strict=True)}

    @cached_property
    def contrasts(self) -> dict[str, dict[str, np.ndarray]]:
        """By factor the rows (p,) of its levels' differences; of a number the row of its slope."""
        found = {}
        for name in self.design.variables.factors:
            found[name] = self._differences(name)
        if "slope" in self.estimands and self.condition is not None:
            found[self.condition] = {"slope": self.estimands["slope"]}
        return found

    @cached_property
    def families(self) -> list[tuple[int, dict[str, np.ndarray]]]:
        """What is adjusted together: of how many means, and the rows (p,) by name.

        The differences of each factor's levels and, in each level of a factor that the condition
        interacts with, those of the condition's, or its slope.
        """
        found = []
        for variable in self.design.variables.factors if self.adjust else ():
            of = "" if variable == self.condition else f"{variable}: "
            rows = self._differences(variable)
            named = {f"{of}{name}": row for name, row in rows.items()}
            found.append((len(self.design.levels(variable)), named))
            if variable != self.condition and self.condition is not None:
                found += self._within(self.condition, variable)
        return found

    def _differences(self, variable: str) -> dict[str, np.ndarray]:
        names, rows = pairwise_rows(*mean_rows(self.design, variable))
        return dict(zip(names, rows, strict=True))

    def _within(self, condition: str, factor: str) -> list[tuple[int, dict[str, np.ndarray]]]:
        """The families of the condition's differences, or its slope, in each level of a factor."""
        if not self.design.interact(factor, condition):
            return []
        if self.design.is_factor(condition):
            index, rows = pairwise_rows(*mean_rows(self.design, condition, by=factor))
            means, names = len(self.design.levels(condition)), list(index)
        else:
            lines = slope_rows(self.design, condition, by=factor)
            if lines is None:
                return []
            means, rows, names = 1, lines[1], [(level, "slope") for level in lines[0]]
        found: dict[object, dict[str, np.ndarray]] = {}
        for (level, name), row in zip(names, rows, strict=True):
            found.setdefault(level, {})[f"{factor} {level}: {name}"] = row
        return [(means, family) for family in found.values()]

    @cached_property
    def parameters(self) -> dict[str, EffectParameter]:
        """The variances and correlations of the random part, by the names of their estimates.

        between_variance is that of the intercepts of subjects, or of what stands first.
        """
        names: dict[str, EffectParameter] = {}
        for each in effect_parameters(self.layout):
            term = self.random.terms[each.term].term
            within = ":".join(term.within(self.design.subject))
            effects = [term.effects[k] for k in each.effects]
            words = [
                " of ".join(filter(None, (e if e != INTERCEPT else "", within))) for e in effects
            ]
            words = [word or "intercept" for word in words]
            kind = "variance" if each.is_deviation else "correlation"
            name = f"{kind}[{', '.join(words)}]" if names else "between_variance"
            names[name] = each
        return names

    @cached_property
    def truth(self) -> dict[str, float]:
        """The true values of all that is estimated, by name."""
        found = {name: float(row @ self.beta) for name, row in self.estimands.items()}
        found["grand_mean"] += self.mean
        covariances = [root @ root.T for root in self.roots]
        variances = {}
        for name, each in self.parameters.items():
            covariance = covariances[each.term]
            sd = np.sqrt(np.diag(covariance))[list(each.effects)]
            if each.is_deviation:
                variances[name] = float(sd[0] ** 2)
            else:
                product = float(np.prod(sd))
                variances[name] = float(covariance[each.effects]) / product if product else np.nan
        between = {"between_variance": variances.pop("between_variance")}
        return found | between | {"within_variance": self.sigma_within**2} | variances

    @property
    def tested(self) -> list[str]:
        """The terms that are tested; the first is that of the condition."""
        return list(self.terms)

    @property
    def differences(self) -> list[str]:
        """The pairwise differences that are tested."""
        return [name for _, family in self.families for name in family]

    @property
    def own_varies(self) -> bool:
        """Whether more is random than the subjects' intercepts."""
        return not self.random.part.is_intercept
