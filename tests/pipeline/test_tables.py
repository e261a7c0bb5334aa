"""Tables: what is read, exactly, and one clear line for what cannot be."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twolevel.pipeline.tables.formats.delimited import MISSING
from twolevel.pipeline.tables.observations import load_table
from twolevel.pipeline.tables.reading import Reader
from twolevel.pipeline.tables.table_files import TableFiles, columns_needed, header
from twolevel.text.errors import InputError

ROOT = Path(__file__).parents[2]
HEADER = "id,time,score\n"
GOOD = HEADER + "001,b,1\n001,a,2.5\n1,b,3e1\n1,a,-5\n"
# Hypothesis calls a test many times with the same directory, which each call overwrites.
same_directory = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None
)


@pytest.fixture
def load(tmp_path):
    """Write text to a file and load it as study s."""

    def load(text, name="table.csv", formula="score ~ time", subject="id", **options):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_table(path, "s", formula=formula, subject=subject, **options)

    return load


@pytest.fixture
def refusal(load, tmp_path):
    """Load what must be refused; return what follows `study s: FILE: `."""

    def refusal(text, name="table.csv", **options):
        with pytest.raises(InputError) as error:
            load(text, name, **options)
        message = str(error.value)
        start = f"study s: {tmp_path / name}: "
        assert message.startswith(start)
        assert len(message.splitlines()) == 1
        return message.removeprefix(start)

    return refusal


NESTED = "id,time,block,dose,score\n" + "".join(
    f"p{i},{time},{block},{i + k},{i * k + 1.5 * k}\n"
    for i in range(3)
    for k, (time, block) in enumerate([("a", "1"), ("b", "01"), ("a", "x"), ("b", "2026-01-02")])
)


def test_columns_of_the_random_part_are_loaded(load):
    """What names levels has labels as subjects have, of any kind; what has an effect does not."""
    loaded = load(NESTED, formula="score ~ time + (1 + dose | id) + (1 | id:block)")
    assert loaded.columns == {
        "subject": "id",
        "condition": "time",
        "response": "score",
        "block": "block",
        "dose": "dose",
    }
    typed = loaded.observations.typed
    assert typed["block"].tolist() == ["1", "01", "x", "2026-01-02"] * 3
    assert typed["dose"].tolist() == [i + k for i in range(3) for k in range(4)]


def test_missing_values_of_the_random_part_are_told(load, refusal):
    lacking = NESTED.replace("p1,b,01,2", "p1,b,,2")
    formula = "score ~ time + (1 | id/block)"
    assert 'row 6, column "block": the value is missing' in refusal(lacking, formula=formula)
    assert load(lacking, formula=formula, missing="drop").dropped == {"block": 1}


def test_columns_as_in_the_file(load):
    loaded = load(GOOD)
    assert list(loaded.data) == ["subject", "condition", "response"]
    assert loaded.data["subject"].tolist() == ["001", "001", "1", "1"]
    assert loaded.data["condition"].cat.categories.tolist() == ["b", "a"]
    assert loaded.data["response"].tolist() == [1, 2.5, 30, -5]
    assert loaded.data["response"].dtype == np.float64
    assert loaded.columns == {"subject": "id", "condition": "time", "response": "score"}
    assert (loaded.dropped, loaded.rows_read) == ({}, 4)


@pytest.mark.parametrize(
    "text",
    [
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD,
        "\ufeff" + GOOD.replace("\n", "\r\n"),
        GOOD.rstrip("\n"),
        "\n" + GOOD.replace("\n", "\n\n"),
        '"id","time","score"\n' + GOOD.removeprefix(HEADER).replace("001", '"001"'),
        GOOD.replace("2.5", " 2.5 "),
    ],
    ids=["crlf", "bom", "bom and crlf", "no last newline", "empty lines", "quotes", "blanks"],
)
def test_dialects_give_the_same(load, text):
    pd.testing.assert_frame_equal(load(text).data, load(GOOD).data)


def test_tab_separated(load):
    pd.testing.assert_frame_equal(load(GOOD.replace(",", "\t"), "t.tsv").data, load(GOOD).data)


@pytest.mark.parametrize(
    ("name", "rows", "subjects"), [("anxiety", 135, 45), ("selfesteem", 30, 10)]
)
def test_shipped_tables(name, rows, subjects):
    path = ROOT / "config" / "data" / f"{name}.csv"
    loaded = load_table(path, name, formula="score ~ time", subject="id")
    assert len(loaded.data) == rows
    assert loaded.data["subject"].nunique() == subjects
    assert loaded.data["condition"].cat.categories.tolist() == ["t1", "t2", "t3"]
    assert (loaded.data.groupby(["subject", "condition"], observed=True).size() == 1).all()


def test_numbers_become_the_nearest_doubles(load):
    texts = ["1000000000000.4", "0.1", "8.41470984807896507", "2.2250738585072014e-308", "123456.7"]
    rows = "".join(f"{i // 2},{i % 2},{text}\n" for i, text in enumerate(texts))
    assert load(HEADER + rows).data["response"].tolist() == [float(text) for text in texts]


@pytest.mark.parametrize(
    "labels",
    [
        ["é", "日本", "🙂", "Ω"],
        ["a b", "a  b", "ab", "A b"],
        ["|", "$x$", "<script>", "**b**"],
        ["01", "1", "1.0", "1e0"],
        ["None", "True", "inf", "0x1"],
        ["a,b", 'a"b', "a;b", "'"],
        ["=1+1", "-", "\\n", "#"],
    ],
)
def test_awkward_labels_come_back_as_they_are(load, labels):
    quoted = ['"' + label.replace('"', '""') + '"' for label in labels]
    text = HEADER + "".join(f"{s},x{c},{i * c}\n" for i, s in enumerate(quoted, 1) for c in (1, 2))
    assert load(text).data["subject"].tolist() == [label for label in labels for _ in (1, 2)]
    text = HEADER + "".join(f"{s},{c},{s * i}\n" for s in (1, 2) for i, c in enumerate(quoted))
    # Conditions that are all numbers are numbers, so these would be the same four times.
    if "01" not in labels:
        assert load(text).data["condition"].cat.categories.tolist() == labels


def test_only_needed_columns_are_looked_at(load):
    loaded = load("id,note,time,score\n1,NA,a,1\n1,,b,2\n2,x,a,3\n2,y,b,5\n")
    assert list(loaded.data) == ["subject", "condition", "response"]


def test_further_columns_and_taken_names(load):
    text = "vp,subject,condition,response,condition_,y\n"
    text += "1,x,1,u,a,1\n1,y,2,u,b,2\n2,x,3,v,a,3\n2,y,4,v,b,5\n"
    formula = "y ~ condition_ + subject * condition + response"
    loaded = load(text, formula=formula, subject="vp")
    assert loaded.columns == {
        "subject": "vp",
        "condition": "condition_",
        "response": "y",
        "subject_": "subject",
        "condition__": "condition",
        "response_": "response",
    }
    assert loaded.data["condition__"].tolist() == [1, 2, 3, 4]
    assert loaded.data["subject_"].cat.categories.tolist() == ["x", "y"]
    named = loaded.data.rename(columns=loaded.columns)
    assert sorted(named) == sorted(columns_needed(formula, "vp"))


class TestCondition:
    TEXT = "id,group,day,drug,score\n1,x,1,p,1\n1,x,2,q,2\n2,y,1,q,3\n2,y,2,p,5\n"

    @pytest.mark.parametrize(
        ("formula", "condition", "found"),
        [
            ("score ~ group + day + drug", None, "drug"),
            ("score ~ group + day", None, "day"),
            ("score ~ group * day", "day", "day"),
            ("score ~ drug + day", "day", "day"),
        ],
    )
    def test_found_or_named(self, load, formula, condition, found):
        loaded = load(self.TEXT, formula=formula, condition=condition)
        assert loaded.columns["condition"] == found
        assert pd.api.types.is_numeric_dtype(loaded.data["condition"]) == (found == "day")

    @pytest.mark.parametrize("formula", ["score ~ group", "score ~ 1"])
    def test_none(self, load, formula):
        loaded = load(self.TEXT, formula=formula)
        assert "condition" not in loaded.columns
        assert loaded.data["condition"].tolist() == ["all"] * 4
        assert list(loaded.data)[:3] == ["subject", "condition", "response"]

    def test_a_covariate_with_many_values_is_none(self, load):
        rows = "".join(f"{i % 2},{i},{i * i}\n" for i in range(102))
        assert "condition" not in load(HEADER + rows).columns
        assert "condition" in load(HEADER + "".join(rows.splitlines(True)[:50])).columns

    def test_between_subjects_is_refused(self, refusal):
        message = refusal(self.TEXT, formula="score ~ group + day", condition="group")
        assert 'column "group"' in message
        assert "leave out condition:" in message


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["the file is empty; expected a header"]),
        ("\n\n", ["the file is empty"]),
        ("\ufeff", ["the file is empty"]),
        (HEADER, ["a header and no rows; add the observations"]),
        ("id,tme,score\n1,a,2\n", ['no column "time" (did you mean "tme"?)', '"id", "tme", "sco']),
        (
            "id,time,score,id\n1,a,2,1\n",
            ['names columns twice or more: "id" (columns 1 and 4); give each column'],
        ),
        (GOOD.replace(",", " "), ['"id time score", has no comma, semicolon, tab or bar']),
        (GOOD + "2,a\n", ["row 5: found 2 fields, expected 3 as in the header (the columns"]),
        (GOOD + "\n\n2,a,3,5\n", ["row 5: found 4 fields, expected 3"]),
        (GOOD + "2,a,x9\n", ['row 5, column "score": found "x9", expected a number', "drop"]),
        (GOOD + '2,a,"3,5"\n', ['row 5, column "score": found "3,5"', "as 3.5"]),
        (GOOD + "2,a,1_000\n", ['row 5, column "score": found "1_000", expected a number']),
        (GOOD + "2,a,0x10\n", ['found "0x10", expected a number']),
        (GOOD + "2,a,١\n", ['found "١", expected a number']),
        (GOOD + "2,a,None\n", ['found "None", expected a number']),
        (GOOD + "2,a,\n", ['row 5, column "score": the value is missing (1 of 5', "missing: drop"]),
        (GOOD + ",a,3\n", ['row 5, column "id": the value is missing']),
        (GOOD + "2,NA,3\n", ['row 5, column "time": the value is missing']),
        (
            GOOD + "2,a,inf\n",
            ['row 5, column "score": found inf, expected a finite', "drop"],
        ),
        (GOOD + "2,a,-Infinity\n", ["found -inf, expected a finite"]),
        (GOOD + "2,a,1e999\n", ["found inf, expected a finite"]),
        (HEADER + "1,a,1\n1,b,2\n", ['column "id": found one subject only ("1")', "at least two"]),
        (HEADER + "1,a,1\n1,a,2\n2,a,3\n", ['"time": every row holds "a"', "is then score ~ 1"]),
        (
            "id,lo A, lo B,hi A, hi B\n1,6,7\n2,5,8\n",
            ["5 names and the rows have 3 fields", "quotes"],
        ),
        ("time,score\n1,a,2\n1,b,3\n", ["2 names and the rows have 3 fields", "name every column"]),
        (
            "a,a,b,b,b\n1,2,3,4,5\n",
            ['twice or more: "a" (columns 1 and 2), "b" (columns 3 and 4 and 5); give'],
        ),
        (HEADER + "1,a,1\n1,b,1\n2,a,1\n", ['"score": every row holds "1.0"', "varies"]),
        (HEADER + "1,a,1\n2,b,2\n3,a,3\n", ["one row only", "sigma_between", "repeated"]),
        (GOOD + "1,b,7\n2,a,3\n", ['rows 3, 5 hold the same cell (id "1", time "b")', "allow"]),
        (GOOD + "1 ,c,7\n", ['row 5, column "id": found "1 " besides "1"', "spell them alike"]),
        (GOOD + '2," a",7\n', ['row 5, column "time": found " a" besides "a"']),
        (GOOD + "e\u0301,a,7\n\u00e9,b,7\n", ['row 6, column "id"', "encoded"]),
        (GOOD + '2,a,"3\n2,b,4\n', ["odd number of quotes", "close it"]),
        (GOOD + '2,"a\nb",4\n', ['row 5, column "time": found "a\\nb"', "line break"]),
        (GOOD + "\0", ["not text; save the table as CSV in UTF-8"]),
        (GOOD.encode("utf-16-le"), ["found a NUL byte"]),
        (GOOD.encode() + b"\x81,a,1\n", ["line 6 is neither UTF-8 nor Windows-1252", "0x81"]),
        (b"x" * 10**7, ["the first line is longer than 1,048,576 bytes"]),
        (GOOD + "2,a," + "9" * 2**25 + "\n", ["a row is longer than"]),
        ('id,"time,score\n', ["header cannot be read"]),
    ],
)
def test_each_problem_is_one_line_that_names_place_and_remedy(refusal, text, words):
    message = refusal(text)
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("formula", "left"),
    [
        ("score ~ time", "score ~ 1"),
        ("score ~ time + day", "score ~ day"),
        ("score ~ time * day + age", "score ~ day + age"),
        ("score ~ day + time * age", "score ~ day + age"),
        ("score ~ day * time * age", "score ~ day * age"),
        ("score ~ time + `b c`*`d e`", "score ~ `b c`"),
    ],
)
def test_without_a_factor_of_one_level_the_other_terms_stay(refusal, load, formula, left):
    text = "id,time,d e,day,age,b c,score\n"
    text += "".join(
        f"{i},x,y,{'pq'[k]},{i % 2},{'uv'[k]},{i * i + k}\n" for i in range(6) for k in (0, 1)
    )
    assert refusal(text, formula=formula).endswith(f"the formula, which is then {left}")
    load(text, formula=left)
    assert refusal(text, formula="score ~ day + C(time)").endswith("and keep its other terms")


def test_a_typing_error_in_a_covariate_does_not_make_it_a_factor(refusal, load):
    rows = [f"{i // 2},{20 + i},{i * i % 7}\n" for i in range(20)]
    assert load(HEADER + "".join(rows)).columns["condition"] == "time"
    rows[13] = rows[13].replace(",33,", ",3o,")
    assert 'row 14, column "time": found "3o", expected a number' in refusal(HEADER + "".join(rows))
    mixed = HEADER + "1,1,1\n1,2a,2\n2,1,3\n2,2a,5\n"
    assert load(mixed).data["condition"].cat.categories.tolist() == ["1", "2a"]


@pytest.mark.parametrize("token", [token for token in MISSING if token])
def test_missing_tokens(refusal, token):
    assert "missing" in refusal(GOOD + f"2,a,{token}\n")
    assert "missing" in refusal(GOOD + f"2, {token} ,4\n")


def test_dropping_is_counted(load, refusal):
    text = HEADER + "1,a,1\n1,b,NA\n,,4\n2,a,5\n2,b,6\n1,b,7\n"
    loaded = load(text, missing="drop")
    assert loaded.data["response"].tolist() == [1, 5, 6, 7]
    assert loaded.dropped == {"id": 1, "time": 1, "score": 1}
    assert loaded.rows_read == 6
    assert 'row 2, column "score"' in refusal(text)
    assert "every row lacks a value" in refusal(HEADER + "1,a,\n1,b,\n", missing="drop")
    # Rows are named as in the file, also below a dropped one, and one that lacks something else.
    assert 'row 7, column "score": found "x"' in refusal(text + "3,a,x\n", missing="drop")
    assert 'row 7, column "score": found "x"' in refusal(text + "3,,x\n", missing="drop")
    assert 'row 7, column "score": found inf' in refusal(text + "3,a,inf\n", missing="drop")


def test_whole_numbers_stay_whole_beside_a_dropped_row(load):
    text = HEADER + "1,1,1\n1,2,3\n2,1,4\n2,,5\n2,2,5\n"
    assert load(text, missing="drop").data["condition"].tolist() == [1, 2, 1, 2]
    assert load(text, missing="drop").data["condition"].dtype == np.int64


def test_duplicated_cells_can_be_replicates(load):
    few = GOOD + "1,b,7\n"
    assert len(load(few, replicates="allow").data) == 5
    throughout = GOOD + GOOD.removeprefix(HEADER)
    assert len(load(throughout).data) == 8
    assert len(load(throughout + "1,b,9\n").data) == 9


def test_numbers_stored_as_text_and_factors_with_an_order(tmp_path):
    frame = pd.DataFrame({"id": [1, 1, 2, 2], "t": ["b", "a"] * 2, "y": [1, 2, 3, 5]})
    frame["y"] = frame["y"].astype(str)
    frame["t"] = pd.Categorical(frame["t"], categories=["c", "a", "b"])
    frame.to_parquet(tmp_path / "t.parquet")
    loaded = load_table(tmp_path / "t.parquet", "s", formula="y ~ t", subject="id")
    assert loaded.data["subject"].tolist() == ["1", "1", "2", "2"]
    assert loaded.data["condition"].cat.categories.tolist() == ["a", "b"]
    assert loaded.data["response"].tolist() == [1, 2, 3, 5]


def test_places_that_are_no_table(tmp_path):
    def refusal(path):
        with pytest.raises(InputError) as error:
            header(path, "study s")
        message = str(error.value)
        assert message.startswith(f"study s: {path}: ")
        return message

    assert "no such file; fix the path in data:" in refusal(tmp_path / "none.csv")
    assert "found a directory" in refusal(tmp_path)
    (tmp_path / "table.xlsx").write_bytes(b"PK")
    assert "cannot be read as an Excel workbook" in refusal(tmp_path / "table.xlsx")
    (tmp_path / "table.ods").touch()
    assert 'found the ending ".ods", expected one of .csv' in refusal(tmp_path / "table.ods")
    (tmp_path / "loop.csv").symlink_to(tmp_path / "loop.csv")
    assert "which is not there; fix the link" in refusal(tmp_path / "loop.csv")
    os.mkfifo(tmp_path / "pipe.csv")
    assert "found a pipe or device" in refusal(tmp_path / "pipe.csv")
    assert "cannot be read" in refusal(tmp_path / ("x" * 300 + ".csv"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_unreadable_file(refusal, tmp_path):
    (tmp_path / "table.csv").touch(mode=0o000)
    with pytest.raises(InputError, match="cannot be read"):
        header(tmp_path / "table.csv", "study s")


def test_the_header_check_reads_the_header_only(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes(GOOD.encode() + b'ragged,"\n' * 10**6)
    assert header(path, "study s") == ["id", "time", "score"]


def test_import_is_light():
    code = (
        "import sys, twolevel.pipeline.tables.table_files;"
        "print([m for m in ('pandas', 'numpy', 'pyarrow', 'formulaic') if m in sys.modules])"
    )
    run = {"capture_output": True, "text": True, "check": True, "cwd": ROOT / "workflow"}
    assert subprocess.run([sys.executable, "-c", code], **run).stdout.strip() == "[]"


field = st.sampled_from(
    [
        "1",
        "2",
        "01",
        "a",
        "b",
        " a",
        "",
        "NA",
        "-1.5",
        "1e308",
        "inf",
        "nan",
        "é",
        '"',
        '"x,y"',
        "|",
    ]
)
lines = st.lists(st.lists(field, min_size=2, max_size=4).map(",".join), max_size=12)


@same_directory
@given(
    st.one_of(
        st.binary(max_size=80),
        st.binary(max_size=60).map(lambda tail: GOOD.encode() + tail),
        lines.map(lambda rows: (HEADER + "\n".join(rows)).encode()),
        lines.map(lambda rows: (GOOD + "\r\n".join(rows)).encode()),
    ),
    st.sampled_from(["refuse", "drop"]),
)
def test_any_bytes_give_a_sound_frame_or_an_input_error(tmp_path, content, missing):
    path = tmp_path / "table.csv"
    path.write_bytes(content)
    try:
        loaded = load_table(path, "s", formula="score ~ time", subject="id", missing=missing)
    except InputError as error:
        loaded, message = None, str(error)
    else:
        message = "study s: fine"
    assert message.startswith("study s: ")
    assert len(message.splitlines()) == 1
    if loaded is not None:
        assert np.isfinite(loaded.data["response"]).all()
        assert not loaded.data.isna().any(axis=None)
        assert len(loaded.data) > 1
        lost = loaded.rows_read - len(loaded.data)
        assert max(loaded.dropped.values(), default=0) <= lost <= sum(loaded.dropped.values())


@same_directory
@given(st.data())
def test_any_labels_and_numbers_survive(tmp_path, data):
    label = st.text(
        st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=6
    ).filter(lambda text: text not in MISSING and text == text.strip())
    subjects = data.draw(st.lists(label, min_size=2, max_size=4, unique=True))
    values = data.draw(
        st.lists(
            st.floats(allow_nan=False, allow_infinity=False),
            min_size=2 * len(subjects),
            max_size=2 * len(subjects),
        )
    )
    frame = pd.DataFrame(
        {"id": np.repeat(subjects, 2), "time": ["a", "b"] * len(subjects), "score": values}
    )
    path = tmp_path / "table.csv"
    frame.to_csv(path, index=False)
    files = TableFiles(path, "study s", {})
    table = Reader(files, ["id", "time", "score"], text=["id"]).whole().data
    assert table["id"].tolist() == [s for s in subjects for _ in "ab"]
    assert table["score"].tolist() == values


def test_rows_left_out_do_not_change_the_order_of_levels(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("id,time,y\n1,a,1\n1,b,\n1,c,3\n2,a,2\n2,b,4\n2,c,1\n2,d,\n")
    loaded = load_table(path, "study s", formula="y ~ time", subject="id", missing="drop")
    assert list(loaded.data["condition"].cat.categories) == ["a", "b", "c"]
