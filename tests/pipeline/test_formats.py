"""One table in every format and dialect: the same observations, or a question about a doubt."""

import gzip
import sys
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from examples import examples
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from twolevel.pipeline.config.wide_columns import checked_wide
from twolevel.pipeline.tables.observations import load_table
from twolevel.pipeline.tables.reading import Reader
from twolevel.pipeline.tables.table_files import TableFiles, header
from twolevel.text.errors import InputError

pyreadstat = pytest.importorskip("pyreadstat", reason="pyreadstat is in the formats extra")
pytest.importorskip("openpyxl", reason="openpyxl is in the formats extra")

many = examples(150, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
LABELS = st.text(st.sampled_from("abcé ,;|\"'#ß0"), min_size=1, max_size=4).filter(
    lambda text: text == text.strip() and text not in ("'", '"')
)
NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(float),
    st.floats(-1e6, 1e6).map(lambda x: round(x, 4)),
    st.floats(allow_nan=False, allow_infinity=False),
)
FRAME = pd.DataFrame(
    {
        "id": ["1", "1", "2", "2", "3", "3"],
        "time": ["b", "a"] * 3,
        "score": [1.5, 2.0, -3.25, 4.0, 0.5, 6.0],
    }
)
KEYS = {"formula": "score ~ time", "subject": "id"}


def load(path, **keys):
    return load_table(str(path), "s", **KEYS | keys)


def refused(path, **keys):
    with pytest.raises(InputError) as error:
        load(path, **keys)
    message = str(error.value)
    assert message.startswith(f"study s: {path}: ")
    assert len(message.splitlines()) == 1
    return message


def same(loaded, expected=FRAME):
    assert loaded.data["subject"].astype(str).tolist() == expected["id"].tolist()
    assert loaded.data["condition"].astype(str).tolist() == expected["time"].tolist()
    np.testing.assert_array_equal(loaded.data["response"], expected["score"])


class TestText:
    @many
    @given(
        st.lists(st.tuples(LABELS, NUMBERS), min_size=2, max_size=8),
        st.sampled_from(list(NAMES)),
        st.sampled_from([".", ","]),
        st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
        st.sampled_from(["\n", "\r\n", "\r"]),
        st.booleans(),
        st.booleans(),
    )
    def test_any_dialect(self, tmp_path, rows, delimiter, decimal, encoding, end, quoted, zipped):
        lines = [["label", "number"]]
        for label, number in rows:
            text = repr(number).replace(".", decimal)
            fields = [label.replace('"', '""'), text]
            special = any(sign in label for sign in (delimiter, '"', "\n"))
            fields[0] = f'"{fields[0]}"' if quoted or special else fields[0]
            fields[1] = f'"{text}"' if decimal == delimiter else text
            lines.append(fields)
        content = "".join(delimiter.join(fields) + end for fields in lines).encode(encoding)
        path = tmp_path / f"t.csv{'.gz' if zipped else ''}"
        path.write_bytes(gzip.compress(content) if zipped else content)
        try:
            reader = Reader(TableFiles(path, "s", {}), ["label", "number"], ["label"])
            table, facts = reader.whole().data, reader.facts
        except InputError as doubt:
            if decimal == "," and "thousands" in str(doubt):
                return
            raise
        assert table["label"].astype(str).tolist() == [label for label, _ in rows]
        assert table["number"].tolist() == [number for _, number in rows]
        assert facts["delimiter"] == NAMES[delimiter]
        known = {"utf-8-sig": "UTF-8", "utf-8": "UTF-8", "cp1252": "Windows-1252"}
        if not content.isascii():
            assert facts["encoding"] == known.get(encoding, encoding)
        assert ("gzipped" in facts["format"]) == zipped
        if any(number % 1 for _, number in rows) and "decimal" in facts:
            assert facts["decimal"] == {".": "point", ",": "comma"}[decimal]

    def test_keys_beat_what_is_found(self, tmp_path):
        path = tmp_path / "t.csv"
        path.write_bytes("id;time;score\né;a;1,234\né;b;2,5\nö;a;3,456\nö;b;4\n".encode("latin-1"))
        assert load(path).data["response"].tolist() == [1.234, 2.5, 3.456, 4]
        path.write_bytes("id;time;score\né;a;1,234\né;b;2,500\nö;a;3,456\nö;b;4\n".encode("cp437"))
        assert "marks for thousands" not in refused(path)
        keys = {"read": {"decimal": ",", "encoding": "cp437", "delimiter": ";"}}
        loaded = load(path, **keys)
        assert loaded.data["response"].tolist() == [1.234, 2.5, 3.456, 4]
        assert loaded.data["subject"].astype(str).tolist() == list("ééöö")

    @pytest.mark.parametrize(
        ("values", "words"),
        [
            (
                ["1,234", "2,345", "3", "4"],
                ["row 1", '"1,234"', "with decimals or one with a mark"],
            ),
            (["1.234,5", "2", "3", "4"], ["row 1", '"1.234,5"', "thousands"]),
            (["1,5", "2.5", "3", "4"], ["expected a number"]),
            (["1 234", "2", "3", "4"], ['"1 234"', "take out the marks for thousands"]),
            (["1'234", "2", "3", "4"], ["take out the marks for thousands"]),
            (["1,234,567", "2", "3", "4"], ["take out the marks for thousands"]),
        ],
    )
    def test_doubtful_numbers(self, tmp_path, values, words):
        rows = zip("1122", "abab", values, strict=True)
        path = tmp_path / "t.csv"
        path.write_text("id;time;score\n" + "".join(";".join(row) + "\n" for row in rows))
        message = refused(path)
        for word in words:
            assert word in message

    def test_columns_must_agree_on_the_decimal_sign(self, tmp_path):
        path = tmp_path / "t.csv"
        path.write_text("id;time;score;age\n1;a;1,5;1.5\n1;b;2;1.5\n2;a;3;2\n2;b;4;2\n")
        assert "decimals would be written in two ways" in refused(
            path, formula="score ~ time + age"
        )

    def test_zeros_first_are_no_thousands(self, tmp_path):
        path = tmp_path / "t.csv"
        path.write_text("id;time;score\n1;a;0,123\n1;b;1,234\n2;a;2,345\n2;b;3,456\n")
        assert load(path).data["response"].tolist() == [0.123, 1.234, 2.345, 3.456]


