"""What is drawn equals the data: read back from the artists of each figure."""

import dataclasses
import math
from itertools import pairwise

import matplotlib.colors as colours
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from scipy import special

from twolevel.figures.of_study.influence import most_influential
from twolevel.figures.of_study.profile_zeta import slope_at
from twolevel.figures.of_study.residuals_fitted import running_quartiles
from twolevel.figures.of_study.shrinkage import shrinkage_factor, shrinkage_of_effects
from twolevel.figures.theme import BETWEEN, INK, MARGINAL, MUTED, WITHIN
from twolevel.figures.words import Labels
from twolevel.summaries.truth_summary import Entered, TruthSummary


def lines(ax, colour):
    return [line for line in ax.lines if colours.to_hex(line.get_color()) == colour]


def sd_of_curve(line) -> tuple[float, float, float]:
    """Return area, mean and SD of a drawn density."""
    x, y = line.get_data()
    area = np.trapezoid(y, x)
    mean = np.trapezoid(x * y, x) / area
    return area, mean, math.sqrt(np.trapezoid((x - mean) ** 2 * y, x) / area)


def key_texts(ax) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


def note_of(figure) -> str:
    return figure.get_suptitle().replace("\n", " ")


# distributions


def test_histograms_count_every_value(study):
    left, right, *_ = study.draw("distributions").axes
    assert left.patches[0].get_data().values.sum() == 12
    assert right.patches[0].get_data().values.sum() == 36


def test_histograms_share_the_horizontal_scale_and_qq_plots_the_vertical_one(study):
    top_left, top_right, low_left, low_right = study.draw("distributions").axes
    assert (
        top_left.get_xlim() == top_right.get_xlim() == low_left.get_ylim() == low_right.get_ylim()
    )


def test_normals_have_the_sd_that_the_key_names(study):
    truth = TruthSummary(
        grand_mean=5.5,
        condition_effects={},
        sigma_between=2.0,
        sigma_within=1.0,
        entered=Entered(grand_mean=5.5, effects={}),
    )
    left, right, *_ = study.draw("distributions", truth=truth).axes
    means = study.subjects["subject_mean"]
    residual = study.residuals["residual"].to_numpy()
    raw, fitted = lines(left, BETWEEN)
    (true,) = lines(left, INK)
    assert sd_of_curve(raw)[1:] == pytest.approx((0, means.std()), rel=2e-3, abs=1e-9)
    assert sd_of_curve(fitted)[2] == pytest.approx(1.732, rel=2e-3)
    assert sd_of_curve(true)[1:] == pytest.approx((5.5 - means.mean(), 2.0), rel=2e-3)
    width = np.diff(left.patches[0].get_data().edges)[0]
    assert sd_of_curve(raw)[0] == pytest.approx(12 * width, rel=1e-3)
    raw, fitted = lines(right, WITHIN)
    assert sd_of_curve(raw)[2] == pytest.approx(math.sqrt(np.mean(residual**2)), rel=2e-3)
    assert sd_of_curve(fitted)[2] == pytest.approx(1.414, rel=2e-3)
    assert f"SD of these means {means.std():.2f}" in key_texts(left)
    assert "SD within, true 1.00" in key_texts(right)


def test_qq_points_are_ordered_values_at_normal_quantiles(study):
    low_left = study.draw("distributions").axes[2]
    points = next(line for line in low_left.lines if line.get_marker() == "o")
    means = study.subjects["subject_mean"]
    z = [math.sqrt(2) * special.erfinv(2 * (i - 0.5) / 12 - 1) for i in range(1, 13)]
    assert points.get_xdata() == pytest.approx(z)
    assert points.get_ydata() == pytest.approx(sorted(means - means.mean()))
    line = lines(low_left, BETWEEN)[0]
    assert np.ptp(line.get_ydata()) / np.ptp(line.get_xdata()) == pytest.approx(means.std())


def test_qq_points_of_many_are_few_and_right(simulate):
    study = simulate(5000)
    low_left = study.draw("distributions").axes[2]
    points = next(line for line in low_left.lines if line.get_marker() == "o")
    z, y = points.get_data()
    assert len(z) <= 200
    deviation = np.sort(study.subjects["subject_mean"] - study.subjects["subject_mean"].mean())
    assert (y[0], y[-1]) == pytest.approx((deviation[0], deviation[-1]))
    rank = (special.erfc(-z / math.sqrt(2)) / 2 * 5000 + 0.5).round().astype(int)
    assert y == pytest.approx(deviation[rank - 1])


def test_qq_band_holds_normal_values_as_often_as_it_says(study):
    low_left = study.draw("distributions").axes[2]
    band = low_left.collections[0].get_paths()[0].vertices
    z = lines(low_left, INK)[0].get_xdata()
    middle = 5
    low, high = sorted({y for x, y in band if x == pytest.approx(z[middle])})
    draws = np.sort(np.random.default_rng(1).normal(size=(20_000, 12)), axis=1)[:, middle]
    sd = study.subjects["subject_mean"].std()
    assert np.mean((draws * sd > low) & (draws * sd < high)) == pytest.approx(0.95, abs=0.006)


def test_rounding_errors_are_no_residuals(study):
    tiny = study.residuals.assign(residual=1e-15 * np.arange(36))
    right = study.draw("distributions", residuals=tiny, sigma_within=0.0).axes[1]
    assert key_texts(right) == ["all residuals equal: no spread", "SD within estimated as 0"]
    assert right.patches[0].get_data().values.tolist() == [36]


# the walk and the data


def test_one_subjects_own_fit_is_saturated_and_its_mean_leaves_residuals(study):
    """From the subject's own data alone: what others show changes nothing."""
    own, supported = study.draw("one_subject").axes
    y = study.observations["response"].to_numpy()[:3]
    assert lines(own, INK)[-1].get_ydata() == pytest.approx(y)
    for segment in own.collections[0].get_segments():
        assert np.ptp(segment[:, 1]) == 0
    assert lines(supported, BETWEEN)[0].get_ydata() == pytest.approx([y.mean()] * 3)
    ends = np.array([segment[:, 1] for segment in supported.collections[0].get_segments()])
    assert ends[:, 1] - ends[:, 0] == pytest.approx(y - y.mean())
    assert "residuals: all 0" in key_texts(own)
    assert "0 degrees of freedom left" in key_texts(own)
    assert "2 degrees of freedom left" in key_texts(supported)


