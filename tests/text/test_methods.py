"""Methods are listed once: their registries have what types know of, no more, no less."""

from typing import get_args

import pytest

import twolevel as tl
from twolevel.figures.of_replication.type_one_error import TESTS
from twolevel.pipeline.config.replication_study import Replication
from twolevel.text.methods import (
    ESTIMATION,
    INTERCEPT_ALONE,
    METHODS,
    REPLICATED,
    STANDARD,
    Df,
    Method,
    Test,
)

TABLE = {"id": [1, 1, 2, 2, 3, 3], "t": list("ababab"), "y": [1.0, 2.0, 2.0, 4.0, 0.0, 3.0]}


def test_registry_type_and_figure_have_the_same_methods():
    assert set(METHODS) == set(get_args(Test))
    assert set(TESTS) == set(REPLICATED) == {*METHODS, INTERCEPT_ALONE}
    assert set(get_args(Df)) == set(METHODS) - {"anova"}
    assert {test: look.name for test, look in TESTS.items()} == {
        test: method.name for test, method in REPLICATED.items()
    }


def test_the_config_takes_each_and_has_the_standard():
    study = {"subjects": 5, "conditions": {"a": 0, "b": 1}, "grand_mean": 0}
    study |= {"sigma_between": 1, "sigma_within": 1}
    assert Replication(**study).test == STANDARD
    for test in METHODS:
        assert Replication(**study, test=test).test == test


@pytest.mark.parametrize("method", get_args(Method))
def test_a_fit_says_by_what_it_was_estimated(method):
    assert set(ESTIMATION) == set(get_args(Method))
    words = ESTIMATION[method]
    text = repr(tl.fit_mixed("y ~ t", TABLE, "id", method=method))
    assert f"fitted by {words.name} ({method})\n" in text
    assert f"\n{words.criterion}: " in text


@pytest.mark.parametrize("df", get_args(Df))
def test_a_fit_takes_each_of_the_mixed_models(df):
    assert tl.fit_mixed("y ~ t", TABLE, "id").coef_table(df)["se"].notna().all()


def test_another_is_refused_with_their_names():
    fit = tl.fit_mixed("y ~ t", TABLE, "id")
    with pytest.raises(ValueError, match=r"'kenward-roger', 'satterthwaite' or 'asymptotic'$"):
        fit.coef_table("anova")
    with pytest.raises(ValueError, match=r"expected 'REML' or 'ML'$"):
        tl.fit_mixed("y ~ t", TABLE, "id", method="OLS")
