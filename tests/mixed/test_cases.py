"""Tables that once went wrong, with R's values (see tests/data/cases/README.md)."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import twolevel as tl
from twolevel.text.errors import InputError

CASES = Path(__file__).parents[1] / "data" / "cases"


def case(name: str) -> pd.DataFrame:
    return pd.read_csv(CASES / f"{name}.csv")


@pytest.mark.parametrize("per_second", [1, 10**3, 10**6, 10**9])
def test_time_in_any_unit_since_1970(per_second):
    data = case("unix_time")
    data["ts"] *= per_second
    fit = tl.fit_mixed("y ~ time + ts + (1 | id)", data)
    tests = fit.anova()
    np.testing.assert_allclose(tests["F"], [9.5779, 2.3138], rtol=2e-5)
    np.testing.assert_allclose(tests["df_den"], [24.298, 24.354], rtol=2e-5)
    np.testing.assert_allclose(tests["p"], [0.000857, 0.1411], rtol=5e-4)
    assert fit.coef_table().loc["ts", "t"] == pytest.approx(-1.5211, rel=2e-5)
    assert fit.params["ts"] * per_second == pytest.approx(-2.198281e-4, rel=1e-6)


def test_a_coefficient_a_billion_times_smaller_than_others():
    row = tl.fit_mixed("y ~ time + count + (1 | id)", case("large_scale")).coef_table().loc["count"]
    expected = [1.09375e-09, 8.78765e-11, 22.183, 12.44643, 1.7534e-11]
    np.testing.assert_allclose(row[["estimate", "se", "df", "t", "p"]], expected, rtol=5e-5)


@pytest.mark.parametrize("kind", ["int8", "uint8", "float64"])
@pytest.mark.parametrize(
    ("formula", "params"),
    [
        ("y ~ dose + I(dose**2)", [4.836641, 0.458732, -0.012313]),
        ("y ~ age * dose", [6.912718, -0.014649, 0.119390, 0.000760]),
        ("y ~ log(dose)", [4.700602, 1.473950]),
    ],
)
def test_small_integers_do_not_wrap(formula, params, kind):
    data = case("small_integers").astype({"age": kind, "dose": kind})
    found = tl.fit_mixed(f"{formula} + (1 | id)", data).params
    np.testing.assert_allclose(found, params, rtol=0, atol=6e-7)


def test_a_number_with_two_values_is_averaged_over_both():
    """As emmeans does since version 1.4.2 (cov.keep = "2")."""
    data = case("two_valued_number")
    data["time"] = pd.Categorical(data["time"], ["pre", "mid", "post"])
    fit = tl.fit_mixed("y ~ time * male", data, "id")
    means = fit.means("time")["estimate"]
    np.testing.assert_allclose(means, [22.8017, 24.3188, 24.4965], rtol=0, atol=6e-5)
    pairs = fit.contrasts("time", adjust="tukey")
    np.testing.assert_allclose(
        pairs.loc["pre - mid", ["estimate", "p"]], [-1.5172, 0.0079], atol=6e-5
    )
    np.testing.assert_allclose(
        pairs.loc["mid - post", ["estimate", "p"]], [-0.1776, 0.917], atol=5e-4
    )
    held = fit.contrasts("time", adjust="tukey", at={"male": data["male"].mean()})
    np.testing.assert_allclose(
        held.loc["pre - mid", ["estimate", "p"]], [-0.7316, 0.124], atol=5e-4
    )


NAMES = ["class", "lambda", "C", "I", "True", "None", "1", "0", "time ", "a b", "a:b", "poly(x, 2)",
         "Intercept", "icc", "sigma_between", "term", "truth", "v0_", "id2", "log", "contr.sum",
         "__class__", "it's", 'say "so"', "ﬁ", "x[T.t2]", "{x}", "$y$", "a\\b"]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("written", ["`{}`", "C(`{}`)"])
def test_a_factor_of_any_name(name, written):
    """Kenward-Roger's F of R for `class`, whatever the factor is called."""
    data = case("column_class").rename(columns={"class": name})
    data["other"] = np.arange(18) % 5
    term = written.format(name)
    fit = tl.fit_mixed(f"y ~ {term} + other + (1 | id)", data)
    tests = fit.anova()
    np.testing.assert_allclose(
        tests["F"], [3.23325, 0.62664], rtol=5e-6
    )  # as many digits as R prints
    np.testing.assert_allclose(tests["df_den"], [9.0095, 10.104], rtol=3e-5)
    assert len(fit.coef_table().index.unique()) == 4
    assert len(fit.profile(parameters=["sigma_between"])) == 1
    assert list(fit.means(name).index) == ["t1", "t2", "t3"]
    assert len(tl.fit_mixed(f"y ~ 0 + {term} + other + (1 | id)", data).anova()) == 2
    twice = pd.concat([data, data.assign(y=data["y"] + np.arange(18) % 4)])
    own = tl.fit_mixed(f"y ~ {term}", twice, "id").random_part.terms
    assert [each.grouping for each in own] == [("id",), ("id", name)]
    exact = tl.partition_errors(f"y ~ {term}", data, subject="id").table
    assert exact["F"].iloc[0] == pytest.approx(3.313689, rel=1e-6)


