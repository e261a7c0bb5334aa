"""The plan of a replication study: every experiment once, none again when more are asked for."""

import example_summaries
import pytest
from example_summaries import mean, term
from hypothesis import given
from hypothesis import strategies as st

from twolevel.experiments.blocks import BLOCK
from twolevel.pipeline.point_scenario import scenario_at, study_values
from twolevel.pipeline.slices import PARAMETERS, SAME, Slice, grid_points, plan
from twolevel.text.errors import InputError
from twolevel.text.numbers import written

axes = st.tuples(
    st.lists(st.integers(2, 60), min_size=1, max_size=5, unique=True),
    st.lists(st.sampled_from([0.0, 0.1, 1 / 3, 1.0, 2.5e-7, 1e20]), min_size=1, unique=True),
    st.lists(st.sampled_from([0.0, 0.1, 0.25]), min_size=1, unique=True),
    st.lists(st.integers(1, 20), min_size=1, max_size=2, unique=True),
)
amounts = st.integers(1, 8 * BLOCK)


def units(slices):
    return [(point, block) for part in slices for point in part.points for block in part.blocks]


def needed(points, experiments):
    return {(point, block) for point in points for block in Slice.up_to(experiments).blocks}


@given(axes, amounts)
def test_a_plan_has_every_block_of_every_point_once(values, experiments):
    points = grid_points(values)
    planned = units(plan(points, experiments, [], 3))
    assert sorted(planned) == sorted(needed(points, experiments))


@given(axes, amounts, axes, amounts)
def test_a_later_plan_adds_only_what_is_lacking(before, few, after, many):
    there = plan(grid_points(before), few, [], 3)
    points = grid_points(after)
    slices = plan(points, many, there, 3)
    new = [part for part in slices if part not in there]
    have, want = set(units(there)), needed(points, many)
    assert sorted(units(new)) == sorted(want - have)
    assert want <= set(units(slices))
    assert plan(points, many, {*there, *slices}, 3) == slices


@given(axes, amounts)
def test_a_path_says_all_of_its_slice(values, experiments):
    for part in plan(grid_points(values), experiments, [], 3):
        assert Slice.of_path(f"results/x/experiments/{part.path}.parquet") == part
        assert all(len(folder) < 255 for folder in part.path.split("/"))
        assert "," not in part.path, "Snakemake cannot send such a job to a cluster"


@given(axes, amounts)
def test_cutting_a_plan_into_jobs_changes_no_numbers_drawn(values, experiments):
    points = grid_points(values)
    slices = plan(points, experiments, [], 3)
    alone = [Slice(tuple((v,) for v in point), 0, experiments) for point in points]
    assert sum(s.numbers(3) for s in slices) == sum(s.numbers(3) for s in alone)


def test_the_last_block_may_be_a_part_of_one():
    part = Slice((("20",), ("1",), ("0",), ("1",)), BLOCK, 2 * BLOCK + 7)
    assert part.blocks == [(1, BLOCK), (2, 7)]


def test_blocks_that_are_apart_are_no_slice():
    points = grid_points([[20], [1.0], [0.0], [1]])
    (values,) = {part.values for part in plan(points, 1, [], 3)}
    there = Slice(values, BLOCK, 2 * BLOCK)
    assert plan(points, 3 * BLOCK, [there], 3) == [
        Slice(values, 0, BLOCK),
        there,
        Slice(values, 2 * BLOCK, 3 * BLOCK),
    ]


def test_a_long_axis_is_cut_into_folders_that_have_names():
    slices = plan(grid_points([range(2, 400), [1.0], None, None]), 10, [], 3)
    assert len(slices) > 1
    assert len(units(slices)) == 398


def test_large_work_is_cut_into_jobs_and_small_work_is_not():
    points = grid_points([[20], [1.0], [0.0], [1]])
    assert len(plan(points, 10_000, [], 3)) == 1
    jobs = plan(points, 100_000_000, [], 3)
    assert 4 <= len(jobs) <= 20
    assert all(part.first % BLOCK == 0 for part in jobs)


def test_numbers_in_paths_are_exact():
    for value in (0.1, 1 / 3, 1e-300, 12.0, 2.5e20):
        assert float(written(value)) == value
    assert written(1.0) == "1"


COLUMNS = {"subject": "id", "condition": "the time", "response": "y"}


def design(**changes):
    """A study of nine subjects under two conditions."""
    of_study = {"columns": COLUMNS, "conditions": ["a", "b"], "n_subjects": 9, "empty_cells": 0}
    return example_summaries.design(**of_study | {"per_cell": [1, 1]} | changes)


def mixed(**changes):
    """Its fit, with means of 4 and 7."""
    of_study = {"formula": "y ~ `the time`", "sigma_between": 0.5, "sigma_within": 2.0}
    means = {"anova": [term("the time", 0.1, df=(1, 8.0))], "means": [mean("a", 4), mean("b", 7)]}
    return example_summaries.mixed(**of_study | means | changes)


LEFT_OUT = dict.fromkeys(PARAMETERS)


def test_what_the_config_leaves_out_is_the_studys():
    study = study_values(design(empty_cells=3, per_cell=[0, 1]), mixed(), share=1.0)
    where = scenario_at((SAME,) * 4, LEFT_OUT, study)
    assert (where.subjects, where.sigma_between, where.sigma_within) == (9, 0.5, 2.0)
    assert (where.mean, where.effects.tolist()) == (5.5, [-1.5, 1.5])
    assert where.missing == pytest.approx(3 / 18)
    own = {"conditions": {"x": [0, 1, 2]}, "slope": 1.0, "random": {"intercept": 2, "x": 3}}
    lines = scenario_at((SAME, SAME, "0", SAME), LEFT_OUT | own, study)
    assert (lines.sigma_between, lines.random, lines.slope) == (2, {"x": 3}, 1.0)
    where = scenario_at(("20", "0", "0.1", "1"), LEFT_OUT | {"sigma_within": 3.0}, study)
    assert (where.subjects, where.sigma_between, where.missing) == (20, 0.0, 0.1)
    assert where.sigma_within == 3.0


def test_an_icc_makes_the_total_variance_1():
    words = {"conditions": ["a", "b"], "icc": [0.3], "effect": {"d": 0.5}}
    where = scenario_at(("8", written(0.3**0.5), "0", "1"), LEFT_OUT | words, {})
    assert (where.sigma_between**2, where.sigma_within**2) == pytest.approx((0.3, 0.7))
    assert (where.mean, where.effects) == (0.0, pytest.approx([-0.25, 0.25]))
    where = scenario_at(("8", "1", "0", "1"), LEFT_OUT | words | {"sigma_within": 2.0}, {})
    assert where.sigma_within == 2.0


@pytest.mark.parametrize(
    ("of_design", "of_fit", "words"),
    [
        ({"conditions": [1, 2, 3]}, {}, r"the condition is a number.*write C\(\)"),
        ({"columns": {"subject": "id"}}, {}, "no variable that differs within subjects"),
        ({}, {"means": [mean("a", None)]}, 'the mean of "a" cannot be'),
        ({"per_cell": [1, 2]}, {}, "cells hold between 1 and 2 observations"),
    ],
)
def test_designs_that_cannot_be_replicated_are_refused(of_design, of_fit, words):
    with pytest.raises(InputError, match=words):
        study_values(design(**of_design), mixed(**of_fit))
