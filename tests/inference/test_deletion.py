"""Every subject left out: against real refits, and Cook's distances against lme4's."""

import numpy as np
import pandas as pd
import pytest
import random_part_references
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from random_designs import bars, formulas, unbalanced, with_times
from random_part_references import NAMES as RANDOM_PARTS
from reference_values import NAMES, load

import twolevel as tl
from twolevel.model import downdate as influence


def refits(formula, data, subject, method):
    """The estimates from real fits to the table without each subject's rows."""
    rows = {}
    for name in pd.unique(data[subject]):
        try:
            rows[name] = tl.fit_mixed(formula, data[data[subject] != name], subject, method)
        except tl.InputError:
            rows[name] = None
    return rows


def assert_equal_to_refits(fit, formula, data, subject, rtol):
    found = refits(formula, data, subject, fit.method)
    assert list(fit.without_subject.index) == list(found)
    for name, refit in found.items():
        ours = fit.without_subject.loc[name]
        if refit is not None and refit.icc > 1 - 1e-9:
            continue  # no residuals within subjects are left, and rounding decides what is found
        if refit is None or list(refit.params.index) != list(fit.params.index):
            assert ours.isna().all(), name
        else:
            np.testing.assert_allclose(ours, refit.estimated, rtol=rtol, atol=rtol)


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("name", NAMES)
def test_reference_data(name, method):
    reference = load(name)
    fit = tl.fit_mixed(reference.formula, reference.data, "subject", method)
    assert_equal_to_refits(fit, reference.formula, reference.data, "subject", 1e-9)


@examples(40)
@given(data=unbalanced, formula=formulas)
def test_random_designs(data, formula):
    """Rows in no order, groups that vanish with a subject, boundaries that come and go."""
    data = data.sample(frac=1, random_state=1)
    for method in ("REML", "ML"):
        fit = tl.fit_mixed(formula, data, "id", method)
        assert_equal_to_refits(fit, formula, data, "id", 1e-6)


@pytest.mark.parametrize("method", ["REML", "ML"])
@pytest.mark.parametrize("name", [n for n in RANDOM_PARTS if not n.startswith("obk")])
def test_any_random_part(name, method):
    """Of each of the reference models, against the fit to the table without the subject's rows."""
    reference = random_part_references.load(name)
    fit = tl.fit_mixed(reference.formula, reference.data, method=method)
    subject = fit.design.subject
    data = reference.data.astype({subject: str})
    for name in list(fit.without_subject.index)[:12]:
        refit = tl.fit_mixed(reference.formula, data[data[subject] != name], method=method)
        np.testing.assert_allclose(
            fit.without_subject.loc[name], refit.estimated, rtol=1e-8, atol=1e-8
        )


@examples(40)
@given(data=with_times, bar=bars, method=st.sampled_from(["REML", "ML"]))
def test_any_random_part_of_random_designs(data, bar, method):
    """Boundaries that come and go, subjects with times and cells of their own, rows in no order."""
    data = data.sample(frac=1, random_state=1)
    formula = f"y ~ x + a + {bar}"
    try:
        fit = tl.fit_mixed(formula, data, method=method)
        refits = {
            name: tl.fit_mixed(formula, data[data["id"] != name], method=method)
            for name in fit.design.subjects[:4]
        }
    except tl.InputError:  # the rows that are left do not tell the effects apart
        assume(False)
    for name, refit in refits.items():
        ours = fit.without_subject.loc[name]
        np.testing.assert_allclose(ours, refit.estimated, rtol=2e-6, atol=2e-6)


def test_changes_and_blocks(monkeypatch):
    reference = load("anxiety_group")
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    table = fit.influence()
    assert list(table.columns[:3]) == [
        "cooks_distance",
        "change_sigma_between",
        "change_sigma_within",
    ]
    without = fit.without_subject["group[T.grp2]"]
    np.testing.assert_allclose(
        table["change_group[T.grp2]"], without - fit.params["group[T.grp2]"], atol=1e-12
    )
    monkeypatch.setattr(influence, "_BLOCK", 700)  # two subjects a block
    in_blocks = tl.fit_mixed(reference.formula, reference.data, "subject").without_subject
    pd.testing.assert_frame_equal(in_blocks, fit.without_subject, rtol=1e-12)
    monkeypatch.setattr(influence, "_BLOCK", 1)
    one_by_one = tl.fit_mixed(reference.formula, reference.data, "subject").without_subject
    pd.testing.assert_frame_equal(one_by_one, fit.without_subject, rtol=1e-9)


