"""What experiments are drawn from at a point of the grid: the config's values, or a study's."""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import hypot
from typing import Any

from twolevel.experiments.between_subjects import BetweenSubjects, Covariate, Group
from twolevel.experiments.scenario import Scenario
from twolevel.experiments.sizing.standardised_effect import EffectSize, sigma_within_of, with_effect
from twolevel.pipeline.slices import AXES, PARAMETERS, SAME, Point
from twolevel.summaries.design_summary import DesignSummary
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.summaries.rows import FTest
from twolevel.text.errors import InputError, quoted


def scenario_at(point: Point, parameters: Mapping[str, Any], study: Mapping[str, Any]) -> Scenario:
    """The scenario of a point; `study` has the values of what the config leaves out."""
    given = {key: parameters[key] for key in PARAMETERS if parameters[key] is not None}
    effect, icc = given.pop("effect", None), given.pop("icc", None)
    if "random" in given:  # its intercepts are an axis of the grid, of one value
        random = dict(given.pop("random"))
        given |= {"sigma_between": random.pop("intercept"), "random": random}
    for axis, value in zip(AXES, point, strict=True):
        if value != SAME:
            given[axis] = int(value) if axis in ("subjects", "replicates") else float(value)
    if icc and "sigma_within" not in given:
        given["sigma_within"] = sigma_within_of(given["sigma_between"])
    names = "groups", "covariates", "interactions", "dropout"
    drawn = {name: given.pop(name) for name in names if name in given}
    found = {"grand_mean": 0.0, **study, **given}
    if effect:
        sigma = hypot(found["sigma_between"], found["sigma_within"])
        found |= with_effect(found["conditions"], EffectSize(**effect), sigma)
    return Scenario(**found, between=between_subjects(**drawn))


def between_subjects(
    groups: Mapping[str, Any] = {},
    covariates: Mapping[str, Any] = {},
    interactions: Mapping[str, Any] = {},
    dropout: Any = 0.0,
) -> BetweenSubjects:
    """How subjects differ by plan, from plain values."""
    return BetweenSubjects(
        {name: Group(**keys) for name, keys in groups.items()},
        {name: Covariate(**keys) for name, keys in covariates.items()},
        dropout,
        interactions,
    )


def study_values(design: DesignSummary, mixed: MixedSummary, share: float = 1.0) -> dict[str, Any]:
    """A fitted study as a scenario's values: its design, and its estimates by REML.

    The conditions' effects are those of their marginal means, averaged over all other terms of the
    model, of which this share is taken. The sigmas are what these terms leave. Raises InputError
    for a design that says no more than its conditions.
    """
    levels = design.conditions
    if "condition" not in design.columns:
        raise InputError(
            f"like: the model {mixed.formula} has no variable that differs within subjects; "
            "name a study that has one, or give all keys instead of like:"
        )
    own = own_term(design, mixed)
    if own is None or own.df_num != len(levels) - 1:
        raise InputError(
            f"like: in the model {mixed.formula} the condition is a number, and experiments "
            "have a mean for each of its values; write C() around it there, or give all keys "
            "instead of like:"
        )
    means = {str(row.condition): row.estimate for row in mixed.means if row.estimate is not None}
    if absent := [row.condition for row in mixed.means if row.estimate is None]:
        raise InputError(
            f"like: the mean of {quoted(absent[0])} cannot be estimated in that study, over all "
            "other terms of its model; leave out interactions there, or give all keys instead of "
            "like:"
        )
    fewest, most = design.per_cell
    if most > 1 and fewest != most:
        raise InputError(
            f"like: cells hold between {fewest} and {most} observations, and experiments have the "
            "same number in each; give replicates: and missing:"
        )
    grand_mean = sum(means.values()) / len(means)
    return {
        "subjects": design.n_subjects,
        "conditions": {name: share * (mean - grand_mean) for name, mean in means.items()},
        "grand_mean": grand_mean,
        "sigma_between": mixed.sigma_between,
        "sigma_within": mixed.sigma_within,
        "replicates": most,
        "missing": design.empty_cells / (design.n_subjects * len(levels)),
    }


def own_term(design: DesignSummary, mixed: MixedSummary) -> FTest | None:
    """The row of the condition's own term in the table of tests, as a factor."""
    name = re.escape(design.columns["condition"])
    own = re.compile(rf"`?{name}`?|C\(\s*`?{name}`?\s*([,)].*)")
    return next((row for row in mixed.anova if own.fullmatch(row.term)), None)
