"""Summaries: what is written is read; a file that is not of its kind says which key is wrong."""

import json
import sys
from subprocess import run

import example_summaries
import numpy as np
import pandas as pd
import pytest

from twolevel.files.stage_files import write_json
from twolevel.summaries.base import Summary, read_summary, write_summary
from twolevel.summaries.mixed_summary import MixedSummary
from twolevel.text.errors import TwoLevelError


def test_a_summary_is_read_as_it_was_written(tmp_path):
    summary = example_summaries.mixed()
    write_summary(tmp_path / "mixed.json", summary)
    assert read_summary(tmp_path / "mixed.json", MixedSummary) == summary


def test_keys_and_numbers_are_those_of_the_stage(tmp_path):
    """In their order: what a row is of comes first; a whole number stays whole."""
    summary = example_summaries.mixed()
    write_summary(tmp_path / "mixed.json", summary)
    written = json.loads((tmp_path / "mixed.json").read_text("utf-8"))
    assert json.dumps(written) == json.dumps(example_summaries.MIXED)


def test_of_an_unavailable_anova_only_the_reason_is_written(tmp_path):
    path, values = tmp_path / "anova.json", {"available": False, "reason": "no balance"}
    write_summary(path, example_summaries.anova(**values))
    assert json.loads(path.read_text("utf-8")) == values


def test_tables_are_rows_and_nan_is_none():
    class Row(Summary):
        x: float | None

    class Rows(Summary):
        rows: list[Row]

    assert Rows.of({"rows": pd.DataFrame({"x": [1.0, np.nan]})}).rows == [Row(x=1.0), Row(x=None)]


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"sigma_within": None}, "sigma_within: "),
        ({"sigma_beetween": 1.0}, "sigma_beetween: "),
        ({"anova": [{"term": "time"}]}, r"anova\.0\.F: Field required \(and 3 more\)"),
    ],
)
def test_what_is_wrong_is_named_with_its_file_and_the_remedy(tmp_path, change, place):
    write_json(tmp_path / "mixed.json", example_summaries.MIXED | change)
    with pytest.raises(TwoLevelError, match=rf"mixed\.json: {place}.*delete the file"):
        read_summary(tmp_path / "mixed.json", MixedSummary)


@pytest.mark.parametrize("text", ["", "{", "[]"])
def test_what_is_no_summary_at_all_is_said(tmp_path, text):
    (tmp_path / "mixed.json").write_text(text)
    with pytest.raises(TwoLevelError, match=r"mixed\.json: the whole file: "):
        read_summary(tmp_path / "mixed.json", MixedSummary)


def test_reading_a_summary_imports_no_statistics():
    code = "import sys, twolevel.summaries.mixed_summary; print(*sys.modules)"
    found = run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"scipy", "formulaic", "statsmodels", "twolevel.mixed"} & set(found.stdout.split())