class TestParquet:
    @pytest.mark.parametrize(
        "change",
        [
            {"id": pa.array([1, 1, 2, 2, 3, 3], pa.int8())},
            {"id": pa.array([1.0, 1, 2, 2, 3, 3])},
            {"id": pa.array(FRAME["id"], pa.large_string())},
            {"time": pa.array(FRAME["time"]).dictionary_encode()},
            {"score": pa.array([Decimal(str(x)) for x in FRAME["score"]])},
            {"score": pa.array(FRAME["score"], pa.float32())},
            {"score": pa.array(FRAME["score"].astype(str))},
        ],
    )
    def test_types(self, tmp_path, change):
        columns = {name: pa.array(FRAME[name]) for name in FRAME}
        pq.write_table(pa.table(columns | change), tmp_path / "t.parquet")
        loaded = load(tmp_path / "t.parquet")
        same(loaded)
        assert loaded.facts == {"format": "Parquet"}

    def test_factors_keep_their_order_and_dates_are_levels_where_it_is_said(self, tmp_path):
        frame = FRAME.assign(time=pd.Categorical(FRAME["time"], ["c", "a", "b"], ordered=True))
        frame.to_parquet(tmp_path / "t.parquet")
        assert list(load(tmp_path / "t.parquet").data["condition"].cat.categories) == ["a", "b"]
        frame = FRAME.assign(time=pd.to_datetime(["2020-01-02", "2020-01-01"] * 3))
        frame.to_parquet(tmp_path / "t.parquet")
        assert 'found "2020-01-02 00:00:00.000000", a date' in refused(tmp_path / "t.parquet")
        loaded = load(tmp_path / "t.parquet", formula="score ~ C(time)")
        assert loaded.data["condition"].cat.categories[0] == "2020-01-02 00:00:00.000000"

    def test_what_is_no_column_of_values(self, tmp_path):
        table = pa.table({**FRAME, "time": pa.array([[1], [2]] * 3)})
        pq.write_table(table, tmp_path / "t.parquet")
        assert 'column "time": holds list' in refused(tmp_path / "t.parquet")
        twice = pa.Table.from_arrays([pa.array([1, 2])] * 2, names=["id", "id"])
        pq.write_table(twice, tmp_path / "t.parquet")
        assert 'names columns twice or more: "id" (columns 1 and 2); give' in refused(
            tmp_path / "t.parquet"
        )


