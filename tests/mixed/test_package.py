"""The package's own names."""

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pandas as pd
import pytest

import twolevel as tl

ROOT = Path(__file__).parents[2]


def test_names_are_found_and_none_is_a_module():
    for name in tl.__all__:
        home = import_module(f"twolevel.{tl._HOME[name]}")
        # Importing a module sets it as an attribute of the package, above any function's name.
        assert getattr(tl, name) is getattr(home, name)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'fit_mixd'"):
        tl.fit_mixd  # noqa: B018


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, twolevel; print([m for m in ('numpy', 'pandas', 'scipy') if m in sys.modules])"
    )
    folder = str(Path(tl.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_example_of_the_library_runs():
    """Every line of it, on a table with the columns that it names."""
    text = (ROOT / "docs/library.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(import twolevel as tl\n.*?)```", text, re.DOTALL)
    data = pd.read_csv(ROOT / "tests/data/anxiety.csv")
    data = data.rename(columns={"subject": "id", "condition": "time", "y": "score"})
    names = {
        "data": data,
        "response": data["score"].to_numpy(),
        "subjects": pd.factorize(data["id"])[0],
        "conditions": pd.factorize(data["time"])[0],
    }
    exec(example, names)
    assert names["fit"].sigma_within > 0