def test_without_a_condition_one_subject_has_its_mean_alone(simulate):
    study = simulate(conditions=("all",), replicates=4)
    (ax,) = study.draw("one_subject", Labels("score", "", "person")).axes
    assert key_texts(ax)[0] == "1 mean from 4 observations"


def in_groups(study, rise=6.0):
    """The study's observations, every second subject's fixed part higher by `rise`."""
    odd = pd.factorize(study.observations["subject"])[0] % 2
    return study.observations.assign(
        fixed=study.observations["fixed"] + rise * odd,
        response=study.observations["response"] + rise * odd,
    )


def test_replicates_leave_one_subject_degrees_of_freedom(simulate):
    own, _ = simulate(replicates=3).draw("one_subject").axes
    assert key_texts(own) == [
        "3 means from 9 observations",
        "residuals",
        "6 degrees of freedom left",
    ]


def test_shared_effects_have_one_shape_at_each_subjects_height(study):
    first, axes = study.first_subjects, study.draw("three_subjects").axes
    assert len(axes) == 3
    shapes = []
    for ax, subject in zip(axes, first, strict=True):
        assert lines(ax, MUTED)[0].get_ydata() == pytest.approx([subject.subject_mean] * 2)
        profile = lines(ax, BETWEEN)[0].get_ydata()
        shapes.append(profile - subject.subject_mean)
        ends = np.array([segment[:, 1] for segment in ax.collections[0].get_segments()])
        assert ends[:, 1] - ends[:, 0] == pytest.approx([row.residual for row in subject.rows])
        assert key_texts(ax)[1:] == ["μᵢ + αⱼ", "ηᵢⱼ"]
    np.testing.assert_allclose(shapes, np.broadcast_to(shapes[0], (3, 3)))


def test_a_fit_beyond_all_observations_is_still_in_its_panel(study):
    first = study.first_subjects[0]
    rows = [row.model_copy(update={"fitted": 99.0, "residual": -90.0}) for row in first.rows]
    subject = first.model_copy(update={"rows": rows})
    assert study.draw("three_subjects", subjects=[subject]).axes[0].get_ylim()[1] > 99


def test_the_own_fit_runs_through_levels_that_the_subject_was_seen_under(simulate):
    study = simulate(conditions=(0, 1, 2, 5))
    seen = [row for row in study.first_subjects[0].rows if row.condition != 1]
    subject = study.first_subjects[0].model_copy(update={"rows": seen})
    figure = study.draw("three_subjects", subjects=[subject], own_mean=False)
    drawn = lines(figure.axes[0], BETWEEN)[0]
    assert drawn.get_xdata()[np.isfinite(drawn.get_ydata())].tolist() == [0, 2, 5]


def test_means_of_a_number_lie_on_a_line_that_is_drawn(simulate):
    study = simulate(conditions=(0, 1, 2, 5))
    for line in (True, False):
        (ax,) = study.draw("condition_means", line=line).axes
        joined = [each for each in lines(ax, INK) if len(each.get_xdata()) == 4]
        joined = [each for each in joined if each.get_linestyle() == "-"]
        assert len(joined) == line


def test_every_subjects_line_goes_through_its_data_and_breaks_at_missing_cells(simulate):
    study = simulate(20, missing=0.3)
    (ax,) = study.draw("data_by_subject").axes
    drawn, between = np.split(lines(ax, MUTED)[0].get_ydata().reshape(20, 4), [3], axis=1)
    assert np.isnan(between).all()
    rows = study.observations.pivot_table("response", "subject", "condition", observed=True)
    rows = rows.loc[study.observations["subject"].unique()].to_numpy()
    np.testing.assert_allclose(drawn, rows)
    assert np.isnan(rows).any()
    assert lines(ax, INK)[0].get_ydata() == pytest.approx(study.means["estimate"])


def crossed(study, levels=("x", "y", "long name")):
    """The study's observations once under each of these levels, in cells: (condition, level)."""
    cells = [(condition, level) for condition in study.means["condition"] for level in levels]
    parts = []
    for k, level in enumerate(levels):
        pairs = [(condition, level) for condition in study.observations["condition"]]
        shifted = study.observations["response"] + 10.0 * k
        pairs = pd.Series(pairs, study.observations.index, dtype=object)
        parts.append(study.observations.assign(condition=pairs, response=shifted))
    return pd.concat(parts, ignore_index=True), pd.Series(cells, dtype=object)


def test_cells_of_two_factors_stand_apart_and_lines_run_within_a_condition(study):
    rows, cells = crossed(study)
    means = np.repeat(study.means["estimate"].to_numpy(), 3) + np.tile([0.0, 10.0, 20.0], 3)
    table = pd.DataFrame({"condition": cells, "mean": means})
    figure = study.draw("data_by_subject", observations=rows, condition_means=table)
    (ax,) = figure.axes
    x, y = lines(ax, INK)[0].get_data()
    assert np.flatnonzero(np.isnan(y)).tolist() == [3, 7]
    assert y[np.isfinite(y)] == pytest.approx(means)
    places = x[np.isfinite(x)].reshape(3, 3)
    assert places.mean(axis=1) == pytest.approx([0, 1, 2])
    assert np.all(np.diff(places.ravel()) > 0)
    first = lines(ax, MUTED)[0].get_ydata()[:11].reshape(-1)
    own = rows[rows["subject"] == rows["subject"].iloc[0]].set_index("condition")["response"]
    assert first[np.isfinite(first)] == pytest.approx(own.reindex(cells).to_numpy())
    figure.draw_without_rendering()
    assert [tick.get_text() for tick in ax.get_xticklabels(minor=True)] == [
        "x",
        "y",
        "long name",
    ] * 3
    assert len(ax.xaxis.get_minor_ticks()) == 9
    assert "cell mean" in key_texts(ax)


def test_one_subjects_own_means_are_those_under_the_condition_whatever_the_second_factor(study):
    rows, cells = crossed(study)
    own = rows[rows["subject"] == rows["subject"].iloc[0]]
    response = own["response"].tolist()
    above, below = study.draw(
        "one_subject",
        conditions=cells,
        condition=own["condition"].tolist(),
        response=response,
        own_fitted=response,
        own_coefficients=9,
    ).axes
    assert key_texts(above)[0] == "3 means from 9 observations"
    (drawn,) = (line.get_ydata() for line in lines(above, INK) if line.get_linestyle() == "-")
    by_condition = own["response"].groupby([pair[0] for pair in own["condition"]]).mean()
    assert drawn[np.isfinite(drawn)] == pytest.approx(np.repeat(by_condition.to_numpy(), 3))
    assert "0 degrees of freedom left" in key_texts(below)