class TestExcel:
    def test_a_sheet(self, tmp_path):
        path = tmp_path / "t.xlsx"
        frame = FRAME.assign(id=FRAME["id"].astype(int), empty=None)
        with pd.ExcelWriter(path) as writer:
            pd.DataFrame({"note": ["x"]}).to_excel(writer, sheet_name="About", index=False)
            frame.to_excel(writer, sheet_name="Data", index=False)
        loaded = load(path, read={"sheet": "Data"})
        same(loaded)
        assert loaded.facts == {"format": "Excel", "sheet": "Data"}
        assert 'no sheet "data" (did you mean "Data"?)' in refused(path, read={"sheet": "data"})
        assert 'no column "id"' in refused(path)

    def test_dates_blank_rows_and_text_among_numbers(self, tmp_path):
        path = tmp_path / "t.xlsx"
        days = pd.to_datetime(["2020-01-02", "2020-01-01"] * 3)
        frame = FRAME.assign(time=days).astype({"score": object})
        frame.loc[6] = [None, None, None]
        frame.to_excel(path, index=False)
        loaded = load(path, formula="score ~ C(time)")
        assert list(loaded.data["condition"].cat.categories) == ["2020-01-02", "2020-01-01"]
        frame.loc[3, "score"] = "#DIV/0!"
        frame.to_excel(path, index=False)
        assert 'row 4, column "score": found "#DIV/0!", expected a number' in refused(path)


@pytest.mark.parametrize("ending", ["sav", "zsav", "dta"])
class TestLabelled:
    def write(self, path, frame, **labels):
        if path.suffix == ".dta":
            pyreadstat.write_dta(frame, str(path), variable_value_labels=labels)
        else:
            compress = path.suffix == ".zsav"
            pyreadstat.write_sav(frame, str(path), variable_value_labels=labels, compress=compress)

    def test_labels_are_levels_in_the_order_of_their_codes(self, tmp_path, ending):
        path = tmp_path / f"t.{ending}"
        frame = FRAME.assign(id=FRAME["id"].astype(float), time=[2.0, 1.0] * 3)
        self.write(path, frame, time={1: "a", 2: "b", 3: "c"})
        loaded = load(path)
        same(loaded)
        assert list(loaded.data["condition"].cat.categories) == ["a", "b"]
        assert loaded.facts == {"format": "Stata" if ending == "dta" else "SPSS"}

    def test_numbers_with_some_labels_stay_numbers(self, tmp_path, ending):
        path = tmp_path / f"t.{ending}"
        frame = FRAME.assign(time=[2.0, 1.0] * 3, score=[1.0, 2, 3, 4, 5, 6])
        self.write(path, frame, time={1: "a"}, score={k: f"l{k}" for k in range(1, 7)})
        loaded = load(path)
        assert loaded.data["condition"].tolist() == [2, 1] * 3
        assert loaded.data["response"].tolist() == [1, 2, 3, 4, 5, 6]

    def test_missing_values(self, tmp_path, ending):
        path = tmp_path / f"t.{ending}"
        frame = FRAME.copy()
        frame.loc[1, "score"] = np.nan
        frame.loc[3, "time"] = ""
        self.write(path, frame)
        assert 'row 2, column "score": the value is missing (2 of 6' in refused(path)
        assert load(path, missing="drop").dropped == {"score": 1, "time": 1}


@pytest.mark.parametrize("ending", ["sav", "dta"])
@pytest.mark.parametrize(
    "label", ["no answer", "-9 = Missing", "keine Angabe", "Don't know", "[NA]"]
)
def test_numbers_whose_labels_say_that_there_is_none_are_missing(tmp_path, ending, label):
    path = tmp_path / f"t.{ending}"
    frame = FRAME.assign(score=[1.0, -9, 3, 4, 5, 6], time=[1.0, 2, 1, 2, 1, -9])
    labels = {"score": {-9: label}, "time": {1: "a", 2: "b", -9: label}}
    write = pyreadstat.write_dta if ending == "dta" else pyreadstat.write_sav
    write(frame, str(path), variable_value_labels=labels)
    loaded = load(path, missing="drop")
    assert loaded.coded == {"score": {f'-9 ("{label}")': 1}, "time": {f'-9 ("{label}")': 1}}
    assert loaded.data["condition"].cat.categories.tolist() == ["a", "b"]
    assert loaded.data["response"].tolist() == [1, 3, 4, 5]
    # A number that the study names is one of its own, whatever its label.
    loaded = load(path, missing="drop", missing_values=[-9])
    assert loaded.coded == {"score": {"-9": 1}, "time": {"-9": 1}}


def test_labels_of_a_scale_are_no_missing_values(tmp_path):
    path = tmp_path / "t.sav"
    frame = FRAME.assign(score=[1.0, 2, 3, 1, 2, 3])
    labels = {1: "does not apply", 2: "unknown to me", 3: "applies"}
    pyreadstat.write_sav(frame, str(path), variable_value_labels={"score": labels})
    assert load(path).coded == {}


