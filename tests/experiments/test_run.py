"""Replicated experiments: what is drawn, that it does not depend on how it is run, and refusals."""

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

import twolevel as tl
from twolevel.experiments import run as replication
from twolevel.experiments.blocks import BLOCK, stream
from twolevel.experiments.run import replicate, replicate_block
from twolevel.experiments.scenario import Scenario, draw

CONDITIONS = {"t1": 0, "t2": 0.5, "t3": 1}


def scenario(**changes):
    given = {"subjects": 8, "sigma_between": 1.0, "sigma_within": 0.5, "grand_mean": 5}
    return Scenario(**{"conditions": CONDITIONS, **given, **changes})


scenarios = st.builds(
    scenario,
    subjects=st.integers(3, 12),
    sigma_between=st.sampled_from([0.0, 0.5, 3.0]),
    replicates=st.integers(1, 2),
    missing=st.sampled_from([0.0, 0.1, 0.5]),
)


def test_each_experiment_is_what_fit_mixed_makes_of_its_data():
    for missing in (0.0, 0.2):
        where = scenario(missing=missing, replicates=2)
        found = replicate_block(where, 3, 5, 7, "kenward-roger")
        batch = replication._batch(where)
        y, observed = draw(where, batch, np.random.default_rng(stream(where, 3, 7)))
        for k in range(5):
            slot, subject = np.indices((6, 8)).reshape(2, -1)
            names = np.array(list(CONDITIONS))[slot // 2]
            data = pd.DataFrame({"y": y[:, k].ravel(), "time": names, "id": subject})
            fit = tl.fit_mixed(
                "y ~ time + (1 | id)", data if observed is None else data[observed[:, k].ravel()]
            )
            test = fit.anova().iloc[0]
            row = found.iloc[k]
            np.testing.assert_allclose(row["F"], test["F"], rtol=1e-9)
            np.testing.assert_allclose(row["p"], test["p"], rtol=1e-8)
            np.testing.assert_allclose(row["within_variance"], fit.sigma_within**2, rtol=1e-9)
            grand = fit.grand_mean
            ends = grand[["estimate", "se", "ci_low", "ci_high"]]
            names = ["grand_mean", "grand_mean_se", "grand_mean_low", "grand_mean_high"]
            np.testing.assert_allclose(row[names].astype(float), ends, rtol=1e-9)


@examples(20)
@given(scenarios, st.integers(1, 40), st.integers(1, 40))
def test_an_experiment_does_not_depend_on_how_many_there_are(where, some, more):
    fewer, all_ = sorted((some, more))
    one, other = (replicate_block(where, 0, size, 1, "asymptotic") for size in (fewer, all_))
    pd.testing.assert_frame_equal(one, other.iloc[:fewer], rtol=1e-12)


def test_blocks_seeds_and_points_have_streams_of_their_own():
    places = [(0, 1, {}), (1, 1, {}), (0, 2, {}), (0, 1, {"subjects": 9})]
    places += [(0, 1, {"sigma_between": 1.5}), (0, 1, {"missing": 0.1})]
    first = {
        float(np.random.default_rng(stream(scenario(**changes), block, seed)).random())
        for block, seed, changes in places
    }
    assert len(first) == len(places)
    same = [stream(scenario(**changes), 0, 1) for changes in ({}, {"sigma_within": 2.0})]
    assert same[0].spawn_key == same[1].spawn_key


def test_more_experiments_than_a_block_are_blocks_one_after_the_other():
    where = scenario(subjects=3)
    together = replicate(where, BLOCK + 7, seed=2)
    parts = [
        replicate_block(where, b, size, 2, "kenward-roger") for b, size in enumerate((BLOCK, 7))
    ]
    pd.testing.assert_frame_equal(together, pd.concat(parts, ignore_index=True))


def test_what_is_drawn_has_the_moments_of_the_model():
    """With 100,000 subjects, 6 standard errors: for each number a false alarm in 10^8 runs."""
    where = scenario(subjects=50_000, replicates=2, missing=0.25)
    y, observed = draw(where, 2, np.random.default_rng(1))
    assert y.shape == observed.shape == (6, 2, 50_000)
    n = 100_000
    flat = y.transpose(0, 2, 1).reshape(6, n)
    mean = np.repeat(5 + np.array([0, 0.5, 1]), 2)
    assert (np.abs(flat.mean(axis=1) - mean) < 6 * np.sqrt(1.25 / n)).all()
    covariance = np.cov(flat)
    expected = np.full((6, 6), 1.0) + 0.25 * np.eye(6)
    assert (np.abs(covariance - expected) < 6 * np.sqrt(2 * 1.25**2 / n)).all()
    share = observed[::2].mean()
    assert abs(share - 0.75) < 6 * np.sqrt(0.25 * 0.75 / (3 * n))
    assert (observed[::2] == observed[1::2]).all()  # a cell is missing with all its replicates


def test_what_cannot_be_fitted_counts_as_failed_and_is_not_dropped():
    where = scenario(subjects=2, missing=0.6)
    found = replicate(where, 300)
    failed = found["failed"]
    assert len(found) == 300
    assert 0 < failed.sum() < 300
    estimates = [*where.truth, "F", "p", "grand_mean_se", "grand_mean_low"]
    estimates = [name for name in estimates if name not in ("raw_variance", "two_stage_variance")]
    assert found.loc[failed, estimates].isna().all(axis=None)
    assert found.loc[~failed, ["grand_mean", "within_variance", "F"]].notna().all(axis=None)
    assert not found.loc[failed, "boundary"].any()


def test_memory_is_bounded_by_the_batch(monkeypatch):
    sizes = []
    fit = replication.fit_batch

    def noting(y, *rest):
        sizes.append(y.base.size if y.base is not None else y.size)
        return fit(y, *rest)

    monkeypatch.setattr(replication, "fit_batch", noting)
    replicate_block(scenario(subjects=2_000), 0, 100, 1, "anova")
    assert max(sizes) <= replication._NUMBERS
    assert len(sizes) == 4  # of 33 experiments, the last one cut


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"subjects": 1}, "subjects: found 1, expected at least 2"),
        ({"conditions": {"a": 1}}, "conditions: found .*, expected at least 2"),
        ({"sigma_between": -1}, "sigma_between: found -1"),
        ({"sigma_within": 0}, "sigma_within: found 0, expected a number above 0"),
        ({"sigma_between": np.nan}, "sigma_between: found nan"),
        ({"replicates": 0}, "replicates: found 0"),
        ({"missing": 1}, "missing: found 1, expected a share"),
    ],
)
def test_impossible_parameters_are_refused(changes, words):
    with pytest.raises(tl.InputError, match=words):
        scenario(**changes)
