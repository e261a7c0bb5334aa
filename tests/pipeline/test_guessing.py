"""Guesses of what a table's columns are: right for real tables, also under other names."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given
from hypothesis import strategies as st

from new_study import columns_of, study_of
from twolevel.pipeline.guessing.guess import guess
from twolevel.text.errors import InputError

DATA = Path(__file__).parents[1] / "data"
FORMULAS = {
    "anxiety": "y ~ condition * group",
    "anxiety_grp3": "y ~ condition",
    "dyestuff": "y ~ 1",
    "dyestuff2": "y ~ 1",
    "ergostool": "y ~ condition",
    "ergostool_missing": "y ~ condition",
    "selfesteem": "y ~ condition",
    "sleepstudy": "y ~ condition",
}


def shipped(name):
    return pd.read_csv(DATA / f"{name}.csv")


@pytest.mark.parametrize("name", FORMULAS)
def test_shipped_tables(name):
    found, keys, _ = study_of(str(DATA / f"{name}.csv"), name)
    assert keys["subject"] == "subject"
    assert keys["formula"] == FORMULAS[name] == found.formula
    assert not {"missing", "replicates", "wide"} & set(keys)


@pytest.mark.parametrize("name", FORMULAS)
@examples(15)
@given(data=st.data())
def test_names_orders_and_bystanders_do_not_decide(name, data):
    """Under names that say nothing, in any order, beside columns of no use."""
    table = shipped(name)
    called = {"subject": "a", "condition": "b", "y": "c", "group": "d"}
    table = table.rename(columns=called).sample(frac=1, random_state=data.draw(st.integers(0, 99)))
    if data.draw(st.booleans()):
        table["remark"] = "none"
    if data.draw(st.booleans()):
        table["row"] = [f"r{k}" for k in range(len(table))]
    if data.draw(st.booleans()):
        table["a"] = "p" + table["a"].astype(str)
    table = table[data.draw(st.permutations(list(table.columns)))]
    found = guess(table.convert_dtypes())
    expected = FORMULAS[name]
    for old, new in {"condition": "b", "group": "d", "y": "c"}.items():
        expected = expected.replace(old, new)
    assert (found.subject, found.formula, found.wide) == ("a", expected, None)


def wide(**columns):
    table = shipped("anxiety").pivot(index=["subject", "group"], columns="condition", values="y")
    return table.rename(columns=columns).reset_index()


def test_a_wide_table():
    found = guess(wide())
    assert (found.subject, found.condition) == ("subject", "t")
    assert found.wide == ["t1", "t2", "t3"]
    assert found.formula == "score ~ t * group"


def test_a_wide_table_with_words_for_names_and_an_age():
    table = wide(t1="before", t2="during", t3="after").drop(columns="group")
    found = guess(table.assign(age=np.arange(len(table)) % 40 + 20))
    assert list(found.wide) == ["before", "during", "after"]
    assert found.formula == "score ~ time"


def test_two_factors_within_subjects():
    grid = pd.MultiIndex.from_product([range(8), ["x", "y"], ["am", "noon", "pm"]])
    table = grid.to_frame(index=False, name=["person", "drug", "daytime"])
    table["rt"] = np.random.default_rng(1).normal(size=len(table))
    found = guess(table)
    assert found.subject == "person"
    assert sorted(found.formula.removeprefix("rt ~ ").split(" * ")) == ["daytime", "drug"]


def test_few_numbers_are_labels_and_names_are_quoted():
    table = shipped("ergostool").rename(columns={"y": "effort arising"})
    table["stool no"] = table.pop("condition").str[1:].astype(int)
    found = guess(table)
    assert found.formula == "`effort arising` ~ `stool no`"
    assert found.levels == {"stool no": [1, 2, 3, 4]}


def test_numbers_on_a_scale_come_with_the_formula_for_means():
    reasons = guess(shipped("sleepstudy")).reasons["formula"]
    assert reasons[-1].endswith("write formula: y ~ C(condition)")


def test_what_is_no_table_of_repeated_measurements_is_said(tmp_path):
    with pytest.raises(InputError, match="found 2 rows"):
        guess(pd.DataFrame({"a": [1, 2], "b": [3, 4]}))
    words = pd.DataFrame({"a": list("abcd"), "b": list("efgh")})
    with pytest.raises(InputError, match=r'these are no repeated.*"a" \(4 different labels'):
        guess(words)
    words.to_csv(tmp_path / "words.csv", index=False)
    with pytest.raises(InputError, match=r"^study words: .*words\.csv: every b has one row"):
        study_of(str(tmp_path / "words.csv"), "words")


class TestTriedOut:
    """What stands in the entry has been loaded and fitted."""

    def keys(self, tmp_path, table):
        table.to_csv(tmp_path / "t.csv", index=False)
        return study_of(str(tmp_path / "t.csv"), "t")

    def test_missing_values(self, tmp_path):
        table = shipped("anxiety_grp3")
        table.loc[3, "y"] = np.nan
        found, keys, _ = self.keys(tmp_path, table)
        assert keys["missing"] == "drop"
        assert found.reasons["missing"][0].startswith("Values are missing, 1 in y:")

    def test_a_doubled_row(self, tmp_path):
        table = shipped("anxiety_grp3")
        _, keys, _ = self.keys(tmp_path, pd.concat([table, table.iloc[:1]]))
        assert keys["replicates"] == "allow"

    def test_groups_that_were_not_seen_under_all_conditions(self, tmp_path):
        table = shipped("anxiety")
        table = table[(table["group"] != "grp1") | (table["condition"] != "t3")]
        found, keys, _ = self.keys(tmp_path, table)
        assert keys["formula"] == "y ~ condition + group"
        assert any("y ~ condition * group" in words for words in found.reasons["formula"])

    def test_a_column_that_cannot_be_read(self, tmp_path):
        table = shipped("anxiety_grp3").assign(remark='a\nb"')
        _, keys, notes = self.keys(tmp_path, table)
        assert keys["formula"] == "y ~ condition"
        assert 'column "remark"' in " ".join(notes)
        assert list(columns_of(str(tmp_path / "t.csv"), "s")[0]) == ["subject", "condition", "y"]
