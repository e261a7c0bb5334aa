"""What asks for an error of its own, what is never compared within subjects, and few values."""

import numpy as np
import pandas as pd
import pytest

from twolevel.design.design_matrix import design_matrix
from twolevel.levels.checks.discrete_response import few_values
from twolevel.levels.checks.pooled_errors import repeated_within, unconnected


def crossed(n, **factors):
    """Every subject at every combination of levels, once."""
    cells = pd.DataFrame(np.ndindex(n, *map(len, factors.values())), columns=["id", *factors])
    for name, levels in factors.items():
        cells[name] = cells[name].map(dict(enumerate(levels)))
    return cells.assign(y=np.random.default_rng(1).normal(size=len(cells)))


def repeated(formula, data):
    return repeated_within(design_matrix(formula, data, "id"))


def test_crossed_factors_are_met_repeatedly_and_single_ones_are_not():
    data = crossed(6, a="uvw", b="xy")
    assert repeated("y ~ a * b", data) == ["a", "b"]
    assert repeated("y ~ a * b", data.drop(index=[0, 9])) == ["a", "b"]
    assert repeated("y ~ a", crossed(6, a="uvw")) == []
    assert repeated("y ~ a", crossed(6, a="uvw", trial="12")) == ["a"]
    assert repeated("y ~ a * day", crossed(6, a="uv", day=(1.0, 2.0, 4.0))) == ["a", "day"]


def test_a_row_too_many_makes_no_stratum():
    data = crossed(6, a="uvw")
    assert repeated("y ~ a", pd.concat([data, data[:1].assign(y=3.0)])) == []


def test_a_latin_square_has_no_further_strata():
    data = crossed(6, period="123").assign(
        treat=lambda cells: [
            "ABC"[(i + int(p)) % 3] for i, p in zip(cells["id"], cells["period"], strict=True)
        ]
    )
    assert repeated("y ~ period + treat", data) == []


def test_factors_between_subjects_and_covariates_have_no_stratum():
    data = crossed(8, a="uvw").assign(group=lambda cells: np.where(cells["id"] % 2, "p", "q"))
    data["mood"] = np.random.default_rng(2).integers(1, 8, len(data)).astype(float)
    assert repeated("y ~ a * group + mood", data) == []


def test_sets_without_a_subject_in_common():
    data = crossed(8, time=("t0", "t1", "t2", "t3"))
    first = data["time"].isin(["t0", "t2"])
    apart = data[first == (data["id"] % 2 == 0)]
    assert unconnected(design_matrix("y ~ time", apart, "id"), "time") == [
        ["t0", "t2"],
        ["t1", "t3"],
    ]
    bridge = pd.concat([apart, data[(data["id"] == 0) & (data["time"] == "t1")]])
    assert unconnected(design_matrix("y ~ time", bridge, "id"), "time") == []
    between = data.assign(group=lambda cells: np.where(cells["id"] % 2, "p", "q"))
    assert unconnected(design_matrix("y ~ time * group", between, "id"), "group") == []
    assert unconnected(design_matrix("y ~ time", data, "id"), None) == []


@pytest.mark.parametrize(
    ("response", "values"),
    [
        ([0.0, 1.0] * 10, [0.0, 1.0]),
        ([1.0, 2.0, 3.0, 4.0, 5.0] * 6, [1.0, 2.0, 3.0, 4.0, 5.0]),
        ([1.0, 2.0, 3.0, 4.0, 5.0] * 2, None),  # a short table of measurements
        (list(range(8)) * 20, None),
    ],
)
def test_few_values(response, values):
    assert few_values(np.array(response)) == values
