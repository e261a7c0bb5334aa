"""Guesses for the kinds of tables that people have: right, or refused with the reason."""

from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from new_study import study_of
from twolevel.mixed import fit_mixed
from twolevel.pipeline.config.study import RealStudy
from twolevel.pipeline.guessing.evidence import Column, crossing
from twolevel.pipeline.guessing.guess import guess
from twolevel.pipeline.tables.observations import load_table
from twolevel.pipeline.tables.stored import Observations
from twolevel.text.errors import InputError

CASES = Path(__file__).parents[1] / "data/cases"


def measured(rows, seed=1, size=20.0):
    """Numbers with two decimals, about a fifth of their size apart."""
    return np.random.default_rng(seed).normal(size, size / 5, rows).round(2)


def long(subjects=12, subject="id", response="score", **factors):
    """A row for each subject under each combination of levels."""
    grid = pd.MultiIndex.from_product([range(1, subjects + 1), *factors.values()])
    table = grid.to_frame(index=False, name=[subject, *factors])
    return table.assign(**{response: measured(len(table))})


def wide(*columns, subjects=12, **others):
    """A row for each subject, and a measurement in each of these columns."""
    table = pd.DataFrame({"id": range(1, subjects + 1), **others})
    return table.assign(**{c: measured(subjects, k) for k, c in enumerate(columns)})


def half(subjects=12, rows=1, labels=(1, 2)):
    """Two groups of subjects with so many rows each."""
    return np.repeat(np.where(np.arange(subjects) % 2, *labels), rows)


def entry_of(name):
    found, keys, _ = study_of(str(CASES / f"{name}.csv"), "s")
    study = RealStudy(**keys)
    loaded = load_table(study="s", **study.table)
    data = Observations(loaded.data, loaded.columns)
    return found, fit_mixed(study.formula, data.typed, data.subject)


class TestCases:
    def test_a_factor_coded_by_numbers(self):
        found, fit = entry_of("wide_numeric_group")
        assert (found.wide, found.levels) == (["low", "mid", "high"], {"sex": [1, 2]})
        tests = fit.anova()
        assert tests["F"].tolist() == pytest.approx([11.21, 0.639, 0.742], abs=0.005)
        assert tests["df_den"].tolist() == pytest.approx([16, 8, 16])

    def test_no_column_for_the_subjects(self):
        found, fit = entry_of("wide_no_id")
        assert (found.subject, found.wide) == ("row", ["easy", "hard", "neutral", "break"])
        assert fit.anova().iloc[0][["F", "df_num", "df_den"]].tolist() == pytest.approx(
            [74.92, 3, 24], abs=0.005
        )

    def test_two_factors_in_the_names_of_columns(self):
        found, fit = entry_of("wide_two_factors")
        assert (found.wide, found.formula) == ("{c}_{t}", "score ~ c * t")
        assert fit.random == "(1 | id) + (1 | id:c) + (1 | id:t)"
        # lmer and Kenward-Roger (lme4 1.1-31, pbkrtest 0.5.2), as exact as its search ends.
        assert fit.anova()["F"].tolist() == pytest.approx([4.04280, 13.68202, 0.76716], rel=2e-5)

    @pytest.mark.parametrize(
        ("name", "terms"),
        [("two_within", "flanker * block"), ("trials_two_within", "mood * flanker")],
    )
    def test_two_factors_with_one_row_or_several_in_their_cells(self, name, terms):
        assert entry_of(name)[0].formula == f"rt ~ {terms}"

    def test_ids_that_occur_once(self):
        with pytest.raises(InputError, match=r"every ID has one row, .* no repeated measurements"):
            study_of(str(CASES / "between_id_once.csv"), "s")

    def test_names_with_commas(self, tmp_path):
        with pytest.raises(InputError, match="header has 10 names and the rows have 6 fields"):
            study_of(str(CASES / "header_with_commas.csv"), "s")
        text = (CASES / "header_with_commas.csv").read_text()
        quoted = 'id,sex,"lo A, lo B","lo A, hi B","hi A, lo B","hi A, hi B"'
        (tmp_path / "t.csv").write_text(text.replace(text.splitlines()[0], quoted))
        found, *_ = study_of(str(tmp_path / "t.csv"), "s")
        assert found.wide == "{condition} A, {condition2} B"

    def test_a_factor_with_one_level_is_said(self):
        found, _, notes = study_of(str(CASES / "one_level.csv"), "s")
        assert found.formula == "y ~ time"
        assert 'Not used: "site": the same in every row.' in notes


