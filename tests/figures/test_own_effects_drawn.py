"""Figures of studies in which subjects have more than a mean of their own."""

import re
import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from test_figures_all import texts, words_outside

import twolevel as tl
from twolevel.figures.effect_distributions import effect_distributions
from twolevel.figures.effects_plane import deviation_labels, draw_ellipse
from twolevel.figures.effects_shrunk import effects_shrunk
from twolevel.figures.of_study.data_by_subject import data_along
from twolevel.figures.of_study.one_subject import one_subject
from twolevel.figures.of_study.three_subjects import three_subjects
from twolevel.figures.theme import new_figure
from twolevel.figures.words import Labels
from twolevel.levels.describe import describe_design, describe_random_part
from twolevel.random.mixed_design import mixed_design
from twolevel.summaries.two_stage_summary import (
    EffectCovarianceSummary,
    FirstSubject,
    OwnEffectsSummary,
)

LABELS = Labels("score", "x", "id", "points")
LONG = "a name much longer than any axis of a figure could ever be " * 3


def table(subjects=12):
    rng = np.random.default_rng(1)
    who, a, x = np.indices((subjects, 2, 5)).reshape(3, -1)
    own = rng.normal(0, [2.0, 0.7], (subjects, 2)) + np.outer(np.arange(subjects) % 2, [3, 1])
    y = 5 + own[who, 0] + (1 + own[who, 1]) * x + rng.normal(0, 1, (subjects, 2))[who, a]
    data = pd.DataFrame({"id": who, "a": np.array(["u", "v"])[a], "x": x * 1.0})
    data["group"] = np.array(["g", "h"])[who % 2]
    return data.assign(y=y + rng.normal(size=len(y)))


def two_stages(formula, data):
    level1 = tl.fit_subjects(formula, data, "id")
    level2 = tl.fit_hierarchical(level1)
    return (
        level1.subjects,
        level1.residuals,
        OwnEffectsSummary.of(level1.own.summary()),
        EffectCovarianceSummary.of(level2.own.summary()),
    )


FORMULAS = {
    "slopes": "y ~ x + (1 + x | id)",
    "slopes of groups": "y ~ x * group + (1 + x | id)",
    "strata": "y ~ a + x + (1 | id) + (1 | id:a)",
    "both": "y ~ a + x + (1 + x | id) + (1 | id:a)",
    "effects": "y ~ a + (a | id)",
}


@pytest.mark.parametrize("case", FORMULAS)
def test_distributions_are_drawn(case, svg):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = effect_distributions(*two_stages(FORMULAS[case], table()), LABELS, 0.9)
        document = svg(figure)
    assert words_outside(document) == []
    assert "nan" not in re.sub(r"<text.*?</text>", "", document.decode()).lower()
    found = texts(document)
    assert ("Both deviations: 90% ellipses" in found) == (case not in ("strata",))
    assert ("subjects’ own effects of a" in found) == (case in ("strata", "both"))
    assert ("12 subjects’ own means" in found) == (case == "strata")
    centred = [word for word in found if word.startswith("own intercept − ")]
    assert len(centred) == (case in ("slopes", "both", "effects"))


def test_a_stratum_counts_its_levels_once():
    tables = two_stages(FORMULAS["strata"], table())
    figure = effect_distributions(*tables, LABELS, 0.95)
    counts = [ax.patches[0].get_data().values.sum() for ax in figure.axes[:3]]
    np.testing.assert_allclose(counts, [12, 24, 120])


def test_both_ellipses_are_those_of_the_covariances():
    *_, level1, level2 = tables = two_stages(FORMULAS["slopes"], table())
    ax = effect_distributions(*tables, LABELS, 0.95).axes[3]
    for line, matrix in zip(ax.lines[-2:], (level2.raw, level2.corrected), strict=True):
        points = np.array(line.get_data())
        distance = np.einsum("in,ij,jn->n", points, np.linalg.inv(matrix), points)
        np.testing.assert_allclose(distance, 5.991465, rtol=1e-6)
    assert level1.effects == ["(Intercept)", "x"]


def test_a_singular_covariance_is_a_segment():
    ax = new_figure(3).subplots()
    x, y = draw_ellipse(ax, np.array([[4.0, 2.0], [2.0, 1.0]]), 0.95).get_data()
    np.testing.assert_allclose(x, 2 * y, atol=1e-7)


def test_arrows_lead_from_own_estimates_to_predictions(svg):
    own = np.array([[1.0, 2.0], [np.nan, np.nan], [-1.0, -1.0]])
    ahead = np.array([[0.5, 1.0], [0.1, 0.1], [-0.5, -0.4]])
    figure = effects_shrunk(list("abc"), own, ahead, ("(Intercept)", "x"), np.eye(2), 0.95)
    arrows = next(c for c in figure.axes[0].collections if isinstance(c, LineCollection))
    found = sorted(segment.tolist() for segment in arrows.get_segments())
    assert found == [[[-1.0, -1.0], [-0.5, -0.4]], [[1.0, 2.0], [0.5, 1.0]]]
    assert words_outside(svg(figure)) == []


@pytest.mark.parametrize("count", [100, 10_000])
def test_many_subjects_stay_small(count, svg):
    own = np.random.default_rng(1).normal(size=(count, 2))
    figure = effects_shrunk(range(count), own, own / 2, ("(Intercept)", LONG), np.eye(2), 0.95)
    document = svg(figure)
    assert len(document) < 300_000
    assert words_outside(document) == []
    assert (f"1,000 of {count:,}" in " ".join(texts(document))) == (count > 1000)


