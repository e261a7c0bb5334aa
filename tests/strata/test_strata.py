"""Several factors within subjects: afex's strata and effect sizes, and what must hold."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats
from test_anova import by_term

import twolevel as tl
from twolevel.strata.anova import NotPartitioned

TESTS = Path(__file__).parents[1]
TABLES = {
    "three_within": "strata/three_within",
    "two_by_two": "strata/two_by_two",
    "replicates": "strata/replicates",
    "obk": "obk",
    "selfesteem2": "selfesteem2",
    "two_within": "cases/two_within",
    "trials_two_within": "cases/trials_two_within",
}


def afex(name: str) -> tuple[dict, pd.DataFrame]:
    values = json.loads((TESTS / "reference" / "strata" / f"{name}.json").read_text())
    data = pd.read_csv(TESTS / "data" / f"{TABLES[name]}.csv").rename(columns={"subj": "id"})
    return values, data.astype({"hour": str} if "hour" in data else {})


@pytest.mark.parametrize("name", TABLES)
def test_afex(name):
    values, data = afex(name)
    found = tl.partition_errors(values["formula"], data, "id")
    per_cell = found.averaged.per_cell if found.averaged else 1
    univariate = by_term(values["univariate"], found.table)
    assert set(univariate) == set(found.table.index)
    for term, row in univariate.items():
        ours = found.table.loc[term]
        expected = [row["F value"], row["Pr(>F)"], row["num Df"], row["den Df"]]
        np.testing.assert_allclose(
            ours[["F", "p", "df_num", "df_den"]].astype(float), expected, rtol=1e-7
        )
        # afex's are of the means of cells, ours of the rows that these stand for.
        squares = ours[["ss", "ss_error"]].astype(float) / per_cell
        np.testing.assert_allclose(squares, [row["Sum Sq"], row["Error SS"]], rtol=1e-7)
    for term, row in by_term(values["anova_table"], found.table).items():
        sizes = found.table.loc[term, ["partial_eta2", "generalised_eta2"]].astype(float)
        np.testing.assert_allclose(sizes, [row["pes"], row["ges"]], rtol=1e-7)


@pytest.mark.parametrize("name", TABLES)
def test_corrections_of_every_term(name):
    values, data = afex(name)
    found = tl.partition_errors(values["formula"], data, "id").sphericity
    several = found[found["contrasts"] > 1]
    tests = by_term(values["sphericity"], several)
    corrections = by_term(values["corrections"], several)
    assert set(tests) == set(corrections) == set(several.index)
    for term, row in several.iterrows():
        ours = row[["mauchly_w", "mauchly_p", "gg_epsilon", "p_gg", "hf_epsilon", "p_hf"]]
        theirs = list(tests[term].values())[:2]
        theirs += [corrections[term][k] for k in ("GG eps", "Pr(>F[GG])", "HF eps", "Pr(>F[HF])")]
        np.testing.assert_allclose(ours.astype(float), theirs, rtol=1e-6)


def test_averaged_rows_are_counted():
    _, data = afex("trials_two_within")
    averaged = tl.partition_errors("rt ~ mood * flanker", data, "id").averaged
    assert (averaged.n_rows, averaged.n_cells) == (93, 32)
    assert (averaged.fewest, averaged.most) == (2, 3)
    assert averaged.per_cell == pytest.approx(32 / (29 / 3 + 3 / 2))


def test_bars_name_the_subject_and_have_no_part_in_it():
    _, data = afex("two_within")
    with_bars = tl.partition_errors("rt ~ flanker * block + (1 | id) + (1 | id:block)", data)
    without = tl.partition_errors("rt ~ flanker * block", data, "id")
    pd.testing.assert_frame_equal(with_bars.table, without.table)
    with pytest.raises(tl.InputError, match="which column names the subjects"):
        tl.partition_errors("rt ~ flanker * block", data)


def test_an_empty_cell_is_refused():
    data = pd.read_csv(TESTS / "data" / "cases" / "two_within_missing.csv")
    with pytest.raises(NotPartitioned, match="between 5 and 6 observations"):
        tl.partition_errors("rt ~ flanker * block", data, "subj")


def test_a_term_of_two_strata_is_refused():
    _, data = afex("two_within")
    data["dose"] = data["flanker"].map({"con": 1.0, "inc": 2.0, "neu": 4.0})
    with pytest.raises(NotPartitioned, match=r"lies in several error strata; .* with \*"):
        tl.partition_errors("rt ~ block:dose", data, "id")
    with pytest.raises(NotPartitioned, match=r"id:block and, .* centre numbers"):
        tl.partition_errors("rt ~ block * dose", data, "id")
    line = tl.partition_errors("rt ~ block * center(dose)", data, "id").table
    assert list(line["stratum"]) == ["id:block", "id:dose", "id:block:dose"]


def test_a_latin_square_has_one_stratum_within():
    data = pd.read_csv(TESTS / "data" / "cases" / "latin_square.csv")
    strata = tl.partition_errors("score ~ period + treat", data, "id").strata
    assert list(strata.index) == ["id", "within"]


def crossed(seed: int, subjects: int, levels: tuple[int, ...], replicates: int = 1):
    """A table of subjects x levels x replicates with effects of each factor in each subject."""
    random = np.random.default_rng(seed)
    at = np.indices((subjects, *levels, replicates)).reshape(len(levels) + 2, -1)
    y = 5 + random.normal(size=subjects)[at[0]] + random.normal(size=at.shape[1])
    for k, J in enumerate(levels, start=1):
        y += random.normal(size=(subjects, J))[at[0], at[k]]
    names = "abc"[: len(levels)]
    factors = {name: [f"{name}{j}" for j in at[k + 1]] for k, name in enumerate(names)}
    group = np.where(at[0] % 3 == 0, "g", "h")
    return pd.DataFrame({"id": at[0], **factors, "group": group, "y": y})


tables = st.builds(
    crossed,
    seed=st.integers(0, 2**32 - 1),
    subjects=st.integers(4, 9),
    levels=st.sampled_from([(2, 2), (2, 3), (3, 4), (2, 2, 3)]),
    replicates=st.integers(1, 2),
)
FORMULA = {2: "y ~ a * b", 3: "y ~ a * b * c"}


def formula_of(data: pd.DataFrame) -> str:
    return FORMULA[data.columns.isin(list("abc")).sum()]


@examples(40)
@given(tables)
def test_sums_of_squares_add_up(data):
    found = tl.partition_errors(formula_of(data), data, "id")
    total = ((data["y"] - data["y"].mean()) ** 2).sum()
    parts = found.table["ss"].sum() + found.strata["ss"].sum()
    np.testing.assert_allclose(parts, total, rtol=1e-9)
    assert found.table["df_num"].sum() + found.strata["df"].sum() == len(data) - 1


@examples(30)
@given(tables, st.integers(-4, 4), st.integers(-8, 8), st.integers(0, 99))
def test_shift_scale_and_order_change_nothing(data, shift, power, seed):
    formula = f"{formula_of(data)} * group"
    one = tl.partition_errors(formula, data, "id")
    moved = data.assign(y=(data["y"] + 10.0**shift) * 2.0**power)
    other = tl.partition_errors(formula, moved.sample(frac=1, random_state=seed), "id")
    keys = ["F", "df_num", "df_den", "p", "partial_eta2", "generalised_eta2"]
    np.testing.assert_allclose(
        other.table.loc[one.table.index, keys], one.table[keys], rtol=1e-6, atol=1e-10
    )
    numbers = ["mauchly_w", "gg_epsilon", "hf_epsilon", "p_gg", "p_hf"]
    np.testing.assert_allclose(
        other.sphericity.loc[one.sphericity.index, numbers].astype(float),
        one.sphericity[numbers].astype(float),
        rtol=1e-5,
        atol=1e-9,
    )


@examples(30)
@given(tables)
def test_an_effect_of_one_contrast_is_a_paired_t_test(data):
    found = tl.partition_errors(formula_of(data), data, "id").table
    means = data.groupby(["id", "a"])["y"].mean().unstack()
    assume(means.shape[1] == 2)
    t = stats.ttest_rel(means["a0"], means["a1"])
    assert found.loc["a", "F"] == pytest.approx(t.statistic**2, rel=1e-7)
    assert found.loc["a", "p"] == pytest.approx(t.pvalue, rel=1e-6)


@examples(30)
@given(tables)
def test_variances_of_strata_give_their_mean_squares_back(data):
    """E(MS_u) is the sum of the variances of the effects that contain u, times their rows."""
    found = tl.partition_errors(formula_of(data), data, "id")
    sizes = {name: data[name].nunique() for name in "abc" if name in data}
    rows = len(data) // data["id"].nunique()
    last = found.strata.index[-1]
    for stratum, row in found.strata.iterrows():
        names = set(str(stratum).split(":")[1:])
        expected = found.strata.loc[last, "variance"]
        for other, part in found.strata.iterrows():
            own = str(other).split(":")[1:]
            if other != last and stratum != last and names <= set(own):
                expected += part["variance"] * rows / np.prod([sizes[name] for name in own])
        np.testing.assert_allclose(row["ms"], expected, rtol=1e-8)
