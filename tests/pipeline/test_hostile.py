"""Hostile files: the right table or one clear line, never a crash, a hang or a wrong number."""

import gzip
import re
import time
import zipfile
from fractions import Fraction
from statistics import mean

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pyreadstat
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tables_in_parts import load_in_parts

from new_study import columns_of
from twolevel.mixed import fit_mixed
from twolevel.pipeline.guessing.guess import guess
from twolevel.pipeline.tables.formats import delimited, labelled, parquet, spreadsheet
from twolevel.pipeline.tables.formats.delimited import MISSING
from twolevel.pipeline.tables.observations import load_table
from twolevel.pipeline.tables.reading import Reader
from twolevel.pipeline.tables.table_files import TableFiles, header
from twolevel.text.errors import InputError

KEYS = {"formula": "score ~ time", "subject": "id"}
TABLE = pd.DataFrame(
    {
        "id": np.repeat(np.arange(1.0, 9.0), 3),
        "time": ["a", "b", "c"] * 8,
        "score": np.arange(24) * 1.7 % 5,
    }
)
SECONDS = 20  # for one file, on a busy machine
same_directory = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


def load(path, **keys):
    return load_table(path, "s", **KEYS | keys)


def refused(path, by=load, **keys):
    """The message of an InputError: one line, which names the file."""
    with pytest.raises(InputError) as error:
        by(path, **keys)
    return checked(str(error.value), path)


def checked(message, path):
    assert message.startswith(f"study s: {path}: ")
    assert len(message.splitlines()) == 1
    return message.removeprefix(f"study s: {path}: ")


def in_parts(path, **keys):
    """The same refusals, and observations, by the way of tables larger than memory."""
    keys = {"study": "s", "data": str(path), **KEYS, **keys}
    return load_in_parts(path.parent, part_rows=1_000_000, **keys)[0].data


def write(path):
    """A sound table in the format of the ending."""
    match "".join(path.suffixes):
        case ".csv.gz":
            path.write_bytes(gzip.compress(TABLE.to_csv(index=False).encode(), mtime=0))
        case ".parquet":
            pq.write_table(pa.table(TABLE), path, write_page_checksum=True)
        case ".xlsx":
            TABLE.to_excel(path, index=False)
        case ".sav":
            pyreadstat.write_sav(TABLE, path)
        case ".dta":
            pyreadstat.write_dta(TABLE, path)
    return path


# Damage done to a file: where, as a share of its length, and what stands there then.
damage = st.one_of(
    st.tuples(st.just("cut"), st.floats(0, 0.999), st.just(b"")),
    st.tuples(
        st.just("put"),
        st.floats(0, 0.999),
        st.binary(min_size=1, max_size=4) | st.just(b"\xff" * 4),
    ),
)


@pytest.mark.parametrize(
    ("ending", "examples"),
    [("csv.gz", 60), ("parquet", 100), ("xlsx", 60), ("sav", 3), ("dta", 4)],
)
def test_damaged_files(tmp_path, ending, examples):
    path = write(tmp_path / f"table.{ending}")
    good, expected = path.read_bytes(), load(path).data
    # Where a format has no checksums, what was changed cannot be found.
    guarded = {"parquet": good.rfind(b"PAR1") - int.from_bytes(good[-8:-4], "little")}
    guarded |= {"csv.gz": len(good), "xlsx": len(good)}

    @settings(max_examples=examples, deadline=None)
    @given(damage)
    def property_(done):
        kind, share, content = done
        at = int(share * len(good))
        path.write_bytes(
            good[:at] + content + (good[at + len(content) :] if kind == "put" else b"")
        )
        start = time.monotonic()
        try:
            found = load(path, missing="drop", replicates="allow").data
        except InputError as error:
            checked(str(error), path)
        else:
            assert np.isfinite(found["response"]).all()
            assert not found.isna().any(axis=None)
            if at < guarded.get(ending, 0):
                pd.testing.assert_frame_equal(found, expected)
        assert time.monotonic() - start < SECONDS

    property_()


