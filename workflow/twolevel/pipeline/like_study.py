"""What experiments are drawn from where they are like a study: its own model, or what it lends.

Where the config says nothing of conditions and effects, experiments have the whole model of the
study: all its terms, its random part and its subjects' rows. A study of one factor with a random
intercept alone, and no more, is one that has faster ways to the same numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from twolevel.design.coding import Coding
from twolevel.experiments.like_scenario import AnyScenario, LikeScenario
from twolevel.experiments.sizing.cautious_effect import cautious_share
from twolevel.mixed import MixedFit, fit_mixed
from twolevel.pipeline.point_scenario import own_term, scenario_at, study_values
from twolevel.pipeline.slices import AXES, SAME, Point
from twolevel.pipeline.tables.stored import read_observations
from twolevel.summaries.base import read_summary
from twolevel.summaries.design_summary import DesignSummary
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.summaries.rows import FTest
from twolevel.text.errors import InputError, listed

# Keys that say effects, all that say what is drawn, and those that a study's own model knows.
_EFFECTS = ("conditions", "effect", "slope")
_DRAWN = (*_EFFECTS, "random", "strata")
_OWN = ("grand_mean", "sigma_within", "icc")


@dataclass(frozen=True)
class LikeStudy:
    """A fitted study: what was found of it, where its rows lie, and its model in the config."""

    design: DesignSummary
    mixed: MixedSummary
    observations: str
    formula: str
    coding: Coding

    @property
    def own_term(self) -> FTest | None:
        """The test of the condition, or of what stands first."""
        own = own_term(self.design, self.mixed) if "condition" in self.design.columns else None
        return own or next(iter(self.mixed.anova), None)

    @property
    def is_plain(self) -> bool:
        """Whether it has one factor, as often in each cell, and a random intercept alone."""
        fewest, most = self.design.per_cell
        own, intercept = self.own_term, self.mixed.between_variance is not None
        levels = own is not None and own.df_num == len(self.design.conditions) - 1
        return levels and len(self.mixed.anova) == 1 and intercept and (most == 1 or fewest == most)

    @property
    def shares(self) -> dict[str, float]:
        """The cautious share of each term's observed effects (see `cautious_effect`)."""
        return {
            row.term: cautious_share(row.F or 0.0, row.df_num, row.df_den or float("inf"))
            for row in self.mixed.anova
        }

    @cached_property
    def fit(self) -> tuple[MixedFit, str | None]:
        """Its fit by REML, and its condition."""
        table = read_observations(self.observations)
        fit = fit_mixed(self.formula, table.typed, table.subject, "REML", self.coding)
        return fit, table.condition


@dataclass(frozen=True)
class Points:
    """The scenarios of a grid's points, for the parameters of a replication study.

    others has what stands for keys that nothing says.
    """

    parameters: Mapping[str, Any]
    like: LikeStudy | None = None
    others: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, files: Any, params: Any, others: Mapping[str, Any] | None = None) -> Points:
        """Those of a job with these input files and parameters."""
        like = None
        if files.mixed:
            like = LikeStudy(
                read_summary(files.design, DesignSummary),
                read_summary(files.mixed, MixedSummary),
                files.observations,
                **params.like,
            )
        return cls(params.replication, like, others or {})

    def at(self, point: Point, cautious: bool = True) -> AnyScenario:
        """The scenario of a point, with cautious effects or with those that were observed.

        Raises InputError where the study, or the keys beside it, say what cannot be planned.
        """
        if self.like is None:
            return scenario_at(point, self.parameters, self.others)
        if self.whole:
            return self._whole(self.like, point, cautious)
        own, share = self.like.own_term, 1.0
        if cautious and own is not None:
            share = self.like.shares[own.term]
        values = study_values(self.like.design, self.like.mixed, share)
        return scenario_at(point, self.parameters, values)

    @property
    def whole(self) -> bool:
        """Whether experiments have the whole model of the study that they are like."""
        says = any(self.parameters[key] for key in _DRAWN)
        return self.like is not None and not says and not self.like.is_plain

    @property
    def lends_effects(self) -> bool:
        """Whether the effects are those of a study that it is like."""
        return self.like is not None and not any(self.parameters[key] for key in _EFFECTS)

    @property
    def averaged_over(self) -> list[str]:
        """The terms of the study's model that experiments like it do not have."""
        if self.like is None or self.whole:
            return []
        return [row.term for row in self.like.mixed.anova if row != self.like.own_term]

    @property
    def caution(self) -> dict[str, Any] | None:
        """The F test of the study's condition, and which shares of effects experiments have."""
        if self.like is None or not self.lends_effects or self.like.own_term is None:
            return None
        own, shares = self.like.own_term, self.like.shares
        others = {term: s for term, s in shares.items() if self.whole and term != own.term}
        found = own.model_dump(include={"F", "df_num", "df_den"})
        return found | {"share": shares[own.term], "others": others}

    def _whole(self, like: LikeStudy, point: Point, cautious: bool) -> LikeScenario:
        place = dict(zip(AXES, point, strict=True))
        given = [key for key in _OWN if self.parameters[key] is not None]
        given += [key for key in ("sigma_between", "replicates") if place[key] != SAME]
        if given:
            raise InputError(
                f"like: found {listed(given)} beside it, which the model of that study has itself; "
                "leave these keys out, or give the design in keys instead of like:"
            )
        fit, condition = like.fit
        subjects, missing = place["subjects"], place["missing"]
        return LikeScenario(
            fit,
            like.coding,
            condition,
            len(fit.design.subjects) if subjects == SAME else int(subjects),
            0.0 if missing == SAME else float(missing),
            self.parameters["adjust"],
            like.shares if cautious else None,
        )