# lme4 1.1-31, cooks.distance(influence(fit, "subject")). It multiplies by (n - p) / n, with n
# subjects and p coefficients; influence.ME does not, and neither do we.
LME4 = {
    "dyestuff": [0.044914165, 2.2179834e-05, 0.11819634, 0.077208020, 0.46633102, 0.29332831],
    "ergostool_missing": [
        0.092395163, 0.061743817, 0.20680004, 0.0096894902, 0.082138859, 0.043328551, 0.052738477,
        0.077776324, 0.023616606,
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", LME4)
def test_cooks_distance(name):
    reference = load(name)
    fit = tl.fit_mixed(reference.formula, reference.data, "subject")
    n, p = len(fit.design.subjects), len(fit.params)
    # lme4's refits stop at about 1e-5 of these distances.
    np.testing.assert_allclose(
        fit.influence()["cooks_distance"] * (n - p) / n, LME4[name], rtol=1e-4
    )


def test_a_condition_seen_by_one_subject_only():
    """Without this subject the condition has no effect to estimate: no number, not a wrong one."""
    reference = load("anxiety")
    data = reference.data.copy()
    last = data["condition"].cat.categories[-1]
    data = data[(data["condition"] != last) | (data["subject"] == "4")]
    fit = tl.fit_mixed("y ~ condition", data, "subject")
    table = fit.influence()
    assert table.loc["4"].isna().all()
    assert table.drop("4").notna().all(axis=None)


def test_a_subject_far_from_all_others_makes_sigma_between():
    reference = load("sleepstudy")
    data = reference.data.copy()
    data.loc[data["subject"] == "330", "y"] += 2000
    fit = tl.fit_mixed("y ~ condition", data, "subject")
    table = fit.influence()
    assert table["change_sigma_between"].idxmin() == "330"
    assert table.loc["330", "change_sigma_between"] < -0.8 * fit.sigma_between
    assert_equal_to_refits(fit, "y ~ condition", data, "subject", 1e-8)


@examples(40)
@given(data=unbalanced, formula=formulas, by=st.sampled_from([1e2, 1e4, 1e6]), spread=st.booleans())
def test_beside_a_subject_all_others_may_vanish(data, formula, by, spread):
    """In its mean, or in its observations: without it hardly a digit is lost."""
    first = data["id"].iloc[0]
    own = data["id"] == first
    y = data["y"].copy()
    y[own] *= by
    if not spread:
        y[own] = y[own].mean() + data["y"][own]
    data = data.assign(y=y)
    try:
        fit = tl.fit_mixed(formula, data, "id")
    except tl.InputError:  # compared with sigma_between, sigma_within counts as 0
        assume(False)
    try:
        refit = tl.fit_mixed(formula, data[~own], "id")
    except tl.InputError:
        refit = None
    ours = fit.without_subject.loc[first]
    if refit is None or list(refit.params.index) != list(fit.params.index):
        assert ours.isna().all()
    elif refit.icc < 1 - 1e-9:
        np.testing.assert_allclose(ours, refit.estimated, rtol=1e-6, atol=1e-6)


def test_nothing_is_left_beside_a_subject():
    """The others' observations are explained to their last digit."""
    data = pd.DataFrame({"id": np.repeat(np.arange(6), 3), "x": np.arange(18.0) ** 2})
    data["y"] = 0.1 * data["x"] + 0.7 + np.where(data["id"] == 2, [0.5, -1, 2] * 6, 0.0)
    without = tl.fit_mixed("y ~ x + (1 | id)", data).without_subject
    assert without.loc[2].isna().all()
    assert without.drop(2).notna().all(axis=None)


def test_one_subject_with_many_rows():
    """A subject larger than a block is reduced without an array of its rows' products."""
    generator = np.random.default_rng(3)
    who = np.repeat(np.arange(5), [300_000, 3, 4, 5, 2])
    data = pd.DataFrame({"id": who, "y": generator.normal(size=5)[who]})
    data["y"] += generator.normal(size=len(data))
    fit = tl.fit_mixed("y ~ 1", data, "id")
    assert_equal_to_refits(fit, "y ~ 1", data, "id", 1e-9)