n = 60
some = np.random.default_rng(0)
BETWEEN = {
    "penguins": {
        "species": some.choice(["Adelie", "Gentoo", "Chinstrap"], n),
        "island": some.choice(list("abc"), n),
        "bill_length_mm": some.normal(44, 5, n).round(1),
        "bill_depth_mm": some.normal(17, 2, n).round(1),
        "flipper_length_mm": some.normal(200, 14, n).round(),
        "body_mass_g": some.normal(4200, 800, n).round(-1),
        "sex": some.choice(["m", "f"], n),
        "year": some.choice([2007, 2008, 2009], n),
    },
    "tooth growth": {
        "len": some.normal(18, 7, n).round(1),
        "supp": np.repeat(["VC", "OJ"], n // 2),
        "dose": np.tile([0.5, 1, 2], n // 3),
    },
    "a covariate": {
        "Scores": some.normal(17, 3, n).round(1),
        "Income": some.normal(3, 1, n).round(2),
        "BMI": some.normal(25, 3, n).round(),
        "Method": np.tile(["A", "B"], n // 2),
    },
    "irises": {
        "Sepal.Length": some.normal(5.8, 0.8, n).round(1),
        "Sepal.Width": some.normal(3, 0.4, n).round(1),
        "Petal.Length": some.normal(3.7, 1.5, n).round(1),
        "Petal.Width": some.normal(1.2, 0.5, n).round(1),
        "Species": some.choice(list("abc"), n),
    },
    "cars": {
        "model": [f"car {k}" for k in range(n)],
        "mpg": some.normal(20, 6, n).round(1),
        "cyl": some.choice([4, 6, 8], n),
        "hp": some.integers(52, 335, n),
        "wt": some.normal(3.2, 1, n).round(2),
    },
    "days of months": {
        "Ozone": some.normal(42, 30, n).round(),
        "Temp": some.normal(78, 9, n).round(),
        "Month": np.repeat([5, 6, 7], n // 3),
        "Day": np.tile(range(1, n // 3 + 1), 3),
    },
    "groups": {"weight": some.normal(5, 0.7, n), "group": np.repeat(["a", "b", "c"], n // 3)},
    "ids, groups and an age": {
        "participant": range(1, n + 1),
        "group": np.tile(list("abc"), n // 3),
        "age": some.integers(18, 40, n),
        "score": some.normal(20, 4, n).round(1),
    },
}


@pytest.mark.parametrize("name", BETWEEN)
def test_what_has_no_repeated_measurements_is_refused(name):
    table = pd.DataFrame(BETWEEN[name])
    with pytest.raises(
        InputError, match=r"no repeated measurements|no column looks like the sub"
    ) as e:
        guess(table)
    assert all(f'"{column}"' in str(e.value) for column in table)


AGE = np.arange(20, 32)
LONG = {
    "numbers of sessions and groups": (
        long(session=[1, 2]).assign(group=half(rows=2, labels=(0, 1))),
        "score ~ session * group",
        {"session": [1, 2], "group": [0, 1]},
    ),
    "numbered items, alone": (
        long(item=range(1, 13), response="rating"),
        "rating ~ item",
        {"item": list(range(1, 13))},
    ),
    "items within conditions": (
        long(cond=["a", "b"], item=range(1, 9), response="rt").assign(
            item=lambda t: t["item"] + 8 * (t["cond"] == "b")
        ),
        "rt ~ cond",
        {},
    ),
    "trials in random order, with what was correct": (
        long(mood=["hi", "lo"], cond=["con", "inc"], rep=range(4), response="rt")
        .assign(
            trial=lambda t: t.groupby("id")["rt"].rank().astype(int),
            acc=lambda t: (t["rt"].rank() % 7 > 0).astype(int),
        )
        .drop(columns="rep"),
        "rt ~ cond * mood",
        {},
    ),
    "trials alone": (long(trial=range(1, 11), response="rt"), "rt ~ trial", {}),
    "trials of which chance leaves out half": (
        long(16, cond=["a", "b", "c"], trial=range(1, 31), response="rt")[
            np.random.default_rng(4).random(16 * 90) < 0.5
        ],
        "rt ~ cond",
        {},
    ),
    "times of each subject's own": (
        long(visit=range(5), response="pain")
        .assign(month=lambda t: (2 * t["visit"] + measured(60, 7, 1)).round(3), group=half(rows=5))
        # Twice on one day.
        .assign(month=lambda t: t["month"].where(t.index != 7, t["month"].shift()))
        .drop(columns="visit"),
        "pain ~ month * group",
        {"group": [1, 2]},
    ),
    "ids as floats": (
        long(wave=[1, 2, 3]).astype({"id": float}),
        "score ~ wave",
        {"wave": [1, 2, 3]},
    ),
    "dates as conditions": (long(visit=["2024-01-15", "2024-02-15"]), "score ~ visit", {}),
    "dates beside": (
        long(visit=["v1", "v2"]).assign(date=[f"2024-03-{k + 1:02d}" for k in range(24)]),
        "score ~ visit",
        {},
    ),
    "a German header": (
        long(subject="Vpn", Messzeitpunkt=["vor", "nach"], response="Reaktionszeit").assign(
            Geschlecht=half(rows=2, labels=("m", "w")), Alter=np.repeat(AGE, 2)
        ),
        "Reaktionszeit ~ Messzeitpunkt * Geschlecht",
        {},
    ),
    "doses that are no whole numbers": (
        long(subject="animal", dose=[0.5, 1, 2], response="len").assign(
            supp=half(rows=3, labels=("OJ", "VC"))
        ),
        "len ~ dose * supp",
        {"dose": [0.5, 1, 2]},
    ),
    "two observers": (
        long(2, "observer", "threshold", contrast=["lo", "hi"], rep=range(4)).drop(columns="rep"),
        "threshold ~ contrast",
        {},
    ),
    "a Latin square": (
        long(18, period=["p1", "p2", "p3"]).assign(
            treat=["ABC"[(i + j) % 3] for i, j in product(range(18), range(3))]
        ),
        "score ~ period + treat",
        {},
    ),
    "labels and their codes": (
        long(cond=["x", "y", "z"]).assign(
            cond_code=lambda t: t["cond"].map({"x": 1, "y": 2, "z": 3}),
            group=half(rows=3, labels=("c", "t")),
            group_code=half(rows=3),
        ),
        "score ~ cond * group",
        {},
    ),
    "two factors between": (
        long(16, time=["pre", "post"]).assign(
            sex=half(16, rows=2), treat=np.repeat(list("aabb") * 4, 2), iq=np.repeat(range(16), 2)
        ),
        "score ~ time * treat * sex",
        {"sex": [1, 2]},
    ),
    "an observation's own id": (
        long(cond=["a", "b"], rep=range(3)).assign(obs_id=range(72)).drop(columns="rep"),
        "score ~ cond",
        {},
    ),
}


@pytest.mark.parametrize("name", LONG)
def test_long_tables(name):
    table, formula, levels = LONG[name]
    found = guess(table)
    assert (found.formula, found.levels, found.wide) == (formula, levels, None)


def test_what_was_measured_is_no_factor():
    table = long(mood=["hi", "lo"], rep=range(6), response="rt").drop(columns="rep")
    table["pleasant"] = np.random.default_rng(5).integers(1, 5, len(table))
    found = guess(table)
    assert found.formula == "rt ~ mood"
    assert found.unused["pleasant"].startswith("numbers that vary within subjects: another measur")


def test_times_in_no_order_are_no_condition():
    table = long(visit=range(5), response="pain")
    table["month"] = measured(len(table), 7)
    found = guess(table.drop(columns="visit"))
    assert found.unused["month"].startswith("numbers that vary within subjects")


@pytest.mark.parametrize(("name", "said"), [("group", True), ("time", False)])
def test_groups_whose_subjects_have_the_same_labels_are_asked_about(name, said):
    found = guess(long(**{name: ["a", "b"]}))
    assert any("labels begin anew" in reason for reason in found.reasons["formula"]) == said


def test_columns_of_different_size_are_not_levels_of_a_factor():
    table = wide("verbal_total").assign(speed_total=measured(12, 3, 2000))
    with pytest.raises(InputError, match="every id has one row"):
        guess(table)


def test_a_crossing_is_missing_where_one_of_its_columns_is():
    a = Column(pd.Series(list("xxyyy")))
    b = Column(pd.Series(["p", "q", "p", None, "q"]))
    found = crossing([a, b])
    assert (found.distinct, found.missing) == (4, 1)


@pytest.mark.parametrize("column", ["group", "mood"])
def test_a_factor_with_one_empty_cell_is_used(tmp_path, column):
    table = long(mood=["hi", "lo"]).assign(group=half(rows=2, labels=("a", "b")))
    table.loc[3, column] = None
    table.to_csv(tmp_path / "t.csv", index=False)
    found, keys, _ = study_of(str(tmp_path / "t.csv"), "s")
    assert (keys["formula"], keys["missing"]) == ("score ~ mood * group", "drop")
    assert found.reasons["missing"][0].startswith(f"Values are missing, 1 in {column}:")


ITEMS = [f"Q{k}" for k in range(1, 21)]
LEVELS = {"low": "low", "high": "high", "Left": "Left"}
WIDE = {
    "items of SPSS": (
        wide(*ITEMS, sex=half(), age=AGE).astype(float),
        ITEMS,
        "score ~ Q * sex",
    ),
    "items with the scale's name": (
        wide(*[f"{item}_anx" for item in ITEMS]),
        "{Q}_anx",
        "anx ~ Q",
    ),
    "a measure and its times": (
        wide("score_t1", "score_t2", "score_t3"),
        "score_{t}",
        "score ~ t",
    ),
    "a measure and numbers": (wide("score.1", "score.2"), "score.{condition}", "score ~ condition"),
    "a measure before numbers": (wide("rt1", "rt2"), ["rt1", "rt2"], "rt ~ condition"),
    "weeks": (wide("week_0", "week_4", "week_8"), "week_{week}", "score ~ week"),
    "before and after, in words": (wide("pre_bp", "post_bp"), "{time}_bp", "bp ~ time"),
    "a text called like them": (
        wide("score_t1", "score_t2", score_note=list("abcdefghijka")),
        {"t1": "score_t1", "t2": "score_t2"},
        "score ~ t",
    ),
    "two factors, one of time": (
        wide("A1_pre", "A1_post", "A2_pre", "A2_post"),
        "{A}_{time}",
        "score ~ A * time",
    ),
    "three factors": (
        wide(*[".".join(x) for x in product(["lo", "hi"], ["t1", "t2"], ["L", "R"])]),
        "{condition}.{t}.{condition2}",
        "score ~ condition * t * condition2",
    ),
    "two factors without a separator": (
        wide("lowLeft", "lowRight", "highLeft", "highRight"),
        {
            f"{a}{b}": {"condition": a, "condition2": b}
            for a, b in product(["low", "high"], ["Left", "Right"])
        },
        "score ~ condition * condition2",
    ),
    "an incomplete crossing": (
        wide("c1_t0", "c1_t1", "c2_t0"),
        ["c1_t0", "c1_t1", "c2_t0"],
        "score ~ condition",
    ),
    "words on one scale": (
        wide("happy", "sad", "angry", sex=half()),
        ["happy", "sad", "angry"],
        "score ~ condition * sex",
    ),
    "German words": (
        wide("vorher", "nachher", Gruppe=half()),
        ["vorher", "nachher"],
        "score ~ time * Gruppe",
    ),
    "towns that come back": (
        wide("t1", "t2", town=list("abcdef") * 2),
        ["t1", "t2"],
        "score ~ t * town",
    ),
    "two measures": (
        wide("rt_pre", "rt_post").assign(hits_pre=measured(12, 7, 2), hits_post=measured(12, 8, 2)),
        "rt_{time}",
        "rt ~ time",
    ),
    "the same in every row": (wide("t1", "t2").assign(t3=20), ["t1", "t2", "t3"], "score ~ t"),
}


@pytest.mark.parametrize("name", WIDE)
def test_wide_tables(name):
    table, columns, formula = WIDE[name]
    found = guess(table)
    assert (found.subject, found.wide, found.formula) == ("id", columns, formula)
    one = guess(table.drop(columns="id"))
    assert (one.subject, one.wide, one.formula) == ("row", columns, formula)


def test_text_among_the_numbers_of_one_condition_is_refused():
    table = wide("t1", "t2").assign(t3=["12,5 ms", *map(str, measured(11))])
    with pytest.raises(InputError, match=r'"t3" is called like "t1", "t2", and holds "12,5 ms"'):
        guess(table)


@examples(30)
@given(
    st.lists(
        st.lists(
            st.sampled_from(["k", "m1", "pre", "2", "Ab", "éa"]),
            min_size=2,
            max_size=3,
            unique=True,
        ),
        min_size=2,
        max_size=3,
    ),
    st.sampled_from(["_", ".", "-", " "]),
)
def test_complete_crossings_come_back_whatever_they_are_called(parts, separator):
    names = [separator.join(levels) for levels in product(*parts)]
    found = guess(wide(*names))
    study = RealStudy(
        **{"data": "t.csv", "subject": "id", "formula": found.formula, "wide": found.wide}
    )
    assert set(found.measured) == set(names)
    assert found.formula.count(" * ") == len(parts) - 1
    assert study.wide == found.wide


@pytest.mark.parametrize(
    "table", [*(t for t, *_ in LONG.values()), *(t for t, *_ in WIDE.values())]
)
def test_every_column_is_used_or_left_out_with_its_reason(table):
    found = guess(table)
    used = {found.subject, *found.measured, *found.unused}
    used |= {name for name in table if name in found.formula}
    assert used >= set(table)
    assert all(found.unused.values())
