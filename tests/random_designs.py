"""Random repeated-measures tables for property tests."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st


def table(
    seed: int, subjects: int, conditions: int, missing: float, ratio: float, replicates: int = 1
) -> pd.DataFrame:
    """A table of n x J x r rows less a share of missing ones, with sigma_b = ratio * sigma_w."""
    generator = np.random.default_rng(seed)
    subject, condition, _ = np.indices((subjects, conditions, replicates)).reshape(3, -1)
    effects = generator.normal(size=conditions)
    y = (
        10
        + ratio * generator.normal(size=subjects)[subject]
        + effects[condition]
        + generator.normal(size=subject.size)
    )
    data = pd.DataFrame(
        {
            "id": pd.Series(subject).map("s{}".format),
            "time": pd.Categorical.from_codes(condition, [f"t{j}" for j in range(conditions)]),
            "group": np.where(subject % 3 == 0, "a", "b"),
            "age": generator.normal(40, 10, size=subjects)[subject],
            "y": y,
        }
    )
    return data[generator.random(len(data)) >= missing].reset_index(drop=True)


def estimable(data: pd.DataFrame) -> bool:
    """Whether every condition is seen in both groups, and some subject is seen repeatedly."""
    return (
        data["time"].nunique() == len(data["time"].cat.categories)
        and data["id"].nunique() >= 4
        and len(data) - data["id"].nunique() - data["time"].nunique() >= 2
        and data["group"].nunique() == 2
        and (pd.crosstab(data["time"], data["group"]) > 0).to_numpy().all()
    )


def _balanced(most_replicates: int) -> st.SearchStrategy:
    return st.builds(
        table,
        seed=st.integers(0, 2**32 - 1),
        subjects=st.integers(4, 12),
        conditions=st.integers(2, 5),
        missing=st.just(0.0),
        ratio=st.sampled_from([0.0, 0.3, 1.0, 5.0]),
        replicates=st.integers(1, most_replicates),
    )


balanced = _balanced(2)
single = _balanced(1)  # one row a cell
unbalanced = st.builds(
    table,
    seed=st.integers(0, 2**32 - 1),
    subjects=st.integers(5, 12),
    conditions=st.integers(2, 4),
    missing=st.sampled_from([0.1, 0.3]),
    ratio=st.sampled_from([0.0, 0.3, 1.0, 5.0]),
    replicates=st.integers(1, 2),
).filter(estimable)
# Of the random intercept's model, whatever else the tables would support.
formulas = st.sampled_from(
    ["y ~ time", "y ~ 0 + time", "y ~ 1", "y ~ time + age", "y ~ time * group"]
).map("{} + (1 | id)".format)


def table_with_times(seed, subjects, kept, ratio):
    """Subjects with three levels of a at own times x, the cells of a share of them missing."""
    generator = np.random.default_rng(seed)
    who, a, _ = np.indices((subjects, 3, 2)).reshape(3, -1)
    own = ratio * generator.normal(size=(2, subjects))
    x = generator.integers(0, 6, len(who)) + 0.0
    cell = 0.7 * ratio * generator.normal(size=(subjects, 3))
    y = 5 + own[0][who] + (1 + 0.3 * own[1][who]) * x + cell[who, a]
    data = pd.DataFrame({"id": who, "a": np.array(list("uvw"))[a], "x": x, "y": y})
    data["y"] += generator.normal(size=len(data))
    return data[generator.random(len(data)) < kept].reset_index(drop=True)


with_times = st.builds(
    table_with_times,
    seed=st.integers(0, 2**32 - 1),
    subjects=st.integers(6, 12),
    kept=st.sampled_from([1.0, 0.85]),
    ratio=st.sampled_from([0.0, 0.3, 1.0, 5.0]),
)
bars = st.sampled_from(
    ["(1 + x | id)", "(x || id)", "(1 | id) + (1 | id:a)", "(0 + a | id)", "(x | id) + (1 | id:a)"]
)
