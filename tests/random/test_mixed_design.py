"""What is random on the rows of a table: lme4's Z, the subject, refusals, origins and orders."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

import twolevel as tl
from twolevel.design.shards import Shards
from twolevel.random.mixed_design import mixed_design
from twolevel.text.errors import InputError

TABLE = pd.DataFrame(
    {
        "id": list("pppqqqq"),
        "f": list("abcabcc"),
        "day": [0, 1, 3, 1, 2, 3, 5],
        "s": list("uuvuvvv"),
        "y": [1.0, 3, 2, 5, 4, 6, 7],
    }
)
ONES, DAY = [1] * 7, [0, 1, 3, 1, 2, 3, 5]
A, B, C = ([int(level == each) for level in TABLE["f"]] for each in "abc")
# Columns of getME(fit, "Z") of lme4 1.1-31, one for each effect: its rows, and at which of its
# subject's levels they stand.
Z = {
    "y ~ 1 + (1 + day | id)": [(["(Intercept)", "day"], [ONES, DAY], None)],
    "y ~ 1 + (day || id)": [(["(Intercept)"], [ONES], None), (["day"], [DAY], None)],
    "y ~ 1 + (f | id)": [(["(Intercept)", "f[T.b]", "f[T.c]"], [ONES, B, C], None)],
    "y ~ 1 + (0 + day | id:s)": [(["day"], [DAY], [0, 0, 1, 0, 1, 1, 1])],
    "y ~ 1 + (1 | id/s)": [
        (["(Intercept)"], [ONES], None),
        (["(Intercept)"], [ONES], [0, 0, 1, 0, 1, 1, 1]),
    ],
    "y ~ 1 + (0 + f | id)": [(["f[a]", "f[b]", "f[c]"], [A, B, C], None)],
    "y ~ 1 + (0 + f:day | id)": [
        (
            ["f[a]:day", "f[b]:day", "f[c]:day"],
            [np.multiply(own, DAY) for own in (A, B, C)],
            None,
        )
    ],
}


def columns_of(formula, data, subject=None):
    return mixed_design(formula, data, subject, "treatment")[1]


def in_formula(term):
    """A term's columns in the formula's own units and origins."""
    return term.values @ np.linalg.inv(term.back)


@pytest.mark.parametrize("formula", Z)
def test_columns_are_lme4s(formula):
    # A subject more, with which there are more rows than effects.
    more = TABLE.assign(id="r")
    found = columns_of(formula, pd.concat([TABLE, more, more], ignore_index=True))
    assert len(found.terms) == len(Z[formula])
    for term, (effects, columns, levels) in zip(found.terms, Z[formula], strict=True):
        assert list(term.term.effects) == effects
        np.testing.assert_allclose(in_formula(term)[:7], np.transpose(columns), atol=1e-12)
        assert levels == (None if term.levels is None else term.levels[:7].tolist())


def made(seed, subjects=6, rows=5, repeats=2):
    generator = np.random.default_rng(seed)
    table = pd.DataFrame(np.ndindex(subjects, rows, repeats), columns=["id", "day", "again"])
    return table.assign(
        f=np.array(list("uvw"))[generator.integers(0, 3, len(table))],
        session=table["id"].astype(str) + "." + (table["day"] % 2).astype(str),
        place=np.where(table["id"] % 2, "here", "there"),
        x=generator.normal(size=len(table)),
        y=generator.normal(size=len(table)),
    )


BARS = [
    "(1 + day | id)",
    "(day || id)",
    "(1 + x | id) + (1 | id:f)",
    "(0 + f | id)",
    "(poly(day, 2) | id)",
    "(1 | place) + (0 + x | id)",
]


@examples(30)
@given(st.sampled_from(BARS), st.integers(0, 2**32 - 1))
def test_the_order_of_rows_means_nothing(bars, seed):
    data = made(seed)
    order = np.random.default_rng(seed).permutation(len(data))
    design, found = mixed_design(f"y ~ 1 + {bars}", data, None, "treatment")
    again, others = mixed_design(f"y ~ 1 + {bars}", data.iloc[order], None, "treatment")
    assert others.part == found.part
    for one, other in zip(found.terms, others.terms, strict=True):
        np.testing.assert_allclose(in_formula(one)[order], in_formula(other), atol=1e-9)
        if one.levels is not None:
            assert one.levels[order].tolist() == other.levels.tolist()
    assert design.subjects[design.codes][order].equals(again.subjects[again.codes])


@examples(30)
@given(st.sampled_from([0.0, 1e3, 1.6e9, -(2.0**35)]), st.sampled_from([1.0, 7.0, 86400.0]))
def test_own_slopes_do_not_depend_on_the_origin_or_the_unit(origin, unit):
    data = made(1)
    moved = data.assign(x=origin + unit * data["x"])
    (plain,) = columns_of("y ~ x + (1 + x | id)", data).terms
    (other,) = columns_of("y ~ x + (1 + x | id)", moved).terms
    ratio = np.ptp(other.values[:, 1]) / np.ptp(plain.values[:, 1])
    assert 0.5 <= ratio <= 2
    np.testing.assert_allclose(other.values[:, 1], ratio * plain.values[:, 1], atol=1e-4)
    np.testing.assert_array_equal(other.values[:, 0], 1.0)


@examples(30)
@given(st.sampled_from(BARS), st.integers(0, 2**32 - 1))
def test_other_rows_have_the_same_columns(bars, seed):
    data = made(seed)
    design, found = mixed_design(f"y ~ 1 + {bars}", data, None, "treatment")
    some = np.random.default_rng(seed).permutation(len(data))[:7]
    table = {name: data[name].iloc[some] for name in found.variables(nested=True)}
    again = found.at(table, design.codes[some])
    strangers = found.at(table, np.full(7, -1))
    for one, other, strange in zip(found.terms, again.terms, strangers.terms, strict=True):
        np.testing.assert_allclose(other.values, one.values[some], atol=1e-12)
        np.testing.assert_array_equal(other.back, one.back)
        if one.levels is not None:
            assert other.levels.tolist() == one.levels[some].tolist()
            assert (strange.levels == -1).all()
    np.testing.assert_allclose(again.expanded(), found.expanded(some), atol=1e-12)


def test_levels_that_the_model_has_not_seen():
    data = made(1)
    design, found = mixed_design("y ~ 1 + (0 + f | id) + (1 | id:session)", data, None, "treatment")
    row = {name: data[name].iloc[:1] for name in found.variables(nested=True)}
    elsewhere = found.at(row | {"session": pd.Series(["none"])}, design.codes[:1])
    assert elsewhere.terms[1].levels.tolist() == [-1]
    with pytest.raises(InputError, match="level 'none', which the fit has not seen"):
        found.at(row | {"f": pd.Series(["none"])}, design.codes[:1])


@pytest.mark.parametrize(
    ("bars", "subject", "found", "part"),
    [
        ("(1 | id) + (1 | session)", None, "id", "(1 | id) + (1 | session)"),
        ("(1 | session) + (1 | id)", None, "id", "(1 | session) + (1 | id)"),
        ("(1 | session) + (1 | id)", "id", "id", "(1 | session) + (1 | id)"),
        ("(1 | f:id)", "id", "id", "(1 | id:f)"),
        ("(1 | id:f)", None, "id", "(1 | id:f)"),
        ("(1 | place/id)", None, "place", "(1 | place) + (1 | place:id)"),
        (
            "(1 | id) + (1 | session) + (1 | place)",
            None,
            "place",
            "(1 | id) + (1 | session) + (1 | place)",
        ),
    ],
)
def test_the_subject_is_the_outermost_factor(bars, subject, found, part):
    design, columns = mixed_design(f"y ~ 1 + {bars}", made(1), subject, "treatment")
    assert design.subject == found
    assert str(columns.part) == part


@pytest.mark.parametrize(
    ("formula", "subject", "words"),
    [
        ("y ~ day", None, ["not said which column names the subjects", "(1 | id)"]),
        ("y ~ day + (1 | id)", "place", ['by "id"', 'given as "place"', "add (1 | place)"]),
        (
            "y ~ 1 + (1 | id) + (1 | f)",
            None,
            ["(1 | f) is crossed with id", "(1 | id:f)", "lme4", "pymer4", "MixedModels.jl"],
        ),
        (
            "y ~ 1 + (1 | place) + (1 | id)",
            "id",
            ['"id", whose levels are nested', 'in those of "place"'],
        ),
        ("y ~ 1 + (1 | id:day:again)", None, ["every level has one row", "leave it out"]),
        (
            "y ~ 1 + (0 + C(day):C(again) | id)",
            None,
            ["10 effects at each of 6 levels", "60 rows", "residual"],
        ),
        ("y ~ 1 + (1 | id) + (1 | id)", None, ["both have (Intercept) at the same levels"]),
        ("y ~ 1 + (1 + x | id) + (1 | id)", None, ["both have (Intercept)", "leave it out of one"]),
        ("y ~ 1 + (1 | id) + (1 | id:place)", None, ["both have (Intercept)"]),
        ("y ~ x + (1 + x + I(2 * x) | id)", None, ["cannot tell I(2 * x) apart"]),
        ("y ~ 1 + (1 | nothing)", None, ["'nothing' is not in the table"]),
        ("y ~ 1 + (nothing | id)", None, ["'nothing' is not in the table"]),
    ],
)
def test_refusals_say_what_and_how_to_mend(formula, subject, words):
    with pytest.raises(InputError) as error:
        mixed_design(formula, made(1), subject, "treatment")
    for word in words:
        assert word in str(error.value)


@pytest.mark.parametrize("column", ["id", "session", "x"])
def test_missing_values_are_refused(column):
    data = made(1).astype({column: object})
    data.loc[3, column] = None
    with pytest.raises(InputError, match=f"'{column}': 1 missing values, the first in row 4"):
        mixed_design("y ~ 1 + (1 + x | id/session)", data, None, "treatment")


def in_parts(data):
    codes, subjects = pd.factorize(data["id"])
    texts = dict.fromkeys(data.select_dtypes(["object", "string"]), "category")
    parts = data.astype(texts).assign(id=codes)
    return Shards.of(lambda: iter([parts[:30], parts[30:]]), "id", "y", subjects, len(data))


@pytest.mark.parametrize(
    ("formula", "words"),
    [
        ("y ~ day + (1 | session)", r"right of every bar; write \(1 \| id:session\) for"),
        ("y ~ day + (1 + poly(day, 2) | id)", r"poly\(\) needs all rows at once"),
    ],
)
def test_bars_that_parts_of_a_table_cannot_have_are_refused(formula, words):
    with pytest.raises(InputError, match=words):
        mixed_design(formula, in_parts(made(1)), None, "treatment")


@pytest.mark.parametrize("subject", [None, "id"])
@pytest.mark.parametrize(
    ("fixed", "random"),
    [
        ("y ~ 1", "(1 | id)"),
        ("y ~ day", "(1 + day | id)"),
        ("y ~ f + x", "(1 + x | id) + (1 | id:f)"),
    ],
)
def test_what_the_data_support_may_be_written_out(fixed, random, subject):
    plain = tl.fit_mixed(fixed, made(1), "id")
    written = tl.fit_mixed(f"{fixed} + {random}", made(1), subject)
    assert written.random == plain.random == random
    pd.testing.assert_frame_equal(written.coef_table(), plain.coef_table(), rtol=0, atol=0)
    assert written.llf == plain.llf
    assert written.design.formula == fixed


# logLik(lmer(...)) by REML, lme4 1.1-31, of the table of `made(1)` as CSV.
LOGLIK = {
    "y ~ day + (1 + day | id)": -82.73085889,
    "y ~ day + (day || id)": -82.73085889,
    "y ~ f + (f | id)": -76.13940608,
    "y ~ f * day + (1 | id) + (1 | id:f)": -81.35114199,
    "y ~ x + (0 + x | id/session)": -82.22439153,
    "y ~ 1 + (1 | place/id) + (0 + x | id)": -81.58656668,
    "y ~ day + (poly(day, 2) || id)": -82.70226102,
}


@pytest.mark.parametrize("formula", LOGLIK)
def test_models_are_lme4s(formula):
    assert tl.fit_mixed(formula, made(1)).llf == pytest.approx(LOGLIK[formula], abs=1e-6)
