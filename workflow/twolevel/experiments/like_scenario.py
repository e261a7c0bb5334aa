"""A scenario that is like a fitted study: its rows, its estimates, its random part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from twolevel.design.coding import Coding
from twolevel.experiments.between_subjects import BetweenSubjects
from twolevel.experiments.planned.planned_study import PlannedStudy
from twolevel.experiments.planned.resampled_study import groups_of, resampled_study
from twolevel.experiments.scenario import Scenario
from twolevel.mixed import MixedFit


@dataclass(frozen=True, eq=False)
class LikeScenario:
    """What data are drawn from: a fit by REML, with so many subjects (see `resampled_study`).

    shares are taken of the observed effects, by term. The names are those of `Scenario`.
    """

    fit: MixedFit
    coding: Coding
    condition: str | None
    subjects: int
    missing: float = 0.0
    adjust: str | None = None
    shares: Mapping[str, float] | None = None

    plain = one_factor = False
    replicates = 1  # each row of a subject is one of its own

    @cached_property
    def study(self) -> PlannedStudy:
        """Its rows and its model."""
        return resampled_study(
            self.fit,
            self.subjects,
            self.coding,
            self.condition,
            self.missing,
            self.adjust,
            self.shares,
        )

    @property
    def unit_of_subjects(self) -> int:
        """One: groups share any number, about in proportion to their sizes."""
        return 1

    @property
    def fewest_subjects(self) -> int:
        """The fewest subjects that make a study: 2 in each group."""
        return 2 * len(np.unique(groups_of(self.fit)))

    @property
    def complete(self) -> LikeScenario:
        """The same with the subjects of the study, and no row absent but those that were."""
        return replace(self, subjects=len(self.fit.design.subjects), missing=0.0)

    @property
    def is_complete(self) -> bool:
        """Whether no row can be absent."""
        return not self.missing

    @property
    def per_subject(self) -> float:
        """The observations of a subject, on average."""
        return self.fit.nobs / len(self.fit.design.subjects)

    @property
    def sigma_between(self) -> float:
        """The standard deviation of the subjects' intercepts, or 0 where they have none."""
        return float(np.nan_to_num(self.fit.sigma_between))

    @property
    def sigma_within(self) -> float:
        """That of the errors."""
        return self.fit.sigma_within

    @property
    def described(self) -> dict[str, Any]:
        """As `Scenario` describes itself, as far as it can be said so."""
        found = {
            "subjects": self.subjects,
            "conditions": dict(zip(self.levels, self.effects.tolist(), strict=True)),
            "grand_mean": self.mean,
            "sigma_between": self.sigma_between,
            "sigma_within": self.sigma_within,
            "replicates": self.replicates,
            "missing": self.missing,
            "between": asdict(BetweenSubjects()),
        }
        return found if self.adjust is None else found | {"adjust": self.adjust}

    @property
    def formula(self) -> str:
        """The fixed part of the model that is fitted."""
        return self.fit.design.formula

    @property
    def random_part(self) -> str:
        """The random part that is fitted, in a formula's words."""
        return self.fit.random

    @property
    def truth(self) -> dict[str, float]:
        """The true values of what experiments estimate, by the names of their columns."""
        return self.study.truth

    @property
    def estimands(self) -> list[str]:
        """The names of the conditions' effects, or of the slope, among `truth`."""
        return [name for name in self.study.estimands if name != "grand_mean"]

    @property
    def tested(self) -> list[str]:
        """The terms that are tested; the first is that of the condition."""
        return self.study.tested

    @property
    def differences(self) -> list[str]:
        """The pairwise differences that are tested."""
        return self.study.differences

    @property
    def mean(self) -> float:
        """The grand mean."""
        return self.truth["grand_mean"]

    @property
    def levels(self) -> list[str]:
        """The names of the conditions, or of the slope."""
        return [name.removeprefix("alpha[").removesuffix("]") for name in self.estimands]

    @property
    def effects(self) -> np.ndarray:
        """Their effects, or the slope."""
        return np.array([self.truth[name] for name in self.estimands])


# What experiments can be drawn from.
AnyScenario = Scenario | LikeScenario
