"""What experiments are drawn from at a point of the grid: the config's values, or a study's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twolevel.errors import InputError
from twolevel.pipeline.grid import AXES, PARAMETERS, SAME, Point
from twolevel.scenario import Scenario


def scenario_at(point: Point, parameters: Mapping[str, Any], study: Mapping[str, Any]) -> Scenario:
    """The scenario of a point; `study` has the values of what the config leaves out."""
    given = {key: parameters[key] for key in PARAMETERS if parameters[key] is not None}
    for axis, value in zip(AXES, point, strict=True):
        if value != SAME:
            given[axis] = int(value) if axis == "subjects" else float(value)
    return Scenario(**{**study, **given})


def study_values(design: Mapping[str, Any], mixed: Mapping[str, Any]) -> dict[str, Any]:
    """A fitted study as a scenario's values: its design, and its estimates by REML.

    Raises InputError for a design that experiments cannot be replicated for.
    """
    levels, terms = design["conditions"], mixed["anova"]
    if len(terms) != 1 or terms[0]["df_num"] != len(levels) - 1:
        raise InputError(
            f"like: the model {mixed['formula']} is not one of a single within-subject factor; "
            "write C() around a condition that is a number, or give all keys instead of like:"
        )
    fewest, most = design["per_cell"]
    if most > 1 and fewest != most:
        raise InputError(
            f"like: cells hold between {fewest} and {most} observations, and experiments have the "
            "same number in each; give replicates: and missing:"
        )
    means = {str(row["condition"]): row["estimate"] for row in mixed["means"]}
    grand_mean = sum(means.values()) / len(means)
    return {
        "subjects": design["n_subjects"],
        "conditions": {name: mean - grand_mean for name, mean in means.items()},
        "grand_mean": grand_mean,
        "sigma_between": mixed["sigma_between"],
        "sigma_within": mixed["sigma_within"],
        "replicates": most,
        "missing": design["empty_cells"] / (design["n_subjects"] * len(levels)),
    }
