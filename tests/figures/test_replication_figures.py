"""Figures of replication studies: what is drawn equals the tables, whatever the grid."""

import math
import re
import warnings
import xml.etree.ElementTree as ET
from itertools import pairwise

import matplotlib.colors as colours
import numpy as np
import pandas as pd
import pytest
from test_figures_all import texts, words_outside

from twolevel.figures.panels import Subjects, left_out, measured, percent, some
from twolevel.figures.replication_registry import OF_REPLICATION
from twolevel.figures.theme import BETWEEN, INK, MARGINAL, WITHIN
from twolevel.figures.words import width
from twolevel.findings.of_replication.config_words import SpreadWords

QUANTITIES = ("grand_mean", "between_variance", "within_variance")
Z = 1.959963984540054


@pytest.fixture(params=OF_REPLICATION)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


def line_of(ax, colour, marker):
    (line,) = (
        line
        for line in ax.lines
        if colours.to_hex(line.get_color()) == colour and line.get_marker() == marker
    )
    return line


def bars(ax) -> list[list[tuple[float, float]]]:
    """Return low and high of the intervals of every series, in the order of drawing."""
    return [
        [tuple(segment[:, 1]) for segment in collection.get_segments()]
        for collection in ax.collections
    ]


def words_of(figure) -> str:
    return figure.legends[0].get_title().get_text().replace("\n", " ")