def test_long_names_fit_beside_effects(svg):
    data = table().rename(columns={"x": LONG, "a": LONG + "2"})
    formula = f"y ~ `{LONG}` + `{LONG}2` + (`{LONG}` | id) + (1 | id:`{LONG}2`)"
    labels = Labels(LONG, LONG, LONG, LONG)
    figure = effect_distributions(*two_stages(formula, data), labels, 0.95)
    assert words_outside(svg(figure)) == []


def test_the_own_fit_of_one_subject_is_what_least_squares_gives():
    data = table()
    design, random = mixed_design(FORMULAS["slopes"], data, "id", "treatment")
    described = data.rename(columns={"id": "subject", "x": "condition", "y": "response"})
    one = describe_design(described).one_subject
    part = describe_random_part(design, random, one)
    own = one.observations
    slope, intercept = np.polyfit(own["condition"], own["response"], 1)
    figure = one_subject(
        one.subject,
        own["condition"].tolist(),
        own["response"].tolist(),
        part.own_fitted,
        part.own_coefficients,
        range(5),
        LABELS,
    )
    line = figure.axes[1].lines[0].get_ydata()
    np.testing.assert_allclose(line, intercept + slope * np.arange(5))
    named = [text.get_text() for text in figure.axes[1].get_legend().get_texts()]
    assert named == [
        "2 coefficients from 10 observations",
        "residuals",
        "8 degrees of freedom left",
    ]


@pytest.mark.parametrize("fitted", [[1.0, 2.0, 3.0, 3.5], [1.5, 1.5, 3.0, 3.0]])
def test_fits_that_differ_at_a_place_have_a_stroke_each(fitted):
    seen = ["a", "a", "b", "b"]
    figure = one_subject("1", seen, [1.0, 2.1, 2.9, 3.6], fitted, 4, ["a", "b"], LABELS)
    strokes = [line for line in figure.axes[1].lines if line.get_marker() == "_"]
    assert [line.get_ydata().tolist() for line in strokes] == [fitted] * (fitted[0] < fitted[1])
    (line,) = [line for line in figure.axes[1].lines if len(line.get_ydata()) == 2]
    np.testing.assert_allclose(line.get_ydata(), np.mean(np.reshape(fitted, (2, 2)), axis=1))


def test_without_conditions_own_lines_are_drawn_along_their_number(svg):
    """At each subject's own times, of which two may be close; above, the one mean there is."""
    times = [0.93, 2.49, 2.5, 7.0, 11.4]
    y = [1.0, 2.0, 4.0, 6.0, 12.0]
    line = np.polyval(np.polyfit(times, y, 1), times)
    figure = one_subject("1", times, y, line.tolist(), 2, times, LABELS, along=True)
    mean, own = (ax.lines[0] for ax in figure.axes)
    np.testing.assert_allclose(mean.get_ydata(), np.mean(y))
    np.testing.assert_allclose(own.get_xydata(), np.column_stack([times, line]))
    assert words_outside(svg(figure)) == []

    pairs = zip(line, y - line, strict=True)
    rows = [{"condition": "all", "fitted": f, "residual": r} for f, r in pairs]
    own_times = [times, [0.5, *times[1:]]]
    subjects = [
        FirstSubject.of(
            {"subject": str(k), "subject_mean": 5.0, "own": {}, "nested": {}, "rows": rows}
        )
        for k in range(2)
    ]
    figure = three_subjects(
        subjects, own_times, sorted({*times, 0.5}), LABELS, "own fit", False, along=True
    )
    for ax, seen in zip(figure.axes, own_times, strict=True):
        np.testing.assert_allclose(ax.lines[0].get_xydata(), np.column_stack([seen, line]))


@pytest.mark.parametrize("subjects", [1, 12, 70])
def test_every_subject_has_a_line_along_its_own_times(subjects, svg):
    rng = np.random.default_rng(3)
    who = np.repeat(np.arange(subjects), rng.integers(1, 6, subjects))
    rows = pd.DataFrame({"subject": who, "condition": rng.uniform(0, 9, len(who)).round(2)})
    rows["response"] = rng.normal(size=len(who))
    figure = data_along(rows.sample(frac=1, random_state=1), LABELS)
    (ax,) = figure.axes
    drawn = ax.lines[0].get_xydata()
    drawn = np.unique(drawn[np.isfinite(drawn).all(axis=1)], axis=0)
    known = np.unique(rows[["condition", "response"]].to_numpy(), axis=0)
    if subjects <= 60:
        np.testing.assert_allclose(drawn, known)
    else:
        assert len(drawn) < len(known)
    line = ax.lines[0].get_xdata()
    ends = np.split(line, np.flatnonzero(~np.isfinite(line)))
    assert all((np.diff(each[np.isfinite(each)]) >= 0).all() for each in ends)
    assert words_outside(svg(figure)) == []


def test_axes_name_effects_of_a_subject():
    assert deviation_labels(["(Intercept)"], [5.0]) == ["own mean − 5.00"]
    assert deviation_labels(["(Intercept)", "days", "a[T.v]"], [None, 2.0, None]) == [
        "own intercept, deviation",
        "own slope of days − 2.00",
        "own effect of a[T.v], deviation",
    ]
