"""Values that stand for missing ones: named by the study, or likely to be such."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from examples import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from tables_in_parts import load_in_parts

from twolevel.mixed import fit_mixed
from twolevel.pipeline.config.check import checked, load
from twolevel.pipeline.tables.likely_codes import CODES, Range
from twolevel.pipeline.tables.observations import load_table
from twolevel.pipeline.tables.stored import Observations
from twolevel.text.errors import InputError

CASE = Path(__file__).parents[1] / "data/cases/minus99.csv"
STUDY = {
    "data": str(CASE),
    "formula": "score ~ time",
    "subject": "id",
    "wide": {"t1": "t1", "t2": "t2", "t3": "t3"},
}


def fitted(loaded):
    observations = Observations(loaded.data, loaded.columns)
    return fit_mixed("score ~ time", observations.typed, observations.subject)


@pytest.mark.parametrize(
    "values", [[-99], ["-99.0"], {"score": [-99]}, {"t2": [-99], "t3": [-99.0]}]
)
def test_a_code_is_missing_as_an_empty_cell_is(values):
    """R: anova(lmer(y ~ k + (1|id)), ddf = "Kenward-Roger") with NA for -99: 16.14, 20.07 df."""
    loaded = load_table(**STUDY, study="s", missing_values=values, missing="drop")
    test = fitted(loaded).anova().iloc[0]
    assert test["F"] == pytest.approx(16.14, abs=0.005)
    assert test["df_den"] == pytest.approx(20.07, abs=0.005)
    assert test["p"] == pytest.approx(6.6e-5, rel=0.01)
    assert loaded.dropped == {"score": 2}
    assert {name: sum(some.values()) for name, some in loaded.coded.items()} == {"t2": 1, "t3": 1}
    assert loaded.likely == []


def test_without_it_the_numbers_are_analysed_and_pointed_at():
    loaded = load_table(**STUDY, study="s")
    assert len(loaded.data) == 36
    assert loaded.summary()["likely_codes"] == [
        {
            "column": "score",
            "code": -99,
            "count": 2,
            "low": 1.2,
            "high": 9.2,
            "words": "2 values are -99, where all others lie between 1.2 and 9.2",
        }
    ]


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (
            [-99],
            r'row 4, column "t2": the value is missing \(2 of 36 rows lack one; 1 -99 in t2, 1',
        ),
        ([-98], 'missing_values: lists "-98", and there is none in "t1", "t2", "t3"'),
        ([-99, -98], 'lists "-98"'),
        ({"t1": [-99]}, 'lists "-99", and there is none in "t1"'),
        ({"tme": [-99]}, 'names "tme", which is no column that the study uses'),
    ],
)
def test_what_cannot_be_is_refused_in_parts_too(tmp_path, values, words):
    missing = "refuse" if "the value is missing" in words else "drop"
    keys = {**STUDY, "study": "s", "missing_values": values, "missing": missing}
    with pytest.raises(InputError, match=words):
        load_table(**keys)
    with pytest.raises(InputError, match=words):
        load_in_parts(tmp_path, **keys)


def test_a_column_that_is_not_there_stops_the_run_before_any_job():
    study = {**STUDY, "missing_values": {"sore": [-99]}}
    with pytest.raises(InputError, match=r'names "sore".*did you mean "score"'):
        checked({"studies": {"s": study}}, [])


@pytest.mark.parametrize("values", [-99, {}, {"score": -99}, [-99, -99.0], [True], [None]])
def test_the_key_is_a_list_of_values(values):
    with pytest.raises(InputError, match="missing_values"):
        load({"studies": {"s": {**STUDY, "missing_values": values}}})


def long_table(n=30):
    generator = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(n) + 80, 2),
            "time": ["a", "b"] * n,
            "age": np.repeat(generator.integers(20, 60, n), 2),
            "group": np.repeat(np.where(np.arange(n) % 2, "x", "y"), 2),
            "score": generator.normal(size=2 * n).round(2),
        }
    )
    return frame.astype({"age": float})


@pytest.mark.parametrize("ending", ["csv", "parquet", "xlsx"])
@pytest.mark.parametrize("by_column", [True, False])
def test_parts_and_formats_agree_with_empty_cells(tmp_path, ending, by_column):
    """Codes in numbers, labels and, where a file may hold both, words among numbers."""
    empty = long_table()
    for row, name in ((3, "score"), (20, "score"), (7, "age"), (30, "group"), (41, "group")):
        empty.loc[row, name] = np.nan
    coded, values = empty.copy(), {"score": [-99], "age": [999], "group": ["k.A."]}
    if ending != "parquet":
        coded, values = coded.astype({"score": object}), values | {"score": [-99, "k.A."]}
        coded.loc[20, "score"] = "k.A."
    coded["score"] = coded["score"].fillna(-99)
    coded = coded.fillna({"age": 999, "group": "k.A."})
    paths = [tmp_path / f"{name}.{ending}" for name in ("empty", "coded")]
    for frame, path in zip((empty, coded), paths, strict=True):
        write = {"csv": frame.to_csv, "xlsx": frame.to_excel}.get(ending, frame.to_parquet)
        write(path, index=False)
    study = {"study": "s", "formula": "score ~ time * group + age", "subject": "id"}
    study["missing"] = "drop"
    plain = load_table(paths[0], **study)
    values = values if by_column else [-99, 999, "k.A."]
    found = load_table(paths[1], **study, missing_values=values)
    pd.testing.assert_frame_equal(found.data, plain.data)
    assert found.dropped == plain.dropped
    # The subject 99 is none of them.
    assert "99" in set(load_table(paths[0], **study).data["subject"])
    _, in_parts = load_in_parts(tmp_path, data=paths[1], **study, missing_values=values)
    assert in_parts.summary() == found.summary()


def test_a_subjects_name_is_a_code_only_where_it_is_named(tmp_path):
    path = tmp_path / "t.csv"
    long_table().assign(age=lambda t: t["age"].replace(t["age"][0], 99)).to_csv(path, index=False)
    study = {"study": "s", "formula": "score ~ time + age", "subject": "id", "missing": "drop"}
    everywhere = load_table(path, **study, missing_values=[99])
    assert "99" in set(everywhere.data["subject"])
    assert "id" not in everywhere.dropped
    named = load_table(path, **study, missing_values={"id": [99]})
    assert named.dropped == {"id": 2}


def test_text_that_is_numbers_but_for_a_code_is_not_taken_for_labels(tmp_path):
    frame = long_table()
    frame["age"] = frame["age"].astype(int).astype(str)
    frame.loc[4:5, "age"] = "k.A."
    frame.to_parquet(tmp_path / "t.parquet")
    study = {"study": "s", "data": tmp_path / "t.parquet", "subject": "id", "missing": "drop"}
    study["missing_values"] = ["k.A."]
    for read in (load_table, lambda **keys: load_in_parts(tmp_path, **keys)):
        with pytest.raises(InputError, match="numbers that the file holds as text"):
            read(**study, formula="score ~ time + age")
        read(**study, formula="score ~ time + C(age)")


def likely(values):
    found = Range()
    found.add(pd.Series(values))
    return {code.code: code.count for code in found.likely("x")}


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([1, 2, 3, 4, 5, 2, 3, -99, -99], {-99: 2}),
        ([1, 2, 3, 4, 5, 2, 3, -99], {-99: 1}),
        ([1, 2, 3, 4, 5, 2, 3, 99, 99, 88], {88: 1, 99: 2}),
        ([18, 25, 31, 22, 27, 35, 999, 999], {999: 2}),
        ([310.5, 420.25, 1999.0, 610.1, 550.3, -99, -99], {-99: 2}),
        ([0, 1, 0, 1, 1, 0, -9, -9], {-9: 2}),
        ([-3, -1, 0, 2, 4, 1, -999, 1], {-999: 1}),
        # An age, a share in percent, counts, change scores, a scale, one far value.
        ([71, 82, 95, 99, 64, 88, 77, 99], {}),
        ([18, 25, 31, 22, 27, 80, 99, 99], {}),
        ([10.5, 55, 99, 97, 98, 99, 100, 3], {}),
        ([990, 995, 999, 999, 1004, 1010, 998], {}),
        ([-9, -3, 0, 4, 7, -9, 2], {}),
        ([-1, 0, 1, 0, -1, 1, 0], {}),
        ([12, 15, 18, 22, 25, 31, 99], {}),
        ([5, 5, 5, 5, 5, 5, 99], {}),
        ([1, 2, 99, 99, 99, 99], {}),
    ],
)
def test_likely_codes_lie_alone_far_from_the_others(values, codes):
    assert likely(values) == codes
    assert likely(np.array(values, dtype=float)) == codes


@given(
    st.lists(st.integers(-300, 1200), min_size=1, max_size=60),
    st.lists(st.sampled_from([-99, 99, 999, -9, 77]), max_size=5),
    st.integers(0, 60),
)
@settings(deadline=None)
def test_parts_add_up_to_the_whole(numbers, codes, cut):
    values, parts = pd.Series([*codes, *numbers]), Range()
    for part in (values[:cut], values[cut:]):
        parts.add(part)
    whole = Range()
    whole.add(values)
    assert parts == whole
    assert parts.likely("x") == whole.likely("x")


@given(st.lists(st.integers(0, 1000), min_size=300, max_size=400))
@examples(30)
def test_numbers_among_others_are_no_codes(numbers):
    """Whole numbers throughout a range, among them any of CODES."""
    assert likely([*numbers, *(code for code in CODES if 0 <= code <= 1000)]) == {}


DAYS = {
    "iso": ["2024-03-01", "2024-03-08"],
    "german": ["1.3.2024", "8.3.2024"],
    "american": ["3/1/24", "3/8/24"],
    "with time": ["2024-03-01T09:30:00Z", "2024-03-08 10:00"],
}


@pytest.mark.parametrize("days", DAYS.values(), ids=DAYS)
def test_dates_are_levels_only_where_it_is_said(tmp_path, days):
    path = tmp_path / "t.csv"
    long_table().replace({"time": {"a": days[0], "b": days[1]}}).to_csv(path, index=False)
    study = {"study": "s", "data": path, "subject": "id"}
    for read in (load_table, lambda **keys: load_in_parts(tmp_path, **keys)):
        with pytest.raises(InputError, match=r'column "time".*a date.*write C\(time\) in'):
            read(**study, formula="score ~ time")
        read(**study, formula="score ~ C(time)")
        read(**study, formula="score ~ time", levels={"time": days})


@pytest.mark.parametrize("labels", [("08:00", "20:00"), ("1.2.3", "1.2.4"), ("2024", "2025")])
def test_labels_that_are_no_dates_are_labels(tmp_path, labels):
    path = tmp_path / "t.csv"
    long_table().replace({"time": dict(zip("ab", labels, strict=True))}).to_csv(path, index=False)
    load_table(path, "s", formula="score ~ time", subject="id")
