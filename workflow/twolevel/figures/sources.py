"""What the figures of a study are drawn from: the results of its stages, read once for all."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from twolevel.figures.groups import own_line, second_within
from twolevel.figures.words import Labels
from twolevel.findings.varying.random_words import is_intercept, variances

if TYPE_CHECKING:
    from twolevel.summaries.base import Level
    from twolevel.summaries.checks_summary import ChecksSummary
    from twolevel.summaries.design_summary import DesignSummary
    from twolevel.summaries.mixed_summary import MixedSummary
    from twolevel.summaries.truth_summary import TruthSummary
    from twolevel.summaries.two_stage_summary import HierarchicalSummary, Level1Summary


# What figures call the standard deviations of a random intercept alone.
DEVIATIONS = {"sigma_between": "SD between", "sigma_within": "SD within"}


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
    def deviations(self) -> dict[str, float]:
        """All standard deviations by REML, by parameter, those between subjects first."""
        rows = [row for row in self.mixed.varcorr if row.var2 is None]
        return {row.parameter: row.sdcor or 0.0 for row in rows}

    @property
    def deviation_titles(self) -> dict[str, str]:
        """What figures call these: SD between, SD of slopes of day."""
        if is_intercept(self.mixed):
            return DEVIATIONS
        between = [each for each in variances(self.mixed)[:-1] if not each.is_correlation]
        titles = {each.row.parameter: f"SD of {each.called(str)}" for each in between}
        return {**titles, "sigma_within": DEVIATIONS["sigma_within"]}

    @property
    def own_effects(self) -> dict[str, str]:
        """The columns of what is predicted of subjects themselves, and what figures call them."""
        own = [each for each in variances(self.mixed)[:-1] if not each.own[0].within]
        return {str(e.row.var1): e.called(str) for e in own if not e.is_correlation}

    @property
    def slopes(self) -> dict[str, str]:
        """The number that each slope of subjects' own is of, by its column and its SD's name."""
        found: dict[str, str] = {}
        for each in variances(self.mixed)[:-1]:
            number = each.own[0].of
            if each.own[0].is_slope and number and not each.is_correlation:
                found |= dict.fromkeys((str(each.row.var1), each.row.parameter), number)
        return found

    @property
    def own_covariance(self) -> np.ndarray:
        """The covariance (q, q) of these effects by REML."""
        names = list(self.own_effects)
        matrix = np.zeros((len(names), len(names)))
        for each in variances(self.mixed)[:-1]:
            if not each.own[0].within:
                i = names.index(str(each.row.var1))
                j = names.index(each.row.var2) if each.row.var2 else i
                matrix[i, j] = matrix[j, i] = each.row.vcov
        return matrix

    @property
    def level(self) -> float:
        """The study's confidence level."""
        return self.mixed.level

    @property
    def conditions(self) -> list[Level]:
        """The condition's levels in order; where there is none, "all"."""
        return [mean.condition for mean in self.mixed.means]

    @property
    def cells(self) -> list[object]:
        """Where subjects were seen: the condition's levels, each with those of a second factor."""
        if second := second_within(self.design):
            return [(condition, level) for condition in self.conditions for level in second[1]]
        return list(self.conditions)

    @property
    def cell_labels(self) -> Labels:
        """The names of the columns, of which cells' factors make one."""
        if second := second_within(self.design):
            within = f"{second[0]} within {self.labels.condition}"
            return replace(self.labels, condition=within)
        return self.labels

    @cached_property
    def by_cell(self) -> pd.DataFrame:
        """The observations, whose condition is the cell that each stands in."""
        if second := second_within(self.design):
            ours = {theirs: ours for ours, theirs in self.columns.items()}
            pairs = zip(
                self.observations["condition"], self.observations[ours[second[0]]], strict=True
            )
            cell = pd.Series(list(pairs), self.observations.index, dtype=object)
            return self.observations.assign(condition=cell)
        return self.observations

    @property
    def own_line(self) -> str | None:
        """The number along which single subjects are drawn, if there is one."""
        return own_line(self.design, self.mixed)

    @cached_property
    def along(self) -> pd.DataFrame | None:
        """The observations with that number for their condition."""
        for ours, theirs in self.columns.items():
            if theirs == self.own_line:
                return self.observations.assign(condition=self.observations[ours])
        return None

    def places_of(self, subject: str) -> list[Any]:
        """Where a subject's rows are drawn, in the order of the table: in cells, or at numbers."""
        rows = self.by_cell if self.along is None else self.along
        return rows.loc[rows["subject"].astype(str) == subject, "condition"].tolist()

    def axis_of(self, seen: Iterable[Iterable[Any]]) -> tuple[list[Any], Labels]:
        """The places on the axis of subjects drawn there, in order, and the axis' labels."""
        if self.own_line is None:
            return self.cells, self.cell_labels
        places = sorted({place for each in seen for place in each})
        return places, replace(self.labels, condition=self.own_line)

    @cached_property
    def with_fixed_part(self) -> pd.DataFrame:
        """The observations, each with what the fixed effects predict for it."""
        return self.observations.assign(fixed=self.conditional_residuals["fixed"].to_numpy())

    @property
    def with_random_part(self) -> pd.DataFrame:
        """The same with what is random in each: as predicted, and its SD over all subjects."""
        found = self.conditional_residuals
        return self.with_fixed_part.assign(
            random=(found["fitted"] - found["fixed"]).to_numpy(),
            random_sd=found["random_sd"].to_numpy(),
        )
