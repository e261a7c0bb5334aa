"""Simulated tables in the shape that the figures take, and all figures by name."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from twolevel.figures.theme import save
from twolevel.figures.words import Labels

NAMES = (
    "one_subject",
    "data_by_subject",
    "distributions",
    "conditional_marginal",
    "caterpillar",
    "shrinkage",
    "covariance",
    "condition_means",
    "residuals_fitted",
)
LABELS = Labels(response="score", condition="time", subject="person", unit="points")


@dataclass(frozen=True)
class Study:
    """One study's tables; sigma_within is known, the rest by the closed forms of the model."""

    observations: pd.DataFrame
    means: pd.DataFrame
    subjects: pd.DataFrame
    residuals: pd.DataFrame
    random_effects: pd.DataFrame
    observed: pd.DataFrame | None
    implied: pd.DataFrame
    grand_mean: float
    sigma_between: float
    sigma_within: float = 1.414

    @property
    def condition_means(self) -> pd.DataFrame:
        return self.means.rename(columns={"estimate": "mean"})[["condition", "mean"]]

    def draw(self, name: str, labels: Labels = LABELS, **changed: object) -> Figure:
        """Draw the figure called `name`; `changed` replaces arguments."""
        between, within = self.sigma_between, self.sigma_within
        observations, means = self.observations, self.condition_means
        arguments = {
            "one_subject": {
                "observations": observations,
                "subject": observations["subject"].iloc[0],
                "condition_means": means,
            },
            "data_by_subject": {"observations": observations, "condition_means": means},
            "distributions": {
                "subjects": self.subjects,
                "residuals": self.residuals,
                "sigma_between": between,
                "sigma_within": within,
                "truth": None,
            },
            "conditional_marginal": {
                "observations": observations,
                "condition_means": means,
                "random_effects": self.random_effects,
                "grand_mean": self.grand_mean,
                "sigma_between": between,
                "sigma_within": within,
            },
            "caterpillar": {"random_effects": self.random_effects, "grand_mean": self.grand_mean},
            "shrinkage": {
                "random_effects": self.random_effects,
                "sigma_between": between,
                "sigma_within": within,
            },
            "covariance": {"observed": self.observed, "implied": self.implied},
            "condition_means": {"observations": observations, "means": self.means},
            "residuals_fitted": {"residuals": self.residuals},
        }[name]
        function = getattr(import_module(f"twolevel.figures.{name}"), name)
        return function(**(arguments | {"labels": labels} | changed))


def simulate(
    count: int = 12,
    conditions: tuple = ("t1", "t2", "t3"),
    *,
    sigma_between: float = 1.732,
    replicates: int = 1,
    missing: float = 0.0,
    person: str = "p{}",
    offset: float = 5.0,
) -> Study:
    rng = np.random.default_rng(666)
    width = len(conditions)
    who = np.repeat(np.arange(count), width * replicates)
    code = np.tile(np.repeat(np.arange(width), replicates), count)
    kept = rng.random(len(who)) >= missing
    kept[: width * replicates] = True
    kept[:: width * replicates] = True  # every subject stays
    who, code = who[kept], code[kept]
    effects = np.linspace(-2, 3, width) if width > 1 else np.zeros(1)
    y = offset + effects[code] + rng.normal(0, sigma_between, count)[who]
    y = y + rng.normal(0, 1.414, len(y))

    names = np.array([person.format(i) for i in range(count)], dtype=object)
    numeric = not isinstance(conditions[0], str)
    levels = np.array(conditions) if numeric else pd.Categorical(conditions, conditions)
    n = np.bincount(who)
    means = np.bincount(code, y) / np.bincount(code)
    residual = y - means[code]
    deviation = np.bincount(who, residual) / n
    keeps = n * sigma_between**2 / (n * sigma_between**2 + 1.414**2)
    blup = keeps * deviation
    half = 1.96 * np.sqrt((sigma_between**2 + 1.414**2) / count)
    table = pd.DataFrame({"subject": names[who], "condition": levels[code]})
    wide = table.assign(y=y).pivot_table("y", "subject", "condition", observed=True)
    implied = pd.DataFrame(
        sigma_between**2 + 1.414**2 * np.eye(width), index=conditions, columns=conditions
    )
    return Study(
        observations=table.assign(response=y),
        means=pd.DataFrame(
            {
                "condition": levels,
                "estimate": means,
                "se": half / 1.96,
                "ci_low": means - half,
                "ci_high": means + half,
            }
        ),
        subjects=pd.DataFrame(
            {"subject": names, "n": n, "subject_mean": means.mean() + deviation, "se": 1.0}
        ),
        residuals=table.assign(fitted=means[code] + blup[who], residual=residual - blup[who]),
        random_effects=pd.DataFrame(
            {
                "subject": names,
                "n": n,
                "deviation": deviation,
                "random_effect": blup,
                "se": sigma_between * np.sqrt(1 - keeps),
            }
        ),
        observed=wide.cov() if count > 2 else None,
        implied=implied,
        grand_mean=float(means.mean()),
        sigma_between=sigma_between,
    )


def svg_bytes(figure: Figure, title: str = "a figure") -> bytes:
    file = BytesIO()
    save(figure, file, title=title)
    return file.getvalue()


@pytest.fixture(scope="session", name="simulate")
def simulate_fixture() -> Callable[..., Study]:
    return simulate


@pytest.fixture(scope="session")
def study() -> Study:
    return simulate()


@pytest.fixture(params=NAMES)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def svg() -> Callable[..., bytes]:
    return svg_bytes
