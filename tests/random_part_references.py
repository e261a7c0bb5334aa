"""R's and exact values for models with a random part, and their definition in (N, N) matrices."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

TESTS = Path(__file__).parent
NAMES = sorted(path.stem for path in (TESTS / "reference" / "random").glob("*.json"))
EXACT = [name for name in NAMES if name != "obk__strata"]


@dataclass(frozen=True)
class RandomPartReference:
    formula: str
    data: pd.DataFrame
    values: dict

    def exact(self, method: str) -> dict:
        """The 18-digit values as floats."""
        found = self.values["exact_18_digits"][method.lower()]
        variances = [float(value) for value in found["variances"].values()]
        sigma, llf = float(found["sigma"]), float(found["logLik"])
        beta, se = (np.array(found[key], dtype=float) for key in ("beta", "se"))
        return {"variances": variances, "sigma": sigma, "llf": llf, "beta": beta, "se": se}


@cache
def load(name: str) -> RandomPartReference:
    values = json.loads((TESTS / "reference" / "random" / f"{name}.json").read_text())
    folders = [TESTS / "data" / "random", TESTS / "data"]
    path = next(folder / values["data"] for folder in folders if (folder / values["data"]).exists())
    data = pd.read_csv(path, dtype={column: str for column in values["levels"]})
    for column, levels in values["levels"].items():
        data[column] = pd.Categorical(data[column], categories=levels)
    return RandomPartReference(values["formula"], data, values)


def terms(fit) -> list[tuple[list[str], pd.DataFrame]]:
    """The grouping factors of each term, and the covariance of its effects by `varcorr`."""
    table = fit.varcorr
    found = []
    for grp, rows in table[table["grp"] != "Residual"].groupby("grp", sort=False):
        names = rows.loc[rows["var2"].isna(), "var1"].tolist()
        covariance = pd.DataFrame(0.0, index=names, columns=names)
        for row in rows.itertuples():
            other = row.var1 if pd.isna(row.var2) else row.var2
            covariance.loc[row.var1, other] = covariance.loc[other, row.var1] = row.vcov
        found.append((grp.split(".")[0].split(":"), covariance))
    return found


def effect_column(name: str, data: pd.DataFrame) -> np.ndarray:
    """The column of a random effect: (Intercept), x, or a[level]."""
    if name == "(Intercept)":
        return np.ones(len(data))
    if "[" in name:
        factor, level = name[:-1].split("[")
        return (data[factor].astype(str) == level.removeprefix("T.")).to_numpy(float)
    return data[name].to_numpy(float)


def dense_covariance(parts: list[tuple[list[str], pd.DataFrame]], data: pd.DataFrame) -> np.ndarray:
    """What the random effects add to V (N, N)."""
    V = np.zeros((len(data), len(data)))
    for grouping, covariance in parts:
        level = data.groupby(grouping, observed=True, sort=False).ngroup().to_numpy()
        Z = np.column_stack([effect_column(name, data) for name in covariance.index])
        V += (level[:, None] == level) * (Z @ covariance.to_numpy() @ Z.T)
    return V


def dense_deviance(V: np.ndarray, X: np.ndarray, y: np.ndarray, method: str) -> tuple:
    """-2 log likelihood at the best coefficients, and these."""
    inverse = np.linalg.inv(V)
    A = X.T @ inverse @ X
    beta = np.linalg.solve(A, X.T @ inverse @ y)
    r = y - X @ beta
    dev = np.linalg.slogdet(V)[1] + r @ inverse @ r + len(y) * np.log(2 * np.pi)
    if method == "REML":
        dev += np.linalg.slogdet(A)[1] - X.shape[1] * np.log(2 * np.pi)
    return dev, beta