label = st.text(
    st.characters(exclude_categories=["Cs", "Cc", "Z", "M"]) | st.sampled_from(' ,;|\t"'),
    min_size=1,
    max_size=6,
).filter(lambda text: text == text.strip() and text not in MISSING and not text.isdecimal())


@same_directory
@given(st.data())
def test_any_dialect_gives_the_same_table(tmp_path, data):
    """However a table was written as text, it is read as it was, or the delimiter is asked for."""
    draw = data.draw
    subjects = draw(st.lists(label, min_size=2, max_size=4, unique=True))
    numbers = st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**6), 10**6)
    scores = draw(st.lists(numbers, min_size=2 * len(subjects), max_size=2 * len(subjects)))
    delimiter, decimal = draw(st.sampled_from([*";\t|"])), draw(st.sampled_from([*".,"]))
    frame = pd.DataFrame({"id": np.repeat(subjects, 2), "time": ["a", "b"] * len(subjects)})
    frame["score"] = [str(score).replace(".", decimal) for score in scores]
    text = frame.to_csv(
        index=False,
        sep=delimiter,
        quoting=draw(st.sampled_from([0, 1])),
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\n\n"])),
    )
    content = text.encode(draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32"])))
    path = tmp_path / draw(st.sampled_from(["table.csv", "table.txt", "table.csv.gz"]))
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    given_ = {"decimal": decimal} | ({"delimiter": delimiter} if draw(st.booleans()) else {})
    try:
        files = TableFiles(path, "study s", given_)
        found = Reader(files, ["id", "time", "score"], ["id"], ["score"]).whole()
    except InputError as error:
        checked(str(error), path)
        assert "delimiter" not in given_
        return
    data = found.data
    assert data["id"].tolist() == frame["id"].tolist()
    assert data["time"].tolist() == frame["time"].tolist()
    assert data["score"].tolist() == [float(score) for score in scores]


def rows(scores, delimiter=","):
    lines = [f"{i // 2}{delimiter}{'ab'[i % 2]}{delimiter}{s}\n" for i, s in enumerate(scores)]
    return f"id{delimiter}time{delimiter}score\n" + "".join(lines)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (rows(["1.234", "2.345", "950", "5.000"], ";"), 'row 1, column "score": found "1.234"'),
        (rows(["1\u00a0234", "2", "3", "4"]), "take out the marks for thousands"),
        (rows(["1\u2009234", "2", "3", "4"]), "take out the marks for thousands"),
        (rows(["1'234", "2", "3", "4"]), "take out the marks for thousands"),
        (rows(["1.234.567", "2", "3", "4"], ";"), "take out the marks for thousands"),
        (rows(["１２", "2", "3", "4"]), 'found "１２", expected a number'),
        (rows(["1e400", "2", "3", "4"]), "found inf, expected a finite"),
        ("id,time,score", "found a header and no rows"),
        ("id,e\u0301,score\n", 'no column "é" (but one whose letters are encoded in another way'),
        (rows([9007199254740992 + 2 * k for k in range(4)]), "differ by 2 at least"),
        (rows([1, 2, 3, 4]).replace("b,4", f"{'b' * 9999},4"), "row 4, column"),
        ("".join(f"c{k}," for k in range(10**5)), 'there is no column "id"'),
        (
            "id,time,score\n"
            + "".join(f"{k // 2},{k % 50},{k}\n" for k in range(99))
            + "49,99999999999999999999,5\n",
            'row 100, column "time": found "99999999999999999999", expected a number',
        ),
        (
            "id,time,score\n" + "".join(f"{k // 2},x{k},{k}\n" for k in range(3000)),
            '"time": found 3,000 different labels, expected at most 1,000',
        ),
    ],
    ids=lambda text: text[:20].strip(),
)
def test_one_line_says_what_and_where(tmp_path, text, words):
    path = tmp_path / "table.csv"
    path.write_text(text, encoding="utf-8")
    formula = "score ~ é" if "e\u0301" in text else "score ~ time"
    assert words in refused(path, formula=formula)
    refused(path, in_parts, formula=formula)


