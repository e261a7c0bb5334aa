"""What is drawn equals the data: read back from the artists of each figure."""

import dataclasses
import math

import matplotlib.colors as colours
import numpy as np
import pandas as pd
import pytest
from scipy import special

from twolevel.figures.residuals_fitted import running_quartiles
from twolevel.figures.shrinkage import shrinkage_factor
from twolevel.figures.theme import BETWEEN, INK, MARGINAL, MUTED, WITHIN


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
    truth = {"grand_mean": 5.5, "sigma_between": 2.0, "sigma_within": 1.0}
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


def test_one_subjects_own_fit_is_saturated_and_the_shared_one_leaves_residuals(study):
    own, shared = study.draw("one_subject").axes
    y = study.observations["response"].to_numpy()[:3]
    grand = study.means["estimate"].to_numpy()
    assert lines(own, INK)[-1].get_ydata() == pytest.approx(y)
    for segment in own.collections[0].get_segments():
        assert np.ptp(segment[:, 1]) == 0
    shift = np.mean(y - grand)
    assert lines(shared, MUTED)[0].get_ydata() == pytest.approx(grand)
    assert lines(shared, BETWEEN)[0].get_ydata() == pytest.approx(grand + shift)
    ends = np.array([segment[:, 1] for segment in shared.collections[0].get_segments()])
    assert ends[:, 1] - ends[:, 0] == pytest.approx(y - grand - shift)
    assert "residuals: all 0" in key_texts(own)
    assert "0 degrees of freedom left" in key_texts(own)


def test_replicates_leave_one_subject_degrees_of_freedom(simulate):
    own, _ = simulate(replicates=3).draw("one_subject").axes
    assert key_texts(own) == [
        "3 means from 9 observations",
        "residuals",
        "6 degrees of freedom left",
    ]


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


def test_marginal_histogram_has_unit_area(study):
    values, edges, _ = study.draw("conditional_marginal").axes[0].patches[0].get_data()
    assert np.sum(values * np.diff(edges)) == pytest.approx(1)


def test_caterpillar_is_sorted_with_95_percent_intervals(study):
    figure = study.draw("caterpillar")
    (ax,) = figure.axes
    estimate = lines(ax, BETWEEN)[0].get_xdata()
    effects = study.random_effects.sort_values("random_effect")
    assert estimate == pytest.approx(study.grand_mean + effects["random_effect"].to_numpy())
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == effects["subject"].tolist()
    widths = [np.ptp(segment[:, 0]) for segment in ax.collections[0].get_segments()]
    assert widths == pytest.approx(list(2 * 1.959964 * effects["se"]), rel=1e-6)
    outside = (np.abs(effects["random_effect"]) > 1.959964 * effects["se"]).sum()
    assert f"{outside} of 12 95% intervals exclude it" in note_of(figure)


def test_caterpillar_of_many_is_a_ribbon_of_the_same_intervals(simulate):
    study = simulate(5000)
    (ax,) = study.draw("caterpillar").axes
    middle = lines(ax, BETWEEN)[0].get_xdata()
    assert len(middle) == 200
    assert np.all(np.diff(middle) > 0)
    effects = np.sort(study.random_effects["random_effect"])
    assert middle == pytest.approx(study.grand_mean + effects.reshape(200, 25).mean(axis=1))


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
