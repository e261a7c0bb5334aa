"""Simulated tables in the shape that the figures take, and all figures by name."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from io import BytesIO
from itertools import product

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from scipy.special import betaincinv, ndtri

from twolevel.experiments.performance import block_sums, distributions, performance, with_theory
from twolevel.experiments.run import Scenario, replicate_block
from twolevel.figures.registry import OF_STUDY
from twolevel.figures.theme import save
from twolevel.figures.words import Labels
from twolevel.findings.of_replication.config_words import SpreadWords
from twolevel.summaries.two_stage_summary import FirstSubject
from twolevel.text.confidence import LEVEL

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

    @property
    def cells(self) -> pd.DataFrame:
        """Numbers of observations, subject x condition."""
        who, names = pd.factorize(self.observations["subject"])
        levels = self.means["condition"].tolist()
        code = pd.Categorical(self.observations["condition"], levels).codes
        size = (len(names), len(levels))
        counts = np.bincount(who * size[1] + code, minlength=np.prod(size)).reshape(size)
        return pd.DataFrame(counts, names, levels)

    @property
    def missingness(self) -> dict[str, object]:
        """The 12 most frequent patterns of cells, the sums of the others, subjects by level."""
        patterns = self.cells.value_counts().rename("n_subjects").reset_index()
        drawn, rest = patterns[:12], patterns[12:]
        return {
            "patterns": drawn,
            "per_condition": (self.cells > 0).sum(),
            "rest": len(rest),
            "rest_subjects": int(rest["n_subjects"].sum()),
        }

    @property
    def quantile_points(self) -> pd.DataFrame:
        effects = self.random_effects["random_effect"].to_numpy()
        return pd.concat(
            [
                normal_points("residual", self.residuals["residual"].to_numpy()),
                normal_points("random effect", effects),
            ],
            ignore_index=True,
        )

    @property
    def influence(self) -> pd.DataFrame:
        """Every subject left out: distances and SDs by its share of the sums of squares."""
        names, count = self.subjects["subject"], len(self.subjects)
        columns = ["cooks_distance", "sigma_between", "sigma_within"]
        if count <= 2:
            return pd.DataFrame({"subject": names} | dict.fromkeys(columns, np.nan))
        between = self.random_effects["deviation"].to_numpy() ** 2
        who = pd.Categorical(self.residuals["subject"], names).codes
        within = np.bincount(who, self.residuals["residual"] ** 2, count)
        between, within = (share / share.sum() for share in (between, within))
        rest = np.sqrt((1 - np.array([between, within])) * count / (count - 1))
        rest *= np.array([[self.sigma_between], [self.sigma_within]])
        values = (between / np.sqrt(count), *rest)
        return pd.DataFrame({"subject": names} | dict(zip(columns, values, strict=True)))

    @property
    def profiles(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Curves and intervals, each parameter's as if it were alone."""
        count, total = len(self.subjects), len(self.observations)
        noise = self.sigma_within**2 / (total / count)
        spread = self.sigma_between**2 + noise

        def of_sd(n, square, shift=0.0):
            return lambda sd: n * (np.log((sd**2 + shift) / square) + square / (sd**2 + shift) - 1)

        def of_mean(mean, se):
            return lambda value: total * np.log1p(((value - mean) / se) ** 2 / total)

        between = of_sd(count, spread, noise)
        icc = self.sigma_between**2 / (self.sigma_between**2 + self.sigma_within**2)
        parameters = {
            "sigma_within": (self.sigma_within, of_sd(total, self.sigma_within**2), 0.01, 9.0),
            "sigma_between": (self.sigma_between, between, 0.0, 60.0),
            "icc": (icc, lambda r: between(self.sigma_within * np.sqrt(r / (1 - r))), 0.0, 0.999),
        }
        names = [f"time[T.{name}]" for name in self.means["condition"]]
        for name, estimate, se in zip(names, self.means["estimate"], self.means["se"], strict=True):
            rise = of_mean(estimate, se)
            parameters[name] = (estimate, rise, estimate - 9 * se, estimate + 9 * se)
        curves, intervals = [], []
        for name, (estimate, rise, low, high) in parameters.items():
            value = np.unique(np.append(np.linspace(low, high, 4001), estimate))
            zeta = np.sign(value - estimate) * np.sqrt(np.maximum(rise(value), 0.0))
            ends = np.interp([-1.959964, 1.959964], zeta, value)
            intervals.append((name, estimate, *ends))
            reach = estimate + 1.25 * (ends - estimate)
            value = np.linspace(max(low, reach[0]), min(high, reach[1]), 41)
            zeta = np.sign(value - estimate) * np.sqrt(np.maximum(rise(value), 0.0))
            curves.append(pd.DataFrame({"parameter": name, "value": value, "zeta": zeta}))
        columns = ["parameter", "estimate", "ci_low", "ci_high"]
        return pd.concat(curves, ignore_index=True), pd.DataFrame(intervals, columns=columns)

    def one_subject(self, subject: str | None = None) -> dict[str, object]:
        """What `one_subject` takes of a subject with a mean of its own; the first, unless named."""
        subject = self.observations["subject"].iloc[0] if subject is None else subject
        own = self.observations[self.observations["subject"] == subject]
        return {
            "subject": subject,
            "condition": own["condition"].tolist(),
            "response": own["response"].tolist(),
            "own_fitted": [own["response"].mean()] * len(own),
            "own_coefficients": 1,
        }

    @property
    def first_subjects(self) -> list[FirstSubject]:
        """The first three subjects, with what is fixed as what is fitted to all."""
        found = []
        for subject in self.observations["subject"].unique()[:3]:
            own = self.observations[self.observations["subject"] == subject]
            shift = float((own["response"] - own["fixed"]).mean())
            rows = own.assign(fitted=own["fixed"] + shift)
            rows = rows.assign(residual=rows["response"] - rows["fitted"])
            values = {"subject": subject, "subject_mean": self.grand_mean + shift}
            values |= {"own": {}, "nested": {}, "rows": rows[["condition", "fitted", "residual"]]}
            found.append(FirstSubject.of(values))
        return found

    def grouped(self, levels: tuple = ("g1", "g2")) -> dict[str, object]:
        """What `condition_means` takes of groups: subjects by turns, each group's slope its own."""
        codes = pd.factorize(self.observations["subject"])[0] % len(levels)
        position = dict(zip(self.means["condition"], range(len(self.means)), strict=True))
        at = self.observations["condition"].map(position).to_numpy(float)
        y = self.observations["response"] + 0.8 * codes * at
        table = self.observations.assign(group=np.array(levels, dtype=object)[codes], response=y)
        cells = table.groupby(["group", "condition"], sort=False, observed=True)["response"]
        order = pd.MultiIndex.from_product([levels, self.means["condition"]])
        groups = cells.mean().rename("estimate").reindex(order.set_names(["group", "condition"]))
        half = 1.96 * np.sqrt(5 / cells.size().reindex(groups.index))
        groups = groups.to_frame().assign(ci_low=groups - half, ci_high=groups + half)
        return {"observations": table, "groups": groups.reset_index(), "factor": "group"}

    def draw(self, name: str, labels: Labels = LABELS, **changed: object) -> Figure:
        """Draw the figure called `name`; `changed` replaces arguments."""
        between, within = self.sigma_between, self.sigma_within
        observations, means = self.observations, self.condition_means
        arguments = {
            "one_subject": {"conditions": means["condition"]},
            "three_subjects": {"conditions": means["condition"]},
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
                "conditions": means["condition"],
                "grand_mean": self.grand_mean,
                "sigma_within": within,
            },
            "caterpillar": {"random_effects": self.random_effects},
            "shrinkage": {
                "random_effects": self.random_effects,
                "sigma_between": between,
                "sigma_within": within,
            },
            "covariance": {"observed": self.observed, "implied": self.implied},
            "condition_means": {"observations": observations, "means": self.means},
            "residuals_fitted": {"residuals": self.residuals},
            "quantile_plots": {},
            "missingness": {},
            "scale_location": {"residuals": self.residuals, "sigma_within": within},
            "influence": {"deviations": {"sigma_between": between, "sigma_within": within}},
            "profile_zeta": {},
        }[name]
        # These are computed for their own figure only.
        if name == "quantile_plots":
            arguments["points"] = self.quantile_points
        elif name == "missingness":
            arguments |= self.missingness
        elif name == "one_subject":
            arguments |= self.one_subject()
        elif name == "three_subjects":
            few = arguments["subjects"] = changed.get("subjects", self.first_subjects)
            arguments["seen"] = [[row.condition for row in each.rows] for each in few]
        elif name == "influence":
            arguments["influence"] = self.influence
        elif name == "profile_zeta":
            arguments["curves"], arguments["intervals"] = self.profiles
        arguments |= {"labels": labels} | changed
        if name == "conditional_marginal":
            table, effects = arguments["observations"], self.random_effects.set_index("subject")
            own = effects["random_effect"].reindex(table["subject"]).to_numpy()
            spread = table.get("random_sd", between)
            arguments["observations"] = table.assign(random=own, random_sd=spread)
        function = getattr(import_module(f"twolevel.figures.of_study.{name}"), name)
        return function(**arguments)


