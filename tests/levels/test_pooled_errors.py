"""What a model pools, what is never compared within subjects, and few values."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twolevel as tl
from twolevel.design.design_matrix import design_matrix
from twolevel.levels.checks.discrete_response import few_values
from twolevel.levels.checks.pooled_errors import pooled_errors, unconnected


def crossed(n, **factors):
    """Every subject at every combination of levels, once."""
    cells = pd.DataFrame(np.ndindex(n, *map(len, factors.values())), columns=["id", *factors])
    for name, levels in factors.items():
        cells[name] = cells[name].map(dict(enumerate(levels)))
    return cells.assign(y=np.random.default_rng(1).normal(size=len(cells)))


CASES = Path(__file__).parents[1] / "data/cases"


def pooled(formula, data):
    return pooled_errors(tl.fit_mixed(formula, data))


def test_two_factors_within_subjects_have_errors_that_an_intercept_pools():
    """R (lmerTest): lmer with contr.sum and the part found here, Kenward and Roger's test."""
    data = pd.read_csv(CASES / "two_within.csv")
    formula = "rt ~ C(flanker) * C(block)"
    found = pooled(f"{formula} + (1 | subj)", data)
    assert found.random == "(1 | subj) + (1 | subj:flanker) + (1 | subj:block)"
    assert found.left_out == [
        {"within": ["flanker"], "effects": ["(Intercept)"]},
        {"within": ["block"], "effects": ["(Intercept)"]},
    ]
    test = found.tests.loc["C(flanker)"]
    assert test["F"] == pytest.approx(50.2374, abs=5e-5)
    assert (test["df_num"], test["df_den"]) == (2, pytest.approx(14, rel=1e-6))
    assert pooled(f"{formula} + {found.random}", data) is None
    (only,) = pooled(f"{formula} + (1 | subj) + (1 | subj:block)", data).left_out
    assert only["within"] == ["flanker"]


def test_slopes_are_left_out_by_an_intercept_only():
    data = pd.read_csv(Path(__file__).parents[1] / "data/sleepstudy.csv")
    found = pooled("y ~ condition + (1 | subject)", data)
    assert found.left_out == [{"within": [], "effects": ["condition"]}]
    # R: t.test of the slopes that lm gives each subject, squared.
    assert found.tests.loc["condition"].tolist()[:3] == pytest.approx([45.853, 1, 17], abs=5e-4)
    for part in ("(1 + condition | subject)", "(condition || subject)"):
        assert pooled(f"y ~ condition + {part}", data) is None


def test_effects_of_replicated_cells_have_the_test_on_their_means():
    """The test of a balanced table is that of the means of its cells, one row for each."""
    data = crossed(8, a="uvw", trial="1234").drop(columns="trial")
    own = data.groupby(["id", "a"]).ngroup()
    data["y"] += np.random.default_rng(2).normal(size=24)[own]
    means = data.groupby(["id", "a"], as_index=False)["y"].mean()
    found = pooled("y ~ a + (1 | id)", data)
    assert found.random == "(1 | id) + (1 | id:a)"
    pd.testing.assert_frame_equal(found.tests, tl.fit_mixed("y ~ a", means, "id").anova())


def test_effects_that_other_terms_let_vary_are_not_left_out():
    """An unstructured covariance of a factor's effects has compound symmetry in it."""
    data = crossed(8, a="uvw", b="pq", trial="1234").drop(columns="trial")
    for part in ("(0 + a | id)", "(a | id)"):
        assert pooled(f"y ~ a + {part}", data) is None
    assert pooled("y ~ a * b + (0 + a:b | id)", data) is None
    found = pooled("y ~ a * b + (0 + a | id)", data)
    assert found.random == "(0 + a | id) + (1 | id:b) + (1 | id:a:b)"
    assert [term["within"] for term in found.left_out] == [["b"], ["a", "b"]]


def test_what_else_the_model_has_stays_beside_what_it_leaves_out():
    data = crossed(8, a="uvw", session="1234")
    found = pooled("y ~ a + (1 | id/session)", data)
    assert found.random == "(1 | id) + (1 | id:session) + (1 | id:a)"
    assert found.left_out == [{"within": ["a"], "effects": ["(Intercept)"]}]


def test_one_row_a_cell_leaves_nothing_out():
    assert pooled("y ~ a + (1 | id)", crossed(6, a="uvw")) is None


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
