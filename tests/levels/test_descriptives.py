"""n, mean and SD of cells and margins, against pandas and by hand."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from twolevel.design.design_matrix import design_matrix
from twolevel.levels.descriptives import MOST_CELLS, descriptives


def described(formula, data, condition="time"):
    return descriptives(design_matrix(formula, data, "id"), condition)


def crossed(n, replicates=1, seed=0):
    """n subjects in two groups at three times."""
    rows = [(f"s{i}", "ab"[i % 2], t) for i in range(n) for t in ("x", "y", "z") * replicates]
    data = pd.DataFrame(rows, columns=["id", "group", "time"])
    return data.assign(y=np.random.default_rng(seed).normal(size=len(data)), age=data.index // 3)


@given(st.integers(3, 9), st.integers(1, 3), st.floats(-1e9, 1e9))
def test_cells_are_those_of_subjects_means(n, replicates, offset):
    data = crossed(n, replicates)
    data["y"] += offset
    found = described("y ~ time * group", data)
    assert found.by == ["group", "time"]
    tolerance = {"rel": 1e-9, "abs": 1e-9 * abs(offset)}
    of = {tuple(cell["levels"]): cell for cell in found.cells}
    keys = [["group", "time"], ["group"], ["time"], []]
    assert len(of) == sum(len(data.groupby(k)) if k else 1 for k in keys)
    for key in keys:
        means = data.groupby(["id", *key])["y"].mean().reset_index()
        for levels, part in means.groupby(key) if key else [((), means)]:
            named = dict(zip(key, levels, strict=True))
            cell = of[named.get("group"), named.get("time")]
            assert cell["n_subjects"] == len(part)
            assert cell["mean"] == pytest.approx(part["y"].mean(), **tolerance)
            if len(part) == 1:
                assert np.isnan(cell["sd"])
            else:
                assert cell["sd"] == pytest.approx(part["y"].std(), **tolerance)
    assert of[None, None]["n_rows"] == len(data)


def test_variables_are_told_apart():
    data = crossed(6)
    found = described("y ~ time + group + age", data)
    time, group, age = found.variables
    assert (time.levels, time.within) == (["x", "y", "z"], True)
    assert (group.levels, group.within) == (["a", "b"], False)
    assert (age.levels, age.within) == (None, False)
    ages = data.groupby("id")["age"].first()
    values = (age.mean, age.sd, age.low, age.high)
    assert values == pytest.approx((ages.mean(), ages.std(), ages.min(), ages.max()))


def test_a_number_makes_cells_where_it_is_the_condition():
    data = crossed(4).assign(day=lambda d: d["time"].map({"x": 0.0, "y": 1.0, "z": 3.0}))
    assert described("y ~ day", data, "day").by == ["day"]
    assert [cell["levels"] for cell in described("y ~ day", data, "day").cells] == [
        [0.0],
        [1.0],
        [3.0],
        [None],
    ]
    (whole,) = described("y ~ age", data, None).cells
    assert whole["n_subjects"] == 4


def test_missing_cells_are_left_out_and_too_many_are_the_conditions():
    data = crossed(4)
    data = data[~((data["group"] == "a") & (data["time"] == "z"))]
    levels = [cell["levels"] for cell in described("y ~ time + group", data).cells]
    assert ["a", "z"] not in levels
    assert ["b", "z"] in levels
    many = pd.DataFrame({"id": np.repeat(np.arange(400), 3), "time": list("xyz") * 400})
    many["kind"] = [f"k{k}" for k in np.arange(1200) % 401]
    many["y"] = np.random.default_rng(1).normal(size=1200)
    assert len(many.drop_duplicates(["time", "kind"])) > MOST_CELLS
    assert described("y ~ time + kind", many).by == ["time"]


def test_the_table_names_the_factors_whatever_they_are_called():
    data = crossed(4).rename(columns={"group": "mean"})
    table = described("y ~ time * mean", data).table()
    assert list(table) == ["factor mean", "time", "n_subjects", "n_rows", "mean", "sd"]
    assert table.iloc[-1, :2].tolist() == ["", ""]
