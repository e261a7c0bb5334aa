"""What the first look at a table finds, while the DAG is built: in every file, at once, no hang."""

import gzip
import os
import re
import time

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from twolevel.pipeline.config.check import check_table
from twolevel.pipeline.config.study import RealStudy
from twolevel.text.errors import InputError

TABLE = pd.DataFrame(
    {"id": np.repeat([1, 2, 3], 2), "time": ["a", "b"] * 3, "score": [1.0, 2, 3, 5, 4, 7]}
)
WRITERS = {
    "csv": lambda table, path: table.to_csv(path, index=False),
    "csv.gz": lambda table, path: table.to_csv(path, index=False),
    "parquet": lambda table, path: table.to_parquet(path),
    "xlsx": lambda table, path: table.to_excel(path, index=False),
    "sav": lambda table, path: pyreadstat.write_sav(table, path),
    "dta": lambda table, path: pyreadstat.write_dta(table, path),
}


def check(data, **keys):
    keys = {"formula": "score ~ time", "subject": "id"} | keys
    check_table(RealStudy(data=str(data), **keys), "study s")


def refused(data, **keys):
    with pytest.raises(InputError) as error:
        check(data, **keys)
    message = str(error.value)
    assert message.startswith("study s: ")
    assert len(message.splitlines()) == 1
    return message.removeprefix("study s: ")


def test_columns_that_bars_name_are_looked_for(tmp_path):
    path = tmp_path / "t.csv"
    TABLE.assign(day=[0, 1] * 3).to_csv(path, index=False)
    check(path, formula="score ~ time + (1 + day | id)")
    for formula, name in (
        ("score ~ time + (1 + days | id)", "days"),
        ("score ~ time + (1 | id/block)", "block"),
    ):
        expected = f'{path}: there is no column "{name}"'
        assert refused(path, formula=formula).startswith(expected)


class TestEveryFileOfAPattern:
    @pytest.mark.parametrize("ending", WRITERS)
    def test_has_the_columns(self, tmp_path, ending):
        for name in "abc":
            WRITERS[ending](TABLE, tmp_path / f"{name}.{ending}")
        check(tmp_path / f"*.{ending}")
        bad = tmp_path / f"b.{ending}"
        WRITERS[ending](TABLE.rename(columns={"score": "scores"}), bad)
        expected = f'{bad}: there is no column "score" (did you mean "scores"?)'
        assert refused(tmp_path / f"*.{ending}").startswith(expected)

    @pytest.mark.parametrize("ending", WRITERS)
    def test_can_be_read(self, tmp_path, ending):
        for name in "abc":
            WRITERS[ending](TABLE, tmp_path / f"{name}.{ending}")
        bad = tmp_path / f"b.{ending}"
        bad.write_bytes(b"\x1f\x8b" * 30)
        assert refused(tmp_path / f"*.{ending}").startswith(f"{bad}: ")

    def test_names_no_column_twice_and_is_a_file(self, tmp_path):
        TABLE.to_csv(tmp_path / "a.csv", index=False)
        (tmp_path / "b.csv").write_text("id,time,score,score\n")
        assert "names column" in refused(tmp_path / "*.csv")
        (tmp_path / "b.csv").unlink()
        (tmp_path / "b.csv").mkdir()
        assert "b.csv: found a directory" in refused(tmp_path / "*.csv")

    def test_has_the_same_columns_of_a_wide_table(self, tmp_path):
        """Those that only a later file has would be left out."""
        (tmp_path / "a.csv").write_text("id,score_1,score_2\n1,2,3\n")
        (tmp_path / "b.csv").write_text("score_2,id,score_1\n1,2,3\n")
        check(tmp_path / "*.csv", wide="score_*", condition="time")
        (tmp_path / "c.csv").write_text("id,score_1,score_2,score_3\n1,2,3,4\n")
        message = refused(tmp_path / "*.csv", wide="score_*", condition="time")
        assert message.startswith(f"{tmp_path / 'c.csv'}: wide: found the columns")
        check(tmp_path / "*.csv", wide=["score_1", "score_2"], condition="time")

    @pytest.mark.parametrize(("ending", "seconds"), [("csv", 5), ("parquet", 5), ("sav", 15)])
    def test_is_looked_at_quickly(self, tmp_path, ending, seconds):
        WRITERS[ending](TABLE, tmp_path / f"0.{ending}")
        content = (tmp_path / f"0.{ending}").read_bytes()
        for k in range(1, 300):
            (tmp_path / f"{k}.{ending}").write_bytes(content)
        start = time.monotonic()
        check(tmp_path / f"*.{ending}")
        assert time.monotonic() - start < seconds


class TestWhatIsNoTable:
    @pytest.mark.parametrize("ending", [*WRITERS, "zsav", "txt"])
    def test_empty_files(self, tmp_path, ending):
        path = tmp_path / f"t.{ending}"
        path.write_bytes(gzip.compress(b"") if ending == "csv.gz" else b"")
        assert "is empty; expected a header and rows" in refused(path)

    def test_pipes_devices_and_links_to_nothing(self, tmp_path):
        start = time.monotonic()
        os.mkfifo(tmp_path / "pipe.csv")
        assert "found a pipe or device, expected a file" in refused(tmp_path / "pipe.csv")
        (tmp_path / "zero.csv").symlink_to("/dev/zero")
        assert "found a pipe or device, expected a file" in refused(tmp_path / "zero.csv")
        (tmp_path / "link.csv").symlink_to("gone.csv")
        assert "a link to gone.csv, which is not there" in refused(tmp_path / "link.csv")
        assert "a link to gone.csv, which is not there" in refused(tmp_path / "l*.csv")
        (tmp_path / "loop.csv").symlink_to("loop.csv")
        assert "a link to loop.csv, which is not there" in refused(tmp_path / "loop.csv")
        assert "no such file" in refused(tmp_path / "none.csv")
        assert time.monotonic() - start < 5

    @pytest.mark.parametrize("path", [f"{'x' * 300}.csv", f"{'x' * 300}*/t.csv", "~/t.csv"])
    def test_paths_that_lead_nowhere(self, path):
        message = refused(path)
        assert re.search("no such file|no file matches|File name too long", message)

    @pytest.mark.parametrize("path", ["a\0.csv", "a\n.csv", "a\x1b[0m.csv"])
    def test_paths_that_cannot_be_shown(self, path):
        with pytest.raises(ValueError, match="signs that cannot be seen"):
            check(path)

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read all files")
    def test_files_that_may_not_be_read(self, tmp_path):
        path = tmp_path / "t.csv"
        TABLE.to_csv(path, index=False)
        path.chmod(0)
        assert "cannot be read (Permission denied)" in refused(path)
