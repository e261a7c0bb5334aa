"""What one subject's data support: designs whose answer is known, and what no table may change."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from random_designs import balanced, unbalanced

from twolevel.design.design_matrix import design_matrix
from twolevel.mixed import fit_design
from twolevel.random.mixed_design import supported_columns
from twolevel.random.supported import supported
from twolevel.random.unidentified import refuse_unidentified
from twolevel.text.errors import InputError

GENERATOR = np.random.default_rng(1)


def crossed(n=6, **factors):
    """Every subject at every combination of levels, once."""
    cells = pd.DataFrame(np.ndindex(n, *map(len, factors.values())), columns=["id", *factors])
    for name, levels in factors.items():
        cells[name] = cells[name].map(dict(enumerate(levels)))
    numbers = GENERATOR.normal(size=(len(cells), 3))
    of_subject = {"group": np.where(cells["id"] % 2, "p", "q"), "age": 20.0 + cells["id"] % 5}
    return cells.assign(**of_subject, **dict(zip("yzw", numbers.T, strict=True)))


def random_of(formula, data):
    return supported(design_matrix(formula, data, "id")).summary()["random"]


def reasons(formula, data):
    """Of each candidate: its number and factors, how many subjects support it, why it is out."""
    found = supported(design_matrix(formula, data, "id"))
    return {
        " | ".join(filter(None, [each.number, ":".join(each.factors)])): (
            each.subjects,
            each.reason,
        )
        for each in found.candidates
    }


LECTURE = crossed(a="uvw")
TWO = crossed(a="uvw", b="xy")
TRIALS = crossed(a="uvw", b="xy", trial="12")
DAYS = crossed(day=(0.0, 1.0, 2.0, 5.0))
LIMBS = crossed(day=(0.0, 1.0, 2.0, 5.0), a="uv")


@pytest.mark.parametrize(
    ("formula", "data", "expected"),
    [
        ("y ~ a", LECTURE, "(1 | id)"),
        ("y ~ 1", LECTURE, "(1 | id)"),
        ("y ~ a * group + age", LECTURE, "(1 | id)"),
        ("y ~ a", TRIALS, "(1 | id) + (1 | id:a)"),
        ("y ~ a * b", TWO, "(1 | id) + (1 | id:a) + (1 | id:b)"),
        ("y ~ a + b", TWO, "(1 | id) + (1 | id:a) + (1 | id:b)"),
        ("y ~ group * a * b", TWO, "(1 | id) + (1 | id:a) + (1 | id:b)"),
        ("y ~ group + group:a", TWO, "(1 | id) + (1 | id:a)"),
        ("y ~ a * b", TRIALS, "(1 | id) + (1 | id:a) + (1 | id:b) + (1 | id:a:b)"),
        (
            "y ~ a * b * trial",
            TRIALS,
            "(1 | id) + (1 | id:a) + (1 | id:b) + (1 | id:trial) + (1 | id:a:b) + (1 | id:a:trial)"
            " + (1 | id:b:trial)",
        ),
        ("y ~ C(day)", LIMBS, "(1 | id) + (1 | id:day)"),
        ("y ~ day", DAYS, "(1 + day | id)"),
        ("y ~ day * group + age", DAYS, "(1 + day | id)"),
        ("y ~ day + a", LIMBS, "(1 + day | id) + (1 | id:a)"),
        ("y ~ day * a", LIMBS, "(1 + day | id) + (1 + day | id:a)"),
        ("y ~ center(day)", DAYS, "(1 + center(day) | id)"),
        ("y ~ log(day + 1)", DAYS, "(1 + log(day + 1) | id)"),
        ("y ~ day + I(day ** 2)", DAYS, "(1 + day | id)"),
        ("y ~ poly(day, 2)", DAYS, "(1 + day | id)"),
        ("y ~ day + z", DAYS, "(1 + day + z | id)"),
        ("y ~ day + z + w", DAYS, "(1 + day + z | id)"),
        ("y ~ a + z", LECTURE, "(1 + z | id)"),
        ("y ~ `the day`", DAYS.rename(columns={"day": "the day"}), "(1 + `the day` | id)"),
        ("y ~ dose", crossed(dose=(0, 1)), "(1 | id)"),
        ("y ~ dose", crossed(dose=(0, 1), trial="123"), "(1 | id) + (1 | id:dose)"),
    ],
)
def test_designs_whose_answer_is_known(formula, data, expected):
    assert random_of(formula, data) == expected
    design = design_matrix(formula, data, "id")
    assert str(supported_columns(design).part) == expected


def test_reasons():
    assert reasons("y ~ a * b", TWO) == {
        "a": (6, None),
        "b": (6, None),
        "a:b": (0, "single rows"),
    }
    assert reasons("y ~ a", LECTURE.assign(a=np.where(LECTURE["id"] == 0, LECTURE["a"], "u"))) == {
        "a": (0, "one cell")
    }
    # A word is met in one block only, so that a block has no effect apart from its words'.
    blocks = crossed(word="uvwx", trial="12").assign(
        block=lambda t: np.where(t["word"].isin(["u", "v"]), 1, 2)
    )
    pairs = blocks.assign(block=blocks["word"].map(dict(zip("uvwx", "1234", strict=True))))
    pairs.loc[pairs["id"] == 0, "block"] = "1"
    assert reasons("y ~ word + block", pairs)["block"] == (0, "same cells")
    # Half of a factorial design: three variances share two contrasts with the residual's.
    half = crossed(a="uv", b="xy").assign(
        c=lambda t: np.where((t["a"] == "u") == (t["b"] == "x"), 1, 2)
    )
    flipped = half.assign(c=np.where(half["id"] % 2, 3 - half["c"], half["c"]))
    assert reasons("y ~ a + b + C(c)", flipped)["c"] == (6, "combination")
    assert reasons("y ~ day", DAYS[DAYS["day"] < 2]) == {"day": (0, "single rows")}
    few = DAYS[(DAYS["day"] < 2) | (DAYS["id"] < 2)]
    assert reasons("y ~ day", few) == {"day": (2, "few values")}
    # Age and day rise together in each subject, though not from one to the other.
    older = DAYS.assign(age=DAYS["age"] + DAYS["day"])
    assert reasons("y ~ day + age", older) == {"day": (6, None), "age": (0, "collinear")}
    longer = pd.concat([DAYS, DAYS.assign(id=9, day=DAYS["day"] + DAYS["id"])])
    assert reasons("y ~ day + z + w", longer)["w"] == (1, "few values")
    short = DAYS[(DAYS["day"] < 5) & ((DAYS["id"] < 3) | (DAYS["day"] == 0))]
    assert reasons("y ~ day", short) == {"day": (3, "few rows")}


def test_half_of_the_subjects_decide():
    once, again = crossed(8, a="uvw"), crossed(8, a="uvw")
    for subjects, expected in ((3, "(1 | id)"), (4, "(1 | id) + (1 | id:a)")):
        more = again[(again["id"] < subjects) & (again["a"] == "u")]
        assert random_of("y ~ a", pd.concat([once, more])) == expected
    # Missing rows take nothing away.
    assert random_of("y ~ a * b", TWO.drop(index=[0, 9, 20])) == random_of("y ~ a * b", TWO)


FORMULAS = ["y ~ a * b", "y ~ a + z", "y ~ day * a", "y ~ b * z * group", "y ~ poly(day, 2) + w"]


@examples(60)
@given(
    formula=st.sampled_from(FORMULAS),
    seed=st.integers(0, 2**32 - 1),
    missing=st.sampled_from([0.0, 0.2, 0.5, 0.7]),
)
def test_what_is_supported_can_be_told_apart(formula, seed, missing):
    generator = np.random.default_rng(seed)
    data = crossed(5, a="uv", b="xyz", day=(0.0, 1.0, 3.0))
    data = data.assign(y=generator.normal(size=len(data)))
    data = data[generator.random(len(data)) >= missing]
    try:
        design = design_matrix(formula, data, "id")
    except InputError:
        assume(False)
    columns = supported_columns(design)
    refuse_unidentified(columns, design, "here")

    # Neither the order of rows nor labels, origins and units matter.
    other = data.assign(
        id=data["id"].map("s{}".format),
        a=data["a"].map({"u": "z", "v": "y"}),
        day=1.6e9 + 86400 * data["day"],
    ).sample(frac=1, random_state=seed)
    again = supported(design_matrix(formula, other, "id"))
    assert again.candidates == supported(design).candidates


def test_slopes_of_cells_are_the_strata_of_numbers():
    """aov(y ~ day * a + Error(id / (day * a))) of balanced data: tests on the cells' own slopes."""
    data = crossed(12, a="uvw", day=(-2.0, -1.0, 0.0, 1.0, 2.0))
    generator = np.random.default_rng(1)  # no variance is estimated as 0
    own = generator.normal(size=(2, 12, 1)) + generator.normal(size=(2, 12, 3))
    cell = data["id"], data["a"].map("uvw".index)
    error = 0.5 * generator.normal(size=len(data))
    data["y"] = own[0][cell] + own[1][cell] * data["day"] + error
    design = design_matrix("y ~ day * a", data, "id")
    columns = supported_columns(design)
    assert str(columns.part) == "(1 + day | id) + (1 + day | id:a)"
    found = fit_design(design, columns, "REML").anova()

    rows = data["y"].to_numpy().reshape(12, 3, 5)
    slopes, means = rows @ [-0.2, -0.1, 0.0, 0.1, 0.2], rows.mean(axis=2)
    of_subjects = slopes.mean(axis=1)
    t = of_subjects.mean() / (of_subjects.std(ddof=1) / np.sqrt(12))
    expected = {"day": (t**2, 1, 11), "a": within_test(means), "day:a": within_test(slopes)}
    for term, values in expected.items():
        assert found.loc[term, ["F", "df_num", "df_den"]].tolist() == pytest.approx(
            values, rel=1e-5
        )


def within_test(values):
    """F and its degrees of freedom of a factor within subjects, from one value a cell (n, J)."""
    n, J = values.shape
    effects = values.mean(axis=0) - values.mean()
    left = values - values.mean(axis=1, keepdims=True) - effects
    df = J - 1, (n - 1) * (J - 1)
    return n * np.sum(effects**2) / df[0] / (np.sum(left**2) / df[1]), *df


@examples(20)
@given(data=balanced | unbalanced)
def test_what_is_seen_at_once_is_what_is_found(data):
    """Of one factor with one row or more under a level: columns of the bars that are found."""
    design = design_matrix("y ~ time", data, "id")
    found = " + ".join(map(str, supported(design).bars))
    assert str(supported_columns(design).part) == found