@pytest.mark.parametrize("name", NAMES)
def test_a_number_of_any_name(name):
    data = case("column_class").rename(columns={"class": "time"})
    data["other"] = np.arange(18) % 5
    expected = tl.fit_mixed("y ~ time * other", data, "id")
    fit = tl.fit_mixed(f"y ~ time * `{name}`", data.rename(columns={"other": name}), "id")
    np.testing.assert_allclose(fit.anova(), expected.anova(), rtol=1e-12)
    np.testing.assert_allclose(fit.influence(), expected.influence(), rtol=1e-9)
    assert fit.influence().columns.is_unique
    assert fit.estimated.index.is_unique
    np.testing.assert_allclose(fit.slopes(name), expected.slopes("other"), rtol=1e-12)
    squares = tl.fit_mixed(f"y ~ I(`{name}` ** 2)", data.rename(columns={"other": name}), "id")
    assert len(squares.params) == 2


def test_no_column_is_lost_beside_its_namesake():
    """A column called a:b is not the interaction of a and b, nor one called 1 the intercept."""
    generator = np.random.default_rng(1)
    data = pd.DataFrame(generator.normal(size=(40, 5)), columns=["y", "a", "b", "a:b", "1"])
    data["id"] = np.arange(40) // 4
    fit = tl.fit_mixed("y ~ a * b + `a:b` + `1`", data, "id")
    assert len(fit.params) == 6
    assert len(fit.anova()) == 5
    assert fit.params.index.is_unique


def test_what_is_true_or_false_is_a_factor():
    data = case("column_class")
    data["late"] = data["class"] == "t3"
    assert list(tl.fit_mixed("y ~ late", data, "id").means("late").index) == ["False", "True"]


@pytest.mark.parametrize(
    ("name", "formula", "F"),
    [
        ("crossover", "y ~ period * treat", [0.1075, 0.3504, 0.0]),
        ("latin_square", "score ~ period + treat", [3.0709, 1.0765]),
    ],
)
def test_designs_whose_terms_cancel_within_subjects(name, formula, F):
    data = case(name)
    fit = tl.fit_mixed(formula, data, "id")
    np.testing.assert_allclose(fit.anova()["F"], F, rtol=0, atol=6e-5)
    np.testing.assert_allclose(tl.partition_errors(formula, data, "id").table["F"], F, atol=6e-5)
    assert np.isfinite(fit.profile().to_numpy()).all()
    assert np.isfinite(fit.bootstrap(refits=200).to_numpy()).all()
    if name == "crossover":
        ends = fit.profile().loc[["sigma_between", "sigma_within"], ["ci_low", "ci_high"]]
        np.testing.assert_allclose(ends, [[0, 1.661], [0.637, 1.438]], atol=6e-4)


def test_items_in_lists_that_share_no_subject():
    """R's `confint` of the same model."""
    found = tl.fit_mixed("y ~ item", case("profile_disconnected"), "id").profile()
    expected = {
        "sigma_between": (0.41811, 1.68640),
        "sigma_within": (0.23581, 0.76150),
        "Intercept": (-0.71935, 1.62202),
        "item[T.i0_1]": (-0.19729, 1.24129),
        "item[T.i1_0]": (-2.48393, 0.82726),
        "item[T.i1_1]": (-2.04293, 1.26826),
    }
    for name, ends in expected.items():
        np.testing.assert_allclose(
            found.loc[name, ["ci_low", "ci_high"]].astype(float), ends, atol=2e-4
        )


@pytest.mark.parametrize(("subjects", "lists", "items"), [(5, 2, 3), (10, 2, 2), (4, 4, 3)])
def test_more_lists_of_items(subjects, lists, items):
    generator = np.random.default_rng(subjects)
    rows = [
        {"id": f"{k}_{i}", "item": f"{k}_{j}", "y": generator.normal() + i % 3}
        for k in range(lists)
        for i in range(subjects)
        for j in range(items)
    ]
    fit = tl.fit_mixed("y ~ item", pd.DataFrame(rows), "id")
    assert np.isfinite(fit.profile().to_numpy()).all()