def test_long_labels_are_not_merged(tmp_path):
    """Twenty digits are more than an integer holds, and as floats they would be alike."""
    path = tmp_path / "table.csv"
    ids = [f"1234567890123456789{k}" for k in range(4)]
    path.write_text(
        "id,time,score\n"
        + "".join(f"{i},{t},{k}{t[-1]}\n" for k, i in enumerate(ids) for t in ids[:2])
    )
    for data in (load(path).data, in_parts(path)):
        assert list(dict.fromkeys(data["subject"])) == ids
        assert list(data["condition"].cat.categories) == ids[:2]
    path.write_text(
        "id,time,score\n" + "".join(f"{k},900719925474099{t},{k}{t}\n" for k in "12" for t in "23")
    )
    for data in (load(path).data, in_parts(path)):
        assert data["condition"].tolist() == [9007199254740992, 9007199254740993] * 2


class TestParquet:
    def path(self, tmp_path, **columns):
        table = {"id": ["1", "1", "2", "2"], "time": ["a", "b"] * 2, "score": [1.0, 2, 3, 5]}
        pq.write_table(pa.table(table | columns), tmp_path / "table.parquet")
        return tmp_path / "table.parquet"

    def test_what_is_no_number_is_no_subject(self, tmp_path):
        path = self.path(tmp_path, id=[1.0, 1.0, float("nan"), 2.0])
        for read in (load, in_parts):
            assert 'row 3, column "id": the value is missing' in refused(path, read)

    def test_integers_beyond_the_signed(self, tmp_path):
        most = pa.array([2**64 - 1, 2**64 - 2] * 2, pa.uint64())
        loaded = load(self.path(tmp_path, time=most))
        assert list(loaded.data["condition"].cat.categories) == [str(2**64 - 1), str(2**64 - 2)]
        most = pa.array([2**64 - 1, 1, 2, 3], pa.uint64())
        assert load(self.path(tmp_path, score=most)).data["response"].tolist() == [2.0**64, 1, 2, 3]

    def test_decimals(self, tmp_path):
        ids = pa.array([12345678901234567890 + k // 2 for k in range(4)], pa.decimal128(38, 0))
        scores = pa.array(["1.10", "2.20", "3.30", "4.35"]).cast(pa.decimal128(30, 2))
        path = self.path(tmp_path, id=ids, score=scores)
        for data in (load(path).data, in_parts(path)):
            assert data["subject"].unique().tolist() == [
                str(12345678901234567890 + k) for k in (0, 1)
            ]
            assert data["response"].tolist() == [1.1, 2.2, 3.3, 4.35]

    def test_labels_that_floats_have_cut(self, tmp_path):
        path = self.path(tmp_path, id=[1e17, 1e17, 1e17 + 16, 1e17 + 16])
        for read in (load, in_parts):
            assert 'column "id": found the number 1' in refused(path, read)

    def test_nested(self, tmp_path):
        path = self.path(tmp_path, score=[[1.0]] * 4)
        assert 'column "score": holds list' in refused(path)

    @pytest.mark.parametrize("by", [load, in_parts])
    def test_a_long_text_is_held_once_in_whatever_row_it_stands(self, tmp_path, by):
        """Decoded, these labels would take 40 GB."""
        many = 20_000
        long = pa.DictionaryArray.from_arrays(
            pa.array([0, 1] * many, pa.int32()), pa.array(["x" * 1_000_000, "y" * 1_000_000])
        )
        ids = [str(k // 2) for k in range(2 * many)]
        table = pa.table({"id": ids, "time": long, "score": [0.0] * len(ids)})
        path = tmp_path / "table.parquet"
        pq.write_table(table, path, store_schema=False)
        start = time.perf_counter()
        assert "found a label of 1,000,000 characters" in refused(path, by)
        assert time.perf_counter() - start < SECONDS

    @pytest.mark.parametrize("by", [load, in_parts])
    @pytest.mark.parametrize(
        ("name", "values", "what"),
        [
            ("text", pa.array(["x" * 1_000_000] * 70 + ["y"] * 2), "bytes of these columns"),
            ("bytes", pa.array([b"x" * 1_000_000] * 72, pa.binary(1_000_000)), "bytes of"),
            ("number", pa.array(np.zeros(2**24 + 1), pa.float64()), "rows"),
        ],
    )
    def test_what_unpacks_to_too_much_is_not_unpacked(self, tmp_path, name, values, what, by):
        path = tmp_path / "table.parquet"
        rows = np.arange(len(values))
        columns = {"id": rows // 2**24, "time": rows // 2**23, name: values}
        dictionary = [name] if name == "bytes" else False
        pq.write_table(pa.table(columns), path, compression="zstd", use_dictionary=dictionary)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(parquet, "MAX_ROWS_OF_BYTE", 2)
            patched.setattr(pq.ParquetFile, "iter_batches", None)
            formula = f"{name} ~ time"
            assert re.search(rf"bytes hold [\d,]+ {what}", refused(path, by, formula=formula))

    def test_levels_of_text_are_in_the_order_of_their_first_rows(self, tmp_path):
        """Some programs sort the texts of a column in the file, or keep some of no row."""
        texts = pa.array(["a", "unused", "b", " "])
        time = pa.DictionaryArray.from_arrays(pa.array([2, 0, 2, 0], pa.int32()), texts)
        path = self.path(tmp_path, time=time)
        pq.write_table(pq.read_table(path), path, store_schema=False)
        for data in (load(path).data, in_parts(path)):
            assert list(data["condition"].cat.categories) == ["b", "a"]
            assert data["condition"].tolist() == ["b", "a"] * 2


class TestExcel:
    @pytest.fixture
    def path(self, tmp_path):
        return write(tmp_path / "table.xlsx")

    def change(self, path, part, old, new):
        """Change the XML of one part of a workbook."""
        with zipfile.ZipFile(path) as book:
            parts = {name: book.read(name) for name in book.namelist()}
        parts[part], n = re.subn(old, new, parts[part])
        assert n
        with zipfile.ZipFile(path, "w") as book:
            for name, content in parts.items():
                book.writestr(name, content)

    SHEET = "xl/worksheets/sheet1.xml"

    def test_a_size_that_lies_loses_no_rows(self, path):
        expected = load(path).data
        self.change(path, self.SHEET, rb'<dimension ref="[^"]*"', b'<dimension ref="A1:B5"')
        pd.testing.assert_frame_equal(load(path).data, expected)

    @pytest.mark.parametrize(
        ("part", "old", "new", "words"),
        [
            (SHEET, rb"</sheetData>.*", b"", "cannot be read as an Excel workbook"),
            (SHEET, rb"<v>3</v>", b"<v>3x</v>", "cannot be read as an Excel workbook"),
            (SHEET, rb"<v>3</v>", b"<v>12345678901234567</v>", "keeps the first 15 digits only"),
            ("xl/workbook.xml", rb"<sheets>.*</sheets>", b"<sheets/>", "no sheet with cells"),
            (SHEET, rb'<row r="3"', b'<row r="999999999"', "more than 1,048,576 rows"),
            (SHEET, rb"<sheetData>", b"<sheetData>" + b"<row/>" * 2**21, "too many rows"),
            (SHEET, rb"</c></row>", b"</c>" + b"<c/>" * 2**19, "too many cells in a row"),
            (SHEET, rb"</c></row>", b"</c>" + b"<x:c/>" * 2**19, "too many cells in a row"),
            (SHEET, rb"<sheetData>", b"<x:si/><sheetData>", "texts in the place of a sheet"),
            ("xl/styles.xml", rb"<cellXfs[^>]*>", b"<cellXfs>" + b"<xf/>" * 2**19, "styles"),
            ("[Content_Types].xml", rb"</Types>", b"<Default/>" * 2**19, "styles and names"),
            ("docProps/core.xml", rb"^", b"<sst>" + b"<si/>" * 2**23, "too many styles"),
            (SHEET, rb"^", b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', None),
        ],
    )
    def test_broken_parts(self, path, part, old, new, words):
        self.change(path, part, old, new)
        if words is None:
            self.change(path, part, rb"<v>3</v>", b"<v>&a;</v>")
        assert (words or "undefined entity") in refused(path)

    def test_bombs(self, path, monkeypatch):
        monkeypatch.setattr(spreadsheet, "MAX_UNPACKED", 1000)
        assert "is the most that is read; save the sheet as CSV" in refused(path)

    def test_many_shared_texts(self, path):
        """openpyxl reads all of them, some 10 microseconds each, before the first row."""
        with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as book:
            book.writestr("xl/sharedStrings.xml", b"<sst>" + b"<si/>" * 2**23 + b"</sst>")
        start = time.monotonic()
        assert "too many different texts" in refused(path, lambda path: header(path, "study s"))
        assert time.monotonic() - start < 5

    def test_a_full_row_and_many_pictures_are_no_reason_to_refuse(self, tmp_path):
        path = tmp_path / "table.xlsx"
        wide = pd.DataFrame({f"c{k}": [1.5, 2.5] for k in range(16_381)}).assign(
            id="1", time=["a", "b"], score=[1.0, 2.0]
        )
        wide.to_excel(path, index=False)
        with zipfile.ZipFile(path, "a") as book:
            book.writestr("xl/media/image1.png", np.random.default_rng(1).bytes(2**26))
        assert len(header(path, "study s")) == 16_384

    def test_formulas_without_values_are_missing(self, tmp_path):
        book = openpyxl.Workbook()
        for row in (["id", "time", "score"], [1, "a", 2], [1, "b", "=1+1"]):
            book.active.append(row)
        book.save(tmp_path / "table.xlsx")
        assert 'row 2, column "score": the value is missing' in refused(tmp_path / "table.xlsx")


class TestReaderThatFails:
    """SPSS and Stata files are read by a library that damaged ones can crash."""

    @pytest.fixture
    def path(self, tmp_path):
        return write(tmp_path / "table.sav")

    def replaced(self, tmp_path, monkeypatch, code):
        (tmp_path / "pyreadstat.py").write_text(f"def read_sav(*_, **__):\n    {code}\n")
        monkeypatch.syspath_prepend(tmp_path)

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            ("import os; os.kill(os.getpid(), 11)", "(its reader crashes)"),
            ("import time; time.sleep(60)", "(its reader does not come to an end)"),
            ("raise AttributeError('line\\nbreak')", "(line break)"),
        ],
    )
    def test_it_takes_nothing_down(self, path, tmp_path, monkeypatch, code, words):
        self.replaced(tmp_path, monkeypatch, code)
        monkeypatch.setattr(labelled, "MIN_SECONDS", 2)
        message = refused(path, lambda path: header(path, "study s"))
        assert message.startswith(f"cannot be read as SPSS {words}; ")

    def test_what_it_prints_is_not_taken_for_the_table(self, path, tmp_path, monkeypatch):
        code = "import os, types; print('x'); os.system('echo y'); "
        code += "names = ['a', None]; "
        code += "return None, types.SimpleNamespace(column_names=names, variable_value_labels={})"
        self.replaced(tmp_path, monkeypatch, code)
        assert header(path, "study s") == ["a", ""]


def test_compressed_text_without_end(tmp_path, monkeypatch):
    path = write(tmp_path / "table.csv.gz")
    monkeypatch.setattr(delimited, "MAX_TEXT", 100)
    assert "more than 100 bytes of text" in refused(path)


def test_compressed_text_that_is_a_thousand_times_as_long(tmp_path):
    """A megabyte would otherwise become one gigabyte, and several in memory."""
    path, start = tmp_path / "table.csv.gz", time.monotonic()
    with gzip.open(path, "wb", compresslevel=1) as file:
        file.write(b"id,time,score\n")
        for _ in range(20):
            file.write(b"1,a,1\n" * 2**20)
    assert header(path, "study s") == ["id", "time", "score"]
    assert re.search("hold more than [0-9,]+ bytes of text", refused(path))
    assert time.monotonic() - start < SECONDS


@pytest.mark.parametrize("encoding", ["undefined", "punycode"])
def test_encodings_that_fail_in_their_own_way(tmp_path, encoding):
    path = tmp_path / "table.csv"
    path.write_text(rows([1, 2, 3, 5]))
    assert "codec failed" in refused(path, read={"encoding": encoding})


def test_many_twins_and_texts_are_refused_at_once(tmp_path):
    path, n = tmp_path / "table.csv", 50_000
    start = time.monotonic()
    path.write_text("id,time,score\n" + "".join(f"{k},a,1\n{k} ,b,2\n" for k in range(n)))
    assert 'row 2, column "id": found "0 " besides "0"' in refused(path)
    path.write_text("id,time,score\n" + "".join(f"{k // 2},a,x{k}\n" for k in range(2 * n)))
    assert 'row 1, column "score": found "x0"' in refused(path)
    path.write_text("id,time,score\n" + "".join(f"{k},a,{k}\n" for k in range(2 * n)))
    assert "every subject has one row only" in refused(path)
    assert "every subject has one row only" in refused(path, in_parts)
    assert time.monotonic() - start < SECONDS


def test_guesses_among_many_columns_end(tmp_path):
    generator = np.random.default_rng(1)
    items = {f"q{k}": generator.integers(1, 6, 120) for k in range(150)}
    start = time.monotonic()
    assert guess(pd.DataFrame({"person": np.arange(120), **items})).subject == "person"
    long = {"person": np.repeat(np.arange(40), 3), "time": ["a", "b", "c"] * 40}
    long["score"] = generator.normal(size=120)
    assert guess(pd.DataFrame(long | items)).subject == "person"
    assert time.monotonic() - start < SECONDS
    (tmp_path / "t.csv").write_text(",".join(items) + "\n1\n")
    with pytest.raises(InputError, match="the header has 150 names and the rows have 1 fields"):
        columns_of(str(tmp_path / "t.csv"), "study s")


@pytest.mark.parametrize("name", ["subject", "subject_position", "response", "condition"])
def test_names_that_the_project_uses(tmp_path, name):
    path = tmp_path / "table.parquet"
    table = TABLE.assign(**{name: np.arange(24.0) % 7})
    table.to_parquet(path)
    keys = KEYS | {"formula": f"score ~ time + {name}"}
    whole = load_in_parts(tmp_path, study="s", data=str(path), **keys)[0].typed
    assert whole[name].tolist() == table[name].tolist()
    assert whole["score"].tolist() == table["score"].tolist()


def test_an_offset_of_a_million_millions_loses_nothing(tmp_path):
    """The estimates are those of exact arithmetic with the numbers as doubles."""
    path, (n, J) = tmp_path / "table.csv", (6, 3)
    texts = [
        f"1.0000000000{i * 7 % 10}{j}{(i * i + 3 * j) % 10}{i}e12"
        for i in range(n)
        for j in range(J)
    ]
    path.write_text(
        "id,time,score\n" + "".join(f"s{k // J},t{k % J},{y}\n" for k, y in enumerate(texts))
    )
    loaded = load(path)
    assert loaded.data["response"].tolist() == [float(text) for text in texts]
    y = [[Fraction(float(texts[i * J + j])) for j in range(J)] for i in range(n)]
    of_subject, of_condition = [mean(row) for row in y], [mean(c) for c in zip(*y, strict=True)]
    grand = mean(of_subject)
    ms_between = J * sum((m - grand) ** 2 for m in of_subject) / (n - 1)
    rest = [y[i][j] - of_subject[i] - of_condition[j] + grand for i in range(n) for j in range(J)]
    ms_within = sum(r**2 for r in rest) / ((n - 1) * (J - 1))
    assert ms_between > ms_within
    data = loaded.data[list(loaded.columns)].rename(columns=loaded.columns)
    fit = fit_mixed("score ~ time", data, "id")
    assert fit.sigma_within == pytest.approx(float(ms_within) ** 0.5, rel=1e-9)
    assert fit.sigma_between == pytest.approx(float((ms_between - ms_within) / J) ** 0.5, rel=1e-9)
    assert fit.params.iloc[1] == pytest.approx(float(of_condition[1] - of_condition[0]), rel=1e-9)
