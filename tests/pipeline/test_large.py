"""Tables read in parts: the observations are those of the table in memory, refusals too."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables_in_parts import load_in_parts

from twolevel.pipeline.tables.observations import load_table
from twolevel.pipeline.tables.table_files import TableFiles
from twolevel.text.errors import InputError

same_directory = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
KEYS = {"study": "s", "formula": "score ~ time * group + age", "subject": "id"}


def table(n=9, J=3):
    """A table with subjects as numbers, one of them without a level."""
    generator = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "id": np.repeat(np.arange(n) + 10, J),
            "time": np.tile([f"t{3 - j}" for j in range(J)], n),
            "group": np.repeat(np.where(np.arange(n) % 2, "b", "a"), J),
            "age": np.repeat(generator.integers(20, 60, n), J),
            "score": generator.normal(size=n * J).round(3),
        }
    )
    return frame.iloc[1:]


def write(frame, folder, pieces, ending):
    """Cut a table into files; return their pattern."""
    for old in folder.glob("part*"):
        old.unlink()
    for k, rows in enumerate(np.array_split(np.arange(len(frame)), pieces)):
        part, path = frame.iloc[rows], folder / f"part{k}.{ending}"
        part.to_parquet(path) if ending == "parquet" else part.to_csv(path, index=False)
    return str(folder / f"part*.{ending}")


def same(found, expected):
    assert found.columns == expected.columns
    assert list(found.data.columns.sort_values()) == list(expected.data.columns.sort_values())
    for name in expected.data:
        one, other = found.data[name], expected.data[name]
        if isinstance(other.dtype, pd.CategoricalDtype):
            if name != "subject":
                assert list(one.cat.categories) == list(other.cat.categories)
            one, other = one.astype(str), other.astype(str)
        assert one.tolist() == other.tolist()


@same_directory
@given(
    pieces=st.integers(1, 5),
    ending=st.sampled_from(["csv", "parquet"]),
    shuffle=st.booleans(),
    holes=st.booleans(),
    levels=st.sampled_from([{}, {"time": ["t1", "t2", "t3"]}]),
)
def test_observations_are_those_in_memory(tmp_path_factory, pieces, ending, shuffle, holes, levels):
    tmp_path = tmp_path_factory.mktemp("parts")
    frame = table()
    if shuffle:
        frame = frame.sample(frac=1, random_state=3)
    keys = {"levels": levels}
    if holes:
        frame.loc[frame.index[[2, 7]], "score"] = np.nan
        keys |= {"missing": "drop"}
    data = write(frame, tmp_path, pieces, ending)
    expected = load_table(data, **KEYS | keys)
    found, told = load_in_parts(tmp_path, data=data, **KEYS | keys)
    same(found, expected)
    assert told.summary() == expected.summary()


def test_wide_tables(tmp_path):
    wide = table(8).pivot(index=["id", "group", "age"], columns="time", values="score")
    wide = wide.reset_index().fillna({"t3": 0.5})
    data = write(wide, tmp_path, 2, "csv")
    keys = {"wide": "t*", "condition": "time"}
    numbered = load_in_parts(tmp_path, data=data, **KEYS | keys | {"subject": "row"})[0].data
    assert numbered["subject"].astype(int).tolist() == [i + 1 for i in range(8) for _ in range(3)]
    found, _ = load_in_parts(tmp_path, data=data, **KEYS | keys)
    same(found, load_table(data, **KEYS | keys))


def test_text_in_one_file_makes_text_of_all(tmp_path):
    frame = table().astype({"group": object})
    frame["group"] = np.where(frame["id"] > 14, 1, 2)
    data = write(frame, tmp_path, 1, "csv")
    frame.assign(id=frame["id"] + 50, group="x").to_csv(tmp_path / "part9.csv", index=False)
    found, _ = load_in_parts(tmp_path, data=data, **KEYS)
    same(found, load_table(data, **KEYS))
    assert set(found.data["group"]) == {"1", "2", "x"}


@pytest.mark.parametrize(
    ("change", "keys", "words"),
    [
        ({"score": np.nan}, {}, 'row 1 of part1.csv, column "score": the value is missing'),
        ({"score": np.inf}, {}, 'column "score": found inf'),
        ({"score": "x9"}, {}, 'column "score": found "x9", expected a number'),
        ({"time": " t1"}, {}, 'column "time": found'),
        ({"id": 10}, {"formula": "score ~ time"}, "hold the same cell"),
        ({}, {"levels": {"time": ["t1", "t2"]}}, 'found "t3", which levels: does not list'),
        ({}, {"condition": "group"}, "varies within no subject"),
    ],
)
def test_refusals(tmp_path, change, keys, words):
    frame = table().astype(object)
    for name, value in change.items():
        frame.iloc[13, frame.columns.get_loc(name)] = value
    data = write(frame, tmp_path, 2, "csv")
    with pytest.raises(InputError) as error:
        load_in_parts(tmp_path, data=data, **KEYS | keys)
    message = str(error.value)
    assert message.startswith(f"study s: {data}: ")
    assert len(message.splitlines()) == 1
    assert words in message
    assert not (tmp_path / "o.parquet").exists()
    with pytest.raises(InputError) as whole:
        load_table(data, **KEYS | keys)
    assert str(whole.value) == message


def test_a_typing_error_is_found_in_a_row_that_is_left_out(tmp_path):
    frame = table(20).astype({"age": object})
    frame.iloc[33, [frame.columns.get_loc(name) for name in ("age", "score")]] = "3o", np.nan
    data = write(frame, tmp_path, 2, "csv")
    for load in (load_table, lambda **keys: load_in_parts(tmp_path, **keys)):
        with pytest.raises(InputError, match=r'row 4 of part1\.csv, column "age": found "3o"'):
            load(data=data, missing="drop", **KEYS)


@pytest.mark.filterwarnings("error")
def test_a_column_without_values_in_one_file_is_what_it_is_in_the_others(tmp_path):
    frame = table()
    frame.loc[frame.index < 14, ["age", "group"]] = np.nan
    for ending in ("csv", "parquet"):
        data = write(frame, tmp_path, 2, ending)
        whole = load_table(data, **KEYS, missing="drop")
        same(load_in_parts(tmp_path, data=data, missing="drop", **KEYS)[0], whole)
        assert whole.data["age"].dtype == np.float64
        assert set(whole.data["group"].cat.categories) == {"a", "b"}


def test_levels_have_the_order_of_a_file_whose_rows_have_them_later(tmp_path):
    kind = pd.CategoricalDtype(["t3", "t1", "t2"])
    frame = table().astype({"time": kind})
    early = (frame["time"] != "t1") & (frame["id"] < 14)
    for k, part in enumerate([frame[early], frame[~early]]):
        part.to_parquet(tmp_path / f"part{k}.parquet")
    data = str(tmp_path / "part*.parquet")
    found, _ = load_in_parts(tmp_path, data=data, **KEYS | {"formula": "score ~ time"})
    assert list(found.data["condition"].cat.categories) == ["t3", "t1", "t2"]


def test_what_is_large_is_known_before_it_is_read(tmp_path):
    frame = table()
    for ending in ("parquet", "csv"):
        data = write(frame, tmp_path, 3, ending)
        assert 20 < TableFiles(data, "study s", {}).estimated_rows() <= 200