@pytest.mark.parametrize("fit", [tl.fit_mixed, tl.fit_subjects, tl.partition_errors])
def test_a_factor_with_one_level_is_refused(fit):
    with pytest.raises(InputError, match=r'every row holds "only" in "site".*leave "site" out'):
        fit("y ~ time + site", case("one_level"), subject="id")


@pytest.mark.parametrize(
    ("random", "F", "df_den"), [("", 20.73852237, 1), (" + (1 | observer)", 56.38558784, 13)]
)
def test_two_subjects(random, F, df_den):
    fit = tl.fit_mixed(f"threshold ~ contrast{random}", case("two_subjects"), "observer")
    found = fit.anova().loc["contrast", ["F", "df_den"]]
    np.testing.assert_allclose(found, [F, df_den], rtol=1e-6)
    assert fit.influence().isna().all(axis=None)


@pytest.mark.parametrize("unit", [1e-150, 1e-120, 1e60, 1e100, 1e150])
def test_a_response_in_any_unit(unit):
    data = case("crossover")
    one = tl.fit_mixed("y ~ period * treat", data, "id")
    other = tl.fit_mixed("y ~ period * treat", data.assign(y=data["y"] * unit), "id")
    np.testing.assert_allclose(other.anova(), one.anova(), rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(other.params / unit, one.params, rtol=1e-9)
    np.testing.assert_allclose(other.bse / unit, one.bse, rtol=1e-9)


@pytest.mark.parametrize("spline", ["cr(x, df=4)", "cs(x, df=4)", "cc(x, df=4)", "bs(x, df=4)"])
def test_documented_splines_can_be_fitted(spline):
    generator = np.random.default_rng(2)
    data = pd.DataFrame({"id": np.arange(40) // 4, "x": generator.normal(size=40)})
    data["y"] = np.sin(data["x"]) + generator.normal(size=40)
    assert tl.fit_mixed(f"y ~ {spline}", data, "id").anova()["F"].iloc[0] > 0


@pytest.mark.parametrize(
    "dates",
    [
        pd.date_range("2024-01-01", periods=18),
        pd.date_range("2024-01-01", periods=18, tz="UTC"),
        pd.period_range("2024-01", periods=18, freq="M"),
        pd.timedelta_range("1h", periods=18),
        [pd.Timestamp("2024-01-01").date()] * 18,
    ],
)
def test_dates_are_no_factors(dates):
    data = case("column_class").assign(when=dates)
    with pytest.raises(InputError, match=r"column 'when': found dates or times .* days since"):
        tl.fit_mixed("y ~ class + when", data, "id")
    since = np.arange(18.0)
    assert len(tl.fit_mixed("y ~ class + when", data.assign(when=since), "id").params) == 4


TWO_WITHIN = "(1 | subj) + (1 | subj:flanker) + (1 | subj:block)"
TRIALS = "(1 | subj) + (1 | subj:mood) + (1 | subj:flanker)"


# lme4 1.1-31 and pbkrtest 0.5.2, sum-to-zero coding: F, df_den.
@pytest.mark.parametrize(
    ("name", "fixed", "random", "written", "tests"),
    [
        (
            "two_within",
            "rt ~ flanker * block",
            TWO_WITHIN,
            "",
            [[50.23740746, 14], [0.34005154, 7], [0.81895152, 14]],
        ),
        (
            "two_within_missing",
            "rt ~ flanker * block",
            TWO_WITHIN,
            "",
            [[48.03875789, 13.70013324], [0.33660316, 6.99999219], [0.78500796, 13.70013324]],
        ),
        (
            "trials_two_within",
            "rt ~ mood * flanker",
            f"{TRIALS} + (1 | subj:mood:flanker)",
            "",
            [[1.54795966, 7.00033333], [195.04787397, 6.99756185], [0.91590101, 6.99283029]],
        ),
        # Without a variance of the interaction, as it is usually written, that is tested against
        # the residual.
        (
            "trials_two_within",
            "rt ~ mood * flanker",
            TRIALS,
            f" + {TRIALS}",
            [[1.54477908, 7.00041861], [195.16859447, 7.00013098], [1.23960062, 68.24031173]],
        ),
    ],
)
def test_factors_within_subjects_have_errors_of_their_own(name, fixed, random, written, tests):
    """What one subject's data support, and of trials also less than that."""
    fit = tl.fit_mixed(fixed + written, case(name), "subj")
    assert fit.random == random
    # lmer stops within 1e-6 of these variances.
    np.testing.assert_allclose(fit.anova()[["F", "df_den"]], tests, rtol=2e-6)
    assert fit.boundary == (fixed == "rt ~ flanker * block")
    if fit.boundary:  # subjects' effects of flanker spread less than the residual allows for
        varcorr = fit.varcorr.set_index("grp")["vcov"]
        assert varcorr["subj:flanker"] == 0
        assert varcorr["subj:block"] > 2500
