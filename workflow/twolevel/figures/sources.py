"""What the figures of a study are drawn from: the results of its stages, read once for all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import pandas as pd

from twolevel.figures.words import Labels

if TYPE_CHECKING:
    from twolevel.summaries.base import Level
    from twolevel.summaries.checks_summary import ChecksSummary
    from twolevel.summaries.design_summary import DesignSummary
    from twolevel.summaries.mixed_summary import MixedSummary
    from twolevel.summaries.truth_summary import TruthSummary
    from twolevel.summaries.two_stage_summary import HierarchicalSummary, Level1Summary


@dataclass(frozen=True)
class StudySources:
    """The results of a study's stages, each by the name of its file.

    columns maps the project's names of the columns of observations to the user's, unit is the
    response's, or None; truth is None where data are not simulated.
    """

    observations: pd.DataFrame
    columns: Mapping[str, str]
    unit: str | None
    truth: TruthSummary | None
    design: DesignSummary
    subjects: pd.DataFrame
    residuals: pd.DataFrame
    level1: Level1Summary
    hierarchical: HierarchicalSummary
    mixed: MixedSummary
    checks: ChecksSummary
    random_effects: pd.DataFrame
    conditional_residuals: pd.DataFrame
    profile: pd.DataFrame
    influence: pd.DataFrame
    quantiles: pd.DataFrame

    @property
    def labels(self) -> Labels:
        """The user's names for the columns."""
        return Labels.of(self.columns, self.unit)

    @property
    def sigmas(self) -> dict[str, float]:
        """Both standard deviations by REML, by name."""
        return {
            "sigma_between": self.mixed.sigma_between,
            "sigma_within": self.mixed.sigma_within,
        }

    @property
    def level(self) -> float:
        """The study's confidence level."""
        return self.mixed.level

    @property
    def conditions(self) -> list[Level]:
        """The condition's levels in order; where there is none, "all"."""
        return [mean.condition for mean in self.mixed.means]

    @cached_property
    def with_fixed_part(self) -> pd.DataFrame:
        """The observations, each with what the fixed effects predict for it."""
        return self.observations.assign(fixed=self.conditional_residuals["fixed"].to_numpy())
