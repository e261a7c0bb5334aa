"""What a user is told when a rule's script fails."""

from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from twolevel.pipeline.job import run


def no_memory(_):
    np.empty(2**50)


def none_for_arrow(_):
    raise pa.ArrowMemoryError("malloc of size 99 failed")


@pytest.mark.parametrize("main", [no_memory, none_for_arrow])
def test_too_little_memory_is_no_fault_of_the_workflow(tmp_path, monkeypatch, capsys, caplog, main):
    monkeypatch.chdir(tmp_path)
    files = {"log": [str(tmp_path / "log")], "input": [], "output": []}
    snakemake = SimpleNamespace(rule="fit_mixed", wildcards={"study": "big"}, **files)
    with pytest.raises(SystemExit):
        run(main, snakemake)
    said = capsys.readouterr().err
    assert said.startswith("twolevel: study big: rule fit_mixed needs more memory")
    assert "--cores 1" in said
    assert "fault" not in said
    assert "Traceback" not in caplog.text