def test_user_missing_values_of_spss_are_missing(tmp_path):
    path = tmp_path / "t.sav"
    frame = FRAME.assign(score=[1.0, 99, 3, 4, 5, 6])
    pyreadstat.write_sav(frame, str(path), missing_ranges={"score": [99]})
    assert 'row 2, column "score": the value is missing' in refused(path)


@pytest.mark.parametrize(("package", "ending"), [("openpyxl", "xlsx"), ("pyreadstat", "sav")])
def test_a_package_that_is_not_there_is_named(tmp_path, monkeypatch, package, ending):
    (tmp_path / f"t.{ending}").write_bytes(b"not empty")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(InputError, match=rf"needs the package {package}; .*pip install {package}"):
        header(tmp_path / f"t.{ending}", "study s")


class TestManyFiles:
    @many
    @given(
        st.integers(1, 5), st.sampled_from(["csv", "parquet"]), st.permutations(range(len(FRAME)))
    )
    def test_however_it_is_cut(self, tmp_path_factory, pieces, ending, order):
        folder = tmp_path_factory.mktemp("shards")
        frame = FRAME.iloc[list(order)]
        for k, rows in enumerate(np.array_split(np.arange(len(frame)), pieces)):
            part, path = frame.iloc[rows], folder / f"{k}.{ending}"
            part.to_parquet(path) if ending == "parquet" else part.to_csv(path, index=False)
        same(load(folder / f"*.{ending}"), frame)

    def test_places_name_the_file_and_its_row(self, tmp_path):
        FRAME.to_csv(tmp_path / "a.csv", index=False)
        FRAME.assign(id=["7", "7", "8", "8", "9", "9"]).astype(object).replace(4.0, "x").to_csv(
            tmp_path / "b.csv", index=False
        )
        message = refused(tmp_path / "*.csv")
        assert 'row 4 of b.csv, column "score": found "x"' in message
        (tmp_path / "b.csv").write_text("id,time\n1,a\n")
        with pytest.raises(InputError, match=r'b\.csv: there is no column "score"'):
            load(tmp_path / "*.csv")

    def test_patterns(self, tmp_path):
        with pytest.raises(InputError, match="no file matches this pattern"):
            load(tmp_path / "*.csv")
        with pytest.raises(InputError, match=r"found a directory; .* as data: .*/\*\.parquet"):
            load(tmp_path)


class TestWide:
    @pytest.fixture
    def path(self, tmp_path):
        wide = FRAME.pivot(index="id", columns="time", values="score").reset_index()
        wide.rename(columns={"a": "score_a", "b": "score_b"}).assign(sex=list("fmf")).to_csv(
            tmp_path / "t.csv", index=False
        )
        return tmp_path / "t.csv"

    @pytest.mark.parametrize(
        "wide", [{"b": "score_b", "a": "score_a"}, "score_*", ["score_b", "score_a"]]
    )
    def test_long_again(self, path, wide):
        keys = {"wide": checked_wide(wide), "formula": "score ~ time + sex"}
        loaded = load(path, **keys, condition="time")
        found = loaded.data.assign(
            condition=loaded.data["condition"].astype(str).str.removeprefix("score_")
        ).sort_values(["subject", "condition"])
        expected = FRAME.sort_values(["id", "time"])
        assert found["condition"].tolist() == expected["time"].tolist()
        assert found["response"].tolist() == expected["score"].tolist()
        assert found["sex"].tolist() == ["f", "f", "m", "m", "f", "f"]

    def test_places_are_those_of_the_wide_table(self, path):
        path.write_text(path.read_text().replace("2,4.0", "2,"))
        assert 'row 2, column "score_a": the value is missing' in refused(path, wide="score_*")
        assert load(path, wide="score_*", missing="drop").dropped == {"score": 1}
        path.write_text(path.read_text().replace("2,,", "2,x,"))
        assert 'row 2, column "score_a": found "x"' in refused(path, wide="score_*")

    def test_columns_that_are_not_there(self, path):
        assert 'no column "b"' in refused(path, wide={"b": "b", "a": "score_a"})
        assert "matches 0 of the columns" in refused(path, wide="y_*")
        assert "one of these only" in refused(
            path, wide={"x": "sex", "y": "score_a"}, formula="score ~ time + sex", condition="time"
        )