def normal_points(of: str, values: np.ndarray) -> pd.DataFrame:
    """Ordered values, at most 200, against normal quantiles, with their exact 95% limits."""
    count = len(values)
    rank = np.unique(np.linspace(1, count, min(count, 200)).round())
    low, high = (
        values.std() * ndtri(betaincinv(rank, count + 1 - rank, p)) for p in (0.025, 0.975)
    )
    return pd.DataFrame(
        {
            "of": of,
            "theoretical": ndtri((rank - 0.5) / count),
            "observed": np.sort(values)[rank.astype(int) - 1],
            "low": low,
            "high": high,
        }
    )


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
        observations=table.assign(response=y, fixed=means[code]),
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


# The powers that are asked for.
POWERS = (0.8, 0.9)


@dataclass(frozen=True)
class Replicated:
    """The tables of a replication study, as its figures take them."""

    measures: pd.DataFrame
    distributions: pd.DataFrame
    grand_mean: float
    test: str

    def draw(self, name: str, **changed: object) -> Figure:
        """Draw the figure called `name`; `changed` replaces arguments."""
        arguments = {"measures": self.measures, "spread": SpreadWords()}
        if name == "sampling_distributions":
            arguments |= {"distributions": self.distributions, "grand_mean": self.grand_mean}
            arguments["sigma_within"] = 1.0
        elif name == "power_curves":
            arguments |= {"test": self.test, "powers": POWERS, "answers": []}
        elif name in ("bias_coverage", "type_one_error"):
            arguments["level"] = LEVEL
        function = getattr(import_module(f"twolevel.figures.of_replication.{name}"), name)
        return function(**(arguments | changed))