def key_of(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def at(study, quantity, measure, method="", **point) -> pd.DataFrame:
    table = study.measures.set_index("subjects")
    for column, value in {
        "quantity": quantity,
        "measure": measure,
        "method": method,
        **point,
    }.items():
        table = table[table[column] == value]
    return table


# what is drawn


def test_histograms_hold_the_share_of_experiments_that_theory_is_beside(planning):
    axes = np.array(planning.draw("sampling_distributions").axes).reshape(3, 3)
    table = planning.distributions.query("sigma_between == 1 and missing == 0")
    for down, n in zip(axes, (8, 12, 20), strict=True):
        zeros = at(planning, "boundary", "rate", sigma_between=1, missing=0).loc[n, "value"]
        for ax, quantity in zip(down, QUANTITIES, strict=True):
            row = table[(table["subjects"] == n) & (table["quantity"] == quantity)]
            values, edges, _ = ax.patches[0].get_data()
            inside = 1 - zeros * (quantity == "between_variance")
            assert np.sum(values * np.diff(edges)) == pytest.approx(inside)
            place = np.searchsorted(edges, (row["low"] + row["high"]) / 2) - 1
            counted = np.bincount(place, row["count"], len(values))
            assert values * np.diff(edges) == pytest.approx(counted / 200)
            theory = ax.lines[0]
            wide = (row["high"] - row["low"]).to_numpy()
            assert theory.get_ydata() * wide == pytest.approx(row["expected"].to_numpy())


def test_histograms_have_the_truth_and_the_share_of_zeros(replicated):
    study = replicated((8, 40), (0.5, 0.8), (0.0,))
    axes = np.array(study.draw("sampling_distributions").axes).reshape(2, 3)
    for down in axes:
        assert [ax.lines[1].get_xdata()[0] for ax in down] == pytest.approx([5.5, 0.64, 1.0])
    share = at(study, "boundary", "rate", sigma_between=0.8)["value"]
    assert share[8] > 0 == share[40]
    assert [ax.texts[0].get_text() for ax in axes[:, 1]] == [
        f"{100 * share[8]:.2g}% are 0",
        "none is 0",
    ]
    assert not [ax for ax in axes[:, [0, 2]].flat if ax.texts]


def test_rows_share_the_horizontal_axes_and_estimates_lie_within(planning):
    axes = np.array(planning.draw("sampling_distributions").axes).reshape(3, 3)
    for ax, quantity in zip(axes[0], QUANTITIES, strict=True):
        (low, high), *others = {each.get_xlim() for each in axes[:, list(axes[0]).index(ax)]}
        assert not others
        rows = planning.distributions.query("subjects == 8 and sigma_between == 1 and missing == 0")
        rows = rows[rows["quantity"] == quantity]
        inside = rows[(rows["low"] >= low) & (rows["high"] <= high)]
        assert inside["count"].sum() >= 0.99 * rows["count"].sum()


def test_few_experiments_make_wide_bins(replicated):
    bins = [
        len(
            replicated((8,), (1.0,), (0.0,), experiments=count)
            .draw("sampling_distributions")
            .axes[0]
            .patches[0]
            .get_data()
            .values
        )
        for count in (10, 200, 5000)
    ]
    assert bins == sorted(set(bins))
    assert bins[-1] == 60


def test_incomplete_data_have_no_curve_of_theory(replicated):
    figure = replicated((8,), (1.0,), (0.1,)).draw("sampling_distributions")
    assert key_of(figure) == ["estimates", "truth"]
    assert [len(ax.lines) for ax in figure.axes] == [1, 1, 1]


def test_raw_variance_stands_beside_the_corrected_one_and_the_truth(planning):
    figure = planning.draw("two_stage_bias")
    for ax, sigma_between in zip(figure.axes, (0.0, 1.0), strict=True):
        assert set(ax.lines[0].get_ydata()) == {sigma_between**2}
        looks = {
            "raw_variance": (WITHIN, "s"),
            "two_stage_variance": (BETWEEN, "o"),
            "between_variance": (MARGINAL, "^"),
        }
        for (quantity, look), interval in zip(looks.items(), bars(ax), strict=True):
            bias = at(planning, quantity, "bias", sigma_between=sigma_between, missing=0)
            mean = sigma_between**2 + bias["value"].to_numpy()
            assert line_of(ax, *look).get_ydata() == pytest.approx(mean)
            half = Z * bias["mcse"].to_numpy()
            assert np.array(interval) == pytest.approx(np.column_stack([mean - half, mean + half]))
        assert ax.get_ylim()[0] <= 0


def test_bias_is_in_empirical_errors_and_intervals_cover_beside_95_percent(planning):
    figure = planning.draw("bias_coverage")
    above, below = np.array(figure.axes).reshape(2, 2)
    looks = {
        "grand_mean": (INK, "o"),
        "alpha[t1]": (MARGINAL, "^"),
        "between_variance": (BETWEEN, "s"),
        "within_variance": (WITHIN, "D"),
    }
    for up, down, sigma_between in zip(above, below, (0.0, 1.0), strict=True):
        point = {"sigma_between": sigma_between, "missing": 0}
        for quantity, look in looks.items():
            ratio = at(planning, quantity, "bias", **point)["value"]
            ratio = ratio / at(planning, quantity, "empirical_se", **point)["value"]
            assert line_of(up, *look).get_ydata() == pytest.approx(ratio.to_numpy())
        # A mean of 200 errors is known to 1.96 / sqrt(200) of their SD.
        for low, high in (interval for series in bars(up) for interval in series):
            assert high - low == pytest.approx(2 * Z / math.sqrt(200))
        for quantity in ("grand_mean", "alpha[t1]"):
            covered = at(planning, quantity, "coverage", **point)["value"].to_numpy()
            assert line_of(down, *looks[quantity]).get_ydata() == pytest.approx(covered)
        assert len(bars(down)) == 2
        assert set(down.lines[0].get_ydata()) == {0.95}
        assert set(up.lines[0].get_ydata()) == {0}
    assert "effect of t1" in key_of(figure)


def test_power_has_a_line_for_each_share_missing_and_theory(planning):
    found = [(1.0, 0.1, 0.8, 14), (1.0, 0.1, 0.9, None), (1.0, 0.1, 0.9, 21), (0.0, 0.0, 0.8, 11)]
    keys = ("sigma_between", "missing", "power", "subjects")
    answers = [dict(zip(keys, each, strict=True)) | {"replicates": 1} for each in found]
    (ax,) = planning.draw("power_curves", powers=(0.7, 0.95), answers=answers).axes
    for missing, look in ((0.0, (BETWEEN, "o")), (0.1, (WITHIN, "s"))):
        point = {"sigma_between": 1.0, "missing": missing}
        power = at(planning, "condition", "power", "kenward-roger", **point)["value"]
        assert line_of(ax, *look).get_ydata() == pytest.approx(power.to_numpy())
    theory = at(planning, "condition", "power", "anova", sigma_between=1.0, missing=0)["theory"]
    assert line_of(ax, INK, "_").get_ydata() == pytest.approx(theory.to_numpy())
    assert line_of(ax, INK, "_").get_xdata().tolist() == [8, 12, 20]
    assert [line.get_ydata()[0] for line in ax.lines[:2]] == [0.7, 0.95]
    (circle,) = (line for line in ax.lines if line.get_markerfacecolor() == "none")
    assert (circle.get_xdata()[0], circle.get_ydata()[0]) == (14, 0.8)
    assert colours.to_hex(circle.get_color()) == WITHIN
    assert ax.get_ylim()[0] == 0
    assert 1 <= ax.get_ylim()[1] < 1.05


def test_power_has_panels_only_where_the_spread_between_matters(planning):
    figure = planning.draw("power_curves")
    power = planning.measures.query("measure == 'power' and method == 'kenward-roger'")
    wide = power.pivot_table("value", ["subjects", "missing"], "sigma_between")
    most = (wide[0.0] - wide[1.0]).abs().max()
    assert f"power differs by at most {100 * most:.2g} points" in words_of(figure)
    lower = planning.measures["sigma_between"].eq(0) & planning.measures["measure"].eq("power")
    changed = planning.measures.assign(
        value=planning.measures["value"].where(~lower, planning.measures["value"] / 4)
    )
    figure = planning.draw("power_curves", measures=changed)
    assert [ax.get_title("left") for ax in figure.axes] == ["SD between = 0", "SD between = 1"]
    assert "differs" not in words_of(figure)


def test_chance_differences_of_power_make_no_panels(planning):
    few = planning.measures["measure"].eq("power") & planning.measures["sigma_between"].eq(0)
    few &= planning.measures["subjects"].eq(8) & planning.measures["value"].notna()
    value = planning.measures["value"].mask(few, 0.0)
    rare = planning.measures.assign(value=value, n=2, mcse=0.0)
    assert len(planning.draw("power_curves", measures=rare).axes) == 1
    often = planning.measures.assign(value=value, n=2000, mcse=0.0)
    assert len(planning.draw("power_curves", measures=often).axes) == 2


def test_the_power_of_an_anova_has_no_line_where_cells_are_missing(replicated):
    figure = replicated(test="anova").draw("power_curves")
    assert key_of(figure) == ["complete data", "theory, complete data"]


def test_every_test_has_its_errors_and_anova_none_with_cells_missing(replicated):
    study = replicated((8, 20), (0.5, 1.0), test="satterthwaite")
    figure = study.draw("type_one_error")
    axes = np.array(figure.axes).reshape(2, 2)
    assert key_of(figure)[:-1] == ["asymptotic", "Satterthwaite", "Kenward–Roger", "ANOVA"]
    methods = ["asymptotic", "satterthwaite", "kenward-roger", "anova"]
    for down, missing in zip(axes, (0.0, 0.1), strict=True):
        for ax, sigma_between in zip(down, (0.5, 1.0), strict=True):
            nominal, *series = ax.lines
            assert set(nominal.get_ydata()) == {0.05}
            point = {"sigma_between": sigma_between, "missing": missing}
            wanted = methods if missing == 0 else methods[:-1]
            for line, method in zip(series, wanted, strict=True):
                errors = at(study, "condition", "type_one_error", method, **point)["value"]
                assert line.get_ydata() == pytest.approx(errors.to_numpy())
    assert [ax.get_ylabel().split("\n")[1] for ax in axes[:, 0]] == ["complete data", "10% missing"]
    titles = [ax.get_title("left") for ax in axes[0]]
    assert titles == ["SD between = 0.5", "SD between = 1"]
    assert len({line.get_marker() for line in axes[0, 0].lines}) == 5


# parts


def test_intervals_of_shares_are_where_the_share_would_just_be_rejected():
    table = pd.DataFrame(
        {
            "subjects": [8, 12, 20],
            "quantity": "grand_mean",
            "measure": "coverage",
            "method": "",
            "n": [10, 200, 10_000_000],
            "value": [1.0, 0.93, 0.95],
        }
    )
    table["mcse"] = np.sqrt(table["value"] * (1 - table["value"]) / table["n"])
    found = measured(table, "grand_mean", "coverage")
    for row in found.itertuples():
        for end in (row.low, row.high)[: 1 if row.value == 1 else 2]:
            apart = abs(end - row.value) / math.sqrt(end * (1 - end) / row.n)
            assert apart == pytest.approx(Z, rel=1e-5)
    assert found["low"].iloc[0] == pytest.approx(10 / (10 + Z**2))
    assert found["high"].iloc[0] == pytest.approx(1.0)


def test_what_has_no_value_is_left_out_and_rows_are_in_order():
    table = pd.DataFrame(
        {
            "subjects": [20, 8, 12],
            "quantity": "grand_mean",
            "measure": "bias",
            "method": "",
            "n": 5,
            "value": [1.0, 2.0, math.nan],
            "mcse": 0.1,
        }
    )
    assert measured(table, "grand_mean", "bias")["subjects"].tolist() == [8, 20]


def test_series_stand_side_by_side_without_reaching_the_next_subjects():
    values = np.array([4.0, 5.0, 6.0, 1000.0])
    subjects = Subjects(values, room=300.0, series=4)
    places = np.array([subjects.beside(values, place) for place in (-1.5, -0.5, 0.5, 1.5)])
    assert (np.diff(places, axis=0) > 0).all()
    assert (places[-1, :-1] < places[0, 1:]).all()
    low, high = subjects.limits
    assert low < places.min() <= places.max() < high
    assert np.sqrt(places[0] * places[-1]) == pytest.approx(values)


def test_some_values_are_evenly_chosen_with_both_ends():
    assert some([5, 1, 3, 3, 2, 4], 3) == [1, 3, 5]
    assert some([2, 1], 3) == [1, 2]
    assert some([7], 3) == [7]


@pytest.fixture(scope="module")
def trials(replicated):
    return replicated((8, 20), (0.5,), (0.0, 0.1), replicates=(1, 2, 5))


def test_power_and_errors_are_told_apart_by_trials_where_their_number_varies(trials, svg):
    answer = {"sigma_between": 0.5, "missing": 0.0, "replicates": 2, "power": 0.8, "subjects": 11}
    figure = trials.draw("power_curves", answers=[answer])
    (ax,) = figure.axes
    for count, look in ((1, (BETWEEN, "o")), (2, (WITHIN, "s")), (5, (MARGINAL, "^"))):
        point = {"missing": 0, "replicates": count}
        power = at(trials, "condition", "power", "kenward-roger", **point)["value"]
        assert line_of(ax, *look).get_ydata() == pytest.approx(power.to_numpy())
    (circle,) = (line for line in ax.lines if line.get_markerfacecolor() == "none")
    assert colours.to_hex(circle.get_color()) == WITHIN
    assert key_of(figure) == [
        *("1 observation in each cell", "2 observations in each cell"),
        *("5 observations in each cell", "theory, complete data"),
    ]
    assert "Shown of the grid: complete data." in words_of(figure)
    errors = trials.draw("type_one_error")
    assert [ax.get_ylabel().split("\n")[1:] for ax in errors.axes] == [
        ["1 observation", "in each cell"],
        ["5 observations", "in each cell"],
    ]
    errors.canvas.draw()
    labels = [ax.yaxis.label.get_window_extent() for ax in errors.axes]
    assert labels[1].y1 < labels[0].y0
    assert words_outside(svg(figure)) == words_outside(svg(errors)) == []


@pytest.mark.parametrize("name", ["sampling_distributions", "two_stage_bias", "bias_coverage"])
def test_other_figures_show_the_designs_with_the_most_trials_and_say_so(trials, name, svg):
    figure = trials.draw(name)
    words = words_of(figure)
    assert words.startswith("Shown of the grid: complete data; 5 observations in each cell.")
    shown = trials.measures.query("replicates == 5 and missing == 0")
    changed = {"measures": shown}
    if name == "sampling_distributions":
        changed["distributions"] = trials.distributions.query("replicates == 5 and missing == 0")
    for ax, alone in zip(figure.axes, trials.draw(name, **changed).axes, strict=True):
        for line, other in zip(ax.lines, alone.lines, strict=True):
            assert line.get_ydata() == pytest.approx(other.get_ydata(), nan_ok=True)
    assert words_outside(svg(figure)) == []


def test_panels_and_words_say_the_icc_where_the_config_does(replicated):
    study = replicated((8,), (0.0, 0.5, 2.0), (0.0,), experiments=60)
    spread = SpreadWords({0.0: 0.0, 0.5: 0.2, 2.0: 0.8})
    figure = study.draw("bias_coverage", spread=spread)
    assert [ax.get_title("left") for ax in figure.axes[:2]] == ["ICC = 0", "ICC = 0.8"]
    assert "Shown of the grid: ICC 0 and 0.8." in words_of(figure)
    power = study.draw("power_curves", spread=spread)
    assert power.axes[0].get_title("left") == "ICC = 0.8"
    assert "At other values of the ICC, power differs" in words_of(power)


def test_what_is_left_out_is_said():
    table = pd.DataFrame({"subjects": [8, 1200], "sigma_between": 1.0, "missing": [0.0, 0.1]})
    table["replicates"] = [1, 20]

    def said(**shown):
        return left_out(table, {"sigma_between": [1.0]} | shown, SpreadWords())

    assert said(missing=[0.1]) == "Shown of the grid: 10% missing."
    assert said(missing=[0.0]) == "Shown of the grid: complete data."
    assert said(subjects=[1200], missing=[0.0, 0.1]) == "Shown of the grid: 1,200 subjects."
    assert said(replicates=[1]) == "Shown of the grid: 1 observation in each cell."
    assert said(replicates=[20]) == "Shown of the grid: 20 observations in each cell."
    assert said() == ""


def test_shares_are_written_in_percent():
    shares = (0.0, 0.0011, 0.05, 0.975, 1.0)
    assert [percent(share) for share in shares] == ["0%", "0.11%", "5%", "97.5%", "100%"]


# every grid


def test_equal_tables_give_equal_bytes(planning, name, svg):
    assert svg(planning.draw(name)) == svg(planning.draw(name))


def test_every_colour_is_a_variable(planning, name, svg):
    drawn = re.sub(r"<style>.*?</style>", "", svg(planning.draw(name)).decode())
    assert not re.findall(r": #[0-9a-f]{6}", drawn)
    assert "<image" not in drawn


def test_tables_are_left_alone(planning, name):
    measures, distributions = planning.measures.copy(), planning.distributions.copy()
    planning.draw(name)
    pd.testing.assert_frame_equal(planning.measures, measures)
    pd.testing.assert_frame_equal(planning.distributions, distributions)


MANY = (5, 6, 8, 10, 15, 20, 30, 50, 100, 200)
SHOWN = {
    "sampling_distributions": "5, 10, 30 and 200 subjects; SD between 2; complete data.",
    "two_stage_bias": "5, 8, 15, 20, 50 and 200 subjects; SD between 0 and 2; complete data.",
    "bias_coverage": "5, 8, 15, 20, 50 and 200 subjects; SD between 0 and 2; complete data.",
    "power_curves": "SD between 2; complete data, 10% missing and 20% missing.",
    "type_one_error": "5, 8, 15, 20, 50 and 200 subjects; SD between 0 and 2;"
    " complete data and 20% missing.",
}


@pytest.fixture(scope="module")
def large(replicated):
    return replicated(MANY, (0.0, 0.2, 0.4, 0.6, 1.0, 2.0), (0.0, 0.05, 0.1, 0.2), experiments=20)


def test_of_a_large_grid_some_is_shown_and_said(large, name, svg):
    figure = large.draw(name)
    assert f"Shown of the grid: {SHOWN[name]}" in words_of(figure)
    if "5, 8, 15, 20, 50 and 200 subjects" in SHOWN[name]:
        assert len(figure.axes[0].lines[-1].get_xdata()) == 6
    document = svg(figure)
    assert len(document) < 150_000
    assert words_outside(document) == []


def test_a_whole_grid_needs_no_note_of_what_is_shown(replicated, name):
    assert "grid" not in words_of(replicated((8,), (1.0,), (0.0,)).draw(name))


CASES = {
    "one point": {"subjects": (8,), "sigma_between": (1.0,), "missing": (0.0,)},
    "ten experiments": {"experiments": 10},
    "two experiments": {"subjects": (8, 9), "experiments": 2},
    "all missing some": {"missing": (0.1, 0.3)},
    "two conditions": {"conditions": ("a", "b")},
    "twelve conditions": {"conditions": tuple(f"t{j}" for j in range(12)), "subjects": (4, 6)},
    "far apart": {"subjects": (3, 4, 2000), "sigma_between": (1 / 3, 1e-4, 12345.678)},
    "far from 0": {"grand_mean": 123456.75, "sigma_between": (1.0,)},
    "never between": {"sigma_between": (0.0,)},
}


@pytest.mark.parametrize("case", CASES)
def test_every_grid_is_drawn(replicated, name, case, svg):
    study = replicated(**({"experiments": 60} | CASES[case]))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = svg(study.draw(name))
    assert words_outside(document) == []
    assert overlapping(document) == []
    assert "nan" not in re.sub(r"<text.*?</text>", "", document.decode()).lower()


def test_titles_of_panels_do_not_run_into_each_other(replicated, name, svg):
    document = svg(replicated((8, 9, 40), (0.3333333, 12.34567, 1234.567)).draw(name))
    assert overlapping(document) == []


def overlapping(document: bytes) -> list[tuple[str, str]]:
    """Return words on one line that would run into each other."""
    placed = []
    for element in ET.fromstring(document).iter("{http://www.w3.org/2000/svg}text"):
        style, words = element.get("style"), "".join(element.itertext())
        if "rotate(-90" in element.get("transform", "") or element.get("x") is None:
            continue
        length = width(words, float(re.search(r"([\d.]+)px", style)[1]))
        anchor = re.search(r"anchor: (\w+)", style)
        before = {"start": 0, "middle": 0.5, "end": 1}[anchor[1] if anchor else "start"]
        left = float(element.get("x")) - before * length
        placed.append((round(float(element.get("y"))), left, left + length, words))
    placed.sort()
    return [
        (first[3], second[3])
        for first, second in pairwise(placed)
        if first[0] == second[0] and second[1] < first[2]
    ]


def test_estimates_that_are_all_0_are_drawn(planning, svg):
    nothing = planning.distributions.assign(count=0)
    zeros = planning.measures.copy()
    zeros.loc[zeros["quantity"].eq("boundary"), "value"] = 1.0
    figure = planning.draw("sampling_distributions", distributions=nothing, measures=zeros)
    assert figure.axes[1].texts[0].get_text() == "100% are 0"
    assert (
        figure.axes[1].get_xlim()[1]
        > planning.distributions.query(
            "quantity == 'between_variance' and subjects == 8 and sigma_between == 1"
        )["high"].max()
        * 0.9
    )
    svg(figure)
    flat = zeros["quantity"].eq("between_variance") & zeros["measure"].eq("empirical_se")
    zeros.loc[flat, "value"] = 0.0
    above = planning.draw("bias_coverage", measures=zeros).axes[0]
    assert len(line_of(above, BETWEEN, "s").get_ydata()) == 0


def test_what_could_not_be_measured_is_left_out(planning, name, svg):
    missing = planning.measures["subjects"].eq(12) & planning.measures["measure"].ne("rate")
    gaps = planning.measures.assign(
        value=planning.measures["value"].mask(missing),
        n=planning.measures["n"].mask(missing, 0),
    )
    figure = planning.draw(name, measures=gaps)
    if name != "sampling_distributions":
        lengths = {
            len(line.get_ydata()) for line in figure.axes[0].lines if line.get_marker() in "os"
        }
        assert lengths == {2}
    svg(figure)


HOSTILE = ("<b>$x$|_^", "$x$", "a|b", "条件\x00", "_a", "&amp;")


def test_names_of_conditions_are_drawn_literally(replicated, name, svg):
    study = replicated((8,), (1.0,), (0.0,), HOSTILE)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        document = svg(study.draw(name))
    if name == "bias_coverage":
        assert "effect of <b>$x$|_^" in texts(document)


@pytest.mark.filterwarnings("ignore:Glyph")
@pytest.mark.parametrize("condition", ["a" * 200, "条" * 200, "a]b[" * 50])
def test_long_names_fit(replicated, condition, svg):
    figure = replicated((8,), (1.0,), (0.0,), (condition, "b")).draw("bias_coverage")
    document = svg(figure)
    assert words_outside(document) == []
    assert any(
        word.startswith(f"effect of {condition[:2]}") and "…" in word for word in texts(document)
    )


def test_numbers_of_subjects_have_room(replicated):
    figure = replicated((100, 101, 102), (1.0,), (0.0,)).draw("two_stage_bias")
    shown = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert shown == ["100", "101", "102"]
    values = np.array([*range(1000, 1030), 5000.0])
    subjects = Subjects(values, room=200.0)
    ax = figure.axes[0]
    subjects.label(ax)
    assert [label.get_text() for label in ax.get_xticklabels()] == ["1,000", "5,000"]
