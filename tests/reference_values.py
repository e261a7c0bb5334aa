"""The reference data sets: R's and exact values, as tests/reference/README.md names them."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

TESTS = Path(__file__).parent
NAMES = sorted(path.stem for path in (TESTS / "reference").glob("*.json"))
EXACT = [name for name in NAMES if name != "anxiety_group"]


@dataclass(frozen=True)
class Reference:
    name: str
    formula: str
    data: pd.DataFrame
    values: dict

    @property
    def condition(self) -> str | None:
        return "condition" if "condition" in self.formula else None

    def terms(self, names: list[str] | str) -> list[str]:
        """R's coefficient names in formulaic's words."""
        names = [names] if isinstance(names, str) else names
        return [_formulaic(name) for name in names]


def _formulaic(name: str) -> str:
    if name == "(Intercept)":
        return "Intercept"
    parts = [re.sub(r"^(condition|group)(.+)$", r"\1[T.\2]", part) for part in name.split(":")]
    return ":".join(parts)


@cache
def load(name: str) -> Reference:
    values = json.loads((TESTS / "reference" / f"{name}.json").read_text())
    table = "anxiety" if name == "anxiety_group" else name
    data = pd.read_csv(TESTS / "data" / f"{table}.csv", dtype={"subject": str, "condition": str})
    for column in {"condition", "group"} & set(data.columns):
        levels = values[f"{column}_levels"] or list(data[column].unique())
        levels = [levels] if isinstance(levels, str) else levels
        data[column] = pd.Categorical(data[column], categories=levels)
    return Reference(name, values["formula"].removesuffix(" + (1 | subject)"), data, values)


def exact(reference: Reference, method: str) -> dict:
    """The 20-digit values as floats."""
    return {
        key: np.array(value, dtype=float) if isinstance(value, list) else float(value)
        for key, value in reference.values["exact_20_digits"][method.lower()].items()
    }


def nist(name: str) -> tuple[pd.DataFrame, dict[str, float]]:
    """A NIST one-way data set and its certified values."""
    lines = (TESTS / "data" / "nist" / f"{name}.dat").read_text().splitlines()
    between = next(line for line in lines if line.startswith("Between")).split()
    deviation = next(line for line in lines if "Standard Deviation" in line).split()[-1]
    rows = [line.split() for line in lines[60:] if line.strip()]
    data = pd.DataFrame(rows, columns=["treatment", "y"]).astype({"y": float})
    return data, {"F": float(between[-1]), "residual_sd": float(deviation)}
