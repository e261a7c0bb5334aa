"""The observations that a page carries, and what stands there instead."""

import numpy as np
import pandas as pd

from twolevel.pipeline import shared_data
from twolevel.pipeline.shared_data import share_observations
from twolevel.pipeline.tables.stored import Observations, write_observations


def written(folder, rows=6):
    """Observations under names of the project's, with the user's beside them."""
    data = pd.DataFrame(
        {
            "subject": [f"0{k // 2}" for k in range(rows)],
            "condition": pd.Categorical(list("ab") * (rows // 2)),
            "response": np.arange(rows) / 3,
        }
    )
    columns = {"subject": "the id", "condition": "time", "response": "score"}
    write_observations(folder / "observations.parquet", Observations(data, columns))
    return folder / "observations.parquet"


def test_observations_have_the_users_names_and_all_digits(tmp_path):
    target = tmp_path / "data.csv"
    assert share_observations(written(tmp_path), target, share=True) is None
    read = pd.read_csv(target, dtype={"the id": str})
    assert list(read) == ["the id", "time", "score"]
    assert read["the id"].tolist() == ["00", "00", "01", "01", "02", "02"]
    assert read["score"].tolist() == (np.arange(6) / 3).tolist()


def test_a_study_can_keep_them(tmp_path):
    target = tmp_path / "data.csv"
    kept = share_observations(written(tmp_path), target, share=False)
    assert "share_data: false" in kept
    assert target.read_text("utf-8") == f"reason\n{kept}\n"


def test_too_many_are_named_instead(tmp_path, monkeypatch):
    source, target = written(tmp_path), tmp_path / "data.csv"
    for largest in (80, 20):  # more than there are rows for, and fewer
        monkeypatch.setattr(shared_data, "LARGEST_TABLE", largest)
        assert "too large" in share_observations(source, target, share=True)
        assert target.read_text("utf-8").startswith("reason\n")