def test_many_subjects_become_bands_and_a_sample_that_is_named(simulate):
    study = simulate(10_000)
    figure = study.draw("data_by_subject")
    (ax,) = figure.axes
    assert note_of(figure).startswith("40 of 10,000 subjects drawn")
    assert len(lines(ax, MUTED)[0].get_ydata()) == 40 * 4
    first = study.observations.query("condition == 't1'")["response"]
    outer = ax.collections[0].get_paths()[0].vertices
    edge = outer[outer[:, 0] == 0, 1]
    assert (edge.min(), edge.max()) == pytest.approx(tuple(np.percentile(first, [5, 95])))


# which cells hold observations


def cells_of(ax) -> np.ndarray:
    """Return 1 for every filled and 0 for every empty square, row by row; all are there once."""
    drawn = {}
    for line in ax.lines:
        filled = colours.to_rgba(line.get_markerfacecolor())[3] > 0
        for column, row in zip(*line.get_data(), strict=True):
            assert (row, column) not in drawn
            drawn[row, column] = filled
    rows, columns = np.max(list(drawn), axis=0) + 1
    return np.array([[drawn[r, c] for c in range(columns)] for r in range(rows)])


def printed(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_squares_are_filled_where_subjects_were_seen_and_empty_elsewhere(simulate):
    study = simulate(200, missing=0.3)
    patterns = study.missingness["patterns"]
    figure = study.draw("missingness")
    above, corner, cells, beside = figure.axes
    assert 1 < len(patterns) < 12
    np.testing.assert_array_equal(cells_of(cells), patterns.iloc[:, :-1] > 0)
    assert cells.get_ylim()[0] > cells.get_ylim()[1]  # the most frequent on top
    seen, missing = corner.get_legend().legend_handles
    assert key_texts(corner) == ["seen", "missing"]
    assert colours.to_rgba(seen.get_markerfacecolor())[3] > 0
    assert missing.get_markerfacecolor() == "none"
    assert [bar.get_width() for bar in beside.patches] == patterns["n_subjects"].tolist()
    assert printed(beside) == [f"{count}" for count in patterns["n_subjects"]]
    by_level = (study.cells > 0).sum().tolist()
    assert [bar.get_height() for bar in above.patches] == by_level
    assert printed(above) == [f"{count}" for count in by_level]
    assert f"{len(patterns)} patterns of 200 subjects" in note_of(figure)


def test_observations_in_a_cell_are_counted_from_two(simulate):
    study = simulate(40, replicates=3, missing=0.5)
    figure = study.draw("missingness")
    cells = figure.axes[2]
    counts = study.missingness["patterns"].iloc[:, :-1].to_numpy()
    numbers = {text.get_position()[::-1]: text.get_text() for text in cells.texts}
    assert numbers == {at: f"{count}" for at, count in np.ndenumerate(counts) if count > 1}
    assert {0, 1, 2, 3} == set(counts.ravel())
    assert "Up to 3 observations in a cell" in note_of(figure)
    assert printed(simulate(40, missing=0.3).draw("missingness").axes[2]) == []


def test_patterns_that_are_not_drawn_are_counted(simulate):
    study = simulate(300, tuple(f"t{j}" for j in range(8)), missing=0.3)
    tables = study.missingness
    figure = study.draw("missingness")
    assert cells_of(figure.axes[2]).shape == (12, 8)
    rest = 300 - tables["patterns"]["n_subjects"].sum()
    assert f"Not drawn: the last {tables['rest']}, of {rest} subjects." in note_of(figure)
    assert f"{tables['rest'] + 12} patterns of 300 subjects" in note_of(figure)


def test_levels_that_are_numbers_stand_evenly_under_their_own_names(simulate):
    study = simulate(30, (0, 1, 2.5, 80), missing=0.3)
    cells = study.draw("missingness").axes[2]
    np.testing.assert_array_equal(
        cells_of(cells), study.missingness["patterns"].iloc[:, :-1].to_numpy() > 0
    )
    assert cells.get_xticks().tolist() == [0, 1, 2, 3]
    assert [label.get_text() for label in cells.get_xticklabels()] == ["0", "1", "2.5", "80"]


def test_data_without_a_condition_are_one_column(simulate):
    labels = Labels("score", "", "person")
    above, _, cells, beside = simulate(12, ("",)).draw("missingness", labels).axes
    assert cells_of(cells).tolist() == [[True]]
    assert cells.get_xlabel() == ""
    assert printed(above) == printed(beside) == ["12"]


HOSTILE = ("$x$", "<b>", "{{7*7}}", "q" * 300)


@pytest.mark.parametrize(("rows", "levels"), [(1, 2), (12, 10), (12, 50)])
@pytest.mark.parametrize("names", [("t",), HOSTILE], ids=["short", "hostile"])
def test_many_levels_and_long_names_stay_inside_and_apart(study, rows, levels, names):
    columns = [f"{names[j % len(names)]}{j}" for j in range(levels)]
    observed = np.random.default_rng(2).integers(0, 3, (rows, levels))
    observed[0] = 2
    sizes = np.sort(np.geomspace(1, 1_000_000, rows).astype(int))[::-1]
    sizes[0] = 1_000_000
    patterns = pd.DataFrame(observed, columns=columns).assign(n_subjects=sizes)
    per_condition = pd.Series(sizes @ (observed > 0), columns)
    tables = {"patterns": patterns, "per_condition": per_condition, "rest": 5000}
    labels = Labels(*["a name much longer than any axis of a figure " * 4] * 4)
    figure = study.draw("missingness", labels, **tables, rest_subjects=9000)
    figure.draw_without_rendering()
    above, _, cells, beside = figure.axes
    np.testing.assert_array_equal(cells_of(cells), observed > 0)
    assert printed(beside) == [f"{size:,}" for size in sizes]
    assert set(printed(above)) <= {f"{count:,}" for count in per_condition}
    for ax in (above, beside):
        boxes = [text.get_window_extent() for text in ax.texts]
        assert not any(a.overlaps(b) for k, a in enumerate(boxes) for b in boxes[:k])
        assert not any(a.overlaps(bar.get_window_extent()) for a in boxes for bar in ax.patches)
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible():
            box = text.get_window_extent()
            assert figure.bbox.x0 <= box.x0 <= box.x1 <= figure.bbox.x1
            assert figure.bbox.y0 <= box.y0 <= box.y1 <= figure.bbox.y1
    frame = cells.get_window_extent()
    side = cells.lines[0].get_markersize() * figure.dpi / 72
    assert 5 <= side < min(frame.width / levels, frame.height / rows)
    assert all(text.get_window_extent().width <= side for text in cells.texts)
    top = above.get_window_extent().y1  # its title is above
    assert all(text.get_window_extent().y1 <= top for text in above.texts)


# model


@pytest.mark.parametrize("sigma_between", [1.732, 0.0])
def test_marginal_has_both_variances_and_conditionals_one(simulate, sigma_between):
    study = simulate(50, sigma_between=sigma_between)
    for ax, centre in zip(
        study.draw("conditional_marginal").axes, study.means["estimate"], strict=True
    ):
        _, mean, sd = sd_of_curve(lines(ax, MARGINAL)[0])
        assert (mean, sd**2) == pytest.approx((centre, sigma_between**2 + 1.414**2), rel=4e-3)
        conditional = lines(ax, WITHIN)
        assert len(conditional) == (3 if sigma_between else 1)
        shown = [sd_of_curve(line) for line in conditional]
        assert [sd for *_, sd in shown] == pytest.approx([1.414] * len(shown), rel=2e-3)
        effects = np.sort(study.random_effects["random_effect"])[[2, 24, 47]]
        expected = centre + (effects if sigma_between else np.zeros(1))
        assert [mean for _, mean, _ in shown] == pytest.approx(list(expected), rel=1e-6)


def test_a_marginal_that_depends_on_the_condition_has_its_sd_in_the_title(study):
    spread = study.observations["condition"].map({"t1": 1.0, "t2": 2.0, "t3": 3.0}).astype(float)
    table = study.observations.assign(random_sd=spread)
    for ax, own in zip(
        study.draw("conditional_marginal", observations=table).axes, (1, 2, 3), strict=True
    ):
        total = np.hypot(own, 1.414)
        assert sd_of_curve(lines(ax, MARGINAL)[0])[2] == pytest.approx(total, rel=4e-3)
        assert ax.get_title(loc="left").endswith(f"marginal SD {total:.3g}")


def test_named_subjects_stand_at_their_own_group_and_the_marginal_mixes_groups(simulate):
    study = simulate(50)
    table = in_groups(study)
    effects = study.random_effects.sort_values("random_effect").iloc[[2, 24, 47]]
    raised = [6.0 * (int(name[1:]) % 2) for name in effects["subject"]]
    assert 0 < sum(raised) < 18
    for ax, centre in zip(
        study.draw("conditional_marginal", observations=table).axes,
        study.means["estimate"],
        strict=True,
    ):
        expected = sorted(centre + effects["random_effect"] + raised)
        shown = [sd_of_curve(line)[1] for line in lines(ax, WITHIN)]
        assert shown == pytest.approx(expected, rel=1e-6)
        _, mean, sd = sd_of_curve(lines(ax, MARGINAL)[0])
        variance = 1.732**2 + 1.414**2 + 3.0**2
        assert (mean, sd**2) == pytest.approx((centre + 3.0, variance), rel=4e-3)
    many = table.assign(fixed=table["fixed"] + np.arange(len(table)) / len(table))
    assert study.draw("conditional_marginal", observations=many)
    same = simulate(sigma_between=0.0)
    figure = same.draw("conditional_marginal", observations=in_groups(same))
    words = figure.legends[0].get_title().get_text().replace("\n", " ")
    assert "subjects differ by the fixed effects alone" in words


def test_a_subject_has_no_curve_where_it_was_not_seen(simulate):
    study = simulate(50)
    named = study.random_effects.sort_values("random_effect")["subject"].iloc[2]
    table = study.observations
    gone = (table["subject"] == named) & (table["condition"] == "t2")
    axes = study.draw("conditional_marginal", observations=table[~gone]).axes
    assert [len(lines(ax, WITHIN)) for ax in axes] == [3, 2, 3]


def test_marginal_histogram_has_unit_area(study):
    values, edges, _ = study.draw("conditional_marginal").axes[0].patches[0].get_data()
    assert np.sum(values * np.diff(edges)) == pytest.approx(1)


def test_caterpillar_is_sorted_with_95_percent_intervals(study):
    figure = study.draw("caterpillar")
    (ax,) = figure.axes
    estimate = lines(ax, BETWEEN)[0].get_xdata()
    effects = study.random_effects.sort_values("random_effect")
    assert estimate == pytest.approx(effects["random_effect"].to_numpy())
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == effects["subject"].tolist()
    widths = [np.ptp(segment[:, 0]) for segment in ax.collections[0].get_segments()]
    assert widths == pytest.approx(list(2 * 1.959964 * effects["se"]), rel=1e-6)
    outside = (np.abs(effects["random_effect"]) > 1.959964 * effects["se"]).sum()
    assert f"{outside} of 12 intervals (95%) exclude it" in note_of(figure)


def test_caterpillar_has_a_panel_for_each_effect_in_an_order_of_its_own(study):
    table = study.random_effects
    slope = table["random_effect"].to_numpy()[::-1] / 3
    panels = {"own means": ("random_effect", "se"), "own slopes": ("day", "se_day")}
    table = table.assign(day=slope, se_day=1e-6)
    figure = study.draw("caterpillar", random_effects=table, panels=panels, slopes={"day": "day"})
    for ax, column in zip(figure.axes, ("random_effect", "day"), strict=True):
        assert lines(ax, BETWEEN)[0].get_xdata() == pytest.approx(np.sort(table[column]))
    assert figure.axes[1].get_xlabel() == "own slopes (points/day)"
    outside = (np.abs(table["random_effect"]) > 1.959964 * table["se"]).sum()
    assert f"{outside} and 12 of 12 intervals (95%) exclude it, from top" in note_of(figure)
    assert study.draw("caterpillar", panels={}).axes


def test_shrinkage_of_effects_stands_against_what_each_subject_says(study):
    table = study.random_effects.rename(columns={"random_effect": "day"})
    table = table.rename(columns={"deviation": "deviation_day"})
    figure = shrinkage_of_effects(
        table,
        {"day": "slopes of day"},
        Labels("score", "time", "person", "points"),
        {"day": "day"},
    )
    (ax,) = figure.axes
    points = lines(ax, BETWEEN)[0]
    assert points.get_xdata() == pytest.approx(table["deviation_day"].to_numpy())
    assert points.get_ydata() == pytest.approx(table["day"].to_numpy())
    assert ax.get_xlabel() == "own slopes of day (least squares) (points/day)"


def test_caterpillar_of_many_is_a_ribbon_of_the_same_intervals(simulate):
    study = simulate(5000)
    (ax,) = study.draw("caterpillar").axes
    middle = lines(ax, BETWEEN)[0].get_xdata()
    assert len(middle) == 200
    assert np.all(np.diff(middle) > 0)
    effects = np.sort(study.random_effects["random_effect"])
    assert middle == pytest.approx(effects.reshape(200, 25).mean(axis=1))


def test_shrinkage_lines_have_their_slopes_and_points_lie_on_them(simulate):
    study = simulate(50, missing=0.3)
    (ax,) = study.draw("shrinkage").axes
    identity = lines(ax, INK)[0]
    np.testing.assert_array_equal(*identity.get_data())
    points, *factors = lines(ax, BETWEEN)
    sizes = np.sort(study.random_effects["n"].unique())
    assert len(factors) == len(sizes)
    for n, line in zip(sizes, factors, strict=True):
        x, y = line.get_data()
        assert np.ptp(y) / np.ptp(x) == pytest.approx(1 / (1 + 1.414**2 / (n * 1.732**2)))
    by_deviation = study.random_effects.sort_values("deviation")
    assert points.get_xdata() == pytest.approx(by_deviation["deviation"].to_numpy())
    assert points.get_ydata() == pytest.approx(by_deviation["random_effect"].to_numpy())


def test_shrinkage_factor_at_its_ends():
    assert shrinkage_factor(3, 0.0, 1.0) == 0
    assert shrinkage_factor(3, 0.0, 0.0) == 0
    assert shrinkage_factor(3, 1.0, 0.0) == 1
    assert shrinkage_factor(2, 1.0, 1.0) == pytest.approx(2 / 3)


def test_boundary_fit_is_said_in_words(simulate):
    study = simulate(sigma_between=0.0)
    for name in ("caterpillar", "shrinkage"):
        assert "SD between estimated as 0" in note_of(study.draw(name))
    assert "SD between estimated as 0" in key_texts(study.draw("distributions").axes[0])
    words = study.draw("conditional_marginal").legends[0].get_title().get_text()
    assert "both distributions are the same" in words.replace("\n", " ")


# covariance


def test_covariances_are_printed_and_shaded_on_one_scale(study):
    negative = study.observed.copy()
    negative.iloc[0, 1] = negative.iloc[1, 0] = -2.0
    observed, implied = study.draw("covariance", observed=negative).axes
    for ax, matrix in ((observed, negative), (implied, study.implied)):
        printed = [float(text.get_text().replace("−", "-")) for text in ax.texts]
        assert printed == pytest.approx(matrix.to_numpy().ravel(), abs=0.005)
        shades = ax.collections[0].get_facecolor()
        largest = max(negative.to_numpy().max(), study.implied.to_numpy().max())
        assert shades[:, 3] == pytest.approx(0.55 * np.abs(matrix.to_numpy()).ravel() / largest)
    assert colours.to_hex(observed.collections[0].get_facecolor()[1]) == WITHIN
    assert colours.to_hex(observed.collections[0].get_facecolor()[0]) == BETWEEN


def test_covariance_that_cannot_be_estimated_is_left_out(study):
    figure = study.draw("covariance", observed=None)
    assert [ax.get_title(loc="left") for ax in figure.axes] == ["implied by the model"]
    assert "can't be estimated" in note_of(figure)


def test_large_covariances_are_scaled_and_missing_ones_dashed(study):
    large = study.observed * 1e7
    large.iloc[0, 0] = np.nan
    figure = study.draw("covariance", observed=large, implied=study.implied * 1e7)
    assert "/ 1e+06" in note_of(figure)
    observed, implied = figure.axes
    assert observed.texts[0].get_text() == "–"
    assert implied.texts[0].get_text() == "50.0"


@pytest.mark.parametrize("count", [45, 300])
def test_covariances_of_many_conditions_are_averaged_and_few_of_them_named(study, count):
    names = [f"c{k}" for k in range(count)]
    implied = pd.DataFrame(3.0 + 2.0 * np.eye(count), names, names)
    figure = study.draw("covariance", observed=None, implied=implied)
    (ax,) = figure.axes
    shades = ax.collections[0].get_facecolor()
    assert len(shades) == min(count, 60) ** 2
    each = 5 if count == 300 else 1
    darkest = 3 + 2 / each
    assert np.unique(shades[:, 3].round(9)) == pytest.approx([0.55 * 3 / darkest, 0.55])
    assert ("mean of 5 × 5 covariances" in note_of(figure)) == (each == 5)
    figure.canvas.draw()
    boxes = [label.get_window_extent() for label in ax.get_yticklabels()]
    assert all(one.y0 > other.y1 for one, other in pairwise(boxes))
    assert ax.get_xticklabels()[0].get_text() == "c0"


# means and residuals


def test_means_and_intervals_stand_in_front_of_every_observation(study):
    (ax,) = study.draw("condition_means").axes
    segments = ax.collections[0].get_segments()
    assert [s[0, 1] for s in segments] == pytest.approx(study.means["ci_low"].tolist())
    assert [s[1, 1] for s in segments] == pytest.approx(study.means["ci_high"].tolist())
    raw = lines(ax, MUTED)[0]
    assert sorted(raw.get_ydata()) == pytest.approx(sorted(study.observations["response"]))
    code = study.observations["condition"].cat.codes.to_numpy()
    assert np.all(np.abs(raw.get_xdata() - code) <= 0.25)
    assert [t.get_text() for t in ax.texts] == [f"{m:.2f}" for m in study.means["estimate"]]


def test_many_observations_become_mirrored_histograms(simulate):
    (ax,) = simulate(1000).draw("condition_means").axes
    assert lines(ax, MUTED) == []
    shapes = [c.get_paths()[0].vertices for c in ax.collections[:3]]
    for j, shape in enumerate(shapes):
        assert shape[:, 0].max() - j == pytest.approx(j - shape[:, 0].min())
    assert key_texts(ax) == ["mean and 95% interval", "3,000 observations"]


def test_another_factors_means_have_a_panel_of_their_own(study):
    odd = pd.factorize(study.observations["subject"])[0] % 2
    rows = study.observations.assign(condition=np.array(["old", "young"])[odd])
    levels = pd.DataFrame(
        {"condition": ["old", "young"], "estimate": [1.0, 2.0], "ci_low": 0.5, "ci_high": 3.0}
    )
    figure = study.draw("condition_means", beside=("age", rows, levels))
    main, other = figure.axes
    assert main.get_ylim() == other.get_ylim()
    assert other.get_xlabel() == "age"
    assert [tick.get_text() for tick in other.get_xticklabels()] == ["old", "young"]
    ends = [segment[:, 1].tolist() for segment in other.collections[0].get_segments()]
    assert ends == [[0.5, 3.0]] * 2
    assert len(lines(other, MUTED)[0].get_ydata()) == len(rows)
    (shared,) = figure.legends
    assert [text.get_text() for text in shared.texts] == ["mean and 95% interval", "observations"]
    assert main.get_legend() is None
    figure.draw_without_rendering()
    apart = other.get_position().x0 - main.get_position().x1
    assert 0 < apart < 0.1


def of_groups(ax) -> list:
    """The lines that join a group's means: drawn in a style, not the caps or the observations."""
    return [line for line in ax.lines if line.get_linestyle() != "None"]


def test_each_groups_means_and_intervals_stand_beside_the_others(study):
    given = study.grouped(("g1", "g2", "g3"))
    (ax,) = study.draw("condition_means", **given).axes
    drawn = of_groups(ax)
    for line, segments, (_, own) in zip(
        drawn, ax.collections, given["groups"].groupby("group"), strict=True
    ):
        assert line.get_ydata() == pytest.approx(own["estimate"].tolist())
        ends = np.array([segment[:, 1] for segment in segments.get_segments()])
        assert ends == pytest.approx(own[["ci_low", "ci_high"]].to_numpy())
        assert [s[0, 0] for s in segments.get_segments()] == pytest.approx(line.get_xdata())
    places = np.array([line.get_xdata() for line in drawn])
    assert np.all(np.diff(places.T.ravel()) > 0)
    assert np.all(np.abs(places - np.arange(3)) < 0.5)
    assert list(ax.texts) == []


def test_groups_differ_in_marker_and_line_and_the_key_names_them(study):
    levels = tuple("abcdef")
    (ax,) = study.draw("condition_means", **study.grouped(levels)).axes
    drawn = of_groups(ax)
    assert len({line.get_marker() for line in drawn}) == 6
    assert len({str(line._dash_pattern) for line in drawn}) == 6
    assert key_texts(ax) == [*levels, "observations"]
    for line, handle in zip(drawn, ax.get_legend().get_lines(), strict=False):
        assert handle.get_marker() == line.get_marker()
        assert handle.get_color() == line.get_color()
    assert ax.get_legend().get_title().get_text() == "group: means and 95% intervals"


def test_each_groups_observations_lie_behind_its_means(study):
    given = study.grouped()
    (ax,) = study.draw("condition_means", **given).axes
    (raw,) = lines(ax, MUTED)
    table = given["observations"]
    assert raw.get_ydata() == pytest.approx(table["response"].to_numpy())
    code = table["condition"].cat.codes.to_numpy()
    own = np.array([line.get_xdata() for line in of_groups(ax)])
    place = own[(table["group"] == "g2").to_numpy().astype(int), code]
    apart = own[1, 0] - own[0, 0]
    assert np.all(np.abs(raw.get_xdata() - place) < 0.5 * apart + 0.11 * apart)
    assert raw.get_zorder() < of_groups(ax)[0].get_zorder()


def test_many_observations_of_groups_become_mirrored_histograms(simulate):
    study = simulate(1000)
    (ax,) = study.draw("condition_means", **study.grouped()).axes
    assert lines(ax, MUTED) == []
    shapes = [c for c in ax.collections if len(c.get_facecolor())]
    middle = [shape.get_paths()[0].vertices[:, 0] for shape in shapes]
    middle = sorted((x.min() + x.max()) / 2 for x in middle)
    own = np.array([line.get_xdata() for line in of_groups(ax)])
    assert middle == pytest.approx(sorted(own.ravel()))
    assert key_texts(ax) == ["g1", "g2", "3,000 observations"]


def test_groups_too_close_for_their_observations_are_means_alone(simulate):
    study = simulate(30, tuple(f"t{j}" for j in range(10)))
    (ax,) = study.draw("condition_means", **study.grouped(tuple("abcdef"))).axes
    assert lines(ax, MUTED) == []
    assert key_texts(ax) == list("abcdef")


def test_a_group_without_a_condition_leaves_a_gap(study):
    given = study.grouped()
    given["groups"] = given["groups"].drop(index=1)
    (ax,) = study.draw("condition_means", **given).axes
    first, second = of_groups(ax)
    assert np.isnan(first.get_ydata()).tolist() == [False, True, False]
    assert np.isfinite(second.get_ydata()).all()


def test_running_quartiles_are_those_of_neighbours():
    rng = np.random.default_rng(3)
    x = rng.permutation(np.arange(1000.0))
    y = rng.normal(x, 1 + x / 100)
    at, lower, median, upper = running_quartiles(x, y)
    assert len(at) == 20
    first = y[x < 50]
    assert at[0] == pytest.approx(24.5)
    assert (lower[0], median[0], upper[0]) == pytest.approx(
        tuple(np.quantile(first, [0.25, 0.5, 0.75]))
    )


def test_shaded_cells_cover_every_residual_once(simulate):
    study = simulate(1000)
    figure = study.draw("residuals_fitted")
    (ax,) = figure.axes
    assert note_of(figure).startswith("3,000 residuals")
    points = study.residuals[["fitted", "residual"]].to_numpy()
    cells = [part for patch in ax.patches for part in patch.get_path().to_polygons()]
    covered = np.zeros(len(points), int)
    for cell in cells:
        (left, bottom), (right, top) = np.min(cell, axis=0), np.max(cell, axis=0)
        inside = (points >= [left, bottom]) & (points <= [right, top])
        covered += inside.all(axis=1)
    assert np.all(covered == 1)
    shades = [patch.get_alpha() for patch in ax.patches]
    assert shades == sorted(shades)


def test_an_observation_without_a_mean_is_refused(study):
    strange = pd.concat(
        [study.observations, study.observations.iloc[:1].assign(condition="t9")], ignore_index=True
    )
    with pytest.raises(ValueError, match="'t9' has observations but no mean"):
        dataclasses.replace(study, observations=strange).draw("data_by_subject")


# diagnostics


def test_points_outside_the_band_are_open_larger_and_counted(study):
    points = study.quantile_points
    rows = points.index[points["of"] == "residual"]
    points.loc[rows[0], "observed"] = points.loc[rows[0], "low"] - 1
    points.loc[rows[-2:], "observed"] = points.loc[rows[-2:], "high"] + 1
    left, right = study.draw("quantile_plots", points=points).axes
    inside, outside = lines(left, WITHIN)
    assert len(inside.get_xdata()) == 33
    assert outside.get_xdata() == pytest.approx(points.loc[rows[[0, -2, -1]], "theoretical"])
    assert outside.get_ydata() == pytest.approx(points.loc[rows[[0, -2, -1]], "observed"])
    assert outside.get_markerfacecolor() == "none"
    assert outside.get_markersize() > inside.get_markersize()
    assert "3 of 36 outside" in key_texts(left)
    assert "0 of 12 outside" in key_texts(right)
    assert len(lines(right, BETWEEN)) == 1


def test_random_effects_without_spread_or_absent_have_no_panel(simulate):
    study = simulate(sigma_between=0.0)
    figure = study.draw("quantile_plots")
    assert len(figure.axes) == 1
    assert "SD between estimated as 0" in note_of(figure)
    figure = study.draw("quantile_plots", points=study.quantile_points.query("of == 'residual'"))
    assert len(figure.axes) == 1
    assert note_of(figure) == "No random effects to draw."


@pytest.mark.parametrize("count", [12, 1000])
def test_size_of_residuals_has_each_conditions_mean(simulate, count):
    study = simulate(count)
    (ax,) = study.draw("scale_location").axes
    size = np.sqrt(study.residuals["residual"].abs() / 1.414)
    expected = size.groupby(study.residuals["condition"], observed=True).mean()
    for line in lines(ax, WITHIN):
        assert line.get_ydata() == pytest.approx(expected.to_numpy())
    assert lines(ax, INK)[0].get_ydata() == pytest.approx([size.mean()] * 2)
    raw = lines(ax, MUTED)
    assert len(raw) == (count == 12)
    if raw:
        assert raw[0].get_ydata() == pytest.approx(size.to_numpy())


def test_sizes_stand_in_the_order_of_categories_that_occur_or_of_the_numbers(study):
    levels = ["t9", "t3", "t1", "t2"]
    condition = study.residuals["condition"].cat.set_categories(levels)
    changed = study.residuals.assign(condition=condition)
    (ax,) = study.draw("scale_location", residuals=changed).axes
    assert [label.get_text() for label in ax.get_xticklabels()] == levels[1:]
    changed["condition"] = np.tile([8, 0.5, 1], 12)
    (ax,) = study.draw("scale_location", residuals=changed).axes
    assert lines(ax, WITHIN)[0].get_xdata().tolist() == [0.5, 1, 8]


def test_no_spread_within_is_said_in_words(study):
    tiny = study.residuals.assign(residual=1e-15)
    figure = study.draw("scale_location", residuals=tiny, sigma_within=0.0)
    assert "SD within estimated as 0" in note_of(figure)
    assert not np.any(lines(figure.axes[0], WITHIN)[0].get_ydata())


def test_named_are_the_largest_distances_that_stand_out():
    distance = np.array([1.0, 9.0, 1.0, np.nan, 7.0, 1.0, 1.0, 1.0, 1.0])
    assert most_influential(distance).tolist() == [1, 4]
    assert most_influential(np.ones(8)).tolist() == [0]
    assert most_influential(np.append(np.ones(100), np.arange(10, 17))).tolist() == [
        *range(106, 101, -1)
    ]
    assert most_influential(np.zeros(8)).tolist() == []
    assert most_influential(np.full(8, np.nan)).tolist() == []


def named_in(ax) -> set[str]:
    return {text.get_text() for text in ax.texts}


def test_every_subject_has_a_stem_and_the_most_influential_a_name(simulate):
    study = simulate(45)
    table = study.influence
    table.loc[[3, 9], table.columns[1:]] = np.nan
    table.loc[[7, 30], "cooks_distance"] = [0.5, 0.4]
    figure = study.draw("influence", influence=table)
    above, below = figure.axes
    stems = lines(above, MUTED)[0].get_ydata().reshape(45, 3)
    np.testing.assert_array_equal(stems[:, 1], table["cooks_distance"])
    (largest,) = lines(above, BETWEEN)
    assert largest.get_data()[0].tolist() == [8, 31]
    assert named_in(above) == named_in(below) == {"p7", "p30"}
    (moved,) = lines(below, BETWEEN)
    kept = table.loc[[7, 30]]
    x, y = moved.get_data()
    assert x == pytest.approx(100 * (kept["sigma_within"].to_numpy() / 1.414 - 1))
    assert y == pytest.approx(100 * (kept["sigma_between"].to_numpy() / 1.732 - 1))
    assert len(lines(below, MUTED)[0].get_xdata()) == 43
    assert "can't be fitted without 2 of 45" in note_of(figure)


def test_each_standard_deviation_has_a_panel_of_changes(study):
    table = study.influence
    table["sd_day"] = np.linspace(1.0, 2.0, len(table))
    given = {"sigma_between": 1.732, "sd_day": 1.0, "sigma_within": 1.414}
    titles = {"sigma_between": "SD of means", "sd_day": "SD of days", "sigma_within": "SD within"}
    figure = study.draw("influence", influence=table, deviations=given, titles=titles)
    assert [ax.get_ylabel() for ax in figure.axes[1:]] == [
        "change in SD of means (%)",
        "change in SD of days (%)",
    ]
    moved = lines(figure.axes[2], MUTED)[0].get_ydata()
    assert moved == pytest.approx(np.linspace(0, 100, len(table)))


def test_names_lie_inside_and_never_on_each_other(simulate):
    study = simulate(45, person="a subject of a long name, number {}")
    table = study.influence
    # Neighbours in both panels.
    table.loc[20:24, table.columns[1:]] = [[0.5, 1.7, 1.4]] * 5
    figure = study.draw("influence", influence=table)
    figure.draw_without_rendering()
    for ax in figure.axes:
        boxes = [Text.get_window_extent(text) for text in ax.texts]  # without lines to points
        assert len(boxes) >= 3
        frame = ax.get_window_extent()
        for k, box in enumerate(boxes):
            assert frame.x0 <= box.x0 <= box.x1 <= frame.x1
            assert frame.y0 <= box.y0 <= box.y1 <= frame.y1
            assert not any(box.overlaps(other) for other in boxes[:k])


def test_distances_of_many_are_drawn_by_rank(simulate):
    study = simulate(5000)
    table = study.influence
    figure = study.draw("influence")
    above, below = figure.axes
    rank, distance = lines(above, MUTED)[0].get_data()
    assert len(rank) <= 300
    expected = table.sort_values("cooks_distance", ascending=False)
    assert (rank[0], rank[-1]) == (1, 5000)
    assert distance == pytest.approx(expected["cooks_distance"].to_numpy()[rank - 1])
    names = expected["subject"].head(5).tolist()
    assert [text.get_text() for text in above.texts] == [
        f"{k}  {name}" for k, name in enumerate(names, start=1)
    ]
    assert lines(below, MUTED) == []
    assert "the stronger a cell's colour" in note_of(figure)


def test_changes_from_zero_are_in_the_responses_unit(simulate):
    study = simulate(sigma_between=0.0)
    table = study.influence.assign(sigma_between=np.arange(12) / 10)
    figure = study.draw("influence", influence=table)
    below = figure.axes[1]
    assert below.get_ylabel() == "change in SD between (points)"
    assert lines(below, MUTED)[0].get_ydata() == pytest.approx(np.arange(12) / 10)
    assert "SD between estimated as 0" in note_of(figure)


def test_a_model_that_loses_any_subject_leaves_one_empty_panel(simulate):
    figure = simulate(2).draw("influence")
    assert len(figure.axes) == 1
    assert "can't be fitted without any one of them" in note_of(figure)


def test_distances_of_zero_name_nobody(study):
    figure = study.draw("influence", influence=study.influence.assign(cooks_distance=0.0))
    assert [named_in(ax) for ax in figure.axes] == [set(), set()]
    assert figure.axes[0].get_ylim()[0] == 0


def test_profiles_end_their_intervals_where_the_table_says(study):
    curves, intervals = study.profiles
    rows = intervals.set_index("parameter")
    order = ["sigma_between", "sigma_within", "icc", "time[T.t1]", "time[T.t2]", "time[T.t3]"]
    assert intervals["parameter"].tolist() != order
    for ax, name in zip(study.draw("profile_zeta").axes, order, strict=True):
        drops = [c.get_segments()[0] for c in ax.collections]
        row = rows.loc[name]
        assert [drop[1, 0] for drop in drops] == [row["ci_low"], row["ci_high"]]
        assert [drop[1, 1] for drop in drops] == pytest.approx([-1.96, 1.96], abs=0.02)
        curve = curves[curves["parameter"] == name]
        drawn = next(line for line in ax.lines if len(line.get_xdata()) == len(curve))
        np.testing.assert_array_equal(drawn.get_data(), curve[["value", "zeta"]].to_numpy().T)
        points = [line for line in ax.lines if line.get_marker() == "o"]
        assert [(p.get_xdata()[0], p.get_ydata()[0]) for p in points] == [(row["estimate"], 0)]


def test_an_interval_cut_at_a_boundary_ends_in_an_open_point(simulate):
    study = simulate(6, sigma_between=0.7)
    _, intervals = study.profiles
    ax = study.draw("profile_zeta").axes[0]
    row = intervals.set_index("parameter").loc["sigma_between"]
    assert row["ci_low"] == 0
    end, estimate = (line for line in ax.lines if line.get_marker() == "o")
    assert end.get_xdata()[0] == 0
    assert -1.9 < end.get_ydata()[0] < 0
    assert end.get_markerfacecolor() == "none"
    assert estimate.get_xdata()[0] == row["estimate"]


def test_twelve_profiles_are_drawn_and_the_rest_counted(simulate):
    study = simulate(conditions=tuple(f"t{j}" for j in range(20)))
    figure = study.draw("profile_zeta")
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert titles[:3] == ["SD between (points)", "SD within (points)", "ICC"]
    assert titles[3:] == [f"time[T.t{j}]" for j in range(9)]
    assert "The last 11 of 23 parameters are not drawn." in note_of(figure)


def test_the_straight_line_has_the_curves_slope_at_the_estimate():
    value = np.linspace(0.8, 4.0, 41)
    assert slope_at(2.03, value, 3 * np.log(value / 2.03)) == pytest.approx(3 / 2.03, rel=1e-3)
    assert slope_at(2.03, value, 1.5 * (value - 2.03)) == pytest.approx(1.5)
    assert slope_at(0.8, value, np.sqrt(value - 0.8)) is None


def test_the_straight_line_is_drawn_through_the_estimate_unless_at_a_boundary(simulate):
    def straight(study):
        ax = study.draw("profile_zeta").axes[0]
        return [line for line in lines(ax, MUTED) if np.ptp(line.get_ydata()) > 0]

    study = simulate()
    (line,) = straight(study)
    (x0, x1), (y0, y1) = line.get_data()
    estimate = study.profiles[1].set_index("parameter").loc["sigma_between", "estimate"]
    assert x0 - y0 * (x1 - x0) / (y1 - y0) == pytest.approx(estimate)
    # For normal subject means of variance v = sigma^2 + noise: sqrt(2 J) sigma / v.
    noise = 1.414**2 / 3
    expected = math.sqrt(2 * 12) * 1.732 / (1.732**2 + noise)
    assert (y1 - y0) / (x1 - x0) == pytest.approx(expected, rel=0.01)
    assert straight(simulate(sigma_between=0.0)) == []