def replicated(
    subjects: tuple = (8, 12, 20),
    sigma_between: tuple = (0.0, 1.0),
    missing: tuple = (0.0, 0.1),
    conditions: tuple = ("t1", "t2", "t3"),
    *,
    experiments: int = 200,
    test: str = "kenward-roger",
    grand_mean: float = 5.0,
    replicates: tuple = (1,),
) -> Replicated:
    """Run a small replication study, effects evenly spaced from 0 to 1."""
    effects = dict(zip(conditions, np.linspace(0, 1, len(conditions)), strict=True))
    measures, counts = [], []
    for n, between, share, trials in product(subjects, sigma_between, missing, replicates):
        scenario = Scenario(n, effects, grand_mean, between, 1.0, trials, share)
        block = replicate_block(scenario, 0, experiments, 1, test)
        sums = block_sums(scenario, block, test)
        axes = {"subjects": n, "sigma_between": between, "missing": share, "replicates": trials}
        measures.append(with_theory(performance(sums), scenario).assign(**axes))
        counts.append(distributions(sums, scenario).assign(**axes))
    tables = (pd.concat(parts, ignore_index=True) for parts in (measures, counts))
    return Replicated(*tables, scenario.mean, test)


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


@pytest.fixture(scope="session", name="replicated")
def replicated_fixture() -> Callable[..., Replicated]:
    return replicated


@pytest.fixture(scope="session")
def planning() -> Replicated:
    return replicated()


@pytest.fixture(params=OF_STUDY)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="session")
def svg() -> Callable[..., bytes]:
    return svg_bytes