CELLS = [f"{drug}_{time}" for drug in ("a", "b") for time in ("t0", "t1", "t2")]
MAPPED = {
    f"{drug}_{time}": {"drug": drug, "time": time}
    for time in ("t2", "t1", "t0")
    for drug in ("a", "b")
}


class TestWideOfSeveralFactors:
    @pytest.fixture
    def path(self, tmp_path):
        table = pd.DataFrame(
            {name: [10.0 * k + i for i in range(4)] for k, name in enumerate(CELLS)}
        )
        table.insert(0, "start_day", ["Mo", "Tu", "Mo", "Tu"])
        table.insert(0, "id", list("wxyz"))
        table.to_csv(tmp_path / "t.csv", index=False)
        return tmp_path / "t.csv"

    def rows(self, loaded):
        names = {**loaded.columns, "subject": "id"}
        rows = loaded.data.rename(columns=names).astype({"id": str, "drug": str, "time": str})
        return sorted(rows[["id", "drug", "time", "score"]].itertuples(index=False, name=None))

    @pytest.mark.parametrize("subject", ["id", "row"])
    def test_every_value_has_its_levels(self, path, subject):
        ids = {"id": "wxyz", "row": "1234"}[subject]
        expected = [
            (ids[i], name[0], name[2:], 10.0 * k + i)
            for k, name in enumerate(CELLS)
            for i in range(4)
        ]
        keys = {"formula": "score ~ drug * time", "subject": subject}
        mapped = load(path, wide=checked_wide(MAPPED), **keys)
        assert list(mapped.data["time"].cat.categories) == ["t2", "t1", "t0"]
        assert [mapped.columns["condition"], mapped.columns["time"]] == ["drug", "time"]
        path.write_text(path.read_text().replace("start_day", "startday"))
        pattern = load(path, wide="{drug}_{time}", **keys)
        assert self.rows(pattern) == self.rows(mapped) == sorted(expected)

    def test_a_column_that_the_formula_needs_is_no_part_of_the_pattern(self, path):
        loaded = load(path, wide="{drug}_{time}", formula="score ~ drug * time + start_day")
        assert len(loaded.data) == 24

    @pytest.mark.parametrize(
        ("keys", "words"),
        [
            ({"wide": "{drug}_{time}"}, ["3 of drug, 4 of time", "wide: {start_day: {drug: ...}"]),
            ({"wide": "{a}{b}", "formula": "score ~ a * b"}, ["can be read in several ways in"]),
            ({"wide": "x_{drug}"}, ["matches 0 of the columns"]),
            ({"wide": "a_{time}", "formula": "score ~ time * tme"}, ['(did you mean "time"?)']),
            ({"wide": "a_{time}", "formula": "start_day ~ time"}, ["has a column of that name"]),
            (
                {"wide": {"a_t0": {"drug": "a"}, "b_t9": {"drug": "b"}}},
                ['wide: there is no column "b_t9"'],
            ),
            ({"formula": "a_t0 ~ start_day", "subject": "row"}, ['"row"', "in a wide table only"]),
        ],
    )
    def test_what_does_not_fit_is_refused(self, path, keys, words):
        message = refused(path, **{"formula": "score ~ drug", **keys})
        for word in words:
            assert word in message

    def test_a_column_called_row_keeps_its_meaning(self, path):
        path.write_text(path.read_text().replace("id,", "row,", 1).replace("start_day", "day"))
        loaded = load(path, wide="{drug}_{time}", formula="score ~ drug", subject="row")
        assert list(loaded.data["subject"].cat.categories) == list("wxyz")


class TestLevels:
    @pytest.fixture
    def path(self, tmp_path):
        FRAME.to_csv(tmp_path / "t.csv", index=False)
        return tmp_path / "t.csv"

    def test_their_order(self, path):
        order = load(path, levels={"time": ["a", "b"]}).data["condition"].cat.categories
        assert list(order) == ["a", "b"]
        assert list(load(path).data["condition"].cat.categories) == ["b", "a"]

    def test_all_and_no_others(self, path):
        assert 'row 1, column "time": found "b", which levels: does not list' in (
            refused(path, levels={"time": ["a", "c"]})
        )
        assert 'found no "c", which levels: lists' in refused(
            path, levels={"time": ["a", "b", "c"]}
        )

    def test_numbers_become_a_factor(self, path):
        FRAME.assign(time=[10, 2] * 3).to_csv(path, index=False)
        found = load(path, levels={"time": ["2", "10"]}).data["condition"]
        assert list(found.cat.categories) == ["2", "10"]
        assert found.astype(str).tolist() == ["10", "2"] * 3
